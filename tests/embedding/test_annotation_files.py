# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Files of annotations, read back by parsers that are not ours; and what is wrong with a job."""

import io
import json
import re
import sys
from urllib.parse import unquote

import pandas
import pytest
import torch
from BCBio import GFF

import embedding.annotation.files as files
from embedding.annotation.annotator import Annotator
from embedding.annotation.files import annotate_file, check_options
from hub_upload import convert
from lucaone_cli import main
from modeling_lucaone import LucaOneForPreTraining
from sequence_io import SAMPLE_FASTA, read_records
from tests.helpers import GOLDEN, tiny_config
from tokenization import LucaOneTokenizerFast

REGIONS = ["CDS", "tRNA", "regulatory", "made up; 100%, a=b & c\té"]


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """A checkpoint of the original layout, converted."""
    folder = tmp_path_factory.mktemp("converted") / "lucaone"
    convert(GOLDEN / "original-tiny", folder)
    return folder


@pytest.fixture(scope="module")
def letter_model(tmp_path_factory):
    """A model with spans that are known: label n for letter n of "ACGT", of either type."""
    tasks = {
        name: {
            "level": "span",
            "seq_type": seq_type,
            "num_labels": 4,
            "hidden_size": 4,
            "problem_type": "single_label_classification",
            "weight": 1.0,
        }
        for name, seq_type in (
            ("gene_type", "gene"),
            ("prot_domain", "prot"),
            ("prot_site", "prot"),
        )
    }
    model = LucaOneForPreTraining(
        tiny_config(hidden_size=40, pretraining_tasks=tasks, label_names={"gene_type": REGIONS})
    )
    embeddings, encoder = model.lucaone.embeddings, model.lucaone.encoder
    with torch.no_grad():
        embeddings.embed_type.weight.zero_()
        embeddings.embed_tokens.weight.copy_(torch.eye(39, 40))
        for layer in encoder.layers:
            for linear in (layer.self_attn.out_proj, layer.fc2):
                linear.weight.zero_()
                linear.bias.zero_()
        for name, settings in tasks.items():
            ids = LucaOneTokenizerFast()("ACGT", seq_type=settings["seq_type"])["input_ids"][1:5]
            head = model.annotation_heads[name]
            head.dense.weight.copy_(encoder.last_layer_norm(embeddings.embed_tokens.weight[ids]))
            head.dense.bias.fill_(-30.0)
            head.out_proj.weight.copy_(torch.eye(4))
            head.out_proj.bias.zero_()
    folder = tmp_path_factory.mktemp("letters") / "letters"
    model.save_pretrained(folder)
    LucaOneTokenizerFast().save_pretrained(folder)
    return folder


def write_fasta(path, *records):
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records))
    return path


def parse_gff3(path):
    """The records of a GFF3 file that have features, by their ids, as BCBio reads them."""
    with path.open(encoding="utf-8") as stream:
        return list(GFF.parse(stream))


def assert_valid_gff3(path):
    """What the specification demands and a parser may let pass."""
    lines = path.read_text("utf-8").splitlines()
    assert lines[0] == "##gff-version 3"
    regions, ids = {}, []
    for line in lines[1:]:
        if line.startswith("##sequence-region "):
            _, seqid, start, end = line.split(" ")
            assert seqid not in regions
            regions[seqid] = int(start), int(end)
            assert re.fullmatch(r"(?!>)([a-zA-Z0-9.:^*$@!+_?|-]|%[0-9A-F]{2})+", seqid)
        elif not line.startswith("#"):
            seqid, source, kind, start, end, score, strand, phase, attributes = line.split("\t")
            low, high = regions[seqid]
            assert low <= int(start) <= int(end) <= high
            assert 0 <= float(score) <= 1
            assert source == "LucaOne"
            assert strand in "+."
            assert phase == "." and kind != "CDS"
            pairs = dict(pair.split("=") for pair in attributes.split(";"))
            assert not any("&" in value or "," in value for value in pairs.values())
            ids.append(pairs["ID"])
    assert len(ids) == len(set(ids))


