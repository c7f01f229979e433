# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What is found in data: every error at once, warnings, notes, and how they are shown."""

from dataclasses import replace

import pytest

from finetune.data import DataError, DataSettings, Findings, checks, read_data
from tests.finetune.data.helpers import (
    GENE,
    PAIR,
    PROT,
    SINGLE,
    error_of,
    found,
    gene,
    labelled,
    protein,
    write,
)


def splits_of(path, **labels):
    """Write a folder with these rows (id, sequence, label) in each split."""
    for split, rows in labels.items():
        lines = [",".join(map(str, row)) for row in rows]
        write(path / f"{split}.csv", "id,sequence,label", *lines)
    return path


def test_everything_is_looked_at_before_anything_is_raised(tmp_path):
    write(
        tmp_path / "train.csv",
        SINGLE,
        "a,prot,MKV,0",
        "b,prot,MK9V,0",
        "c,prot,,1",
        "d,fish,MKW,1",
        "e,prot,M?,",
        ",prot,MKA,1",
        "g,prot,--,1",
        "h,prot,?M,1",
    )
    write(tmp_path / "dev.csv", SINGLE, "a,prot,MKV,0", "b,prot,MKV")
    write(tmp_path / "test.csv", SINGLE, "a,prot,MKVA,2")
    error = error_of(tmp_path, DataSettings("single", labels=("x", "y")))
    assert str(error) == (
        "train.csv: record 'b' (line 3), position 3: '9' is not a letter A to Z (one of 5) "
        "(and 5 more kinds; see the table)"
    )
    errors = {(row.kind, row.where): str(row) for row in error.findings.of("error")}
    assert errors == {
        ("sequence", "train.csv"): "records that cannot be read: "
        "record 'b' (line 3), position 3: '9' is not a letter A to Z; "
        "record 'c' (line 4): empty sequence; "
        "record 'e' (line 6), position 2: '?' is not a letter A to Z; ...",
        ("molecule type", "train.csv"): "records that cannot be read: record 'd' (line 5): unknown "
        'seq_type \'fish\': choose "gene" (or "dna", "rna", "nucleic_acid") or "prot" '
        '(or "protein")',
        ("id", "train.csv"): "records that cannot be read: line 7: a record without an id",
        ("file", "dev.csv"): "the file cannot be read: "
        "line 3: the header has 4 cells, this row has 3",
        ("empty label", "train.csv"): "records without a label: "
        "record 'e' (line 6): the label is empty",
        ("label", "test.csv"): "labels that cannot be: "
        "record 'a' (line 2): the label '2' is none of 'x', 'y'",
    }


def test_both_sides_of_a_pair_are_looked_at(tmp_path):
    rows = ["a,b,gene,prot,AC!,,1", "c,d,gene,prot,ACGT,MKV,0"]
    error = error_of(write(tmp_path / "x.csv", PAIR, *rows), DataSettings("pair"))
    [(count, text)] = found(error.findings, "error", "sequence").values()
    assert count == 2
    assert "record 'a' (line 2), position 3" in text and "record 'b' (line 2): empty" in text


