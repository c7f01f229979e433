# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""How good predictions are: scores, their intervals, and the baseline that a model must beat."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .metrics import load_metric

# Of each kind of problem; a task is judged by the first unless it says otherwise.
METRICS = {
    "binary": ("accuracy", "f1", "mcc", "roc_auc", "pr_auc"),
    "multi_class": ("accuracy", "f1", "mcc", "roc_auc"),
    "multi_label": ("f1", "f1_micro", "roc_auc", "pr_auc", "accuracy"),
    "regression": ("spearman", "pearson", "rmse"),
}
GREATER_IS_BETTER = {name: name != "rmse" for names in METRICS.values() for name in names} | {
    "group_accuracy": True
}
THRESHOLD = 0.5
# Of `intervals`, unless it is told otherwise.
RESAMPLES, LEVEL = 1000, 0.95

_metric = functools.cache(load_metric)


def predictions(problem: str, probabilities: ArrayLike) -> np.ndarray:
    """Return what probabilities predict.

    Args:
        problem: one of `METRICS`.
        probabilities: as `score` takes them.

    Returns:
        (n,) ids of the likeliest classes (multi_class); (n,) or (n, labels) 1 where the probability
        is at least 0.5, else 0 (binary, multi_label); (n,) values (regression).
    """
    values = np.asarray(probabilities, float)
    if problem == "multi_class":
        return values.argmax(axis=1)
    if problem == "regression":
        return values[:, 0]
    decided = (values >= THRESHOLD).astype(int)
    return decided[:, 0] if problem == "binary" else decided


def score(
    problem: str,
    probabilities: ArrayLike,
    labels: ArrayLike,
    groups: Sequence[str | None] | None = None,
) -> dict[str, float]:
    """Compute every metric of a problem, by the modules of `finetune.metrics`.

    Args:
        problem: `binary`, `multi_class`, `multi_label` or `regression`.
        probabilities: (n, classes) of each class (multi_class); (n, 1) of the positive (binary);
            (n, labels) of each label (multi_label); (n, 1) predicted values (regression).
        labels: (n,) class ids, or 0 and 1 (binary); (n, labels) 0 and 1; (n,) values.
        groups: the group of each record, such as its species; None for a record without. Adds
            `group_accuracy`, the mean over the groups, for binary and multi_class.

    Returns:
        A number for each of `METRICS[problem]`. `f1` is that of the positive (binary) or the mean
        over classes or labels, `f1_micro` counts over all labels, `accuracy` of multi_label wants
        all labels right. nan where there is no value, and if a probability is not a finite number.

    Raises:
        ValueError: the shapes do not fit, there are no records, or the problem is unknown.
    """
    values, truth = _checked(problem, probabilities, labels)
    decided = predictions(problem, values)
    scores = {name: _value(name, problem, values, decided, truth) for name in METRICS[problem]}
    if groups is not None and problem in ("binary", "multi_class"):
        scores["group_accuracy"] = _group_accuracy(values, decided, truth, groups)
    return scores


def score_by_group(
    problem: str,
    probabilities: ArrayLike,
    labels: ArrayLike,
    groups: Sequence[str | None],
) -> dict[str, dict[str, float]]:
    """Compute `accuracy`, `f1` and the number `n` of records of each group, sorted by name.

    Args:
        problem: `binary` or `multi_class`.
        probabilities: as `score` takes them.
        labels: as `score` takes them.
        groups: the group of each record; records without one (None) are left out.

    Raises:
        ValueError: as of `score`.
    """
    values, truth = _checked(problem, probabilities, labels)
    decided = predictions(problem, values)
    return {
        name: {
            metric: _value(metric, problem, values[records], decided[records], truth[records])
            for metric in ("accuracy", "f1")
        }
        | {"n": len(records)}
        for name, records in _members(groups, len(truth)).items()
    }


