# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Pre-training as a whole: it learns, goes on exactly where it stopped, and survives bad steps."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

from modeling_lucaone import LucaOneForPreTraining
from pretraining import pretrain, runs, training
from pretraining.trainer import PretrainingTrainer
from tests.helpers import REPOSITORY, SAME_LIMIT, relative_l2
from tests.kills import train_and_kill
from training_jobs.settings import as_dictionary

from .helpers import random_records, tiny_recipe, write_folder

STEPS = 8


@pytest.fixture(scope="module", autouse=True)
def a_rate_that_is_not_measured():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "matrix_rate", lambda device, dtype: 1e12)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    write_folder(folder / "train", random_records(13, 22), per_shard=9)
    write_folder(folder / "dev", random_records(4, 6, seed=1), per_shard=9)
    return folder


def run(data, output, recipe=None, **options):
    return pretrain(
        recipe or tiny_recipe(steps=STEPS),
        train_data=data / "train",
        eval_data=data / "dev",
        output=output,
        **{"device": "cpu", "save_minutes": 1e9, **options},
    )


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """A run that nothing interrupted."""
    output = tmp_path_factory.mktemp("whole") / "model"
    run(data, output)
    return output


def losses(output):
    history = json.loads((output / "results.json").read_text())["history"]
    return {line["step"]: line["loss"] for line in history if "loss" in line}


def check_same(expected, output, limit=0.0):
    before, now = losses(expected), losses(output)
    assert before.keys() == now.keys()
    for step, loss in before.items():
        assert now[step] == pytest.approx(loss, rel=limit or 1e-12)
    tensors = load_file(output / "model.safetensors")
    for name, tensor in load_file(expected / "model.safetensors").items():
        if limit:
            assert relative_l2(tensors[name], tensor) < limit, name
        else:
            assert torch.equal(tensors[name], tensor), name


def test_the_output_is_a_model_with_its_results(whole, data):
    model = AutoModel.from_pretrained(whole)
    tokenizer = AutoTokenizer.from_pretrained(whole)
    inputs = tokenizer("ACGT", seq_type="gene", return_tensors="pt")
    assert model(**inputs).last_hidden_state.shape == (1, 6, 32)
    assert LucaOneForPreTraining.from_pretrained(whole).config.pretraining_tasks.keys() == set(
        tiny_recipe().tasks
    )
    results = json.loads((whole / "results.json").read_text())
    assert results["steps"] == STEPS
    assert results["data"]["records"] == {"gene": 13, "prot": 22}
    assert set(results["metrics"]) >= {"loss", "gene_mask_loss", "prot_perplexity"}
    assert set(results["baseline"]) == set(results["metrics"])
    assert str(data) not in (whole / "results.json").read_text() + (whole / "README.md").read_text()
    assert (whole / "curves.png").stat().st_size > 1000
    assert list((whole / "tensorboard").iterdir())
    assert not whole.with_name("model.partial").exists()


def test_the_log_holds_what_a_user_looks_for(whole):
    history = json.loads((whole / "results.json").read_text())["history"]
    line = next(line for line in history if "loss" in line)
    wanted = (
        "grad_norm",
        "learning_rate",
        "gene_perplexity",
        "prot_mask_accuracy",
        "gene_type_loss",
    )
    rates = ("tokens_per_second", "padded_tokens_per_second", "share_of_peak")
    assert {*wanted, *rates, "skipped_loss", "skipped_gradient"} <= line.keys()
    assert line["padded_tokens_per_second"] >= line["tokens_per_second"] > 0


def test_a_second_call_does_nothing_and_another_recipe_is_refused(whole, data):
    summary = run(data, whole)
    assert "nothing was done" in summary.notes[0]
    with pytest.raises(ValueError, match="steps 8, not 9"):
        run(data, whole, tiny_recipe(steps=9))


def interrupt(monkeypatch, after):
    """Let a training stop hard after some steps; returns what lets it go on."""
    step, taken = PretrainingTrainer.training_step, 0

    def stop(self, *arguments, **kwargs):
        nonlocal taken
        taken += 1
        if taken > after:
            raise RuntimeError("power failure")
        return step(self, *arguments, **kwargs)

    monkeypatch.setattr(PretrainingTrainer, "training_step", stop)
    return lambda: monkeypatch.setattr(PretrainingTrainer, "training_step", step)


@pytest.mark.parametrize(("after", "workers"), [(2, 0), (5, 2), (7, 0)])
def test_an_interrupted_run_goes_on_in_the_middle_of_an_epoch(
    data, whole, tmp_path, monkeypatch, after, workers
):
    recipe = tiny_recipe(steps=STEPS, save_steps=1)
    mend = interrupt(monkeypatch, after)
    with pytest.raises(RuntimeError, match="power failure"):
        run(data, tmp_path / "model", recipe, workers=workers)
    assert not (tmp_path / "model").exists()
    mend()
    run(data, tmp_path / "model", recipe, workers=workers)
    check_same(whole, tmp_path / "model")


