# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Variants of sequences: their notation, all single substitutions, and tables of variants.

A variant is one substitution, `A123V` (letter of the wild type, position counted from 1, new
letter), or several joined by a colon, `A123V:G7D`. Upper and lower case mean the same, and in
nucleic acids U means T.
"""

import itertools
import math
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sequence_io import SequenceRecord, read_rows
from sequence_io.records import file_error

LETTERS = {"gene": "ACGT", "prot": "ACDEFGHIKLMNPQRSTVWY"}
"""What a letter can be replaced by."""

NOTATION = re.compile(r"([A-Z])([0-9]+)([A-Z])")
NOT_MEASURED = ("", "na", "nan", "n/a", "null", "none")


class Substitution(NamedTuple):
    """One letter replaced by another; positions count from 1."""

    wild_type: str
    position: int
    mutant: str


Variant = tuple[Substitution, ...]
"""Substitutions at different positions, in the order of the sequence."""


def as_read(sequence: str, seq_type: str) -> str:
    """Return the letters as the model reads them: upper case, and in nucleic acids T for U."""
    letters = sequence.upper()
    return letters.replace("U", "T") if seq_type == "gene" else letters


def parse_variant(
    text: str, sequence: str, seq_type: str, longest_span: int | None = None
) -> Variant:
    """Read a variant of a sequence.

    Args:
        text: the variant.
        sequence: its wild type, as `as_read` returns it.
        seq_type: `gene` or `prot`.
        longest_span: letters from the first to the last position at most: the window in which
            `masked-marginal` reads both.

    Raises:
        ValueError: the variant is written otherwise, has another letter than the sequence at its
            position, a position that the sequence does not have, a position twice, a new letter
            that is none of `LETTERS`, or one that is the old letter, or its span is too long.
    """
    variant = sorted(
        (_parse_substitution(part.strip(), text, sequence, seq_type) for part in text.split(":")),
        key=lambda substitution: substitution.position,
    )
    for one, other in itertools.pairwise(variant):
        if one.position == other.position:
            raise ValueError(f"variant {text!r}: position {one.position:,} is named twice")
    span = variant[-1].position - variant[0].position + 1
    if longest_span is not None and span > longest_span:
        raise ValueError(
            f"variant {text!r}: its positions span {span:,} letters, and masked-marginal reads "
            f"them in one window of {longest_span:,} (--window)"
        )
    return tuple(variant)


def _parse_substitution(part: str, text: str, sequence: str, seq_type: str) -> Substitution:
    parsed = NOTATION.fullmatch(as_read(part, seq_type))
    if not parsed:
        raise ValueError(
            f"variant {text!r}: {part!r} is no substitution such as A12C; several are joined by a "
            "colon, A12C:D34E"
        )
    wild_type, position, mutant = parsed[1], int(parsed[2]), parsed[3]
    if not 1 <= position <= len(sequence):
        raise ValueError(
            f"variant {text!r}: there is no position {position:,} in a sequence of "
            f"{len(sequence):,} letters"
        )
    if sequence[position - 1] != wild_type:
        raise ValueError(
            f"variant {text!r}: the sequence has {sequence[position - 1]}, not {wild_type}, at "
            f"position {position:,}"
        )
    if mutant not in LETTERS[seq_type]:
        raise ValueError(f"variant {text!r}: {mutant} is none of the letters {LETTERS[seq_type]}")
    if mutant == wild_type:
        raise ValueError(f"variant {text!r}: {wild_type} is replaced by itself")
    return Substitution(wild_type, position, mutant)


def single_substitutions(sequence: str, seq_type: str) -> list[Variant]:
    """Return every substitution of a sequence, by position and then in the order of `LETTERS`.

    Args:
        sequence: the wild type, as `as_read` returns it; what is none of `LETTERS` (X, N, gaps)
            is replaced by each of them.
        seq_type: `gene` or `prot`.
    """
    return [
        (Substitution(wild_type, position, mutant),)
        for position, wild_type in enumerate(sequence, start=1)
        for mutant in LETTERS[seq_type]
        if mutant != wild_type
    ]


def as_matrix(sequence: str, seq_type: str, scores: Sequence[float] | np.ndarray) -> np.ndarray:
    """Arrange the scores of `single_substitutions`, (length, letters); the wild type has 0."""
    letters = LETTERS[seq_type]
    matrix = np.zeros((len(sequence), len(letters)))
    variants = single_substitutions(sequence, seq_type)
    for (substitution,), score in zip(variants, scores, strict=True):
        matrix[substitution.position - 1, letters.index(substitution.mutant)] = score
    return matrix


@dataclass(frozen=True)
class VariantTable:
    """A table of variants of the records of a file.

    Attributes:
        columns: its column names.
        rows: its cells, row by row.
        variants: for the numbers of records, in the order of their file, the variants of each with
            the numbers of their rows.
        measured: (rows,) the column to compare with, NaN where nothing was measured; or None.
    """

    columns: list[str]
    rows: list[list[str]]
    variants: dict[int, list[tuple[int, Variant]]]
    measured: np.ndarray | None


def read_variants(
    path: str | os.PathLike[str],
    records: Sequence[SequenceRecord],
    *,
    variant_column: str = "variant",
    variant_id_column: str | None = None,
    compare: str | None = None,
    longest_span: int | None = None,
) -> VariantTable:
    """Read a table of variants and check each against its record.

    Args:
        path: CSV or TSV with a header.
        records: the records, their types `gene` or `prot`.
        variant_column: the column of the variants, see `parse_variant`.
        variant_id_column: the column with the ids of their records; `id` where not given, and
            there may be none where there is one record.
        compare: a column of numbers; empty cells, NA and NaN are none.
        longest_span: see `parse_variant`.

    Raises:
        ValueError: the table cannot be read or lacks a column, names a record that is not there or
            there more than once, has a variant that is none of its record, or a cell to be compared
            that is no number; the message names file, line, record and variant.
    """
    columns, lines = read_rows(path)
    table = list(lines)
    if not table:
        raise file_error(path, "holds no variants")

    def place(option: str, name: str) -> int:
        if columns.count(name) != 1:
            problem = "more than one column" if name in columns else "no column"
            listed = ", ".join(repr(column[:40]) for column in columns)
            raise file_error(path, f"{problem} {name!r} ({option}); the columns are {listed}")
        return columns.index(name)

    variant_index = place("--variant-column", variant_column)
    id_index = None
    if variant_id_column is not None or "id" in columns or len(records) > 1:
        id_index = place("--variant-id-column", variant_id_column or "id")
    measured = None
    if compare is not None:
        index = place("--compare", compare)
        cells = ((line, row[index]) for line, row in table)
        measured = np.array([_number(path, line, compare, cell) for line, cell in cells])

    count = Counter(record.id for record in records)
    numbers = {record.id: number for number, record in enumerate(records)}
    variants: dict[int, list[tuple[int, Variant]]] = {}
    wild_types: dict[int, str] = {}
    for row_number, (line, row) in enumerate(table):
        name = records[0].id
        if id_index is not None:
            name = row[id_index].strip().removeprefix(">").strip()
        if count[name] != 1:
            problem = "more than one record has this id" if count[name] else "no such record"
            raise file_error(path, problem, record=name, line=line)
        number = numbers[name]
        kind = str(records[number].seq_type)
        if number not in wild_types:
            wild_types[number] = as_read(records[number].sequence, kind)
        text = row[variant_index].strip()
        try:
            variant = parse_variant(text, wild_types[number], kind, longest_span)
        except ValueError as error:
            raise file_error(path, str(error), record=name, line=line) from None
        variants.setdefault(number, []).append((row_number, variant))
    in_order = dict(sorted(variants.items()))
    return VariantTable(columns, [row for _, row in table], in_order, measured)


def _number(path: str | os.PathLike[str], line: int, column: str, cell: str) -> float:
    if cell.strip().lower() in NOT_MEASURED:
        return math.nan
    try:
        return float(cell)
    except ValueError:
        problem = f"{cell!r} in column {column!r} is no number (--compare)"
        raise file_error(path, problem, line=line) from None
