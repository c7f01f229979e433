# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The published form of labelled records: CSV, whose label cells are Python text.

Columns: `obj_id`, `obj_type` (`gene` or `prot`), `obj_seq`, `obj_label`, `obj_source`; the last one
may be missing, others are passed over. `obj_label` is a dictionary of levels; labels are ids, spans
[first letter, last letter, id]. Empty text, an empty list or None says that nothing is known.
"""

import ast
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sequence_io import read_rows
from sequence_io.lines import content_suffix

from .building import BuildOptions, build
from .findings import Finding
from .records import (
    CLASS_TASKS,
    KEYWORD_TASK,
    SPAN_TASKS,
    STRUCTURE_TASK,
    LabelledRecord,
    RecordError,
)
from .summary import BuildSummary

COLUMNS = ("obj_id", "obj_type", "obj_seq", "obj_label")
SOURCE_COLUMN = "obj_source"
SPLITS = ("train", "dev", "test")
LEVELS = {
    "span_level": SPAN_TASKS,
    "seq_level": (*CLASS_TASKS, KEYWORD_TASK),
    "structure_level": (STRUCTURE_TASK,),
}
# What the cells say besides labels.
NO_LABELS = {"gene_taxid", "prot_taxid", "seq_start_p", "seq_end_p"}
# Parsed text takes a hundred times its size in memory; coordinates of 100,000 residues are shorter.
LONGEST_CELL = 4_000_000
LARGEST_ID = np.iinfo(np.int32).max
LARGEST_COORDINATE = float(np.finfo(np.float32).max)
UNKNOWN_POSITIONS = (-1, [-100, -100, -100], (-100, -100, -100))


def convert_records(
    source: Path,
    output: Path,
    *,
    max_length: int | None = None,
    tell: Callable[[str], object] = lambda note: None,
    **options: Any,
) -> BuildSummary:
    """Convert records of the published form to shards.

    Args:
        source: a file, or a folder of them; its folders `train`, `dev` and `test` are splits, and
            without such ones everything is for training.
        output: the folder to write.
        max_length: leave out longer sequences.
        tell: gets a line about what is worth telling meanwhile.
        options: the fields of `BuildOptions`. `labels` may be of the published naming; a record
            with an id that is not in them is dropped.

    Raises:
        ValueError: there is no such file, a file lacks a column; see `build` as well.
    """
    splits, others = find_files(source)
    if others:
        tell(f"{others:,} files of {source} are no CSV and are not read")
    reader = PublishedReader(max_length)
    settings = {"max_length": max_length}
    return build(reader, settings, list(splits), output, BuildOptions(**options), tell, splits)


def find_files(source: Path) -> tuple[dict[Path, str], int]:
    """Find the CSV files of a source.

    Returns:
        The split of each, in the order of names; and how many other files there are.

    Raises:
        ValueError: there is none; or there are some beside the splits.
    """
    if source.is_file():
        return {source: "train"}, 0
    folders = [source / split for split in SPLITS if (source / split).is_dir()]
    found = sorted(path for path in source.rglob("[!.]*") if path.is_file())
    files = [path for path in found if content_suffix(path) == ".csv"]
    if not files:
        missing = "there is no CSV file in it" if source.is_dir() else "there is no such file"
        raise ValueError(f"{source}: {missing}")
    splits = {}
    for path in files:
        top = source / path.relative_to(source).parts[0]
        if folders and top not in folders:
            raise ValueError(f"{path}: lies beside the splits of {source}")
        splits[path] = top.name if folders else "train"
    files.sort(key=lambda path: (SPLITS.index(splits[path]), path))
    return {path: splits[path] for path in files}, len(found) - len(files)


@dataclass(frozen=True)
class PublishedReader:
    """Reads records of the published form; a `named.Reader`.

    Attributes:
        max_length: letters of the longest sequence that is kept.
    """

    max_length: int | None = None

    def entries(self, path: Path) -> Iterator[str]:
        """Give the line and the known cells of each row, as JSON.

        Raises:
            ValueError: the file cannot be read, is no CSV or lacks a column.
        """
        columns, rows = read_rows(path)
        for name in COLUMNS:
            if columns.count(name) != 1:
                raise ValueError(
                    f"{path}: {columns.count(name) or 'no'} columns {name!r}; the columns are "
                    f"{', '.join(columns)[:200]}"
                )
        chosen = [columns.index(name) for name in (*COLUMNS, SOURCE_COLUMN) if name in columns]
        for line, cells in rows:
            yield json.dumps([line, *(cells[column] for column in chosen)])

    def read(self, entry: str, file: str) -> Iterator[LabelledRecord | Finding]:
        """Make the record of a row."""
        line, name, seq_type, sequence, cell, *source = json.loads(entry)
        name = name.strip()
        try:
            if not name:
                raise RecordError("obj_id is empty")
            if self.max_length is not None and len(sequence) > self.max_length:
                raise RecordError(f"longer than {self.max_length:,} letters")
            labels = Labels(cell)
            # Letters beyond ASCII may become other letters in upper case.
            sequence = sequence.upper() if sequence.isascii() else sequence
            record = LabelledRecord(name, seq_type, sequence, *source)
            record.spans, record.classes = labels.spans, labels.classes
            record.keywords, record.coordinates = labels.keywords, labels.coordinates
        except RecordError as error:
            yield Finding.refused(file, name or f"line {line}", error)
            return
        for other in labels.others:
            yield Finding(file, name, "partly", "labels of an unknown task", other)
        yield record


class Labels:
    """What a label cell says.

    Attributes:
        spans, classes, keywords, coordinates: as of `LabelledRecord`.
        others: keys of labels of no task.

    Raises:
        RecordError: the cell is not of the published form.
    """

    def __init__(self, cell: str):
        self.spans: dict[str, list[tuple[int, int, int]]] = {}
        self.classes: dict[str, int] = {}
        self.keywords: list[int] = []
        self.coordinates: np.ndarray | None = None
        self.others: list[str] = []
        for level, tasks in _dictionary("obj_label", parse_cell(cell)).items():
            if level not in LEVELS:
                self._add_other(level, tasks)
                continue
            for task, value in _dictionary(level, tasks).items():
                if task not in LEVELS[level]:
                    self._add_other(f"{level}: {task}", value)
                elif not _is_empty(value):
                    self._add(task, value)

    def _add_other(self, key: object, value: object) -> None:
        if str(key).split(": ")[-1] not in NO_LABELS and not _is_empty(value):
            self.others.append(str(key))

    def _add(self, task: str, value: Any) -> None:
        if task in SPAN_TASKS:
            if not all(_is_list(span) and len(span) == 3 for span in _listed(task, value)):
                raise RecordError(f"{task}: a span is not [first letter, last letter, label]")
            for span in value:
                _check_ids(task, span)
            self.spans[task] = [tuple(span) for span in value]
        elif task in CLASS_TASKS:
            _check_ids(task, [value])
            self.classes[task] = value
        elif task == KEYWORD_TASK:
            _check_ids(task, _listed(task, value))
            self.keywords = list(value)
        else:
            self.coordinates = _coordinates(_listed(task, value))


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no Python")


_JSON = json.JSONDecoder(parse_constant=_refuse)


def parse_cell(cell: str) -> Any:
    """Return the value that a label cell is the Python text of; nothing is an empty dictionary.

    Raises:
        RecordError: it is not the text of a value.
    """
    text = cell.strip()
    if not text:
        return {}
    if len(text) > LONGEST_CELL:
        raise RecordError(f"obj_label is longer than {LONGEST_CELL:,} characters")
    try:
        if '"' not in text and "\\" not in text:
            # Then JSON with these quotes means the same, and is read ten times as fast.
            with suppress(ValueError):
                return _JSON.decode(text.replace("'", '"'))
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        raise RecordError("obj_label is not the text of a dictionary") from None


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


def _is_empty(value: object) -> bool:
    return value is None or value == "" or (_is_list(value) and not value) or value == {}


def _dictionary(name: str, value: Any) -> dict[Any, Any]:
    if _is_empty(value):
        return {}
    if not isinstance(value, dict):
        raise RecordError(f"{name} is not a dictionary")
    return value


def _listed(task: str, value: Any) -> Sequence[Any]:
    if not _is_list(value):
        raise RecordError(f"{task}: not a list")
    return value


def _check_ids(task: str, values: Sequence[Any]) -> None:
    """Check that values are whole numbers that a shard can hold."""
    if not all(type(value) is int and abs(value) <= LARGEST_ID for value in values):
        raise RecordError(f"{task}: a label or letter is not a whole number, or too large a one")


def _coordinates(residues: Sequence[Any]) -> np.ndarray | None:
    """Return coordinates, (residues, 3), NaN where unknown; None if all are."""
    coordinates = np.full((len(residues), 3), np.nan, dtype=np.float32)
    for number, position in enumerate(residues):
        if position in UNKNOWN_POSITIONS:
            continue
        if not (_is_list(position) and len(position) == 3 and all(map(_is_coordinate, position))):
            raise RecordError(f"{STRUCTURE_TASK}: a position is not [x, y, z]")
        coordinates[number] = position
    return None if np.isnan(coordinates).all() else coordinates


def _is_coordinate(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= LARGEST_COORDINATE
