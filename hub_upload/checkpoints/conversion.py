# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A published checkpoint to a saved model of ours, with all that is in it.

Two layouts were published. The original one holds the whole model, annotation heads included:
`config.json`, `pytorch.pth`, and the arguments of the run in the first line of `logs.txt`. The Hub
repositories hold the encoder and the LM head: `config.json` and `model.safetensors`.
"""

import csv
import itertools
import json
import re
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor

from modeling_lucaone import LucaOneConfig, LucaOnePreTrainedModel
from tokenization import normalize_seq_type

from ..files import CheckpointError, check_destination, one_line, read_json, some_of
from .model_files import ModelReport, model_class, read_tensors, read_weights, save_model

_LAYOUTS = {"lucaone_gplm": "original", "lucaone": "hub"}
# The levels by their published names; this is also the order of the heads in a checkpoint.
_LEVELS = {
    "token_level": "token",
    "span_level": "span",
    "seq_level": "sequence",
    "structure_level": "structure",
}
# What a task predicts and the loss it was trained with.
_PROBLEM_TYPES = {
    ("multi_class", "cce"): "single_label_classification",
    ("multi_label", "bce"): "multi_label_classification",
    ("regression", "l1"): "regression",
}
# Fields of config.json that the arguments of the run overrule.
_SWITCHED_OFF = ("token_dropout", "use_embed_layer_norm", "use_last_layer_norm")
_DTYPES = ("float32", "bfloat16", "float16")


def convert(
    source: str | PathLike[str],
    dest: str | PathLike[str],
    *,
    logs: str | PathLike[str] | None = None,
    labels: str | PathLike[str] | None = None,
    seq_type: str | None = None,
    dtype: str | None = None,
) -> ModelReport:
    """Convert a published checkpoint, strictly: every tensor is used, and none is made up.

    Args:
        source: folder in the original layout or in that of the Hub repositories.
        dest: folder to write; it must not exist or be empty. It is written whole or not at all.
        logs: `logs.txt` of an original checkpoint, or its folder. If not given it is looked for
            beside the checkpoint and in the `logs` tree that mirrors its `models` tree.
        labels: folder with files of label names, `TASK_LEVEL_label*.txt`, a name per line.
        seq_type: default molecule type to store with the tokenizer; if not given, that of the
            tasks where they have only one.
        dtype: `float32`, `bfloat16` or `float16`; that of the checkpoint if not given. Rotary
            frequencies stay in fp32.

    Raises:
        CheckpointError: a file is missing or is not what it should be, a tensor is missing,
            superfluous or misshapen, or tensors contradict one another. One line that names it.
        ValueError: an unknown `seq_type` or `dtype`.
    """
    source, dest = Path(source).absolute(), check_destination(dest)
    if seq_type is not None:
        seq_type = normalize_seq_type(seq_type)
    if dtype is not None and dtype not in _DTYPES:
        raise ValueError(f"unknown dtype {dtype!r}: choose {', '.join(_DTYPES)}")
    if not source.is_dir():
        raise CheckpointError(f"{source} is not a folder")
    fields = read_json(source / "config.json")
    layout = _LAYOUTS.get(fields.get("model_type", ""))
    notes: list[str] = []
    if layout == "original":
        model = _read_original(source, fields, logs, labels, notes)
    elif layout == "hub":
        if logs is not None:
            raise CheckpointError(f"{source} has the layout of the Hub, which knows no --logs")
        model = _read_hub(source, fields, labels, notes)
        seq_type = seq_type or _stored_seq_type(source)
    elif "network" in fields:
        raise CheckpointError(f"{source} holds a trained head; give its encoder with --encoder")
    else:
        raise CheckpointError(
            f"{source / 'config.json'}: model_type is {fields.get('model_type')!r}, not that of a "
            "published checkpoint, 'lucaone_gplm' (original) or 'lucaone' (Hub)"
        )
    if dtype is not None:
        model.to(getattr(torch, dtype))
    return save_model(model, dest, layout, seq_type, notes)


def _read_original(
    source: Path,
    fields: dict[str, Any],
    logs: str | PathLike[str] | None,
    labels: str | PathLike[str] | None,
    notes: list[str],
) -> LucaOnePreTrainedModel:
    """Read a checkpoint in the original layout; what is to be reported is added to `notes`."""
    logs_file = find_logs(source, logs)
    arguments = read_arguments(logs_file)
    tasks = tasks_of(arguments, logs_file)
    file = source / "pytorch.pth"
    stored = without_prefix(read_tensors(file), file)
    blocks = _count_blocks(stored, file)

    said = fields.get("num_hidden_layers")
    if said != blocks:
        notes.append(f"config.json says {said} blocks, but {file.name} holds {blocks}, which count")
    for name, value in _overruled(arguments).items():
        if fields.get(name, value) != value:
            notes.append(f"config.json says {name} {fields[name]}, but the run had {value}")
        fields[name] = value
    fields |= {"num_hidden_layers": blocks, "pretraining_tasks": tasks}
    # With this field a configuration is read as a published one.
    fields.setdefault("alphabet", "gene_prot")
    config = config_from(fields, source)
    if labels is not None:
        _add_labels(config, Path(labels), notes)

    heads = []
    for task, settings in tasks.items():
        if settings["level"] != "token":
            heads.append(task)
        elif settings["num_labels"] != config.vocab_size:
            raise CheckpointError(
                f"{logs_file}: task {task} has {settings['num_labels']} labels, but config.json "
                f"says {config.vocab_size} tokens"
            )
    return _assemble(config, stored, file, lambda name: _original_name(name, heads))


def without_prefix(stored: dict[str, Tensor], file: Path) -> dict[str, Tensor]:
    """Take off the `module.` that a model trained on several GPUs was saved with.

    Raises:
        CheckpointError: a tensor is there with it and without.
    """
    renamed: dict[str, Tensor] = {}
    for name, tensor in stored.items():
        short = name.removeprefix("module.")
        if short in renamed:
            raise CheckpointError(f"{file}: tensor {short} is there twice, as module.{short} too")
        renamed[short] = tensor
    return renamed


def _count_blocks(stored: dict[str, Tensor], file: Path) -> int:
    numbers = {int(match[1]) for name in stored if (match := re.match(r"layers\.(\d+)\.", name))}
    blocks = next(number for number in itertools.count() if number not in numbers)
    if blocks < max(len(numbers), 1):
        raise CheckpointError(f"{file}: there are no tensors layers.{blocks}.*")
    return blocks


def _read_hub(
    source: Path, fields: dict[str, Any], labels: str | PathLike[str] | None, notes: list[str]
) -> LucaOnePreTrainedModel:
    """Read a checkpoint in the Hub layout, whose names are ours."""
    config = config_from(fields, source)
    if config.pretraining_tasks is None:
        notes.append("the checkpoint has no annotation heads")
    if labels is not None:
        _add_labels(config, Path(labels), notes)
    return _assemble(config, *read_weights(source))


def config_from(fields: dict[str, Any], source: Path) -> LucaOneConfig:
    """Return a configuration of ours from the fields of the one in a folder.

    Raises:
        CheckpointError: a field is not what it should be.
    """
    try:
        return LucaOneConfig.from_dict({**fields, "model_type": LucaOneConfig.model_type})
    except (ValueError, TypeError, StrictDataclassError) as error:
        raise CheckpointError(f"{source / 'config.json'}: {one_line(error)}") from None


def _stored_seq_type(source: Path) -> str | None:
    """Return the default molecule type that a tokenizer beside the checkpoint has stored."""
    file = source / "tokenizer_config.json"
    return read_json(file).get("seq_type") if file.is_file() else None


def find_logs(source: Path, logs: str | PathLike[str] | None = None) -> Path:
    """Return the `logs.txt` of an original checkpoint.

    Args:
        source: absolute path of the checkpoint's folder.
        logs: the file or its folder, where it is known.

    Raises:
        CheckpointError: it is not there; the message says where it was looked for.
    """
    if logs is not None:
        given = Path(logs).absolute()
        candidates = [given / "logs.txt" if given.is_dir() else given]
    else:
        candidates = [source / "logs.txt", *_mirrored_logs(source)]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    places = ", ".join(map(str, candidates))
    raise CheckpointError(
        f"no logs.txt, which says what tasks {source} was trained on: looked for {places}; "
        "give it with --logs"
    )


def _mirrored_logs(source: Path) -> Iterator[Path]:
    """Yield where logs.txt may stand for .../models/A/B: .../logs/A/B, .../logs/A, .../logs."""
    for models in source.parents:
        if models.name == "models":
            mirrored = models.with_name("logs") / source.relative_to(models)
            yield from (
                folder / "logs.txt"
                for folder in (mirrored, *mirrored.parents)
                if folder.is_relative_to(models.with_name("logs"))
            )


def read_arguments(file: Path) -> dict[str, Any]:
    """Return the arguments of a run, the JSON object in the first line of its `logs.txt`.

    Raises:
        CheckpointError: the first line is something else.
    """
    with file.open(encoding="utf-8", errors="replace") as lines:
        line = lines.readline()
    try:
        arguments = json.loads(line)
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        raise CheckpointError(f"{file}: the first line is not the JSON object of a run's arguments")
    return arguments


def tasks_of(arguments: dict[str, Any], file: Path) -> dict[str, dict[str, Any]]:
    """Return the tasks of a run as `config.pretraining_tasks` has them, heads in their order.

    Raises:
        CheckpointError: an argument is missing, or a task is of a kind that we do not have.
    """
    try:
        listed = arguments["pretrain_tasks"]
        if unknown := [level for level in listed if listed[level] and level not in _LEVELS]:
            raise CheckpointError(f"{file}: unknown level {unknown[0]!r} in pretrain_tasks")
        return {
            task: _task(arguments, level, task, file)
            for level in _LEVELS
            for task in listed.get(level) or ()
        }
    except KeyError as error:
        raise CheckpointError(f"{file}: the run's arguments have no {error}") from None
    except (TypeError, AttributeError):
        raise CheckpointError(
            f"{file}: pretrain_tasks, label_size, classifier_size, output_mode, loss_type and "
            "loss_weights are not dictionaries of tasks"
        ) from None


def _task(arguments: dict[str, Any], level: str, task: str, file: Path) -> dict[str, Any]:
    kind = arguments["output_mode"][level][task], arguments["loss_type"][level][task]
    if kind not in _PROBLEM_TYPES:
        raise CheckpointError(f"{file}: task {task!r} predicts {kind[0]!r} with loss {kind[1]!r}")
    seq_type = task.partition("_")[0]
    if seq_type not in ("gene", "prot"):
        raise CheckpointError(f"{file}: task {task!r} is neither of a gene nor of a protein")
    # The mask tasks have the LM head; their classifier size has no effect (facts 2.1).
    sizes = {"num_labels": arguments["label_size"][level][task], "hidden_size": None}
    if level != "token_level":
        sizes["hidden_size"] = arguments["classifier_size"][level][task]
    for size in sizes.values():
        if size is not None and not (isinstance(size, int) and size > 0):
            raise CheckpointError(f"{file}: task {task!r} has a size of {size!r}")
    return {
        "level": _LEVELS[level],
        "seq_type": seq_type,
        "problem_type": _PROBLEM_TYPES[kind],
        "weight": float(arguments["loss_weights"][task]),
        **sizes,
    }


def _overruled(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of config.json that the arguments of the run set (facts 9, trap 1)."""
    fields = {
        name: not arguments[f"no_{name}"] for name in _SWITCHED_OFF if f"no_{name}" in arguments
    }
    if "dropout_prob" in arguments:
        fields["classifier_dropout_prob"] = arguments["dropout_prob"]
    return fields


