# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What all of this room needs: errors of one line, JSON, and folders that appear when whole."""

import json
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError


class CheckpointError(ValueError):
    """A checkpoint that is not what it should be; the message is one line and names the file."""


def one_line(error: BaseException) -> str:
    """Return the first line of an error's message that says something, or the error's name."""
    if isinstance(error, StrictDataclassError):  # says in two lines what its cause says in one
        error = error.__cause__ or error
    lines = [line.strip() for line in str(error).splitlines()]
    return next(filter(None, lines), type(error).__name__)


def some_of(names: Iterable[str]) -> str:
    """Return the first name in alphabetical order and how many more there are."""
    first, *others = sorted(names)
    return f"{first} (and {len(others)} more)" if others else first


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        CheckpointError: the file is missing or holds something else.
    """
    if not path.is_file():
        raise CheckpointError(f"{path.parent} has no {path.name}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{path}: not JSON ({one_line(error)})") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: not a JSON object")
    return content


def check_destination(dest: str | PathLike[str]) -> Path:
    """Return a path where a new folder can be written.

    Raises:
        CheckpointError: there is a file, a symbolic link, or a folder that is not empty.
    """
    path = Path(dest).absolute()
    if path.is_symlink():
        raise CheckpointError(f"{path} is a symbolic link; give the folder that it stands for")
    if path.is_dir():
        if any(path.iterdir()):
            raise CheckpointError(f"{path} is not empty; give a new folder or empty it first")
    elif path.exists():
        raise CheckpointError(f"{path} is a file, not a folder")
    return path


def move_into_place(staging: Path, path: Path) -> None:
    """Give a folder that is whole its name, which an empty folder may have had."""
    if path.is_dir():
        path.rmdir()
    staging.rename(path)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a folder beside `path` to write into, which becomes `path` when all went well.

    Raises:
        CheckpointError: see `check_destination`, or nothing can be written there.
    """
    path = check_destination(path)
    staging = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        staging.mkdir()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be written: {error.strerror}") from None
    try:
        yield staging
        move_into_place(staging, path)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
