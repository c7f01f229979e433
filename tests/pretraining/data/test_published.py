# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Records of the published form to shards."""

import ast
import bz2
import csv
import gzip
import json
import math
import shutil

import datasets
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretraining.data.findings import Finding
from pretraining.data.published import convert_records, parse_cell
from pretraining.data.records import SCHEMA, SPAN_TASKS
from pretraining.data.stored import read_shard, record_of
from tests.finetune.helpers import DATA, needs_data

from .readers import contents, records, report, vocabulary

HEADER = ["obj_id", "obj_type", "obj_seq", "obj_label", "obj_source"]
PUBLISHED = DATA / "pretraining"


def cell(structure="", keywords=(), **tasks):
    """Return a label cell with these values of tasks."""
    levels = {"span_level": {}, "seq_level": {"prot_keyword": list(keywords), "prot_taxid": "9606"}}
    for task, value in tasks.items():
        levels["span_level" if task in SPAN_TASKS else "seq_level"][task] = value
    return repr(levels | {"structure_level": {"prot_structure": structure}})


def write(path, *rows, header=HEADER):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def convert_one(tmp_path, row, **options):
    """Convert a row and one more; return the record or None, and the findings."""
    source = write(tmp_path / "a.csv", row, ["good", "prot", "MKV", "", "test"])
    convert_records(source, tmp_path / "out", **options)
    found = [r for r in records(tmp_path / "out") if r.id != "good"]
    return (found[0] if found else None), report(tmp_path / "out")


def test_a_record_becomes_what_its_cells_say(tmp_path):
    label = cell(
        [[1, 2.5, -3], -1, [-100, -100, -100], (4, 5, 6)],
        [3, 0],
        prot_site=[[0, 1, 7], [2, 3, 0]],
        prot_homo="",
        prot_domain=[],
        prot_taxonomy=12,
    )
    record, findings = convert_one(tmp_path, ["p", "prot", "mKvA", label, "uniprot"])
    assert (record.id, record.seq_type, record.sequence, record.source) == (
        "p",
        "prot",
        "MKVA",
        "uniprot",
    )
    assert record.spans == {"prot_site": [(0, 1, 7), (2, 3, 0)]}
    assert record.classes == {"prot_taxonomy": 12}
    assert record.keywords == [3, 0]
    unknown = [math.nan] * 3
    np.testing.assert_array_equal(
        record.coordinates, np.array([[1, 2.5, -3], unknown, unknown, [4, 5, 6]], np.float32)
    )
    assert findings == []
    assert not (tmp_path / "out" / "labels").exists()


