# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Processes that are killed where their work has come to a place, not when a clock says so."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any


def die_at(call: int, *places: tuple[Any, str]) -> None:
    """Let this process be killed at a call, counted from 0, of functions: (owner, name) of each."""

    def counted(function):
        def counting(*arguments, **options):
            nonlocal call
            if call == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            call -= 1
            return function(*arguments, **options)

        return counting

    for owner, name in places:
        setattr(owner, name, counted(getattr(owner, name)))


def train_and_kill(command: Sequence[str], output: Path, times: int) -> int:
    """Start a training until its output is there; kill all its processes behind new checkpoints.

    Returns:
        How often it was killed: so many times at most, fewer if it is too quick.
    """

    def checkpoints() -> set[Path]:
        with suppress(FileNotFoundError):  # the folder becomes the output at the end
            return set(output.with_name(f"{output.name}.partial").glob("checkpoint-*"))
        return set()

    killed = 0
    while not output.exists():
        before = checkpoints()
        process = subprocess.Popen(command, start_new_session=True)
        while process.poll() is None:
            time.sleep(0.1)
            if killed < times and checkpoints() - before:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                killed += 1
        assert process.returncode in (0, -signal.SIGKILL)
    return killed
