# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A fresh model: all random, or with the blocks of ESM-2, as the published one began."""

import re
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor

from modeling_lucaone import LucaOneConfig, LucaOnePreTrainedModel
from tokenization import normalize_seq_type

from ..files import CheckpointError, check_destination, one_line, read_json, some_of
from .model_files import ModelReport, model_class, read_weights, save_model

# The row of each token in ESM-2 and in LucaOne (facts 1.4): <cls>, <pad>, <eos>, <unk>, the 25
# letters in the same order, ".", "-", the null token (our "*") and <mask>. Nucleotides and J have
# no row there.
ESM2_ROWS = {0: 2, 1: 0, 2: 3, 3: 1, **{row: row + 6 for row in range(4, 29)}}
ESM2_ROWS |= {29: 36, 30: 37, 31: 38, 32: 4}
ESM2_VOCAB_SIZE = 33
# The published model has the first 20 of the 36 blocks.
PUBLISHED_BLOCKS = 20

_EMBEDDING, _ESM2_EMBEDDING = (
    "lucaone.embeddings.embed_tokens.weight",
    "esm.embeddings.word_embeddings.weight",
)
_ESM2_MODULES = {
    "lucaone.encoder.last_layer_norm": "esm.encoder.emb_layer_norm_after",
    "lm_head.dense": "lm_head.dense",
    "lm_head.layer_norm": "lm_head.layer_norm",
}
_ESM2_BLOCK_MODULES = {
    "pre_layer_norm": "attention.LayerNorm",
    "self_attn.q_proj": "attention.self.query",
    "self_attn.k_proj": "attention.self.key",
    "self_attn.v_proj": "attention.self.value",
    "self_attn.out_proj": "attention.output.dense",
    "post_layer_norm": "LayerNorm",
    "fc1": "intermediate.dense",
    "fc2": "output.dense",
}


def initialize(
    dest: str | PathLike[str],
    *,
    from_esm2: str | PathLike[str] | None = None,
    seq_type: str | None = None,
    seed: int = 0,
    **config_fields: Any,
) -> ModelReport:
    """Write a fresh model with its tokenizer, annotation heads as `pretraining_tasks` has them.

    With `from_esm2` it starts as the published model did (facts 1.4): blocks, final norm, dense
    layer and norm of the LM head, and token rows are those of ESM-2; molecule types, nucleotides,
    the letter J, the bias of the LM head and the annotation heads are fresh. ESM-2's token dropout
    is not carried over: it multiplies embeddings by 0.88 where nothing is masked, LucaOne does not.

    Args:
        dest: folder to write; it must not exist or be empty. It is written whole or not at all.
        from_esm2: folder of an ESM-2 checkpoint with its LM head, in the layout of transformers.
        seq_type: default molecule type to store with the tokenizer; if not given, that of the
            tasks where they have only one.
        seed: of all that is random.
        config_fields: fields of `LucaOneConfig`. With `from_esm2` the widths are those of ESM-2,
            and `num_hidden_layers`, if not given, is 20 or as many as ESM-2 has.

    Raises:
        CheckpointError: `dest` is not empty, or the ESM-2 folder is not what it should be.
        ValueError: an unknown or impossible field of the configuration, or an unknown `seq_type`.
    """
    dest = check_destination(dest)
    if seq_type is not None:
        seq_type = normalize_seq_type(seq_type)
    if unknown := config_fields.keys() - LucaOneConfig.__dataclass_fields__.keys():
        raise ValueError(f"unknown field of the configuration: {some_of(unknown)}")
    if from_esm2 is not None:
        source = Path(from_esm2).absolute()
        config_fields = _esm2_fields(source, config_fields)
    try:
        config = LucaOneConfig(**config_fields)
    except StrictDataclassError as error:
        raise ValueError(one_line(error)) from None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = model_class(config)(config)
    if from_esm2 is None:
        return save_model(model, dest, "new", seq_type, [f"random weights of seed {seed}"])
    notes = _transplant(model, *read_weights(source))
    return save_model(model, dest, "esm2", seq_type, notes)


