# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`manifest.json`: the SHA-256 and the size of every file of a repository."""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
FORMAT = 1
KINDS = ("model", "adapter", "space")
# Written by the Hub itself, or by its client into a folder that it fetched.
_NOT_OURS = (".gitattributes", ".cache", ".git")


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_manifest(folder: Path, kind: str, card: Mapping[str, Any]) -> None:
    """Write the manifest of a folder that has all its other files.

    Args:
        folder: the repository.
        kind: `model`, `adapter` or `space`.
        card: what its card was rendered from, beside its files.
    """
    made_with = {name: version(name) for name in ("lucaone-hf", "transformers", "torch")}
    content = {
        "format": FORMAT,
        "kind": kind,
        "made_with": made_with,
        "card": dict(card),
        "files": {
            name: {"sha256": sha256(folder / name), "size": (folder / name).stat().st_size}
            for name in _files(folder)
        },
    }
    (folder / MANIFEST).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _files(folder: Path) -> list[str]:
    """Return the names of all files below a folder but the manifest, with `/` between folders."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return sorted(
        name for name in names if name != MANIFEST and name.split("/", 1)[0] not in _NOT_OURS
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a repository.

    Raises:
        ValueError: there is none, or it is not what `write_manifest` writes.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise ValueError(f"{folder}: has no {MANIFEST}; `lucaone hub export` makes one")
    try:
        content = json.loads(path.read_text("utf-8"))
        fits = content["format"] == FORMAT and content["kind"] in KINDS
        fits = fits and isinstance(content["card"], dict)
        for name, entry in content["files"].items():
            inside = not Path(name).is_absolute() and ".." not in Path(name).parts
            fits = fits and inside and {"sha256", "size"} <= entry.keys()
    except (ValueError, KeyError, TypeError, AttributeError):
        fits = False
    if not fits:
        raise ValueError(f"{path}: not a manifest of format {FORMAT}")
    return content


def check_files(folder: Path) -> list[str]:
    """Compare the files of a repository with its manifest.

    Returns:
        A line for each file that is missing, changed or not listed.

    Raises:
        ValueError: see `read_manifest`.
    """
    listed, there = read_manifest(folder)["files"], _files(folder)
    lines = [f"{name}: not listed in {MANIFEST}" for name in there if name not in listed]
    for name, entry in listed.items():
        file = folder / name
        if not file.is_file():
            lines.append(f"{name}: missing")
        elif file.stat().st_size != entry["size"]:
            lines.append(f"{name}: {file.stat().st_size:,} bytes, not {entry['size']:,}")
        elif (found := sha256(file)) != entry["sha256"]:
            lines.append(f"{name}: SHA-256 {found[:12]}..., not {entry['sha256'][:12]}...")
    return lines