def test_lines_of_the_log_reach_over_an_interruption(data, tmp_path, monkeypatch):
    recipe = tiny_recipe(steps=STEPS, log_steps=4, save_steps=1)
    run(data, tmp_path / "whole", recipe)
    mend = interrupt(monkeypatch, 6)
    with pytest.raises(RuntimeError):
        run(data, tmp_path / "model", recipe)
    mend()
    run(data, tmp_path / "model", recipe)
    check_same(tmp_path / "whole", tmp_path / "model")


def test_the_budget_of_tokens_changes_nothing(data, whole, tmp_path):
    run(data, tmp_path / "model", tokens_per_batch=70)
    check_same(whole, tmp_path / "model", limit=SAME_LIMIT)


@pytest.mark.parametrize(
    "option",
    ["gradient_checkpointing", pytest.param("compile_model", marks=pytest.mark.slow)],
)
def test_how_it_is_computed_changes_nothing(data, whole, tmp_path, option):
    run(data, tmp_path / "model", **{option: True})
    check_same(whole, tmp_path / "model", limit=1e-4)


def test_bfloat16_stays_near(data, whole, tmp_path):
    run(data, tmp_path / "model", dtype="bfloat16")
    before, now = losses(whole), losses(tmp_path / "model")
    assert now[1] == pytest.approx(before[1], rel=2e-2)
    assert now[1] != before[1]


def test_lack_of_memory_makes_batches_smaller(data, whole, tmp_path, monkeypatch):
    batch_loss, failed = PretrainingTrainer.batch_loss, []

    def small_device(self, model, batch):
        if batch["tokens"] > 150 and len(batch["records"]) > 1:
            failed.append(batch["tokens"])
            raise torch.OutOfMemoryError
        return batch_loss(self, model, batch)

    monkeypatch.setattr(PretrainingTrainer, "batch_loss", small_device)
    summary = run(data, tmp_path / "model")
    assert failed
    assert "out of memory" in summary.notes[0]
    check_same(whole, tmp_path / "model", limit=SAME_LIMIT)


def test_only_the_last_checkpoints_are_kept(data, tmp_path, monkeypatch):
    interrupt(monkeypatch, 7)
    with pytest.raises(RuntimeError):
        run(data, tmp_path / "model", tiny_recipe(steps=STEPS, save_steps=1, keep_checkpoints=2))
    partial = tmp_path / "model.partial"
    names = sorted(path.name for path in partial.glob("checkpoint-*"))
    assert names == ["checkpoint-6", "checkpoint-7"]
    AutoModel.from_pretrained(partial / "checkpoint-7")


def spoil(monkeypatch, spoiled, how):
    """Make some steps, counted from 1, come to no good."""
    norm = PretrainingTrainer._clip_grad_norm
    forward = PretrainingTrainer._forward_and_backward

    def clip(self, model):
        if how == "gradient" and self.state.global_step + 1 in spoiled:
            next(model.parameters()).grad.fill_(float("nan"))
        return norm(self, model)

    def run_step(self, model, step):
        loss = forward(self, model, step)
        spoil_loss = how != "gradient" and self.state.global_step + 1 in spoiled
        return loss + float(how) if spoil_loss else loss

    monkeypatch.setattr(PretrainingTrainer, "_clip_grad_norm", clip)
    monkeypatch.setattr(PretrainingTrainer, "_forward_and_backward", run_step)


@pytest.mark.parametrize(
    ("how", "counted"),
    [("gradient", "gradient"), ("nan", "loss"), ("1e9", "loss")],
)
def test_steps_that_would_do_harm_are_skipped_and_counted(
    data, tmp_path, monkeypatch, how, counted
):
    spoil(monkeypatch, {24, 26}, how)
    recipe = tiny_recipe(steps=28, learning_rate=1e-4, warmup_steps=0.1)
    summary = run(data, tmp_path / "model", recipe)
    assert summary.results["skipped"] == {"loss": 0, "gradient": 0, counted: 2}
    assert "2 of 28 updates were left out" in summary.notes[0]
    for tensor in load_file(tmp_path / "model" / "model.safetensors").values():
        assert torch.isfinite(tensor).all()


def test_a_skipped_step_leaves_weights_and_moments_alone(data, tmp_path, monkeypatch):
    seen = []
    step = torch.optim.AdamW.step

    def watched(self, *arguments, **kwargs):
        before = [p.detach().clone() for group in self.param_groups for p in group["params"]]
        result = step(self, *arguments, **kwargs)
        after = [p for group in self.param_groups for p in group["params"]]
        seen.append(all(torch.equal(a, b) for a, b in zip(before, after, strict=True)))
        return result

    spoil(monkeypatch, {3}, "gradient")
    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    run(data, tmp_path / "model", tiny_recipe(steps=5, warmup_steps=0))
    assert seen == [False, False, True, False, False]


