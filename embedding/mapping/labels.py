# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What the records of a map are coloured by, from a table or from their ids."""

import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sequence_io import read_rows
from sequence_io.records import file_error
from sequence_io.tables import KNOWN_COLUMNS

ID_COLUMNS = tuple(dict.fromkeys(form[0] for form in KNOWN_COLUMNS))
# A column of numbers with more values than this has a colour scale, not a colour for each.
MOST_NUMBERED_CATEGORIES = 20


@dataclass(frozen=True)
class Labels:
    """One label for each record.

    Attributes:
        title: what they are.
        values: the labels as text, empty where a record has none.
        numbers: (records,), fp64, NaN where a record has none; None if the labels are categories.
    """

    title: str
    values: list[str]
    numbers: np.ndarray | None = None

    def known(self) -> np.ndarray:
        """Return which records have a label, (records,), bool."""
        if self.numbers is not None:
            return ~np.isnan(self.numbers)
        return np.array(self.values) != ""


def number_repeats(ids: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield every id with the number of times that it came before."""
    seen: Counter[str] = Counter()
    for name in ids:
        yield name, seen[name]
        seen[name] += 1


def labels_from_table(
    keys: Sequence[tuple[str, int]],
    path: str | os.PathLike[str],
    colour: str,
    label_id: str | None,
    embeddings: str | os.PathLike[str],
) -> tuple[Labels, int]:
    """Find the labels of records in a column of a table.

    An id that the table has once labels every record of that id; rows and records of an id that
    the table has more than once are matched in order of appearance.

    Args:
        keys: ids of the records, as of `number_repeats`.
        path: a CSV or TSV table with a header.
        colour: the column of the labels; an empty cell is no label.
        label_id: the column of the ids, or None if it is called obj_id, seq_id or id.
        embeddings: the file that the ids are from, for messages.

    Returns:
        The labels, and the number of rows that belong to no record.

    Raises:
        ValueError: the table cannot be read, has no such column, or labels no record.
    """
    columns, rows = read_rows(path)
    listed = ", ".join(repr(name[:40]) for name in columns)
    if label_id is None:
        known = [name for name in ID_COLUMNS if name in columns]
        if len(known) != 1:
            problem = "cannot tell which column holds the ids; name it with --label-id"
            raise file_error(path, f"{problem}; the columns are {listed}")
        label_id = known[0]
    for name in (label_id, colour):
        if columns.count(name) != 1:
            problem = "more than one column" if name in columns else "no column"
            raise file_error(path, f"{problem} {name!r}; the columns are {listed}")
    id_index, label_index = columns.index(label_id), columns.index(colour)
    table = [
        (cells[id_index].strip().removeprefix(">").strip(), cells[label_index].strip())
        for _, cells in rows
    ]
    if not table:
        raise file_error(path, "holds no records")
    rows_of_id = Counter(name for name, _ in table)
    table_keys = number_repeats(name for name, _ in table)
    found = {key: label for key, (_, label) in zip(table_keys, table, strict=True)}
    used = [key if rows_of_id[key[0]] > 1 else (key[0], 0) for key in keys]
    if found.keys().isdisjoint(used):
        raise file_error(
            path,
            f"no id of column {label_id!r} is in {os.fspath(embeddings)}; here the first is "
            f"{table[0][0]!r}, there {keys[0][0]!r} (see also --colour-from-id)",
        )
    values = [found.get(key, "") for key in used]
    if not any(values):
        raise file_error(path, f"column {colour!r} is empty for every record of {embeddings}")
    return Labels(colour, values), len(found.keys() - set(used))


def labels_from_ids(ids: Sequence[str], pattern: re.Pattern[str]) -> Labels:
    """Take the labels of records from a piece of their ids.

    Args:
        ids: ids of the records.
        pattern: a regular expression with one group, the label; it is looked for anywhere in an
            id. The name of the group, if it has one, says what the labels are.

    Raises:
        ValueError: it is found in no id.
    """
    matches = map(pattern.search, ids)
    values = [(match.group(1) or "").strip() if match else "" for match in matches]
    if not any(values):
        raise ValueError(
            f"--colour-from-id {pattern.pattern}: found in no id; the first is {ids[0]!r}"
        )
    return Labels(next(iter(pattern.groupindex), "id"), values)


def as_numbers(labels: Labels, colour_as: str | None) -> Labels:
    """Read labels as numbers if they are to have a colour scale.

    Args:
        labels: their text.
        colour_as: `numbers` or `categories`; with None they are numbers if all that are given are
            and there are more than 20 different ones.

    Raises:
        ValueError: with `numbers`, a label is not a number.
    """
    if colour_as == "categories":
        return labels
    if colour_as is None and len(set(labels.values) - {""}) <= MOST_NUMBERED_CATEGORIES:
        return labels
    numbers = np.full(len(labels.values), math.nan)
    for place, text in enumerate(labels.values):
        if text == "" or text.lower() in ("na", "nan"):
            continue
        try:
            numbers[place] = float(text.replace("_", "x"))  # 1_2 is 12 for Python only
        except ValueError:
            if colour_as is None:
                return labels
            problem = f"{text!r} in {labels.title} is not a number"
            raise ValueError(f"--colour-as numbers: {problem}") from None
    numbers[~np.isfinite(numbers)] = math.nan
    if np.isnan(numbers).all():
        raise ValueError(f"--colour-as numbers: there is none in {labels.title}")
    return Labels(labels.title, labels.values, numbers)
