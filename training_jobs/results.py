# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What every training leaves: a model, and results as JSON."""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import yaml
from huggingface_hub import metadata_load
from torch import Tensor

# An identifier of the Hub, such as apache-2.0.
LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]*")
# What is held in memory at once while writing, where safetensors copies what it writes.
MAX_SHARD_SIZE = "5GB"
# What begins with /, ~, . or .. and has folders in it; the last name is kept.
_PATH = re.compile(r"(?<![\w/<])(?:~|\.{1,2})?(?:/[^\s/:;,|'\"`()<>]+)+/?")
# What is nothing but a path, which may have blanks in it.
_WHOLE_PATH = re.compile(r"(?:file:/|~?(?=/)|[A-Za-z]:(?=[\\/])|(?=\\\\))[^:\n]*")
# Where a / is part of a label.
_LABELS = ("label_names", "label_counts", "labels")


def save_model(model: Any, state_dict: dict[str, Tensor] | None, folder: Path) -> None:
    """Save a model as safetensors.

    Args:
        model: with its weights.
        state_dict: these, where processes share them out; else None.
        folder: that is there.
    """
    model.save_pretrained(folder, state_dict=state_dict, max_shard_size=MAX_SHARD_SIZE)
    share_weights(folder)


def share_weights(folder: Path) -> None:
    """Let those read the weights who may read the configuration; safetensors makes them private.

    Args:
        folder: of a model, whose weights may lie in folders within it.
    """
    for file in folder.rglob("*.safetensors"):
        file.chmod((folder / "config.json").stat().st_mode)


def save_results(results: dict[str, Any], command: str, folder: Path) -> None:
    """Write `results.json`, with the command that made them and null where a number is none."""
    text = json.dumps({"command": command, **_plain(results)}, indent=1)
    (folder / "results.json").write_text(text, "utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def read_results(output: Path, command: str) -> dict[str, Any]:
    """Read the results of a run.

    Args:
        output: its folder.
        command: that makes such folders.

    Raises:
        ValueError: the folder is none of these.
    """
    try:
        results = json.loads((output / "results.json").read_text("utf-8"))
        if isinstance(results, dict) and results.get("command") == command:
            return results
    except (OSError, ValueError):
        pass
    raise ValueError(
        f"{output}: is there already and no result of `lucaone {command}`; choose another name"
    )


def stated_license(folder: Path) -> str | None:
    """Return the licence that the card of a model states, by the Hub's identifier, if it does.

    Args:
        folder: of the model, with its `README.md` if it has one.
    """
    card = folder / "README.md"
    try:
        stated = (metadata_load(card) or {}).get("license") if card.is_file() else None
    except (ValueError, yaml.YAMLError):
        return None
    # A list, or `other` with a text of its own, says more than one identifier.
    known = isinstance(stated, str) and LICENSE.fullmatch(stated) and stated != "other"
    return stated if known else None


def without_folders(value: Any) -> Any:
    """Return results without the folders of a machine in any text or key; labels stay."""
    if isinstance(value, Mapping):
        return {
            without_folders(key): item if key in _LABELS else without_folders(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_folders(item) for item in value]
    if isinstance(value, str):
        if _WHOLE_PATH.fullmatch(value):
            return PureWindowsPath(value).name  # which knows both kinds of slashes
        return _PATH.sub(lambda path: PurePosixPath(path[0]).name, value)
    return value
