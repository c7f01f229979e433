# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a task is trained and judged on."""

from dataclasses import dataclass
from typing import Any

from .findings import Findings
from .settings import Problem

Label = int | float | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One record: a sequence or a pair, and its label.

    Attributes:
        ids: one id, or two for a pair.
        sequences: the letters of each, cleaned and in upper case; of `read_data` also cut.
        seq_types: `gene` or `prot` for each.
        label: the class id (`multi_class`), 0 or 1 (`binary`), the value (`regression`), a 0 or 1
            for every label (`multi_label`), or None if unlabelled.
        group: such as the species, for metrics of each group.
    """

    ids: tuple[str, ...]
    sequences: tuple[str, ...]
    seq_types: tuple[str, ...]
    label: Label | None
    group: str | None = None


@dataclass(frozen=True)
class TaskData:
    """The labelled data of a task.

    Attributes:
        splits: the examples of train, dev and test, in this order. Dev or test is empty only where
            a share of 0 asked for it.
        problem: `binary`, `multi_class`, `multi_label` or `regression`.
        label_names: in the order of the label ids; none for a regression, the negative first for a
            binary problem.
        findings: what was found in the data.
        files: SHA-256 of every file that was read, by its name; by its place in the source where
            two files have one name.
    """

    splits: dict[str, list[Example]]
    problem: Problem
    label_names: tuple[str, ...]
    findings: Findings
    files: dict[str, str]

    @property
    def judged(self) -> list[str]:
        """The splits that nothing is trained on, the first decides; else the training split."""
        return [split for split in ("test", "dev") if self.splits.get(split)] or ["train"]

    def labels(self, split: str) -> list[Any]:
        """Return the labels of a split, as numbers."""
        return [example.label for example in self.splits[split]]

    def groups(self, split: str) -> list[str | None] | None:
        """Return the groups of the records of a split; None where no record has one."""
        groups = [example.group for example in self.splits[split]]
        return groups if any(group is not None for group in groups) else None
