# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Tokenized records to one packed row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

LabelLevel = Literal["token", "sequence"]


@dataclass
class LucaOnePackingCollator:
    """Joins tokenized records into one packed row, without padding.

    The row carries what transformers calls it: `position_ids` that restart, `cu_seq_lens_q` and
    `cu_seq_lens_k`, `max_length_q` and `max_length_k`, besides `input_ids`, `token_type_ids` and
    `labels`. Pairs have every name with `_a` and with `_b`.

    Labels are left as they are: those of tokens are joined to (1, tokens, ...), those of sequences
    stacked to (num_sequences, ...), whole numbers as int64 and others as fp32; a dictionary of
    labels, one entry per task, becomes a dictionary.

    Args:
        label_level: `token` or `sequence`, for each task where labels are a dictionary. Where it is
            not given the shapes decide: labels as long as their record belong to tokens.

    Raises:
        ValueError: no records, a record without `token_type_ids`, labels that only some records
            have, or labels whose shapes fit both levels.
    """

    label_level: LabelLevel | Mapping[str, LabelLevel] | None = None

    def __call__(self, features: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Pack the records in their order."""
        if not features:
            raise ValueError("there are no records to pack")
        sides = ("_a", "_b") if "input_ids_a" in features[0] else ("",)
        batch: dict[str, Any] = {}
        for side in sides:
            batch |= self._pack(features, side)
        name = "label" if "label" in features[0] else "labels"
        given: list[Any] = [feature.get(name) for feature in features]
        if all(labels is None for labels in given):
            return batch
        if any(labels is None for labels in given):
            raise ValueError("only some of the records have labels")
        lengths = [len(feature[f"input_ids{sides[0]}"]) for feature in features]
        if isinstance(given[0], Mapping):
            levels = self.label_level if isinstance(self.label_level, Mapping) else {}
            batch["labels"] = {
                task: _join([labels[task] for labels in given], lengths, levels.get(task), task)
                for task in given[0]
            }
        else:
            level = None if isinstance(self.label_level, Mapping) else self.label_level
            level = "sequence" if len(sides) == 2 else level
            batch["labels"] = _join(given, lengths, level, "labels")
        return batch

    def _pack(self, features: Sequence[Mapping[str, Any]], side: str) -> dict[str, Any]:
        rows = [torch.as_tensor(feature[f"input_ids{side}"]) for feature in features]
        missing = [
            i for i, feature in enumerate(features) if f"token_type_ids{side}" not in feature
        ]
        if missing:
            raise ValueError(f"record {missing[0]} has no token_type_ids{side}")
        types = [torch.as_tensor(feature[f"token_type_ids{side}"]) for feature in features]
        lengths = [len(row) for row in rows]
        boundaries = torch.tensor([0, *lengths]).cumsum(0).to(torch.int32)
        return {
            f"input_ids{side}": torch.cat(rows)[None],
            f"token_type_ids{side}": torch.cat(types)[None],
            f"position_ids{side}": torch.cat([torch.arange(length) for length in lengths])[None],
            f"cu_seq_lens_q{side}": boundaries,
            f"cu_seq_lens_k{side}": boundaries,
            f"max_length_q{side}": max(lengths),
            f"max_length_k{side}": max(lengths),
        }


def _join(labels: Sequence[Any], lengths: list[int], level: str | None, name: str) -> Tensor:
    """Join the labels of one task, of tokens or of sequences."""
    tensors = [torch.as_tensor(label) for label in labels]
    tensors = [t.float() if t.is_floating_point() else t.long() for t in tensors]
    if any(t.is_floating_point() for t in tensors):
        tensors = [t.float() for t in tensors]
    if level is None:
        of_tokens = all(t.dim() and len(t) == n for t, n in zip(tensors, lengths, strict=True))
        stackable = len({t.shape for t in tensors}) == 1
        if of_tokens and stackable and len(tensors) > 1:
            raise ValueError(
                f"{name}: every record has as many labels as tokens and all have equally many; "
                "say with label_level whether they belong to tokens or to sequences"
            )
        level = "token" if of_tokens else "sequence"
    if level == "token":
        return torch.cat(tensors)[None]
    return torch.stack(tensors)
