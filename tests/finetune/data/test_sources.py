# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Forms of labelled data that are read: tables, folders, FASTA, the Hub, and the published ones."""

import hashlib
import random

import huggingface_hub
import pandas as pd
import pytest

from finetune.data import SPLITS, DataSettings, Example, read_data
from tests.finetune.data.helpers import (
    DATA,
    PAIR,
    PROT,
    SINGLE,
    error_of,
    found,
    gene,
    labelled,
    needs_data,
    protein,
    write,
)


def sizes(data):
    return {split: len(examples) for split, examples in data.splits.items()}


def folder(path, splits=SPLITS, suffix=".csv"):
    for split in splits:
        labelled(path / split / f"{split}{suffix}", *[0, 1] * 5)
    return path


def test_published_single_form(tmp_path):
    for split, offset in zip(SPLITS, (0, 10, 20), strict=True):
        rows = [f">r{n},gene,{gene(n)},{n % 3}" for n in range(offset, offset + 6)]
        write(tmp_path / split / f"{split}.csv", SINGLE, *rows)
    label_txt = write(tmp_path / "label.txt", "label", "cat", "dog", "cow")
    data = read_data(tmp_path, DataSettings("single"))
    assert list(data.splits) == list(SPLITS)
    assert data.splits["dev"][0] == Example(("r10",), (gene(10),), ("gene",), 1)
    assert (data.problem, data.label_names) == ("multi_class", ("cat", "dog", "cow"))
    assert data.files["label.txt"] == hashlib.sha256(label_txt.read_bytes()).hexdigest()
    assert set(data.files) == {"train.csv", "dev.csv", "test.csv", "label.txt"}


@pytest.mark.parametrize("names", [("valid", "test"), ("validation", "test"), ("dev", "test")])
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_files_and_other_names_of_dev(tmp_path, names, suffix):
    tab = "\t" if suffix == ".tsv" else ","
    for split in ("train", *names):
        rows = [tab.join((f"r{n}", protein(split + str(n)), str(n % 2))) for n in range(4)]
        write(tmp_path / f"{split}{suffix}", tab.join(("id", "seq", "label")), *rows)
    write(tmp_path / "notes.csv", "nothing of the sort")
    assert sizes(read_data(tmp_path, PROT)) == {"train": 4, "dev": 4, "test": 4}


def test_several_files_of_a_split_and_equal_names(tmp_path):
    for split in SPLITS:
        labelled(tmp_path / split / "a.csv", 0, 1, 0, 1)
    rows = [f"q{n},{protein(f'q{n}')},{n % 2}" for n in range(4)]
    write(tmp_path / "train" / "b.csv", "id,sequence,label", *rows)
    data = read_data(tmp_path, PROT)
    assert sizes(data) == {"train": 8, "dev": 4, "test": 4}
    assert set(data.files) == {"train/a.csv", "dev/a.csv", "test/a.csv", "b.csv"}


def test_what_a_folder_lacks_is_taken_from_train(tmp_path):
    labelled(tmp_path / "train.csv", *[0, 1] * 45)
    labelled(tmp_path / "test.csv", *[0, 1] * 5)
    data = read_data(tmp_path, PROT)
    assert sizes(data) == {"train": 80, "dev": 10, "test": 10}  # 0.8 and 0.1 of 90
    origin = found(data.findings, "note", "origin")
    assert "from train.csv, distinct inputs divided by train 0.8, dev 0.1" in origin["dev"][1]
    assert origin["test"] == (10, "from test.csv")


def test_a_share_of_0_leaves_a_split_empty(tmp_path):
    labelled(tmp_path / "train.csv", *[0, 1] * 5)
    settings = DataSettings("single", seq_types=("prot",), split={"train": 0.8, "dev": 0.2})
    data = read_data(tmp_path, settings)
    assert sizes(data) == {"train": 8, "dev": 2, "test": 0}
    assert "share is 0" in found(data.findings, "note", "origin")["test"][1]


@pytest.mark.parametrize("form", [".csv", ".parquet"])
def test_column_of_splits_and_groups(tmp_path, form):
    rows = [
        (protein(n), n % 2, ["train", "Validation", "test"][n % 3], "mouse" if n < 6 else "")
        for n in range(12)
    ]
    table = pd.DataFrame(rows, columns=["sequence", "label", "fold", "species"])
    path = tmp_path / f"x{form}"
    table.to_csv(path, index=False) if form == ".csv" else table.to_parquet(path)
    columns = {"split": "fold", "group": "species"}
    data = read_data(path, DataSettings("single", seq_types=("prot",), columns=columns))
    assert sizes(data) == {"train": 4, "dev": 4, "test": 4}
    # Without a column of ids rows are numbered.
    assert data.splits["dev"][0] == Example(("2",), (protein(1),), ("prot",), 1, "mouse")
    assert data.splits["dev"][-1].group is None


