# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The records of a file as they stand there, and the cleaning of their sequences."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sequence_io import CleaningReport, SequenceFileError, clean_sequence
from sequence_io.lines import read_lines
from sequence_io.records import file_error
from tokenization import normalize_seq_type

from .settings import DataSettings
from .tables import Path, is_table, read_cells, unit_of


@dataclass(slots=True)
class Row:
    """One record of a file.

    Attributes:
        number: its line, or in Parquet its row, from 1.
        unit: `line` or `row`.
        ids: of its sequence, or of the two of a pair.
        sequences: as they stand there; cleaned by `clean`; none in a table of labels.
        seq_types: likewise; `gene` or `prot` after `clean`.
        label: None where the file has no labels.
        group: None where no column of groups is named.
        split: likewise.
    """

    number: int
    unit: str
    ids: tuple[str, ...]
    sequences: tuple[str, ...]
    seq_types: tuple[str, ...]
    label: str | None = None
    group: str | None = None
    split: str | None = None

    @property
    def place(self) -> dict[str, Any]:
        """What tells `file_error` where the record is."""
        return {self.unit: self.number}

    def error(self, path: Path, problem: str) -> SequenceFileError:
        """Make an error that names the file and this record."""
        return file_error(path, problem, record=", ".join(self.ids), **self.place)


def read_file(path: Path, settings: DataSettings, keys: Sequence[str]) -> Iterator[Row]:
    """Read the records of a table or a FASTA file, one at a time.

    Args:
        path: the file; `-` is FASTA from standard input.
        settings: names of columns and molecule types.
        keys: which of label, group and split a table is read for.

    Raises:
        SequenceFileError: while iterating; the file cannot be read, lacks a column, is a file of
            pairs where single sequences are asked for or the reverse, or holds no records.
    """
    if not is_table(path):
        yield from _fasta_rows(path, settings)
        return
    sides, types = settings.sides, settings.seq_types or (None,) * len(settings.sides)
    if "header" in types:
        raise file_error(path, "the molecule type 'header' is for FASTA, this is a table")
    for number, (line, cells) in enumerate(read_cells(path, settings, keys), start=1):
        yield Row(
            line,
            unit_of(path),
            ids=tuple(cells.get("id" + side, str(number)) for side in sides),
            sequences=tuple(cells["sequence" + side] for side in sides),
            seq_types=tuple(
                cells.get("seq_type" + side, kind or "")
                for side, kind in zip(sides, types, strict=True)
            ),
            label=cells.get("label"),
            group=cells.get("group"),
            split=cells.get("split"),
        )


def read_labels(path: Path, settings: DataSettings) -> Iterator[Row]:
    """Read a table of labels, without sequences.

    Raises:
        SequenceFileError: as of `read_file`.
    """
    keys = ("label", "group", "split")
    for line, cells in read_cells(path, settings, keys, sequences=False):
        more = cells["label"], cells.get("group"), cells.get("split")
        yield Row(line, unit_of(path), (cells["id"],), (), (), *more)


def clean(
    row: Row,
    path: Path,
    settings: DataSettings,
    report: CleaningReport,
    failed: Callable[[str, SequenceFileError], None],
) -> bool:
    """Clean the sequences of a row, put them into upper case, and normalize its molecule types.

    Args:
        row: changed in place; has no sequences after a failure.
        path: what errors name.
        settings: tell whether gaps stay.
        report: counts what cleaning removes.
        failed: takes what is wrong with the row, the kind and the error; may raise it.

    Returns:
        Whether nothing was wrong.
    """
    sequences, types = [], []
    for record, text, stated in zip(row.ids, row.sequences, row.seq_types, strict=True):
        if not record:
            failed("id", file_error(path, "a record without an id", **row.place))
        try:
            types.append(normalize_seq_type(stated.strip()))
        except ValueError as error:
            failed("molecule type", file_error(path, str(error), record=record, **row.place))
        try:
            cleaned = clean_sequence(
                text,
                path=path,
                record=record,
                keep_gaps=settings.keep_gaps,
                report=report,
                **row.place,
            )
            sequences.append(cleaned.upper())
        except SequenceFileError as error:
            failed("sequence", error)
    whole = all(row.ids) and len(sequences) == len(types) == len(row.ids)
    row.sequences, row.seq_types = (tuple(sequences), tuple(types)) if whole else ((), ())
    return whole


def _fasta_rows(path: Path, settings: DataSettings) -> Iterator[Row]:
    """Read FASTA uncleaned, so that reading can go on behind a bad record.

    Raises:
        SequenceFileError: see `read_file`.
    """
    if settings.input == "pair":
        raise file_error(path, "FASTA holds single sequences; this task takes pairs, in a table")
    stated = settings.seq_types[0] if settings.seq_types else None
    if stated is None or stated.startswith("column:"):
        problem = "FASTA has no column of molecule types; seq_types names the type, or 'header'"
        raise file_error(path, problem)
    header, number, parts = "", 0, list[str]()

    def finished() -> Row:
        name, _, description = header.partition(" ")
        words = [word for word in description.split() if word.startswith("seq_type=")]
        kind = ",".join(words).removeprefix("seq_type=") if stated == "header" else stated
        return Row(number, "line", (name,), ("".join(parts),), (kind,))

    for line_number, line in enumerate(read_lines(path), start=1):
        if line.startswith(">"):
            if number:
                yield finished()
            header, number, parts = line[1:].strip().replace("\t", " "), line_number, []
        elif number and not line.startswith(";"):
            parts.append(line)
        elif line.strip() and not line.startswith(";"):
            problem = "no header: a FASTA record begins with '>'"
            raise file_error(path, problem, line=line_number)
    if not number:
        raise file_error(path, "holds no records")
    yield finished()
