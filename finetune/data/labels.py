# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""From the cells of a label column to class ids, flags or values."""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from .examples import Label
from .settings import Problem

# With more values than this whole numbers are taken for measurements, not for class ids.
MOST_NUMBERED_CLASSES = 20
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity|nan)", re.IGNORECASE)
WHOLE_NUMBER = re.compile(r"[+-]?\d+")
WHOLE_WITH_POINT = re.compile(r"([+-]?\d+)\.0+")


def plain(cell: str) -> str:
    """Return a label without white space around it; `3.0`, as pandas may write 3, is `3`."""
    cell = cell.strip()
    whole = WHOLE_WITH_POINT.fullmatch(cell)
    return whole.group(1) if whole else cell


def pieces(cell: str, separator: str) -> list[str]:
    """Return the single labels of a cell."""
    return [plain(piece) for piece in cell.split(separator) if piece.strip()]


def infer_problem(
    cells: Mapping[str, int], given: Collection[str], separator: str
) -> tuple[Problem, str]:
    """Infer what the labels are.

    Args:
        cells: how often each label occurs, as of `plain`.
        given: the names of the labels, if they are known; then they are no measurements.
        separator: between the labels of a record of several.

    Returns:
        The problem, and the reason in words.
    """
    distinct = [cell for cell in cells if cell]
    if not given and distinct and all(map(NUMBER.fullmatch, distinct)):
        fractions = sum(WHOLE_NUMBER.fullmatch(cell) is None for cell in distinct)
        if fractions:
            return "regression", f"all labels are numbers, {fractions:,} of them with a fraction"
        if len(distinct) > MOST_NUMBERED_CLASSES:
            return "regression", f"all labels are numbers, {len(distinct):,} different ones"
    if not given and len(distinct) == 2:
        return "binary", "there are two different labels"
    occurrences: Counter[str] = Counter()
    for cell in distinct:
        for piece in pieces(cell, separator):
            occurrences[piece] += cells[cell]
    several = {piece for cell in distinct if separator in cell for piece in pieces(cell, separator)}
    recur = several and all(occurrences[piece] > 1 for piece in several)
    if recur and not set(distinct) <= set(given):
        return "multi_label", f"labels are divided by {separator!r}, and all their pieces recur"
    if len(given) == 2:
        return "binary", "there are two names of labels"
    return "multi_class", f"there are {len(given or distinct):,} different labels"


def find_names(problem: Problem, cells: Iterable[str], separator: str) -> tuple[str, ...]:
    """Return the names of the labels that occur, in the order of their ids.

    Whole numbers stand in the order of their values, else names in that of the alphabet. A
    regression has no names; a binary problem has both 0 and 1 if it has one of them alone.
    """
    if problem == "regression":
        return ()
    several = problem == "multi_label"
    names = {name for cell in cells for name in (pieces(cell, separator) if several else [cell])}
    names.discard("")
    if problem == "binary" and names < {"0", "1"}:
        names = {"0", "1"}
    if all(map(WHOLE_NUMBER.fullmatch, names)):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def wrong_names(problem: Problem, names: tuple[str, ...]) -> str:
    """Say in words that a problem cannot have these labels; empty where it can."""
    if problem == "binary" and len(names) != 2:
        return f"a binary problem has two labels, here are {len(names):,}: {_listed(names)}"
    if problem == "multi_class" and len(names) < 2:
        return f"there is nothing to tell apart, for the only label is {_listed(names)}"
    if problem == "multi_label" and not names:
        return "no record has a label"
    return ""


def encode(
    problem: Problem, cells: Collection[str], names: tuple[str, ...], separator: str
) -> tuple[dict[str, Label], dict[str, str]]:
    """Encode labels; those of the same text share one object.

    The cells are all read as names, or all as ids where more of them are ids than are names; they
    are never mixed, for a name may look like the id of another.

    Args:
        problem: what the labels are.
        cells: the distinct labels, as of `plain`.
        names: the names of the labels in the order of their ids.
        separator: between the labels of a record of several.

    Returns:
        The label of every cell that has one, see `Example`; and of the others what is wrong.
    """
    labels: dict[str, Label] = {}
    problems: dict[str, str] = {}
    by_name = {name: number for number, name in enumerate(names)}
    by_id = {str(number): number for number in range(len(names))}
    several = problem == "multi_label"
    split = {cell: pieces(cell, separator) if several else [cell] for cell in cells}
    used = {piece for group in split.values() for piece in group if piece}
    known = max(by_name, by_id, key=lambda table: len(used & table.keys()))
    for cell, group in split.items():
        unknown = [piece for piece in group if piece not in known]
        if not cell and not several:
            problems[cell] = "the label is empty"
        elif problem == "regression":
            value = float(cell) if NUMBER.fullmatch(cell) else math.nan
            if math.isfinite(value):
                labels[cell] = value
            else:
                problems[cell] = f"the label {cell!r} is not a finite number"
        elif unknown:
            problems[cell] = f"the label {unknown[0]!r} is none of {_listed(names)}"
        elif several:
            ids = {known[piece] for piece in group}
            labels[cell] = tuple(int(number in ids) for number in range(len(names)))
        else:
            labels[cell] = known[cell]
    return labels, problems


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