def intervals(
    problem: str,
    probabilities: ArrayLike,
    labels: ArrayLike,
    metrics: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """Compute percentile intervals of metrics by a bootstrap over records (Efron 1979).

    Resamples in which a metric has no value are left out.

    Args:
        problem: as of `score`.
        probabilities: as of `score`.
        labels: as of `score`.
        metrics: of `METRICS[problem]`; None for the first. Each resample costs as much as a
            score, but for accuracy.
        resamples: how many sets of n records are drawn with replacement, the same for each metric.
        level: share of the resamples that the interval holds.
        seed: decides what is drawn.

    Returns:
        Lower and upper bound of each metric; (nan, nan) where no resample has a value.

    Raises:
        ValueError: as of `score`.
    """
    values, truth = _checked(problem, probabilities, labels)
    decided = predictions(problem, values)
    names = METRICS[problem][:1] if metrics is None else tuple(metrics)
    random = np.random.default_rng(seed)
    # Of accuracy a resample is a mean, where checks of the inputs would take most of the time.
    right = (decided == truth).reshape(len(truth), -1).all(axis=1)
    quick = np.isfinite(values).all()
    drawn = np.empty((resamples, len(names)))
    for row in drawn:
        chosen = random.integers(0, len(truth), len(truth))
        for column, name in enumerate(names):
            if name == "accuracy" and quick:
                row[column] = right[chosen].mean()
            else:
                sample = values[chosen], decided[chosen], truth[chosen]
                row[column] = _value(name, problem, *sample)
    return {name: _interval(drawn[:, column], level) for column, name in enumerate(names)}


def majority_baseline(problem: str, train_labels: ArrayLike, labels: ArrayLike) -> dict[str, float]:
    """Score what knows no sequence, see `majority_probabilities`.

    Args:
        problem: as of `score`.
        train_labels: labels of the training data, as `score` takes them.
        labels: those to predict.

    Raises:
        ValueError: as of `score`.
    """
    return score(problem, majority_probabilities(problem, train_labels, labels), labels)


def majority_probabilities(problem: str, train_labels: ArrayLike, labels: ArrayLike) -> np.ndarray:
    """Predict the most frequent class of the training data for every record.

    For multi_label it is the more frequent value of each label, for regression the mean.

    Args:
        problem: as of `score`.
        train_labels: labels of the training data, as `score` takes them.
        labels: those to predict, of which only the number counts, and the highest class id.

    Returns:
        The shares in the training data, for each record, as `score` takes them.

    Raises:
        ValueError: there are no records.
    """
    train, truth = np.asarray(train_labels), np.asarray(labels)
    if not len(train) or not len(truth):
        raise ValueError("there are no records to score")
    if problem == "multi_class":
        shares = np.bincount(train, minlength=truth.max() + 1) / len(train)
    else:
        shares = np.atleast_1d(train.mean(axis=0))
    return np.tile(shares, (len(truth), 1))


def _checked(
    problem: str, probabilities: ArrayLike, labels: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    if problem not in METRICS:
        raise ValueError(f"{problem}: no such problem; there are {', '.join(METRICS)}")
    values, truth = np.asarray(probabilities, float), np.asarray(labels)
    columns = values.shape[1:] if problem == "multi_label" else ()
    one = problem in ("binary", "regression")
    if values.ndim != 2 or truth.shape != (len(values), *columns) or (one and values.shape[1] != 1):
        raise ValueError(
            f"{problem}: predictions of shape {values.shape} do not fit labels of {truth.shape}"
        )
    if not len(values):
        raise ValueError("there are no records to score")
    return values, truth


def _value(
    name: str, problem: str, values: np.ndarray, decided: np.ndarray, truth: np.ndarray
) -> float:
    """Compute one metric of checked arrays."""
    if not np.isfinite(values).all():
        return float("nan")
    inputs: dict[str, Any] = {"predictions": decided}
    if name in ("roc_auc", "pr_auc"):
        inputs = {"prediction_scores": values}
    module = "f1" if name == "f1_micro" else name
    if module == "f1":
        average = "binary" if problem == "binary" else "macro"
        inputs["average"] = "micro" if name == "f1_micro" else average
    # `compute` would first copy everything into Arrow and back, number by number, which takes
    # 1.6 s for 10,000 records of 200 classes.
    return _metric(module)._compute(**inputs, references=truth)[module]


def _group_accuracy(
    values: np.ndarray, decided: np.ndarray, truth: np.ndarray, groups: Sequence[str | None]
) -> float:
    members = _members(groups, len(truth))
    grouped = [record for records in members.values() for record in records]
    names = [name for name, records in members.items() for _ in records]
    if not grouped or not np.isfinite(values).all():
        return float("nan")
    metric = _metric("group_accuracy")
    return metric._compute(decided[grouped], truth[grouped], names)["group_accuracy"]


def _members(groups: Sequence[str | None], count: int) -> dict[str, list[int]]:
    """Return the records of each group, sorted by name."""
    if len(groups) != count:
        raise ValueError(f"there are {len(groups)} groups for {count} records")
    members: dict[str, list[int]] = {}
    for record, name in enumerate(groups):
        if name is not None:
            members.setdefault(name, []).append(record)
    return dict(sorted(members.items()))


def _interval(drawn: np.ndarray, level: float) -> tuple[float, float]:
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
