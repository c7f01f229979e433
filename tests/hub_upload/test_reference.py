# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The values that a repository carries for whoever wants to compare."""

import json

import pytest
import torch
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForPreTraining,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)

from hub_upload.repository.code import auto_map
from hub_upload.repository.probe import REFERENCE, Reference
from hub_upload.repository.reference import write_reference
from modeling_lucaone import (
    AutoModelForPairClassification,
    LucaOneForMaskedLM,
    LucaOneForPairClassification,
    LucaOneForPreTraining,
    LucaOneForSequenceClassification,
    LucaOneForTokenClassification,
    LucaOneModel,
)
from tests.helpers import SAME_LIMIT, TASKS, relative_l2, tiny_config
from tokenization import LucaOneTokenizerFast

AUTO_CLASSES = {
    "LucaOneModel": AutoModel,
    "LucaOneForMaskedLM": AutoModelForMaskedLM,
    "LucaOneForPreTraining": AutoModelForPreTraining,
    "LucaOneForSequenceClassification": AutoModelForSequenceClassification,
    "LucaOneForTokenClassification": AutoModelForTokenClassification,
    "LucaOneForPairClassification": AutoModelForPairClassification,
}
MODELS = {
    "encoder": (LucaOneModel, {}),
    "letters": (LucaOneForMaskedLM, {}),
    "tasks": (LucaOneForPreTraining, {"pretraining_tasks": TASKS}),
    "two mask tasks": (
        LucaOneForMaskedLM,
        {"pretraining_tasks": {task: TASKS[task] for task in ("gene_mask", "prot_mask")}},
    ),
    "classifier": (LucaOneForSequenceClassification, {"num_labels": 3, "seq_types": ["prot"]}),
    "tokens": (LucaOneForTokenClassification, {"num_labels": 3, "seq_types": ["gene"]}),
    "pairs": (
        LucaOneForPairClassification,
        {"pair_kind": "heterogeneous", "seq_types": ["gene", "prot"]},
    ),
    "scaled rotations": (
        LucaOneModel,
        {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 100.0}},
    ),
}


def write(folder, kind, dtype=torch.float32, **fields):
    """Write what export has written before it asks for the reference; return the source model."""
    torch.manual_seed(0)
    model_class, more = MODELS[kind]
    model = model_class(tiny_config(**more | fields)).to(dtype)
    model.save_pretrained(folder)
    tokenizer = LucaOneTokenizerFast()
    tokenizer.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = auto_map(model_class, model.config)
    (folder / "config.json").write_text(json.dumps(config))
    write_reference(model, tokenizer, folder)
    return model


@torch.no_grad()
def one_by_one(folder, model_class, reference):
    """What a class says of every example by itself, in the form of `Reference.outputs`."""
    model = AUTO_CLASSES[model_class].from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = {}
    for example in zip(*reference.texts, *reference.seq_types, strict=True):
        sides = len(example) // 2
        suffixes = ("",) if sides == 1 else ("_a", "_b")
        inputs = {}
        for suffix, text, kind in zip(suffixes, example[:sides], example[sides:], strict=True):
            encoded = tokenizer(text, seq_type=kind, return_tensors="pt")
            inputs |= {f"{name}{suffix}": value for name, value in encoded.items()}
        outputs = model(**inputs)
        if model_class == "LucaOneModel":
            named = {"last_hidden_state": outputs.last_hidden_state}
        elif model_class == "LucaOneForPreTraining":
            named = {f"logits.{task}": value for task, value in outputs.logits.items()}
        else:
            named = {"logits": outputs.logits}
        for name, value in named.items():
            rows.setdefault(name, []).append(value.flatten(0, -2))
    return {name: torch.cat(values) for name, values in rows.items()}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("kind", MODELS)
def test_every_class_as_it_is_loaded(kind, dtype, tmp_path):
    write(tmp_path, kind, dtype)
    reference = Reference.read(tmp_path)
    entries = json.loads((tmp_path / "config.json").read_text())["auto_map"].values()
    classes = {entry.rpartition(".")[2] for entry in entries} - {"LucaOneConfig"}
    assert reference.outputs.keys() == classes
    for model_class, outputs in reference.outputs.items():
        expected = one_by_one(tmp_path, model_class, reference)
        assert outputs.keys() == expected.keys()
        for name, value in outputs.items():
            assert value.dtype == torch.float32
            assert relative_l2(value, expected[name]) < SAME_LIMIT


