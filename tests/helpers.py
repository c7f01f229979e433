# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What several tests share: the golden files, small random models and the measure of agreement."""

from pathlib import Path

import torch
from safetensors.torch import load_file

from modeling_lucaone import LucaOneConfig

REPOSITORY = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).resolve().parent / "golden"
VARIANTS = ("", "-halfrope")
BATCHES = ("mixed", "gene", "prot", "long")

# The limits of the fidelity contract.
GOLDEN_LIMIT = 2e-6
SAME_LIMIT = 2e-5
LOSS_LIMIT = 1e-5
BF16_LIMIT = 1e-2

TASKS = {
    task: {
        "level": level,
        "seq_type": task[:4],
        "num_labels": labels,
        "hidden_size": width,
        "problem_type": kind,
        "weight": weight,
    }
    for task, level, labels, width, kind, weight in [
        ("gene_mask", "token", 39, None, "single_label_classification", 1.0),
        ("prot_mask", "token", 39, None, "single_label_classification", 1.0),
        ("gene_type", "span", 8, 16, "single_label_classification", 0.2),
        ("prot_taxonomy", "sequence", 7, 18, "single_label_classification", 0.2),
        ("prot_keyword", "sequence", 10, 26, "multi_label_classification", 1.0),
        ("prot_structure", "structure", 3, 16, "regression", 1.0),
    ]
}


def relative_l2(result: torch.Tensor, expected: torch.Tensor) -> float:
    """Return |result - expected| / |expected|, in fp64."""
    result, expected = result.detach().double(), expected.detach().double()
    assert result.shape == expected.shape
    return ((result - expected).norm() / expected.norm()).item()


def expected_values(variant: str = "") -> dict[str, torch.Tensor]:
    """Return what the published code computed."""
    return load_file(GOLDEN / f"original-tiny{variant}" / "expected.safetensors")


def golden_inputs(expected: dict[str, torch.Tensor], batch: str) -> dict[str, torch.Tensor]:
    """Return the inputs of a golden batch."""
    names = ("input_ids", "attention_mask", "token_type_ids")
    return {name: expected[f"{batch}.{name}"] for name in names}


def tiny_config(**fields) -> LucaOneConfig:
    """Return the configuration of a model that runs in milliseconds."""
    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    return LucaOneConfig(**(small | {"classifier_dropout": 0.0} | fields))


def random_batch(lengths=(9, 17, 5), proteins=(True, False, True), seed=0, left=False):
    """Return a padded batch of random nucleic acids and proteins, [CLS] and [SEP] included."""
    generator = torch.Generator().manual_seed(seed)
    rows, length = len(lengths), max(lengths)
    batch = {
        name: torch.zeros(rows, length, dtype=torch.long)
        for name in ("input_ids", "attention_mask", "token_type_ids")
    }
    for row, (size, protein) in enumerate(zip(lengths, proteins, strict=True)):
        low, high = (10, 30) if protein else (5, 10)
        ids = torch.randint(low, high, (size,), generator=generator)
        ids[0], ids[-1] = 2, 3
        place = slice(length - size, length) if left else slice(0, size)
        batch["input_ids"][row, place] = ids
        batch["attention_mask"][row, place] = 1
        batch["token_type_ids"][row, place] = int(protein)
    return batch
