# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Source files to a folder of labelled records: ids, splits, shards, and what is told."""

import json
import os
from collections import Counter

import pyarrow.parquet as pq
import pytest

from pretraining.data import buffers, workers
from pretraining.data.findings import Finding
from pretraining.data.records import SCHEMA

from .readers import (
    CountingReader,
    LineReader,
    contents,
    make,
    named,
    records,
    report,
    some_entries,
    vocabulary,
    write_lines,
)


@pytest.fixture
def source(tmp_path):
    return write_lines(tmp_path / "a.jsonl", *some_entries(120))


def test_names_get_ids_in_the_order_in_which_they_appear(tmp_path):
    first = named("a", spans={"gene_type": [(0, 1, "CDS"), (2, 7, "tRNA")]})
    second = named(
        "b",
        classes={"gene_taxonomy": "Poales"},
        spans={"gene_type": [(0, 7, " tRNA\n"), (3, 3, "CDS")]},
    )
    protein = named("c", "MKV", "prot", keywords=["Zinc", "Metal"], coordinates=[[1, 2, 3]] * 3)
    source = write_lines(tmp_path / "a.jsonl", [first, second], [protein])
    make([source], tmp_path / "out")
    a, b = records(tmp_path / "out", "train/gene-00000.parquet")
    (c,) = records(tmp_path / "out", "train/prot-00000.parquet")
    assert (a.id, a.sequence, a.source, a.classes) == ("a", "ACGTACGT", "test", {})
    assert a.spans == {"gene_type": [(0, 1, 0), (2, 7, 1)]}
    assert b.spans == {"gene_type": [(0, 7, 1), (3, 3, 0)]}
    assert b.classes == {"gene_taxonomy": 0}
    assert c.keywords == [0, 1]
    assert c.coordinates.tolist() == [[1, 2, 3]] * 3
    assert vocabulary(tmp_path / "out", "gene_type") == ["CDS", "tRNA"]
    assert vocabulary(tmp_path / "out", "gene_taxonomy") == ["Poales"]
    assert vocabulary(tmp_path / "out", "prot_keyword") == ["Zinc", "Metal"]
    assert not (tmp_path / "out" / "labels" / "prot_homo.txt").exists()


def test_given_vocabularies_decide_the_ids_and_what_is_not_in_them_is_told(tmp_path):
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "gene_type.txt").write_text("tRNA\nrRNA\nCDS\n")
    record = named(
        "a",
        spans={"gene_type": [(0, 1, "CDS"), (2, 7, "exon"), (3, 3, "exon")]},
        classes={"gene_taxonomy": "Poales"},
    )
    source = write_lines(tmp_path / "a.jsonl", [record])
    summary = make([source], tmp_path / "out", labels=labels)
    (stored,) = records(tmp_path / "out")
    assert stored.spans == {"gene_type": [(0, 1, 2)]}
    assert stored.classes == {}
    assert vocabulary(tmp_path / "out", "gene_type") == ["tRNA", "rRNA", "CDS"]
    reason = "gene_type: a name that is not in the vocabulary"
    assert report(tmp_path / "out") == [
        Finding("a.jsonl", "a", "partly", reason, "exon"),
        Finding("a.jsonl", "a", "partly", reason, "exon"),
        Finding("a.jsonl", "a", "partly", reason.replace("type", "taxonomy"), "Poales"),
    ]
    assert summary.findings["partly"][reason] == 2


def test_a_shard_holds_one_molecule_type_and_so_many_records(tmp_path, source):
    summary = make([source], tmp_path / "out", records_per_shard=20)
    for kind in ("gene", "prot"):
        shards = sorted((tmp_path / "out" / "train").glob(f"{kind}-*"))
        sizes = [pq.read_metadata(shard).num_rows for shard in shards]
        assert [shard.name for shard in shards] == [
            f"{kind}-{number:05d}.parquet" for number in range(len(shards))
        ]
        assert sizes[:-1] == [20] * (len(sizes) - 1)
        assert 0 < sizes[-1] <= 20
        assert sum(sizes) == summary.records["train"][kind]
        assert all(pq.read_schema(shard).equals(SCHEMA) for shard in shards)
        assert {r.seq_type for r in records(tmp_path / "out", f"train/{kind}-*")} == {kind}


