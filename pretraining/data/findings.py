# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What is told of entries that did not become records, or not with all that they say."""

import csv
import os
import re
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Literal

from .records import RecordError

NUMBER = re.compile(r"-?\d[\d,]*")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to tell of an entry.

    Attributes:
        file: name of the file.
        entry: id of the record or entry; empty where unknown.
        status: `dropped`: the whole entry is lost; `partly`: some labels or segments of it are;
            `note`: only worth telling.
        reason: few words, the same for all of a kind, which are counted.
        detail: what is particular to this one.
    """

    file: str
    entry: str
    status: Literal["dropped", "partly", "note"]
    reason: str
    detail: str = ""

    @classmethod
    def refused(cls, file: str, entry: str, error: RecordError) -> "Finding":
        """Return the finding that a record is dropped; its kind is the message less its numbers."""
        return cls(file, entry, "dropped", NUMBER.sub("N", str(error)), str(error))


class Report:
    """The file `report.tsv`: a row per finding, added one after the other.

    Args:
        path: the file.
        size: bytes of it that are right; the rest, which a killed job left, is cut off. 0 begins.
    """

    def __init__(self, path: Path, size: int = 0):
        path.touch()
        os.truncate(path, size)
        self._file = path.open("a", newline="", encoding="utf-8")
        self._table = csv.writer(self._file, delimiter="\t", lineterminator="\n")
        if not size:
            self._table.writerow(field.name for field in fields(Finding))

    def add(self, finding: Finding) -> None:
        """Add a row."""
        self._table.writerow(astuple(finding))

    def save(self) -> int:
        """Make sure that what was added outlives a crash; return the size of the file in bytes."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        """Close the file."""
        self._file.close()
