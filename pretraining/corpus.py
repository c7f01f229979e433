# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Parquet shards of labelled records, read by groups of rows.

What a group holds lies in a few flat arrays, so that one record is a slice of each and a check of
all records is arithmetic on arrays.
"""

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .data.records import (
    CLASS_TASKS,
    KEYWORD_TASK,
    SCHEMA,
    SPAN_TASKS,
    STRUCTURE_TASK,
    LabelledRecord,
    RecordError,
)

# The class of a record whose class is not known, which Parquet holds as null.
UNKNOWN = -(2**31)


class Group(NamedTuple):
    """A group of rows of a shard: its file, its number there, its records."""

    file: Path
    number: int
    records: int


def find_shards(sources: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """Return the Parquet files of folders, and of the folders in them, each once.

    Raises:
        ValueError: a source is not there, holds none, or is a data folder with its splits.
    """
    shards: list[Path] = []
    for source in map(Path, sources):
        if (source / "train").is_dir():
            raise ValueError(f"{source}: is a whole data folder; name {source / 'train'}")
        found = [source] if source.is_file() else sorted(source.rglob("[!.]*.parquet"))
        if not found and any(source.rglob("*.csv*")):
            raise ValueError(
                f"{source}: holds CSV; `lucaone data convert-records` makes Parquet of it"
            )
        if not found:
            there = "no Parquet file in it" if source.exists() else "no such folder"
            raise ValueError(f"{source}: there is {there}")
        shards += found
    return list({shard.resolve(): shard for shard in shards}.values())


def find_groups(shards: Sequence[Path]) -> dict[str, list[Group]]:
    """Return the groups of rows of shards by their molecule type.

    Raises:
        ValueError: a file is no shard of records, is empty, or a group mixes molecule types; the
            message names it.
    """
    groups: dict[str, list[Group]] = {}
    column = SCHEMA.get_field_index("seq_type")
    for shard in shards:
        try:
            metadata = pq.read_metadata(shard)
            schema = metadata.schema.to_arrow_schema()
        except (pa.ArrowException, OSError) as error:
            raise ValueError(
                f"{shard}: cannot be read as Parquet: {error}".splitlines()[0]
            ) from None
        for field in SCHEMA:
            if field.name not in schema.names:
                raise ValueError(f"{shard}: the column {field.name!r} is missing")
        if not metadata.num_rows:
            raise ValueError(f"{shard}: there is no record in it")
        if schema.names != SCHEMA.names or not _same_types(schema):
            raise ValueError(f"{shard}: its columns are not those of labelled records")
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            statistics = group.column(column).statistics
            if statistics is None or not statistics.has_min_max or not statistics.has_null_count:
                raise ValueError(
                    f"{shard}: has no statistics of seq_type; write them with the file"
                )
            types = {statistics.min, statistics.max}
            if len(types) != 1 or not types <= {"gene", "prot"} or statistics.null_count:
                raise ValueError(
                    f"{shard}: seq_type must be gene, or prot, in all records of a group of rows"
                )
            groups.setdefault(types.pop(), []).append(Group(shard, number, group.num_rows))
    return groups


def _same_types(schema: pa.Schema) -> bool:
    """Tell whether a file holds what SCHEMA says; the names inside lists do not matter."""
    try:
        schema.empty_table().cast(SCHEMA)
    except pa.ArrowException:
        return False
    return True


class _Lists(NamedTuple):
    """Lists of one column: those of row i are `values[starts[i]:starts[i + 1]]`."""

    starts: np.ndarray
    values: pa.Array

    @classmethod
    def of(cls, column: pa.Array) -> "_Lists":
        """Read a column; a null is an empty list."""
        lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
        return cls(np.concatenate([[0], np.cumsum(lengths)]), column.flatten())


class Rows:
    """The records of a group of rows.

    Attributes:
        group: where they are from.
        lengths: (records,) letters of each.
        all_letters: (letters,) those of all, as bytes.
    """

    def __init__(self, group: Group, table: pa.Table):
        self.group = group
        columns = {
            name: table.column(name).cast(SCHEMA.field(name).type).combine_chunks()
            for name in SCHEMA.names
        }
        self.ids, self.sources = columns["id"], columns["source"]
        self.seq_type: str = columns["seq_type"][0].as_py()
        text = columns["sequence"].fill_null("").cast(pa.binary())
        self.all_letters = np.frombuffer(b"".join(text.to_pylist()), dtype=np.uint8)
        self.lengths = np.array([len(one) for one in text.to_pylist()], dtype=np.int64)
        self._starts = np.concatenate([[0], np.cumsum(self.lengths)])
        self._spans = {task: _Lists.of(columns[task]) for task in SPAN_TASKS}
        self._span_values = {
            task: np.stack(
                [lists.values.field(name).to_numpy() for name in ("start", "end", "label")], axis=1
            )
            for task, lists in self._spans.items()
        }
        self._classes = {
            task: columns[task].fill_null(UNKNOWN).to_numpy(zero_copy_only=False)
            for task in CLASS_TASKS
        }
        self._keywords = _Lists.of(columns[KEYWORD_TASK])
        self._keyword_values = self._keywords.values.to_numpy()
        self._has_structure = columns[STRUCTURE_TASK].is_valid().to_numpy(zero_copy_only=False)
        self._structure = _Lists.of(columns[STRUCTURE_TASK])

    @classmethod
    def read(cls, group: Group) -> "Rows":
        """Read a group.

        Raises:
            ValueError: the file has gone or cannot be read; the message names it.
        """
        try:
            with pq.ParquetFile(group.file) as file:
                rows = cls(group, file.read_row_group(group.number))
        except FileNotFoundError:
            raise ValueError(f"{group.file}: the shard has vanished") from None
        except (pa.ArrowException, OSError, IndexError) as error:
            raise ValueError(f"{group.file}: cannot be read: {error}".splitlines()[0]) from None
        if len(rows) != group.records:
            raise ValueError(f"{group.file}: has changed since it was looked at")
        return rows

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def _coordinates(self) -> np.ndarray:
        """Positions of all residues with one, (residues, 3); unknown ones are NaN."""
        triples = self._structure.values
        flat = triples.values.slice(3 * triples.offset, 3 * len(triples)).to_numpy(
            zero_copy_only=False
        )
        found = flat.reshape(-1, 3).copy()
        found[triples.is_null().to_numpy(zero_copy_only=False)] = np.nan
        return found

    def letters(self, row: int) -> np.ndarray:
        """Return the letters of a record as bytes, (length,)."""
        return self.all_letters[self._starts[row] : self._starts[row + 1]]

    def spans(self, task: str, row: int) -> np.ndarray:
        """Return first letter, last letter and label of each span of a record, (spans, 3)."""
        starts = self._spans[task].starts
        return self._span_values[task][starts[row] : starts[row + 1]]

    def class_of(self, task: str, row: int) -> int:
        """Return the label of a record, `UNKNOWN` where it is not known."""
        return int(self._classes[task][row])

    def keywords(self, row: int) -> np.ndarray:
        """Return the keywords of a record, (keywords,)."""
        starts = self._keywords.starts
        return self._keyword_values[starts[row] : starts[row + 1]]

    def coordinates(self, row: int) -> np.ndarray | None:
        """Return the C-alpha coordinates of a record, (length, 3), NaN where unknown, or None."""
        if not self._has_structure[row]:
            return None
        starts = self._structure.starts
        return self._coordinates[starts[row] : starts[row + 1]]

    def __getitem__(self, row: int) -> LabelledRecord:
        """Return a record as an object."""
        classes = {task: self.class_of(task, row) for task in CLASS_TASKS}
        return LabelledRecord(
            id=self.ids[row].as_py() or "",
            seq_type=self.seq_type,  # type: ignore[arg-type]
            sequence=self.letters(row).tobytes().decode("utf-8", "replace"),
            source=self.sources[row].as_py() or "",
            spans={
                task: [tuple(span) for span in self.spans(task, row).tolist()]
                for task in SPAN_TASKS
            },
            classes={task: label for task, label in classes.items() if label != UNKNOWN},
            keywords=self.keywords(row).tolist(),
            coordinates=self.coordinates(row),
        )

    def check(self, num_labels: Mapping[str, int]) -> None:
        """Check all records.

        Args:
            num_labels: sizes of the vocabularies.

        Raises:
            ValueError: one cannot be what it says; the message names file and record.
        """
        for row in np.flatnonzero(self._suspicious(num_labels)):
            try:
                self[int(row)].check(num_labels)
            except RecordError as error:
                name = self.ids[int(row)].as_py()
                raise ValueError(f"{self.group.file}: record {name}: {error}") from None

    def _suspicious(self, num_labels: Mapping[str, int]) -> np.ndarray:
        """Tell which records need a closer look, (records,)."""
        found = self.lengths == 0
        not_letters = np.flatnonzero((self.all_letters < ord("A")) | (self.all_letters > ord("Z")))
        found[np.searchsorted(self._starts, not_letters, side="right") - 1] = True
        for task, lists in self._spans.items():
            start, end, label = self._span_values[task].T
            row = np.repeat(np.arange(len(self)), np.diff(lists.starts))
            size = num_labels.get(task, np.iinfo(np.int32).max)
            wrong = (start < 0) | (end < start) | (end >= self.lengths[row])
            found[row[wrong | (label < 0) | (label >= size)]] = True
            if not task.startswith(self.seq_type):
                found[row] = True
        for task, labels in self._classes.items():
            size = num_labels.get(task, np.iinfo(np.int32).max)
            known = labels != UNKNOWN
            found |= known & ((labels < 0) | (labels >= size))
            if not task.startswith(self.seq_type):
                found |= known
        row = np.repeat(np.arange(len(self)), np.diff(self._keywords.starts))
        size = num_labels.get(KEYWORD_TASK, np.iinfo(np.int32).max)
        wrong = (self._keyword_values < 0) | (self._keyword_values >= size)
        found[row if self.seq_type == "gene" else row[wrong]] = True
        if np.isinf(self._coordinates).any():
            found |= self._has_structure  # whichever it is
        return found | (
            self._has_structure
            & ((np.diff(self._structure.starts) != self.lengths) | (self.seq_type == "gene"))
        )
