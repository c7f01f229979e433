# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Scores of each kind of problem, their intervals, and the majority baseline."""

import warnings
from math import isnan

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from finetune.evaluation import (
    GREATER_IS_BETTER,
    METRICS,
    intervals,
    majority_baseline,
    predictions,
    score,
    score_by_group,
)
from finetune.metrics import load_metric


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def example(problem, n=120, seed=0):
    """Return probabilities and labels that fit each other somewhat."""
    random = np.random.default_rng(seed)
    if problem == "multi_class":
        labels = random.integers(0, 3, n)
        return np.eye(3)[labels] * 0.3 + random.random((n, 3)) * 0.7, labels
    if problem == "multi_label":
        labels = random.integers(0, 2, (n, 4))
        return 0.3 * labels + 0.7 * random.random((n, 4)), labels
    labels = random.integers(0, 2, n) if problem == "binary" else random.normal(size=n)
    return (0.3 * labels + 0.7 * random.random(n))[:, None], labels


@pytest.mark.parametrize("problem", METRICS)
def test_scores_are_those_of_the_modules(problem):
    values, labels = example(problem)
    scores = score(problem, values, labels)
    assert tuple(scores) == METRICS[problem]
    for name in scores:
        module, options = name.removesuffix("_micro"), {}
        if module == "f1":
            average = "binary" if problem == "binary" else "macro"
            options["average"] = "micro" if name == "f1_micro" else average
        of_scores = name in ("roc_auc", "pr_auc")
        inputs = {"prediction_scores": values} if of_scores else {}
        inputs = inputs or {"predictions": predictions(problem, values)}
        result = load_metric(module).compute(references=labels, **inputs, **options)
        assert scores[name] == result[module]
        assert type(scores[name]) is float


def test_scores_by_hand():
    values, labels = example("binary")
    guess = values[:, 0] >= 0.5
    scores = score("binary", values, labels)
    assert scores["accuracy"] == (guess == labels).mean()
    assert scores["f1"] == sk.f1_score(labels, guess)
    assert scores["roc_auc"] == sk.roc_auc_score(labels, values[:, 0])
    values, labels = example("multi_label")
    scores = score("multi_label", values, labels)
    assert scores["accuracy"] == ((values >= 0.5) == labels).all(1).mean()
    assert scores["f1_micro"] == sk.f1_score(labels, values >= 0.5, average="micro")
    assert scores["f1"] == sk.f1_score(labels, values >= 0.5, average="macro")
    values, labels = example("regression")
    assert score("regression", values, labels)["spearman"] == pytest.approx(
        stats.spearmanr(labels, values[:, 0]).statistic
    )


def test_predictions():
    assert predictions("binary", [[0.4], [0.5], [0.6]]).tolist() == [0, 1, 1]
    assert predictions("multi_class", [[0.2, 0.5, 0.3], [0.9, 0.1, 0]]).tolist() == [1, 0]
    assert predictions("multi_label", [[0.4, 0.5], [0.6, 0.1]]).tolist() == [[0, 1], [1, 0]]
    assert predictions("regression", [[-1.5], [2.5]]).tolist() == [-1.5, 2.5]


def test_groups():
    values, labels = example("multi_class")
    groups = [("fly", "mouse", None)[record % 3] for record in range(len(labels))]
    scores = score_by_group("multi_class", values, labels, groups)
    guess = values.argmax(1)
    assert list(scores) == ["fly", "mouse"]
    fly = slice(0, None, 3)
    assert scores["fly"] == {
        "accuracy": (guess == labels)[fly].mean(),
        "f1": sk.f1_score(labels[fly], guess[fly], average="macro"),
        "n": 40,
    }
    mean = np.mean([scores[name]["accuracy"] for name in scores])
    assert score("multi_class", values, labels, groups)["group_accuracy"] == pytest.approx(mean)
    assert isnan(score("multi_class", values, labels, [None] * 120)["group_accuracy"])
    assert "group_accuracy" not in score("multi_class", values, labels)


def test_no_value_is_nan():
    scores = score("binary", [[0.9], [0.8]], [1, 1])
    assert scores["accuracy"] == scores["f1"] == 1
    assert isnan(scores["roc_auc"]) and isnan(scores["pr_auc"]) and isnan(scores["mcc"])
    diverged = score("binary", [[0.9], [np.nan]], [1, 0], ["a", "b"])
    assert len(diverged) == 6 and all(map(isnan, diverged.values()))
    assert isnan(score("regression", [[1.0], [1.0]], [0.5, 0.6])["spearman"])


@pytest.mark.parametrize("problem", METRICS)
def test_every_score_has_a_sense(problem):
    values, labels = example(problem)
    good = score(problem, np.asarray(labels, float).reshape(len(labels), -1), labels)
    if problem == "multi_class":
        good = score(problem, np.eye(3)[labels], labels)
    for name, value in score(problem, values, labels).items():
        assert (good[name] > value) == GREATER_IS_BETTER[name]


