# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A trained head of a published downstream network, and its encoder, to one model of ours.

The published networks (facts 6.1) were trained on stored features of an encoder, so that a
checkpoint holds the head alone: poolings and the layers behind them in `pytorch.pth`, and what they
are in `config.json`.
"""

from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from modeling_lucaone import (
    LucaOneConfig,
    LucaOneForPairClassification,
    LucaOneForSequenceClassification,
    LucaOneModel,
    LucaOnePreTrainedModel,
)
from tokenization import normalize_seq_type

from ..files import CheckpointError, check_destination, read_json, some_of
from .conversion import config_from, read_labels, renamed, without_prefix
from .model_files import ModelReport, read_tensors, read_weights, save_model

# The published networks: the summaries of our model, and what ends the names of their layers.
_NETWORKS = {
    "LucaBase": {"summary": ""},
    "LucaPPI": {"summaries.0": ""},
    "LucaPPI2": {"summaries.0": "_a", "summaries.1": "_b"},
}
_PROBLEM_TYPES = {
    ("binary_class", "bce"): "multi_label_classification",
    ("multi_class", "cce"): "single_label_classification",
    ("regression", "l2"): "regression",
}
_POOLINGS = ("max", "value_attention")
_ACTIVATION = "gelu"
# The dropout in front of the classifier; no file says it, but all were trained with it.
_DROPOUT = 0.1
_POS_WEIGHT = "loss_fct.criterion.pos_weight"


def convert_head(
    source: str | PathLike[str],
    dest: str | PathLike[str],
    *,
    encoder: str | PathLike[str],
    labels: str | PathLike[str] | None = None,
    seq_type: str | None = None,
) -> ModelReport:
    """Put a trained head on its encoder, strictly: every tensor is used, and none is made up.

    [CLS] and [SEP] are pooled as rows of zeros, as the published pipeline does it.

    Args:
        source: folder of the head.
        dest: folder to write; it must not exist or be empty. It is written whole or not at all.
        encoder: folder of a model of ours, whose features the head was trained on. A head that it
            may have itself is left out.
        labels: `label.txt` of the task: a line that is a header, then a name per line in the order
            of the ids.
        seq_type: molecule type of the sequences, which is stored with the tokenizer as its default;
            not for pairs of two kinds.

    Raises:
        CheckpointError: a file is missing or is not what it should be, a tensor is missing,
            superfluous or misshapen, or head and encoder do not fit. One line that names it.
        ValueError: an unknown `seq_type`.
    """
    source, dest = Path(source).absolute(), check_destination(dest)
    if seq_type is not None:
        seq_type = normalize_seq_type(seq_type)
    if not source.is_dir():
        raise CheckpointError(f"{source} is not a folder")
    settings = _Settings(source / "config.json")
    file = source / "pytorch.pth"
    stored = without_prefix(read_tensors(file), file)
    if inside := [name for name in stored if "encoder" in name]:
        raise CheckpointError(
            f"{file}: there is an encoder in the head (tensor {some_of(inside)}); such a head "
            "cannot be converted, because it is not known which tensor is which"
        )
    settings.check_pos_weight(stored.pop(_POS_WEIGHT, None), file)
    base, body = _read_encoder(Path(encoder).absolute())
    if base.hidden_size != settings.embedding_size:
        raise CheckpointError(
            f"{settings.file}: embedding_size is {settings.embedding_size}, but {encoder} has a "
            f"hidden_size of {base.hidden_size}"
        )
    if base.hidden_act != _ACTIVATION:
        raise CheckpointError(f"{encoder}: hidden_act is {base.hidden_act!r}, not {_ACTIVATION!r}")

    notes: list[str] = []
    fields = settings.fields()
    hidden = stored.get("hidden_layer.weight")
    if hidden is not None and hidden.dim() == 2:
        width = fields["classifier_hidden_size"] = len(hidden)
        if width != settings.classifier_size:
            notes.append(
                f"config.json says classifier_size {settings.classifier_size}, but hidden_layer is "
                f"{width} wide, which counts"
            )
    if seq_type is not None:
        if settings.network == "LucaPPI2":
            raise CheckpointError(
                f"{source} takes pairs of two kinds, so --seq-type has no meaning"
            )
        fields["seq_types"] = [seq_type] * (1 if settings.network == "LucaBase" else 2)
    if labels is not None:
        fields |= _label_fields(Path(labels).absolute(), settings)
    elif settings.problem_type != "regression":
        notes.append("the labels have no names; label.txt can be given with --labels")
    config = config_from(base.to_dict() | fields, source)
    model = _assemble(config, body, settings, stored, file, notes)
    report = save_model(model, dest, "head", seq_type, notes)
    report.classes = [type(model).__name__, "LucaOneModel"]
    return report


class _Settings:
    """The `config.json` of a head."""

    def __init__(self, file: Path):
        self.file = file
        self._content = read_json(file)
        self.network = self._one_of("network", tuple(_NETWORKS))
        self.pooling = self._one_of("pooling", _POOLINGS)
        self._one_of("activation", (_ACTIVATION,))
        mode, loss = self._get("output_mode"), self._get("loss")
        if (mode, loss) not in _PROBLEM_TYPES:
            raise CheckpointError(f"{file}: output_mode {mode!r} with loss {loss!r} is not known")
        self.problem_type = _PROBLEM_TYPES[mode, loss]
        self.embedding_size = self._size("embedding_size")
        self.classifier_size = self._size("classifier_size")
        self.fc_size = None if self._get("fc_size") is None else self._size("fc_size")
        self.num_labels = self._size("num_labels")
        self.binary = mode == "binary_class"
        if self.binary and self.num_labels != 2:
            raise CheckpointError(f"{file}: num_labels is {self.num_labels} of a binary_class")
        self.pos_weight = self._get("pos_weight")
        if not isinstance(self.pos_weight, int | float | None):
            raise CheckpointError(f"{file}: pos_weight is {self.pos_weight!r}, not a number")

    def _get(self, name: str) -> Any:
        if name not in self._content:
            raise CheckpointError(f"{self.file}: there is no {name}")
        return self._content[name]

    def _one_of(self, name: str, known: tuple[str, ...]) -> str:
        if (value := self._get(name)) not in known:
            raise CheckpointError(f"{self.file}: {name} is {value!r}; known: {', '.join(known)}")
        return value

    def _size(self, name: str) -> int:
        value = self._get(name)
        if not (isinstance(value, int) and value > 0):
            raise CheckpointError(f"{self.file}: {name} is {value!r}, not a positive whole number")
        return value

    def check_pos_weight(self, stored: Tensor | None, file: Path) -> None:
        """Compare the weight of the positives with the one stored in a loss, if there is one."""
        said = [] if self.pos_weight is None else [self.pos_weight]
        if stored is not None and stored.flatten().tolist() != torch.tensor(said).tolist():
            raise CheckpointError(
                f"{file}: {_POS_WEIGHT} is {stored.flatten().tolist()}, but config.json says "
                f"{self.pos_weight}"
            )

    def fields(self) -> dict[str, Any]:
        """Return the fields of our configuration that describe a classifier."""
        num_labels = 1 if self.binary else self.num_labels
        names = {number: f"LABEL_{number}" for number in range(num_labels)}
        return {
            "id2label": names,
            "label2id": {name: number for number, name in names.items()},
            "problem_type": self.problem_type,
            "classifier_encoder_layers": 0,
            "classifier_pooling": self.pooling,
            "classifier_fc_size": self.fc_size,
            "classifier_hidden_size": self.classifier_size,
            "classifier_dropout": _DROPOUT,
            "pooling_zero_special_rows": True,
            "pair_kind": "heterogeneous" if self.network == "LucaPPI2" else "homogeneous",
            "class_weights": None,
            "pos_weight": None if self.pos_weight is None else float(self.pos_weight),
            "seq_types": None,
            "max_residues": None,
            "pretraining_tasks": None,
            "label_names": None,
        }


def _label_fields(file: Path, settings: _Settings) -> dict[str, Any]:
    """Return the fields of our configuration that name the labels."""
    if settings.problem_type == "regression":
        raise CheckpointError(f"{file}: label names are given, but the head predicts a number")
    if not file.is_file():
        raise CheckpointError(f"{file} is not a file of label names")
    names = read_labels(file)
    if file.suffix != ".csv":  # whose header is left out already
        names = names[1:]
    if len(names) != settings.num_labels:
        raise CheckpointError(
            f"{file}: {len(names)} label names below the header, but the head has "
            f"{settings.num_labels} labels"
        )
    if len({*names, ""}) != len(names) + 1:
        raise CheckpointError(f"{file}: a label name is empty or there twice")
    predicted = names[1:] if settings.binary else names
    return {
        "label_names": {"classifier": names},
        "id2label": dict(enumerate(predicted)),
        "label2id": {name: number for number, name in enumerate(predicted)},
    }


def _read_encoder(folder: Path) -> tuple[LucaOneConfig, dict[str, Tensor]]:
    """Map the tensors of the encoder in a folder of ours; return them by their names in a head."""
    fields = read_json(folder / "config.json")
    if fields.get("model_type") != LucaOneConfig.model_type:
        raise CheckpointError(
            f"{folder}: model_type is {fields.get('model_type')!r}, not 'lucaone'; lucaone convert "
            "makes such a folder of a published checkpoint"
        )
    config = config_from(fields, folder)
    stored, file = read_weights(folder)
    # A model without a head is stored without this.
    prefix = "lucaone." if any(name.startswith("lucaone.") for name in stored) else ""
    own = tuple(f"{prefix}{part}." for part in ("embeddings", "encoder"))
    stored = {name: tensor for name, tensor in stored.items() if name.startswith(own)}
    with torch.device("meta"):
        expected = LucaOneModel(config).state_dict()
    tensors = renamed(stored, expected, {name: f"{prefix}{name}" for name in expected}, file)
    return config, {f"lucaone.{name}": tensor for name, tensor in tensors.items()}


def _assemble(
    config: LucaOneConfig,
    encoder: dict[str, Tensor],
    settings: _Settings,
    stored: dict[str, Tensor],
    file: Path,
    notes: list[str],
) -> LucaOnePreTrainedModel:
    """Build a model of an encoder, without a copy of it, and the tensors of a head."""
    single = settings.network == "LucaBase"
    model_class = LucaOneForSequenceClassification if single else LucaOneForPairClassification
    with torch.device("meta"):
        model = model_class(config)
    layers = {"classifier.hidden": "hidden_layer", "classifier.out_proj": "classifier"}
    for summary, side in _NETWORKS[settings.network].items():
        layers[f"{summary}.pooling"] = f"matrix_pooler{side}"
        layers[f"{summary}.fc"] = f"linear{side}.0.0"
    of_head = {n: t for n, t in model.state_dict().items() if not n.startswith("lucaone.")}
    names = {}
    for name in of_head:
        layer, _, parameter = name.rpartition(".")
        names[name] = f"{layers[layer]}.{parameter}"
    head = renamed(stored, of_head, names, file)
    dtype = encoder["lucaone.embeddings.embed_tokens.weight"].dtype
    for name, tensor in head.items():
        if not tensor.is_floating_point():
            raise CheckpointError(f"{file}: tensor {names[name]} is of dtype {tensor.dtype}")
        head[name] = tensor.to(dtype)
    if others := {str(tensor.dtype) for tensor in stored.values()} - {str(dtype)}:
        notes.append(f"the head was {some_of(others)} and is {dtype} now, as its encoder")
    model.load_state_dict(encoder | head, assign=True)
    return model
