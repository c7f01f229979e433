# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The model card of a pre-training."""

import copy
import json
import re

import pytest
from huggingface_hub import ModelCard

import lucaone_nano
from pretraining.card import metadata, render_card, sections, summary
from tests.helpers import REPOSITORY

RESULTS = json.loads((lucaone_nano.PATH / "results.json").read_text())


@pytest.fixture
def results():
    """Results that a test may change."""
    return copy.deepcopy(RESULTS)


def cells(text):
    """Return the cells of all rows of tables, by the first cell; of two rows of a name both."""
    rows = {}
    for line in text.splitlines():
        if line.startswith("| "):
            first, *others = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            rows.setdefault(first, []).append(others)
    return rows


def test_the_numbers_stand_in_the_card():
    text, rows = render_card(RESULTS), cells(render_card(RESULTS))
    data, metrics, baseline = (RESULTS[key] for key in ("data", "metrics", "baseline"))
    for task, settings in RESULTS["tasks"].items():
        scores, described = rows[task]
        assert scores == [
            f"{of[f'{task}_{measure}']:.4f}"
            for measure in ("loss", "accuracy")
            for of in (metrics, baseline)
        ]
        assert described == [
            settings["level"],
            "DNA or RNA" if task.startswith("gene") else "protein",
            str(settings["num_labels"]),
            f"{data['labelled'][task]:,}",
            str(settings["weight"]).removesuffix(".0"),
        ]
    assert rows["DNA or RNA"] == [["37,951", "12,674,939", "500"]]
    assert rows["protein"] == [["37,968", "10,155,634", "500"]]
    for words in (
        "trained on species that never lived",
        "777,905 parameters",
        "began with random weights and made 6,000 updates",
        "On 1,000 held-out records",
        "3.5621 for DNA or RNA, 14.5199 for protein",
        "first 1,278 letters",
        "left out, for their loss or gradient: 1.",
        "learning_rate: 0.001",
        f"train_sha256: {RESULTS['made_from']['train_sha256']}",
        "![curves](curves.png)",
        "10.1038/s42256-025-01044-4",
    ):
        assert words in text


def test_the_front_matter():
    card = ModelCard(render_card(RESULTS))
    assert card.data.to_dict() == metadata(RESULTS).to_dict()
    assert (card.data.library_name, card.data.pipeline_tag) == ("transformers", "fill-mask")
    assert card.data.metrics == ["loss", "accuracy"]
    assert {
        (one.task_name, one.metric_type): one.metric_value for one in card.data.eval_results
    } == {
        (task, measure): RESULTS["metrics"][f"{task}_{measure}"]
        for task in RESULTS["tasks"]
        for measure in ("loss", "accuracy")
    }


def test_the_card_consists_of_the_parts_that_the_hub_card_takes():
    text = render_card(RESULTS)
    assert list(sections(RESULTS)) == ["Results", "Data", "Limits", "Settings", "Made from"]
    assert all(f"## {title}\n\n{part}\n" in text for title, part in sections(RESULTS).items())
    assert summary(RESULTS) in text


def test_a_training_without_an_evaluation(results):
    results |= {"metrics": None, "baseline": None}
    results["data"]["eval_records"] = {}
    text = render_card(results)
    assert "was not judged" in text and "without a model" not in text and "None" not in text
    assert "model-index" not in text and ModelCard(text).data.eval_results is None


def test_a_measure_that_a_task_lacks_is_left_out(results):
    for of in ("metrics", "baseline"):
        del results[of]["prot_site_accuracy"]
    results["metrics"]["gene_mask_loss"] = None  # was no number
    rows = cells(render_card(results))
    assert rows["prot_site"][0][2:] == ["-", "-"] and rows["gene_mask"][0][0] == "-"
    found = {(one.task_name, one.metric_type) for one in metadata(results).eval_results}
    assert {("prot_site", "accuracy"), ("gene_mask", "loss")}.isdisjoint(found)


def test_what_it_goes_on_from_and_what_was_noted(results):
    results["model"]["begins_with"] = "/home/me/secret/lucaone"
    results |= {"notes": ["On S1 it is worse than k-mers.", "# a | b"], "figures": []}
    text = render_card(results)
    assert "goes on from `lucaone` and made" in text and "secret" not in text
    assert "that of `lucaone`" in text
    assert "On S1 it is worse" in sections(results)["Limits"] and "\n\\# a \\| b" in text
    assert "curves.png" not in text


def test_names_do_no_harm(results):
    name = "a | b <c>\n---\nlicense: mit"
    results["recipe"] |= {"name": name, "about": f"# {name}"}
    results["tasks"] = {name: RESULTS["tasks"]["gene_type"]}
    results["metrics"] = {f"{name}_loss": 1.0, f"{name}_accuracy": 0.5}
    card = ModelCard(render_card(results))
    assert card.data.license is None and "<c>" not in card.text
    assert cells(card.text)["a \\| b &lt;c> --- license: mit"][0] == ["1.0000", "-", "0.5000", "-"]
    assert not re.search("^---$|^license", card.text, re.MULTILINE)


def test_the_code_runs():
    (code,) = re.findall(r"```python\n(.*?)```", render_card(RESULTS), re.DOTALL)
    found = {"folder": REPOSITORY / "lucaone_nano", "sequences": ["ACGT", "TTGA"]}
    exec(code, found)
    assert found["last_hidden_state"].shape == (2, 6, 128)
