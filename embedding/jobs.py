# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The folder `OUTPUT.partial` of a job that goes on where it stopped."""

import json
import shutil
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from .outputs import replace_durably, writing


class JobFolder:
    """The folder `OUTPUT.partial` of a job: `job.json`, which says what it is, and what is done.

    Args:
        output: where the job's result will be.
        done: pattern of the names of what is done so far.
    """

    def __init__(self, output: Path, done: str):
        self.output, self.done = output, done
        self.path = output.with_name(f"{output.name}.partial")
        self._job = self.path / "job.json"
        self._lock = FileLock(self.path / "lock")

    def open(self) -> None:
        """Make the folder, if it is not there, and keep other jobs out of it.

        Raises:
            ValueError: it cannot be made, or another process is at work on this output.
        """
        with writing(self.output):
            self.path.mkdir(exist_ok=True)
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                raise ValueError(f"{self.output}: another process is at work on it") from None

    def begin(self, made_from: dict[str, Any], job: dict[str, Any], overwrite: bool) -> None:
        """Begin a job, or go on with it as it was begun.

        Args:
            made_from: what decides the result.
            job: what else is to be kept of it.
            overwrite: throw away what another job left.

        Raises:
            ValueError: the folder holds the work of another job; the message names the difference.
        """
        begun = self.job()
        if begun is not None:
            try:
                return check_same(f"{self.path} was begun", begun["made_from"], made_from)
            except ValueError:
                if not overwrite:
                    raise
        self.discard()
        temporary = self.path / "job.tmp"
        with writing(self._job):
            temporary.write_text(json.dumps({"made_from": made_from, **job}, indent=1), "utf-8")
            replace_durably(temporary, self._job)

    def job(self) -> dict[str, Any] | None:
        """Return what was said of the job when it began; None if none has begun."""
        try:
            return dict(json.loads(self._job.read_text("utf-8")))
        except (OSError, ValueError):
            return None

    def discard(self) -> None:
        """Throw away what is done."""
        for path in self.path.glob(self.done):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def close(self, finished: bool) -> None:
        """Let others in; remove the folder when the job is finished, or nothing was done yet."""
        if not self._lock.is_locked:  # closed before; what is there now is another's
            return
        if finished or not any(self.path.glob(self.done)):
            shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()


def check_same(what: str, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Check that two jobs are the same.

    Args:
        what: begin of the message, such as `proteins.h5 was made`.
        before: what decided the result of the one.
        now: what decides that of the other.

    Raises:
        ValueError: they are not; the message names what differs.
    """
    differences = []
    for name in before | now:
        was, wanted = before.get(name), now.get(name)
        if was == wanted:
            continue
        if name.endswith("_sha256"):
            differences.append(f"other {name.removesuffix('_sha256')}")
        else:
            differences.append(f"{name} {was!r}, not {wanted!r}")
    if differences:
        raise ValueError(
            f"{what} with {' and '.join(differences)}; --overwrite replaces it, "
            "another output keeps both"
        )
