# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Trained models, found and loaded strictly; and what tells one from another."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError, safe_open
from transformers import AutoTokenizer

from modeling_lucaone import LucaOneConfig, LucaOneModel

from .hub import asking_the_hub, is_repo_id

# What a model consists of; never code, and no weights in a form that could carry any.
MODEL_FILES = ("*.json", "*.txt", "*.safetensors")
# What `config.json` of a repository says of the code beside it, which our commands never run.
CODE_ENTRIES = ("auto_map", "custom_pipelines")


def find_device(name: str | torch.device | None = None) -> torch.device:
    """Return a device by its name; with none, the GPU if there is one, else the CPU.

    Raises:
        ValueError: there is no such device here.
    """
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device {name}: {_first_line(error)}") from error
    return device


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextmanager
def _named(name: str, folder: Path) -> Iterator[None]:
    """Let whatever fails in loading be an error of one line that names the model.

    Args:
        name: of the model.
        folder: where it lies, which of a Hub repository says nothing to anybody.

    Raises:
        ValueError: anything failed.
    """
    try:
        yield
    except StrictDataclassError as error:
        raise ValueError(f"{name}: config.json: {_first_line(error.__cause__ or error)}") from error
    except Exception as error:  # a damaged file fails in any way
        reason = _first_line(error)
        if Path(name) != folder:
            reason = reason.replace(str(folder), name)
        raise ValueError(f"{name}: {reason}") from error


@dataclass(frozen=True)
class ModelSource:
    """Where a LucaOne model lies.

    Attributes:
        name: as asked for, a folder's last name for a folder.
        folder: the folder with its files.
        revision: the commit of a Hub repository, None for a folder.
        config: its configuration.
    """

    name: str
    folder: Path
    revision: str | None
    config: LucaOneConfig

    @property
    def place(self) -> str:
        """What messages call it: the folder, or the name on the Hub."""
        return self.name if self.revision else str(self.folder)

    def fingerprint(self) -> dict[str, str]:
        """Return the SHA-256 of the weights and of the configuration.

        Raises:
            ValueError: the folder holds no weights as safetensors.
        """
        weights = sorted(self.folder.glob("*.safetensors"))
        if not weights:
            raise ValueError(f"{self.place}: holds no weights (*.safetensors)")
        return {
            "weights_sha256": _sha256(weights),
            "config_sha256": _sha256([self.folder / "config.json"]),
        }


def _sha256(files: list[Path]) -> str:
    digests = [_digest(file, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    # One file's own digest can be compared with what the Hub shows.
    return (
        digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    )


@cache
def _digest(file: Path, size: int, changed: int) -> str:
    """Return the SHA-256 of a file as it now is; 7 GB take seconds, once for all who ask."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def find_model(model: str | os.PathLike[str], revision: str | None = None) -> ModelSource:
    """Find a model in a folder, or on the Hub, from where it is fetched if it is not here yet.

    Args:
        model: folder, or OWNER/NAME.
        revision: branch, tag or commit of a Hub repository.

    Raises:
        ValueError: there is no LucaOne model in a form that can be loaded; one line that says why.
    """
    name = os.fspath(model)
    folder, commit = Path(name), None
    if not folder.is_dir():
        # The library would ask the Hub for anything, also for a misspelt folder.
        if not is_repo_id(name):
            raise ValueError(
                f"{name}: there is no such folder, and a Hub repository is called OWNER/NAME"
            )
        at = "" if revision is None else f" at {revision}"
        with asking_the_hub(f"{name}{at} (no folder here, so looked for on the Hub)"):
            folder = Path(
                snapshot_download(name, revision=revision, allow_patterns=list(MODEL_FILES))
            )
        commit = folder.name
    elif revision is not None:
        raise ValueError(f"{name}: a folder has no revision {revision!r}; that is for the Hub")
    model_type = read_config(folder, name).get("model_type")
    if model_type == "lucaone_gplm":
        raise ValueError(f"{name}: a checkpoint in the original layout; `lucaone convert` it first")
    if model_type != LucaOneConfig.model_type:
        raise ValueError(f"{name}: a model of type {model_type!r}, not 'lucaone'")
    with _named(name, folder):
        config = LucaOneConfig.from_pretrained(folder)
    for entry in CODE_ENTRIES:  # of a Hub repository; a model made from this one carries no code
        vars(config).pop(entry, None)
    return ModelSource(name if commit else folder.resolve().name, folder, commit, config)


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """Return what `config.json` of a folder says, whatever model it is of.

    Args:
        folder: of the model.
        name: what messages call it.

    Raises:
        ValueError: there is none, or it cannot be read; one line that says why.
    """
    file = folder / "config.json"
    if not file.is_file():
        raise ValueError(f"{name}: holds no model, for it has no config.json")
    try:
        fields = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{name}: config.json cannot be read: {_first_line(error)}") from error
    if not isinstance(fields, dict):
        raise ValueError(f"{name}: config.json holds no JSON object")
    return fields


def load_model(source: ModelSource, model_class: type[Any] = LucaOneModel, **options: Any) -> Any:
    """Load a model strictly; heads that `model_class` does not have may stand beside it.

    Args:
        source: of `find_model`.
        model_class: `LucaOneModel` or a model with a head.
        options: as of `from_pretrained`, such as `dtype` and `attn_implementation`.

    Raises:
        ValueError: it cannot be loaded, or a tensor among those the model has is missing,
            superfluous or misshapen; one line that names it.
    """
    options = {"config": source.config} | options
    config = options["config"]
    expected = (config.vocab_size, config.hidden_size)
    for key, stored in tensor_shapes(source).items():
        # The library fails over this one without a word of it, for the LM head is tied to it.
        if key.endswith("embed_tokens.weight") and stored != expected:
            raise ValueError(f"{source.place}: tensor {key} is {stored}, not {expected}")
    with _named(source.place, source.folder):
        model, report = model_class.from_pretrained(
            source.folder, output_loading_info=True, ignore_mismatched_sizes=True, **options
        )
    for key, stored, expected in sorted(report["mismatched_keys"]):
        raise ValueError(f"{source.place}: tensor {key} is {tuple(stored)}, not {tuple(expected)}")
    for key in sorted(report["missing_keys"]):
        raise ValueError(f"{source.place}: tensor {key} is missing")
    own = ("lucaone.", "embeddings.", "encoder.")
    for key in sorted(report["unexpected_keys"]):
        if key.startswith(own):
            raise ValueError(f"{source.place}: tensor {key} does not belong to the encoder")
    return model.eval()


def tensor_shapes(source: ModelSource) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all tensors of a model by their names; none without safetensors.

    Raises:
        ValueError: a file of weights cannot be read.
    """
    shapes = {}
    for file in sorted(source.folder.glob("model*.safetensors")):
        try:
            with safe_open(file, "pt") as weights:
                for name in weights.keys():  # noqa: SIM118
                    shapes[name] = tuple(weights.get_slice(name).get_shape())
        except (OSError, SafetensorError) as error:
            raise ValueError(
                f"{source.place}: {file.name} cannot be read: {_first_line(error)}"
            ) from error
    return shapes


def load_tokenizer(source: ModelSource) -> Any:
    """Load the tokenizer of a model.

    Raises:
        ValueError: it cannot be loaded.
    """
    with _named(source.place, source.folder):
        return AutoTokenizer.from_pretrained(source.folder)
