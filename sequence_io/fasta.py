# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""FASTA, one record at a time."""

import io
import os
from collections.abc import Iterable, Iterator

from .lines import read_lines
from .records import CleaningReport, SequenceRecord, clean_sequence, file_error

FASTA_SUFFIXES = (".fa", ".fasta", ".fna", ".faa", ".ffn", ".frn", ".fas")


def read_fasta(
    path: str | os.PathLike[str],
    *,
    seq_type: str | None = None,
    keep_gaps: bool = False,
    report: CleaningReport | None = None,
) -> Iterator[SequenceRecord]:
    """Read the records of a FASTA file, plain or compressed; `-` is standard input.

    The id is the first word of the header, the description is the rest. A sequence may run over
    any number of lines; blank lines and lines that begin with `;` are passed over. Letters keep
    their case. One record is held in memory at a time.

    Args:
        path: the file.
        seq_type: None, or the molecule type of every record, or `header`: each description then
            holds the word `seq_type=VALUE`.
        keep_gaps: keep `-`, `.` and `*`, see `clean_sequence`.
        report: counts what cleaning removes.

    Raises:
        SequenceFileError: while iterating; for what `read_lines` and `clean_sequence` raise, for
            text before the first header, a header without an id (both with the line, counted from
            1), a missing or contradictory `seq_type=` (with the record), a file without records,
            and `column:NAME`, which is for tables.

    """
    return parse_fasta(read_lines(path), path, seq_type, keep_gaps, report)


def parse_fasta(
    lines: Iterable[str],
    path: str | os.PathLike[str],
    seq_type: str | None,
    keep_gaps: bool,
    report: CleaningReport | None,
) -> Iterator[SequenceRecord]:
    """Do the work of `read_fasta` on lines already open; `path` is what an error names."""
    if seq_type is not None and seq_type.startswith("column:"):
        raise file_error(path, f"--seq-type {seq_type} is for tables, this is FASTA")

    def finished_record() -> SequenceRecord:
        return SequenceRecord(
            id=record_id,
            sequence=clean_sequence(
                residues.getvalue(),
                path=path,
                record=record_id,
                line=header_line,
                keep_gaps=keep_gaps,
                report=report,
            ),
            seq_type=(
                _stated_type(path, record_id, header_line, description)
                if seq_type == "header"
                else seq_type
            ),
            description=description,
        )

    record_id = description = ""
    header_line = 0
    # A chromosome has millions of lines: one growing buffer instead of as many small strings.
    residues = io.StringIO()
    for number, line in enumerate(lines, start=1):
        if line.startswith(">"):
            if header_line:
                yield finished_record()
            words = line[1:].split(maxsplit=1)
            if not words:
                raise file_error(path, "a header without an id", line=number)
            record_id, description = words[0], words[1].rstrip() if len(words) == 2 else ""
            header_line, residues = number, io.StringIO()
        elif line.startswith(";"):
            continue
        elif header_line:
            residues.write(line.strip())
        elif line.strip():
            raise file_error(path, "no header: a FASTA record begins with '>'", line=number)
    if not header_line:
        raise file_error(path, "holds no records")
    yield finished_record()


def _stated_type(path: str | os.PathLike[str], record_id: str, line: int, description: str) -> str:
    """Return the VALUE of the word `seq_type=VALUE` in a description."""
    stated = {
        word.removeprefix("seq_type=")
        for word in description.split()
        if word.startswith("seq_type=")
    } - {""}
    if len(stated) != 1:
        problem = "more than one" if stated else "no"
        problem += " seq_type=VALUE in the header (--seq-type header)"
        raise file_error(path, problem, record=record_id, line=line)
    return stated.pop()
