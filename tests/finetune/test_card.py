# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The model card of a fine-tuning run."""

import copy
import json
import re

import pytest
import torch
from huggingface_hub import ModelCard, ModelCardData
from transformers import AutoTokenizer

from finetune.card import AVERAGES, PROBLEMS, metadata, render_card, sections, summary
from modeling_lucaone import LucaOneForPairClassification, LucaOneForSequenceClassification
from tests.helpers import GOLDEN, tiny_config

DATASET = "LucaGroup/LucaOne-Downstream-Task-Datasets"
RESULTS = {
    "task": {
        "name": "CentralDogma",
        "about": "does this genomic DNA encode this protein?",
        "input": "pair",
        "seq_types": ["gene", "prot"],
        "dataset": f"{DATASET}/CentralDogma",
        "problem": "binary",
        "max_lengths": [2458, 618],
        "metric": "accuracy",
        "learning_rate": 0.0002,
        "published": {"model": "LucaOne 5.6M", "accuracy": 0.8453, "f1": 0.7392},
    },
    "mode": "frozen",
    "model": {
        "name": "/home/me/models/lucaone",
        "revision": None,
        "weights_sha256": "ab" * 32,
        "parameters": 1_800_000_000,
        "trained_parameters": 40_000_000,
    },
    "data": {
        "source": f"{DATASET}/CentralDogma",
        "files": {"train.csv": "ef" * 32},
        "splits": {"train": 3200, "dev": 2400, "test": 20000},
        "label_names": ["not_encoded", "encoded | or not"],
        "label_counts": {
            "train": {"not_encoded": 2101, "encoded | or not": 1099},
            "test": {"encoded | or not": 6007, "not_encoded": 13993},
        },
        "findings": [
            ["warning", "cut", "train", 12, "12 of 3,200 cut, see ~/data/x.csv: <b>a | b"],
            ["note", "lengths", "train", 3200, "median 300"],
        ],
    },
    "training": {"epochs": 50, "best_step": 4321, "seconds": 12.5, "batch_size": 16},
    "metrics": {
        "test": {"accuracy": 0.84123, "f1": 0.73, "mcc": None},
        "dev": {"accuracy": 0.85, "f1": 0.74, "mcc": 0.5},
    },
    "intervals": {"test": {"accuracy": [0.8311, 0.8522], "mcc": [None, None]}},
    "by_group": {
        "Ciona intestinalis": {"accuracy": 0.7927, "f1": 0.5174, "n": 738},
        "Homo sapiens": {"accuracy": 0.8283, "f1": 0.7103, "n": 1806},
    },
    "majority": {"accuracy": 0.6667, "f1": 0.0},
    "versions": {"torch": "2.13.0", "transformers": "5.23.0"},
    "started": "2026-11-22T21:00:00+00:00",
    "seconds": {"features": 3.25, "training": 12.5},
    "figures": ["learning_curves.png"],
}


def changed(**fields):
    """Return the results with some keys of `section__key` replaced."""
    results = copy.deepcopy(RESULTS)
    for name, value in fields.items():
        section, _, key = name.partition("__")
        if key:
            results[section][key] = value
        else:
            results[section] = value
    return results


