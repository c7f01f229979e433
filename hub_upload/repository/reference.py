# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a model says of a few examples, kept for whoever loads it elsewhere."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch.func import functional_call
from transformers import PreTrainedModel

from modeling_lucaone import LucaOneConfig
from modeling_lucaone.auto import MODEL_CLASSES
from modeling_lucaone.pooling import LucaOneClassifier

from .facts import ModelFacts
from .probe.values import ENCODER, REFERENCE, Reference, answers, encode

# As short as they can be and still show positions, padding, and letters that are no residue: a
# model with an output of 13,717 labels for every residue gives 72 kB for each of them.
EXAMPLES = {"gene": ("ATGGCNTTTA", "GCAU"), "prot": ("MKTAYXAK", "MSK")}
# What describes the network; a wrong epsilon can be too small a change for the outputs to show it.
CONFIG_FIELDS = [
    name
    for name in (*LucaOneConfig.__annotations__, "num_labels", "problem_type")
    if name != "label_names"  # which can be as large as all the rest
]


def write_reference(model: PreTrainedModel, tokenizer: Any, folder: Path) -> None:
    """Write what a model says of a few examples, as every class that the folder can be loaded as.

    Computed in fp32, whatever the dtype of the model. Memory: nothing beyond the model if it is
    in fp32, else once its parameters in fp32.

    Args:
        model: the source model, of the class that is stored, on the CPU.
        tokenizer: its tokenizer.
        folder: the repository, which has its configuration and tokenizer already.
    """
    facts = ModelFacts.read(folder)
    texts, seq_types = _examples(facts)
    inputs = encode(tokenizer, texts, seq_types)
    config = {name: getattr(model.config, name) for name in CONFIG_FIELDS}
    reference = Reference(texts, seq_types, config, inputs, {})
    loadable = {entry.rpartition(".")[2] for entry in facts.auto_map.values()}
    if (folder / "modules.json").is_file():
        loadable.add(ENCODER)
    tensors = {f"inputs.{name}": tensor for name, tensor in inputs.items()}
    for model_class in MODEL_CLASSES.values():
        name = model_class.__name__
        if name in loadable:
            outputs = _outputs(_seen_as(model, model_class), reference.inputs_of(name))
            tensors |= {f"outputs.{name}.{key}": value for key, value in outputs.items()}
    about: dict[str, Any] = {"texts": texts, "seq_types": seq_types, "config": config}
    if isinstance(classifier := getattr(model, "classifier", None), LucaOneClassifier):
        norms = classifier.out_proj.weight.detach().float().norm(dim=-1)
        about["logit_scale"] = float(norms.square().mean().sqrt())
    # One entry of metadata: safetensors writes several in any order.
    metadata = {"about": json.dumps(about, sort_keys=True)}
    (folder / REFERENCE).parent.mkdir(exist_ok=True)
    save_file(tensors, folder / REFERENCE, metadata=metadata)


def _examples(facts: ModelFacts) -> tuple[list[list[str]], list[list[str]]]:
    """Return sequences and molecule types, for each side; the last sequence is a short one."""
    if not facts.is_pair:
        pairs = [(text, kind) for kind in facts.input_types for text in EXAMPLES[kind]]
        return [[text for text, _ in pairs]], [[kind for _, kind in pairs]]
    first, second = facts.input_types[0], facts.input_types[-1]
    texts = [list(EXAMPLES[first]), list(reversed(EXAMPLES[second]))]
    return texts, [[kind] * len(side) for kind, side in zip((first, second), texts, strict=True)]


def _seen_as(model: PreTrainedModel, model_class: type[PreTrainedModel]) -> PreTrainedModel:
    """Return a model of another class that is made of the modules of this one."""
    if isinstance(model, model_class):
        return model.eval()
    if model_class.__name__ == ENCODER:
        return model.base_model.eval()
    with torch.device("meta"):
        seen = model_class(model.config)
    for name, module in model.named_children():
        if hasattr(seen, name):
            setattr(seen, name, module)
    return seen.eval()


def _outputs(model: PreTrainedModel, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Run a model in fp32."""
    parameters = {name: tensor.detach().float() for name, tensor in model.named_parameters()}
    return answers(lambda **batch: functional_call(model, parameters, kwargs=batch), inputs)