def _original_name(name: str, heads: list[str]) -> str:
    """Return what the original layout calls one of our tensors."""
    if name == "lm_head.decoder.weight":
        return "lm_head.weight"
    if name.startswith("annotation_heads."):
        _, task, layer, kind = name.split(".")
        module = {"dense": "hidden_layer_list", "out_proj": "classifier_list"}[layer]
        return f"{module}.{heads.index(task)}.{kind}"
    return re.sub(r"^lucaone\.(embeddings|encoder)\.", "", name)


def _assemble(
    config: LucaOneConfig,
    stored: dict[str, Tensor],
    file: Path,
    stored_name: Callable[[str], str] = str,
) -> LucaOnePreTrainedModel:
    """Build a model around stored tensors, without a copy of them.

    Args:
        config: its configuration.
        stored: the tensors of the checkpoint.
        file: where they come from, for errors.
        stored_name: from our name of a tensor to that in the checkpoint.

    Raises:
        CheckpointError: a tensor is missing, superfluous or misshapen, the two tied matrices or
            the rotary frequencies of the blocks differ, or dtypes are mixed.
    """
    with torch.device("meta"):
        model = model_class(config)(config)
    expected = model.state_dict()
    names = {name: stored_name(name) for name in expected}
    dtypes = sorted(
        {str(t.dtype) for name, t in stored.items() if not name.endswith("rot_emb.inv_freq")}
    )
    if len(dtypes) > 1 or not all(t.is_floating_point() for t in stored.values()):
        raise CheckpointError(f"{file}: tensors of dtype {' and '.join(dtypes)}, not of one float")
    for tied, source in model.all_tied_weights_keys.items():
        stored = _with_tied(stored, names[tied], names[source], file)
    tensors = renamed(stored, expected, names, file)
    rotary = [name for name in expected if name.endswith("rot_emb.inv_freq")]
    tensors |= {name: tensors[name].float() for name in rotary}
    for name in rotary:
        if not torch.equal(tensors[name], tensors[rotary[0]]):
            raise CheckpointError(
                f"{file}: tensor {names[name]} differs from {names[rotary[0]]}, but all blocks "
                "have the same rotary frequencies"
            )
    model.load_state_dict(tensors, assign=True)
    model.tie_weights()
    return model


