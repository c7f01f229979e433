# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The records of a task as the batches of its steps."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from modeling_lucaone import LucaOnePackingCollator
from training_jobs.steps import Batch, plan_step

from .data import Example
from .features import FeatureStore, TypedSequence

# Tokens that stand for rows of features: the frame, and any letter.
CLS, SEP, RESIDUE = 2, 3, 10


class StepSampler(Sampler[list[Batch]]):
    """The steps of an epoch in an order of its own, as one process sees them.

    Args:
        sizes: tokens of each record.
        weights: what each record weighs in the loss.
        batch_size: records of a step, over all processes.
        tokens_per_batch: see `plan_step`.
        seed: of the order.
        epoch: returns the number of the epoch that begins.
        process: number of this process.
        processes: how many there are.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        weights: Sequence[float],
        batch_size: int,
        tokens_per_batch: int,
        seed: int,
        epoch: Callable[[], int],
        process: int = 0,
        processes: int = 1,
    ):
        self.sizes, self.weights, self.batch_size = sizes, weights, batch_size
        self.tokens_per_batch, self.seed, self.epoch = tokens_per_batch, seed, epoch
        self.process, self.processes = process, processes

    def __len__(self) -> int:
        """Return the steps of an epoch."""
        return -(-len(self.sizes) // self.batch_size)

    def __iter__(self) -> Iterator[list[Batch]]:
        generator = torch.Generator().manual_seed(self.seed + self.epoch())
        order = torch.randperm(len(self.sizes), generator=generator)
        for records in order.split(self.batch_size):
            yield plan_step(
                records.tolist(), self.sizes, self.weights, self.tokens_per_batch, self.processes
            )[self.process]


class Examples(Dataset[dict[str, Any]]):
    """Records as inputs of a model; what `Batch` names comes as one packed row.

    Attributes:
        sizes: tokens of each record, both sides counted.
        weights: what each record weighs in the loss.
        labels: of each record.
    """

    def __init__(self, examples: Sequence[Example], class_weights: Sequence[float] | None = None):
        self.examples = examples
        self.sizes = [sum(len(text) + 2 for text in one.sequences) for one in examples]
        self.labels = [one.label for one in examples]
        self.weights = [1.0] * len(examples)
        if class_weights is not None:
            self.weights = [class_weights[label] for label in self.labels]  # type: ignore[index]

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, batch: Batch) -> dict[str, Any]:
        """Return the inputs of a batch, its labels and tokens, and what `Batch` says of it."""
        inputs = self.pack([self.examples[i] for i in batch.records])
        labels = torch.tensor([self.labels[i] for i in batch.records])
        tokens = sum(self.sizes[i] for i in batch.records)
        return inputs | {"labels": labels, "tokens": tokens} | batch._asdict()

    def pack(self, examples: Sequence[Example]) -> dict[str, Any]:
        """Return the inputs of records as one packed row."""
        raise NotImplementedError


class TokenizedExamples(Examples):
    """Records as tokens, for a model with its encoder."""

    def __init__(
        self,
        examples: Sequence[Example],
        tokenizer: Any,
        class_weights: Sequence[float] | None = None,
    ):
        super().__init__(examples, class_weights)
        self.tokenizer, self.collator = tokenizer, LucaOnePackingCollator()

    def pack(self, examples: Sequence[Example]) -> dict[str, Any]:
        """Return `input_ids`, `token_type_ids` and so on; of pairs with `_a` and `_b`."""
        records: list[dict[str, Any]] = [{} for _ in examples]
        for number, side in enumerate(_sides(examples[0])):
            encoded = self.tokenizer(
                [one.sequences[number] for one in examples],
                seq_type=[one.seq_types[number] for one in examples],
            )
            for record, ids, types in zip(
                records, encoded["input_ids"], encoded["token_type_ids"], strict=True
            ):
                record[f"input_ids{side}"], record[f"token_type_ids{side}"] = ids, types
        return self.collator(records)


class StoredExamples(Examples):
    """Records as features that were computed before, for a head alone.

    Args:
        examples: the records.
        stores: where the features of each side are.
        framed: whether rows of residues stand between those of [CLS] and [SEP], which are zeros.
        class_weights: see `network_config`.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        stores: Sequence[FeatureStore],
        framed: bool = True,
        class_weights: Sequence[float] | None = None,
    ):
        super().__init__(examples, class_weights)
        self.stores, self.framed = stores, framed

    def pack(self, examples: Sequence[Example]) -> dict[str, Any]:
        """Return `features`, (1, rows, width), `input_ids` that mark the frame, boundaries."""
        inputs: dict[str, Any] = {}
        for number, side in enumerate(_sides(examples[0])):
            pieces: list[Tensor] = []
            tokens: list[int] = []
            boundaries = [0]
            for one in examples:
                rows = self.stores[number][
                    TypedSequence(one.seq_types[number], one.sequences[number])
                ]
                frame = [rows.new_zeros(1, rows.shape[1])] if self.framed else []
                pieces += [*frame, rows, *frame]
                ids = [RESIDUE] * len(rows)
                tokens += [CLS, *ids, SEP] if self.framed else ids
                boundaries.append(len(tokens))
            inputs[f"features{side}"] = torch.cat(pieces)[None]
            inputs[f"input_ids{side}"] = torch.tensor([tokens])
            inputs[f"cu_seq_lens_q{side}"] = torch.tensor(boundaries, dtype=torch.int32)
        return inputs


def _sides(example: Example) -> tuple[str, ...]:
    return ("",) if len(example.sequences) == 1 else ("_a", "_b")
