# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Tables, one row at a time: CSV, TSV and Parquet, and the rule by which columns are found."""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import itemgetter

from .lines import READ_COMPRESSIONS, content_suffix, read_lines
from .parquet import PARQUET_SUFFIX, parquet_columns, parquet_rows
from .records import CleaningReport, SequenceRecord, clean_sequence, file_error

DELIMITERS = {".csv": ",", ".tsv": "\t"}
TABLE_SUFFIXES = (*DELIMITERS, PARQUET_SUFFIX)

# (id, sequence): the pre-training records, the downstream tasks and two plain forms.
KNOWN_COLUMNS = (("obj_id", "obj_seq"), ("seq_id", "seq"), ("id", "sequence"), ("id", "seq"))

# The largest limit that a C long holds on every platform; a cell may hold a chromosome.
LARGEST_CELL = 2**31 - 1

# Cells of the chosen columns, each row with its line or, in Parquet, its number.
Rows = Iterator[tuple[int, tuple[str, ...]]]
CellsOf = Callable[[Sequence[str]], Rows]


def read_rows(
    path: str | os.PathLike[str],
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Read the column names and the rows of a CSV or TSV table, each with its line.

    Comma or tab by the suffix, `.csv` or `.tsv`, before that of a compression if there is one;
    the first row is the header. A row comes with the line it begins on (from 1); blank lines are
    passed over.

    Raises:
        SequenceFileError: for another suffix or an empty file; and, here or while iterating, for
            what `read_lines` raises, for broken quoting, and for a row with fewer or more cells
            than the header has (both with the line).

    """
    suffix = content_suffix(path)
    if suffix not in DELIMITERS:
        raise file_error(path, f"the name of a table ends in .csv or .tsv ({READ_COMPRESSIONS})")
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
    """Read the records of a table: CSV or TSV with a header, plain or compressed, or Parquet.

    Args:
        path: the file; its suffix tells the format, see `read_rows` for CSV and TSV.
        id_column: the column of the ids. Not needed where the header is of a published form
            (obj_id and obj_seq, seq_id and seq) or says id and sequence, or id and seq. A `>`
            before an id is dropped.
        sequence_column: the column of the sequences; not needed where `id_column` is not.
        seq_type: None, or the molecule type of every record, or `column:NAME`.
        keep_gaps: keep `-`, `.` and `*`, see `clean_sequence`.
        report: counts what cleaning removes.

    Raises:
        SequenceFileError: while iterating; for what `read_rows`, `parquet_rows` and
            `clean_sequence` raise, for a named column that is absent, for a header in which id and
            sequence are not recognised (both list the columns there are), for an empty id or type
            (with the line or, in Parquet, the row, counted from 1), for a table without rows, and
            for `header`, which is for FASTA.

    """
    if seq_type == "header":
        raise file_error(path, "--seq-type header is for FASTA, this is a table")
    columns, cells_of = _open(path)
    type_column = None
    if seq_type is not None and seq_type.startswith("column:"):
        type_column = seq_type.removeprefix("column:")
    for option, name in (
        ("--id-column", id_column),
        ("--sequence-column", sequence_column),
        ("--seq-type", type_column),
    ):
        if name is not None and columns.count(name) != 1:
            problem = "more than one column" if name in columns else "no column"
            problem += f" {name!r} ({option}); the columns are {_listed(columns)}"
            raise file_error(path, problem)
    id_column, sequence_column = _id_and_sequence(path, columns, id_column, sequence_column)
    chosen = [id_column, sequence_column] + ([type_column] if type_column is not None else [])

    in_rows = content_suffix(path) == PARQUET_SUFFIX
    number = 0
    for number, (id_cell, sequence_cell, *type_cell) in cells_of(chosen):
        line, row = (None, number) if in_rows else (number, None)
        record_id = id_cell.strip().removeprefix(">").strip()
        if not record_id:
            raise file_error(path, f"no id in column {id_column!r}", line=line, row=row)
        row_type = type_cell[0].strip() if type_cell else seq_type
        if row_type == "":
            problem = f"no molecule type in column {type_column!r} (--seq-type)"
            raise file_error(path, problem, record=record_id, line=line, row=row)
        sequence = clean_sequence(
            sequence_cell,
            path=path,
            record=record_id,
            line=line,
            row=row,
            keep_gaps=keep_gaps,
            report=report,
        )
        yield SequenceRecord(id=record_id, sequence=sequence, seq_type=row_type)
    if not number:
        raise file_error(path, "holds no records")


def _open(path: str | os.PathLike[str]) -> tuple[list[str], CellsOf]:
    """Return the columns of a table and the reader of those that are chosen of them."""
    if content_suffix(path) == PARQUET_SUFFIX:
        return parquet_columns(path), partial(parquet_rows, path)
    columns, rows = read_rows(path)

    def cells_of(chosen: Sequence[str]) -> Rows:
        pick = itemgetter(*map(columns.index, chosen))
        return ((line, pick(cells)) for line, cells in rows)

    return columns, cells_of


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
