# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What the metrics share. `evaluate` copies this file beside each of them."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import datasets
import evaluate
import numpy as np

LABEL, NUMBER = datasets.Value("int64"), datasets.Value("float64")
LABELS, NUMBERS = datasets.Sequence(LABEL), datasets.Sequence(NUMBER)


def metric_info(metric: type, *inputs: dict[str, Any]) -> "evaluate.MetricInfo":
    """Return what `evaluate` shows of a metric, and the kinds of input that it takes."""
    return evaluate.MetricInfo(
        description=inspect.getdoc(metric) or "",
        citation="",
        inputs_description=inspect.getdoc(metric._compute) or "",  # type: ignore[attr-defined]
        features=[datasets.Features(kind) for kind in inputs],
    )


def mean_over_labels(
    score: Callable[[np.ndarray, np.ndarray], float], scores: Sequence, references: Sequence
) -> float:
    """Average a binary score over the labels of which the records have both kinds.

    Args:
        score: takes truth (records,) and scores (records,).
        scores: (records,) of the positive, or (records, labels).
        references: (records,) 0 and 1, or class ids, each of which is one against the rest; or
            (records, labels) 0 and 1.

    Returns:
        The mean; nan if no label has both kinds.
    """
    columns = np.asarray(scores, float).reshape(len(scores), -1)
    truth = np.asarray(references)
    if truth.ndim == 1:
        truth = truth[:, None] == (np.arange(columns.shape[1]) if columns.shape[1] > 1 else 1)
    values = [
        score(column_truth, column)
        for column_truth, column in zip(truth.T, columns.T, strict=True)
        if 0 < np.count_nonzero(column_truth) < len(column_truth)
    ]
    return float(np.mean(values)) if values else float("nan")


def is_constant(values: np.ndarray) -> bool:
    """Return whether nothing can be correlated with these values."""
    return len(values) < 2 or bool(np.ptp(values) == 0)
