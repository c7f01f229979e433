# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Records whose labels are still names, and what makes them of source files."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from .findings import Finding
from .records import KEYWORD_TASK, LabelledRecord, RecordError


@dataclass(slots=True)
class NamedRecord:
    """A sequence with the names of its labels; what is not described is as in `LabelledRecord`.

    Attributes:
        group: the entry it comes from; all records of a group go to the same split.
        spans: for each task of `SPAN_TASKS` its spans (first letter, last letter, label name).
        classes: label name for each task of `CLASS_TASKS` that is known.
        keywords: label names of `prot_keyword`.
        coordinates: (residues, 3), NaN where unknown.
    """

    id: str
    seq_type: Literal["gene", "prot"]
    sequence: str
    source: str
    group: str
    spans: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    keywords: list[str] = field(default_factory=list)
    coordinates: np.ndarray | None = None

    def numbered(self, number: Callable[[str, str], int | None]) -> LabelledRecord:
        """Return the record with ids for names.

        Args:
            number: gives the id of a name of a task; the label is left out where it is None.
        """
        spans = {
            task: [
                (start, end, label)
                for start, end, name in named
                if (label := number(task, name)) is not None
            ]
            for task, named in self.spans.items()
        }
        classes = {
            task: label
            for task, name in self.classes.items()
            if (label := number(task, name)) is not None
        }
        keywords = [
            label for name in self.keywords if (label := number(KEYWORD_TASK, name)) is not None
        ]
        return LabelledRecord(
            self.id,
            self.seq_type,
            self.sequence,
            self.source,
            spans,
            classes,
            keywords,
            self.coordinates,
        )

    def check(self) -> None:
        """Check the record.

        Raises:
            RecordError: it cannot be what it says.
        """

        def number(task: str, name: str) -> int:
            if not name.strip():
                raise RecordError(f"{task}: a label has no name")
            return 0

        self.numbered(number).check()


class Reader(Protocol):
    """One kind of source file. It must be picklable: `read` runs in other processes.

    It may have a method `prepare(self) -> Iterator[Finding]`, which runs once before any entry is
    read, in each run of a job. Its findings are taken by the run that begins the job.
    """

    def entries(self, path: Path) -> Iterator[str]:
        """Split a file into the texts of its entries, in order, one at a time in memory.

        This runs in one process and should cost little.

        Raises:
            ValueError: the file cannot be read; the message names it. Behind the first entry, a
                `SequenceFileError` ends the file, but not the job.
        """
        ...

    def read(self, entry: str, file: str) -> Iterator[NamedRecord | LabelledRecord | Finding]:
        """Make records of one entry.

        Args:
            entry: its text.
            file: the name of its file, for findings.

        Returns:
            Records, with names or with ids, and findings; a damaged entry is a finding. Where one
            raises an exception all the same, the entry is dropped and reported.
        """
        ...