def test_parquet_of_fractions_and_nulls(tmp_path):
    table = pd.DataFrame(
        {"seq": [protein(n) for n in range(40)], "label": [n / 4 for n in range(40)]}
    )
    table.to_parquet(tmp_path / "x.parquet")
    data = read_data(tmp_path / "x.parquet", PROT)
    assert data.problem == "regression"
    assert sorted(e.label for of in data.splits.values() for e in of) == list(table["label"])
    table.loc[3, "label"] = None
    table.to_parquet(tmp_path / "y.parquet")
    error = error_of(tmp_path / "y.parquet", PROT)
    assert "y.parquet: record '4' (row 4): the label is " in str(error)


def test_pairs_of_two_kinds_with_their_own_limits_and_groups(tmp_path):
    rows = [
        f"g{n},>p{n},DNA,protein,{gene(n).lower()},{protein(n)},{n % 2},{'ox' if n % 2 else 'ape'}"
        for n in range(20)
    ]
    path = write(tmp_path / "x.csv", PAIR + ",species", *rows)
    settings = DataSettings("pair", max_lengths=(30, 35), columns={"group": "species"})
    data = read_data(path, settings)
    examples = {e.ids: e for of in data.splits.values() for e in of}
    assert examples["g7", "p7"] == Example(
        ("g7", "p7"), (gene(7)[:30], protein(7)[:35]), ("gene", "prot"), 1, "ox"
    )
    cuts = found(data.findings, "warning", "length limit")
    assert cuts["sequences a"][0] == cuts["sequences b"][0] == 20
    assert "200 of 800 residues are lost, the longest sequence has 40" in cuts["sequences a"][1]


def test_repeated_sequences_are_one_string(tmp_path):
    rows = [f"a{n},b{n},prot,prot,{protein('same')},{protein(n)},{n % 2}" for n in range(20)]
    data = read_data(write(tmp_path / "x.csv", PAIR, *rows), DataSettings("pair"))
    assert len({id(e.sequences[0]) for of in data.splits.values() for e in of}) == 1


def test_types_by_column_and_columns_by_name(tmp_path):
    rows = [f"r{n},{protein(n)},protein,{gene(n)},dna,{n % 2}" for n in range(10)]
    path = write(tmp_path / "x.csv", "name,left,kind,right,other,answer", *rows)
    columns = {
        "id_a": "name",
        "id_b": "name",
        "sequence_a": "left",
        "sequence_b": "right",
        "label": "answer",
        "seq_type_b": "other",
    }
    kinds = ("column:kind", "column:other")
    data = read_data(path, DataSettings("pair", seq_types=kinds, columns=columns))
    example = next(e for of in data.splits.values() for e in of if e.ids[0] == "r3")
    assert example == Example(("r3", "r3"), (protein(3), gene(3)), ("prot", "gene"), 1)


def test_fasta_with_labels(tmp_path):
    records = [f">r{n} seq_type={'dna' if n % 2 else 'RNA'} x\n{gene(n)[:20]}\n{gene(n)[20:]}"
               for n in range(10)]  # fmt: skip
    fasta = write(tmp_path / "x.fa", *records)
    rows = [f">r{n},{n % 2},{'train' if n < 4 else 'dev'}" for n in reversed(range(10))]
    table = write(tmp_path / "y.csv", "seq_id,label,part", *rows)
    settings = DataSettings(
        "single",
        seq_types=("header",),
        columns={"split": "part"},
        split={"train": 1},
    )
    data = read_data(fasta, settings, labels_file=table)
    assert sizes(data) == {"train": 4, "dev": 6, "test": 0}
    assert data.splits["train"][3] == Example(("r3",), (gene(3),), ("gene",), 1)
    assert set(data.files) == {"x.fa", "y.csv"}


@pytest.mark.parametrize("name", ["owner/set", "owner/set/Task/v1"])
def test_hub(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "cache"
    folder(root / "Task" / "v1" if name.count("/") > 1 else root)
    calls = []

    def snapshot_download(repository, **options):
        calls.append((repository, options))
        return str(root)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    assert sizes(read_data(name, PROT, revision="v2")) == {"train": 10, "dev": 10, "test": 10}
    [(repository, options)] = calls
    assert (repository, options["repo_type"], options["revision"]) == ("owner/set", "dataset", "v2")
    prefix = "Task/v1/*" if name.count("/") > 1 else "*"
    assert all(pattern.startswith(prefix) for pattern in options["allow_patterns"])
    assert {prefix + ".csv", prefix + ".parquet", prefix + ".txt"} <= set(options["allow_patterns"])

    def offline(repository, **options):
        raise OSError("no route to the Hub\nand more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    assert str(error_of(name, PROT)).endswith(": not here, so looked for on the Hub: "
                                              "no route to the Hub")  # fmt: skip


def test_a_local_folder_goes_before_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "owner" / "set")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", None)
    assert sizes(read_data("owner/set", PROT))["train"] == 10