def test_a_training_that_does_not_recover_stops(data, tmp_path, monkeypatch):
    spoil(monkeypatch, set(range(1000)), "gradient")
    with pytest.raises(RuntimeError, match="last 50 updates were skipped"):
        run(data, tmp_path / "model", tiny_recipe(steps=80))


def test_sigterm_saves_and_stops(data, whole, tmp_path, monkeypatch):
    step, taken = PretrainingTrainer.training_step, []

    def signalled(self, *arguments, **kwargs):
        taken.append(1)
        if len(taken) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(self, *arguments, **kwargs)

    handler = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr(PretrainingTrainer, "training_step", signalled)
        with pytest.raises(KeyboardInterrupt, match="stopped after 3 of 8 updates, all saved"):
            run(data, tmp_path / "model")
    assert signal.getsignal(signal.SIGTERM) is handler
    run(data, tmp_path / "model")
    check_same(whole, tmp_path / "model")


def test_a_run_that_stops_behind_its_last_step_takes_no_other(data, whole, tmp_path, monkeypatch):
    """Where a time limit cuts off the writing of the results, say."""

    def stop(*arguments):
        raise RuntimeError("time limit")

    recipe = tiny_recipe(steps=STEPS, save_steps=STEPS)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "save_run", stop)
        with pytest.raises(RuntimeError, match="time limit"):
            run(data, tmp_path / "model", recipe)
    assert (tmp_path / "model.partial" / f"checkpoint-{STEPS}").is_dir()
    summary = run(data, tmp_path / "model", recipe)
    assert summary.results["steps"] == STEPS
    check_same(whole, tmp_path / "model")


def test_a_model_goes_on_with_other_labels(data, whole, tmp_path):
    """Heads of the same labels are kept, others begin anew."""
    told = []
    recipe = tiny_recipe(steps=1, learning_rate=1e-12)
    recipe.tasks["prot_site"]["num_labels"] = 77
    run(data, tmp_path / "model", recipe, model=whole, tell=told.append)
    assert "heads that begin anew, their labels being others: prot_site" in told
    before = load_file(whole / "model.safetensors")
    after = load_file(tmp_path / "model" / "model.safetensors")
    changed = [
        name
        for name, tensor in before.items()
        if after[name].shape != tensor.shape or not torch.allclose(after[name], tensor, atol=1e-9)
    ]
    assert {name.split(".")[1] for name in changed} == {"prot_site"}


def test_every_task_is_learned(data, tmp_path):
    """Few records are learned by heart, in each task."""
    recipe = tiny_recipe(
        steps=150, learning_rate=5e-3, warmup_steps=0.1, batch_size=12, mask_probability=0.05
    )
    summary = pretrain(
        recipe,
        train_data=data / "dev",
        eval_data=data / "dev",
        output=tmp_path / "model",
        device="cpu",
    )
    metrics, baseline = summary.results["metrics"], summary.results["baseline"]
    for task in recipe.tasks:
        if not task.endswith("mask"):
            assert metrics[f"{task}_loss"] < baseline[f"{task}_loss"], task


# By torchrun; without a GPU `--device cpu` makes it gloo.
LAUNCH = [
    *("-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"),
    *("--main_process_port", "0", "-m", "pretraining"),
]


def command(data, output, recipe, processes=1, workers=0):
    file = Path(output).parent / "recipe.yaml"
    values = as_dictionary(recipe)
    file.write_text(yaml.safe_dump(values))
    launcher = ["-m", "pretraining"] if processes == 1 else LAUNCH
    return [
        sys.executable,
        *launcher,
        str(file),
        *("--train", str(data / "train"), "--eval", str(data / "dev")),
        *("--output", str(output), "--device", "cpu", "--workers", str(workers)),
    ]


@pytest.mark.slow
def test_two_processes_take_the_same_way_as_one(data, whole, tmp_path):
    arguments = command(data, tmp_path / "model", tiny_recipe(steps=STEPS), processes=2)
    subprocess.run(arguments, check=True, cwd=REPOSITORY)
    check_same(whole, tmp_path / "model", limit=SAME_LIMIT)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("processes", [1, 2])
def test_a_killed_run_goes_on_and_ends_the_same(data, tmp_path, processes, workers):
    recipe = tiny_recipe(steps=60, save_steps=2, log_steps=3)
    options = {"processes": processes, "workers": workers}
    reference, output = tmp_path / "reference", tmp_path / "run"
    subprocess.run(command(data, reference, recipe, **options), check=True, cwd=REPOSITORY)
    assert train_and_kill(command(data, output, recipe, **options), output, times=3)
    check_same(reference, output)