@pytest.mark.parametrize(
    "label",
    [
        "",
        " ",
        "{}",
        "None",
        "{'span_level': None, 'seq_level': '', 'structure_level': {}}",
        "{'span_level': {'gene_type': []}, 'seq_level': {'gene_taxonomy': '', 'gene_taxid': '7'}}",
        "{'seq_level': {'gene_taxonomy': None}, 'seq_start_p': 5, 'seq_end_p': 9}",
        "{'structure_level': {'prot_structure': [-1, -1, [-100, -100, -100], -1]}}",
    ],
)
def test_what_is_not_known_is_no_label(tmp_path, label):
    record, findings = convert_one(tmp_path, ["g", "gene", "ACGT", label, "refseq"])
    assert (record.spans, record.classes, record.keywords, record.coordinates) == ({}, {}, [], None)
    assert findings == []


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["x", "prot", "MK", "{'span_level': ", "s"], "obj_label is not the text of a dictionary"),
        (["x", "prot", "MK", "__import__('os')", "s"], "obj_label is not the text of a dictionary"),
        (["x", "prot", "MK", "[" * 9_000, "s"], "obj_label is not the text of a dictionary"),
        (["x", "prot", "MK", '{"a": "\\ud800"', "s"], "obj_label is not the text of a dictionary"),
        (["x", "prot", "MK", "{'a': NaN}", "s"], "obj_label is not the text of a dictionary"),
        (["x", "prot", "MK", "[1]", "s"], "obj_label is not a dictionary"),
        (["x", "prot", "MK", "{'span_level': 3}", "s"], "span_level is not a dictionary"),
        (["x", "prot", "MK", " " + "'" * 4_000_001, "s"], "obj_label is longer than N characters"),
        (["x", "prot", "MK", cell(prot_site=5), "s"], "prot_site: not a list"),
        (
            ["x", "prot", "MK", cell(prot_site=[[0, 1]]), "s"],
            "prot_site: a span is not [first letter, last letter, label]",
        ),
        (
            ["x", "prot", "MK", cell(prot_site=[[0, 1, "4"]]), "s"],
            "prot_site: a label or letter is not a whole number, or too large a one",
        ),
        (
            ["x", "prot", "MK", cell(prot_taxonomy=1 << 31), "s"],
            "prot_taxonomy: a label or letter is not a whole number, or too large a one",
        ),
        (
            ["x", "prot", "MK", cell(keywords=[True]), "s"],
            "prot_keyword: a label or letter is not a whole number, or too large a one",
        ),
        (
            ["x", "prot", "MK", cell(prot_site=[[0, 2, 4]]), "s"],
            "prot_site: span N to N does not lie in N letters",
        ),
        (
            ["x", "prot", "MK", cell(prot_site=[[1, 0, 4]]), "s"],
            "prot_site: span N to N does not lie in N letters",
        ),
        (["x", "prot", "MK", cell(keywords=[-3]), "s"], "prot_keyword: label N is below N"),
        (
            ["x", "prot", "MK", cell([[1, 2, 3]]), "s"],
            "prot_structure: N coordinates for N residues",
        ),
        (
            ["x", "prot", "MK", cell([[1, 2, 3], [1, 2]]), "s"],
            "prot_structure: a position is not [x, y, z]",
        ),
        (
            ["x", "prot", "MK", cell([[1, 2, 3], ["1", 2, 3]]), "s"],
            "prot_structure: a position is not [x, y, z]",
        ),
        (
            ["x", "prot", "MK", cell([[1, 2, 3], [1e999, 2, 3]]).replace("inf", "1e999"), "s"],
            "prot_structure: a position is not [x, y, z]",
        ),
        (
            ["x", "prot", "MK", cell([[1, 2, 3], [10**400, 2, 3]]), "s"],
            "prot_structure: a position is not [x, y, z]",
        ),
        (["x", "prot", "MK", cell(gene_taxonomy=1), "s"], "gene_taxonomy: a label of the other"),
        (["x", "gene", "AC", cell([[1, 2, 3]] * 2), "s"], "prot_structure: a label of the other"),
        (["x", "rna", "ACGU", "", "s"], "seq_type is 'rna', neither gene nor prot"),
        (["x", "gene", "AC-GT", "", "s"], "the sequence is empty, or not of the letters A to Z"),
        (["x", "prot", "MKß", "", "s"], "the sequence is empty, or not of the letters A to Z"),
        (["x", "prot", "", "", "s"], "the sequence is empty, or not of the letters A to Z"),
    ],
)
def test_a_record_that_is_wrong_is_left_out_and_told(tmp_path, row, reason):
    record, findings = convert_one(tmp_path, row)
    assert record is None
    assert len(findings) == 1
    assert (findings[0].file, findings[0].entry, findings[0].status) == ("a.csv", "x", "dropped")
    assert findings[0].reason.startswith(reason)


def test_a_record_without_id_is_named_by_its_line(tmp_path):
    _, findings = convert_one(tmp_path, [" ", "prot", "MK", "", "s"])
    assert [(row.entry, row.reason) for row in findings] == [("line 2", "obj_id is empty")]


def test_labels_of_no_task_are_told(tmp_path):
    label = {"span_level": {"prot_binding": [[0, 1, 2]], "prot_site": [[0, 1, 2]], "old": []}}
    record, findings = convert_one(
        tmp_path, ["x", "prot", "MK", repr(label | {"contacts": [[0, 1]]}), "s"]
    )
    assert record.spans == {"prot_site": [(0, 1, 2)]}
    reason = "labels of an unknown task"
    assert findings == [
        Finding("a.csv", "x", "partly", reason, "span_level: prot_binding"),
        Finding("a.csv", "x", "partly", reason, "contacts"),
    ]


@pytest.mark.parametrize("name", ["gene_type.txt", "gene_type_span_level_label_v2.txt"])
def test_labels_name_the_ids_and_bound_them(tmp_path, name):
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / name).write_text("CDS\ntRNA\n")
    rows = [
        ["a", "gene", "ACGT", cell(gene_type=[[0, 1, 1], [2, 3, 1], [0, 3, 0]]), "s"],
        ["b", "gene", "ACGT", cell(gene_type=[[0, 1, 2]]), "s"],
        ["c", "gene", "ACGT", cell(gene_taxonomy=700), "s"],
    ]
    summary = convert_records(write(tmp_path / "a.csv", *rows), tmp_path / "out", labels=labels)
    assert [r.id for r in records(tmp_path / "out")] == ["a", "c"]
    assert [(row.entry, row.detail) for row in report(tmp_path / "out")] == [
        ("b", "gene_type: label 2 is not in a vocabulary of 2")
    ]
    assert vocabulary(tmp_path / "out", "gene_type") == ["CDS", "tRNA"]
    # A task without a vocabulary keeps its ids.
    assert summary.labels == {
        "gene_type": {"tRNA": 2, "CDS": 1},
        "gene_taxonomy": {"700": 1},
        "prot_keyword": {},
    }
    stored = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert stored["labels"]["gene_type"] == {"tRNA": 2, "CDS": 1}