def test_gff3_of_nucleic_acids(tmp_path, letter_model):
    source = write_fasta(
        tmp_path / "in.fasta", ("one", "NNAAANTTGGNC"), ("none", "NNN"), ("two", "CCNA")
    )
    output = tmp_path / "out.gff3"
    summary = annotate_file(source, output, letter_model, "dna")
    assert (summary.records, summary.letters, summary.spans) == (3, 19, 6)
    assert_valid_gff3(output)
    assert "##sequence-region none 1 3\n" in output.read_text()
    one, two = parse_gff3(output)
    assert (one.id, two.id) == ("one", "two")
    found = [(str(f.extract("NNAAANTTGGNC")), f.type) for f in one.features]
    assert found == [
        ("AAA", "CDS_region"),
        ("TT", "region"),
        ("GG", "regulatory_region"),
        ("C", "tRNA"),
    ]
    first = one.features[0]
    assert (int(first.location.start), int(first.location.end)) == (2, 5)  # of Python
    assert output.read_text().splitlines()[3].split("\t")[3:5] == ["3", "5"]  # of GFF3
    assert {feature.location.strand for feature in one.features} == {1}
    assert first.qualifiers["Name"] == ["CDS"]
    assert first.qualifiers["task"] == ["gene_type"]
    assert first.qualifiers["label_id"] == ["0"]
    assert first.qualifiers["record"] == ["1"]
    assert first.qualifiers["source"] == ["LucaOne"]
    assert float(first.qualifiers["score"][0]) > 0.99
    assert [(f.type, f.id) for f in two.features] == [
        ("tRNA", "record3.span1"),
        ("CDS_region", "record3.span2"),
    ]


def test_gff3_of_proteins(tmp_path, letter_model):
    source = write_fasta(tmp_path / "in.fasta", ("p", "MAACM"))
    output = tmp_path / "out.gff"
    annotate_file(source, output, letter_model, "prot")
    assert_valid_gff3(output)
    (record,) = parse_gff3(output)
    found = [
        (f.type, int(f.location.start), int(f.location.end), f.location.strand)
        for f in record.features
    ]
    assert found == [
        ("polypeptide_domain", 1, 3, None),
        ("polypeptide_region", 1, 3, None),
        ("polypeptide_domain", 3, 4, None),
        ("polypeptide_region", 3, 4, None),
    ]
    assert [f.qualifiers["Name"][0] for f in record.features[:2]] == [
        "prot_domain:0",
        "prot_site:0",
    ]


def test_gff3_escapes_names_and_keeps_equal_ids_apart(tmp_path, letter_model):
    source = tmp_path / "in.csv"
    names = ["a;b=c%20&,~#", "x>y \t\u00e9", "same", "same", "same.record4", "same"]
    table = pandas.DataFrame({"seq_id": names, "seq": ["TT"] * 6})
    table.to_csv(source, index=False)
    output = tmp_path / "out.gff3"
    annotate_file(source, output, letter_model, "gene")
    assert_valid_gff3(output)
    text = output.read_text("utf-8")
    seqids = re.findall(r"##sequence-region (\S+) 1 2\n", text)
    assert seqids == [
        "a%3Bb%3Dc%2520%26%2C%7E%23",
        "x%3Ey%20%09%C3%A9",
        "same",
        "same.record4",
        "same.record4.record5",
        "same.record6",
    ]
    records = parse_gff3(output)
    read = {int(record.features[0].qualifiers["record"][0]): record.id for record in records}
    assert [unquote(read[number]) for number in range(1, 7)] == [unquote(x) for x in seqids]
    assert {record.features[0].qualifiers["Name"][0] for record in records} == {REGIONS[3]}


