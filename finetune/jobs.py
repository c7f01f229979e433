# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a run and a comparison have in common: their data, and a folder that work goes on in."""

import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedding.jobs import JobFolder, check_same

from .data import DataSettings, TaskData, read_data
from .task import Task

Tell = Callable[[str], object]


def silent(_: str) -> None:
    """Tell nobody."""


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


@dataclass
class Job:
    """A job under way.

    Attributes:
        path: folder of what is done so far.
        complete: the results, where the job was done before.
        finished: set when the output is whole, so that `path` can go.
    """

    path: Path
    complete: dict[str, Any] | None = None
    finished: bool = False


@contextmanager
def resumable(
    output: Path,
    done: str,
    made_from: dict[str, Any],
    overwrite: bool,
    processes: Any,
    read: Callable[[Path], dict[str, Any]],
) -> Iterator[Job]:
    """Begin a job, or go on with it; all processes enter together.

    Args:
        output: where the result will be.
        done: pattern of the names of what is done so far.
        made_from: what decides the result.
        overwrite: replace the result, or the begun work, of another job.
        processes: the `accelerate.PartialState`.
        read: returns the results that a finished output holds.

    Raises:
        ValueError: the output, or the begun work, is of another job, or of none.
    """
    folder = JobFolder(output, done)
    job = Job(folder.path)
    if processes.is_main_process:
        output.parent.mkdir(parents=True, exist_ok=True)
        folder.open()
    try:
        if output.exists():
            before = read(output)
            if not overwrite:
                job.finished = folder.job() is None
                check_same(f"{output} was made", before["made_from"], made_from)
                job.complete = before
        if job.complete is None:
            if processes.is_main_process:
                folder.begin(made_from, {}, overwrite)
            processes.wait_for_everyone()
        yield job
    finally:
        if processes.is_main_process:
            folder.close(job.finished)
