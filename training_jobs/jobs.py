# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A training that goes on where it stopped: its folder, and the checkpoints in it."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedding.jobs import JobFolder, check_same

CHECKPOINTS = "checkpoint-*"
Tell = Callable[[str], object]


def silent(_: str) -> None:
    """Tell nobody."""


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
                check_same(f"{output} was made", before["made_from"], made_from)
                # What is begun may be another job, to replace this result.
                begun = folder.job()
                job.finished = begun is None or begun["made_from"] == made_from
                job.complete = before
        if job.complete is None:
            if processes.is_main_process:
                folder.begin(made_from, {}, overwrite)
            processes.wait_for_everyone()
        yield job
    finally:
        if processes.is_main_process:
            folder.close(job.finished)


def last_checkpoint(folder: Path) -> str | None:
    """Return the last whole checkpoint; those that a kill left half written are removed."""
    whole = {}
    for path in folder.glob(CHECKPOINTS):
        try:  # what is written last
            step = json.loads((path / "trainer_state.json").read_text("utf-8"))["global_step"]
            whole[step] = path
        except (OSError, ValueError):
            shutil.rmtree(path, ignore_errors=True)  # of several processes each tries
    return str(whole[max(whole)]) if whole else None