def test_tsv(tmp_path, converted):
    output = tmp_path / "out.tsv"
    summary = annotate_file(SAMPLE_FASTA, output, converted, "header", threshold=0.2, top_k=2)
    table = pandas.read_csv(output, sep="\t")
    assert list(table.columns) == [
        *("record", "id", "seq_type", "task", "label_id", "label", "start", "end", "score")
    ]
    assert len(table) == summary.labels + summary.spans
    assert table.record.is_monotonic_increasing
    assert "prot_structure" not in set(table.task)
    annotator = Annotator(converted)
    for number, record in enumerate(read_records(SAMPLE_FASTA, seq_type="header"), start=1):
        rows = table[table.record == number]
        assert set(rows.id) == {record.id}
        expected = annotator.annotate(record.sequence, record.seq_type, threshold=0.2, top_k=2)
        found = [
            (row.task, row.label_id, row.label, row.start - 1, row.end, row.score)
            for row in rows.itertuples()
        ]
        assert found == [
            (task, x.id, x.name, x.start, x.stop, pytest.approx(x.score, rel=2e-5))
            for task, labels in (*expected.labels.items(), *expected.spans.items())
            for x in labels
        ]


def test_coordinates_in_tsv_are_asked_for_by_name(tmp_path, converted):
    source = write_fasta(tmp_path / "in.fasta", ("p", "MKTAYIAKQR"), ("q", "MSK"))
    output = tmp_path / "out.tsv"
    annotate_file(
        source, output, converted, "prot", tasks=["prot_structure", "prot_taxonomy"], top_k=1
    )
    table = pandas.read_csv(output, sep="\t")
    assert list(table.columns)[-4:] == ["score", "x", "y", "z"]
    rows = table[table.task == "prot_structure"]
    assert rows.start.tolist() == rows.end.tolist() == [*range(1, 11), 1, 2, 3]
    (expected,) = Annotator(converted).annotate("MKTAYIAKQR", "prot").values["prot_structure"]
    assert rows[rows.id == "p"][["x", "y", "z"]].to_numpy() == pytest.approx(
        expected.values, rel=1e-5
    )
    assert table[table.task == "prot_taxonomy"][["x", "y", "z"]].isna().all(axis=None)


def test_json_lines_hold_everything(tmp_path, converted):
    source = write_fasta(tmp_path / "in.fasta", ("p", "MKTAYIAKQRQISFVK"), ("p", "MSK"))
    output = tmp_path / "out.jsonl"
    summary = annotate_file(source, output, converted, "prot", window=8, overlap=2, threshold=0.2)
    first, second = map(json.loads, output.read_text().splitlines())
    assert (first["record"], first["id"], first["length"]) == (1, "p", 16)
    assert (second["record"], second["id"], second["length"]) == (2, "p", 3)
    assert first["seq_type"] == "prot"
    options = {"threshold": 0.2, "window": 8, "overlap": 2}
    expected = Annotator(converted).annotate("MKTAYIAKQRQISFVK", "prot", **options)
    for kind in ("labels", "spans"):
        tasks = getattr(expected, kind)
        assert first[kind].keys() == tasks.keys()
        for task, labels in tasks.items():
            assert [
                (x["label_id"], x["label"], x["start"] - 1, x["end"], x["score"])
                for x in first[kind][task]
            ] == [(x.id, x.name, x.start, x.stop, pytest.approx(x.score, rel=2e-5)) for x in labels]
    assert first["labels"]["prot_taxonomy"][0]["end"] == 8  # what was read of it
    parts = first["values"]["prot_structure"]
    assert [(x["start"] - 1, x["end"]) for x in parts] == [
        (x.start, x.stop) for x in expected.values["prot_structure"]
    ]
    assert sum(len(x["values"]) for x in parts) == 16
    assert parts[0]["names"] == ["x", "y", "z"]
    assert parts[0]["values"] == [
        pytest.approx(row, rel=1e-5) for row in expected.values["prot_structure"][0].values.tolist()
    ]
    (note,) = [note for note in summary.notes if "window" in note]
    assert note.startswith("1 of 2 sequences are longer than a window")


