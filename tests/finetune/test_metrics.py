# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Metrics as modules of `evaluate`: their values, where they have none, and no network."""

import json
import os
import subprocess
import sys
import warnings
from math import isnan
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

import finetune.metrics
from finetune.metrics import NAMES, load_metric

FOLDER = Path(finetune.metrics.__file__).parent
RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def compute(name, references, predictions=None, scores=None, **options):
    inputs = {"predictions": predictions} if scores is None else {"prediction_scores": scores}
    return load_metric(name).compute(references=references, **inputs, **options)


def value(name, *args, **options):
    return compute(name, *args, **options)[name]


def noisy(classes, n=300):
    """Return class ids and probabilities that favour them."""
    truth = RANDOM.integers(0, classes, n)
    scores = RANDOM.dirichlet(np.ones(classes), n)
    scores[np.arange(n), truth] += 0.3
    return truth, scores / scores.sum(1, keepdims=True)


def test_classes_agree_with_scikit_learn():
    truth, scores = noisy(4)
    guess = scores.argmax(1)
    assert value("accuracy", truth, guess) == sk.accuracy_score(truth, guess)
    assert value("f1", truth, guess, average="macro") == sk.f1_score(truth, guess, average="macro")
    assert value("mcc", truth, guess) == sk.matthews_corrcoef(truth, guess)
    assert value("roc_auc", truth, scores=scores) == pytest.approx(
        sk.roc_auc_score(truth, scores, multi_class="ovr", average="macro"), rel=1e-12
    )
    each = [sk.average_precision_score(truth == label, scores[:, label]) for label in range(4)]
    assert value("pr_auc", truth, scores=scores) == pytest.approx(np.mean(each), rel=1e-12)


def test_two_classes_agree_with_scikit_learn():
    truth, scores = noisy(2)
    positive = scores[:, 1]
    guess = (positive > 0.6).astype(int)
    assert value("f1", truth, guess) == sk.f1_score(truth, guess)
    assert value("mcc", truth, guess) == sk.matthews_corrcoef(truth, guess)
    for shape in (positive, positive[:, None]):
        assert value("roc_auc", truth, scores=shape) == sk.roc_auc_score(truth, positive)
        assert value("pr_auc", truth, scores=shape) == sk.average_precision_score(truth, positive)


def test_labels_agree_with_scikit_learn():
    truth, scores = RANDOM.integers(0, 2, (200, 5)), RANDOM.random((200, 5))
    guess = (scores > 0.5).astype(int)
    assert value("accuracy", truth, guess) == sk.accuracy_score(truth, guess)
    for average in ("micro", "macro"):
        expected = sk.f1_score(truth, guess, average=average)
        assert value("f1", truth, guess, average=average) == expected
    assert value("roc_auc", truth, scores=scores) == pytest.approx(sk.roc_auc_score(truth, scores))
    assert value("pr_auc", truth, scores=scores) == pytest.approx(
        sk.average_precision_score(truth, scores)
    )


def test_numbers_agree_with_scipy():
    truth = RANDOM.normal(size=100)
    guess = truth**3 + RANDOM.normal(size=100)
    assert value("spearman", truth, guess) == stats.spearmanr(truth, guess).statistic
    assert value("pearson", truth, guess) == stats.pearsonr(guess, truth).statistic
    assert value("rmse", truth, guess) == pytest.approx(np.sqrt(np.mean((truth - guess) ** 2)))


def test_accuracy_of_groups():
    groups = ["yeast", "fly", "fly", "fly", "fly"]
    assert compute("group_accuracy", [1, 1, 1, 0, 0], [1, 0, 1, 1, 1], groups=groups) == {
        "group_accuracy": 0.625,
        "groups": {"fly": {"accuracy": 0.25, "n": 4}, "yeast": {"accuracy": 1.0, "n": 1}},
    }


