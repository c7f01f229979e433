# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What was found in the data of a task, as one table."""

from dataclasses import dataclass
from typing import Literal

EXAMPLES = 3
SEVERITIES = ("error", "warning", "note")

Severity = Literal["error", "warning", "note"]


@dataclass(slots=True)
class Finding:
    """One kind of finding in one place: a row of the table.

    Attributes:
        severity: `error`, `warning` or `note`.
        kind: what it is about, a word or two.
        where: the file, the split or the side.
        count: how often, in records if the text says nothing else.
        text: what was found.
        examples: up to three.
    """

    severity: Severity
    kind: str
    where: str
    count: int
    text: str
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.examples:
            return self.text
        more = "; ..." if self.count > len(self.examples) else ""
        return f"{self.text}: {'; '.join(self.examples)}{more}"


class Findings:
    """The table of findings; `str()` shows it, errors first.

    Attributes:
        rows: the findings in the order in which they were made.
    """

    def __init__(self) -> None:
        self.rows: list[Finding] = []
        self._places: dict[tuple[str, str, str], Finding] = {}

    def add(
        self,
        severity: Severity,
        kind: str,
        where: str,
        text: str,
        *,
        count: int = 1,
        examples: tuple[str, ...] = (),
    ) -> None:
        """Add a finding; one of a kind that is there for the same place counts up that row."""
        row = self._places.get((severity, kind, where))
        if row is None:
            row = Finding(severity, kind, where, 0, text)
            self._places[severity, kind, where] = row
            self.rows.append(row)
        row.count += count
        if len(row.examples) < EXAMPLES:
            row.examples = (*row.examples, *examples)[:EXAMPLES]

    def of(self, severity: Severity) -> list[Finding]:
        """Return the findings of one severity."""
        return [row for row in self.rows if row.severity == severity]

    def table(self) -> list[tuple[str, str, str, int, str]]:
        """Return (severity, kind, where, count, text with examples) of every row, errors first."""
        return [
            (row.severity, row.kind, row.where, row.count, str(row))
            for severity in SEVERITIES
            for row in self.rows
            if row.severity == severity
        ]

    def __str__(self) -> str:
        cells = [
            (severity, kind, where, f"{count:,}")
            for severity, kind, where, count, _ in self.table()
        ]
        head = ("severity", "about", "where", "count")
        widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
        lines = []
        texts = ["what"] + [text for *_, text in self.table()]
        for (severity, kind, where, count), text in zip([head, *cells], texts, strict=True):
            left = (severity.ljust(widths[0]), kind.ljust(widths[1]), where.ljust(widths[2]))
            lines.append("  ".join((*left, count.rjust(widths[3]), text)))
        return "\n".join(lines)


class DataError(ValueError):
    """Data that cannot be trained on.

    The message is one line with the first error; `findings` has all of them.
    """

    def __init__(self, findings: Findings):
        first, *more = findings.of("error")
        message = first.examples[0] if first.examples else first.text
        if first.where != "all":
            message = f"{first.where}: {message}"
        if first.count > 1 and first.examples:
            message += f" (one of {first.count:,})"
        if more:
            message += f" (and {len(more)} more kind{'s' * (len(more) > 1)}; see the table)"
        super().__init__(message)
        self.findings = findings
