# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Runs on small random data: they learn, say what they did, and do nothing twice."""

import hashlib
import json
import re
import socket

import pytest
import torch

from finetune import finetune
from modeling_lucaone import LucaOneConfig, LucaOneForSequenceClassification, LucaOneModel
from tests.finetune.helpers import (
    SMALL,
    make_model,
    read_table,
    write_pairs,
    write_proteins,
)

pytestmark = pytest.mark.usefixtures("few_resamples")
# Updates that suffice to learn 32 random proteins by heart.
RATES = {"frozen": {}, "full": {"encoder_learning_rate": 3e-3}, "lora": {"lora_rank": 8}}
COUNTS = re.compile(r"([\d,]+) distinct sequences, ([\d,]+) computed, ([\d,]+) there before")


def run(model, output, data, *changes, **options):
    """Run one epoch on the CPU, unless the changes say otherwise."""
    changes = ["epochs=1", *SMALL, *changes]
    return finetune(model=model, output=output, data=data, changes=changes, device="cpu", **options)


def counted(told):
    """Return how many features were asked for, computed and there, of every line that says so."""
    return [tuple(map(int, COUNTS.search(line).groups())) for line in told if COUNTS.search(line)]


@pytest.mark.parametrize("mode", RATES)
def test_every_mode_learns_32_records_by_heart(tmp_path, tiny_model, mode):
    data = write_proteins(tmp_path / "p.csv", 32, label=lambda number: "ab"[number * 7 % 11 % 2])
    changes = {"epochs": 40, "hidden_size": 64, "learning_rate": 1e-2, "dropout": 0.0}
    changes |= {"split": "{train: 1}", "weight_decay": 0.0, **RATES[mode]}
    summary = run(
        tiny_model,
        tmp_path / "output",
        data,
        *(f"{key}={value}" for key, value in changes.items()),
        mode=mode,
    )
    metrics = summary.results["metrics"]
    assert metrics.keys() == {"train"}
    assert metrics["train"]["accuracy"] == 1.0
    losses = [entry["loss"] for entry in summary.results["history"] if "loss" in entry]
    assert losses[0] > 0.5
    assert losses[-1] < 0.02


@pytest.mark.parametrize(("mode", "same"), [("frozen", True), ("lora", False), ("full", False)])
def test_only_the_mode_that_says_so_leaves_the_encoder(tmp_path, tiny_model, mode, same):
    data = write_proteins(tmp_path / "p.csv")
    run(tiny_model, tmp_path / "output", data, mode=mode)
    trained = LucaOneForSequenceClassification.from_pretrained(tmp_path / "output").lucaone
    begun = dict(LucaOneModel.from_pretrained(tiny_model).named_parameters())
    equal = {name: torch.equal(tensor, begun[name]) for name, tensor in trained.named_parameters()}
    assert all(equal.values()) == same
    if mode == "lora":
        changed = {name for name, kept in equal.items() if not kept}
        assert all(
            re.search(r"layers\.\d+\.(self_attn\.\w+_proj|fc\d)\.weight", n) for n in changed
        )
        assert len(changed) == 12  # six matrices of two blocks
        assert (tmp_path / "output" / "adapter" / "adapter_model.safetensors").is_file()


def test_nothing_is_asked_of_a_network(tmp_path, tiny_model, monkeypatch):
    asked = []
    look_up = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **b: asked.append(a) or look_up(*a, **b))
    run(tiny_model, tmp_path / "output", write_proteins(tmp_path / "p.csv"), mode="lora")
    assert asked == []


def test_results_say_what_was_done(tmp_path, tiny_model):
    data = write_proteins(tmp_path / "p.csv", 30)
    summary = run(tiny_model, tmp_path / "output", data, "seed=5")
    results = json.loads((tmp_path / "output" / "results.json").read_text())
    assert results == summary.results
    digest = hashlib.sha256(data.read_bytes()).hexdigest()
    assert results["data"]["files"] == {"p.csv": digest}
    assert results["data"]["source"] == "p.csv"
    assert results["data"]["splits"] == {"train": 24, "dev": 4, "test": 2}
    assert results["data"]["label_names"] == ["a", "b"]
    assert sum(results["data"]["label_counts"]["train"].values()) == 24
    weights = hashlib.sha256((tiny_model / "model.safetensors").read_bytes()).hexdigest()
    assert results["model"]["weights_sha256"] == weights
    assert results["task"]["seed"] == 5
    assert (results["task"]["problem"], results["task"]["metric"]) == ("binary", "accuracy")
    assert results["training"]["steps"] == 2  # 24 records, 16 at once
    assert results["versions"]["torch"] == torch.__version__
    assert {"lucaone-hf", "transformers", "accelerate"} <= results["versions"].keys()
    assert results["seconds"].keys() == {"preparation", "training"}
    assert results["metrics"].keys() == {"test", "dev"}
    predicted = read_table(tmp_path / "output" / "predictions.csv")
    for split, values in results["metrics"].items():
        right = [row["prediction"] == row["label"] for row in predicted if row["split"] == split]
        assert values["accuracy"] == pytest.approx(sum(right) / len(right))
        low, high = results["intervals"][split]["accuracy"]
        assert low <= values["accuracy"] <= high


