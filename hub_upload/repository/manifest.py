# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`manifest.json`: the SHA-256 and the size of the files of a repository.

The card is not among them: its prose may be edited, here and on the Hub. What it claims is compared
with the other files instead, by `check_card`.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path, PureWindowsPath
from typing import Any

MANIFEST, CARD = "manifest.json", "README.md"
FORMAT = 1
KINDS = ("model", "adapter", "space")
# Written by the Hub itself, or by its client into a folder that it fetched.
NOT_OURS = frozenset({".gitattributes", ".cache", ".git"})
# Ends of the names of files that a careless reader would unpickle, which can run code.
PICKLES = (".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth")
_SHA256 = re.compile("[0-9a-f]{64}")


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_ours(name: str) -> bool:
    """Whether a file, by its name in a repository, is part of what is exported and pushed."""
    return NOT_OURS.isdisjoint(name.split("/"))


def is_inside(name: str) -> bool:
    """Whether a name can only be that of a file below its folder, on any system."""
    path = PureWindowsPath(name)  # which takes both kinds of slashes for what they are
    return not path.anchor and ".." not in path.parts


def repository_files(folder: Path) -> list[str]:
    """Return the names of all files of a repository, with `/` between folders."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return sorted(filter(is_ours, names))


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
            for name in filter(_is_listed, repository_files(folder))
        },
    }
    (folder / MANIFEST).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _is_listed(name: str) -> bool:
    return name not in (MANIFEST, CARD)


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
        fits = (
            content["format"] == FORMAT
            and content["kind"] in KINDS
            and isinstance(content["card"], dict)
            and all(isinstance(made, str) for made in content["made_with"].values())
            and all(
                is_inside(name)
                and _SHA256.fullmatch(entry["sha256"])
                and type(entry["size"]) is int
                for name, entry in content["files"].items()
            )
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        fits = False
    if not fits:
        raise ValueError(f"{path}: not a manifest of format {FORMAT}")
    return content


def check_files(folder: Path) -> list[str]:
    """Compare the files of a repository, all but its card, with its manifest.

    Returns:
        A line for each file that is missing, changed or not listed.

    Raises:
        ValueError: see `read_manifest`.
    """
    files = read_manifest(folder)["files"]
    listed = {name: entry for name, entry in files.items() if _is_listed(name)}
    there = filter(_is_listed, repository_files(folder))
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
