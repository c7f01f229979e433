# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a run and a comparison have in common: their data, and the libraries they need."""

import importlib.util
import os
from pathlib import Path

from training_jobs.jobs import Tell

from .data import DataSettings, TaskData, read_data
from .task import Task


def check_libraries(*more: str) -> None:
    """Look for what is needed after the training, before it.

    Args:
        more: needed besides.

    Raises:
        ImportError: one of the extra `finetune` is missing.
    """
    for name in ("sklearn", "scipy", "matplotlib", *more):
        if importlib.util.find_spec(name) is None:
            raise ImportError(f"fine-tuning needs {name}; pip install 'lucaone-hf[finetune]'")


def read_labelled(
    task: Task,
    source: str | os.PathLike[str] | None,
    labels_file: str | os.PathLike[str] | None,
    tell: Tell,
    force: bool = False,
) -> TaskData:
    """Read the data of a task, and tell what was found in them.

    Args:
        task: the task.
        source: as of `read_data`; None for those that the task names.
        labels_file: as of `read_data`.
        tell: called with the table of findings.
        force: go on even if most sequences look like the other molecule type.

    Raises:
        DataError: they cannot be trained on.
        ValueError: neither `source` nor the task says where they are.
    """
    if source is None and (source := task.dataset) is None:
        raise ValueError("data: neither given nor named by the task")
    names = [name for name in DataSettings.__dataclass_fields__ if hasattr(task, name)]
    settings = DataSettings(**{name: getattr(task, name) for name in names}, force=force)
    labelled = read_data(source, settings, labels_file=labels_file)
    tell(str(labelled.findings))
    return labelled


def origin_of(data: str | os.PathLike[str]) -> str:
    """Return where data come from, as results tell it: not where they lie on this machine."""
    return Path(data).resolve().name if Path(data).exists() else os.fspath(data)
