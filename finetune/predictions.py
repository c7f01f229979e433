# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Predictions as rows and columns of a table."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from modeling_lucaone import LucaOneConfig

from .data import Example
from .evaluation import predictions

PROBLEMS = {
    "single_label_classification": "multi_class",
    "multi_label_classification": "multi_label",
    "regression": "regression",
}


def problem_of(config: LucaOneConfig) -> tuple[str, tuple[str, ...]]:
    """Return the problem of a classifier, and the names of its labels.

    The names are those of `label_names`, else of `id2label`, which for a binary problem only knows
    the positive. A regression of one value has none. Without a `problem_type` one output is a
    value, and several are classes, as `pipeline("text-classification")` has it.
    """
    if config.problem_type is not None:
        problem = PROBLEMS[config.problem_type]
    else:
        problem = "regression" if config.num_labels == 1 else "multi_class"
    names = (config.label_names or {}).get("classifier")
    if names is None:
        names = [config.id2label[number] for number in range(config.num_labels)]
    if config.num_labels > 1:
        return problem, tuple(names)
    if problem == "multi_label":
        return "binary", tuple(names) if len(names) == 2 else (f"not {names[0]}", names[0])
    return problem, () if problem == "regression" else tuple(names[:1])


def id_columns(sides: int) -> list[str]:
    """Return what the columns of ids are called, as in the published data sets."""
    return ["seq_id"] if sides == 1 else ["seq_id_a", "seq_id_b"]


def prediction_columns(problem: str, label_names: Sequence[str]) -> list[str]:
    """Return what the columns of `prediction_table` are called."""
    if problem == "regression":
        return [f"prediction_{name}" for name in label_names] or ["prediction"]
    return ["prediction", *(f"probability_{name}" for name in label_names)]


def prediction_table(
    problem: str, label_names: Sequence[str], probabilities: np.ndarray, separator: str = ";"
) -> list[list[Any]]:
    """Return the columns of what a model says: the predicted label and the probability of each.

    Args:
        problem: as of a task.
        label_names: names of the labels; two for a binary problem, the negative first; for a
            regression those of the values where there are several.
        probabilities: (n, num_labels) as of `finetune.evaluation.score`.
        separator: between the predicted labels of a record of several.

    Returns:
        Columns of n entries each, text or numbers; of a regression the values alone.
    """
    values = np.asarray(probabilities, float)
    if problem == "regression":
        return values.T.tolist()
    decided = predictions(problem, values)
    if problem == "multi_label":
        labels = [
            separator.join(label_names[number] for number in row.nonzero()[0]) for row in decided
        ]
    else:
        labels = [label_names[number] for number in decided]
    if problem == "binary":
        values = np.hstack([1.0 - values, values])
    return [labels, *values.T.tolist()]


def true_label(
    label_names: Sequence[str], example: Example, separator: str = ";"
) -> str | float | None:
    """Return the label of a record in the form of its prediction."""
    label = example.label
    if isinstance(label, tuple):
        return separator.join(name for name, given in zip(label_names, label, strict=True) if given)
    return label_names[int(label)] if label_names and label is not None else label
