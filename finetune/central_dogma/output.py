# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Whether the folder of a data set may be written."""

from pathlib import Path

MARK = "summary.json"
"""The file by which a data set is known for one."""


def check_output(output: Path, overwrite: bool) -> None:
    """Find out before the work whether the folder may be written.

    Raises:
        ValueError: something is there that is not to be replaced, or there is no place for it.
    """
    if not output.absolute().parent.is_dir():
        raise ValueError(f"{output}: there is no folder {output.parent}")
    if not output.exists():
        return
    if not output.is_dir():
        raise ValueError(f"{output}: there is a file of this name")
    if any(output.iterdir()):
        if not (output / MARK).is_file():
            raise ValueError(f"{output}: holds other files than a data set of this command")
        if not overwrite:
            raise ValueError(f"{output}: is there already; --overwrite replaces it")
