# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What the source model says of a few examples, and how that is compared."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

# In a folder of its own: what lies beside `config.json` is taken for weights.
REFERENCE = "verification/reference.safetensors"
ENCODER = "LucaOneModel"
# Relative L2 that the fidelity contract allows two ways of running the same thing in fp32.
LIMIT = 2e-5


class Failed(Exception):
    """A check that found something else than expected; the message says both."""


class Skipped(Exception):
    """A check that cannot be made here; the message says why."""


@dataclass(frozen=True)
class Reference:
    """Examples, and what the source model says of them in fp32.

    A single sequence has one side, a pair two, whose inputs end in `_a` and `_b`.

    Attributes:
        texts: for each side, the sequences.
        seq_types: for each side, their molecule types.
        config: fields of the source model's configuration.
        inputs: the padded batch; each (rows, length).
        outputs: by class of the model and name of the output; of outputs for each token those of
            real tokens, one sequence after another.
        logit_scale: how large a logit of a sequence or pair is taken to be at least: the norm of
            the weights that it is the sum of, root mean square over the labels. Rounding is as
            large as what is added up, however near to 0 the sum is. 0 for other models.
    """

    texts: list[list[str]]
    seq_types: list[list[str]]
    config: dict[str, Any]
    inputs: dict[str, Tensor]
    outputs: dict[str, dict[str, Tensor]]
    logit_scale: float = 0.0

    @classmethod
    def read(cls, folder: Path) -> "Reference":
        """Read what `write_reference` wrote."""
        inputs: dict[str, Tensor] = {}
        outputs: dict[str, dict[str, Tensor]] = {}
        with safe_open(folder / REFERENCE, "pt") as stored:
            about = json.loads(stored.metadata()["about"])
            for name in stored.keys():  # noqa: SIM118
                kind, _, rest = name.partition(".")
                if kind == "inputs":
                    inputs[rest] = stored.get_tensor(name)
                else:
                    model_class, _, output = rest.partition(".")
                    outputs.setdefault(model_class, {})[output] = stored.get_tensor(name)
        return cls(**about, inputs=inputs, outputs=outputs)

    def inputs_of(self, model_class: str) -> dict[str, Tensor]:
        """Return the batch as a class takes it: the encoder of a pair model has the first side."""
        if model_class != ENCODER or len(self.texts) == 1:
            return self.inputs
        return {
            name.removesuffix("_a"): tensor
            for name, tensor in self.inputs.items()
            if name.endswith("_a")
        }

    def tokens_of(self, row: int) -> Tensor:
        """Return the last hidden states of one sequence, (tokens, hidden_size)."""
        lengths = self.inputs_of(ENCODER)["attention_mask"].sum(-1).tolist()
        return self.outputs[ENCODER]["last_hidden_state"].split(lengths)[row]


def encode(tokenizer: Any, texts: list[list[str]], seq_types: list[list[str]]) -> dict[str, Tensor]:
    """Tokenize sequences, or the two sides of pairs, into a padded batch."""
    suffixes = ("",) if len(texts) == 1 else ("_a", "_b")
    return {
        f"{name}{suffix}": tensor
        for suffix, side, types in zip(suffixes, texts, seq_types, strict=True)
        for name, tensor in tokenizer(
            side, seq_type=types, padding=True, return_tensors="pt"
        ).items()
    }


def alone(inputs: dict[str, Tensor], row: int) -> dict[str, Tensor]:
    """Return one row of a batch without its padding."""
    result = {}
    for name, tensor in inputs.items():
        suffix = name[-2:] if name.endswith(("_a", "_b")) else ""
        length = int(inputs[f"attention_mask{suffix}"][row].sum())
        result[name] = tensor[[row], :length]
    return result


@torch.no_grad()
def answers(model: Callable[..., Any], inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the outputs of a model by name: its logits, or else its last hidden states.

    Returns:
        (tokens, width) for outputs of each token, padding left out, else (rows, labels).
    """
    outputs = model(**inputs)
    name = "logits" if "logits" in outputs else "last_hidden_state"
    found = outputs[name]
    named = {name: found}
    if isinstance(found, dict):
        named = {f"{name}.{task}": value for task, value in found.items()}
    return {
        name: value[inputs["attention_mask"].bool()] if value.dim() == 3 else value
        for name, value in named.items()
    }


def compare(
    found: dict[str, Tensor], expected: dict[str, Tensor], what: str, scale: float = 0.0
) -> float:
    """Return the largest relative L2 between outputs and those expected.

    Args:
        found: outputs by name.
        expected: those of the source model.
        what: the way of running it, for the message.
        scale: how large a number is taken to be at least, root mean square.

    Raises:
        Failed: it is above the limit, or outputs are of other names or shapes.
    """
    if found.keys() != expected.keys():
        raise Failed(f"{what}: outputs {sorted(found)}, not {sorted(expected)}")
    worst = 0.0
    for name, value in found.items():
        if value.shape != expected[name].shape:
            shapes = tuple(value.shape), tuple(expected[name].shape)
            raise Failed(f"{what}: {name} of shape {shapes[0]}, not {shapes[1]}")
        wanted = expected[name].double()
        size = max(float(wanted.norm()), scale * wanted.numel() ** 0.5) or 1.0
        distance = float((value.double() - wanted).norm()) / size
        if not distance <= LIMIT:
            raise Failed(
                f"{what}: {name} differs by {distance:.1e} from the source model's, above {LIMIT}"
            )
        worst = max(worst, distance)
    return worst