def test_sources_that_are_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", None)
    table = labelled(tmp_path / "x.csv", 0, 1)
    fasta = write(tmp_path / "x.fa", ">a", "MKV")
    for source, options, message in [
        ("data/x.csv", {}, "data/x.csv: no such file or folder"),
        ("/nowhere/at/all", {}, "no such file or folder"),
        ("owner/../set", {}, "no such file or folder"),
        (fasta, {}, "needs a table of labels"),
        (fasta, {"labels_file": tmp_path / "no.csv"}, "no.csv: no such file"),
        (table, {"labels_file": table}, "goes with FASTA"),
        (tmp_path, {"labels_file": table}, "goes with FASTA"),
        (table, {"revision": "main"}, "that is for the Hub"),
        (tmp_path, {}, "no training data"),
    ]:
        assert message in str(error_of(source, PROT, **options))
    folder(tmp_path / "twice")
    labelled(tmp_path / "twice" / "valid.csv", 0, 1)
    assert "both dev and valid.csv are dev data" in str(error_of(tmp_path / "twice", PROT))


def test_label_txt_that_is_none(tmp_path):
    folder(tmp_path)
    write(tmp_path / "label.txt", "label", "a", "", "b")
    assert str(error_of(tmp_path, PROT)).startswith("label.txt: line 3: no name")
    write(tmp_path / "label.txt", "label", "a", "a")
    assert "label.txt: line 3: the name 'a' is there twice" in str(error_of(tmp_path, PROT))


@needs_data
@pytest.mark.parametrize("task", sorted(path.stem for path in (DATA / "tasks").glob("*.csv")))
def test_published_tasks(tmp_path, task):
    header, row = (DATA / "tasks" / f"{task}.csv").read_text().splitlines()
    *cells, label = row.split(",")
    where = header.split(",").index("seq" if ",seq," in header else "seq_a")
    number = random.Random(task)
    for split in SPLITS:
        rows = [header]
        for other in range(6):
            sequence = list(cells[where])
            for place in number.sample(range(len(sequence)), 5):
                sequence[place] = number.choice("ACGT")
            edited = [*cells[:where], "".join(sequence), *cells[where + 1 :]]
            new = (
                label
                if other % 2
                else str(1 - float(label) if "." in label else 1 - int(label) % 2)
            )
            rows.append(",".join((*edited, new)))
        write(tmp_path / split / f"{split}.csv", *rows)
    pair = "seq_a" in header
    data = read_data(tmp_path, DataSettings("pair" if pair else "single"))
    assert sizes(data) == {"train": 6, "dev": 6, "test": 6}
    assert data.problem == ("regression" if task.startswith("ProtStab") else "binary")
    first = data.splits["train"][1]
    assert first.ids[0] == cells[0].removeprefix(">")
    assert first.seq_types == tuple(cell for cell in cells if cell in ("gene", "prot"))
    if data.problem == "regression":
        assert first.label == float(label)
    else:
        assert data.label_names[first.label] == label
    if pair:
        assert first.sequences[1] == cells[where + 1]


@needs_data
def test_species_and_clans():
    species = DATA / "s1-species" / "species.csv"
    settings = DataSettings(
        "single",
        seq_types=("gene",),
        columns={"label": "label_name"},
        split={"train": 0.6, "dev": 0.15, "test": 0.25},
    )
    data = read_data(species, settings)
    assert (data.problem, len(data.label_names)) == ("multi_class", 12)
    for split, size in zip(SPLITS, (60, 15, 25), strict=True):
        labels = [example.label for example in data.splits[split]]
        assert [labels.count(number) for number in range(12)] == [size] * 12
    columns = {"id": "protein_id", "sequence": "protein_seq", "label": "clan_id"}
    clans = DATA / "s2-pfam-clans" / "clans.csv"
    data = read_data(clans, DataSettings("single", seq_types=("prot",), columns=columns))
    assert sum(sizes(data).values()) == 2738
    assert data.label_names[0] == "CL0010" and len(data.label_names) == 12
    assert not [row for row in data.findings.rows if row.severity != "note"]
