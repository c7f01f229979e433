# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What `lucaone finetune` cannot do: one line that says why, the right exit status, no trace."""

import pytest
import torch

from tests.finetune.helpers import SMALL, write_pairs, write_proteins, write_table
from tests.helpers import GOLDEN

pytestmark = pytest.mark.usefixtures("few_resamples")
SINGLE = ["seq_id", "seq_type", "seq", "label"]
needs_no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")


@pytest.fixture
def place(tmp_path):
    """A folder with tables of single sequences and of pairs, and with task files."""
    write_proteins(tmp_path / "single.csv")
    write_pairs(tmp_path / "pairs.csv")
    write_proteins(tmp_path / "one-class.csv", label=lambda _: "a")
    write_proteins(tmp_path / "words.csv", label=lambda number: "high" if number == 3 else number)
    write_table(tmp_path / "no-label.csv", SINGLE[:3], [["p", "prot", "MKV"]])
    write_table(tmp_path / "no-letters.csv", SINGLE, [["p7", "prot", "", "a"]])
    write_proteins(tmp_path / "untrained" / "test.csv")
    write_proteins(tmp_path / "named" / "train.csv", label=lambda n: "abc"[n % 3])
    (tmp_path / "named" / "label.txt").write_text("label\na\nb\n")
    (tmp_path / "unknown-key.yaml").write_text("epoch: 5\n")
    (tmp_path / "wrong-value.yaml").write_text("input: triple\n")
    (tmp_path / "pair.yaml").write_text("input: pair\n")
    (tmp_path / "weights.yaml").write_text("class_weights: [1, 2, 3]\nproblem: multi_class\n")
    (tmp_path / "no-model").mkdir()
    return tmp_path


def everything(folder):
    """Return the files below a folder with their content; folders too."""
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def arguments(*more, data="single.csv", model=None):
    """Return what follows `lucaone finetune`, without --output."""
    named = [] if data is None else ["--data", data]
    named += [] if model is None else ["--model", model]
    changes = [word for change in ("epochs=1", *SMALL) for word in ("--set", change)]
    return [*named, *changes, *more]


# What is asked for, and the end of the message.
WRONG_DATA = {
    "pairs for a single task": (arguments(data="pairs.csv"), "a file of pairs; this task takes"),
    "single for a pair task": (arguments("pair.yaml"), "a file of single sequences; this task"),
    "words for numbers": (
        arguments("--set", "problem=regression", data="words.csv"),
        "record 'p3' (line 5): the label 'high' is not a finite number",
    ),
    "unknown label": (
        arguments(data="named"),
        "the label 'c' is none of 'a', 'b'",
    ),
    "missing column": (arguments(data="no-label.csv"), "no column for label"),
    "named column": (arguments("--label-column", "y"), "no column 'y' for label"),
    "empty sequence": (arguments(data="no-letters.csv"), "no-letters.csv: record 'p7'"),
    "no training data": (arguments(data="untrained"), "no training data"),
    "no data": (arguments(data="absent.csv"), "absent.csv: no such file or folder"),
    "one class": (arguments(data="one-class.csv"), "the only label is 'a'"),
}
WRONG_TASK = {
    "unknown key in a file": (
        arguments("unknown-key.yaml"),
        "unknown key 'epoch'; did you mean 'epochs'?",
    ),
    "wrong value in a file": (arguments("wrong-value.yaml"), "input is 'triple', not single or"),
    "no such task": (arguments("ProtLok"), "task ProtLok: there is no such file"),
    "no data named": (arguments(data=None), "data: neither given nor named by the task"),
    "class weights": (arguments("weights.yaml"), "class_weights: 3 for 2 labels"),
    "class weights of two": (
        arguments("--set", "class_weights=balanced"),
        "class_weights: the problem is binary, not multi_class",
    ),
    "metric": (
        arguments("--set", "metric=spearman"),
        "metric: 'spearman' is no metric of the problem binary; those are accuracy, f1",
    ),
    "split": (arguments("--set", "split={train: 0}"), "split: train has no share"),
    "column": (arguments("--set", "columns.name=x"), "columns: unknown key 'name'"),
}
WRONG_MODEL = {
    "no folder": (arguments(model="absent"), "absent: there is no such folder"),
    "no config": (arguments(model="no-model"), "no-model: "),
    "original layout": (arguments(model=GOLDEN / "original-tiny"), "lucaone convert"),
}
WRONG_USAGE = {
    "mode": (arguments("--mode", "partial"), "argument --mode: invalid choice: 'partial'"),
    "device": (arguments("--device", "tpu"), "argument --device: invalid choice: 'tpu'"),
    "tokens": (
        arguments("--tokens-per-batch", "0"),
        "argument --tokens-per-batch: '0' is not a positive whole number",
    ),
    "option": (
        arguments("--epochs=5"),
        "unrecognized arguments: --epochs=5 (see lucaone finetune --help)",
    ),
    "unknown key": (arguments("--set", "epoch=5"), "unknown key 'epoch'; did you mean 'epochs'?"),
    "no value": (arguments("--set", "epochs"), "--set epochs: not of the form key=value"),
    "wrong type": (arguments("--set", "epochs=many"), "epochs is 'many', not a whole number"),
}


