# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Files that appear when they are whole."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError


@contextmanager
def writing(path: Path, advice: str = "") -> Iterator[None]:
    """Let a failure to write be an error of one line that names the file.

    Raises:
        ValueError: it cannot be written.
    """
    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{path}: cannot be written: {reason}{advice}") from error


def replace_durably(temporary: Path, path: Path) -> None:
    """Give a finished file its name, so that after a power failure it is there whole or not at all.

    Raises:
        OSError: it cannot be done.
    """
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def replacing(path: Path, overwrite: bool = False) -> Iterator[Path]:
    """Give an empty file beside `path` that takes its place only if nothing fails.

    Args:
        path: the output.
        overwrite: let it take the place of a file that is there.

    Raises:
        ValueError: there is such a file, or it cannot be written.
    """
    if path.exists() and not overwrite and not path.is_dir():
        raise ValueError(f"{path}: is there already; --overwrite replaces it")
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with writing(path):
        if path.is_dir():
            raise OSError("there is a folder of this name")
        try:
            temporary.touch(exist_ok=False)
            yield temporary
            replace_durably(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def writing_folder(output: Path) -> Iterator[Path]:
    """Give an empty folder beside `output` that takes its place only if nothing fails.

    Raises:
        ValueError: it cannot be written.
    """
    output = output.absolute()
    temporary, old = (output.with_name(f".{output.name}.{uuid.uuid4().hex}") for _ in range(2))
    try:
        temporary.mkdir()
        yield temporary
        if output.exists():
            output.rename(old)
        try:
            temporary.rename(output)
        except OSError:
            if old.exists():
                old.rename(output)
            raise
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise ValueError(f"{output}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