@pytest.mark.parametrize(
    ("header", "settings", "message"),
    [
        ("id,sequence", PROT, "no column for label (label or label_index); "
         "--label-column tells it; the columns are 'id', 'sequence'"),
        ("id,sequence,label", DataSettings("single"),
         "no column for seq_type (seq_type), and no --seq-type; the columns are "),
        ("id,sequence,label", DataSettings("single", seq_types=("column:kind",)),
         "no column 'kind' for seq_type; the columns are "),
        ("id,sequence,label", DataSettings("single", seq_types=("prot",), columns={"label": "y"}),
         "no column 'y' for label; the columns are "),
        ("id,sequence,label", DataSettings("single", seq_types=("prot",), columns={"id": "name"}),
         "no column 'name' for id; the columns are "),
        ("id,sequence,label", DataSettings("single", seq_types=("prot",), columns={"split": "s"}),
         "no column 's' for split; the columns are "),
        ("id,sequence,label", DataSettings("single", seq_types=("prot",), columns={"group": "g"}),
         "no column 'g' for group; the columns are "),
        ("seq,sequence,label", PROT, "more than one column for sequence: 'seq', 'sequence'; "),
        ("id,label,label", PROT, "no column for sequence (obj_seq or seq or sequence); "
         "--sequence-column tells it; "
         "more than one column for label: 'label', 'label'; "),
        ("id,sequence,label", DataSettings("single", seq_types=("header",)),
         "the molecule type 'header' is for FASTA, this is a table"),
        ("id,seq_a,seq_b,label", PROT, "has columns 'seq_a' and 'seq_b': a file of pairs; "
         "this task takes single sequences"),
        ("id,seq,label", DataSettings("pair", seq_types=("prot", "prot")),
         "has the column 'seq': a file of single sequences; this task takes pairs"),
    ],
)  # fmt: skip
def test_columns(tmp_path, header, settings, message):
    path = write(tmp_path / "x.csv", header, ",".join("ACGT"[: header.count(",") + 1]))
    assert str(error_of(path, settings)).startswith(f"x.csv: {message}")


def test_one_side_of_pairs_by_name(tmp_path):
    rows = [f"a{n},b{n},gene,prot,{gene(n)},{protein(n)},{n % 2}" for n in range(10)]
    path = write(tmp_path / "x.csv", PAIR, *rows)
    columns = {"id": "seq_id_b", "sequence": "seq_b", "seq_type": "seq_type_b"}
    data = read_data(path, DataSettings("single", columns=columns))
    assert {e.ids[0] for of in data.splits.values() for e in of} == {f"b{n}" for n in range(10)}


def test_fasta_and_labels_that_do_not_match(tmp_path):
    fasta = write(tmp_path / "x.fa", ">a", "MKV", ">b", "MKX", ">b", "MKX", ">", "MK", ">c d", "M1")
    table = write(tmp_path / "y.csv", "id,label", "a,1", "c,0", "c,1", "z,1")
    error = error_of(fasta, PROT, labels_file=table)
    errors = {(row.kind, row.where): row.examples for row in error.findings.of("error")}
    assert errors["repeated id", "y.csv"] == ("record 'c' (line 4): the id is there twice",)
    assert errors["repeated id", "x.fa"] == ("record 'b' (line 5): the id is there twice",)
    assert "record 'b' (line 3): the id is not in y.csv" in errors["no label", "x.fa"]
    assert errors["no sequence", "y.csv"] == ("record 'z' (line 5): the id is not in x.fa",)
    assert errors["sequence", "x.fa"] == (
        "record 'c' (line 9), position 2: '1' is not a letter A to Z",
    )
    pairs = DataSettings("pair", seq_types=("prot", "prot"))
    assert "FASTA holds single sequences; this task takes pairs" in str(
        error_of(fasta, pairs, labels_file=write(tmp_path / "z.csv", "id,label", "a,1"))
    )
    assert "FASTA has no column of molecule types" in str(
        error_of(fasta, DataSettings("single"), labels_file=tmp_path / "z.csv")
    )
    assert "y.csv: no column for label" in str(
        error_of(fasta, PROT, labels_file=write(tmp_path / "y.csv", "id,x", "a,1"))
    )


def test_header_types_of_fasta(tmp_path):
    fasta = write(tmp_path / "x.fa", ">a seq_type=gene", "AC", ">b", "AC", ">c seq_type=x", "AC")
    table = write(tmp_path / "y.csv", "id,label", "a,1", "b,0", "c,0")
    error = error_of(fasta, DataSettings("single", seq_types=("header",)), labels_file=table)
    [(count, text)] = found(error.findings, "error", "molecule type").values()
    assert count == 2 and "record 'b' (line 3): unknown seq_type ''" in text


