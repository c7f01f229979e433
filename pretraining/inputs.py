# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The records and label vocabularies of a training, found and looked through before it."""

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from modeling_lucaone.configuration_lucaone import PUBLISHED_TASKS
from training_jobs.jobs import Tell

from .corpus import Group, find_groups, find_shards
from .data.records import LABEL_TASKS
from .data.vocabularies import read_vocabularies
from .recipe import Recipe
from .survey import Survey, look_through


@dataclass(frozen=True)
class TrainingData:
    """The records of a training, and what is known of their labels.

    Attributes:
        groups: the training records, by molecule type.
        held_out: those of the evaluation, likewise.
        label_names: of the tasks that have a vocabulary.
        num_labels: of each task.
        survey: of the training records.
        digests: what tells these records from others.
    """

    groups: dict[str, list[Group]]
    held_out: dict[str, list[Group]]
    label_names: dict[str, list[str]]
    num_labels: dict[str, int]
    survey: Survey
    digests: dict[str, str]

    def description(self, eval_records: int | None) -> dict[str, Any]:
        """Return what results tell of it.

        Args:
            eval_records: of each molecule, on which the model is judged at most.
        """
        return {
            "records": {name: self.survey.records[name] for name in self.groups},
            "letters": {name: self.survey.letters[name] for name in self.groups},
            "eval_records": {
                name: min(sum(group.records for group in groups), eval_records or sys.maxsize)
                for name, groups in self.held_out.items()
            },
            "labelled": self.survey.labelled,
            "labels": {
                task: int(np.count_nonzero(counts))
                for task, counts in self.survey.counts.items()
                if task in LABEL_TASKS
            },
        }


def read_data(
    recipe: Recipe,
    train_data: Sequence[Path],
    eval_data: Sequence[Path],
    labels: str | os.PathLike[str] | None,
    tell: Tell,
) -> tuple[Recipe, TrainingData]:
    """Find and look through the records.

    Args:
        recipe: the tasks.
        train_data: folders of shards.
        eval_data: likewise; may be empty.
        labels: folder of vocabularies; `labels` in or beside the folders if None.
        tell: called with what was found.

    Returns:
        The recipe without the tasks of which there is no record or no label, which is told, and the
        data of the others.

    Raises:
        ValueError: they are not there, or cannot be trained on.
    """
    shards, held_out_shards = find_shards(train_data), find_shards(eval_data)
    if set(shards) & set(held_out_shards):
        tell("warning: --eval holds records of --train; what it says is no test")
    groups, held_out = find_groups(shards), find_groups(held_out_shards)
    missing = [task for task in recipe.tasks if task[:4] not in groups]
    recipe = _without(missing, recipe, "there is no record of their molecule", tell)
    groups, held_out = _of_molecules(recipe, groups), _of_molecules(recipe, held_out)
    names = _label_names([*train_data, *eval_data], labels)
    known = {task: len(found) for task, found in names.items() if task in recipe.tasks}
    for task, given in recipe.tasks.items():
        number = {**PUBLISHED_TASKS[task], **given}["num_labels"]  # None: as many as there are
        if "num_labels" in given and task in known and number not in (None, known[task]):
            raise ValueError(
                f"tasks: num_labels of {task} is {number:,}, and its vocabulary has "
                f"{known[task]:,}; --set tasks.{task}.num_labels=null takes that"
            )
        if number is not None:
            known.setdefault(task, number)
    open_vocabulary = any(task not in known for task in recipe.tasks)
    survey = look_through(groups, known, None if open_vocabulary else recipe.survey_records)
    tell(str(survey))
    unlabelled = [task for task in recipe.tasks if not survey.labelled.get(task)]
    if survey.looked_at == survey.records:
        recipe = _without(unlabelled, recipe, "no training record has a label of them", tell)
        groups, held_out = _of_molecules(recipe, groups), _of_molecules(recipe, held_out)
    elif unlabelled:
        tell(f"warning: of the records looked at none has a label of {', '.join(unlabelled)}")
    label_names = {task: found for task, found in names.items() if task in recipe.tasks}
    num_labels = {task: known[task] for task in recipe.tasks if task in known}
    for task in recipe.tasks:
        if task in LABEL_TASKS and task not in known:
            num_labels[task] = survey.largest_label(task) + 1
    look_through(held_out, num_labels, recipe.survey_records)
    names_digest = hashlib.sha256(json.dumps(label_names, sort_keys=True).encode()).hexdigest()
    digests = {"labels_sha256": names_digest, "train_sha256": _digest(shards, train_data)}
    if held_out_shards:
        digests["eval_sha256"] = _digest(held_out_shards, eval_data)
    return recipe, TrainingData(groups, held_out, label_names, num_labels, survey, digests)


def _of_molecules(recipe: Recipe, groups: dict[str, list[Group]]) -> dict[str, list[Group]]:
    return {name: groups[name] for name in recipe.seq_types if name in groups}


def _without(tasks: Sequence[str], recipe: Recipe, reason: str, tell: Tell) -> Recipe:
    """Return a recipe without some tasks, which is told.

    Raises:
        ValueError: no task is left.
    """
    if not tasks:
        return recipe
    left = {task: settings for task, settings in recipe.tasks.items() if task not in tasks}
    if not left:
        raise ValueError(f"train: {reason}, and there is no other task: {', '.join(tasks)}")
    tell(f"left out, for {reason}: {', '.join(tasks)}")
    return replace(recipe, tasks=left)


def _label_names(
    folders: Sequence[Path], labels: str | os.PathLike[str] | None
) -> dict[str, list[str]]:
    """Read the vocabularies, those in or beside the folders if none are asked for.

    Raises:
        ValueError: those asked for are not there, or two folders number the labels of a task
            differently.
    """
    if labels is not None:
        return read_vocabularies(Path(labels))
    names: dict[str, list[str]] = {}
    for folder in folders:
        beside = (folder / "labels", folder.absolute().parent / "labels")
        found = next((one for one in beside if any(one.glob("*.txt"))), None)
        for task, labels_of_task in (read_vocabularies(found) if found else {}).items():
            if names.setdefault(task, labels_of_task) != labels_of_task:
                raise ValueError(
                    f"{found}: numbers the labels of {task} differently from folders before it; "
                    "make all of them with the same --labels"
                )
    return names


def _digest(shards: Sequence[Path], sources: Sequence[Path]) -> str:
    """Return a SHA-256 of the names below the sources, the sizes and the ends of shards.

    The end of a Parquet file, its footer, holds counts and statistics of every column; terabytes
    are not read.
    """
    digest = hashlib.sha256()
    for shard in shards:
        name = next((shard.relative_to(one) for one in sources if shard.is_relative_to(one)), shard)
        size = shard.stat().st_size
        digest.update(f"{name}\n{size}\n".encode())
        with shard.open("rb") as file:
            file.seek(max(0, size - 65_536))
            digest.update(file.read())
    return digest.hexdigest()
