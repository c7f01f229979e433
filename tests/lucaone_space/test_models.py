# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The models behind the page, and what the page says where one lacks a head."""

import json
import shutil

import pytest
from safetensors.torch import load_file, save_file

import lucaone_nano
from embedding.models import find_model
from lucaone_space import build_app
from lucaone_space.models import PairModel, ShownModel, find_notes
from modeling_lucaone import LucaOneForPairClassification, LucaOneModel
from tests.helpers import GOLDEN, TASKS, tiny_config
from tokenization import LucaOneTokenizerFast


def save(model, folder):
    model.save_pretrained(folder)
    LucaOneTokenizerFast().save_pretrained(folder)
    return folder


def texts(app):
    """Return the HTML that stands on a page from the start."""
    return " ".join(
        block.value
        for block in app.blocks.values()
        if block.get_block_name() == "html" and block.value
    )


def test_one_model_in_memory():
    shown = ShownModel(lucaone_nano.PATH)
    assert shown.scorer.model is shown.annotator.model
    assert shown.embedder.model is shown.annotator.model.lucaone
    assert shown.seq_types == ["gene", "prot"]


def test_a_model_without_annotation_heads():
    shown = ShownModel(GOLDEN / "hub-tiny")
    assert shown.annotator is None
    assert shown.embedder.model is shown.scorer.model.lucaone
    said = texts(build_app(GOLDEN / "hub-tiny"))
    assert "This model annotates nothing: it has no heads" in said
    assert "predicts no letters" not in said


def test_an_encoder_alone(tmp_path):
    folder = save(LucaOneModel(tiny_config()), tmp_path / "encoder")
    shown = ShownModel(folder)
    assert shown.annotator is None and shown.scorer is None
    assert shown.embedder.encode("MKTAY", "prot").shape == (32,)
    said = texts(build_app(folder))
    assert "This model predicts no letters: it has no head" in said
    assert "lm_head" not in said and str(tmp_path) not in said


@pytest.mark.parametrize(
    ("lost", "problem"),
    [
        ("annotation_heads.gene_type.dense.bias", "annotation_heads.gene_type.dense.bias is miss"),
        ("annotation_heads.", "holds no annotation heads"),
        ("lm_head.", "tensor lm_head.* is missing"),
        ("lucaone.encoder.", "tensor lucaone.encoder.* is missing"),
    ],
)
def test_a_damaged_model_is_not_one_without_heads(tmp_path, lost, problem):
    folder = tmp_path / "damaged"
    shutil.copytree(lucaone_nano.PATH, folder, ignore=shutil.ignore_patterns("__pycache__"))
    weights = folder / "model.safetensors"
    kept = {name: one for name, one in load_file(weights).items() if not name.startswith(lost)}
    save_file(kept, weights, {"format": "pt"})
    with pytest.raises(ValueError, match=problem):
        ShownModel(folder)


def test_weights_that_cannot_be_read(tmp_path):
    folder = save(LucaOneModel(tiny_config()), tmp_path / "model")
    (folder / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ValueError, match=r"model\.safetensors cannot be read"):
        ShownModel(folder)


def test_the_page_says_what_training_left_to_be_known(tmp_path):
    nano = build_app(lucaone_nano.PATH)
    assert "trained on simulated records alone" in texts(nano)
    source = find_model(lucaone_nano.PATH)
    assert find_notes(source)[0] in texts(nano) and find_notes(source)[1] not in texts(nano)
    folder = save(LucaOneModel(tiny_config()), tmp_path / "model")
    source = find_model(folder)
    assert find_notes(source) == []
    for content, notes in (
        ({"notes": ["<b>one", 2]}, ["<b>one"]),
        ({"notes": "one"}, []),
        (["one"], []),
    ):
        (folder / "results.json").write_text(json.dumps(content))
        assert find_notes(source) == notes
    (folder / "results.json").write_text("{")
    assert find_notes(source) == []
    (folder / "results.json").write_text('{"notes": ["<b>one"]}')
    assert "&lt;b&gt;one" in texts(build_app(folder))


def test_a_model_of_one_molecule_type(tmp_path):
    model = LucaOneModel(tiny_config(pretraining_tasks={"gene_mask": TASKS["gene_mask"]}))
    assert ShownModel(save(model, tmp_path / "gene")).seq_types == ["gene"]


def test_no_model(tmp_path):
    with pytest.raises(ValueError, match="nowhere: there is no such folder"):
        build_app("nowhere")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ValueError, match="a model of type 'bert'"):
        build_app(tmp_path)


def test_without_a_model_of_pairs_the_tab_says_how():
    assert "lucaone demo --pair-model MODEL" in texts(build_app(GOLDEN / "hub-tiny"))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"num_labels": 3}, "says neither yes nor no: 3 outputs"),
        ({"num_labels": 1, "problem_type": "regression"}, "says neither yes nor no: 1 outputs"),
        ({"num_labels": 2, "pair_kind": "homogeneous"}, "reads two sequences of one kind"),
        (
            {"num_labels": 2, "seq_types": ["prot", "prot"]},
            "reads prot and prot, not gene and prot",
        ),
    ],
)
def test_models_that_do_not_judge_a_gene_and_a_protein(tmp_path, fields, problem):
    folder = save(LucaOneForPairClassification(tiny_config(**fields)), tmp_path / "pairs")
    with pytest.raises(ValueError, match=problem):
        PairModel(folder)


def test_a_model_that_takes_no_pairs():
    with pytest.raises(ValueError, match="not a model of pairs"):
        PairModel(lucaone_nano.PATH)


def test_two_classes_and_the_protein_first(tmp_path):
    config = tiny_config(
        id2label={0: "no", 1: "binds"}, seq_types=["prot", "gene"], max_residues=[3, 4]
    )
    pairs = PairModel(save(LucaOneForPairClassification(config), tmp_path / "pairs"))
    assert pairs.label == "binds" and pairs.max_residues == [4, 3]
    probability = pairs.probability("ACGT", "MKT")
    (no, yes) = pairs._classify(
        {"text": "MKT", "text_pair": "ACGT", "seq_type": "prot", "seq_type_pair": "gene"},
        top_k=None,
    )
    assert probability in (no["score"], yes["score"])
    assert pairs.probability("ACGTACGT", "MKTAY") == probability
