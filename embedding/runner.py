# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A trained model at work: texts in packed batches of similar lengths under a budget of tokens."""

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from modeling_lucaone import LucaOneModel
from modeling_lucaone.packing import SequenceBatch

from .models import ModelSource, find_device, find_model, load_model, load_tokenizer

# Real tokens per batch. A GPU needs some ten thousand to be busy; a CPU is at its full rate with
# one long protein, and more only costs memory.
TOKENS_PER_BATCH = {"cpu": 4_096, "cuda": 32_768}

Result = TypeVar("Result")


class ModelRunner:
    """A model and its tokenizer, and the budget of tokens with which they work.

    Args:
        model: any LucaOne model, on its device.
        tokenizer: its tokenizer.
        tokens_per_batch: tokens, [CLS] and [SEP] counted, that go through the model at once; a
            longer text goes alone. By the device where not given.

    Attributes:
        tokens_per_batch: the budget now; half of what failed after the device ran out of memory.
        real_tokens: tokens that went through the model.
        padded_tokens: what they would have been with every batch padded to its longest.
        notes: what a user should know about how the work went.
    """

    def __init__(self, model: Any, tokenizer: Any, tokens_per_batch: int | None = None):
        self.model, self.tokenizer = model, tokenizer
        self.tokens_per_batch = tokens_per_batch or TOKENS_PER_BATCH.get(model.device.type, 4_096)
        self.real_tokens = self.padded_tokens = 0
        self.notes: list[str] = []

    @torch.inference_mode()
    def run(
        self,
        texts: Sequence[str],
        seq_types: Sequence[str | None],
        apply: Callable[[SequenceBatch, list[int]], Sequence[Result]],
        *,
        alone: Callable[[int], Result] | None = None,
        progress: Callable[[list[int]], object] | None = None,
    ) -> list[Result]:
        """Run all texts, longest first, and return the results in the order of the texts.

        When the device runs out of memory, the budget shrinks to half of the batch that failed, a
        note is left, and the work goes on.

        Args:
            texts: letters; `[MASK]` is one token.
            seq_types: molecule type of each; None for the tokenizer's default.
            apply: given a packed batch on the device, and the numbers of its texts in order, runs
                the model and returns one result for each.
            alone: what to do with a text that does not even fit alone, by its number.
            progress: called with the numbers of the texts of each finished batch.

        Raises:
            torch.OutOfMemoryError: a text did not fit alone, and there is no `alone`.
            ValueError: a molecule type is unknown, or missing and the tokenizer has no default.
        """
        results: dict[int, Result] = {}
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        done = 0
        while done < len(order):
            batch = self._next_batch(order, done, texts)
            rows = self._try(batch, texts, seq_types, apply)
            if rows is not None:
                results.update(zip(batch, rows, strict=True))
            elif len(batch) > 1:
                self._shrink(sum(len(texts[i]) + 2 for i in batch))
                continue
            elif alone is None:
                raise torch.OutOfMemoryError(
                    f"a text of {len(texts[batch[0]]):,} letters does not fit into the memory of "
                    f"{self.model.device}, not even alone"
                )
            else:
                results[batch[0]] = alone(batch[0])
            done += len(batch)
            if progress is not None:
                progress(batch)
        return [results[i] for i in range(len(texts))]

    def _next_batch(self, order: list[int], done: int, texts: Sequence[str]) -> list[int]:
        tokens, end = 0, done
        while end < len(order):
            tokens += len(texts[order[end]]) + 2
            if end > done and tokens > self.tokens_per_batch:
                break
            end += 1
        return order[done:end]

    def _try(
        self,
        batch: list[int],
        texts: Sequence[str],
        seq_types: Sequence[str | None],
        apply: Callable[[SequenceBatch, list[int]], Sequence[Result]],
    ) -> Sequence[Result] | None:
        """Return the results of a batch, or None if it does not fit into memory."""
        packed, padded_tokens = self._pack([texts[i] for i in batch], [seq_types[i] for i in batch])
        try:
            rows = apply(packed, batch)
        except torch.OutOfMemoryError:
            rows = None
        # Here the error, and with it what the failed pass held, is gone.
        if rows is None:
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            return None
        self.real_tokens += packed.position_ids.shape[1]
        self.padded_tokens += padded_tokens
        return rows

    def _pack(self, texts: list[str], seq_types: list[str | None]) -> tuple[SequenceBatch, int]:
        """Return the texts as one row, and how many tokens they would be padded."""
        types = None if None in seq_types else seq_types
        encoded = self.tokenizer(texts, seq_type=types)
        lengths = [len(ids) for ids in encoded["input_ids"]]

        def row(name: str) -> Tensor:
            tokens = [token for ids in encoded[name] for token in ids]
            return torch.tensor([tokens], device=self.model.device)

        boundaries = torch.tensor([0, *lengths]).cumsum(0).to(self.model.device, torch.int32)
        batch = SequenceBatch.from_inputs(
            self.model.config,
            input_ids=row("input_ids"),
            token_type_ids=row("token_type_ids"),
            cu_seq_lens_q=boundaries,
        )
        return batch, len(lengths) * max(lengths)

    def _shrink(self, tokens: int) -> None:
        self.tokens_per_batch = tokens // 2
        self.notes.append(
            f"out of memory on {self.model.device} with {tokens:,} tokens per batch; "
            f"went on with {self.tokens_per_batch:,}"
        )


class TrainedModel:
    """A model, loaded strictly, on its device, with its tokenizer and a runner.

    Args:
        model: folder or Hub repository.
        revision: branch, tag or commit of a Hub repository.
        device: as of PyTorch; the GPU where there is one, if not given.
        dtype: of the computation, such as `bfloat16`; as stored where not given.
        tokens_per_batch: see `ModelRunner`.
        attn_implementation: attention back-end; `sdpa` where not given.

    Attributes:
        device: where the model is.
        model: the model.
        tokenizer: its tokenizer.
        runner: what puts texts through it.
        notes: what a user should know about how the work went, such as a lack of memory.

    Raises:
        ValueError: see `find_device`, `find_model` and `load_model`.
    """

    model_class: type[Any] = LucaOneModel

    def __init__(
        self,
        model: str | os.PathLike[str] | ModelSource,
        *,
        revision: str | None = None,
        device: str | torch.device | None = None,
        dtype: str | torch.dtype | None = None,
        tokens_per_batch: int | None = None,
        attn_implementation: str | None = None,
    ):
        self.device = find_device(device)
        source = model if isinstance(model, ModelSource) else find_model(model, revision)
        options = {"dtype": dtype or "auto", "attn_implementation": attn_implementation}
        self.model = self._load(source, **options).to(self.device)
        self.tokenizer = load_tokenizer(source)
        self.runner = ModelRunner(self.model, self.tokenizer, tokens_per_batch)
        self.notes = self.runner.notes

    def _load(self, source: ModelSource, **options: Any) -> Any:
        return load_model(source, self.model_class, **options)