@pytest.mark.parametrize("suffix", ["tsv", "gff3", "jsonl"])
def test_a_file_larger_than_a_group(tmp_path, monkeypatch, converted, suffix):
    whole, parts = tmp_path / f"whole.{suffix}", tmp_path / f"parts.{suffix}"

    def numbers_and_words(path):
        # The last digits may depend on what a sequence shared its batch with.
        pieces = re.split(r"(\d+\.\d+(?:e-\d+)?)", path.read_text())
        return pieces[::2], [float(piece) for piece in pieces[1::2]]

    annotate_file(SAMPLE_FASTA, whole, converted, "header", threshold=0.2)
    for name, size in (("GROUP_RECORDS", 3), ("GROUP_LETTERS", 200)):
        with monkeypatch.context() as patch:
            patch.setattr(files, name, size)
            annotate_file(SAMPLE_FASTA, parts, converted, "header", threshold=0.2, overwrite=True)
        (words, numbers), (same, others) = numbers_and_words(whole), numbers_and_words(parts)
        assert words == same
        assert others == pytest.approx(numbers, rel=1e-4, abs=1e-6)


def test_notes(tmp_path, converted, letter_model):
    source = write_fasta(tmp_path / "in.fasta", ("p", "MK-T*"), ("q", "MKT"))
    summary = annotate_file(source, tmp_path / "out.tsv", converted, "prot")
    assert summary.notes[0] == "removed 1 gap and 1 trailing '*' in 1 of 2 records"
    assert "prot_keyword" in summary.notes[1]
    assert "no calibrated probabilities" in summary.notes[1]
    mixed = tmp_path / "mixed.csv"
    mixed.write_text("seq_id,seq,kind\na,ACGT,gene\nb,MKT,prot\n")
    output = tmp_path / "out.gff3"
    summary = annotate_file(mixed, output, letter_model, "column:kind", tasks=["gene_type"])
    assert summary.notes == ["1 of 2 sequences are of a type without a task"]


def test_output_that_is_there_stays(tmp_path, letter_model):
    source = write_fasta(tmp_path / "in.fasta", ("a", "ACGT"))
    output = tmp_path / "out.tsv"
    output.write_text("mine")
    with pytest.raises(ValueError, match=r"out\.tsv: is there already; --overwrite"):
        annotate_file(source, output, letter_model, "gene")
    bad = write_fasta(tmp_path / "bad.fasta", ("a", "ACGT"), ("b", "AC1T"))
    with pytest.raises(ValueError, match=r"record 'b'.*position 3"):
        annotate_file(bad, output, letter_model, "gene", overwrite=True)
    assert output.read_text() == "mine"
    annotate_file(source, output, letter_model, "gene", overwrite=True)
    assert output.read_text().startswith("record\tid")
    assert {path.name for path in tmp_path.iterdir()} == {"in.fasta", "bad.fasta", "out.tsv"}


TYPE = ["--seq-type", "prot"]


def run(*arguments):
    return main(["annotate", *map(str, arguments)])


def test_command(tmp_path, capsys, letter_model):
    source = write_fasta(tmp_path / "in.fasta", ("p", "MAAC"))
    model = ["--model", letter_model, "--seq-type", "prot"]
    assert run(source, tmp_path / "out.tsv", *model) == 0
    output = capsys.readouterr()
    assert output.out == f"{tmp_path}/out.tsv: 1 records, 4 letters, 0 labels, 4 spans\n"
    options = ["--tasks", "prot_domain", "--min-length", "2", "--threshold", "0.9"]
    assert run(source, "-", *model, *options) == 0
    output = capsys.readouterr()
    table = pandas.read_csv(io.StringIO(output.out), sep="\t")
    assert table[["task", "start", "end"]].to_numpy().tolist() == [["prot_domain", 2, 3]]
    assert "-: 1 records" in output.err


def test_standard_input(tmp_path, monkeypatch, letter_model):
    source = write_fasta(tmp_path / "in.fasta", ("p", "MAAC"))
    annotate_file(source, tmp_path / "file.tsv", letter_model, "prot")
    with source.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        annotate_file("-", tmp_path / "piped.tsv", letter_model, "prot")
    assert (tmp_path / "piped.tsv").read_text() == (tmp_path / "file.tsv").read_text()


