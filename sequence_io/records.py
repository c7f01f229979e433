# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a reader yields, and the one rule by which sequences are cleaned.

White space goes. One trailing `*` (a stop codon) and the gap characters `-` and `.` go, and are
counted. Any other character that is not a letter A to Z is an error, and so is a sequence in which
nothing is left. Upper and lower case are left as they are.
"""

import os
import re
from dataclasses import dataclass

NOT_A_RESIDUE = re.compile(r"[^A-Za-z.\-]")
NOT_A_RESIDUE_GAP_OR_STOP = re.compile(r"[^A-Za-z.*\-]")


class SequenceFileError(ValueError):
    """A file that cannot be read as sequences.

    The message is one line that names the file, then the record and the position or line, then
    what is wrong there.
    """


@dataclass(frozen=True, slots=True)
class SequenceRecord:
    """One sequence of a file.

    `seq_type` is the molecule type word for word as the caller, the header or the column states
    it, None where nobody was asked. `description` is the rest of a FASTA header.
    """

    id: str
    sequence: str
    seq_type: str | None
    description: str = ""


@dataclass(slots=True)
class CleaningReport:
    """Counts of what cleaning took out of the records read so far; one report per file."""

    records: int = 0
    records_changed: int = 0
    gaps_removed: int = 0
    stops_removed: int = 0

    def summary(self) -> str:
        """Tell in one line what was removed; empty when nothing was."""
        if not self.records_changed:
            return ""
        removed = []
        if self.gaps_removed:
            removed.append(f"{self.gaps_removed:,} gap{'' if self.gaps_removed == 1 else 's'}")
        if self.stops_removed:
            removed.append(f"{self.stops_removed:,} trailing '*'")
        return (
            f"removed {' and '.join(removed)} "
            f"in {self.records_changed:,} of {self.records:,} records"
        )


def file_error(
    path: str | os.PathLike[str],
    problem: str,
    *,
    record: str | None = None,
    line: int | None = None,
    row: int | None = None,
    position: int | None = None,
) -> SequenceFileError:
    """Make a `SequenceFileError` in the form that all readers use.

    `FILE: record 'ID' (line N), position P: PROBLEM`, less what is not given; a file without lines
    counts in rows, `(row N)`. Line, row and position are counted from 1; the line of a record is
    the one that it begins on, the position counts the characters of its sequence without white
    space.
    """
    file = "standard input" if os.fspath(path) == "-" else " ".join(os.fspath(path).splitlines())
    number = f"line {line}" if line else f"row {row}" if row else ""
    if record is None:
        place = f" {number}:" if number else ""
    else:
        place = f" record {record!r}"
        place += f" ({number})" if number else ""
        place += f", position {position}:" if position is not None else ":"
    return SequenceFileError(f"{file}:{place} {problem}")


def clean_sequence(
    text: str,
    *,
    path: str | os.PathLike[str],
    record: str,
    line: int | None = None,
    row: int | None = None,
    keep_gaps: bool = False,
    report: CleaningReport | None = None,
) -> str:
    """Clean the sequence in `text` by the rule at the head of this module.

    With `keep_gaps` the characters `-`, `.` and `*` stay, wherever they stand. `path`, `record`,
    `line` and `row` are what an error names; `report` is counted up by one record.

    Raises:
        SequenceFileError: at the first character that does not belong into a sequence, naming it
            and its position (from 1, white space not counted); or if nothing is left.

    """
    text = cleaned = "".join(text.split())
    stops = 0
    if not (text.isascii() and text.encode().isalpha()):  # bytes answer three times as fast
        if keep_gaps:
            wrong = NOT_A_RESIDUE_GAP_OR_STOP.search(text)
        else:
            ungapped_end = text.rstrip("-.")
            kept = ungapped_end.removesuffix("*")
            stops = len(ungapped_end) - len(kept)
            wrong = NOT_A_RESIDUE.search(kept)
            cleaned = kept.replace("-", "").replace(".", "")
        if wrong:
            raise file_error(
                path,
                f"{wrong.group()!a} is not a letter A to Z",
                record=record,
                line=line,
                row=row,
                position=wrong.start() + 1,
            )
    if not cleaned:
        problem = "nothing but gaps or '*' in the sequence" if text else "empty sequence"
        raise file_error(path, problem, record=record, line=line, row=row)
    if report is not None:
        report.records += 1
        report.records_changed += len(cleaned) != len(text)
        report.gaps_removed += len(text) - len(cleaned) - stops
        report.stops_removed += stops
    return cleaned
