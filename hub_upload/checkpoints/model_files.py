# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Files of weights mapped without a second copy, and a model folder written whole."""

import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from modeling_lucaone import (
    LucaOneConfig,
    LucaOneForMaskedLM,
    LucaOneForPreTraining,
    LucaOnePreTrainedModel,
)
from tokenization import LucaOneTokenizerFast
from training_jobs import results

from ..files import CheckpointError, new_folder, read_json, some_of
from ..sentence_transformer_files import write_sentence_transformer_files

WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")


@dataclass
class ModelReport:
    """What was written; as text, a few lines for people.

    Attributes:
        layout: where the model comes from: `original`, `hub`, `esm2` or `new`.
        classes: the classes that load the folder with nothing missing, the stored one first.
        parameters: number of parameters, tied ones counted once.
        blocks: number of blocks.
        tasks: the pre-training tasks of the configuration, empty if it names none.
        notes: what the caller should know, one sentence each.
    """

    layout: str
    classes: list[str]
    parameters: int
    blocks: int
    tasks: list[str]
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [
            f"layout      {self.layout}",
            f"classes     {', '.join(self.classes)}",
            f"parameters  {self.parameters:,}",
            f"blocks      {self.blocks}",
            f"tasks       {', '.join(self.tasks) or 'none named'}",
        ]
        return "\n".join([*lines, *(f"note        {note}" for note in self.notes)])


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Map the tensors of a safetensors file or of a state dict written by `torch.save`.

    Nothing is executed, and the tensors stay in the file until they are used.

    Raises:
        CheckpointError: the file is missing, damaged, or holds more than a state dict of tensors.
    """
    if not path.is_file():
        raise CheckpointError(f"{path.parent} has no {path.name}")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        # The format before torch 1.6 is no zip archive and cannot be mapped.
        mmap = zipfile.is_zipfile(path)
        stored = torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    except Exception:  # a damaged file fails in any way
        raise CheckpointError(
            f"{path}: damaged, or it holds pickled objects beside tensors, which are never executed"
        ) from None
    if not isinstance(stored, dict):
        raise CheckpointError(f"{path}: holds a {type(stored).__name__} and not a state dict")
    for name, value in stored.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise CheckpointError(
                f"{path}: entry {name!r} is no tensor, so this is not a plain state dict"
            )
    return stored


def read_weights(folder: Path) -> tuple[dict[str, Tensor], Path]:
    """Map the tensors of a folder in the layout of transformers, in one file or in shards.

    Returns:
        The tensors by name, and the file, or the index of the shards, to name in errors.

    Raises:
        CheckpointError: there are no weights, a shard is missing or damaged, or the index and the
            shards disagree.
    """
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return read_tensors(folder / name), folder / name
        index = folder / f"{name}.index.json"
        if index.is_file():
            return _read_shards(index), index
    raise CheckpointError(f"{folder} has no {' or '.join(WEIGHT_FILES)}, whole or in shards")


def _read_shards(index: Path) -> dict[str, Tensor]:
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointError(f"{index}: no weight_map")
    tensors: dict[str, Tensor] = {}
    for shard in sorted(set(weight_map.values())):
        if Path(shard).name != shard:
            raise CheckpointError(f"{index}: shard {shard!r} is not a file name")
        part = read_tensors(index.parent / shard)
        listed = {name for name, file in weight_map.items() if file == shard}
        if missing := listed - part.keys():
            raise CheckpointError(f"{index.parent / shard}: tensor {some_of(missing)} is missing")
        if extra := part.keys() - listed:
            raise CheckpointError(
                f"{index.parent / shard}: tensor {some_of(extra)} is not listed in {index.name}"
            )
        tensors |= part
    return tensors


def model_class(config: LucaOneConfig) -> type[LucaOnePreTrainedModel]:
    """Return the class that holds all of a checkpoint: with annotation heads where it has some."""
    tasks = (config.pretraining_tasks or {}).values()
    has_heads = any(settings["level"] != "token" for settings in tasks)
    return LucaOneForPreTraining if has_heads else LucaOneForMaskedLM


def only_seq_type(config: LucaOneConfig) -> str | None:
    """Return the molecule type of a model whose tasks are all of one type, else None."""
    tasks = (config.pretraining_tasks or {}).values()
    seq_types = {settings["seq_type"] for settings in tasks}
    return seq_types.pop() if len(seq_types) == 1 else None


def save_model(
    model: LucaOnePreTrainedModel, dest: Path, layout: str, seq_type: str | None, notes: list[str]
) -> ModelReport:
    """Save a model with its tokenizer, all or nothing.

    Args:
        model: the model.
        dest: a folder that does not exist or is empty.
        layout: for the report.
        seq_type: default of the tokenizer; None for that of the tasks, if they have only one.
        notes: for the report.

    Raises:
        CheckpointError: see `check_destination`.
        ValueError: an unknown `seq_type`.
    """
    notes = list(notes)
    if seq_type is None and (seq_type := only_seq_type(model.config)):
        notes.append(f"every task is of type {seq_type}, so the tokenizer has it as its default")
    tokenizer = LucaOneTokenizerFast(seq_type=seq_type)
    with new_folder(dest) as folder:
        results.save_model(model, None, folder)
        tokenizer.save_pretrained(folder)
        write_sentence_transformer_files(folder)
    classes = ["LucaOneForMaskedLM", "LucaOneModel"]
    if model.config.pretraining_tasks is not None:
        stored_first = isinstance(model, LucaOneForPreTraining)
        classes.insert(0 if stored_first else 1, "LucaOneForPreTraining")
    return ModelReport(
        layout=layout,
        classes=classes,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        blocks=model.config.num_hidden_layers,
        tasks=list(model.config.pretraining_tasks or {}),
        notes=notes,
    )