def test_intervals_of_a_share_are_binomial():
    right = np.arange(400) < 300
    values = np.where(right, 0.9, 0.1)[:, None]
    low, high = intervals("binary", values, np.ones(400, int))["accuracy"]
    # Percentiles of a resampled share of 0.75 among 400 are those of a binomial distribution.
    expected = stats.binom.ppf([0.025, 0.975], 400, 0.75) / 400
    assert [low, high] == pytest.approx(expected, abs=0.01)
    narrow = intervals("binary", values, np.ones(400, int), level=0.5)["accuracy"]
    assert low < narrow[0] < 0.75 < narrow[1] < high


@pytest.mark.parametrize("problem", METRICS)
def test_intervals_hold_the_score(problem):
    values, labels = example(problem)
    names = METRICS[problem]
    bounds = intervals(problem, values, labels, names, resamples=100)
    assert tuple(bounds) == names
    for name, value in score(problem, values, labels).items():
        low, high = bounds[name]
        assert low < value < high


def test_intervals_are_repeatable_and_depend_on_the_seed():
    problem = "multi_class", *example("multi_class")
    once = intervals(*problem, ["accuracy", "f1"], resamples=50)
    assert list(intervals(*problem, resamples=50)) == ["accuracy"]
    assert intervals(*problem, ["f1"], resamples=50) == {"f1": once["f1"]}
    assert intervals(*problem, ["accuracy", "f1"], resamples=50, seed=1) != once


def test_resamples_without_a_value_are_left_out():
    values, labels = [[0.9], [0.2], [0.3], [0.4]], [1, 0, 0, 0]
    assert intervals("binary", values, labels, ["roc_auc"], resamples=50)["roc_auc"] == (1.0, 1.0)
    bounds = intervals("binary", values, [0, 0, 0, 0], ["roc_auc"], resamples=20)["roc_auc"]
    assert all(map(isnan, bounds))


def test_majority_baseline():
    assert majority_baseline("multi_class", [2, 2, 0, 1], [2, 0, 3, 2]) == {
        "accuracy": 0.5,
        "f1": pytest.approx(2 / 3 / 3),
        "mcc": 0.0,
        "roc_auc": 0.5,
    }
    binary = majority_baseline("binary", [0, 0, 1], [0, 1, 1, 1])
    assert (binary["accuracy"], binary["f1"], binary["roc_auc"]) == (0.25, 0.0, 0.5)
    assert majority_baseline("binary", [0, 1, 1], [0, 1, 1, 1])["accuracy"] == 0.75
    labels = majority_baseline("multi_label", [[1, 0], [1, 0], [0, 1]], [[1, 0], [1, 1]])
    assert labels["accuracy"] == 0.5 and labels["f1_micro"] == 0.8
    number = majority_baseline("regression", [1.0, 3.0], [2.0, 4.0])
    assert number["rmse"] == pytest.approx(np.sqrt(2)) and isnan(number["spearman"])


@pytest.mark.parametrize(
    ("problem", "values", "labels", "message"),
    [
        ("ranking", [[1.0]], [1], r"^ranking: no such problem; there are binary"),
        ("binary", [[1.0]], [1, 0], r"^binary: predictions of shape \(1, 1\) do not fit labels"),
        ("binary", [[0.1, 0.9]], [1], r"^binary: predictions of shape \(1, 2\)"),
        ("multi_label", [[0.1, 0.9]], [[1]], r"^multi_label: predictions of shape \(1, 2\)"),
        ("multi_class", np.empty((0, 3)), [], r"^there are no records"),
    ],
)
def test_what_does_not_fit_is_an_error(problem, values, labels, message):
    with pytest.raises(ValueError, match=message):
        score(problem, values, labels)


def test_groups_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match="there are 1 groups for 2 records"):
        score_by_group("binary", [[0.1], [0.2]], [0, 1], ["a"])


@pytest.mark.parametrize("problem", ["binary", "multi_class", "multi_label"])
def test_the_interval_of_accuracy_is_that_of_its_metric(problem):
    random = np.random.default_rng(3)
    values = random.random((50, 1 if problem == "binary" else 4))
    labels = {
        "binary": random.integers(0, 2, 50),
        "multi_class": random.integers(0, 4, 50),
        "multi_label": (values + random.normal(0, 0.2, values.shape) > 0.5).astype(int),
    }[problem]
    found = intervals(problem, values, labels, ["accuracy"], resamples=40)
    drawn, random = [], np.random.default_rng(0)
    for _ in range(40):
        chosen = random.integers(0, 50, 50)
        drawn.append(score(problem, values[chosen], labels[chosen])["accuracy"])
    assert found["accuracy"] == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