def test_what_has_no_value_is_nan():
    for name in ("roc_auc", "pr_auc"):
        assert isnan(value(name, [1, 1], scores=[0.2, 0.7]))
        assert isnan(value(name, [0, 0], scores=[0.2, 0.7]))
        assert isnan(value(name, [[0, 1], [0, 1]], scores=[[0.2, 0.7], [0.1, 0.3]]))
    assert isnan(value("mcc", [1, 1, 1], [0, 1, 1]))
    assert isnan(value("f1", [0, 0], [0, 0]))
    for name in ("spearman", "pearson"):
        assert isnan(value(name, [0.1, 0.2, 0.3], [5.0, 5.0, 5.0]))
        assert isnan(value(name, [5.0, 5.0, 5.0], [0.1, 0.2, 0.3]))
        assert isnan(value(name, [0.1], [0.1]))


def test_constant_predictions_have_an_mcc_of_0():
    assert value("mcc", [0, 1, 2, 1], [1, 1, 1, 1]) == 0


def test_means_leave_out_labels_of_one_kind():
    truth = np.array([[0, 1, 0], [1, 1, 0], [0, 1, 0], [1, 1, 0]])
    scores = np.array([[0.1, 0.9, 0.3], [0.8, 0.1, 0.2], [0.9, 0.4, 0.1], [0.7, 0.3, 0.4]])
    assert value("roc_auc", truth, scores=scores) == sk.roc_auc_score(truth[:, 0], scores[:, 0])
    # The third class does not occur.
    assert value("roc_auc", [0, 1, 0, 1], scores=scores) == np.mean(
        [sk.roc_auc_score([1, 0, 1, 0], scores[:, 0]), sk.roc_auc_score([0, 1, 0, 1], scores[:, 1])]
    )
    # The third label neither occurs nor is predicted.
    guess = (scores > 0.5).astype(int)
    expected = sk.f1_score(truth[:, :2], guess[:, :2], average="macro")
    assert value("f1", truth, guess, average="macro") == expected


def test_batches_can_be_added():
    metric = load_metric("accuracy")
    metric.add_batch(predictions=[1, 0], references=[1, 1])
    other = load_metric("accuracy")
    assert other.compute(predictions=[0], references=[1]) == {"accuracy": 0.0}
    metric.add_batch(predictions=[1, 1], references=[1, 1])
    assert metric.compute() == {"accuracy": 0.75}


def test_unknown_name():
    with pytest.raises(ValueError, match=r"^bleu: no such metric; there are accuracy, f1"):
        load_metric("bleu")


def test_every_file_is_named():
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "shared"}
    assert files == set(NAMES)


OFFLINE = """
import json, socket, sys
def refuse(*args): raise OSError("no network")
socket.socket.connect = socket.getaddrinfo = refuse
import evaluate
values = {}
for path in sys.argv[1:]:
    metric = evaluate.load(path)
    scores = "prediction_scores" in metric._feature_names()
    inputs = {"prediction_scores" if scores else "predictions": [1, 0, 1, 1]}
    if "groups" in metric._feature_names():
        inputs["groups"] = list("abab")
    for _ in range(5):
        values |= metric.compute(references=[1, 0, 0, 1], **inputs)
    assert metric.name in values, metric.name
values.pop("groups")
print(json.dumps(values))
"""


def test_paths_load_without_a_network_in_processes_at_once(tmp_path):
    settings = ("HF_HUB_OFFLINE", "HF_EVALUATE_OFFLINE", "HF_DATASETS_OFFLINE")
    environment = os.environ | dict.fromkeys(settings, "1") | {"OMP_NUM_THREADS": "1"}
    for name in ("HF_MODULES_CACHE", "HF_METRICS_CACHE", "HF_EVALUATE_CACHE"):
        environment.pop(name, None)
    environment["HF_HOME"] = str(tmp_path)
    paths = [str(FOLDER / f"{name}.py") for name in NAMES]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OFFLINE, *paths],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        values = json.loads(output)
        assert values["accuracy"] == values["group_accuracy"] == 0.75
        assert set(values) == set(NAMES)
    assert (tmp_path / "modules").is_dir()


def test_scikit_learn_missing(monkeypatch):
    monkeypatch.setattr(finetune.metrics.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"scikit-learn; pip install 'lucaone-hf\[finetune\]'"):
        load_metric("f1")
