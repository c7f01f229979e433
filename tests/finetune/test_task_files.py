# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Every published task runs on data in the published form, from the record of it that is known."""

import random

import pytest
import torch
from huggingface_hub import ModelCard
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from finetune import finetune, read_task
from finetune.task import published_tasks
from finetune.trainer import probabilities
from modeling_lucaone import AutoModelForPairClassification, LucaOneConfig
from tests.finetune.helpers import DATA, LETTERS, SMALL, needs_data, read_table, write_table
from tests.helpers import SAME_LIMIT, relative_l2

pytestmark = [needs_data, pytest.mark.usefixtures("few_resamples")]
SIZES = {"train": 8, "dev": 4, "test": 4}
KEYS = {
    *(
        "task",
        "mode",
        "model",
        "data",
        "training",
        "history",
        "metrics",
        "intervals",
        "command",
        "by_group",
    ),
    *("majority", "versions", "made_from", "started", "seconds", "notes", "figures"),
}
# Of the whole models, one of each kind: a single one, and a pair of a gene and a protein.
CASES = [(task, "frozen") for task in published_tasks()]
CASES += [(task, mode) for task in ("ncRNAFam", "ncRPI") for mode in ("full", "lora")]


def edited(sequence, kind, generator):
    """Return a sequence with a twentieth of its letters replaced."""
    changed = list(sequence)
    for place in generator.sample(range(len(changed)), max(1, len(changed) // 20)):
        changed[place] = generator.choice(LETTERS[kind])
    return "".join(changed)


def published_folder(folder, name):
    """Write train, dev and test data and label.txt in the published form, of edited records."""
    task, generator = read_task(name), random.Random(0)
    source = read_table(DATA / "tasks" / f"{name}_prediction.csv")
    record = source[0]
    (label,) = [column for column in record if column.startswith("label")]
    known = record[label]
    others = ["0", "1", "2"][: 2 if task.problem == "binary" else 3]
    for split, count in SIZES.items():
        rows = []
        for number in range(count):
            row = dict(record)
            for side in ("",) if task.input == "single" else ("_a", "_b"):
                row["seq_id" + side] += f"_{split}{number}"
                row["seq" + side] = edited(row["seq" + side], row["seq_type" + side], generator)
            row[label] = [known, *others][number % (1 + len(others))]
            if task.problem == "regression":
                row[label] = str(float(known) + number / 7)
            rows.append(row.values())
        write_table(folder / split / f"{split}.csv", list(record), rows)
    if task.problem != "regression":
        count = {"binary": 2, "multi_class": max(3, int(known) + 1)}[task.problem]
        count = len(task.class_weights or range(count))
        names = "\n".join(["label", *(f"label {number}" for number in range(count))])
        (folder / "label.txt").write_text(names + "\n")
    return folder


def predicted_again(output, task, rows):
    """Return the probabilities of the saved model for rows of the test data, all in one batch."""
    auto = AutoModelForSequenceClassification
    sides = {"": 0}
    if task.input == "pair":
        auto, sides = AutoModelForPairClassification, {"_a": 0, "_b": 1}
    model, report = auto.from_pretrained(output, output_loading_info=True)
    assert not any(report.values()), report
    tokenizer = AutoTokenizer.from_pretrained(output)
    inputs = {}
    for side, number in sides.items():
        texts = [row["seq" + side][: task.max_lengths[number]] for row in rows]
        encoded = tokenizer(
            texts, seq_type=task.seq_types[number], padding=True, return_tensors="pt"
        )
        inputs |= {name + side: tensor for name, tensor in encoded.items()}
    with torch.no_grad():
        return torch.tensor(probabilities(task.problem, model.eval()(**inputs).logits))


@pytest.mark.parametrize(("name", "mode"), CASES)
def test_a_published_task_runs_from_end_to_end(tmp_path, tiny_model, name, mode):
    task, data = read_task(name), published_folder(tmp_path / "data", name)
    output, told = tmp_path / "output", []
    summary = finetune(
        name,
        model=tiny_model,
        output=output,
        data=data,
        mode=mode,
        changes=["epochs=1", "metric=null", *SMALL],
        device="cpu",
        tell=told.append,
    )
    results = summary.results
    assert summary.output == output
    assert KEYS - {"figures"} <= results.keys() <= KEYS
    assert results["data"]["splits"] == SIZES
    assert results["mode"] == mode
    assert results["task"]["name"] == name
    assert (results["model"]["trained_parameters"] == results["model"]["parameters"]) == (
        mode == "full"
    )
    assert "records" in told[0]

    card = ModelCard.load(output / "README.md")
    assert card.data.library_name == "transformers"
    assert {result.dataset_split for result in card.data.eval_results} == {"dev", "test"}
    for picture in results["figures"]:
        assert (output / picture).read_bytes().startswith(b"\x89PNG")
        assert f"({picture})" in card.text
    assert len(results["figures"]) == 2

    config = LucaOneConfig.from_pretrained(output)
    assert config.seq_types == list(task.seq_types)
    assert config.max_residues == list(task.max_lengths)
    rows = read_table(data / "test" / "test.csv")
    predicted = [row for row in read_table(output / "predictions.csv") if row["split"] == "test"]
    ids = [column for column in rows[0] if column.startswith("seq_id")]
    assert [[row[column] for column in ids] for row in predicted] == [
        [row[column].removeprefix(">") for column in ids] for row in rows
    ]
    values = [column for column in predicted[0] if column.startswith("probability_")]
    if task.problem == "regression":
        values = ["prediction"]
    elif task.problem == "binary":
        values = values[1:]
    stated = torch.tensor([[float(row[column]) for column in values] for row in predicted])
    assert relative_l2(stated, predicted_again(output, task, rows)) < SAME_LIMIT


def test_labels_are_those_of_the_published_files(tmp_path, tiny_model):
    data = published_folder(tmp_path / "data", "ProtLoc")
    output = tmp_path / "output"
    finetune(
        "ProtLoc", model=tiny_model, output=output, data=data, changes=["epochs=1"], device="cpu"
    )
    predicted = [row for row in read_table(output / "predictions.csv") if row["split"] == "test"]
    rows = read_table(data / "test" / "test.csv")
    assert [row["label"] for row in predicted] == [f"label {row['label']}" for row in rows]
    config = LucaOneConfig.from_pretrained(output)
    assert config.id2label == {number: f"label {number}" for number in range(6)}
    assert config.class_weights == [2, 50, 1, 5, 8, 10]
