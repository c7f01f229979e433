# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What k-mers alone tell: the baseline that an encoder must beat."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedding.mapping.baselines import kmers, plain_letters

from .data import Example, TaskData
from .evaluation import GREATER_IS_BETTER, score
from .networks import class_weights
from .task import Task
from .training import main_metric

# Letters where none are asked for: on DNA of 12 species 3, 4 and 5 come to accuracies of 0.55, 0.58
# and 0.60, on domains of 12 Pfam clans 1, 2 and 3 to 0.44, 0.45 and 0.35.
KMER_LENGTHS = {"gene": 4, "prot": 2}
# C of the logistic regression, and 1 / alpha of the ridge regression; the strictest first.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
WITHOUT_DEV = 1e-2
MOST_STEPS = 1000


@dataclass(frozen=True)
class KmerModel:
    """What a linear model of k-mer frequencies came to.

    Attributes:
        probabilities: of every split, as `finetune.evaluation.score` takes them.
        width: k-mers that occur in the training data, of both sides.
        strength: C of the logistic regression, or 1 / alpha of the ridge regression.
    """

    probabilities: dict[str, np.ndarray]
    width: int
    strength: float


def train_on_kmers(task: Task, data: TaskData, k: int | None = None) -> KmerModel:
    """Train a linear model on how often k-mers occur in the sequences.

    The k-mers are those that occur in the training data, and of a pair each side has its own. A
    number is the share of a k-mer among those of its sequence, divided by its standard deviation
    in training. Classes are told by logistic regression (of several labels one for each), with the
    task's weights of classes or positives; values by ridge regression. How strongly it is
    regularised is chosen by the task's metric on dev; without dev, C is 0.01.

    Args:
        task: the task.
        data: its data.
        k: letters of a k-mer; where not given, 4 in nucleic acids and 2 in proteins.

    Raises:
        ValueError: no sequence of a side has a k-mer, or the labels cannot be learnt.
        ImportError: scikit-learn is missing.
    """
    try:
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.pipeline import make_pipeline, make_union
        from sklearn.preprocessing import Normalizer, StandardScaler
    except ImportError:
        raise ImportError("k-mers need scikit-learn; pip install 'lucaone-hf[finetune]'") from None
    splits = {name: examples for name, examples in data.splits.items() if examples}
    sides = []
    for side in range(1 if task.input == "single" else 2):
        words = _words(side, k)
        if not any(map(words, splits["train"])):
            where = "" if task.input == "single" else f" of side {'ab'[side]}"
            raise ValueError(f"no sequence{where} of the training data has such a k-mer")
        counts = CountVectorizer(analyzer=words, dtype=np.float64)
        sides.append(make_pipeline(counts, Normalizer("l1")))
    # Without their means taken off, which an intercept makes up for, the numbers stay sparse.
    frequencies = make_pipeline(make_union(*sides), StandardScaler(with_mean=False))
    frequencies.fit(splits["train"])
    inputs = {name: frequencies.transform(examples) for name, examples in splits.items()}
    labels = {name: np.array(data.labels(name)) for name in splits}

    metric = main_metric(task, data.problem)

    def goodness(model: Any) -> float:
        predicted = _probabilities(model, data, inputs["dev"])
        value = score(data.problem, predicted, labels["dev"])[metric]
        return -np.inf if np.isnan(value) else value if GREATER_IS_BETTER[metric] else -value

    models = {
        strength: _regression(task, data, strength).fit(inputs["train"], labels["train"])
        for strength in (STRENGTHS if "dev" in splits else (WITHOUT_DEV,))
    }
    best = max(models, key=lambda strength: goodness(models[strength]) if len(models) > 1 else 0)
    return KmerModel(
        {name: _probabilities(models[best], data, matrix) for name, matrix in inputs.items()},
        inputs["train"].shape[1],
        best,
    )


def _words(side: int, k: int | None) -> Callable[[Example], list[tuple[str, str]]]:
    """Return what lists the k-mers of one side of an example."""

    def words(example: Example) -> list[tuple[str, str]]:
        kind = example.seq_types[side]
        return kmers((plain_letters(example.sequences[side], kind), kind), k or KMER_LENGTHS[kind])

    return words


def _regression(task: Task, data: TaskData, strength: float) -> Any:
    """Return an untrained model of a problem."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.multiclass import OneVsRestClassifier

    if data.problem == "regression":
        return Ridge(alpha=1 / strength)
    weights: Any = class_weights(task, data)
    if data.problem != "multi_class" and task.pos_weight is not None:
        weights = [1.0, task.pos_weight]
    model = LogisticRegression(
        C=strength,
        class_weight=None if weights is None else dict(enumerate(weights)),
        max_iter=MOST_STEPS,
    )
    return OneVsRestClassifier(model) if data.problem == "multi_label" else model


def _probabilities(model: Any, data: TaskData, inputs: Any) -> np.ndarray:
    """Return what a model says, as `score` takes it; a class that it never saw has 0."""
    if data.problem == "regression":
        return np.asarray(model.predict(inputs))[:, None]
    found = model.predict_proba(inputs)
    if data.problem == "multi_class":
        every = np.zeros((len(found), len(data.label_names)))
        every[:, model.classes_] = found
        return every
    labels = 1 if data.problem == "binary" else len(data.label_names)
    return np.asarray(found[:, -labels:])
