# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Encoders by their names; one-hot rows and random weights."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from finetune.features import FeatureStore, TypedSequence, open_backbone
from finetune.features.hub_encoder import HubEncoder
from finetune.features.lucaone import LucaOneBackbone, RandomLucaOne
from tests.helpers import GOLDEN, relative_l2
from tests.hub_upload.hub_server import serve

HUB = GOLDEN / "hub-tiny"
GENE, PROTEIN = TypedSequence("gene", "ACGUn"), TypedSequence("prot", "MKX-")


def test_names(tiny_bert):
    folder = tiny_bert()
    backbones = [open_backbone(name) for name in (str(HUB), f"random:{HUB}", str(folder))]
    assert [type(backbone) for backbone in backbones] == [
        LucaOneBackbone,
        RandomLucaOne,
        HubEncoder,
    ]
    assert [backbone.name for backbone in backbones] == ["hub-tiny", "random:hub-tiny", "bert"]
    assert [backbone.width for backbone in backbones] == [64, 64, 16]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("no folder", {}, "no folder: there is no such folder, and a Hub repository is called"),
        ("random:nothing", {}, "nothing: there is no such folder"),
        (str(HUB), {"rows": "median"}, "unknown rows 'median'; known are residues, mean, max, cls"),
        (str(HUB), {"dtype": "float33"}, "unknown dtype 'float33'"),
        (str(HUB), {"dtype": "nn"}, "unknown dtype 'nn'"),
        (str(HUB), {"device": "abacus"}, "device abacus: "),
        ("one-hot", {"rows": "cls"}, "one-hot: has no row of"),
        (str(GOLDEN / "original-tiny"), {}, "original-tiny: "),
        (str(GOLDEN), {}, "golden: holds no model"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(name, options, message):
    with pytest.raises(ValueError, match=message) as error:
        open_backbone(name, **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("[]", "config.json holds no JSON object"),
        ("{", "config.json cannot be read: Expecting"),
        ("[" * 100_000, "config.json cannot be read: maximum recursion depth"),
    ],
    ids=["list", "cut short", "nested"],
)
def test_a_damaged_configuration(tmp_path, config, message):
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(ValueError) as error:
        open_backbone(str(tmp_path))
    assert str(error.value).startswith(f"{tmp_path}: {message}")


def test_from_the_hub(tmp_path, monkeypatch):
    with serve(tmp_path / "hub") as server:
        server.connect(monkeypatch, tmp_path / "home")
        server.store.create("someone/model")
        server.store.commit(
            "someone/model", {file.name: file.read_bytes() for file in HUB.iterdir()}
        )
        assert isinstance(open_backbone("someone/model"), LucaOneBackbone)
        assert isinstance(open_backbone("random:someone/model"), RandomLucaOne)
        with pytest.raises(ValueError, match=r"^someone/other \(no folder here.*\): not there, or"):
            open_backbone("someone/other")
        with pytest.raises(ValueError, match=r"^someone/model .*: there is no such revision"):
            open_backbone("someone/model", revision="v2")


def test_one_hot_rows_are_the_token_ids(tmp_path):
    """A, C, G, U, n are tokens 5, 7, 8, 6, 9; M, K, X, - are 26, 21, 30, 37 (facts 1.5)."""
    store = FeatureStore(tmp_path / "store", open_backbone("one-hot"))
    report = store.fill([GENE, PROTEIN, GENE])
    assert (report.distinct, report.computed, report.reused) == (2, 0, 2)
    assert store.width == 39 and GENE in store
    for sequence, ids in ((GENE, [5, 7, 8, 6, 9]), (PROTEIN, [26, 21, 30, 37])):
        expected = torch.zeros(len(ids), 39)
        expected[range(len(ids)), ids] = 1
        assert torch.equal(store[sequence], expected)
    assert not (tmp_path / "store").exists()


def test_one_hot_rows_of_a_sequence(tmp_path):
    text = TypedSequence("gene", "AACG")
    mean = FeatureStore(tmp_path, open_backbone("one-hot", rows="mean"))[text]
    highest = FeatureStore(tmp_path, open_backbone("one-hot", rows="max"))[text]
    assert mean.shape == highest.shape == (1, 39)
    assert mean[0, [5, 7, 8]].tolist() == [0.5, 0.25, 0.25] and mean.sum() == 1
    assert highest[0, [5, 7, 8]].tolist() == [1, 1, 1] and highest.sum() == 3


def test_random_weights_are_others_and_stay(tmp_path):
    (tmp_path / "model").mkdir()
    shutil.copy(HUB / "config.json", tmp_path / "model")  # it takes nothing else of the model
    for file in HUB.glob("*to*"):
        shutil.copy(file, tmp_path / "model")
    name = f"random:{tmp_path / 'model'}"
    store = FeatureStore(tmp_path, open_backbone(name, device="cpu"))
    trained = FeatureStore(tmp_path, open_backbone(str(HUB), device="cpu"))
    state = torch.random.get_rng_state()
    for each in (store, trained):
        each.fill([PROTEIN])
    assert torch.equal(torch.random.get_rng_state(), state)
    assert relative_l2(store[PROTEIN], trained[PROTEIN]) > 0.1
    weights = load_file(store.path / "model" / "model.safetensors")
    assert json.loads((store.path / "model" / "config.json").read_text())["hidden_size"] == 64
    torch.manual_seed(7)
    again = FeatureStore(tmp_path, open_backbone(name, device="cpu"))
    assert again.path == store.path
    again.fill([PROTEIN, GENE])
    kept = load_file(store.path / "model" / "model.safetensors")
    assert all(torch.equal(weights[key], kept[key]) for key in weights)
    shutil.rmtree(store.path)
    new = FeatureStore(tmp_path, open_backbone(name, device="cpu"))
    new.fill([PROTEIN])
    assert torch.equal(new[PROTEIN], store[PROTEIN])
