# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The annotation tasks of a model, and the form of what they tell of a sequence.

A task of `config.pretraining_tasks` reads a sequence as a whole, from [CLS] (level `sequence`), or
each of its residues or nucleotides (levels `span` and `structure`), and it tells labels or, as a
regression, numbers. That makes three kinds of results, `labels`, `spans` and `values`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tokenization import normalize_seq_type

from ..models import ModelSource, tensor_shapes


@dataclass(frozen=True)
class Task:
    """An annotation task of a model.

    Attributes:
        name: its name.
        seq_type: `gene` or `prot`, the sequences it is for.
        gives: `labels`, `spans` or `values`.
        per_letter: whether it reads each letter, or else the sequence as a whole.
        several: whether several labels may hold at once.
        label_names: names of its labels, or of its numbers.
    """

    name: str
    seq_type: str
    gives: str
    per_letter: bool
    several: bool
    label_names: list[str]


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a sequence, or of a span of it.

    Attributes:
        id: number of the label in its task.
        name: its name; `TASK:ID` where the configuration has none.
        start: first letter, counted from 0: `sequence[start:stop]` is the span, or what the model
            read of the sequence for a label of the whole.
        stop: the letter behind the last one.
        score: its probability; of a span the mean over its letters.
    """

    id: int
    name: str
    start: int
    stop: int
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The numbers of a regression, for what was read in one window.

    Attributes:
        names: of the numbers.
        start: first letter, counted from 0.
        stop: the letter behind the last one.
        values: fp32, (stop - start, numbers), a row per letter; (numbers,) for a task that reads
            sequences as a whole.
    """

    names: list[str]
    start: int
    stop: int
    values: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Annotation:
    """What the heads say of a sequence; each task that is for its type has a list, maybe empty.

    Attributes:
        seq_type: `gene` or `prot`.
        length: its letters.
        labels: of the sequence, per task, best first.
        spans: per task, by their start.
        values: per task, one for each window.
    """

    seq_type: str
    length: int
    labels: dict[str, list[Label]] = field(default_factory=dict)
    spans: dict[str, list[Label]] = field(default_factory=dict)
    values: dict[str, list[Values]] = field(default_factory=dict)


def find_tasks(source: ModelSource, names: Iterable[str] | None = None) -> list[Task]:
    """Return the annotation tasks of a model, before it is loaded.

    Args:
        source: of `find_model`.
        names: those that are wanted; all where not given.

    Raises:
        ValueError: the model has no annotation heads, or none of that name; or no name is given.
    """
    config = source.config
    tasks = {
        name: _task(name, settings, (config.label_names or {}).get(name))
        for name, settings in (config.pretraining_tasks or {}).items()
        if settings["level"] != "token"
    }
    if not tasks or not _holds_heads(source):
        raise ValueError(
            f"{source.name}: holds no annotation heads; `lucaone convert` a checkpoint in the "
            "original layout, which has them"
        )
    if names is None:
        return list(tasks.values())
    wanted = list(dict.fromkeys(names))
    if not wanted:
        raise ValueError(f"{source.name}: no task is asked for; it has {', '.join(tasks)}")
    for name in wanted:
        if name not in tasks:
            raise ValueError(
                f"{source.name}: has no annotation task {name!r}; it has {', '.join(tasks)}"
            )
    return [tasks[name] for name in wanted]


def _task(name: str, settings: dict[str, Any], label_names: list[str] | None) -> Task:
    gives = "labels" if settings["level"] == "sequence" else "spans"
    if settings["problem_type"] == "regression":
        gives = "values"
    count = settings["num_labels"]
    if label_names is None:
        is_xyz = settings["level"] == "structure" and count == 3
        label_names = ["x", "y", "z"] if is_xyz else [""] * count
    return Task(
        name=name,
        seq_type=normalize_seq_type(settings["seq_type"]),
        gives=gives,
        per_letter=settings["level"] != "sequence",
        several=settings["problem_type"] == "multi_label_classification",
        label_names=[label or f"{name}:{i}" for i, label in enumerate(label_names)],
    )


def _holds_heads(source: ModelSource) -> bool:
    """Whether there is a tensor of a head; also where there is no safetensors file to look into."""
    names = tensor_shapes(source)
    return not names or any(name.startswith("annotation_heads.") for name in names)
