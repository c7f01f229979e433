# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A folder of labelled records: where it may be, and what it says of itself."""

import json
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from embedding.outputs import replace_durably

from .summary import BuildSummary
from .vocabularies import Vocabularies

FORMAT = "lucaone-pretraining-data 1"
LIBRARIES = ("lucaone-hf", "biopython", "numpy", "pyarrow")


def check_place(output: Path) -> None:
    """Find out before the work whether a data folder may be written, or replaced, here.

    Raises:
        ValueError: its parent is missing, or something else than a data folder is there.
    """
    if not output.absolute().parent.is_dir():
        raise ValueError(f"{output}: there is no folder {output.parent}")
    if output.exists() and not output.is_dir():
        raise ValueError(f"{output}: there is a file of this name")
    if output.is_dir() and any(output.iterdir()) and read_facts(output) is None:
        raise ValueError(f"{output}: holds other files than a data folder of this command")


def read_facts(output: Path) -> dict[str, Any] | None:
    """Return what the `summary.json` of a data folder says; None if there is none."""
    try:
        facts = json.loads((output / "summary.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) and facts.get("format") == FORMAT else None


def write_facts(
    folder: Path, head: Mapping[str, Any], vocabularies: Vocabularies, summary: BuildSummary
) -> None:
    """Write `labels/` and `summary.json`, and put the names of labels into the summary.

    Args:
        folder: the data folder.
        head: what `summary.json` says first, behind format and versions.
        vocabularies: the names of labels.
        summary: what was counted.

    Raises:
        OSError: it cannot be written.
    """
    names = vocabularies.names()
    summary.name_labels(names)
    for task, lines in names.items():
        (folder / "labels").mkdir(exist_ok=True)
        write_text(folder / "labels" / f"{task}.txt", "\n".join((*lines, "")))
    facts = {"format": FORMAT, "versions": dict(_versions()), **head, **summary.counted()}
    content = json.dumps(facts, indent=1, ensure_ascii=False)
    write_text(folder / "summary.json", f"{content}\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file that appears when it is whole.

    Raises:
        OSError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(text, encoding="utf-8")
    replace_durably(temporary, path)


def _versions() -> Iterator[tuple[str, str]]:
    for name in LIBRARIES:
        try:
            yield name, version(name)
        except PackageNotFoundError:  # a reader that needs it says so
            continue
