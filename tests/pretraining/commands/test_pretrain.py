# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone pretrain`: what it prints, and how it says what is wrong."""

import json
import shutil
from dataclasses import replace

import pytest
import yaml
from transformers import AutoModel, AutoModelForPreTraining

import lucaone_cli
from pretraining import training
from tests.pretraining.helpers import random_records, tiny_recipe, write_folder
from training_jobs.settings import as_dictionary


@pytest.fixture(scope="module", autouse=True)
def a_rate_that_is_not_measured():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "matrix_rate", lambda device, dtype: 1e12)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    write_folder(folder / "train", random_records(6, 8), per_shard=5)
    write_folder(folder / "dev", random_records(3, 4, seed=1), per_shard=5)
    (folder / "tiny.yaml").write_text(yaml.safe_dump(as_dictionary(tiny_recipe(steps=3))))
    return folder


def arguments(data, output, **replaced):
    options = {"train": data / "train", "eval": data / "dev", "output": output, "device": "cpu"}
    given = [f"--{name}={value}" for name, value in (options | replaced).items() if value]
    return ["pretrain", str(data / "tiny.yaml"), *given]


def test_it_shows_what_was_found_and_how_good_each_task_is(data, tmp_path, capsys):
    assert lucaone_cli.main(arguments(data, tmp_path / "model")) == 0
    printed = capsys.readouterr()
    assert "gene: 6 records" in printed.err
    assert "parameters; 3 updates, 3 an epoch" in printed.err
    lines = printed.out.splitlines()
    assert lines[0] == "3 updates, judged on 7 records"
    assert lines[1].split("  ")[0] == "task"
    assert {line.split()[0] for line in lines[2:-1]} == set(tiny_recipe().tasks)
    assert lines[-1] == str(tmp_path / "model")
    AutoModel.from_pretrained(tmp_path / "model")


def test_without_eval_it_says_so(data, tmp_path, capsys):
    assert lucaone_cli.main(arguments(data, tmp_path / "model", eval=None)) == 0
    assert "; no evaluation (--eval DIR)" in capsys.readouterr().out
    results = json.loads((tmp_path / "model" / "results.json").read_text())
    assert results["metrics"] is results["baseline"] is None


def failure(capsys, given):
    """Return the exit status and the one line that a wrong call ends with."""
    try:
        status = lucaone_cli.main(given)
    except SystemExit as exit_:
        status = exit_.code
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("lucaone: error: ")
    return status, last


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--set", "steppes=3"], "unknown key 'steppes'; did you mean 'steps'?"),
        (["--set", "tasks.gene_typ.weight=3"], "unknown task 'gene_typ'"),
        (["--set", "steps"], "--set steps: not of the form key=value"),
        (["--tokens-per-batch", "0"], "'0' is not a positive whole number"),
        (["--workers", "some"], "'some' is not a whole number"),
    ],
)
def test_wrong_usage_is_2(data, tmp_path, capsys, more, named):
    status, line = failure(capsys, [*arguments(data, tmp_path / "model"), *more])
    assert (status, named in line) == (2, True), line


def test_a_recipe_that_is_not_there_names_those_that_are(data, tmp_path, capsys):
    given = arguments(data, tmp_path / "model")
    status, line = failure(capsys, [given[0], "larg", *given[2:]])
    assert "recipe larg: there is no such file, and the published recipes are lucaone," in line
    assert status == 2


@pytest.mark.parametrize(
    ("replaced", "named"),
    [
        ({"train": "nowhere"}, "nowhere: there is no such folder"),
        ({"eval": "nowhere"}, "nowhere: there is no such folder"),
        ({"labels": "nowhere"}, "nowhere: there is no such folder of vocabularies"),
        ({"model": "nowhere"}, "nowhere"),
        ({"set": "model.hidden_size=33"}, "hidden_size 33 does not divide"),
    ],
)
def test_a_job_that_fails_is_1(data, tmp_path, capsys, replaced, named):
    status, line = failure(capsys, arguments(data, tmp_path / "model", **replaced))
    assert (status, named in line) == (1, True), line
    assert not (tmp_path / "model").exists()


def test_csv_is_told_what_to_do(data, tmp_path, capsys):
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv" / "gene.csv").write_text("obj_id\n")
    _, line = failure(capsys, arguments(data, tmp_path / "model", train=tmp_path / "csv"))
    assert "`lucaone data convert-records` makes Parquet of it" in line


def test_a_record_outside_its_vocabulary_is_found_before_the_training(data, tmp_path, capsys):
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "gene_type.txt").write_text("CDS\n")
    status, line = failure(capsys, arguments(data, tmp_path / "model", labels=labels))
    assert status == 1
    assert "gene-00000.parquet: record gene-0: gene_type: label 7 is not in a vocabulary" in line
    assert not (tmp_path / "model.partial").exists()


