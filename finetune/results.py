# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a run leaves: the model, results.json, predictions, pictures and the card."""

import csv
import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from transformers import AutoTokenizer

from embedding.models import ModelSource
from embedding.outputs import writing_folder
from training_jobs.results import save_model, save_results, stated_license
from training_jobs.settings import as_dictionary

from . import figures
from .card import render_card
from .data import Example, TaskData
from .evaluation import (
    intervals,
    majority_baseline,
    predictions,
    score,
    score_by_group,
)
from .predictions import id_columns, prediction_columns, prediction_table, true_label
from .task import Task
from .trainer import probabilities
from .training import Trained, main_metric

VERSIONS = ("lucaone-hf", "torch", "transformers", "accelerate", "scikit-learn")


@dataclass(frozen=True)
class Outcome:
    """A finished training.

    Attributes:
        task: the task.
        data: its data.
        trained: the model and its logits.
        source: the model it began with.
        mode: how it was trained.
    """

    task: Task
    data: TaskData
    trained: Trained
    source: ModelSource
    mode: str

    @property
    def metric(self) -> str:
        """By which the task is judged."""
        return main_metric(self.task, self.data.problem)

    @cached_property
    def probabilities(self) -> dict[str, np.ndarray]:
        """Of every split, as `finetune.evaluation.score` takes them."""
        return {
            name: probabilities(self.data.problem, logits)
            for name, logits in self.trained.logits.items()
        }

    def results(self) -> dict[str, Any]:
        """Return what `results.json` holds of it."""
        task, data, trained = self.task, self.data, self.trained
        first = data.judged[0]
        scored = {
            split: score(
                data.problem,
                self.probabilities[split],
                data.labels(split),
                data.groups(split),
            )
            for split in data.judged
        }
        by_group = None
        if data.problem in ("binary", "multi_class") and (groups := data.groups(first)):
            by_group = score_by_group(
                data.problem, self.probabilities[first], data.labels(first), groups
            )
        versions = [*VERSIONS, "peft"] if self.mode == "lora" else VERSIONS
        parameters = list(trained.model.parameters())
        return {
            "task": as_dictionary(task) | {"problem": data.problem, "metric": self.metric},
            "mode": self.mode,
            "model": {
                "name": self.source.name,
                "revision": self.source.revision,
                "license": stated_license(self.source.folder),
                **self.source.fingerprint(),
                "parameters": sum(parameter.numel() for parameter in parameters),
                "trained_parameters": trained.trained_parameters,
            },
            "data": {
                "files": data.files,
                "splits": {name: len(examples) for name, examples in data.splits.items()},
                "label_names": list(data.label_names),
                "label_counts": {
                    name: _label_counts(data, examples) for name, examples in data.splits.items()
                },
                "findings": [list(row) for row in data.findings.table()],
            },
            "training": {
                "steps": trained.steps,
                "best_step": trained.best_step,
                "epochs": trained.epochs,
                "batch_size": task.batch_size,
                "learning_rate": task.learning_rate,
            },
            "history": trained.history,
            "metrics": scored,
            "intervals": {
                split: intervals(
                    data.problem, self.probabilities[split], data.labels(split), [self.metric]
                )
                for split in data.judged
            },
            "by_group": by_group,
            "majority": majority_baseline(data.problem, data.labels("train"), data.labels(first)),
            "versions": {name: version(name) for name in versions},
        }


def _label_counts(data: TaskData, examples: list[Example]) -> dict[str, int]:
    if data.problem == "regression":
        return {}
    counts: Counter[str] = Counter()
    for example in examples:
        label: Any = example.label
        given = np.flatnonzero(label) if isinstance(label, tuple) else [label]
        counts.update(data.label_names[number] for number in given)
    return dict(counts.most_common())


def summary_line(results: dict[str, Any]) -> str:
    """Tell in one line how good a model is."""
    metric = results["task"]["metric"]
    parts = []
    for split, values in results["metrics"].items():
        low, high = results["intervals"][split][metric]
        parts.append(f"{split} {metric} {_shown(values[metric])} [{_shown(low)}, {_shown(high)}]")
    simple = "mean of training" if results["task"]["problem"] == "regression" else "majority"
    others = ["rmse"] if simple != "majority" and metric != "rmse" else []
    for name in others:
        parts += [f"{split} {name} {_shown(of[name])}" for split, of in results["metrics"].items()]
    known = [f"{name} {_shown(results['majority'][name])}" for name in (metric, *others)]
    parts.append(f"{simple} {' '.join(known)}")
    return ", ".join(parts)


def _shown(value: float | None) -> str:
    return "none" if value is None or math.isnan(value) else f"{value:.4f}"


def save_outcome(outcome: Outcome, results: dict[str, Any], output: Path) -> None:
    """Write everything into a folder, which then takes the place of `output`.

    Raises:
        ValueError: it cannot be written.
    """
    with writing_folder(output) as folder:
        _save_model(outcome, folder)
        results["figures"] = _draw(outcome, folder)
        with (folder / "predictions.csv").open("w", newline="", encoding="utf-8") as file:
            _write_predictions(outcome, csv.writer(file))
        save_results(results, "finetune", folder)
        (folder / "README.md").write_text(render_card(results), "utf-8")


def _save_model(outcome: Outcome, folder: Path) -> None:
    model = outcome.trained.model
    if outcome.mode == "lora":
        adapter = model.peft_config["default"]
        # What it belongs to, not where that lies on this machine; peft would look it up on the Hub.
        adapter.base_model_name_or_path = outcome.source.name
        adapter.revision = outcome.source.revision
        model.save_pretrained(folder / "adapter", save_embedding_layers=False)
        model.config.save_pretrained(folder / "adapter")  # what the head is
        (folder / "adapter" / "README.md").unlink(missing_ok=True)  # a form of peft, not filled in
        model = model.merge_and_unload()
    save_model(model, outcome.trained.state_dict, folder)
    types = model.config.seq_types
    options = {"seq_type": types[0]} if types is not None and len(types) == 1 else {}
    AutoTokenizer.from_pretrained(outcome.source.folder, **options).save_pretrained(folder)


def _draw(outcome: Outcome, folder: Path) -> list[str]:
    split = outcome.data.judged[0]
    data, labels = outcome.data, outcome.data.labels(split)
    names = ["learning_curves.png"]
    figures.learning_curves(outcome.trained.history, folder / names[0], outcome.metric)
    if data.problem == "regression":
        names.append("predicted_against_true.png")
        figures.predicted_against_true(
            labels, outcome.probabilities[split][:, 0], folder / names[1]
        )
    elif data.problem != "multi_label":
        names.append("confusion_matrix.png")
        decided = predictions(data.problem, outcome.probabilities[split])
        figures.confusion_matrix(labels, decided, data.label_names, folder / names[1])
    return names


def _write_predictions(outcome: Outcome, rows: Any) -> None:
    data, separator = outcome.data, outcome.task.label_separator
    sides = len(data.splits["train"][0].ids)
    columns = prediction_columns(data.problem, data.label_names)
    rows.writerow(["split", *id_columns(sides), "label", *columns])
    for split in outcome.data.judged:
        examples = data.splits[split]
        ids = zip(*(example.ids for example in examples), strict=True)
        labels = [true_label(data.label_names, example, separator) for example in examples]
        predicted = prediction_table(
            data.problem, data.label_names, outcome.probabilities[split], separator
        )
        rows.writerows(zip([split] * len(examples), *ids, labels, *predicted, strict=True))
