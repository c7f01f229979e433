# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The names of labels and their ids: a text file per task, whose line number (from 0) is the id."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sequence_io import read_lines

from .records import LABEL_TASKS


class Vocabularies:
    """The label names of all tasks.

    Args:
        names: for each task its names in the order of their ids.
        closed: let other names have no id; otherwise they get the next one.
    """

    def __init__(self, names: Mapping[str, Sequence[str]], closed: bool):
        self.closed = closed
        self._ids = {
            task: {name: number for number, name in enumerate(names.get(task, ()))}
            for task in LABEL_TASKS
        }

    def number(self, task: str, name: str) -> int | None:
        """Return the id of a name; None if the vocabularies are closed and it is not in them."""
        ids, name = self._ids[task], one_line(name)
        return ids.get(name) if self.closed else ids.setdefault(name, len(ids))

    def names(self) -> dict[str, list[str]]:
        """Return the names of each task that has some, in the order of their ids."""
        return {task: list(ids) for task, ids in self._ids.items() if ids}

    def sizes(self) -> dict[str, int]:
        """Return how many labels each task has whose vocabulary does not grow."""
        return {task: len(ids) for task, ids in self._ids.items() if ids and self.closed}


def one_line(name: str) -> str:
    """Return a name as it stands in a vocabulary: no line ends, single blanks, none at the ends."""
    return " ".join(name.split())


def read_vocabularies(folder: Path) -> dict[str, list[str]]:
    """Read the vocabularies of a folder.

    Args:
        folder: with files `TASK.txt`, or as published, `TASK_LEVEL_label_VERSION.txt`.

    Returns:
        For each task that has a file its names in the order of their ids.

    Raises:
        ValueError: the folder has none, two for one task, or one that is empty or has a name twice.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder of vocabularies")
    vocabularies = {}
    for task in LABEL_TASKS:
        files = sorted({*folder.glob(f"{task}.txt"), *folder.glob(f"{task}_*.txt")})
        if len(files) > 1:
            raise ValueError(f"{folder}: {files[0].name} and {files[1].name} are both of {task}")
        if files:
            vocabularies[task] = _read_names(files[0])
    if not vocabularies:
        raise ValueError(f"{folder}: there is no vocabulary in it, such as {LABEL_TASKS[0]}.txt")
    return vocabularies


def _read_names(file: Path) -> list[str]:
    """Read the names of one task."""
    lines: dict[str, int] = {}
    for number, line in enumerate(read_lines(file), start=1):
        name = one_line(line)
        if not name:
            raise ValueError(f"{file}: line {number}: there is no name")
        if name in lines:
            raise ValueError(f"{file}: line {number}: {name!r} is on line {lines[name]} already")
        lines[name] = number
    if not lines:
        raise ValueError(f"{file}: there is no name in it")
    return list(lines)
