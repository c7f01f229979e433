# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The small trained model that ships with the package."""

import math

import pandas
import torch
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer

import lucaone_cli
import lucaone_nano
from tests.helpers import REPOSITORY


def test_it_is_small():
    assert (lucaone_nano.PATH / "model.safetensors").stat().st_size <= 10_000_000


def test_the_auto_classes_load_it():
    model = AutoModel.from_pretrained(lucaone_nano.PATH)
    tokenizer = AutoTokenizer.from_pretrained(lucaone_nano.PATH)
    inputs = tokenizer(
        ["ACGT", "MKV"], seq_type=["gene", "prot"], padding=True, return_tensors="pt"
    )
    hidden = model(**inputs).last_hidden_state
    assert hidden.shape == (2, 6, model.config.hidden_size)


def test_it_has_learned_which_letters_are_likely():
    """Better than saying always how frequent the letters of its own alphabet are."""
    model = AutoModelForMaskedLM.from_pretrained(lucaone_nano.PATH).eval()
    tokenizer = AutoTokenizer.from_pretrained(lucaone_nano.PATH)
    protein = "MSKGEELFTGVVPILVELDGDVNGHKFSVSGEGEGDATYGKLTLKFICTTGKLPVPWPTL"
    masked = "".join("[MASK]" if i % 7 == 3 else letter for i, letter in enumerate(protein))
    inputs = tokenizer(masked, seq_type="prot", return_tensors="pt")
    asked = inputs["input_ids"] == tokenizer.mask_token_id
    labels = tokenizer(protein, seq_type="prot", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        loss = model(**inputs, labels=labels.masked_fill(~asked, -100)).loss.item()
    assert loss < math.log(20)


def test_the_command_line_takes_it(tmp_path):
    source, output = REPOSITORY / "sequence_io" / "sample.fasta", tmp_path / "out.parquet"
    given = [str(source), str(output), "--model", str(lucaone_nano.PATH), "--seq-type", "header"]
    assert lucaone_cli.main(["embed", *given, "--device", "cpu"]) == 0
    assert len(pandas.read_parquet(output)) == source.read_text().count(">")