def test_records_stay_in_order_whatever_the_shards(tmp_path, source):
    make([source], tmp_path / "many", records_per_shard=7)
    make([source], tmp_path / "one")
    for kind in ("gene", "prot"):
        many, one = (records(tmp_path / name, f"train/{kind}-*") for name in ("many", "one"))
        assert [r.id for r in many] == [r.id for r in one]
        assert [r.spans for r in many] == [r.spans for r in one]


def test_the_records_of_a_group_go_to_one_split(tmp_path):
    entries = [[named(f"{i}-{j}", group=f"g{i}") for j in range(3)] for i in range(400)]
    make([write_lines(tmp_path / "a.jsonl", *entries)], tmp_path / "a", dev_fraction=0.25)
    make([write_lines(tmp_path / "b.jsonl", *entries[::-1])], tmp_path / "b", dev_fraction=0.25)
    splits = {}
    for split in ("train", "dev"):
        for record in records(tmp_path / "a", f"{split}/*"):
            splits.setdefault(record.id.split("-")[0], []).append(split)
    assert len(splits) == 400
    assert all(len(of_group) == 3 and len(set(of_group)) == 1 for of_group in splits.values())
    assert 60 < sum(of_group[0] == "dev" for of_group in splits.values()) < 140
    # Which, does not depend on the others.
    assert {r.id for r in records(tmp_path / "a", "dev/*")} == {
        r.id for r in records(tmp_path / "b", "dev/*")
    }


def test_a_file_can_be_of_a_split_as_a_whole(tmp_path):
    (tmp_path / "x").mkdir()
    one = write_lines(tmp_path / "x" / "one.jsonl", [named("a")])
    two = write_lines(tmp_path / "two.jsonl", [named("b"), {**named("c"), "sequence": ""}])
    make([one, two], tmp_path / "out", splits={two: "test"})
    assert [r.id for r in records(tmp_path / "out", "train/*")] == ["a"]
    assert [r.id for r in records(tmp_path / "out", "test/*")] == ["b"]
    assert [row.file for row in report(tmp_path / "out")] == ["two.jsonl"]


@pytest.mark.parametrize("processes", [2, 3])
def test_the_number_of_processes_does_not_change_a_byte(tmp_path, monkeypatch, processes):
    monkeypatch.setattr(workers, "LETTERS_AT_ONCE", 2_000)
    sources = [
        write_lines(tmp_path / f"{name}.jsonl", *some_entries(80, seed))
        for seed, name in enumerate("abc")
    ]
    options = {"records_per_shard": 30, "dev_fraction": 0.2}
    make(sources, tmp_path / "out", **options)
    expected = contents(tmp_path / "out")
    ids = tmp_path / "ids"
    make(sources, tmp_path / "other", LineReader(str(ids)), processes=processes, **options)
    assert contents(tmp_path / "other") == expected
    readers = set(ids.read_text().split())
    assert 1 < len(readers) <= processes
    assert str(os.getpid()) not in readers


def test_long_entries_are_not_read_ahead(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "LETTERS_AT_ONCE", 1)
    monkeypatch.setattr(workers, "LETTERS_WAITING", 1)
    source = workers.Source(tmp_path / "a", "a", None)
    reader = workers.EntryReader(CountingReader(), {})
    entries = workers.read_entries(reader, [source], workers.Position(), 2)
    assert all(CountingReader.given == done for done, _ in enumerate(entries, start=1))


