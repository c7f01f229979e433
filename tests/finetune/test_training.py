# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Training: the same result however the work is divided, interrupted, or short of memory."""

import json
import subprocess
import sys

import pandas
import pytest
import torch
from safetensors.torch import load_file

from finetune import Task, finetune, predict_file
from finetune.trainer import TaskTrainer
from finetune.training import updates_of
from modeling_lucaone import LucaOneForMaskedLM
from tests.helpers import REPOSITORY, relative_l2, tiny_config
from tests.kills import train_and_kill
from tokenization import LucaOneTokenizerFast
from training_jobs.schedule import check_schedule

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
# Dropout draws other numbers where the work is divided in another way.
SETTINGS = {
    "epochs": 3,
    "batch_size": 6,
    "dropout": 0,
    "learning_rate": 1e-3,
    "encoder_learning_rate": 1e-3,
    "warmup_steps": 2,
}
MODES = ["frozen", "full", "lora"]


def write_model(folder):
    torch.manual_seed(0)
    LucaOneForMaskedLM(tiny_config()).save_pretrained(folder)
    LucaOneTokenizerFast().save_pretrained(folder)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A model, and proteins of two classes of which one is rich in leucine."""
    folder = tmp_path_factory.mktemp("job")
    write_model(folder / "model")
    generator = torch.Generator().manual_seed(1)
    lines = ["seq_id,seq_type,seq,label,split"]
    for number in range(44):
        length = int(torch.randint(10, 80, (), generator=generator))
        rich = number % 2
        alphabet = LETTERS + "L" * 20 * rich
        drawn = torch.randint(len(alphabet), (length,), generator=generator).tolist()
        text = "".join(alphabet[i] for i in drawn)
        split = "train" if number < 29 else "dev" if number < 37 else "test"
        lines.append(f"p{number},prot,{text},{['poor', 'rich'][rich]},{split}")
    (folder / "data.csv").write_text("\n".join(lines) + "\n")
    return folder


def options(job, mode, **changes):
    settings = SETTINGS | changes
    return {
        "model": job / "model",
        "data": job / "data.csv",
        "mode": mode,
        "changes": ["columns.split=split", *(f"{key}={value}" for key, value in settings.items())],
        "device": "cpu",
    }


def outcome(folder):
    """Return the weights, and the losses and metrics that were logged."""
    results = json.loads((folder / "results.json").read_text())
    logged = [
        {name: value for name, value in row.items() if "loss" in name or "accuracy" in name}
        for row in results["history"]
        if "train_loss" not in row
    ]
    return load_file(folder / "model.safetensors"), logged


def check_same(first, second, limit=2e-5, interrupted=False):
    (weights, logged), (others, relogged) = outcome(first), outcome(second)
    if interrupted:  # the loss of an epoch that was interrupted is that of its last steps
        logged, relogged = (
            [row for row in rows if "loss" not in row] for rows in (logged, relogged)
        )
    assert weights.keys() == others.keys()
    for name, tensor in weights.items():
        if tensor.norm() > 0:
            assert relative_l2(others[name], tensor) <= limit, name
    assert len(logged) == len(relogged)
    for row, other in zip(logged, relogged, strict=True):
        assert other == pytest.approx(row, rel=1e-4, abs=1e-6)


@pytest.fixture(scope="module", params=MODES)
def expected(request, job):
    """A run in one go, and how."""
    output = job / f"expected-{request.param}"
    finetune(output=output, **options(job, request.param))
    return request.param, output


def test_the_budget_of_tokens_does_not_change_the_result(job, expected, tmp_path):
    mode, whole = expected
    finetune(output=tmp_path / "run", **options(job, mode), tokens_per_batch=90)
    check_same(whole, tmp_path / "run")


def test_a_step_that_does_not_fit_into_memory_is_divided(job, expected, tmp_path, monkeypatch):
    mode, whole = expected
    forward = TaskTrainer.compute_loss

    def with_little_memory(self, model, inputs, **kwargs):
        tokens = next(value for name, value in inputs.items() if name.startswith("input_ids"))
        if tokens.shape[1] > 150:
            raise torch.OutOfMemoryError
        return forward(self, model, inputs, **kwargs)

    monkeypatch.setattr(TaskTrainer, "compute_loss", with_little_memory)
    summary = finetune(output=tmp_path / "run", **options(job, mode))
    assert any("out of memory" in note for note in summary.notes)
    check_same(whole, tmp_path / "run")


def test_a_record_that_does_not_fit_alone_is_an_error(job, tmp_path, monkeypatch):
    def without_memory(self, model, inputs, **kwargs):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(TaskTrainer, "compute_loss", without_memory)
    with pytest.raises(RuntimeError, match=r"out of memory with \d+ tokens .*checkpointing"):
        finetune(output=tmp_path / "run", **options(job, "full"))


def test_gradient_checkpointing_changes_nothing(job, expected, tmp_path):
    mode, whole = expected
    if mode == "frozen":
        pytest.skip("a head keeps no activations of blocks")
    finetune(output=tmp_path / "run", **options(job, mode), gradient_checkpointing=True)
    check_same(whole, tmp_path / "run")


@pytest.mark.parametrize("stopped_after", [3, 7, 14])
def test_an_interrupted_run_goes_on_and_ends_the_same(
    job, expected, tmp_path, monkeypatch, stopped_after
):
    mode, whole = expected
    step = TaskTrainer.training_step
    steps, stop_after = 0, stopped_after

    def stop(self, *arguments, **kwargs):
        nonlocal steps
        steps += 1
        if steps > stop_after:
            raise KeyboardInterrupt
        return step(self, *arguments, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(TaskTrainer, "training_step", stop)
        with pytest.raises(KeyboardInterrupt):
            finetune(output=tmp_path / "run", **options(job, mode), save_minutes=0)
    assert not (tmp_path / "run").exists()
    steps, stop_after = 0, 10**9
    monkeypatch.setattr(TaskTrainer, "training_step", stop)
    finetune(output=tmp_path / "run", **options(job, mode), save_minutes=0)
    assert steps == 15 - stopped_after  # a checkpoint stood after every step
    check_same(whole, tmp_path / "run", limit=0.0, interrupted=True)


def test_dropout_goes_on_too(job, tmp_path, monkeypatch):
    settings = options(job, "full", dropout=0.3)
    finetune(output=tmp_path / "whole", **settings)
    evaluate = TaskTrainer.evaluate

    def stop(self, *arguments, **kwargs):
        if self.state.global_step == 10:
            raise KeyboardInterrupt
        return evaluate(self, *arguments, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(TaskTrainer, "evaluate", stop)
        with pytest.raises(KeyboardInterrupt):
            finetune(output=tmp_path / "run", **settings)
    finetune(output=tmp_path / "run", **settings)
    check_same(tmp_path / "whole", tmp_path / "run", limit=0.0, interrupted=True)


def command(job, mode, output, launcher=("-m", "finetune"), **changes):
    settings = options(job, mode, **changes)
    changed = [part for change in settings["changes"] for part in ("--set", change)]
    return [
        sys.executable,
        *launcher,
        *("--model", str(settings["model"]), "--data", str(settings["data"]), "--mode", mode),
        *("--output", str(output), "--device", "cpu", *changed),
    ]


# By torchrun; without a GPU `--device cpu` makes it gloo.
LAUNCH = [
    *("-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"),
    *("--main_process_port", "0", "-m", "finetune"),
]


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_killed_run_goes_on_and_ends_the_same(job, mode, tmp_path):
    output = tmp_path / "run"
    reference = tmp_path / "reference"
    subprocess.run(command(job, mode, reference, epochs=60, patience="null"), check=True)
    assert train_and_kill(command(job, mode, output, epochs=60, patience="null"), output, times=3)
    check_same(reference, output, limit=0.0, interrupted=True)


@pytest.mark.slow
def test_two_processes_take_the_same_way_as_one(job, expected, tmp_path):
    mode, whole = expected
    subprocess.run(
        command(job, mode, tmp_path / "run", launcher=LAUNCH),
        check=True,
        cwd=REPOSITORY,
    )
    check_same(whole, tmp_path / "run")


@pytest.mark.parametrize("mode", MODES)
def test_a_regression_is_told_in_the_unit_of_its_labels(job, mode, tmp_path):
    """Melting temperatures about 60: a head that begins at 0 would not get there."""
    rows = [line.split(",") for line in (job / "data.csv").read_text().splitlines()]
    for row in rows[1:]:
        row[3] = str(60 + 0.05 * len(row[2]) + 3 * (row[3] == "rich"))
    data = tmp_path / "data.csv"
    data.write_text("\n".join(map(",".join, rows)) + "\n")
    settings = options(job, mode, metric="rmse", epochs=8) | {"data": data}
    summary = finetune(output=tmp_path / "run", **settings)
    results = summary.results
    assert results["metrics"]["test"]["rmse"] < 1.2 * results["majority"]["rmse"] < 5
    predicted = predict_file(data, tmp_path / "predicted.csv", tmp_path / "run", device="cpu")
    values = pandas.read_csv(predicted.output)["prediction"]
    assert 60 < values.mean() < 66
    stored = pandas.read_csv(tmp_path / "run" / "predictions.csv").set_index("seq_id")["prediction"]
    ids = pandas.read_csv(predicted.output)["seq_id"]
    again = values[ids.isin(stored.index)].to_numpy()
    assert again == pytest.approx(stored[ids[ids.isin(stored.index)]].to_numpy(), rel=1e-4)
    logged = [row["eval_rmse"] for row in results["history"] if "eval_rmse" in row]
    assert min(logged) == pytest.approx(results["metrics"]["dev"]["rmse"], rel=1e-4)
    assert "mean of training" in str(summary)


@pytest.mark.parametrize(
    ("warmup", "records", "told"),
    [(100, 27, "of 100 updates of the weights the learning rate rises over 100"), (49, 27, "")],
)
def test_a_warm_up_that_takes_the_training_is_told(warmup, records, told):
    task = Task("t", epochs=50, batch_size=16, warmup_steps=warmup)
    found = check_schedule(task.warmup_steps, updates_of(task, records))
    assert told in found
    assert bool(told) == bool(found)
