# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What is known of each published checkpoint; `checkpoints.toml` is the one place for it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CATALOGUE = Path(__file__).with_name("checkpoints.toml")
# Of the published training runs: records read at once, and steps for each update of the weights.
GPUS, ACCUMULATION = 8, 32
# How the published label files call the levels of the tasks that have them.
_LEVELS = {
    "type": "span",
    "homo": "span",
    "site": "span",
    "domain": "span",
    "taxonomy": "seq",
    "keyword": "seq",
    "structure": "structure",
}


@dataclass(frozen=True, kw_only=True)
class PublishedCheckpoint:
    """A published checkpoint.

    Attributes:
        name: what `lucaone hub republish` calls it.
        about: what it is, a sentence.
        steps: the number in its published name: records read by one of 8 GPUs.
        layouts: `original`, `hub` or both.
        tasks: pre-training tasks, in the order of the run.
        blocks: number of blocks.
        width: channels of the hidden states.
        heads: attention heads of each block.
        hub: its published repository on the Hub, where known.
        license: of the weights, by the Hub's identifier, where known.
        license_source: where the licence was read.
    """

    name: str
    about: str
    steps: int
    layouts: tuple[str, ...]
    tasks: tuple[str, ...]
    blocks: int
    width: int
    heads: int
    hub: str | None = None
    license: str | None = None
    license_source: str | None = None

    @property
    def updates(self) -> int:
        """Number of updates of the weights."""
        return self.steps // ACCUMULATION

    @property
    def records(self) -> int:
        """Number of records read in training."""
        return self.steps * GPUS

    def steps_in_words(self) -> str:
        """Say what the number in the name means."""
        return (
            f"{self.steps:,} steps count what one of {GPUS} GPUs read, a record at a time, and are "
            f"no updates: every {ACCUMULATION} of them made one, so there were {self.updates:,} "
            f"updates over {self.records:,} records."
        )


def label_file(task: str) -> str | None:
    """Return the published file with the names of a task's labels; mask tasks have none."""
    level = _LEVELS.get(task.partition("_")[2])
    return f"{task}_{level}_level_label_v2.txt" if level else None


def read_catalogue(path: Path = CATALOGUE) -> dict[str, PublishedCheckpoint]:
    """Return the published checkpoints by name.

    Raises:
        ValueError: the file is damaged.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        entries = []
        for entry in content["checkpoint"]:
            fields: dict[str, Any] = content["shape"] | entry
            lists = {key: tuple(v) for key, v in fields.items() if isinstance(v, list)}
            entries.append(PublishedCheckpoint(**(fields | lists)))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: {error}") from None
    return {entry.name: entry for entry in entries}


def find_checkpoint(name: str, path: Path = CATALOGUE) -> PublishedCheckpoint:
    """Return a published checkpoint.

    Raises:
        ValueError: there is none of this name; the message lists those there are.
    """
    catalogue = read_catalogue(path)
    if name not in catalogue:
        raise ValueError(f"unknown checkpoint {name!r}; published are {', '.join(catalogue)}")
    return catalogue[name]
