# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Small models, labelled tables and the published kind of folder, as tests of runs need them."""

import csv
import random

import pytest
import torch

from modeling_lucaone import LucaOneModel
from tests.helpers import REPOSITORY, tiny_config
from tokenization import LucaOneTokenizerFast

DATA = REPOSITORY.parent / "shared" / "data"
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real sequences (../shared/data) are not beside the repository"
)
LETTERS = {"gene": "ACGT", "prot": "ACDEFGHIKLMNPQRSTVWY"}
# Of a network that trains in a second.
SMALL = ("encoder_size=16", "encoder_heads=2", "hidden_size=8")


def make_model(folder, **fields):
    """Write a model with random weights and its tokenizer; return its folder."""
    torch.manual_seed(0)
    LucaOneModel(tiny_config(**fields)).save_pretrained(folder)
    LucaOneTokenizerFast().save_pretrained(folder)
    return folder


def letters(kind, length, seed):
    """Return a random sequence."""
    return "".join(random.Random(seed).choices(LETTERS[kind], k=length))


def write_table(path, columns, rows):
    """Write a CSV file, and the folder it lies in; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def read_table(path):
    """Return the rows of a CSV file as dictionaries."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write_proteins(path, count=24, label=lambda number: "ab"[number % 2], length=12):
    """Write random proteins with labels; return the path of the table."""
    rows = [
        [f"p{number}", "prot", letters("prot", length + number % 5, number), label(number)]
        for number in range(count)
    ]
    return write_table(path, ["seq_id", "seq_type", "seq", "label"], rows)


def write_pairs(path, count=24, proteins=4):
    """Write pairs of random genes with a few proteins, which recur; return the path."""
    columns = ["seq_id_a", "seq_id_b", "seq_type_a", "seq_type_b", "seq_a", "seq_b", "label"]
    rows = [
        [
            f"g{number}",
            f"p{number % proteins}",
            "gene",
            "prot",
            letters("gene", 20, number),
            letters("prot", 15, number % proteins),
            number % 2,
        ]
        for number in range(count)
    ]
    return write_table(path, columns, rows)