@pytest.mark.parametrize("processes", [1, 2])
def test_what_is_read_ahead_is_bounded(tmp_path, monkeypatch, processes):
    monkeypatch.setattr(workers, "LETTERS_AT_ONCE", 1)
    source = workers.Source(tmp_path / "a", "a", None)
    reader = workers.EntryReader(CountingReader(), {})
    done = 0
    for _, outcome in workers.read_entries(reader, [source], workers.Position(), processes):
        assert [record.id for record in outcome] == [f"r{done}"]
        done += 1
        assert CountingReader.given - done < workers.WAITING_PER_PROCESS * processes
    assert done == CountingReader.number


def test_findings_are_told_and_counted(tmp_path):
    source = write_lines(
        tmp_path / "a.jsonl",
        [named("a"), {"entry": "x", "status": "note", "reason": "odd", "detail": "tab\tand\nline"}],
        [{"entry": "y", "status": "dropped", "reason": "damaged"}],
        [named("b", spans={"gene_type": [(0, 8, "CDS")]})],
        [
            named("c", spans={"gene_type": [(5, 20, "CDS")]}),
            named("d", "AC-T"),
            named("e", "MK", "dna"),
        ],
        [
            named("f", spans={"prot_site": [(0, 1, "IPR1")]}),
            named("g", classes={"gene_taxonomy": " "}),
        ],
    )
    summary = make([source], tmp_path / "out")
    assert [r.id for r in records(tmp_path / "out")] == ["a"]
    rows = report(tmp_path / "out")
    assert rows[0].detail == "tab\tand\nline"
    assert [(row.entry, row.status) for row in rows[2:]] == [(i, "dropped") for i in "bcdefg"]
    span = "gene_type: span N to N does not lie in N letters"
    assert rows[2] == Finding(
        "a.jsonl", "b", "dropped", span, "gene_type: span 0 to 8 does not lie in 8 letters"
    )
    assert summary.entries == 5
    assert summary.findings["dropped"][span] == 2
    assert summary.findings["dropped"].total() == 7
    assert summary.findings["note"] == {"odd": 1}
    # The names of what is dropped are no labels.
    assert not (tmp_path / "out" / "labels").exists()
    text = str(summary)
    assert "dropped: 7" in text
    assert f"  2 {span}" in text


def test_the_summary_counts(tmp_path, source):
    summary = make([source], tmp_path / "out", dev_fraction=0.3)
    everything = records(tmp_path / "out")
    assert summary.count() == len(everything)
    assert summary.entries == 120
    for split in ("train", "dev"):
        there = records(tmp_path / "out", f"{split}/*")
        assert summary.count(split) == len(there)
        assert summary.records[split] == Counter(r.seq_type for r in there)
        assert summary.letters[split].total() == sum(len(r.sequence) for r in there)
    names = vocabulary(tmp_path / "out", "gene_type")
    spans = [names[label] for r in everything for *_, label in r.spans.get("gene_type", ())]
    assert summary.labels["gene_type"] == Counter(spans)
    assert summary.labelled["gene_type"] == sum("gene_type" in r.spans for r in everything)
    assert summary.labelled["prot_structure"] == sum(r.coordinates is not None for r in everything)
    assert summary.lengths["gene"]["32"] == sum(
        r.seq_type == "gene" and 32 <= len(r.sequence) < 64 for r in everything
    )
    stored = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert stored["records"] == summary.records
    assert stored["labels"]["gene_type"] == summary.labels["gene_type"]
    assert stored["sources"][0]["name"] == "a.jsonl"
    assert {"lucaone-hf", "pyarrow"} <= stored["versions"].keys()
    text = str(summary)
    name, number = summary.labels["prot_keyword"].most_common(1)[0]
    for part in (f"{len(everything):,} records", f"{name} {number:,}", "32 to 63", "##"):
        assert part in text