def test_examples_show_padding_and_every_kind_of_letter(tmp_path):
    write(tmp_path, "tasks")
    reference = Reference.read(tmp_path)
    texts, types = reference.texts[0], reference.seq_types[0]
    for kind, letter in (("gene", "N"), ("gene", "U"), ("prot", "X")):
        own = [text for text, other in zip(texts, types, strict=True) if other == kind]
        assert letter in "".join(own)
        assert len(set(map(len, own))) > 1
    lengths = reference.inputs["attention_mask"].sum(-1).tolist()
    assert lengths == [len(text) + 2 for text in texts]
    assert lengths[-1] == min(lengths) < max(lengths)


@pytest.mark.parametrize("types", [["prot"], ["gene"]])
def test_examples_are_of_the_types_that_a_model_takes(types, tmp_path):
    write(tmp_path, "classifier", seq_types=types)
    assert set(Reference.read(tmp_path).seq_types[0]) == set(types)


@pytest.mark.parametrize("types", [["gene", "prot"], ["prot", "prot"]])
def test_pairs(types, tmp_path):
    write(tmp_path, "pairs", seq_types=types)
    reference = Reference.read(tmp_path)
    assert [set(side) for side in reference.seq_types] == [{kind} for kind in types]
    for first, second in zip(*reference.texts, strict=True):
        assert len(first) != len(second)


def test_the_encoder_of_a_pair_model_where_sentence_transformers_finds_it(tmp_path):
    model = write(tmp_path, "pairs")
    assert "LucaOneModel" not in Reference.read(tmp_path).outputs
    (tmp_path / "modules.json").write_text("[]")
    write_reference(model, LucaOneTokenizerFast(), tmp_path)
    reference = Reference.read(tmp_path)
    tokenizer = LucaOneTokenizerFast()
    for row, text in enumerate(reference.texts[0]):
        with torch.no_grad():
            inputs = tokenizer(text, seq_type="gene", return_tensors="pt")
            expected = model.lucaone(**inputs).last_hidden_state[0]
        assert relative_l2(reference.tokens_of(row), expected) < SAME_LIMIT


def test_the_configuration(tmp_path):
    model = write(tmp_path, "tasks")
    fields = Reference.read(tmp_path).config
    assert fields["layer_norm_eps"] == model.config.layer_norm_eps == 1e-5
    assert fields["pretraining_tasks"] == TASKS
    assert fields["hidden_size"] == 32
    assert "label_names" not in fields


def test_same_bytes_and_a_model_left_as_it_was(tmp_path):
    model = write(tmp_path, "tasks", torch.bfloat16)
    before = {name: (p.data_ptr(), p.dtype, p.clone()) for name, p in model.named_parameters()}
    content = (tmp_path / REFERENCE).read_bytes()
    write_reference(model, LucaOneTokenizerFast(), tmp_path)
    assert (tmp_path / REFERENCE).read_bytes() == content
    after = dict(model.named_parameters())
    assert after.keys() == before.keys()
    for name, (place, dtype, value) in before.items():
        assert (after[name].data_ptr(), after[name].dtype) == (place, dtype)
        assert torch.equal(after[name], value)


def test_size_with_the_labels_of_the_published_model(tmp_path):
    labels = {"prot_domain": 13717, "prot_homo": 3443, "prot_site": 946, "gene_type": 8}
    tasks = {
        task: TASKS["gene_type"] | {"seq_type": task[:4], "num_labels": count}
        for task, count in labels.items()
    }
    write(tmp_path, "tasks", pretraining_tasks={"gene_mask": TASKS["gene_mask"]} | tasks)
    size = (tmp_path / REFERENCE).stat().st_size
    tokens = int(Reference.read(tmp_path).inputs["attention_mask"].sum())
    published_width = 4 * tokens * (2560 - 32)
    assert size + published_width < 3_000_000
