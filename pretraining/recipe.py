# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a pre-training is: its tasks, its model, its masking, its order of records, its schedule.

A recipe is a YAML file whose keys are the fields of `Recipe`; those that come with the package are
in `recipes/`.
"""

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from modeling_lucaone.configuration_lucaone import PUBLISHED_TASKS, LucaOneConfig
from training_jobs.settings import read_settings

from .data.records import LABEL_TASKS

RECIPES = Path(__file__).parent / "recipes"

# What a recipe says of a task; all else follows from the task.
TASK_KEYS: dict[str, Any] = {
    "weight": (int, float),
    "hidden_size": int,
    "num_labels": (int, type(None)),
}


@dataclass(frozen=True)
class Recipe:
    """A pre-training; the defaults are the published ones.

    Attributes:
        name: of the recipe.
        about: what it is for, in a sentence.
        tasks: for each task its `weight` in the total loss, the `hidden_size` of its head and
            `num_labels`; what is not given is as published. `num_labels: null` takes the number
            from the label vocabularies, or else from the training data.
        model: fields of `LucaOneConfig` for a model from scratch.
        max_length: tokens of a record, [CLS] and [SEP] among them; what lies beyond is cut.
        mask_probability: share of the letters that the mask tasks ask for.
        mask_token_share: share of these that become [MASK].
        random_share: share of these that become another letter; the rest stay.
        random_letters: `all` draws it from the whole vocabulary, as published; `molecule` from
            A, C, G, T or the 20 amino acids.
        keyword_negatives: count the absent keywords of a protein that has some, too; false scores
            only the present ones, as the published code did.
        gene_fraction: share of nucleic acids among the records of a step; null for their share
            among the records, and then an epoch holds every record once. With a given share it
            lasts until both molecules were seen.
        shuffle_buffer: records that are shuffled together; shards are shuffled besides.
        batch_size: records of one update of the weights, over all processes.
        epochs: passes over the training data.
        steps: updates of the weights, in place of `epochs`.
        learning_rate: at its highest.
        warmup_steps: updates over which it rises; below 1 the share of all updates.
        decay_steps: updates after which it has fallen to 0; null for the length of the training.
        weight_decay: of AdamW; none for biases and norms.
        adam_beta1: of AdamW.
        adam_beta2: of AdamW.
        adam_epsilon: of AdamW.
        max_grad_norm: gradients of a larger norm are scaled down to it.
        spike_deviations: an update is skipped if its loss is so many standard deviations above the
            mean of the last 100; null never skips. Gradients that are no numbers are always
            skipped.
        log_steps: updates between two lines of the log.
        eval_steps: updates between two evaluations; null for the end of each epoch.
        eval_records: of each molecule, at most; null for all.
        save_steps: updates between two checkpoints; null for the end of each epoch.
        keep_checkpoints: how many of the last ones are kept.
        survey_records: of each molecule, how many are looked through before the training, at most;
            null for all. Records are checked again when they are read.
        seed: of the weights, the order and the masks.
    """

    name: str
    about: str = ""
    tasks: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {task: {} for task in PUBLISHED_TASKS}
    )
    model: dict[str, Any] = field(default_factory=lambda: {"classifier_dropout": 0.0})
    max_length: int = 1280
    mask_probability: float = 0.15
    mask_token_share: float = 0.8
    random_share: float = 0.1
    random_letters: Literal["all", "molecule"] = "all"
    keyword_negatives: bool = True

    gene_fraction: float | None = None
    shuffle_buffer: int = 10_240
    batch_size: int = 256
    epochs: int = 5
    steps: int | None = None
    learning_rate: float = 2e-4
    warmup_steps: float = 2_000
    decay_steps: int | None = None
    weight_decay: float = 0.01
    adam_beta1: float = 0.9
    adam_beta2: float = 0.98
    adam_epsilon: float = 1e-8
    max_grad_norm: float = 1.0
    spike_deviations: float | None = 6.0

    log_steps: int = 10
    eval_steps: int | None = None
    eval_records: int | None = None
    save_steps: int | None = None
    keep_checkpoints: int = 3
    survey_records: int | None = None
    seed: int = 1111

    def __post_init__(self) -> None:
        if not self.tasks:
            raise ValueError("tasks: there are none")
        for task, settings in self.tasks.items():
            if task not in PUBLISHED_TASKS:
                raise ValueError(
                    f"tasks: unknown task {task!r}; known are {', '.join(PUBLISHED_TASKS)}"
                )
            for key, value in settings.items():
                if key not in TASK_KEYS:
                    raise ValueError(
                        f"tasks: unknown key {key!r} of {task}; known are {', '.join(TASK_KEYS)}"
                    )
                known = isinstance(value, TASK_KEYS[key]) and not isinstance(value, bool)
                if not known or (value is not None and not 0 < value < math.inf):
                    raise ValueError(f"tasks: {key} of {task} is {value!r}")
            published = PUBLISHED_TASKS[task]["num_labels"]
            if task not in LABEL_TASKS and settings.get("num_labels") not in (
                None,
                published,
            ):
                raise ValueError(f"tasks: num_labels of {task} is always {published}")
        known_fields = LucaOneConfig.__dataclass_fields__.keys() - {
            "pretraining_tasks",
            "label_names",
        }
        if unknown := self.model.keys() - known_fields:
            raise ValueError(f"model: unknown key {min(unknown)!r}; see LucaOneConfig")
        above_0 = (
            *("max_length", "shuffle_buffer", "batch_size", "epochs", "steps", "learning_rate"),
            *("decay_steps", "max_grad_norm", "spike_deviations", "log_steps", "eval_steps"),
            *("eval_records", "save_steps", "keep_checkpoints", "survey_records"),
        )
        for name in above_0:
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:  # nan is not either
                raise ValueError(f"{name}: {value} is not above 0, or not finite")
        for name in ("warmup_steps", "weight_decay", "adam_epsilon", "seed"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}: {getattr(self, name)} is below 0, or not finite")
        for name in ("adam_beta1", "adam_beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} does not lie in [0, 1)")
        for name in ("mask_probability", "mask_token_share", "random_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: {getattr(self, name)} is no share, from 0 to 1")
        if self.gene_fraction is not None and not 0 < self.gene_fraction < 1:
            raise ValueError(f"gene_fraction: {self.gene_fraction} leaves one molecule type out")
        if self.mask_token_share + self.random_share > 1:
            raise ValueError("mask_token_share and random_share are together more than 1")
        if self.max_length < 3:
            raise ValueError(
                f"max_length: {self.max_length} leaves no letter between [CLS] and [SEP]"
            )

    @property
    def seq_types(self) -> tuple[str, ...]:
        """The molecules of the tasks: `gene`, `prot` or both."""
        found = {PUBLISHED_TASKS[task]["seq_type"] for task in self.tasks}
        return tuple(seq_type for seq_type in ("gene", "prot") if seq_type in found)

    def pretraining_tasks(self, num_labels: Mapping[str, int]) -> dict[str, dict[str, Any]]:
        """Return the tasks as a model's configuration holds them.

        Args:
            num_labels: of the tasks whose vocabularies are known.
        """
        result = {}
        for task, settings in PUBLISHED_TASKS.items():
            if task in self.tasks:
                given = {k: v for k, v in self.tasks[task].items() if v is not None}
                known = {"num_labels": num_labels[task]} if task in num_labels else {}
                result[task] = {**settings, **given, **known}
        return result


def published_recipes() -> dict[str, Path]:
    """Return the files of the recipes that come with the package, by their names."""
    files = {path.stem: path for path in RECIPES.glob("*.yaml")}
    return dict(sorted(files.items()))


def read_recipe(
    source: str | os.PathLike[str], changes: Iterable[str] = (), **fields: Any
) -> Recipe:
    """Read a recipe.

    Args:
        source: name of a recipe that comes with the package, or a YAML file.
        changes: see `read_settings`.
        fields: see `read_settings`.

    Raises:
        ValueError: see `read_settings`.
    """
    return read_settings(Recipe, "recipe", published_recipes(), source, changes, **fields)