def test_wrong_type(tmp_path, letter_model):
    source = write_fasta(tmp_path / "in.fasta", ("p", "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ"))
    output = tmp_path / "out.tsv"
    with pytest.raises(ValueError, match=r"look.* like a protein.*--force"):
        annotate_file(source, output, letter_model, "gene")
    assert annotate_file(source, output, letter_model, "gene", force=True).records == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["in.fasta", "out.txt"], "unknown output format; known are .tsv .gff3 .gff .jsonl"),
        (["in.fasta", "out.tsv", "--seq-type", "lipid"], "lipid"),
        (["in.fasta", "out.tsv", "--threshold", "2"], "threshold 2.0"),
        (["in.fasta", "out.tsv", "--threshold", "high"], "invalid float value"),
        (["in.fasta", "out.tsv", "--top-k", "0"], "'0' is not a positive whole number"),
        (["in.fasta", "out.tsv", "--min-length", "-1"], "min-length"),
        (["in.fasta", "out.tsv", "--window", "3"], "a window of 3"),
        (["in.fasta", "out.tsv", "--window", "9", "--overlap", "9"], "an overlap of 9"),
        (["in.fasta", "out.tsv", "--device", "abacus"], "device abacus"),
        (["in.fasta"], "OUTPUT"),
    ],
)
def test_wrong_usage(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    write_fasta(tmp_path / "in.fasta", ("p", "MKT"))
    try:
        status = run(*arguments, *["--model", "m"], *([] if "--seq-type" in arguments else TYPE))
    except SystemExit as error:
        status = error.code
    assert status == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("lucaone: error: ")
    assert message in line
    assert [path.name for path in tmp_path.iterdir()] == ["in.fasta"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.fasta", "out.tsv"], "missing.fasta: no such file"),
        (["bad.fasta", "out.tsv"], "bad.fasta: record 'q'"),
        (["empty.fasta", "out.tsv"], "empty.fasta"),
        (["in.fasta", "nowhere/out.tsv"], "nowhere/out.tsv: cannot be written: No such file"),
        (["in.fasta", "folder.tsv"], "folder.tsv: cannot be written: there is a folder"),
        (["in.fasta", "folder.tsv", "--overwrite"], "folder.tsv: cannot be written: there is a"),
        (["in.fasta", "out.tsv", "--model", "HUB"], "hub-tiny: holds no annotation heads"),
        (["in.fasta", "out.tsv", "--model", "nowhere"], "nowhere: there is no such folder"),
        (["in.fasta", "out.tsv", "--tasks", "prot_dom"], "no annotation task 'prot_dom'"),
        (["in.fasta", "out.tsv", "--tasks", "gene_type"], "(gene_type) is for prot sequences"),
        (["in.fasta", "out.gff3", "--tasks", "prot_keyword"], "prot_keyword gives labels"),
    ],
)
def test_failed_jobs(tmp_path, monkeypatch, capsys, converted, arguments, message):
    monkeypatch.chdir(tmp_path)
    write_fasta(tmp_path / "in.fasta", ("p", "MKT"))
    write_fasta(tmp_path / "bad.fasta", ("p", "MKT"), ("q", "M7"))
    (tmp_path / "empty.fasta").touch()
    (tmp_path / "folder.tsv").mkdir()
    before = sorted(path.name for path in tmp_path.iterdir())
    # All of it shows before the model is loaded.
    monkeypatch.setattr(files, "Annotator", None)
    arguments = [GOLDEN / "hub-tiny" if item == "HUB" else item for item in arguments]
    if "--model" not in arguments:
        arguments += ["--model", converted]
    assert run(*arguments, *TYPE) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("lucaone: error: ")
    assert message in line
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_help_says_what_the_numbers_are(capsys):
    with pytest.raises(SystemExit):
        run("--help")
    text = " ".join(capsys.readouterr().out.split())
    for words in (
        "never on those that it has not",
        "NOT calibrated probabilities",
        'there is no label for "nothing"',
        "they are no Angstrom",
        "told from the first window",
        "Positions count from 1, ends are inclusive",
    ):
        assert words in text


def test_options_are_checked_without_files():
    check_options("out.tsv", "column:kind", threshold=0.5)
    with pytest.raises(ValueError, match="threshold -1"):
        check_options("out.tsv", "prot", threshold=-1)