def test_no_training_record(tmp_path):
    rows = [f"r{n},{protein(n)},{n % 2},test" for n in range(4)]
    path = write(tmp_path / "x.csv", "id,seq,label,split", *rows)
    settings = DataSettings("single", seq_types=("prot",), columns={"split": "split"})
    assert str(error_of(path, settings)) == "train: there is no training record"
    write(
        path, "id,seq,label,split", *rows, f"x,{protein(9)},0,training", f"y,{protein(8)},1,train"
    )
    assert str(error_of(path, settings)) == (
        "x.csv: record 'x' (line 6): the split 'training' is none of "
        "train, dev, test, valid, validation"
    )
    assert "holds no records" in str(error_of(write(path, "id,seq,label,split"), settings))


def test_damaged_files(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and nothing more")
    assert "x.parquet: not a Parquet file" in str(error_of(tmp_path / "x.parquet", PROT))
    (tmp_path / "x.csv").write_bytes(b"id,seq,label\na,\xff,1\n")
    assert "x.csv: line 2: not UTF-8" in str(error_of(tmp_path / "x.csv", PROT))
    write(tmp_path / "empty.csv")
    assert "empty.csv: holds no records" in str(error_of(tmp_path / "empty.csv", PROT))


def test_warnings(tmp_path):
    same, other = protein("same"), protein("other")
    splits_of(
        tmp_path,
        train=[("a", same, "x"), ("b", same, "y"), ("c", protein(1, 60), "y"), ("f", other, "x")],
        dev=[("d", same.lower(), "x"), ("e", protein(2), "y"), ("z", protein(3), "x")],
        test=[("g", other, "w"), ("h", same, "x"), ("i", protein(4), "v"), ("j", protein(5), "v")],
    )
    settings = DataSettings("single", seq_types=("prot",), max_lengths=(50,))
    table = [
        row[1:] for row in read_data(tmp_path, settings).findings.table() if row[0] == "warning"
    ]
    sizes = [row[1:3] for row in table if row[0] == "size" and "too few to judge" in row[3]]
    assert sizes == [("dev", 3), ("test", 4)]
    assert [row for row in table if row[0] != "size"] == [
        ("rare labels", "all", 1, "labels occur once in all: 'w'"),
        ("unseen labels", "test", 2, "labels do not occur in train: 'v'; 'w'"),
        ("also in train", "dev", 1, "of 3 records have an input that is also in train: 'd'"),
        ("also in train", "test", 2, "of 4 records have an input that is also in train: 'g'; 'h'"),
        ("also in dev", "test", 1, "of 4 records have an input that is also in dev: 'h'"),
        (
            "different labels",
            "all",
            2,
            "inputs, or pairs the other way round, have records of different labels: 'b'; 'g'",
        ),
        (
            "length limit",
            "sequences",
            1,
            "of 11 sequences are cut to 50 residues; 10 of 460 residues are lost, "
            "the longest sequence has 60",
        ),
    ]


def test_the_other_molecule_type_on_one_side(tmp_path):
    rows = [f"a{n},b{n},gene,prot,{gene(n)},{gene(n + 50)},{n % 2}" for n in range(10)]
    rows += [f"c{n},d{n},gene,prot,{gene(n + 20)},{protein(n)},{n % 2}" for n in range(10)]
    data = read_data(write(tmp_path / "x.csv", PAIR, *rows), DataSettings("pair"))
    [(where, (count, text))] = found(data.findings, "warning", "molecule type prot").items()
    assert (where, count) == ("sequences b", 10)
    assert text.startswith("of 20 distinct sequences read as prot look like nucleic acids: 'b")
    assert not found(data.findings, "warning", "molecule type gene")


def test_mostly_the_other_molecule_type_is_an_error(tmp_path):
    rows = [f"g{n},{gene(n)},{n % 2}" for n in range(9)]
    path = write(tmp_path / "x.csv", "seq_id,seq,label", *rows)
    settings = DataSettings("single", seq_types=("prot",))
    with pytest.raises(DataError, match="9 of 9 distinct sequences read as prot look like"):
        read_data(path, settings)
    forced = read_data(path, replace(settings, force=True))
    [(_, (count, _))] = found(forced.findings, "warning", "molecule type prot").items()
    assert count == 9


def test_sequences_that_take_long_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "LONG_SEQUENCE", 50)
    rows = [f"p{n},{protein(n, 40 + 20 * (n == 3))},{n % 2}" for n in range(9)]
    path = write(tmp_path / "x.csv", "seq_id,seq,label", *rows)
    settings = DataSettings("single", seq_types=("prot",))
    [(_, (count, text))] = found(
        read_data(path, settings).findings, "warning", "long sequences"
    ).items()
    assert count == 1
    assert "longest 60" in text and "--set max_lengths=[N] cuts them" in text
    cut = read_data(path, replace(settings, max_lengths=(50,)))
    assert not found(cut.findings, "warning", "long sequences")