def renamed(
    stored: dict[str, Tensor], expected: dict[str, Tensor], names: dict[str, str], file: Path
) -> dict[str, Tensor]:
    """Return stored tensors by our names, each of them once.

    Args:
        stored: the tensors of a checkpoint.
        expected: tensors of the shapes that they should have, by our names.
        names: from our name of a tensor to that in the checkpoint.
        file: where they come from, for errors.

    Raises:
        CheckpointError: a tensor is missing, superfluous or misshapen.
    """
    if missing := set(names.values()) - stored.keys():
        raise CheckpointError(f"{file}: tensor {some_of(missing)} is missing")
    if extra := stored.keys() - set(names.values()):
        raise CheckpointError(f"{file}: tensor {some_of(extra)} has no place in the model")
    for name, tensor in expected.items():
        if (shape := stored[names[name]].shape) != tensor.shape:
            raise CheckpointError(
                f"{file}: tensor {names[name]} is {tuple(shape)}, but by the configuration it "
                f"should be {tuple(tensor.shape)}"
            )
    return {name: stored[names[name]] for name in expected}


def _with_tied(stored: dict[str, Tensor], tied: str, source: str, file: Path) -> dict[str, Tensor]:
    """Complete two tied tensors of which the checkpoint stores only one."""
    present = [stored[name] for name in (tied, source) if name in stored]
    if len(present) == 2 and not torch.equal(*present):
        raise CheckpointError(
            f"{file}: tensors {tied} and {source} differ, but the LM head of LucaOne is its token "
            "embedding"
        )
    return {**stored, **dict.fromkeys((tied, source), present[0])} if present else stored


