# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a repository's own files say of its model; nothing here is typed by hand."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from safetensors import safe_open

from finetune.classifiers import ADAPTER
from modeling_lucaone import LucaOneConfig
from modeling_lucaone.pipelines import HUB_AUTO_CLASS
from training_jobs.markdown import TYPE_NAMES

from ..files import CheckpointError, one_line, read_json


@dataclass(frozen=True)
class ModelFacts:
    """Facts of a model, or of an adapter, read from its folder.

    Attributes:
        stored_class: class that the weights are of, such as `LucaOneForPreTraining`.
        auto_map: Auto class to class, for what the folder can be loaded as.
        adapter: whether the weights are those of a LoRA adapter.
        parameters: number of stored parameters, tied ones once.
        dtypes: of the parameters.
        weight_bytes: size of the weight files.
        blocks: number of blocks of the encoder.
        width: channels of its hidden states.
        heads: attention heads of each block.
        vocabulary: number of tokens.
        input_types: molecule types that it takes, `gene` and `prot`; of a pair model one for each
            side, which are only an example if `types_stated` is false.
        types_stated: whether the configuration of a classifier says what it takes.
        default_type: molecule type that the tokenizer takes where none is given, if any.
        tasks: pre-training tasks and their numbers of labels.
        labels: names of a classifier's labels; a binary one has two, the negative first.
        outputs: numbers that a classifier gives, for each sequence, residue or pair.
        problem: `config.problem_type` of a classifier.
        max_residues: longest sequences that a classifier saw, one number for each of its inputs.
    """

    stored_class: str
    auto_map: dict[str, str]
    adapter: bool
    parameters: int
    dtypes: tuple[str, ...]
    weight_bytes: int
    blocks: int
    width: int
    heads: int
    vocabulary: int
    input_types: tuple[str, ...]
    types_stated: bool
    default_type: str | None
    tasks: dict[str, int]
    labels: tuple[str, ...]
    outputs: int
    problem: str | None
    max_residues: tuple[int, ...]

    @classmethod
    def read(cls, folder: Path) -> "ModelFacts":
        """Read the facts of a repository.

        Raises:
            CheckpointError: a file is missing or damaged.
        """
        fields = read_json(folder / "config.json")
        config = _config(folder / "config.json", fields)
        files = sorted(folder.glob("*.safetensors"))
        shapes: dict[str, tuple[int, ...]] = {}
        dtypes = set()
        for file in files:
            with safe_open(file, "pt") as stored:
                for name in stored.keys():  # noqa: SIM118
                    if name.endswith("rot_emb.inv_freq"):  # frequencies, which are no parameters
                        continue
                    tensor = stored.get_slice(name)
                    shapes[name] = tuple(tensor.get_shape())
                    dtypes.add(str(tensor.get_dtype()))
        tasks = config.pretraining_tasks or {}
        classifier = "Classification" in (config.architectures or [""])[0]
        return cls(
            stored_class=(config.architectures or ["LucaOneModel"])[0],
            auto_map=dict(fields.get("auto_map") or {}),
            adapter=(folder / ADAPTER).is_file(),
            parameters=sum(math.prod(shape) for shape in shapes.values()),
            dtypes=tuple(sorted(dtypes)),
            weight_bytes=sum(file.stat().st_size for file in files),
            blocks=config.num_hidden_layers,
            width=config.hidden_size,
            heads=config.num_attention_heads,
            vocabulary=config.vocab_size,
            input_types=input_types(config),
            types_stated=bool(config.seq_types),
            default_type=read_json(folder / "tokenizer_config.json").get("seq_type"),
            tasks={name: settings["num_labels"] for name, settings in tasks.items()},
            labels=_labels(config) if classifier else (),
            outputs=config.num_labels if classifier else 0,
            problem=config.problem_type if classifier else None,
            max_residues=tuple(config.max_residues or ()) if classifier else (),
        )

    @property
    def is_pair(self) -> bool:
        """Whether it takes pairs of sequences."""
        return self.stored_class == "LucaOneForPairClassification"

    def _loaded_by(self) -> str:
        """Name the Auto classes; the one that only a pipeline looks up is left out."""
        if self.adapter:
            return "an adapter of peft on its base model"
        return ", ".join(
            name for name in self.auto_map if name not in ("AutoConfig", HUB_AUTO_CLASS)
        )

    def _prediction(self) -> str:
        """Say what a classifier gives."""
        if self.problem == "regression":
            return "a number" if self.outputs == 1 else f"{self.outputs:,} numbers"
        if self.outputs == 1:
            return "yes or no: " + " or ".join(reversed(self.labels))
        kind = "any of" if self.problem == "multi_label_classification" else "one of"
        return f"{kind} {self.outputs:,} labels"

    def rows(self) -> dict[str, str]:
        """Return the facts as text, in the order of the card's table."""
        types = [TYPE_NAMES[kind] for kind in self.input_types]
        rows = {
            "class": self.stored_class,
            "loads as": self._loaded_by(),
            "parameters": f"{self.parameters:,}" + (" (the adapter's)" if self.adapter else ""),
            "stored as": f"{', '.join(self.dtypes)}, {self.weight_bytes:,} bytes",
            "blocks": str(self.blocks),
            "width": str(self.width),
            "attention heads": str(self.heads),
            "vocabulary": f"{self.vocabulary} tokens",
            "input": " with ".join(types) if self.is_pair else ", ".join(types),
        }
        if self.problem and not self.types_stated:
            rows["input"] = "the configuration does not state which molecules"
        if self.default_type:
            rows["molecule type where none is given"] = TYPE_NAMES[self.default_type]
        if self.tasks:
            rows["pre-training tasks"] = ", ".join(
                f"{task} ({count:,} labels)" for task, count in self.tasks.items()
            )
        if self.problem:
            rows["predicts"] = self._prediction()
        if self.max_residues:
            rows["longest input in training"] = (
                " and ".join(f"{length:,}" for length in self.max_residues) + " letters"
            )
        return rows


def _config(path: Path, fields: dict[str, Any]) -> LucaOneConfig:
    try:
        return LucaOneConfig.from_dict(fields)
    except (ValueError, TypeError, StrictDataclassError) as error:
        raise CheckpointError(f"{path}: {one_line(error)}") from None


def input_types(config: LucaOneConfig) -> tuple[str, ...]:
    """Return the molecule types that a model takes, as `ModelFacts.input_types`."""
    if config.seq_types:
        return tuple(config.seq_types)
    if (config.architectures or [""])[0] == "LucaOneForPairClassification":
        return ("gene", "prot") if config.pair_kind == "heterogeneous" else ("prot", "prot")
    tasks = (config.pretraining_tasks or {}).values()
    known = {settings["seq_type"] for settings in tasks}
    return tuple(kind for kind in TYPE_NAMES if kind in known or not known)


def _labels(config: LucaOneConfig) -> tuple[str, ...]:
    named: dict[str, Any] = config.label_names or {}
    if "classifier" in named:
        return tuple(named["classifier"])
    return tuple(config.id2label[number] for number in sorted(config.id2label))