def failing(lucaone, place, monkeypatch, model, case):
    """Run a command that fails; return its status and standard error, and see that it left none."""
    words, message = case
    monkeypatch.chdir(place)
    before = everything(place)
    given = [] if "--model" in words else ["--model", model]
    status, out, err = lucaone("finetune", *words, *given, "--output", "run/output")
    assert everything(place) == before
    assert out == ""
    *_, last = err.splitlines()
    assert last.startswith("lucaone: error: ")
    assert message in last
    assert err.count("lucaone: error: ") == 1
    assert "Traceback" not in err
    return status, err


@pytest.mark.parametrize("name", WRONG_DATA)
def test_wrong_data_are_shown_in_a_table_and_told_in_a_line(
    lucaone, place, monkeypatch, tiny_model, name
):
    status, err = failing(lucaone, place, monkeypatch, tiny_model, WRONG_DATA[name])
    assert status == 1
    head, *rows, _ = err.splitlines()
    assert head.split() == ["severity", "about", "where", "count", "what"]
    assert rows[0].startswith("error")


@pytest.mark.parametrize("name", WRONG_TASK)
def test_a_wrong_task_is_told_in_a_line(lucaone, place, monkeypatch, tiny_model, name):
    assert failing(lucaone, place, monkeypatch, tiny_model, WRONG_TASK[name])[0] == 1


@pytest.mark.parametrize("name", WRONG_MODEL)
def test_a_wrong_model_is_told_before_the_data_are_read(
    lucaone, place, monkeypatch, tiny_model, name
):
    status, err = failing(lucaone, place, monkeypatch, tiny_model, WRONG_MODEL[name])
    assert (status, len(err.splitlines())) == (1, 1)


@pytest.mark.parametrize("name", WRONG_USAGE)
def test_wrong_usage_is_told_in_a_line(lucaone, place, monkeypatch, tiny_model, name):
    status, err = failing(lucaone, place, monkeypatch, tiny_model, WRONG_USAGE[name])
    assert (status, len(err.splitlines())) == (2, 1)


@needs_no_gpu
def test_without_a_gpu_none_is_used_in_silence(lucaone, place, monkeypatch, tiny_model):
    case = arguments("--mode", "full", "--device", "cuda"), "there is no cuda device here"
    status, err = failing(lucaone, place, monkeypatch, tiny_model, case)
    assert (status, len(err.splitlines())) == (2, 1)


def test_a_model_is_needed(lucaone, place, monkeypatch):
    monkeypatch.chdir(place)
    status, _, err = lucaone("finetune", "--data", "single.csv", "--output", "run")
    assert (status, len(err.splitlines())) == (2, 1)
    assert "--model" in err


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_no_result_is_never_replaced(lucaone, place, tiny_model, kind, overwrite):
    output = place / "work"
    if kind == "folder":
        output.mkdir()
        (output / "thesis.txt").write_text("years")
    else:
        output.write_text("years")
    before = everything(place)
    status, _, err = lucaone(
        *("finetune", "--data", place / "single.csv", "--model", tiny_model, "--output", output),
        *("--overwrite",) * overwrite,
    )
    assert status == 1
    assert str(output) in err.splitlines()[-1]
    assert everything(place) == before