def _esm2_fields(source: Path, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of our configuration for a model that starts from an ESM-2 checkpoint."""
    file = source / "config.json"
    esm2 = read_json(file)
    for name, needed in (
        ("model_type", "esm"),
        ("position_embedding_type", "rotary"),
        ("vocab_size", ESM2_VOCAB_SIZE),
    ):
        if esm2.get(name) != needed:
            raise CheckpointError(f"{file}: {name} is {esm2.get(name)!r}; ESM-2 has {needed!r}")
    if esm2.get("emb_layer_norm_before"):
        raise CheckpointError(f"{file}: emb_layer_norm_before is set, which ESM-2 does not have")
    try:
        there = esm2["num_hidden_layers"]
        widths = {
            name: esm2[name] for name in ("hidden_size", "num_attention_heads", "intermediate_size")
        }
    except KeyError as error:
        raise CheckpointError(f"{file}: no {error}") from None
    widths["layer_norm_eps"] = esm2.get("layer_norm_eps", 1e-5)
    widths["rope_parameters"] = {
        "rope_type": "default",
        "rope_theta": esm2.get("rope_theta", 10000.0),
    }
    if fixed := widths.keys() & fields.keys():
        raise ValueError(f"{some_of(fixed)} comes from the ESM-2 checkpoint and cannot be given")
    blocks = fields.get("num_hidden_layers", min(PUBLISHED_BLOCKS, there))
    if blocks > there:
        raise CheckpointError(f"{file}: ESM-2 has {there} blocks here, not the {blocks} asked for")
    return {**fields, **widths, "num_hidden_layers": blocks}


def _esm2_name(name: str) -> str | None:
    """Return what ESM-2 calls one of our tensors; None if it has no such tensor."""
    module, _, kind = name.rpartition(".")
    if match := re.fullmatch(r"lucaone\.encoder\.layers\.(\d+)\.(.+)", module):
        inner = _ESM2_BLOCK_MODULES.get(match[2])
        return f"esm.encoder.layer.{match[1]}.{inner}.{kind}" if inner else None
    return f"{_ESM2_MODULES[module]}.{kind}" if module in _ESM2_MODULES else None


@torch.no_grad()
def _transplant(model: LucaOnePreTrainedModel, stored: dict[str, Tensor], file: Path) -> list[str]:
    """Copy what ESM-2 has into a fresh model, and return notes on it.

    Raises:
        CheckpointError: a tensor is missing or misshapen, or the rotary frequencies differ.
    """
    # transformers 5 writes the norms of ESM under these older names.
    stored = {
        name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
            "LayerNorm.beta", "LayerNorm.bias"
        ): tensor
        for name, tensor in stored.items()
    }

    def take(name: str, shape: torch.Size) -> Tensor:
        if name not in stored:
            raise CheckpointError(f"{file}: tensor {name} is missing")
        if stored[name].shape != shape:
            raise CheckpointError(
                f"{file}: tensor {name} is {tuple(stored[name].shape)}, but by config.json it "
                f"should be {tuple(shape)}"
            )
        return stored[name]

    tensors = model.state_dict()
    for name, tensor in tensors.items():
        if theirs := _esm2_name(name):
            tensor.copy_(take(theirs, tensor.shape))
    embedding = tensors[_EMBEDDING]
    rows = take(_ESM2_EMBEDDING, torch.Size((ESM2_VOCAB_SIZE, embedding.shape[1])))
    embedding[list(ESM2_ROWS.values())] = rows[list(ESM2_ROWS)].to(embedding.dtype)

    blocks = model.config.num_hidden_layers
    notes = [f"the first {blocks} blocks, the norms, the LM head and 33 token rows are of {file}"]
    # One for each block in published files, one for all in newer ones.
    names = sorted(name for name in stored if name.endswith("rotary_embeddings.inv_freq"))
    if not names:
        return [*notes, "it stores no rotary frequencies, so they are computed"]
    for name in names:
        if not torch.equal(stored[name], stored[names[0]]):
            raise CheckpointError(f"{file}: rotary frequencies {name} and {names[0]} differ")
    for name, tensor in tensors.items():
        if name.endswith("rot_emb.inv_freq"):
            tensor.copy_(take(names[0], tensor.shape))
    return [*notes, "the rotary frequencies are the stored ones"]
