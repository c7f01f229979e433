# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The published way to train: heads on the features of encoders that stay as they are."""

from collections.abc import Callable, Sequence
from pathlib import Path

from modeling_lucaone import LucaOneConfig
from training_jobs.hardware import Hardware

from .batches import StoredExamples
from .data import TaskData
from .features import Backbone, FeatureStore, FillReport, Rows, TypedSequence
from .networks import new_head
from .task import Task
from .training import Trained, train


def feature_rows(task: Task) -> Rows:
    """Return the features that a task's head reads: a row per residue, or less where that does."""
    whole = task.encoder_layers or task.pooling_zero_special_rows
    return "residues" if whole or task.pooling == "value_attention" else task.pooling


def compute_features(
    task: Task,
    data: TaskData,
    backbones: Sequence[Backbone],
    store: Path,
    tell: Callable[[str], object],
) -> tuple[list[FeatureStore], list[FillReport]]:
    """Compute the features of all records that are not in the store yet.

    Args:
        task: the task.
        data: its data.
        backbones: one for all sides, or one for each.
        store: folder in which features are kept.
        tell: called with how many features are computed.

    Returns:
        A store for each encoder, and what was done there.

    Raises:
        ValueError: see `FeatureStore`.
    """
    sides = range(1 if task.input == "single" else 2)
    stores = [FeatureStore(store, backbone) for backbone in backbones]
    reports = []
    for number, one in enumerate(stores):
        wanted = sides if len(stores) == 1 else [number]
        sequences = (
            TypedSequence(example.seq_types[side], example.sequences[side])
            for examples in data.splits.values()
            for example in examples
            for side in wanted
        )
        report = one.fill(sequences, tell)
        if one.backbone.stored:
            tell(
                f"features of {one.backbone.name}: {report.distinct:,} distinct sequences, "
                f"{report.computed:,} computed, {report.reused:,} there before"
            )
        reports.append(report)
    return stores, reports


def train_on_features(
    task: Task,
    data: TaskData,
    config: LucaOneConfig,
    backbones: Sequence[Backbone],
    store: Path,
    folder: Path,
    hardware: Hardware,
    tell: Callable[[str], object],
) -> Trained:
    """Train a head on the features of one encoder, or of one for each side of a pair.

    Args:
        task: the task.
        data: its data.
        config: of the head, see `network_config`.
        backbones: one for all sides, or one for each.
        store: folder in which features are kept.
        folder: see `train`.
        hardware: see `train`.
        tell: called with how many features are computed.

    Raises:
        ValueError: see `FeatureStore`, `FeatureClassifier` and `train`.
        RuntimeError: see `TaskTrainer`.
    """
    sides = 1 if task.input == "single" else 2
    stores, reports = compute_features(task, data, backbones, store, tell)
    stores = stores * (sides // len(stores))
    head = new_head(config, [one.width for one in stores], task.seed)
    splits = {
        name: StoredExamples(examples, stores, task.pooling != "cls", config.class_weights)
        for name, examples in data.splits.items()
        if examples
    }
    trained = train(head, splits, task, data.problem, folder, hardware)
    trained.notes.extend(note for report in reports for note in report.notes)
    return trained