def test_a_shard_that_vanishes_leaves_the_checkpoints(data, tmp_path, capsys, monkeypatch):
    """Of a second window, after the training has begun."""
    shutil.copytree(data / "train", tmp_path / "train")
    step = training.PretrainingTrainer.training_step

    def remove(self, *given, **kwargs):
        for shard in (tmp_path / "train").glob("prot*"):
            shard.unlink(missing_ok=True)
        return step(self, *given, **kwargs)

    monkeypatch.setattr(training.PretrainingTrainer, "training_step", remove)
    more = ["--set", "shuffle_buffer=1", "--set", "save_steps=1", "--set", "steps=9"]
    more += ["--set", "batch_size=1"]
    given = arguments(data, tmp_path / "model", train=tmp_path / "train", eval=None)
    status, line = failure(capsys, [*given, *more])
    assert (status, "the shard has vanished" in line) == (1, True), line
    assert list((tmp_path / "model.partial").glob("checkpoint-*"))


def test_folders_that_number_labels_differently_are_refused(data, tmp_path, capsys):
    """For the same id would mean one thing in one and another in the other."""
    folders = []
    for name, labels in (("a", "CDS\ntRNA\n"), ("b", "tRNA\nCDS\n")):
        folders.append(shutil.copytree(data / "train", tmp_path / name / "train"))
        (tmp_path / name / "labels").mkdir()
        (tmp_path / name / "labels" / "gene_type.txt").write_text(labels)
    given = arguments(data, tmp_path / "model", train=None)
    given += ["--train", *map(str, folders)]
    status, line = failure(capsys, given)
    assert (status, "numbers the labels of gene_type differently" in line) == (1, True), line


def test_vocabularies_of_all_folders_are_taken(data, tmp_path):
    folders = []
    for name, task in (("a", "gene_type"), ("b", "prot_site")):
        folders.append(tmp_path / name)
        for shard in (data / "train").glob(f"{task[:4]}*"):
            (folders[-1] / "train").mkdir(parents=True, exist_ok=True)
            shutil.copy(shard, folders[-1] / "train")
        (folders[-1] / "labels").mkdir()
        names = "".join(f"{task} {number}\n" for number in range(8))
        (folders[-1] / "labels" / f"{task}.txt").write_text(names)
    given = [*arguments(data, tmp_path / "model", train=None, eval=None), "--train"]
    assert lucaone_cli.main([*given, *(str(folder / "train") for folder in folders)]) == 0
    config = AutoModel.from_pretrained(tmp_path / "model").config
    assert config.label_names.keys() == {"gene_type", "prot_site"}


def test_a_data_folder_is_not_taken_with_its_held_out_records(data, tmp_path, capsys):
    status, line = failure(capsys, arguments(data, tmp_path / "model", train=data))
    assert status == 1
    assert f"{data}: is a whole data folder; name {data / 'train'}" in line


def test_the_shape_of_a_model_that_goes_on_is_its_own(data, tmp_path, capsys):
    more = {"model": "somewhere", "set": "model.hidden_size=64"}
    _, line = failure(capsys, arguments(data, tmp_path / "model", **more))
    assert "the shape of a model that goes on is its own" in line


def test_tasks_of_a_molecule_without_records_are_left_out(data, tmp_path, capsys):
    for shard in (data / "train").glob("gene*"):
        (tmp_path / "genes").mkdir(exist_ok=True)
        shutil.copy(shard, tmp_path / "genes")
    given = arguments(data, tmp_path / "model", train=tmp_path / "genes")
    assert lucaone_cli.main(given) == 0
    assert "no record of their molecule: prot_domain, prot_homo" in capsys.readouterr().err
    tasks = json.loads((tmp_path / "model" / "results.json").read_text())["tasks"]
    assert set(tasks) == {"gene_mask", "gene_type", "gene_taxonomy"}


def test_tasks_without_a_label_are_left_out(data, tmp_path, capsys):
    records = [
        replace(record, coordinates=None, keywords=(), spans={}) for record in random_records(6, 8)
    ]
    given = arguments(data, tmp_path / "model", train=write_folder(tmp_path / "bare", records))
    assert lucaone_cli.main(given) == 0
    told = capsys.readouterr().err
    line = next(line for line in told.splitlines() if line.startswith("left out"))
    assert line.startswith("left out, for no training record has a label of them: ")
    left_out = set(line.rpartition(": ")[2].split(", "))
    assert {"gene_type", "prot_site", "prot_keyword", "prot_structure"} <= left_out
    model = AutoModelForPreTraining.from_pretrained(tmp_path / "model")
    assert {*model.config.pretraining_tasks} == set(tiny_recipe().tasks) - left_out
    assert not left_out & model.annotation_heads.keys()


def test_without_any_label_there_is_nothing_to_train(data, tmp_path, capsys):
    records = [replace(record, spans={}) for record in random_records(6, 8)]
    folder = write_folder(tmp_path / "bare", records)
    recipe = yaml.safe_dump(as_dictionary(tiny_recipe(tasks={"gene_type": {"num_labels": 3}})))
    (tmp_path / "one.yaml").write_text(recipe)
    given = arguments(data, tmp_path / "model", train=folder)
    given[1] = str(tmp_path / "one.yaml")
    status, line = failure(capsys, given)
    assert status == 1
    assert "no training record has a label of them, and there is no other task: gene_type" in line
