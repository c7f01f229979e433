# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The steps of a pre-training as packed batches, and the batches of an evaluation."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset

from modeling_lucaone import LucaOnePackingCollator
from modeling_lucaone.packing import IGNORE
from training_jobs.steps import Batch, plan_step

from .corpus import Group, Rows
from .examples import MOLECULES, ExampleMaker
from .order import Mixture, Order


class Source(NamedTuple):
    """A record of a step: its molecule type, position in its order, and where it lies."""

    seq_type: str
    position: int
    rows: Rows
    row: int


class Packer:
    """Packs records as a batch of the model.

    Args:
        make: records to examples.
        seed: of the masks.
    """

    def __init__(self, make: ExampleMaker, seed: int):
        self.make, self.seed = make, seed
        self.collator = LucaOnePackingCollator(
            {
                task: "sequence" if settings["level"] == "sequence" else "token"
                for task, settings in make.tasks.items()
            }
        )

    def __call__(self, records: Sequence[Source]) -> dict[str, Any]:
        """Pack records.

        Returns:
            `inputs` of the model, labels among them; `labelled`: for each task how many records
            have a label; `tokens`, and `padded_tokens`: those of the same records with padding.
        """
        examples = []
        for one in records:
            seed = [self.seed, MOLECULES.index(one.seq_type), one.position]
            examples.append(self.make(one.rows, one.row, np.random.default_rng(seed)))
        sizes = [len(example["input_ids"]) for example in examples]
        return {
            "inputs": self.collator(examples),
            "labelled": {
                task: sum(bool((one["labels"][task] != IGNORE).any()) for one in examples)
                for task in self.make.tasks
            },
            "tokens": sum(sizes),
            "padded_tokens": max(sizes) * len(sizes),
        }


class PretrainingSteps(Dataset[list[dict[str, Any]]]):
    """The steps of a training, numbered from 0, each as the batches of this process.

    Args:
        groups: where the records lie, by molecule type.
        mixture: how many of each a step takes.
        packer: records to batches.
        num_labels: sizes of the vocabularies, by which records are checked.
        buffer: see `Order`.
        seed: of the order.
        tokens_per_batch: tokens that go through the model at once.
        process: number of this process.
        processes: how many there are.
    """

    def __init__(
        self,
        groups: Mapping[str, Sequence[Group]],
        mixture: Mixture,
        packer: Packer,
        num_labels: Mapping[str, int],
        buffer: int,
        seed: int,
        tokens_per_batch: int,
        process: int = 0,
        processes: int = 1,
    ):
        self.groups, self.mixture, self.packer = groups, mixture, packer
        self.num_labels = num_labels
        self.orders = {
            name: Order(
                [group.records for group in groups[name]], buffer, [seed, MOLECULES.index(name)]
            )
            for name in groups
        }
        self.process, self.processes = process, processes
        # Workers see it change.
        self.budget = torch.tensor(tokens_per_batch).share_memory_()
        # The groups of the windows that the last step was in.
        self._rows: dict[str, dict[int, Rows]] = {name: {} for name in groups}

    def __len__(self) -> int:
        """Return the steps of an epoch."""
        return self.mixture.steps_per_epoch

    def __getitem__(self, number: int) -> list[dict[str, Any]]:
        """Return the batches of a step for this process.

        Each holds what `Packer` gives, its `records`, and `shares`: what the loss of each task
        counts in the loss of the step. The loss of a task in a batch is the mean over the records
        that have its label; the loss of a step is the mean over all its records, as that of the
        published training, which takes them one by one.

        Raises:
            ValueError: a shard has gone, or a record cannot be what it says.
        """
        records = self.records(number)
        sizes = [self.packer.make.size(int(one.rows.lengths[one.row])) for one in records]
        plan = plan_step(
            range(len(records)), sizes, [1.0] * len(records), int(self.budget), self.processes
        )
        return [self._pack(batch, records) for batch in plan[self.process]]

    def _pack(self, batch: Batch, records: Sequence[Source]) -> dict[str, Any]:
        packed = self.packer([records[i] for i in batch.records])
        # A batch that fills up a process has share 0.
        one = batch.share / len(batch.records)
        shares = {task: one * count for task, count in packed["labelled"].items()}
        return {**packed, "records": batch.records, "shares": shares, "counts": batch.share > 0}

    def records(self, number: int) -> list[Source]:
        """Return the records of a step, over all processes."""
        found = []
        for seq_type, positions in self.mixture.step(number).items():
            if not positions:
                continue
            order, rows = self.orders[seq_type], self._rows[seq_type]
            needed = order.groups(positions)
            for group in rows.keys() - needed:
                del rows[group]
            for group in sorted(needed - rows.keys()):
                rows[group] = Rows.read(self.groups[seq_type][group])
                rows[group].check(self.num_labels)
            found += [
                Source(seq_type, position, rows[group], row)
                for position, (group, row) in zip(positions, order.locate(positions), strict=True)
            ]
        return found
