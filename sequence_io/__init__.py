# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Files of sequences as streams of records.

    from sequence_io import read_records

    for record in read_records("proteins.fasta.gz", seq_type="prot"):
        print(record.id, len(record.sequence))

`read_records` picks the reader by the name of the file; `read_fasta` and `read_table` (CSV, TSV,
Parquet) are the readers. Text may be compressed by gzip, bgzip, bzip2 or xz. Memory holds one
record at a time, of Parquet one page. What is wrong with a file is a `SequenceFileError` of one
line that names the file, the record and the place.

`survey` goes once through the records and tells what they are: how many, a fingerprint of them, and
whether they look like the molecule type that they are read as.
"""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from .fasta import FASTA_SUFFIXES, parse_fasta, read_fasta
from .lines import READ_COMPRESSIONS, content_suffix, read_lines
from .records import (
    CleaningReport,
    SequenceFileError,
    SequenceRecord,
    clean_sequence,
    file_error,
)
from .survey import Survey, Votes, survey
from .tables import TABLE_SUFFIXES, read_rows, read_table

__all__ = [
    "SAMPLE_FASTA",
    "CleaningReport",
    "SequenceFileError",
    "SequenceRecord",
    "Survey",
    "Votes",
    "clean_sequence",
    "read_fasta",
    "read_records",
    "read_rows",
    "read_table",
    "survey",
]

SAMPLE_FASTA = Path(__file__).with_name("sample.fasta")
"""Ten short DNA, RNA and protein sequences; read them with `seq_type="header"`."""


def read_records(
    path: str | os.PathLike[str],
    *,
    seq_type: str | None = None,
    id_column: str | None = None,
    sequence_column: str | None = None,
    keep_gaps: bool = False,
    report: CleaningReport | None = None,
) -> Iterator[SequenceRecord]:
    """Read the records of a file, whichever of the known formats it has.

    The suffix tells the format: .fa, .fasta, .fna, .faa, .ffn, .frn, .fas are FASTA, .csv, .tsv
    and .parquet are tables; but for Parquet, .gz, .bgz, .bgzf, .bz2 or .xz may follow. `-` is
    FASTA from standard input, compressed or not. Under any other name the file is taken for FASTA
    if its first character that is not blank is `>`.

    Args:
        path: the file.
        seq_type: None (records carry no type), the molecule type of every record word for word,
            `column:NAME` (tables) or `header` (FASTA, the word `seq_type=VALUE` in the header).
        id_column: the column of the ids (tables), see `read_table`.
        sequence_column: the column of the sequences (tables), see `read_table`.
        keep_gaps: keep `-`, `.` and `*`, see `clean_sequence`.
        report: counts what cleaning removes; has its final numbers when the records are read.

    Raises:
        SequenceFileError: at once for a missing file and for a column option where there is no
            table; while iterating for what `read_fasta` and `read_table` raise.

    """
    if os.fspath(path) != "-" and not Path(path).exists():
        raise file_error(path, "no such file")
    if content_suffix(path) in TABLE_SUFFIXES:
        return read_table(
            path, id_column, sequence_column, seq_type=seq_type, keep_gaps=keep_gaps, report=report
        )
    tables = ", ".join(TABLE_SUFFIXES)
    for option, column in (("--id-column", id_column), ("--sequence-column", sequence_column)):
        if column is not None:
            raise file_error(path, f"{option} is for tables ({tables}), this is not one")
    if os.fspath(path) == "-" or content_suffix(path) in FASTA_SUFFIXES:
        return read_fasta(path, seq_type=seq_type, keep_gaps=keep_gaps, report=report)
    return _read_if_fasta(path, seq_type, keep_gaps, report)


def _read_if_fasta(
    path: str | os.PathLike[str],
    seq_type: str | None,
    keep_gaps: bool,
    report: CleaningReport | None,
) -> Iterator[SequenceRecord]:
    """Read a file of unknown suffix; it is opened once, for it may be a pipe."""
    lines = read_lines(path)
    first_line = ""
    blank_lines = 0
    for first_line in lines:
        if first_line.strip():
            break
        blank_lines += 1
    if first_line.strip() and not first_line.startswith(">"):
        known = " ".join((*FASTA_SUFFIXES, *TABLE_SUFFIXES))
        raise file_error(path, f"unknown format; known suffixes are {known} ({READ_COMPRESSIONS})")
    head = itertools.chain(itertools.repeat("\n", blank_lines), [first_line])
    yield from parse_fasta(itertools.chain(head, lines), path, seq_type, keep_gaps, report)