def _add_labels(config: LucaOneConfig, folder: Path, notes: list[str]) -> None:
    """Put the label names of the annotation tasks into the configuration."""
    tasks = {
        task: settings
        for task, settings in (config.pretraining_tasks or {}).items()
        if settings["level"] != "token"
    }
    if not tasks:
        raise CheckpointError(f"{folder}: label names are given, but there are no annotation heads")
    if not folder.is_dir():
        raise CheckpointError(f"{folder} is not a folder of label names")
    label_names = {}
    for task, settings in tasks.items():
        file = _label_file(folder, task, settings["level"])
        if file is None:
            notes.append(f"{folder} has no label names of task {task}")
            continue
        label_names[task] = read_labels(file)
        if len(label_names[task]) != settings["num_labels"]:
            raise CheckpointError(
                f"{file}: {len(label_names[task])} label names, but task {task} has "
                f"{settings['num_labels']} labels"
            )
    if not label_names:
        names = [_label_file_start(task, settings["level"]) for task, settings in tasks.items()]
        raise CheckpointError(f"{folder} has no file of label names, such as {names[0]}.txt")
    config.label_names = label_names


def _label_file_start(task: str, level: str) -> str:
    """Return how the published name of a task's label file begins."""
    published = {ours: theirs for theirs, ours in _LEVELS.items()}
    return f"{task}_{published[level]}_label"


def _label_file(folder: Path, task: str, level: str) -> Path | None:
    published = {ours: theirs for theirs, ours in _LEVELS.items()}[level]
    found = sorted(
        file
        for ending in ("txt", "csv")
        for file in folder.glob(f"{task}_{published}_label*.{ending}")
    )
    if len(found) > 1:
        raise CheckpointError(f"{folder}: {found[0].name} and {found[1].name} both name {task}")
    return found[0] if found else None


def read_labels(file: Path) -> list[str]:
    """Return label names in the order of their ids: lines of a .txt, or of a .csv with a header.

    Raises:
        CheckpointError: the file is no text, or a line of a .csv has not one column.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise CheckpointError(f"{file}: not UTF-8 text ({one_line(error)})") from None
    if file.suffix != ".csv":
        return [line.strip() for line in lines]
    rows = list(csv.reader(lines))[1:]
    if odd := [number for number, row in enumerate(rows, 2) if len(row) != 1]:
        raise CheckpointError(f"{file}: line {odd[0]} has {len(rows[odd[0] - 2])} columns, not one")
    return [row[0].strip() for row in rows]
