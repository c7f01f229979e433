# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`pipeline("pair-classification")`."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import torch
from transformers import AutoTokenizer, pipeline

from modeling_lucaone import (
    LucaOneForPairClassification,
    LucaOneForSequenceClassification,
    LucaOnePairClassificationPipeline,
)
from modeling_lucaone.pipelines import HUB_AUTO_CLASS, HUB_PIPELINES
from tests.helpers import GOLDEN, REPOSITORY, tiny_config

HUB = GOLDEN / "hub-tiny"
LABELS = {0: "apart", 1: "encodes", 2: "unsure"}
PAIRS = [("ATGGCG", "MA"), ("ATGAAATTTACCGGGTAA", "MKFTG"), ("ACG", "MKTAYIAKQR")]
TYPES = {"seq_type": "gene", "seq_type_pair": "prot"}


def make(tokenizer=None, **fields):
    torch.manual_seed(0)
    model = LucaOneForPairClassification(tiny_config(**({"id2label": LABELS} | fields))).eval()
    tokenizer = tokenizer or AutoTokenizer.from_pretrained(HUB)
    return pipeline("pair-classification", model=model, tokenizer=tokenizer)


def logits_of(classify, pair, types=TYPES):
    inputs = {}
    for side, text, seq_type in zip("ab", pair, types.values(), strict=True):
        encoded = classify.tokenizer(text, seq_type=seq_type, return_tensors="pt")
        inputs |= {f"{name}_{side}": tensor for name, tensor in encoded.items()}
    with torch.no_grad():
        return classify.model(**inputs).logits[0]


def scores(rows):
    return {row["label"]: row["score"] for row in rows}


def named(values):
    return pytest.approx(dict(zip(LABELS.values(), values.tolist(), strict=True)), rel=1e-5)


def test_scores_are_those_of_the_model():
    classify = make(pair_kind="heterogeneous")
    assert type(classify) is LucaOnePairClassificationPipeline
    expected = logits_of(classify, PAIRS[1])
    rows = classify(PAIRS[1], top_k=None, **TYPES)
    assert scores(rows) == named(expected.softmax(-1))
    assert [row["score"] for row in rows] == sorted(scores(rows).values(), reverse=True)
    best = classify(PAIRS[1], **TYPES)
    assert best == rows[0] == {"label": LABELS[expected.argmax().item()], "score": best["score"]}
    assert classify(PAIRS[1], top_k=2, **TYPES) == rows[:2]
    assert scores(classify(PAIRS[1], top_k=3, function_to_apply="none", **TYPES)) == named(expected)


def test_all_ways_of_giving_a_pair():
    classify = make()
    first, second = PAIRS[0]
    expected = classify((first, second), **TYPES)
    pair = {"text": first, "text_pair": second}
    assert classify(pair, **TYPES) == expected
    assert classify(pair | TYPES) == expected
    assert classify(pair | TYPES, seq_type="prot", seq_type_pair="gene") == expected
    assert classify([pair], **TYPES) == [expected]
    assert classify([[first, second]], **TYPES) == [expected]
    assert next(iter(classify((pair for pair in PAIRS), **TYPES))) == expected


@pytest.mark.parametrize("padding_side", ["right", "left"])
@pytest.mark.parametrize("pair_kind", ["homogeneous", "heterogeneous"])
def test_batches(pair_kind, padding_side):
    tokenizer = AutoTokenizer.from_pretrained(HUB, padding_side=padding_side)
    classify = make(tokenizer, pair_kind=pair_kind)
    together = classify(PAIRS, batch_size=3, top_k=None, **TYPES)
    for rows, pair in zip(together, PAIRS, strict=True):
        assert scores(rows) == named(logits_of(classify, pair).softmax(-1))