def test_what_is_complete_is_not_made_again(tmp_path, source):
    made = make([source], tmp_path / "out")
    before = contents(tmp_path / "out")
    again = make([source], tmp_path / "out", LineReader(str(tmp_path / "ids")))
    assert again.notes == [f"{tmp_path / 'out'} is complete; nothing was done"]
    assert str(again) == str(made)
    assert not (tmp_path / "ids").exists()
    assert contents(tmp_path / "out") == before
    assert {path.name for path in tmp_path.iterdir()} == {"a.jsonl", "out"}


def test_another_data_folder_is_replaced_only_if_asked(tmp_path, source):
    make([source], tmp_path / "out")
    with pytest.raises(ValueError, match=r"made with dev_fraction 0.0, not 0.5; --overwrite"):
        make([source], tmp_path / "out", dev_fraction=0.5)
    make([source], tmp_path / "out", dev_fraction=0.5, overwrite=True)
    assert records(tmp_path / "out", "dev/*")
    write_lines(source, *some_entries(100, seed=1))
    with pytest.raises(ValueError, match="out was made with other sources; --overwrite"):
        make([source], tmp_path / "out", dev_fraction=0.5)
    assert {path.name for path in tmp_path.iterdir()} == {"a.jsonl", "out"}


def test_wrong_inputs_are_one_line_and_leave_nothing(tmp_path, source):
    empty = write_lines(tmp_path / "empty.jsonl")
    bad = write_lines(tmp_path / "bad.jsonl", [named("a", "")], [named("c", "-")])
    other, file = tmp_path / "other", tmp_path / "file"
    other.mkdir()
    (other / "thesis.txt").write_text("all of it")
    file.write_text("")
    out = tmp_path / "out"
    before = {path.name for path in tmp_path.iterdir()}
    for sources, output, options, message in [
        ([source, empty], out, {}, r"empty\.jsonl: there is no entry in it"),
        ([source, tmp_path / "no"], out, {}, "no: cannot be read: No such file"),
        ([source, source], out, {}, r"a\.jsonl: is named twice"),
        ([], out, {}, "no file is given"),
        ([bad], out, {}, r"no record is left of 2 entries \(2 the sequence is empty, or"),
        ([source], other, {}, "other: holds other files than a data folder"),
        ([source], other, {"overwrite": True}, "other: holds other files than a data folder"),
        ([source], file, {"overwrite": True}, "file: there is a file of this name"),
        ([source], tmp_path / "no" / "out", {}, "out: there is no folder"),
        ([source], out, {"dev_fraction": 1.0}, "--dev-fraction 1.0"),
        ([source], out, {"processes": 0}, "--processes 0"),
        ([source], out, {"records_per_shard": 0}, "--records-per-shard 0"),
        ([source], out, {"labels": tmp_path / "no"}, "no: there is no such folder of vocabularies"),
    ]:
        with pytest.raises(ValueError, match=message) as error:
            make(sources, output, **options)
        assert "\n" not in str(error.value)
        assert {path.name for path in tmp_path.iterdir()} == before
    assert (other / "thesis.txt").exists()


def test_an_empty_folder_is_taken(tmp_path, source):
    (tmp_path / "out").mkdir()
    make([source], tmp_path / "out")
    assert records(tmp_path / "out")


def test_a_full_disk_is_told_and_what_is_done_is_kept(tmp_path, source, monkeypatch):
    make([source], tmp_path / "whole", records_per_shard=20)
    real, calls = buffers.write_shard, 0

    def fill_up(records, path):
        nonlocal calls
        calls += 1
        if calls == 6:
            raise OSError(28, "No space left on device")
        real(records, path)

    monkeypatch.setattr(buffers, "write_shard", fill_up)
    with pytest.raises(ValueError, match="out: cannot be written: No space left on device"):
        make([source], tmp_path / "out", records_per_shard=20)
    assert not (tmp_path / "out").exists()
    told = []
    make([source], tmp_path / "out", records_per_shard=20, tell=told.append)
    assert len(told) == 1
    assert "entries were read by an earlier run" in told[0]
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