def test_cells_may_be_long_and_of_several_lines_and_columns_may_move(tmp_path):
    label = cell(prot_site=[[0, 1, 2]] * 30_000).replace("], [", "],\n[")
    header = ["note", "obj_label", "obj_seq", "obj_type", "obj_id"]
    row = ["a\nnote", label, "MK", "prot", "x"]
    convert_records(write(tmp_path / "a.csv", row, header=header), tmp_path / "out")
    (record,) = records(tmp_path / "out")
    assert len(label) > 131_072  # the limit of the csv module
    assert record.spans == {"prot_site": [(0, 1, 2)] * 30_000}
    assert record.source == ""


@pytest.mark.parametrize(("suffix", "module"), [(".gz", gzip), (".bz2", bz2)])
def test_files_may_be_compressed(tmp_path, suffix, module):
    plain = write(tmp_path / "in" / "a.csv", ["x", "prot", "MK", "", "s"])
    (tmp_path / "in" / f"a.csv{suffix}").write_bytes(module.compress(plain.read_bytes()))
    plain.unlink()
    convert_records(tmp_path / "in", tmp_path / "out")
    assert [r.id for r in records(tmp_path / "out", "train/*")] == ["x"]


def test_long_sequences_are_left_out_if_asked(tmp_path):
    record, findings = convert_one(tmp_path, ["x", "gene", "ACGT", "", "s"], max_length=3)
    assert record is None
    assert [row.detail for row in findings] == ["longer than 3 letters"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("obj_id,obj_type,obj_seq\nx,prot,MK\n", "no columns 'obj_label'; the columns are obj_id"),
        ("obj_id,obj_id,obj_type,obj_seq,obj_label\n1,2,3,4,5\n", "2 columns 'obj_id'"),
        (",".join(HEADER) + "\n", "there is no entry in it"),
        ("", "holds no records"),
        (",".join(HEADER) + "\ny,prot\n", "line 2: the header has 5 cells"),
    ],
)
def test_a_file_that_is_no_table_of_records_stops_the_job(tmp_path, text, message):
    source = tmp_path / "a.csv"
    source.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        convert_records(source, tmp_path / "out")
    assert str(source) in str(error.value)
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv"}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("y,prot\n", "line 3: the header has 5 cells, this row has 2"),
        ('y,prot,MK,"{,s\n', "line 3: not a valid table: unexpected end of data"),
    ],
)
def test_a_table_that_breaks_off_keeps_what_is_before(tmp_path, row, problem):
    source = tmp_path / "a.csv"
    source.write_text(",".join(HEADER) + "\nx,prot,MK,,s\n" + row)
    convert_records(source, tmp_path / "out")
    assert [record.id for record in records(tmp_path / "out")] == ["x"]
    (finding,) = report(tmp_path / "out")
    assert (finding.status, finding.detail) == ("dropped", problem)


def test_folders_are_splits(tmp_path):
    for number, name in enumerate(["train/b", "train/deep/a", "dev/a", "test/a"]):
        write(tmp_path / "in" / f"{name}.csv", [f"x{number}", "prot", "MK", "", "s"])
    (tmp_path / "in" / "README.md").write_text("mine")
    told = []
    convert_records(tmp_path / "in", tmp_path / "out", tell=told.append)
    for split, ids in {"train": ["x0", "x1"], "dev": ["x2"], "test": ["x3"]}.items():
        assert [r.id for r in records(tmp_path / "out", f"{split}/*")] == ids
    assert told == [f"1 files of {tmp_path / 'in'} are no CSV and are not read"]
    write(tmp_path / "in" / "c.csv", ["x", "prot", "MK", "", "s"])
    with pytest.raises(ValueError, match=r"c\.csv: lies beside the splits of"):
        convert_records(tmp_path / "in", tmp_path / "other")
    shutil.rmtree(tmp_path / "in" / "train")
    for split in ("dev", "test"):
        (tmp_path / "in" / split).rename(tmp_path / "in" / f"my_{split}")
    convert_records(tmp_path / "in", tmp_path / "other")
    assert len(records(tmp_path / "other", "train/*")) == 3


