# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Sequences to predict, as a stream; and settings that cannot be."""

import tracemalloc

import pandas as pd
import pytest

from finetune.data import DataSettings, Example, read_unlabelled
from sequence_io import SequenceFileError
from tests.finetune.data.helpers import GENE, PAIR, PROT, SINGLE, gene, protein, write

PAIRS = DataSettings("pair", max_lengths=(10, 10))


def test_single_sequences(tmp_path):
    columns = {"label": "absent", "split": "absent", "group": "absent"}
    settings = DataSettings("single", columns=columns, max_lengths=(2,))
    path = write(tmp_path / "x.csv", "seq_id,seq_type,seq", ">a,RNA,acg-u", "b,protein,MKV*")
    assert list(read_unlabelled(path, settings)) == [
        Example(("a",), ("ACGU",), ("gene",), None),
        Example(("b",), ("MKV",), ("prot",), None),
    ]
    labelled = write(tmp_path / "y.csv", SINGLE, "a,gene,ACGT,x")
    assert list(read_unlabelled(labelled, settings)) == [
        Example(("a",), ("ACGT",), ("gene",), None)
    ]


def test_fasta_and_parquet(tmp_path):
    fasta = write(tmp_path / "x.fasta", "", ";c", ">a\tb", "AC", "", "GT", ">c", "A")
    assert [(e.ids[0], e.sequences[0]) for e in read_unlabelled(fasta, GENE)] == [
        ("a", "ACGT"),
        ("c", "A"),
    ]
    pd.DataFrame({"seq": ["MKV", "MKW"]}).to_parquet(tmp_path / "x.parquet")
    examples = list(read_unlabelled(tmp_path / "x.parquet", PROT))
    assert [(e.ids, e.sequences) for e in examples] == [(("1",), ("MKV",)), (("2",), ("MKW",))]


@pytest.mark.parametrize("form", [".csv", ".parquet"])
def test_pairs_are_a_stream_and_not_cut(tmp_path, form):
    rows = [
        (f"a{n}", f"b{n}", "gene", "prot", gene(n % 50, 1000), protein(n % 50, 1000))
        for n in range(2_000)
    ]
    table = pd.DataFrame(rows, columns=PAIR.split(",")[:-1])
    path = tmp_path / f"x{form}"
    table.to_csv(path, index=False) if form == ".csv" else table.to_parquet(path)
    del table, rows
    next(read_unlabelled(path, PAIRS))  # what is imported is not measured
    tracemalloc.start()
    count = 0
    for example in read_unlabelled(path, PAIRS):
        count += 1
        assert len(example.sequences[0]) == len(example.sequences[1]) == 1000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 2_000
    assert example == Example(
        ("a1999", "b1999"), (gene(49, 1000), protein(49, 1000)), ("gene", "prot"), None
    )
    assert peak < 2**20  # the sequences of the file are 4 MB


@pytest.mark.parametrize(
    ("name", "lines", "settings", "message"),
    [
        ("x.csv", ["seq_id,seq", "a,MKV", "b,M7"], PROT,
         "x.csv: record 'b' (line 3), position 2: '7' is not a letter A to Z"),
        ("x.csv", ["seq_id,seq", "a,"], PROT, "x.csv: record 'a' (line 2): empty sequence"),
        ("x.csv", ["seq_id,seq", "a,MK"], DataSettings("single"), "x.csv: no column for seq_type"),
        ("x.csv", ["seq_id,seq", "a,MK"], PAIRS, "this task takes pairs"),
        ("x.csv", ["seq_id,seq"], PROT, "x.csv: holds no records"),
        ("x.fa", ["MKV"], PROT, "x.fa: line 1: no header: a FASTA record begins with '>'"),
        ("x.fa", [""], PROT, "x.fa: holds no records"),
        ("x.fa", [">", "MKV"], PROT, "x.fa: line 1: a record without an id"),
    ],
)  # fmt: skip
def test_the_first_bad_record_is_raised(tmp_path, name, lines, settings, message):
    path = write(tmp_path / name, *lines)
    with pytest.raises(SequenceFileError) as caught:
        list(read_unlabelled(path, settings))
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_records_before_a_bad_one_are_read(tmp_path):
    stream = read_unlabelled(write(tmp_path / "x.csv", "id,seq", "a,MKV", "b,?"), PROT)
    assert next(stream).ids == ("a",)
    with pytest.raises(SequenceFileError):
        next(stream)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"input": "triple"}, "input: 'triple' is neither 'single' nor 'pair'"),
        ({"seq_types": ("gene", "prot")}, "seq_types: 2 given, a single has one sequence"),
        ({"input": "pair", "max_lengths": (5,)}, "max_lengths: 1 given, a pair has two sequences"),
        ({"max_lengths": (0,)}, "max_lengths: 0 is not above 0"),
        ({"seq_types": ("fish",)}, "seq_types: unknown seq_type 'fish'"),
        (
            {"input": "pair", "seq_types": ("header", "prot")},
            "seq_types: unknown seq_type 'header'",
        ),
        ({"columns": {"seq": "x"}}, "columns: unknown key 'seq'; known are id, sequence, "),
        ({"input": "pair", "columns": {"id": "x"}}, "columns: unknown key 'id'; known are id_a, "),
        ({"problem": "ranking"}, "problem: 'ranking' is none of binary, "),
        ({"labels": ("a", "a")}, "labels: a name is there twice"),
        ({"label_separator": ""}, "label_separator: is empty"),
        ({"split": {"train": 1, "valid": 1}}, "split: unknown key 'valid'"),
        ({"split": {"train": 0.5, "dev": -1}}, "split: the share of dev is -1"),
        ({"split": {"train": float("nan")}}, "split: the share of train is nan"),
        ({"split": {"dev": 1}}, "split: train has no share"),
    ],
)
def test_settings_that_cannot_be(fields, message):
    with pytest.raises(ValueError) as caught:
        DataSettings(**({"input": "single"} | fields))
    assert str(caught.value).startswith(message)


def test_aliases_of_molecule_types():
    assert DataSettings("pair", seq_types=("RNA", "protein")).seq_types == ("gene", "prot")
