# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Trained models of every kind, with random weights, and their inputs."""

import numpy as np
import pandas
import torch
from transformers import AutoModelForSequenceClassification

from modeling_lucaone import (
    LucaOneForPairClassification,
    LucaOneForSequenceClassification,
)
from tests.helpers import SAME_LIMIT, relative_l2, tiny_config
from tokenization import LucaOneTokenizerFast

PROTEINS = ["MKTAYIAKQRQISFVKSHFSRQ", "MSKGEELFTG", "MVLSPADKTNVKAAW", "MA", "MSKGEELFTG"]
GENES = ["ATGGCGTTTAGC", "TTTAAACCCGGGTTTAAACC", "ACGT", "ATGGCGTTTAGC", "GGGCCCAAATTTACG"]
NAMES = ["one", "two", "three", "four", "two"]
SINGLE, SEVERAL = "single_label_classification", "multi_label_classification"
# Problem, and the fields of the configuration that say so.
PROBLEMS = {
    "binary": {
        "problem_type": SEVERAL,
        "num_labels": 1,
        "id2label": {0: "yes"},
        "label_names": {"classifier": ["no", "yes"]},
    },
    "multi_class": {"problem_type": SINGLE, "id2label": {0: "A b", 1: "c,d", 2: "e"}},
    "multi_label": {"problem_type": SEVERAL, "id2label": {0: "x", 1: "y", 2: "z"}},
    "regression": {"problem_type": "regression", "num_labels": 1},
}


def save(model, folder):
    """Save a model; the logits of a classifier are spread evenly over what is predicted here."""
    if hasattr(model, "classifier") and hasattr(model.classifier, "out_proj"):
        types = model.config.seq_types or ["prot"] * (2 if hasattr(model, "summaries") else 1)
        sides = [{"gene": GENES, "prot": PROTEINS}[kind] for kind in types]
        last = model.classifier.out_proj
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name.startswith(("classifier.", "summar")) and parameter.dim() > 1:
                    parameter.normal_(std=0.3)
            logits = logits_of(model, sides, types)
            last.bias.sub_(logits.mean(0))
            last.weight.div_(logits.std(0)[:, None])
            last.bias.div_(logits.std(0))
    model.save_pretrained(folder)
    LucaOneTokenizerFast().save_pretrained(folder)
    return folder


@torch.no_grad()
def logits_of(model, sides, types):
    """The logits of a model, one record at a time."""
    tokenizer, rows = LucaOneTokenizerFast(), []
    names = ("",) if len(sides) == 1 else ("_a", "_b")
    for texts in zip(*sides, strict=True):
        inputs = {}
        for name, text, kind in zip(names, texts, types, strict=True):
            encoded = tokenizer(text, seq_type=kind, return_tensors="pt")
            inputs |= {f"{key}{name}": value for key, value in encoded.items()}
        rows.append(model.eval()(**inputs).logits[0])
    return torch.stack(rows)


def save_single(folder, problem="multi_class", **fields):
    torch.manual_seed(1)
    fields = {"seq_types": ["prot"]} | PROBLEMS[problem] | fields
    return save(LucaOneForSequenceClassification(tiny_config(**fields)), folder)


def save_pair(folder, kind, problem="multi_class", **fields):
    torch.manual_seed(2)
    types = ["gene" if kind == "heterogeneous" else "prot", "prot"]
    fields = {"pair_kind": kind, "seq_types": types} | PROBLEMS[problem] | fields
    return save(LucaOneForPairClassification(tiny_config(**fields)), folder)


def write_fasta(path, sequences):
    path.write_text("".join(f">{n} x\n{s}\n" for n, s in zip(NAMES, sequences, strict=True)))
    return path


def write_pairs(path, first, second, **columns):
    table = pandas.DataFrame(
        {
            "seq_id_a": [f"a{name}" for name in NAMES[: len(first)]],
            "seq_id_b": NAMES[: len(first)],
            "seq_a": first,
            "seq_b": second,
        }
        | columns
    )
    table.to_csv(path, index=False)
    return path


def one_by_one(folder, sides, types, auto_class=AutoModelForSequenceClassification):
    """What the Auto classes say, one record at a time."""
    model = auto_class.from_pretrained(folder)
    logits = logits_of(model, sides, types)
    if model.config.problem_type == "regression":
        return logits
    return logits.softmax(-1) if model.config.problem_type == SINGLE else logits.sigmoid()


def close(values, expected, limit=SAME_LIMIT):
    assert relative_l2(torch.tensor(np.array(values, dtype=float)), expected) < limit
    return True