def rows_of(text):
    """Return the cells of all rows of tables, by the first cell."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [re.split(r"(?<!\\) ?\| ?", line)[1:-1] for line in lines]
    return {row[0]: row[1:] for row in cells}


def test_the_front_matter_validates_and_comes_back(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(render_card(RESULTS))
    card = ModelCard.load(path)
    data = card.data
    assert isinstance(data, ModelCardData)
    assert (data.model_name, data.library_name) == ("CentralDogma", "transformers")
    assert data.datasets == DATASET
    assert data.metrics == ["accuracy", "f1", "mcc"]
    results = {(one.dataset_split, one.metric_type): one.metric_value for one in data.eval_results}
    assert results == {
        ("test", "accuracy"): 0.84123,
        ("test", "f1"): 0.73,
        ("dev", "accuracy"): 0.85,
        ("dev", "f1"): 0.74,
        ("dev", "mcc"): 0.5,
    }
    assert {one.dataset_type for one in data.eval_results} == {DATASET}
    assert str(card) == path.read_text()


def test_the_numbers_stand_in_the_card():
    text = render_card(RESULTS)
    rows = rows_of(text)
    assert rows["**accuracy**"] == ["0.8412 [0.8311, 0.8522]", "0.8500", "0.6667", "0.8453"]
    none = "\N{EN DASH}"
    assert rows["mcc"] == [f"{none} [{none}, {none}]", "0.5000", none, none]
    assert rows["metric"][-1] == "published (LucaOne 5.6M)"
    assert rows["Homo sapiens"] == ["0.8283", "0.7103", "1,806"]
    assert list(rows).index("Homo sapiens") < list(rows).index("Ciona intestinalis")
    assert rows["not_encoded"] == ["2,101", "13,993"]
    assert rows["encoded \\| or not"] == ["1,099", "6,007"]
    assert rows["test"] == ["20,000"]
    assert rows["cut"] == ["train", "12", "12 of 3,200 cut, see x.csv: &lt;b>a \\| b"]
    assert text.index("| lengths ") < text.index("## Limits") < text.index("| cut ")
    for words in (
        "does this genomic DNA encode this protein?",
        "40,000,000 of 1,800,000,000 parameters were trained",
        "beyond the first 2,458 and 618 of the two sequences are cut",
        "95% percentile intervals",
        "best_step: 4321",
        "learning_rate: 0.0002",
        "ab" * 32,
        f"train.csv: {'ef' * 32}",
        "transformers: 5.23.0",
        "features: 3.25",
        "![learning curves](learning_curves.png)",
        "lucaone predict",
        "Apache-2.0. The licence of the weights is that of `lucaone`",
        "10.1038/s42256-025-01044-4",
    ):
        assert words in text


def test_no_folder_of_a_machine_is_in_the_card():
    secrets = {
        "data__source": "/home/me/secret/run.csv",
        "model__name": "random:/home/me/secret/lucaone",
        "data__files": {"/home/me/secret/train.csv": "00"},
        "data__findings": [
            ["warning", "cut", "../secret/a.csv", 1, "'/mnt/secret/b.csv': row 3, ~/secret/c.csv."]
        ],
        "training": {"resumed": "/scratch/secret/run"},
    }
    text = render_card(changed(**secrets))
    assert "secret" not in text and "/home" not in text and "/mnt" not in text
    for name in (
        "random:lucaone",
        "`run.csv`",
        "train.csv: '00'",
        "a.csv",
        "'b.csv': row 3, c.csv",
    ):
        assert name in text
    assert "models/" not in render_card(changed(model__name="models/lucaone"))


def test_only_what_lies_on_the_hub_is_named_in_the_front_matter():
    local = ModelCard(render_card(changed(data__source="data"))).data
    assert local.base_model is None and local.datasets is None
    assert local.eval_results[0].dataset_type == "CentralDogma"
    hub = changed(model__name="LucaGroup/LucaOne", model__revision="0123abc")
    assert ModelCard(render_card(hub)).data.base_model == "LucaGroup/LucaOne"


def test_what_is_missing_is_left_out():
    text = render_card({"task": {"name": "mine"}})
    assert ModelCard(text).data.to_dict() == {
        "library_name": "transformers",
        "tags": ["lucaone", "biology"],
        "model_name": "mine",
    }
    for title in ("## Results", "## Data", "## Limits"):
        assert title not in text
    assert "None" not in text
    none = dict.fromkeys(("intervals", "by_group", "majority", "seconds"))
    text = render_card(changed(task__published=None, task__max_lengths=None, **none))
    assert "None" not in text and "null" not in text


@pytest.mark.parametrize("problem", PROBLEMS)
def test_it_says_what_a_metric_is_the_mean_of(problem):
    scores = render_card(changed(task__problem=problem)).partition("## Results")[2]
    said = [line for line in AVERAGES.values() if line in scores]
    assert said == ([AVERAGES[problem]] if problem != "regression" else [])


def test_results_from_a_file_give_the_same_card():
    assert render_card(json.loads(json.dumps(RESULTS))) == render_card(RESULTS)
    before = copy.deepcopy(RESULTS)
    render_card(RESULTS)
    assert before == RESULTS


def test_many_labels_and_groups_are_cut_short():
    names = [f"label{number}" for number in range(200)]
    counts = {"train": {name: number for number, name in enumerate(names)}}
    groups = {name: {"accuracy": 1.0, "f1": 1.0, "n": number} for number, name in enumerate(names)}
    text = render_card(changed(data__label_names=names, data__label_counts=counts, by_group=groups))
    assert "and 170 more, with fewer records" in text
    assert "and 150 more, with fewer records" in text
    rows = rows_of(text)
    assert rows["label199"] == ["199"] and "label149" not in rows


def test_the_card_consists_of_the_parts_that_the_hub_card_takes():
    card = ModelCard(render_card(RESULTS))
    assert list(sections(RESULTS)) == ["Results", "Data", "Limits", "Settings", "Made from"]
    for title, text in sections(RESULTS).items():
        assert f"## {title}\n\n{text}\n" in card.text
    assert summary(RESULTS) in card.text
    assert metadata(RESULTS).to_dict() == card.data.to_dict()
    assert "secret" not in str(sections(changed(data__source="/mnt/secret/run.csv")))


def test_names_do_no_harm():
    name = "a | b\\| <b> ![c](http://d.e/f) `g"
    results = changed(
        task__name=f"# {name}",
        task__about=f"> {name}\n---\nmore",
        training={"separator": "\n```\n# no code"},
        by_group={name: {"accuracy": 1.0, "n": 3}},
    )
    text = ModelCard(render_card(results)).text
    assert "\n# # a \\| b" in text and "\n\\> a \\| b" in text
    assert "<b>" not in text and "](http" not in text.replace("`", "")
    assert "\n````yaml\n" in text and text.count("\n````\n") == 1
    assert "| a \\| b\\\\\\| &lt;b> ![c]\\(http://d.e/f) \\`g | 1.0000 | 3 |" in text


def test_the_mode_is_said():
    text = render_card(changed(mode="lora"))
    assert "LoRA" in text and "lora" in ModelCard(text).data.tags


@pytest.mark.parametrize("kind", ["single", "pair"])
def test_the_code_runs(tmp_path, kind):
    model_class = LucaOneForSequenceClassification
    results = changed(task__input="single", task__seq_types=["prot"])
    if kind == "pair":
        model_class, results = LucaOneForPairClassification, RESULTS
    torch.manual_seed(0)
    model_class(tiny_config()).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(GOLDEN / "hub-tiny").save_pretrained(tmp_path)
    code = re.search(r"```python\n(.*?)```", render_card(results), re.DOTALL)[1]
    given = {"folder": tmp_path, "sequences": ["MKTAYI", "MA"], "a": "ATGGCG", "b": "MA"}
    exec(code, given)
    assert kind == "pair" or given["logits"].shape == (2, 2)
