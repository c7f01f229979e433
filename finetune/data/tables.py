# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The cells of a table, and the rule by which the columns of a task are found."""

import os
from collections.abc import Iterator, Mapping, Sequence

from sequence_io import read_rows
from sequence_io.lines import content_suffix
from sequence_io.parquet import BATCH_ROWS, BUFFER_BYTES, PARQUET_SUFFIX, parquet_columns
from sequence_io.records import file_error
from sequence_io.tables import KNOWN_COLUMNS, TABLE_SUFFIXES

from .settings import DataSettings

Path = str | os.PathLike[str]

# What a column is called if the settings name none.
KNOWN_NAMES = {
    "id": tuple(dict.fromkeys(form[0] for form in KNOWN_COLUMNS)),
    "sequence": tuple(dict.fromkeys(form[1] for form in KNOWN_COLUMNS)),
    "seq_type": ("seq_type",),
    "label": ("label", "label_index"),
}


def is_table(path: Path) -> bool:
    """Tell by its name whether a file is a table; any other is read as FASTA."""
    return content_suffix(path) in TABLE_SUFFIXES


def unit_of(path: Path) -> str:
    """Return what the records of a file are counted in: `row` of Parquet, else `line`."""
    return "row" if content_suffix(path) == PARQUET_SUFFIX else "line"


def read_cells(
    path: Path, settings: DataSettings, keys: Sequence[str], *, sequences: bool = True
) -> Iterator[tuple[int, dict[str, str]]]:
    """Read the cells of a table, each row with its line or number, as a dictionary by their keys.

    Keys are those of `DataSettings.columns`. Ids have no `>` before them; without a column of ids
    there is no such key.

    Args:
        path: the table.
        settings: names of columns and molecule types.
        keys: which of label, group and split are read.
        sequences: read sequences and molecule types; without, ids are needed.

    Raises:
        SequenceFileError: as of `read_file`.
    """
    if unit_of(path) == "row":
        columns = parquet_columns(path)
        chosen = _find_columns(path, columns, settings, keys, sequences)
        rows = _parquet_cells(path, list(chosen.values()))
    else:
        columns, lines = read_rows(path)
        chosen = _find_columns(path, columns, settings, keys, sequences)
        indices = [columns.index(name) for name in chosen.values()]
        rows = ((line, [cells[index] for index in indices]) for line, cells in lines)
    number = 0
    for number, values in rows:
        cells = dict(zip(chosen, values, strict=True))
        for key in cells.keys() & {"id", "id_a", "id_b"}:
            cells[key] = cells[key].strip().removeprefix(">").strip()
        yield number, cells
    if not number:
        raise file_error(path, "holds no records")


def _parquet_cells(path: Path, columns: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Read cells of Parquet as text, a null as an empty one; labels may be fractions.

    Raises:
        SequenceFileError: the file is damaged, or a column holds neither text nor numbers.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(
            path, pre_buffer=False, buffer_size=BUFFER_BYTES, page_checksum_verification=True
        ) as file:
            for name in columns:
                kind = file.schema_arrow.field(name).type
                if pa.types.is_nested(kind) or pa.types.is_binary(kind):
                    raise file_error(path, f"column {name!r} holds {kind}, not text or numbers")
            batches = file.iter_batches(BATCH_ROWS, columns=list(set(columns)), use_threads=False)
            for batch in batches:
                cells = (batch.column(name).to_pylist() for name in columns)
                for values in zip(*cells, strict=True):
                    number += 1
                    yield number, ["" if value is None else str(value) for value in values]
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise file_error(path, f"a damaged Parquet file: {reason}") from error


def _find_columns(
    path: Path, columns: list[str], settings: DataSettings, keys: Sequence[str], sequences: bool
) -> dict[str, str]:
    """Return the name of the column of each key, in no particular order.

    Raises:
        SequenceFileError: a column is missing or not to be told; names those that there are.
    """
    named = dict(settings.columns)
    if sequences:
        wanted = ["sequence" + side for side in settings.sides]
        types = settings.seq_types or ("column:",) * len(settings.sides)
        for side, kind in zip(settings.sides, types, strict=True):
            if kind.startswith("column:"):
                wanted.append("seq_type" + side)
                if name := kind.removeprefix("column:"):
                    named["seq_type" + side] = name
        wanted += [f"id{side}" for side in settings.sides]
    else:
        wanted = ["id"]
    wanted += [key for key in keys if key == "label" or key in named]

    chosen, problems = {}, []
    for key in wanted:
        present = [name for name in columns if name in _names(key, named)]
        if key == "label" and "label" in present:
            present = [name for name in present if name == "label"]
        if len(present) == 1:
            chosen[key] = present[0]
        elif present:
            problems.append(f"more than one column for {key}: {_listed(present)}")
        elif sequences and key.startswith("id") and key not in named:
            continue
        elif key in named:
            problems.append(f"no column {named[key]!r} for {key}")
        else:
            problems.append(f"no column for {key} ({' or '.join(_names(key, named))})")
            problems[-1] += _remedy(key)
    if problems:
        hint = _other_input(columns, settings) if sequences else ""
        there = f"the columns are {_listed(columns)}"
        raise file_error(path, hint or f"{'; '.join(problems)}; {there}")
    return chosen


def _remedy(key: str) -> str:
    """Return how the command line says what a header does not."""
    if key.startswith("seq_type"):
        return ", and no --seq-type"
    if key.endswith(("_a", "_b")):
        return f"; --{key[:-2]}-column NAME_A,NAME_B tells both"
    return f"; --{key}-column tells it"


def _names(key: str, named: Mapping[str, str]) -> tuple[str, ...]:
    if key in named:
        return (named[key],)
    side = key[-2:] if key.endswith(("_a", "_b")) else ""
    return tuple(name + side for name in KNOWN_NAMES[key.removesuffix(side)])


def _other_input(columns: list[str], settings: DataSettings) -> str:
    """Say in words that a file of pairs was given for single sequences, or the reverse."""
    singles = [name for name in KNOWN_NAMES["sequence"] if name in columns]
    pairs = [
        f"columns {name + '_a'!r} and {name + '_b'!r}"
        for name in KNOWN_NAMES["sequence"]
        if {name + "_a", name + "_b"} <= set(columns)
    ]
    if any(key.startswith("sequence") for key in settings.columns):
        return ""
    if settings.input == "single" and pairs and not singles:
        return (
            f"has {pairs[0]}: a file of pairs; this task takes single sequences (--set input=pair "
            "takes pairs)"
        )
    if settings.input == "pair" and singles and not pairs:
        return f"has the column {singles[0]!r}: a file of single sequences; this task takes pairs"
    return ""


def _listed(names: list[str]) -> str:
    """Column names for a message; without a header they may be whole sequences."""
    return ", ".join(repr(name if len(name) <= 40 else name[:40] + "...") for name in names)
