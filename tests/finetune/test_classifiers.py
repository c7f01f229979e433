# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Trained classifiers and adapters, found by what they hold and loaded strictly."""

import json
import shutil

import numpy as np
import pandas
import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification

from embedding.models import find_model
from finetune import Predictor, predict_file
from finetune.classifiers import find_classifier
from modeling_lucaone import (
    AutoModelForPairClassification,
    LucaOneForMaskedLM,
    LucaOneForPairClassification,
    LucaOneForSequenceClassification,
    LucaOneForTokenClassification,
    LucaOneModel,
)
from tests.finetune.trained_models import (
    GENES,
    NAMES,
    PROTEINS,
    close,
    one_by_one,
    save,
    save_pair,
    save_single,
    write_pairs,
)
from tests.helpers import relative_l2, tiny_config
from tokenization import LucaOneTokenizerFast


@pytest.mark.parametrize("kind", ["single", "homogeneous", "heterogeneous"])
@pytest.mark.parametrize("pooling", ["value_attention", "max"])
def test_adapters_bring_their_head(tmp_path, kind, pooling, pair_table, fasta):
    """A LoRA on an encoder, with the head among what is saved, and beside it the configuration."""
    torch.manual_seed(3)
    base = tmp_path / "base"
    save(LucaOneModel(tiny_config()), base)
    fields = {"classifier_pooling": pooling}
    if kind == "single":
        folder = save_single(tmp_path / "whole", **fields)
        head, model_class = ["classifier", "summary"], LucaOneForSequenceClassification
        auto_class, sides, source = AutoModelForSequenceClassification, [PROTEINS], fasta
    else:
        folder = save_pair(tmp_path / "whole", kind, **fields)
        head = ["classifier", *(f"summaries.{n}" for n in range(1 + (kind == "heterogeneous")))]
        model_class, auto_class = LucaOneForPairClassification, AutoModelForPairClassification
        sides, source = [GENES, PROTEINS], pair_table
    model = model_class.from_pretrained(folder)
    encoder = LucaOneModel.from_pretrained(base)
    model.lucaone.load_state_dict(encoder.state_dict())
    lora = LoraConfig(r=2, target_modules=["q_proj", "fc1"], modules_to_save=head)
    model = get_peft_model(model, lora)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    model.peft_config["default"].base_model_name_or_path = str(base)
    adapter = tmp_path / "adapter"
    model.save_pretrained(adapter)
    config = model.config
    config.architectures = None
    config.save_pretrained(adapter)
    merged = tmp_path / "merged"
    model.merge_and_unload().save_pretrained(merged)
    LucaOneTokenizerFast().save_pretrained(merged)

    types = ["prot"] if kind == "single" else model.config.seq_types
    if kind == "homogeneous":  # proteins on both sides
        sides = [PROTEINS[::-1], PROTEINS]
        source = write_pairs(tmp_path / "in.csv", *sides)
    predict_file(source, tmp_path / "out.csv", adapter)
    table = pandas.read_csv(tmp_path / "out.csv")
    expected = one_by_one(merged, sides, types, auto_class)
    assert close(table.filter(like="probability_"), expected)
    plain = one_by_one(folder, sides, types, auto_class)
    assert relative_l2(plain, expected) > 1e-3  # else the adapter of this test does nothing


@pytest.fixture
def adapter(tmp_path, single):
    """An adapter of a classifier, which it leaves as it is but for the blocks."""
    model = LucaOneForSequenceClassification.from_pretrained(single)
    model = get_peft_model(model, LoraConfig(r=2, target_modules=["q_proj"]))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    model.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def test_an_adapter_finds_its_base_model(tmp_path, adapter, single, fasta):
    """Of a classifier that has the head already, with no configuration of its own."""
    by_name = Predictor(adapter)
    plain = one_by_one(single, [PROTEINS], ["prot"])
    assert relative_l2(torch.tensor(by_name.predict(PROTEINS)), plain) > 1e-3
    settings = json.loads((adapter / "adapter_config.json").read_text())
    settings["base_model_name_or_path"] = "was-here"
    (adapter / "adapter_config.json").write_text(json.dumps(settings))
    with pytest.raises(ValueError, match=r"base model was-here: .*; --base-model names another"):
        find_classifier(adapter)
    by_option = Predictor(adapter, base_model=single)
    assert np.array_equal(by_option.predict(PROTEINS), by_name.predict(PROTEINS))
    settings["base_model_name_or_path"] = None
    (adapter / "adapter_config.json").write_text(json.dumps(settings))
    with pytest.raises(ValueError, match="names no base model; --base-model names it"):
        find_classifier(adapter)
    with pytest.raises(ValueError, match="is no adapter"):
        find_classifier(single, base_model=single)