def test_molecule_types():
    classify = make()
    with pytest.raises(ValueError, match="seq_type is missing"):
        classify(PAIRS[0])
    with pytest.raises(ValueError, match="seq_type is given, but no seq_type_pair"):
        classify(PAIRS[0], seq_type="gene")
    with_default = make(AutoTokenizer.from_pretrained(HUB, seq_type="prot"))
    prot = {"seq_type": "prot", "seq_type_pair": "prot"}
    assert with_default(PAIRS[0]) == classify(PAIRS[0], **prot)
    assert with_default(PAIRS[0]) != classify(PAIRS[0], **TYPES)
    # Types by which the whole pipeline works, and options of the tokenizer.
    fixed = pipeline(
        "pair-classification", model=classify.model, tokenizer=classify.tokenizer, **TYPES
    )
    assert fixed(PAIRS[0]) == classify(PAIRS[0], **TYPES)
    cut = classify(("ACGTT", "MKTAY"), truncation=True, max_length=5, **TYPES)
    assert cut == classify(("ACG", "MKT"), **TYPES)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("ACGT", "a pair is a tuple of two sequences"),
        ([("ACGT", "MKT", "MKT")], "a pair is a tuple of two sequences"),
        ({"text": "ACGT"}, "a pair is a tuple of two sequences"),
        ({"text": "ACGT", "text_pair": "MKT", "label": 1}, "a pair is a tuple of two sequences"),
        (("ACGT", ["MKT", "MKV"]), "must be one string each"),
    ],
)
def test_what_is_no_pair(inputs, message):
    with pytest.raises(ValueError, match=message):
        make()(inputs, **TYPES)


def test_a_model_without_pairs():
    model = LucaOneForSequenceClassification(tiny_config())
    with pytest.raises(ValueError, match="LucaOneForSequenceClassification takes no pairs"):
        pipeline("pair-classification", model=model, tokenizer=AutoTokenizer.from_pretrained(HUB))


def test_problem_types():
    several = make(problem_type="multi_label_classification")
    expected = logits_of(several, PAIRS[0])
    assert scores(several(PAIRS[0], top_k=None, **TYPES)) == named(expected.sigmoid())
    value = make(problem_type="regression", id2label={0: "affinity"})
    expected = logits_of(value, PAIRS[0]).item()
    assert value(PAIRS[0], **TYPES) == {"label": "affinity", "score": pytest.approx(expected)}


def test_saved_and_loaded(tmp_path):
    classify = make(AutoTokenizer.from_pretrained(HUB, seq_type="prot"), pair_kind="heterogeneous")
    classify.save_pretrained(tmp_path)
    assert "custom_pipelines" not in json.loads((tmp_path / "config.json").read_text())
    assert not list(tmp_path.glob("*.py"))
    again = pipeline("pair-classification", model=str(tmp_path))
    assert again(PAIRS, **TYPES) == classify(PAIRS, **TYPES)
    assert again(PAIRS[0]) == classify(PAIRS[0])


@pytest.mark.slow
@pytest.mark.parametrize("imported", [False, True])
def test_a_repository_that_carries_its_code(imported, tmp_path):
    """In a process of its own, which has this package imported or has not."""
    source, saved = tmp_path / "source", tmp_path / "saved"
    classify = make(pair_kind="heterogeneous")
    classify.save_pretrained(source)
    code = [
        *(REPOSITORY / "modeling_lucaone").glob("*.py"),
        *REPOSITORY.glob("tokenization/*_*.py"),
    ]
    for file in code:
        if file.name != "__init__.py":
            shutil.copy(file, source)
    tokenizers = [
        "tokenization_lucaone.LucaGPLMTokenizer",
        "tokenization_lucaone.LucaOneTokenizerFast",
    ]
    for name, fields in {
        "config.json": {
            "auto_map": {
                "AutoConfig": "configuration_lucaone.LucaOneConfig",
                HUB_AUTO_CLASS: "heads.LucaOneForPairClassification",
            },
            "custom_pipelines": HUB_PIPELINES,
        },
        "tokenizer_config.json": {"auto_map": {"AutoTokenizer": tokenizers}},
    }.items():
        content = json.loads((source / name).read_text()) | fields
        (source / name).write_text(json.dumps(content))
    script = f"""
import json, sys
from transformers import pipeline
for folder in {str(source)!r}, {str(saved)!r}:
    classify = pipeline("pair-classification", model=folder, trust_remote_code=True)
    print(json.dumps(classify({PAIRS[0]!r}, **{TYPES!r})))
    classify.save_pretrained({str(saved)!r})
"""
    if imported:
        script = (
            f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); import modeling_lucaone" + script
        )
    settings = {"HF_MODULES_CACHE": str(tmp_path / "modules"), "HF_HUB_OFFLINE": "1"}
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=True,
    )
    expected = classify(PAIRS[0], **TYPES)
    for line in result.stdout.splitlines():
        assert json.loads(line) == expected | {"score": pytest.approx(expected["score"], rel=1e-5)}
    assert len(result.stdout.splitlines()) == 2
