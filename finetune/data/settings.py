# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""How the data of a task are read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tokenization import normalize_seq_type

SPLITS = ("train", "dev", "test")
PROBLEMS = ("binary", "multi_class", "multi_label", "regression")
SIDES = {"single": ("",), "pair": ("_a", "_b")}

Problem = Literal["binary", "multi_class", "multi_label", "regression"]


@dataclass(frozen=True)
class DataSettings:
    """How the data of a task are read.

    Attributes:
        input: `single` sequences or `pair`s.
        seq_types: molecule type of each side: `gene` or `prot` (or an alias), `header` (FASTA) or
            `column:NAME`; without it the column `seq_type` (`seq_type_a`, `seq_type_b`) must be
            there.
        columns: names of the columns that are not called as in the published sets. Keys are id,
            sequence, seq_type, label, group and split; those of a pair are id_a, id_b, sequence_a,
            sequence_b, seq_type_a, seq_type_b, label, group and split. `group` and `split` are read
            only if they are named here.
        problem: what the labels are; inferred from them if not given.
        labels: names of the labels in the order of their ids; else those of label.txt, else what
            occurs in the data.
        label_separator: between the labels of a record of several (`multi_label`).
        max_lengths: residues of each side; what lies beyond is cut. No limit if not given.
        split: shares of train, dev and test where the data are not split.
        seed: of that division.
        keep_gaps: keep `-`, `.` and `*`, see `sequence_io.clean_sequence`.
        force: go on even if most sequences look like the other molecule type.

    Raises:
        ValueError: a field holds what it cannot; names the field.
    """

    input: Literal["single", "pair"]
    seq_types: tuple[str, ...] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    problem: Problem | None = None
    labels: tuple[str, ...] | None = None
    label_separator: str = ";"
    max_lengths: tuple[int, ...] | None = None
    split: Mapping[str, float] = field(
        default_factory=lambda: {"train": 0.8, "dev": 0.1, "test": 0.1}
    )
    seed: int = 1221
    keep_gaps: bool = False
    force: bool = False

    def __post_init__(self) -> None:
        if self.input not in SIDES:
            raise ValueError(f"input: {self.input!r} is neither 'single' nor 'pair'")
        if self.seq_types is not None:
            object.__setattr__(self, "seq_types", tuple(map(self._seq_type, self.seq_types)))
        for name in ("seq_types", "max_lengths"):
            values = getattr(self, name)
            if values is not None and len(values) != len(self.sides):
                raise ValueError(f"{name}: {len(values)} given, a {self.input} has {self._count}")
        if self.max_lengths is not None and min(self.max_lengths) < 1:
            raise ValueError(f"max_lengths: {min(self.max_lengths)} is not above 0")
        sided = [key + side for key in ("id", "sequence", "seq_type") for side in self.sides]
        known = (*sided, "label", "group", "split")
        for key in self.columns:
            if key not in known:
                raise ValueError(f"columns: unknown key {key!r}; known are {', '.join(known)}")
        if self.problem is not None and self.problem not in PROBLEMS:
            raise ValueError(f"problem: {self.problem!r} is none of {', '.join(PROBLEMS)}")
        if self.labels is not None and len(set(self.labels)) < len(self.labels):
            raise ValueError("labels: a name is there twice")
        if not self.label_separator:
            raise ValueError("label_separator: is empty")
        for name, share in self.split.items():
            if name not in SPLITS:
                raise ValueError(f"split: unknown key {name!r}; known are {', '.join(SPLITS)}")
            if not 0 <= share < math.inf:
                raise ValueError(f"split: the share of {name} is {share}")
        if not self.split.get("train"):
            raise ValueError("split: train has no share")

    def _seq_type(self, text: str) -> str:
        if text.startswith("column:") or (text == "header" and self.input == "single"):
            return text
        try:
            return normalize_seq_type(text)
        except ValueError as error:
            raise ValueError(f'seq_types: {error}, or "column:NAME" or "header" (FASTA)') from None

    @property
    def sides(self) -> tuple[str, ...]:
        """What the names of the sides' columns end in: nothing, or `_a` and `_b`."""
        return SIDES[self.input]

    @property
    def _count(self) -> str:
        return "one sequence" if len(self.sides) == 1 else "two sequences"