def test_an_adapter_on_the_hub(monkeypatch, adapter, single):
    fields = json.loads((single / "config.json").read_text())
    config = fields | {"auto_map": {"AutoModel": "code.Model"}}
    (adapter / "config.json").write_text(json.dumps(config))
    monkeypatch.setattr("embedding.models.snapshot_download", lambda *_, **__: str(adapter))
    assert find_model("someone/adapter").name == "someone/adapter"
    found = find_classifier("someone/adapter", single)
    assert (found.adapter, found.source.folder) == (adapter, single)
    assert not hasattr(found.source.config, "auto_map")


def test_adapters_are_loaded_strictly(tmp_path, adapter, single):
    weights = adapter / "adapter_model.safetensors"
    tensors = load_file(weights)
    some = min(tensors)
    save_file({name: t for name, t in tensors.items() if name != some}, weights)
    short = some.removeprefix("base_model.model.")
    with pytest.raises(ValueError, match=rf"tensor {short} is missing"):
        Predictor(adapter)
    save_file(tensors | {"base_model.model.lucaone.more": torch.ones(1)}, weights)
    with pytest.raises(ValueError, match=r"tensor lucaone\.more does not belong to the adapter"):
        Predictor(adapter)
    save_file(tensors | {some: torch.ones(3, 3)}, weights)
    with pytest.raises(ValueError, match="size mismatch") as caught:
        Predictor(adapter)
    assert "\n" not in str(caught.value)
    weights.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="cannot be read") as caught:
        Predictor(adapter)
    assert "\n" not in str(caught.value)


def test_an_adapter_without_any_head_is_refused(tmp_path, single):
    base = save(LucaOneModel(tiny_config()), tmp_path / "base")
    model = get_peft_model(LucaOneModel.from_pretrained(base), LoraConfig(target_modules=["fc1"]))
    model.save_pretrained(tmp_path / "adapter")
    with pytest.raises(ValueError, match="adapter: has no classifier"):
        find_classifier(tmp_path / "adapter")


@pytest.mark.parametrize(
    "model_class", [LucaOneModel, LucaOneForMaskedLM, LucaOneForTokenClassification]
)
def test_a_model_without_a_classifier_is_refused(tmp_path, fasta, model_class):
    folder = save(model_class(tiny_config()), tmp_path / "model")
    with pytest.raises(ValueError, match=r"no classifier .*`lucaone finetune` makes"):
        predict_file(fasta, tmp_path / "out.csv", folder)


def test_the_class_is_told_by_the_configuration_or_the_tensors(tmp_path, single, pairs):
    for folder, expected in (
        (single, LucaOneForSequenceClassification),
        (pairs, LucaOneForPairClassification),
    ):
        copy = shutil.copytree(folder, tmp_path / expected.__name__)
        config = json.loads((copy / "config.json").read_text())
        del config["architectures"]
        (copy / "config.json").write_text(json.dumps(config))
        assert find_classifier(copy).model_class is expected
    # Without tensors in front of the classifier and without types only the name tells.
    fields = {"classifier_pooling": "mean", "seq_types": None}
    folder = save_pair(tmp_path / "mean", "homogeneous", **fields)
    assert find_classifier(folder).model_class is LucaOneForPairClassification


@pytest.mark.parametrize(
    ("drop", "add", "problem"),
    [
        ("classifier.hidden.bias", None, "tensor classifier.hidden.bias is missing"),
        (None, "summary.fc.weight", "tensor summary.fc.weight does not belong"),
        (None, "lucaone.more", "tensor lucaone.more does not belong"),
    ],
)
def test_models_are_loaded_strictly(tmp_path, fasta, single, drop, add, problem):
    folder = shutil.copytree(single, tmp_path / "model")
    tensors = load_file(folder / "model.safetensors")
    if drop:
        del tensors[drop]
    if add:
        tensors[add] = torch.ones(2)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=problem):
        predict_file(fasta, tmp_path / "out.csv", folder)


def test_a_head_beside_the_classifier_is_no_harm(tmp_path, single):
    folder = shutil.copytree(single, tmp_path / "model")
    tensors = load_file(folder / "model.safetensors") | {"lm_head.bias": torch.ones(39)}
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    assert np.array_equal(Predictor(folder).predict(["MK"]), Predictor(single).predict(["MK"]))


def test_the_other_kind_of_input_is_refused(tmp_path, single, pairs, fasta, pair_table):
    output = tmp_path / "out.csv"
    table = tmp_path / "single.csv"
    pandas.DataFrame({"seq_id": NAMES, "seq": PROTEINS}).to_csv(table, index=False)
    for source, model, problem in (
        (pair_table, single, "has columns 'seq_a' and 'seq_b', so it holds pairs"),
        (table, pairs, "has a column 'seq', so it holds single sequences"),
        (fasta, pairs, "is no table; .* takes pairs"),
    ):
        with pytest.raises(ValueError, match=problem):
            predict_file(source, output, model)
    assert not output.exists()
