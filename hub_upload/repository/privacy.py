# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What must not leave the machine: its folders, and tokens of the Hub."""

import re
from collections.abc import Iterable
from pathlib import Path

# Home folders on Linux, macOS and Windows; and how tokens of the Hub begin.
_HOME = re.compile(r"(?:/home|/Users|[A-Za-z]:[\\/]+Users)[\\/]+[^\\/\s\"'<>]+|/root/\w+")
_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{20,}")
_BINARY = (".safetensors", ".png", ".jpg")


def find_private(folder: Path, paths: Iterable[Path] = ()) -> list[str]:
    """Look for folders of a machine and for tokens in the text files of a repository.

    Args:
        folder: the repository.
        paths: folders that no file may name, beside home folders as they are usually called.

    Returns:
        A line for each finding; a token itself is not repeated.
    """
    absolute = [path.absolute() for path in (*paths, Path.home())]
    # `/root` or `/data` may mean anything.
    known = {str(path) for path in absolute if len(path.parts) > 2}
    lines = []
    for file in sorted(folder.rglob("*")):
        if not file.is_file() or file.suffix in _BINARY:
            continue
        name = file.relative_to(folder).as_posix()
        text = file.read_text("utf-8", errors="replace")
        named = {
            path for path in known if re.search(rf"(?<![\w.]){re.escape(path)}(?![\w-]|\.\w)", text)
        }
        named |= set(_HOME.findall(text))
        lines += [f"{name}: names the folder {path}" for path in sorted(named)]
        if _TOKEN.search(text):
            lines.append(f"{name}: holds an access token")
    return lines
