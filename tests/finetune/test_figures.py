# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures of a fine-tuning run."""

import sys
import warnings
from math import inf, nan

import numpy as np
import pytest
from matplotlib.image import imread

from finetune.figures import (
    comparison,
    confusion_matrix,
    learning_curves,
    predicted_against_true,
)

HISTORY = [
    {"epoch": 0.5, "step": 5, "loss": 1.2, "learning_rate": 1e-4},
    {"epoch": 1.0, "step": 10, "loss": 0.9, "learning_rate": 1e-4},
    {"epoch": 1.0, "step": 10, "eval_loss": 1.0, "eval_accuracy": 0.61, "eval_rmse": 0.9},
    {"epoch": 2.0, "step": 20, "loss": inf, "learning_rate": 1e-4},
    {"epoch": 2.0, "step": 20, "eval_loss": 0.8, "eval_accuracy": 0.8321, "eval_rmse": 0.7},
    {"epoch": 3.0, "step": 30, "eval_loss": 0.9, "eval_accuracy": nan, "eval_rmse": 0.8},
    {"epoch": 3.0, "step": 30, "train_loss": 1.0, "train_runtime": 9.0},
]
ROWS = [
    {"name": "LucaOne", "value": 0.84, "low": 0.82, "high": 0.86},
    {
        "name": "an encoder with $ and a very long name $ " * 3,
        "value": 0.7,
        "low": nan,
        "high": nan,
    },
    {"name": "k-mers", "value": None},
]


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def picture(path):
    """Return the pixels of a picture in which something is drawn, at most 5,000 high and wide."""
    pixels = imread(path)
    assert max(pixels.shape) <= 5000
    assert pixels[..., :3].std() > 0.01
    return pixels


def drawn_text(path):
    """Return what is written in an SVG, where each text stands in a comment."""
    return path.read_text()


def classes(count, n=500):
    random = np.random.default_rng(0)
    labels = random.integers(0, count, n)
    wrong = random.random(n) < 0.3
    return labels, np.where(wrong, random.integers(0, count, n), labels)


def test_learning_curves(tmp_path):
    learning_curves(HISTORY, tmp_path / "curves.png", "accuracy")
    picture(tmp_path / "curves.png")
    learning_curves(HISTORY, tmp_path / "curves.svg", "accuracy")
    assert "best: 0.8321 in epoch 2" in drawn_text(tmp_path / "curves.svg")
    # Of an error, the best is the least.
    learning_curves(HISTORY, tmp_path / "curves.svg", "rmse")
    assert "best: 0.7000 in epoch 2" in drawn_text(tmp_path / "curves.svg")


@pytest.mark.parametrize("history", [HISTORY[:2], []])
def test_learning_curves_without_dev_data(tmp_path, history):
    learning_curves(history, tmp_path / "curves.svg", "accuracy")
    assert "not measured" in drawn_text(tmp_path / "curves.svg")


@pytest.mark.parametrize("count", [1, 2, 30, 31, 60, 61, 200])
def test_confusion_matrix_of_many_classes_with_long_names(tmp_path, count):
    names = [f"class $ number {number} of a very long name <&> $" for number in range(count)]
    confusion_matrix(*classes(count), names, tmp_path / "matrix.png")
    picture(tmp_path / "matrix.png")


def test_confusion_matrix_shows_counts_by_true_and_predicted_class(tmp_path):
    path = tmp_path / "matrix.svg"
    labels, guess = [0] * 117 + [1] * 31, [0] * 101 + [1] * 47
    confusion_matrix(labels, guess, ["absent", "present", "never"], path)
    text = drawn_text(path)
    for word in ("101", "16", "31", "absent (117)", "present (31)", "never (0)", "predicted"):
        assert f"<!-- {word} -->" in text
    assert "<!-- 0 -->" not in text


def test_colours_are_shares_of_the_records_of_a_class(tmp_path):
    path = tmp_path / "matrix.png"
    dark = []
    for labels in ([0] * 50 + [1] * 50, [0] * 97 + [1] * 3):
        confusion_matrix(labels, labels, ["a", "b"], path)
        dark.append((picture(path)[..., :3].sum(-1) < 0.8).sum())
    # All are right, so that the diagonal is as dark for a rare class.
    assert dark[1] == pytest.approx(dark[0], rel=0.05)


def test_more_classes_have_no_counts_and_then_no_names(tmp_path):
    path = tmp_path / "matrix.svg"
    texts = []
    for count in (30, 31, 61):
        labels = np.repeat(np.arange(count), 7777 if count < 61 else 1)
        confusion_matrix(labels, labels, [f"name{number}" for number in range(count)], path)
        text = drawn_text(path)
        texts.append(("<!-- 7777 -->" in text, "<!-- name0 -->" in text))
    assert texts == [(True, True), (False, True), (False, False)]


@pytest.mark.parametrize("count", [0, 1, 2, 20_000])
def test_predicted_against_true(tmp_path, count):
    truth = np.random.default_rng(0).normal(size=count)
    values = truth + 0.1
    values[1:2] = nan
    for suffix in (".png", ".pdf"):
        path = tmp_path / f"values{suffix}"
        predicted_against_true(truth, values, path)
        assert 1000 < path.stat().st_size < 300_000
    picture(tmp_path / "values.png")


def test_comparison(tmp_path):
    comparison(ROWS, tmp_path / "comparison.png", "accuracy", published=0.8453, majority=0.66)
    picture(tmp_path / "comparison.png")
    path = tmp_path / "comparison.svg"
    comparison(ROWS, path, "accuracy", published=0.8453, majority=0.66)
    text = drawn_text(path)
    for word in ("LucaOne", "0.8400", "no value", "published 0.8453", "majority 0.6600"):
        assert f"<!-- {word} -->" in text
    comparison(ROWS[:1], path, "mcc", majority=nan)
    assert "published" not in drawn_text(path) and "majority" not in drawn_text(path)
    many = [{"name": f"model {number}", "value": -0.01 * number} for number in range(150)]
    comparison(many, tmp_path / "comparison.png", "mcc")
    picture(tmp_path / "comparison.png")


def test_a_picture_is_the_same_again_and_replaces_the_old_one(tmp_path):
    path = tmp_path / "comparison.svg"
    path.write_text("an older one")
    comparison(ROWS, path, "accuracy")
    first = path.read_bytes()
    comparison(ROWS, path, "accuracy")
    assert path.read_bytes() == first
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_errors_name_the_file(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"a\.gif: unknown format of pictures; known are \.png"):
        comparison(ROWS, tmp_path / "a.gif", "accuracy")
    with pytest.raises(ValueError, match=r"none/a\.png: cannot be written: No such file"):
        comparison(ROWS, tmp_path / "none" / "a.png", "accuracy")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"matplotlib; pip install 'lucaone-hf\[finetune\]'"):
        comparison(ROWS, tmp_path / "a.png", "accuracy")
    assert not list(tmp_path.iterdir())
