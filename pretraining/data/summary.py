# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a data folder holds: counted while it is made, told as tables."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .findings import Finding
from .records import KEYWORD_TASK, LABEL_TASKS, STRUCTURE_TASK, LabelledRecord

Counts = dict[str, Counter[str]]
MOST_FREQUENT = 3
BAR = 40


def _counts() -> Counts:
    return defaultdict(Counter)


@dataclass
class BuildSummary:
    """What was made; `str()` tells it in tables.

    Attributes:
        output: the folder.
        entries: entries that were read.
        records: records by split and molecule type.
        letters: letters by split and molecule type.
        labelled: records with a label, by task.
        labels: how often a label occurs, by task and name (or id, without a vocabulary): spans of
            it, or records.
        lengths: records by molecule type and the greatest power of two that is not longer.
        findings: rows of `report.tsv` by status and reason.
        notes: what else a user should know.
    """

    output: str
    entries: int = 0
    records: Counts = field(default_factory=_counts)
    letters: Counts = field(default_factory=_counts)
    labelled: Counter[str] = field(default_factory=Counter)
    labels: Counts = field(default_factory=_counts)
    lengths: Counts = field(default_factory=_counts)
    findings: Counts = field(default_factory=_counts)
    notes: list[str] = field(default_factory=list)

    def add(self, split: str, record: LabelledRecord) -> None:
        """Count a record; its labels are counted by their ids until `name_labels`."""
        length = len(record.sequence)
        self.records[split][record.seq_type] += 1
        self.letters[split][record.seq_type] += length
        self.lengths[record.seq_type][str(1 << length.bit_length() - 1)] += 1
        labels = {task: [label for *_, label in spans] for task, spans in record.spans.items()}
        labels |= {task: [label] for task, label in record.classes.items()}
        labels[KEYWORD_TASK] = list(record.keywords)
        for task, ids in labels.items():
            self.labelled[task] += bool(ids)
            self.labels[task].update(map(str, ids))
        self.labelled[STRUCTURE_TASK] += record.coordinates is not None

    def add_finding(self, finding: Finding) -> None:
        """Count a finding."""
        self.findings[finding.status][finding.reason] += 1

    def count(self, split: str | None = None) -> int:
        """Count records, of a split where it is given."""
        return sum(counts.total() for name, counts in self.records.items() if split in (None, name))

    def name_labels(self, names: Mapping[str, Sequence[str]]) -> None:
        """Put names in the place of ids, the most frequent first."""
        for task, counts in self.labels.items():
            known = names.get(task)
            self.labels[task] = Counter(
                {known[int(label)] if known else label: n for label, n in counts.most_common()}
            )

    def counted(self) -> dict[str, Any]:
        """Return all that is counted, for JSON."""
        return {
            name: value for name, value in vars(self).items() if name not in ("output", "notes")
        }

    def restore(self, counted: Mapping[str, Any]) -> None:
        """Go back to what was counted before."""
        self.entries = counted["entries"]
        self.labelled.update(counted["labelled"])
        for name in ("records", "letters", "labels", "lengths", "findings"):
            for key, counts in counted[name].items():
                getattr(self, name)[key].update(counts)

    def __str__(self) -> str:
        letters = sum(counts.total() for counts in self.letters.values())
        head = (
            f"{self.output}: {self.count():,} records of {letters:,} letters, "
            f"from {self.entries:,} entries"
        )
        tables = (self._records_table(), self._labels_table(), *self._lengths_tables())
        return "\n".join([head, *(line for table in tables for line in table), *self._reasons()])

    def _records_table(self) -> Iterator[str]:
        rows = [
            (split, kind, f"{number:,}", f"{self.letters[split][kind]:,}")
            for split, counts in self.records.items()
            for kind, number in counts.items()
        ]
        yield from _aligned([("split", "molecule", "records", "letters"), *rows])

    def _labels_table(self) -> Iterator[str]:
        rows = [("task", "records with it", "labels", "different", "most frequent")]
        for task in LABEL_TASKS:
            if number := self.labelled[task]:
                counts = self.labels[task]
                first = ", ".join(f"{name} {n:,}" for name, n in counts.most_common(MOST_FREQUENT))
                rows.append((task, f"{number:,}", f"{counts.total():,}", f"{len(counts):,}", first))
        if number := self.labelled[STRUCTURE_TASK]:
            rows.append((STRUCTURE_TASK, f"{number:,}", "", "", ""))
        if len(rows) > 1:
            yield from _aligned(rows)

    def _lengths_tables(self) -> Iterator[Iterable[str]]:
        for kind, counts in self.lengths.items():
            lows = sorted(map(int, counts))
            most = max(counts.values())
            rows = [(f"letters of {kind}", "records", "")]
            low = lows[0]
            while low <= lows[-1]:
                number = counts[str(low)]
                bar = "#" * -(-BAR * number // most)
                rows.append((f"{low:,} to {2 * low - 1:,}", f"{number:,}", bar))
                low *= 2
            yield _aligned(rows)

    def _reasons(self) -> Iterator[str]:
        for status, counts in self.findings.items():
            yield f"{status}: {counts.total():,}"
            yield from (f"  {number:,} {reason}" for reason, number in counts.most_common())


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Give the lines of a table after an empty one; columns of numbers stand to the right."""
    yield ""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    numeric = [
        all(cell.replace(",", "").isdecimal() for cell in column if cell)
        for column in zip(*rows[1:], strict=True)
    ]
    for row in rows:
        cells = zip(row, widths, numeric, strict=True)
        yield "  ".join(
            cell.rjust(width) if right else cell.ljust(width) for cell, width, right in cells
        ).rstrip()
