# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""One task with several sources of features: the table, its rows, and what is not done twice."""

import json
import random
import shutil
import subprocess
import sys
from functools import partial

import pytest
import torch
from matplotlib.image import imread
from transformers import EsmConfig, EsmModel, EsmTokenizer

from finetune import Task, compare, comparison_rows, finetune, results
from finetune.trainer import TaskTrainer
from tests.finetune.helpers import letters, read_table, write_pairs, write_table
from tests.helpers import REPOSITORY

COLUMNS = ["seq_id", "seq_type", "seq", "label", "part"]
# Settings of a head that trains in a second.
QUICK = {"pooling": "mean", "hidden_size": 8, "epochs": 1, "learning_rate": 1e-2}


def splits(count):
    """Divide records: half for training, a quarter each for dev and test."""
    return [("train", "dev", "train", "test")[number % 8 // 2] for number in range(count)]


def write_motifs(path, count=96):
    """Write DNA of two classes with the same letters in another order; return the path."""
    rows = []
    for number, part in enumerate(splits(count)):
        generator = random.Random(number)
        words = ["ACGT", "AGCT"][number % 2], *"ACGT"
        text = "".join(generator.choices(words, k=40))
        rows.append([f"s{number}", "gene", text, ["forth", "back"][number % 2], part])
    return write_table(path, COLUMNS, rows)


def task(**fields):
    """Return a task of those data."""
    return Task(**({"name": "motifs", "columns": {"split": "part"}} | QUICK | fields))


def rows_of(folder):
    """Return the rows of comparison.json by name."""
    rows = json.loads((folder / "comparison.json").read_text())["rows"]
    return {row["name"]: row for row in rows}


@pytest.fixture
def steps(monkeypatch):
    """Count the steps of training; `stop_at` holds the number of one that is interrupted."""

    class Steps:
        done, stop_at = 0, None

    run = TaskTrainer.training_step

    def counted(*args, **kwargs):
        if Steps.done == Steps.stop_at:
            raise KeyboardInterrupt
        Steps.done += 1
        return run(*args, **kwargs)

    monkeypatch.setattr(TaskTrainer, "training_step", counted)
    return Steps


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """Draw 20 in place of 1,000 for an interval, which takes most of the time otherwise."""
    for module in (comparison_rows, results):
        monkeypatch.setattr(module, "intervals", partial(module.intervals, resamples=20))


def make_esm(folder, tokens):
    """Write an ESM-2 with random weights that reads these letters; return its folder."""
    folder.mkdir()
    words = ["<cls>", "<pad>", "<eos>", "<unk>", *tokens, "<mask>"]
    (folder / "vocab.txt").write_text("\n".join(words))
    EsmTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    config = EsmConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        position_embedding_type="rotary",
        pad_token_id=1,
        mask_token_id=len(words) - 1,
    )
    EsmModel(config).save_pretrained(folder)
    return folder


def test_one_table_of_all_sources(tiny_model, tmp_path):
    data = write_motifs(tmp_path / "motifs.csv")
    names = [str(tiny_model), f"random:{tiny_model}", "one-hot", "kmer", "kmer:1"]
    told = []
    summary = compare(task(), backbones=names, data=data, output=tmp_path / "out", tell=told.append)
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert files == ["comparison.csv", "comparison.json", "comparison.png"]
    assert not (tmp_path / "out.partial").exists()
    assert imread(tmp_path / "out" / "comparison.png")[..., :3].std() > 0.01

    table = read_table(tmp_path / "out" / "comparison.csv")
    assert [row["name"] for row in table] == [
        *("tiny", "random:tiny", "one-hot", "kmer", "kmer:1"),
        "majority",
    ]
    assert [row["kind"] for row in table] == [*["features"] * 3, *["k-mers"] * 2, "majority"]
    assert [row["width"] for row in table[:2]] == ["32", "32"]
    assert [row["steps"] for row in table] == ["3", "3", "3", "", "", ""]
    for row in table:
        assert row["name"] in str(summary) and f"{float(row['accuracy']):.4f}" in str(summary)
        assert float(row["low"]) <= float(row["accuracy"]) <= float(row["high"])
    # The order of the letters decides, which single letters do not tell.
    by_name = {row["name"]: float(row["accuracy"]) for row in table}
    assert by_name["kmer"] == 1 and by_name["majority"] == 0.5
    assert by_name["kmer:1"] < 0.9 and by_name["one-hot"] < 0.9

    rows = rows_of(tmp_path / "out")
    assert rows["tiny"]["sequences"] == {"distinct": 96, "computed": 96}
    assert rows["one-hot"]["sequences"] == {"distinct": 96, "computed": 0}
    assert set(rows["tiny"]["metrics"]) == {"test", "dev"}
    found = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert found["data"]["splits"] == {"train": 48, "dev": 24, "test": 24}
    assert list(found["data"]["files"]) == ["motifs.csv"]
    assert {"torch", "transformers", "scikit-learn"} <= set(found["versions"])
    assert any("features of tiny: 96 distinct sequences, 96 computed" in line for line in told)


def test_a_row_is_what_fine_tuning_comes_to(tiny_model, tmp_path):
    data = write_motifs(tmp_path / "motifs.csv")
    alone = finetune(task(), model=tiny_model, data=data, output=tmp_path / "run", device="cpu")
    compare(task(), backbones=["one-hot", str(tiny_model)], data=data, output=tmp_path / "out")
    row = rows_of(tmp_path / "out")["tiny"]
    assert row["metrics"]["test"] == pytest.approx(alone.results["metrics"]["test"], abs=1e-6)
    low, high = alone.results["intervals"]["test"]["accuracy"]
    assert row["intervals"]["test"]["accuracy"] == pytest.approx([low, high], abs=1e-6)
    # The features of the run before lie where those of the comparison are looked for.
    assert row["sequences"] == {"distinct": 96, "computed": 0}
    majority = rows_of(tmp_path / "out")["majority"]["metrics"]["test"]
    assert majority == pytest.approx(alone.results["majority"])


def test_pairs_with_an_encoder_for_each_side(tiny_model, tmp_path):
    data = write_pairs(tmp_path / "pairs.csv", 40)
    esm = make_esm(tmp_path / "esm", "ACDEFGHIKLMNPQRSTVWYX")
    names = [f"{tiny_model}+{esm}", str(tiny_model), "one-hot+one-hot", "kmer"]
    pairs = task(input="pair", columns={}, network="heterogeneous")
    summary = compare(pairs, backbones=names, data=data, output=tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    assert list(rows) == ["tiny+esm", "tiny", "one-hot+one-hot", "kmer", "majority"]
    assert rows["tiny+esm"]["width"] == [32, 16]
    # 40 genes, 4 proteins: each side by its own encoder, or all by one.
    assert rows["tiny+esm"]["sequences"]["distinct"] == 44
    assert rows["tiny"]["sequences"]["distinct"] == 44
    assert "32+16" in str(summary)


def test_pairs_of_one_pooling_take_features_of_one_width(tiny_model, tmp_path, steps):
    data = write_pairs(tmp_path / "pairs.csv")
    pairs = task(input="pair", columns={}, network="homogeneous")
    name = f"{tiny_model}+one-hot"
    with pytest.raises(ValueError, match=r"tiny\+one-hot: network: homogeneous .* 32 and 39 wide"):
        compare(pairs, backbones=["one-hot", name], data=data, output=tmp_path / "out")
    assert steps.done == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pairs.csv"]


def test_values(tiny_model, tmp_path):
    records = []
    for number, part in enumerate(splits(120)):
        text = letters("prot", 60, number)
        records.append([f"p{number}", "prot", text, text.count("W") + 0.5 * text.count("C"), part])
    data = write_table(tmp_path / "values.csv", COLUMNS, records)
    known = {"model": "another one", "spearman": 0.25, "unheard_of": 1.0}
    values = task(problem="regression", dataset="somebody/data", published=known)
    summary = compare(
        values, backbones=["kmer:1", str(tiny_model)], data=data, output=tmp_path / "out"
    )
    table = read_table(tmp_path / "out" / "comparison.csv")
    assert [row["name"] for row in table] == [
        *("kmer:1", "tiny", "majority", "published (another one)")
    ]
    kmers, _, majority, published = table
    assert float(kmers["spearman"]) > 0.95
    assert majority["spearman"] == "" and float(majority["rmse"]) > float(kmers["rmse"])
    assert published["kind"] == "published" and float(published["spearman"]) == 0.25
    assert published["rmse"] == published["low"] == published["steps"] == ""
    assert any("published score is that of somebody/data" in note for note in summary.notes)


@pytest.mark.parametrize("stopped", [4, 11])
def test_a_stopped_comparison_goes_on(tiny_model, tmp_path, steps, stopped):
    """Three epochs of three steps each; 11 is in the second row, behind its first epoch."""
    data = write_motifs(tmp_path / "motifs.csv")
    names = [str(tiny_model), "one-hot", "kmer"]
    wanted = {"backbones": names, "data": data, "output": tmp_path / "out"}
    longer = task(epochs=3)
    compare(longer, **wanted | {"output": tmp_path / "whole"})
    assert steps.done == 18
    steps.done, steps.stop_at = 0, stopped
    with pytest.raises(KeyboardInterrupt):
        compare(longer, **wanted)
    assert not (tmp_path / "out").exists()
    with pytest.raises(ValueError, match=r"out.partial was begun with epochs 3, not 4"):
        compare(task(epochs=4), **wanted)
    steps.done, steps.stop_at = 0, None
    compare(longer, **wanted)
    # What is behind the last checkpoint is done again, and nothing else.
    assert steps.done == 18 - stopped // 3 * 3
    again, before = rows_of(tmp_path / "out"), rows_of(tmp_path / "whole")
    assert list(again) == list(before)
    for name, row in again.items():
        for split, scores in row["metrics"].items():
            assert scores == pytest.approx(before[name]["metrics"][split], abs=1e-6)
    assert not (tmp_path / "out.partial").exists()


def test_what_is_there_is_not_made_again(tiny_model, tmp_path, steps):
    data = write_motifs(tmp_path / "motifs.csv")
    wanted = {"backbones": [str(tiny_model), "kmer"], "data": data, "output": tmp_path / "out"}
    first = compare(task(), **wanted)
    assert steps.done == 3
    second = compare(task(), **wanted)
    assert steps.done == 3
    assert str(second) == str(first) and second.notes[0].endswith("complete; nothing was done")
    with pytest.raises(ValueError, match=r"out was made with backbones .*--overwrite replaces it"):
        compare(task(), **wanted | {"backbones": ["kmer"]})
    compare(task(), **wanted | {"backbones": ["kmer"]}, overwrite=True)
    assert list(rows_of(tmp_path / "out")) == ["kmer", "majority"]
    # A folder of something else stays what it is.
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    for overwrite in (False, True):
        with pytest.raises(ValueError, match="mine: is there already and no result of"):
            compare(task(), **wanted | {"output": tmp_path / "mine"}, overwrite=overwrite)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "all of it"
    assert not (tmp_path / "mine.partial").exists()


def test_an_encoder_that_cannot_read_the_data_stops_all_before_training(
    tiny_model, tmp_path, steps
):
    data = write_motifs(tmp_path / "motifs.csv")
    esm = make_esm(tmp_path / "esm", "WYMK")
    with pytest.raises(ValueError, match=r"esm: its tokenizer does not know most letters of nucl"):
        compare(task(), backbones=[str(tiny_model), str(esm)], data=data, output=tmp_path / "out")
    assert steps.done == 0
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.partial").exists()


def test_names_are_distinct_and_may_hold_a_plus(tiny_model, tmp_path):
    data = write_motifs(tmp_path / "motifs.csv")
    models = [tmp_path / "a+b", tmp_path / "x" / "model", tmp_path / "y" / "model"]
    for folder in models:
        shutil.copytree(tiny_model, folder)
    compare(task(), backbones=list(map(str, models)), data=data, output=tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    assert list(rows) == ["a+b", "model", "model (2)", "majority"]
    assert rows["model (2)"]["source"] == str(models[2])
    pairs = write_pairs(tmp_path / "pairs.csv")
    both = task(input="pair", columns={})
    compare(both, backbones=[f"{models[0]}+one-hot"], data=pairs, output=tmp_path / "pairs")
    assert rows_of(tmp_path / "pairs")["a+b+one-hot"]["width"] == [32, 39]


@pytest.mark.parametrize(
    ("names", "fields", "message"),
    [
        (["kmer", "nowhere"], {}, "nowhere: there is no such folder"),
        (["random:nowhere"], {}, "nowhere: there is no such folder"),
        (["kmer", "kmer"], {}, "backbones: kmer is there twice"),
        (["kmer:0"], {}, "kmer:0: there is no such folder"),
        (["one-hot+one-hot"], {}, "one-hot.one-hot: two encoders, but a record of this task is"),
        (["a+b+c"], {}, "a.b.c: neither a folder nor two encoders"),
        (["kmer+one-hot"], {"input": "pair"}, "kmer.one-hot: k-mers are those of both sides"),
        (["one-hot"], {"pooling": "cls"}, "one-hot: has no row of"),
        (["kmer:500"], {}, "kmer:500: no sequence of the training data has such a k-mer"),
        (["kmer"], {"metric": "spearman"}, "metric: 'spearman' is no metric of the problem binary"),
        (["kmer"], {"class_weights": (1.0, 2.0)}, "class_weights: the problem is binary"),
    ],
)
def test_errors_name_what_is_at_fault(tmp_path, names, fields, message):
    data = write_motifs(tmp_path / "motifs.csv")
    with pytest.raises(ValueError, match=message) as error:
        compare(task(**fields), backbones=names, data=data, output=tmp_path / "out")
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["motifs.csv"]


def test_the_command(lucaone, tiny_model, tmp_path):
    data = write_motifs(tmp_path / "motifs.csv")
    arguments = [
        *("finetune", "compare", "--backbones", tiny_model, "kmer", "--data", data),
        *("--split-column", "part", "--set", "pooling=mean", "--set", "epochs=1"),
        *("--features", tmp_path / "kept", "--device", "cpu", "--output", tmp_path / "out"),
    ]
    status, printed, told = lucaone(*arguments)
    assert status == 0
    head, *lines = printed.splitlines()
    assert head.startswith(f"{tmp_path / 'out'}: motifs, 24 records of test; ")
    assert [line.split()[0] for line in lines] == ["name", "tiny", "kmer", "majority"]
    assert "severity" in told and "features of tiny: 96 distinct" in told
    assert len(list((tmp_path / "kept").iterdir())) == 1
    status, again, told = lucaone(*arguments)
    assert (status, again) == (0, printed) and "complete; nothing was done" in told
    arguments[4] = "random:nothing"
    status, printed, told = lucaone(*arguments)
    assert (status, printed) == (1, "")
    assert told.startswith("lucaone: error: nothing: there is no such folder")
    assert len(told.splitlines()) == 1
    assert lucaone("finetune", "compare", "--output", "x")[0] == 2


@pytest.mark.slow
def test_two_processes_make_the_table_of_one(tiny_model, tmp_path):
    data = write_motifs(tmp_path / "motifs.csv")
    arguments = [
        *("compare", "--backbones", tiny_model, "kmer", "one-hot", "--data", data),
        *("--split-column", "part", "--set", "pooling=mean", "--set", "epochs=2"),
        *("--set", "dropout=0", "--device", "cpu", "--output"),
    ]
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    tables = []
    for folder, launcher in (("one", []), ("two", torchrun)):
        command = [*launcher, "-m", "finetune", *arguments, tmp_path / folder / "out"]
        done = subprocess.run(
            [sys.executable, *map(str, command)],
            capture_output=True,
            text=True,
            timeout=300,
            cwd=REPOSITORY,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("records of test") == 1
        assert not (tmp_path / folder / "out.partial").exists()
        tables.append(rows_of(tmp_path / folder / "out"))
    one, two = tables
    assert list(one) == list(two) == ["tiny", "kmer", "one-hot", "majority"]
    for name, row in one.items():
        assert two[name]["sequences"] == row["sequences"] and two[name]["steps"] == row["steps"]
        assert two[name]["metrics"]["test"] == pytest.approx(row["metrics"]["test"], abs=0.05)
