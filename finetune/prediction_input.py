# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The sequences or pairs that are to be predicted: read for a model, and looked through before."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tqdm.auto import tqdm

from embedding.inputs import SequenceInput
from sequence_io import (
    CleaningReport,
    SequenceRecord,
    Survey,
    read_rows,
    survey,
)
from sequence_io.lines import read_lines
from sequence_io.parquet import parquet_columns
from sequence_io.records import file_error

from .classifiers import ClassifierSource
from .data import DataSettings, Example, read_unlabelled
from .data.checks import LONG_SEQUENCE
from .data.settings import SIDES
from .data.tables import KNOWN_NAMES, is_table, unit_of

# Records that a note names.
NAMED = 20


def find_columns(given: SequenceInput) -> list[str] | None:
    """Return the columns of a table; None of FASTA, of which the first line is read.

    Raises:
        SequenceFileError: the file cannot be read.
    """
    path = given.copy or given.source
    if not is_table(path):
        next(read_lines(path), None)
        return None
    return parquet_columns(path) if unit_of(path) == "row" else read_rows(path)[0]


class PredictionInput:
    """Sequences or pairs as a model takes them, read more than once.

    Args:
        given: the file, and how single sequences are read. For pairs its names of columns are two
            with a comma between.
        columns: of `find_columns`.
        seq_type: `gene`, `prot`, `column:NAME` or `header`, for pairs two with a comma between;
            None for the columns `seq_type` (`seq_type_a`, `seq_type_b`) if they are there, else
            what the model was trained on.
        found: the model.

    Attributes:
        notes: what a user should know.

    Raises:
        ValueError: it holds pairs and the model takes single sequences, or the reverse, or nothing
            tells the molecule type.
    """

    def __init__(
        self,
        given: SequenceInput,
        columns: list[str] | None,
        seq_type: str | None,
        found: ClassifierSource,
    ):
        self.found, self.notes = found, list[str]()
        self.sides = SIDES["single" if found.sides == 1 else "pair"]
        self._check_form(given, columns)
        if found.sides == 1:
            types = self._find_types(given.name, columns or [], [seq_type])
            self.given, self.pairs = replace(given, seq_type=types[0]), None
            return
        stated = [None, None] if seq_type is None else _two("--seq-type", seq_type)
        types = self._find_types(given.name, columns or [], stated)
        named = {}
        for key, option, names in (
            ("id", "--id-column", given.id_column),
            ("sequence", "--sequence-column", given.sequence_column),
        ):
            for side, name in zip(self.sides, _two(option, names) if names else (), strict=False):
                named[key + side] = name
        self.given = given
        self.pairs = DataSettings("pair", tuple(types), named, keep_gaps=given.keep_gaps)

    def _check_form(self, given: SequenceInput, columns: list[str] | None) -> None:
        place, known = self.found.place, KNOWN_NAMES["sequence"]
        if self.found.sides == 2 and columns is None:
            problem = f"is no table; {place} takes pairs, which come in CSV, TSV or Parquet"
            raise file_error(given.name, problem)
        if given.sequence_column is not None or columns is None:
            return
        single = [name for name in known if name in columns]
        pair = [name for name in known if {f"{name}_a", f"{name}_b"} <= set(columns)]
        if self.found.sides == 1 and pair and not single:
            what = f"columns {f'{pair[0]}_a'!r} and {f'{pair[0]}_b'!r}, so it holds pairs"
            raise file_error(given.name, f"has {what}; {place} takes single sequences")
        if self.found.sides == 2 and single and not pair:
            what = f"a column {single[0]!r}, so it holds single sequences"
            raise file_error(given.name, f"has {what}; {place} takes pairs")

    def _find_types(
        self, name: str, columns: list[str], stated: list[str] | list[None] | list[str | None]
    ) -> list[str]:
        """Return where the molecule type of each side comes from; note it if from the model."""
        types, from_model = [], []
        trained = self.found.config.seq_types
        for number, (side, kind) in enumerate(zip(self.sides, stated, strict=True)):
            if kind is not None:
                types.append(kind)
            elif f"seq_type{side}" in columns:
                types.append(f"column:seq_type{side}")
            elif trained is not None:
                types.append(trained[number])
                from_model.append(trained[number])
            else:
                raise file_error(
                    name,
                    f"nothing tells the molecule type: no --seq-type, no column 'seq_type{side}', "
                    f"and {self.found.place} does not say what it was trained on",
                )
        if from_model:
            kinds = " and ".join(from_model)
            self.notes.append(f"read as {kinds}, which the model was trained on")
        return types

    def read(self, report: CleaningReport | None = None) -> Iterator[Example]:
        """Read the records, without labels.

        Raises:
            SequenceFileError: while iterating, at the first one that cannot be read.
        """
        if self.pairs is None:
            for record in self.given.read(report):
                yield Example((record.id,), (record.sequence,), (str(record.seq_type),), None)
            return
        yield from read_unlabelled(Path(self.given.source), self.pairs, report)

    def look_through(self, force: bool = False) -> Survey:
        """Read everything once, so that what is wrong shows before the model is loaded.

        Args:
            force: let molecule types be other ones than the model was trained on, or look wrong.

        Returns:
            What is there; both sequences of a pair count.

        Raises:
            SequenceFileError: a record cannot be read, or its molecule type is or looks wrong.
        """
        cleaning = CleaningReport()
        # How many sequences of each side are too long, and the first ids of these.
        counts, ids = [0] * len(self.sides), [list[str]() for _ in self.sides]
        limits, long = self.found.config.max_residues, list[str]()

        def sequences() -> Iterator[SequenceRecord]:
            for example in tqdm(
                self.read(cleaning), "reading", unit=" records", disable=None, delay=2, leave=False
            ):
                if not force:
                    self._check_types(example)
                for side, text in enumerate(example.sequences):
                    if limits is not None and len(text) > limits[side]:
                        counts[side] += 1
                        ids[side] += example.ids[side : side + 1] if len(ids[side]) < NAMED else ()
                    elif len(text) > LONG_SEQUENCE:
                        long.append(example.ids[side])
                    yield SequenceRecord(example.ids[side], text, example.seq_types[side])

        seen = survey(sequences())
        if long:
            self.notes.append(
                f"{len(long):,} sequences of more than {LONG_SEQUENCE:,} residues are read whole, "
                f"which takes long: {', '.join(long[:NAMED])}"
            )
        if not force:
            self.given.question(seen)
        if cleaning.records_changed:
            self.notes.append(cleaning.summary())
        for side, count, names, limit in zip(self.sides, counts, ids, limits or (), strict=False):
            if count:
                what = "sequences" + side.replace("_", " ")
                self.notes.append(
                    f"{count:,} of {seen.records // len(self.sides):,} {what} were cut to "
                    f"{limit:,} residues, as in training: {', '.join(names)}"
                    + (", ..." if count > len(names) else "")
                )
        return seen

    def _check_types(self, example: Example) -> None:
        trained = self.found.config.seq_types
        if trained is None:
            return
        for name, kind, expected in zip(example.ids, example.seq_types, trained, strict=True):
            if kind != expected:
                problem = f"is read as {kind}, but the model was trained on {expected}"
                advice = "--seq-type tells the type, --force goes on"
                raise file_error(self.given.name, f"{problem}; {advice}", record=name)


def _two(option: str, text: str) -> list[str]:
    parts = text.split(",")
    if len(parts) != 2:
        raise ValueError(f"{option} {text}: the model takes pairs, so two with a comma between")
    return parts