def test_records_without_any_of_several_labels(tmp_path):
    path = labelled(tmp_path / "x.csv", *["a;b", "b", "", "a"] * 5)
    data = read_data(path, PROT)
    assert data.problem == "multi_label"
    count, text = found(data.findings, "warning", "no labels")["all"]
    assert count == 5 and text.startswith("records have none of the labels: 'p")


def test_notes(tmp_path):
    rows = [
        f"r{n},{protein(n % 10, 30 + n % 10)}{'*-' if n == 3 else ''},{n % 3}" for n in range(20)
    ]
    path = write(tmp_path / "x.csv", "id,seq,label", *rows)
    settings = DataSettings("single", seq_types=("prot",), split={"train": 1})
    findings = read_data(path, settings).findings
    assert found(findings, "note", "cleaning")["x.csv"] == (
        1,
        "removed 1 gap and 1 trailing '*' in 1 of 20 records",
    )
    assert found(findings, "note", "size")["train"] == (
        20,
        "records; 10 distinct sequences, residues: median 34.5, longest 39",
    )
    assert found(findings, "note", "labels")["train"] == (
        3,
        "of 3 labels occur; records of each: 0 7, 1 7, 2 6",
    )
    many = read_data(labelled(tmp_path / "y.csv", *(f"c{n % 15}" for n in range(60))), settings)
    text = found(many.findings, "note", "labels")["train"][1]
    assert text.count(" 4") == 12 and text.endswith(", ...")
    values = read_data(labelled(tmp_path / "z.csv", *(n / 2 for n in range(11))), settings)
    assert found(values.findings, "note", "labels")["train"] == (11, "values 0 to 5, median 2.5")


def test_the_table():
    findings = Findings()
    findings.add("note", "size", "train", "records", count=1234)
    for name in "abcd":
        findings.add("error", "label", "x.csv", "labels that cannot be", examples=(name,))
    findings.add("error", "label", "y.csv", "labels that cannot be", examples=("e",))
    assert str(findings).splitlines() == [
        "severity  about  where  count  what",
        "error     label  x.csv      4  labels that cannot be: a; b; c; ...",
        "error     label  y.csv      1  labels that cannot be: e",
        "note      size   train  1,234  records",
    ]
    assert str(Findings()) == "severity  about  where  count  what"


def test_keep_gaps(tmp_path):
    path = write(tmp_path / "x.csv", "id,seq,label", "a,M-K*,0", "b,MKV,1")
    settings = {"seq_types": ("prot",), "split": {"train": 1}}
    kept = read_data(path, DataSettings("single", keep_gaps=True, **settings))
    assert kept.splits["train"][0].sequences == ("M-K*",)
    assert read_data(path, DataSettings("single", **settings)).splits["train"][0].sequences == (
        "MK",
    )
    assert GENE.keep_gaps is False