@pytest.mark.parametrize(("name", "message"), [("no", "no such file"), ("empty", "no CSV file")])
def test_a_source_without_files_is_told(tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=f"{name}: there is {message}"):
        convert_records(tmp_path / name, tmp_path / "out")


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.tuples(inner, inner)
            | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_a_cell_means_what_python_says(value):
    assert parse_cell(repr(value)) == value


@given(st.text("'\"\\[]{}:, ab1.-eNaInfinity\t\n", max_size=12))
def test_what_is_no_python_is_no_cell(text):
    try:
        value = parse_cell(text)
    except ValueError:
        return
    if text.strip():
        assert repr(value) == repr(ast.literal_eval(text.strip()))


@needs_data
def test_the_published_form_of_real_records_comes_back(tmp_path):
    summary = convert_records(PUBLISHED, tmp_path / "out", records_per_shard=500)
    assert {split: summary.count(split) for split in ("train", "dev")} == {
        "train": 2912,
        "dev": 606,
    }
    assert report(tmp_path / "out") == []
    rows = []
    for path in sorted((PUBLISHED / "train").iterdir()):
        with path.open(newline="") as file:
            rows += list(csv.DictReader(file))
    found = records(tmp_path / "out", "train/*")
    assert len(found) == len(rows) == 2912
    for row, record in zip(rows, found, strict=True):
        assert (row["obj_id"], row["obj_type"]) == (record.id, record.seq_type)
        assert (row["obj_seq"], row["obj_source"]) == (record.sequence, record.source)
        levels = ast.literal_eval(row["obj_label"])
        for task, spans in levels["span_level"].items():
            assert [list(span) for span in record.spans.get(task, [])] == spans
        taxonomy = levels["seq_level"][f"{record.seq_type}_taxonomy"]
        assert record.classes.get(f"{record.seq_type}_taxonomy", "") == taxonomy
        assert record.keywords == levels["seq_level"].get("prot_keyword", [])
        structure = levels.get("structure_level", {}).get("prot_structure", "")
        if not structure:
            assert record.coordinates is None
            continue
        unknown = (-1, [-100, -100, -100])
        positions = [[math.nan] * 3 if one in unknown else one for one in structure]
        np.testing.assert_allclose(record.coordinates, positions, rtol=1e-6)
    assert summary.labelled["prot_structure"] == 18


@needs_data
def test_the_published_vocabularies_go_with_the_records(tmp_path):
    convert_records(PUBLISHED / "dev", tmp_path / "out", labels=DATA / "labels", processes=2)
    assert len(vocabulary(tmp_path / "out", "prot_domain")) == 13717
    assert report(tmp_path / "out") == []
    convert_records(PUBLISHED / "dev", tmp_path / "alone", labels=DATA / "labels")
    assert contents(tmp_path / "out") == contents(tmp_path / "alone")


def test_datasets_streams_the_shards(tmp_path, monkeypatch):
    structure = [[1, 2, 3], -1, [4, 5, 6.5]]
    rows = [
        ["a", "prot", "MKV", cell(structure, [1, 2], prot_site=[[0, 1, 7]]), "uniprot"],
        ["b", "prot", "MK", "", "uniprot"],
        ["c", "prot", "MKVA", cell(prot_taxonomy=5, prot_homo=[[0, 3, 1], [1, 2, 0]]), "pdb"],
        ["d", "gene", "ACGT", cell(gene_type=[[0, 3, 7]], gene_taxonomy=0), "refseq"],
    ]
    convert_records(write(tmp_path / "a.csv", *rows), tmp_path / "out", records_per_shard=2)
    files = sorted(map(str, (tmp_path / "out" / "train").glob("*.parquet")))
    assert len(files) == 3
    stream = datasets.load_dataset(
        "parquet", data_files=files, split="train", streaming=True, cache_dir=tmp_path / "cache"
    )
    assert stream.features.arrow_schema.remove_metadata().equals(SCHEMA)
    streamed = [record_of(row) for row in stream]
    stored = [record for file in files for record in read_shard(file)]
    assert [record.id for record in streamed] == ["d", "a", "b", "c"]
    assert streamed[1].spans == {"prot_site": [(0, 1, 7)]}
    for one, other in zip(streamed, stored, strict=True):
        np.testing.assert_array_equal(one.coordinates, other.coordinates)
        one.coordinates = other.coordinates = None
        assert one == other