def test_a_finished_run_is_left_and_another_one_is_refused(tmp_path, tiny_model, lucaone):
    data, output = write_proteins(tmp_path / "p.csv"), tmp_path / "output"
    changes = [word for change in ("epochs=1", *SMALL) for word in ("--set", change)]
    command = ["finetune", "--data", data, "--model", tiny_model, "--output", output, *changes]
    status, out, err = lucaone(*command)
    assert status == 0
    assert out.startswith(f"{output}: test accuracy 0.")
    assert len(out.splitlines()) == 1
    assert "24 distinct sequences, 24 computed" in err

    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in output.iterdir()}
    status, again, err = lucaone(*command)
    assert (status, again) == (0, out)
    assert err.splitlines()[-1] == f"note: {output} is complete; nothing was done"

    status, _, err = lucaone(*command, "--set", "epochs=2")
    assert status == 1
    assert f"{output} was made with epochs 1, not 2; --overwrite replaces it" in err
    assert before == {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in output.iterdir()
    }
    write_proteins(data, label=lambda number: "ab"[number // 2 % 2])
    status, _, err = lucaone(*command)
    assert status == 1
    assert f"{output} was made with other p.csv" in err

    status, _, err = lucaone(*command, "--set", "epochs=2", "--overwrite")
    assert status == 0
    assert json.loads((output / "results.json").read_text())["task"]["epochs"] == 2
    assert {path.name for path in tmp_path.iterdir()} == {"p.csv", "output", "features"}


def test_a_sequence_goes_through_the_encoder_once(tmp_path, tiny_model):
    told = []
    data = write_pairs(tmp_path / "pairs.csv", count=24, proteins=4)
    run(tiny_model, tmp_path / "one", data, "input=pair", tell=told.append)
    assert counted(told) == [(28, 28, 0)]  # 24 genes, 4 proteins


def test_another_task_on_the_same_sequences_computes_nothing(tmp_path, tiny_model):
    told = []
    data = write_proteins(tmp_path / "p.csv")
    options = {"features": tmp_path / "kept", "tell": told.append}
    run(tiny_model, tmp_path / "one", data, **options)
    write_proteins(data, label=lambda number: number / 10)
    run(tiny_model, tmp_path / "two", data, "encoder_layers=1", **options)
    write_proteins(data, count=30)
    run(tiny_model, tmp_path / "three", data, **options)
    other = make_model(tmp_path / "other", num_hidden_layers=1)
    run(other, tmp_path / "four", data, **options)
    assert counted(told) == [(24, 24, 0), (24, 0, 24), (30, 6, 24), (30, 30, 0)]


def test_the_same_run_gives_the_same_weights(tmp_path, tiny_model):
    data = write_proteins(tmp_path / "p.csv")
    for name in ("one", "two"):
        run(tiny_model, tmp_path / name, data, "dropout=0.5", mode="full")
        torch.rand(3)
    one, two = (tmp_path / name / "model.safetensors" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_groups_are_scored_by_themselves(tmp_path, tiny_model):
    data = write_proteins(tmp_path / "p.csv", 60)
    lines = data.read_text().splitlines()
    grouped = [f"{line},{'even' if n % 3 else 'odd'}" for n, line in enumerate(lines[1:])]
    data.write_text("\n".join([lines[0] + ",species", *grouped]) + "\n")
    results = run(tiny_model, tmp_path / "output", data, "columns.group=species").results
    assert results["by_group"].keys() == {"even", "odd"}
    assert sum(group["n"] for group in results["by_group"].values()) == 6
    assert "group_accuracy" in results["metrics"]["test"]


@pytest.mark.parametrize(
    ("label", "changes", "problem", "names"),
    [
        (lambda n: "xyz"[n % 3], ["class_weights=balanced"], "multi_class", ["x", "y", "z"]),
        (lambda n: ("x;y", "y", "z")[n % 3], [], "multi_label", ["x", "y", "z"]),
        (lambda n: n / 7, [], "regression", []),
        (lambda n: n % 2, ["pos_weight=3"], "binary", ["0", "1"]),
    ],
)
def test_the_labels_tell_the_problem(tmp_path, tiny_model, label, changes, problem, names):
    data = write_proteins(tmp_path / "p.csv", 40, label=label)
    told = []
    results = run(tiny_model, tmp_path / "output", data, *changes, tell=told.append).results
    assert results["task"]["problem"] == problem
    assert results["data"]["label_names"] == names
    assert f"{problem}: " in told[0]
    config = LucaOneConfig.from_pretrained(tmp_path / "output")
    assert config.num_labels == {"binary": 1, "regression": 1}.get(problem, 3)
    assert results["metrics"]["test"][results["task"]["metric"]] is not None


def test_the_best_epoch_is_kept(tmp_path, tiny_model):
    data = write_proteins(tmp_path / "p.csv", 40)
    summary = run(tiny_model, tmp_path / "output", data, "epochs=6", "learning_rate=0.03")
    accuracies = {
        entry["step"]: entry["eval_accuracy"]
        for entry in summary.results["history"]
        if "eval_accuracy" in entry
    }
    best = summary.results["training"]["best_step"]
    assert len(accuracies) == 6
    assert accuracies[best] == max(accuracies.values())
    assert summary.results["metrics"]["dev"]["accuracy"] == accuracies[best]


def test_training_stops_when_nothing_improves(tmp_path, tiny_model):
    data = write_proteins(tmp_path / "p.csv", 40)
    changes = ("epochs=30", "patience=2", "learning_rate=1e-12")
    results = run(tiny_model, tmp_path / "output", data, *changes).results
    assert results["training"]["steps"] == 3 * 2  # the first epoch and two more, of two steps
