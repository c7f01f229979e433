# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""CSV and TSV tables, one row at a time."""

import csv
import os
from collections.abc import Iterator, Sequence

from .lines import content_suffix, read_lines
from .records import CleaningReport, SequenceRecord, clean_sequence, file_error

DELIMITERS = {".csv": ",", ".tsv": "\t"}

# (id, sequence): the pre-training records, the downstream tasks and two plain forms.
KNOWN_COLUMNS = (("obj_id", "obj_seq"), ("seq_id", "seq"), ("id", "sequence"), ("id", "seq"))

# The largest limit that a C long holds on every platform; a cell may hold a chromosome.
LARGEST_CELL = 2**31 - 1


def read_rows(
    path: str | os.PathLike[str],
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Read the column names and the rows of a table, each with its line.

    Comma or tab by the suffix, `.csv` or `.tsv`, before an optional `.gz`, `.bgz` or `.bgzf`; the
    first row is the header. A row comes with the line it begins on (from 1); blank lines are
    passed over.

    Raises:
        SequenceFileError: for another suffix or an empty file; and, here or while iterating, for
            what `read_lines` raises, for broken quoting, and for a row with fewer or more cells
            than the header has (both with the line).

    """
    suffix = content_suffix(path)
    if suffix not in DELIMITERS:
        raise file_error(path, "the name of a table ends in .csv or .tsv (.gz or .bgz may follow)")
    rows = _parsed_rows(path, DELIMITERS[suffix])
    _, header = next(rows, (0, None))
    if header is None:
        raise file_error(path, "holds no records")
    columns = [name.strip() for name in header]
    return columns, _full_rows(path, len(columns), rows)


def read_table(
    path: str | os.PathLike[str],
    id_column: str | None = None,
    sequence_column: str | None = None,
    *,
    seq_type: str | None = None,
    keep_gaps: bool = False,
    report: CleaningReport | None = None,
) -> Iterator[SequenceRecord]:
    """Read the records of a CSV or TSV table with a header, plain, gzip or bgzip.

    Args:
        path: the file; its suffix tells comma from tab, see `read_rows`.
        id_column: the column of the ids. Not needed where the header is of a published form
            (obj_id and obj_seq, seq_id and seq) or says id and sequence, or id and seq. A `>`
            before an id is dropped.
        sequence_column: the column of the sequences; not needed where `id_column` is not.
        seq_type: None, or the molecule type of every record, or `column:NAME`.
        keep_gaps: keep `-`, `.` and `*`, see `clean_sequence`.
        report: counts what cleaning removes.

    Raises:
        SequenceFileError: while iterating; for what `read_rows` and `clean_sequence` raise, for a
            named column that is absent, for a header in which id and sequence are not recognised
            (both list the columns there are), for an empty id or type (with the line, counted from
            1), for a table without rows, and for `header`, which is for FASTA.

    """
    if seq_type == "header":
        raise file_error(path, "--seq-type header is for FASTA, this is a table")
    columns, rows = read_rows(path)
    type_column = None
    if seq_type is not None and seq_type.startswith("column:"):
        type_column = seq_type.removeprefix("column:")
    for name in (id_column, sequence_column, type_column):
        if name is not None and columns.count(name) != 1:
            problem = "more than one column" if name in columns else "no column"
            raise file_error(path, f"{problem} {name!r}; the columns are {_listed(columns)}")
    id_column, sequence_column = _id_and_sequence(path, columns, id_column, sequence_column)
    id_index, sequence_index = columns.index(id_column), columns.index(sequence_column)
    type_index = None if type_column is None else columns.index(type_column)

    line = 0
    for line, cells in rows:
        record_id = cells[id_index].strip().removeprefix(">").strip()
        if not record_id:
            raise file_error(path, f"no id in column {id_column!r}", line=line)
        row_type = seq_type if type_index is None else cells[type_index].strip()
        if row_type == "":
            problem = f"no molecule type in column {type_column!r}"
            raise file_error(path, problem, record=record_id, line=line)
        sequence = clean_sequence(
            cells[sequence_index],
            path=path,
            record=record_id,
            line=line,
            keep_gaps=keep_gaps,
            report=report,
        )
        yield SequenceRecord(id=record_id, sequence=sequence, seq_type=row_type)
    if not line:
        raise file_error(path, "holds no records")


def _parsed_rows(path: str | os.PathLike[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(LARGEST_CELL)  # the module knows one limit for the whole process
    reader = csv.reader(read_lines(path), delimiter=delimiter, strict=True)
    first_line = 1
    try:
        for cells in reader:
            if cells:
                yield first_line, cells
            first_line = reader.line_num + 1
    except csv.Error as error:
        raise file_error(path, f"not a valid table: {error}", line=first_line) from error


def _full_rows(
    path: str | os.PathLike[str], width: int, rows: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    for line, cells in rows:
        if len(cells) != width:
            problem = f"the header has {width} cells, this row has {len(cells)}"
            raise file_error(path, problem, line=line)
        yield line, cells


def _id_and_sequence(
    path: str | os.PathLike[str],
    columns: Sequence[str],
    id_column: str | None,
    sequence_column: str | None,
) -> tuple[str, str]:
    """Return the names of both columns; what is not named must follow from the known forms."""
    forms = {(id_column or i, sequence_column or s) for i, s in KNOWN_COLUMNS}
    present = [form for form in forms if columns.count(form[0]) == columns.count(form[1]) == 1]
    if len(present) != 1:
        raise file_error(
            path,
            "cannot tell which columns hold id and sequence; name them with --id-column and "
            f"--sequence-column; the columns are {_listed(columns)}",
        )
    return present[0]


def _listed(columns: Sequence[str]) -> str:
    """Column names for a message; without a header they may be whole sequences."""
    return ", ".join(repr(name if len(name) <= 40 else name[:40] + "...") for name in columns)
