# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The small model of genes and proteins that ships with the package."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from transformers import AutoTokenizer, pipeline

import lucaone_nano
from benchmarks.nano_pairs import judge, judge_changed, real_genes, simulate_groups
from modeling_lucaone import AutoModelForPairClassification
from sequence_io.translation import read_codons
from tests.finetune.helpers import DATA, needs_data
from tests.helpers import REPOSITORY

PAIR = lucaone_nano.PATH / "pair"
CHLOROPLAST = DATA / "genbank" / "NC_000932.gb"
ROW = re.compile(r"^\| (own|others|accuracy|roc_auc) \| ([\d.]+) \| ([\d.]+) to ([\d.]+) \|$", re.M)
CHANGED = re.compile(r"^\| [^|]+ \| (\d+) \| (\d\.\d{3}) \|$", re.M)


@pytest.fixture(scope="module")
def card():
    return ModelCard.load(PAIR / "README.md")


@pytest.fixture(scope="module")
def results():
    return json.loads((PAIR / "results.json").read_text("utf-8"))


def test_it_is_small():
    assert sum(path.stat().st_size for path in PAIR.iterdir()) < 4_000_000


def test_the_auto_class_loads_every_tensor():
    model, report = AutoModelForPairClassification.from_pretrained(PAIR, output_loading_info=True)
    assert not any(report.values()), report
    assert model.config.seq_types == ["gene", "prot"]
    assert model.config.label_names == {"classifier": ["does not encode", "encodes"]}
    assert sum(one.numel() for one in model.parameters()) < 1_000_000


def test_the_pipeline_says_how_likely_the_gene_encodes_the_protein():
    model = AutoModelForPairClassification.from_pretrained(PAIR)
    tokenizer = AutoTokenizer.from_pretrained(PAIR)
    classify = pipeline("pair-classification", model=model, tokenizer=tokenizer)
    found = classify(("ATGAAATTTTAA", "MKF"), seq_type="gene", seq_type_pair="prot")
    inputs = {
        f"{name}_{side}": tensor
        for side, text, kind in (("a", "ATGAAATTTTAA", "gene"), ("b", "MKF", "prot"))
        for name, tensor in tokenizer(text, seq_type=kind, return_tensors="pt").items()
    }
    with torch.no_grad():
        expected = model(**inputs).logits.sigmoid().item()
    assert found == {"label": "encodes", "score": pytest.approx(expected, rel=1e-5)}


def test_the_card_holds_the_numbers_of_the_results(card, results):
    told = {
        (one.dataset_split, one.metric_type): one.metric_value for one in card.data.eval_results
    }
    expected = {
        (split, name): value
        for split, values in results["metrics"].items()
        for name, value in values.items()
    }
    assert told == pytest.approx(expected)
    for name, value in results["metrics"]["test"].items():
        assert re.search(rf"^\| \**{name}\** \| {value:.4f} ", card.text, re.M), name
    low, high = results["intervals"]["test"]["accuracy"]
    assert low > results["majority"]["accuracy"]
    assert f"[{low:.4f}, {high:.4f}]" in card.text


def test_what_it_cannot_do_goes_with_it_to_the_hub(card, results):
    """The notes of the results are what an exported card says; they are claims of this card."""
    claims = "".join(results["notes"])
    for number in ("0.937", "0.902", "0.965", "0.917", "0.957", "0.762", "0.857", "0.769"):
        assert number in claims and number in card.text


def test_nothing_names_a_machine_or_a_user():
    for path in PAIR.iterdir():
        if path.suffix in (".json", ".md"):
            text = path.read_text("utf-8")
            for place in (REPOSITORY, Path.home()):
                assert f"{place}/" not in text, path.name
            assert not re.search(r"(?<![\w.:/<])/(?:home|root|tmp|work|Users)/", text), path.name


@needs_data
def test_it_tells_the_real_pairs_of_a_chloroplast_as_the_card_claims(card):
    genes = real_genes([CHLOROPLAST])
    assert len(genes) == 84
    claimed = {name: tuple(map(float, values)) for name, *values in ROW.findall(card.text)}
    found = judge(str(PAIR), genes)
    assert claimed.keys() == found.keys()
    for name, values in found.items():
        assert values == pytest.approx(claimed[name], abs=0.01), name
    assert found["accuracy"][1] > 0.5, "the lower bound is no better than chance"


@needs_data
@pytest.mark.slow
def test_it_knows_changed_pairs_as_badly_as_the_card_says(card):
    found = judge_changed(str(PAIR), real_genes([CHLOROPLAST]))
    claimed = [(int(number), float(share)) for number, share in CHANGED.findall(card.text)]
    assert list(found.values()) == [
        (number, pytest.approx(share, abs=0.03)) for number, share in claimed
    ]


def test_simulated_genes_encode_their_own_protein_and_no_other():
    groups = list(simulate_groups(np.random.default_rng(0), 40, 4))
    assert len(groups) == 10
    for group in groups:
        assert len({len(gene.dna) for gene in group}) == 1
        for gene in group:
            assert gene.dna.startswith("ATG")
            assert read_codons(gene.dna, 11) == f"{gene.protein}*"
        assert len({gene.protein for gene in group}) == 4
