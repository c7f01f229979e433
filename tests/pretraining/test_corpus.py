# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Shards of labelled records: what is written is read again, and what is wrong is named."""

import re
import string
from dataclasses import replace

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pretraining.corpus import Group, Rows, find_groups, find_shards
from pretraining.data import shards
from pretraining.data.records import (
    CLASS_TASKS,
    KEYWORD_TASK,
    LABEL_TASKS,
    SCHEMA,
    SPAN_TASKS,
    STRUCTURE_TASK,
    LabelledRecord,
)

from .helpers import NUM_LABELS, random_records, write_folder

WORD = st.text(st.characters(codec="utf-8"), max_size=8)
FLOAT = st.floats(-1e3, 1e3, width=32) | st.just(float("nan"))


@st.composite
def labelled_records(draw, seq_type):
    sequence = draw(st.text(string.ascii_uppercase, min_size=1, max_size=12))
    last = len(sequence) - 1

    def some(task, strategy, nothing):
        return draw(strategy) if task.startswith(seq_type) else nothing

    def spans(task):
        label = st.integers(0, NUM_LABELS[task] - 1)
        ends = st.tuples(st.integers(0, last), st.integers(0, last)).map(sorted)
        return some(task, st.lists(st.tuples(ends, label).map(lambda s: (*s[0], s[1]))), [])

    class_of = {task: st.none() | st.integers(0, NUM_LABELS[task] - 1) for task in CLASS_TASKS}
    classes = {task: some(task, class_of[task], None) for task in CLASS_TASKS}
    rows = st.lists(st.tuples(FLOAT, FLOAT, FLOAT), min_size=last + 1, max_size=last + 1)
    coordinates = some(STRUCTURE_TASK, st.none() | rows, None)
    return LabelledRecord(
        id=draw(WORD),
        seq_type=seq_type,
        sequence=sequence,
        source=draw(WORD),
        spans={task: spans(task) for task in SPAN_TASKS},
        classes={task: label for task, label in classes.items() if label is not None},
        keywords=some(KEYWORD_TASK, st.lists(st.integers(0, NUM_LABELS[KEYWORD_TASK] - 1)), []),
        coordinates=None if coordinates is None else np.array(coordinates, dtype=np.float32),
    )


def same(left, right):
    """Compare records as rows; unknown coordinates equal one another."""
    rows = [replace(record, coordinates=None).row() for record in (left, right)]
    if left.coordinates is None or right.coordinates is None:
        return rows[0] == rows[1] and left.coordinates is right.coordinates
    equal = np.array_equal(left.coordinates, right.coordinates, equal_nan=True)
    return rows[0] == rows[1] and equal


def written(folder, records):
    """Write records as a shard; return them as they are read again."""
    groups = find_groups(find_shards([write_folder(folder, records, per_shard=len(records))]))
    return Rows.read(groups[records[0].seq_type][0])


def read_all(folder):
    """Return the records of all shards of a folder."""
    groups = find_groups(find_shards([folder]))
    rows = [Rows.read(group) for found in groups.values() for group in found]
    return [one[i] for one in rows for i in range(len(one))]


@settings(max_examples=30)
@given(data=st.data(), seq_type=st.sampled_from(["gene", "prot"]))
def test_records_are_read_as_they_were_written(tmp_path_factory, data, seq_type):
    records = data.draw(st.lists(labelled_records(seq_type), min_size=1, max_size=5))
    rows = written(tmp_path_factory.mktemp("records"), records)
    rows.check(NUM_LABELS)
    assert len(rows) == len(records)
    assert all(same(rows[i], record) for i, record in enumerate(records))


def test_groups_of_rows_follow_one_another(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "ROW_GROUP", 4)
    records = random_records(11, 9)
    groups = find_groups(find_shards([write_folder(tmp_path, records, per_shard=[6, 5])]))
    assert list(groups) == ["gene", "prot"]
    assert [group.records for group in groups["gene"]] == [4, 2, 4, 1]
    assert [group.records for group in groups["prot"]] == [4, 2, 3]
    assert all(same(*pair) for pair in zip(read_all(tmp_path), records, strict=True))


def test_shards_are_found_below_folders_in_the_order_of_their_names(tmp_path):
    write_folder(tmp_path / "b", random_records(3, 0), per_shard=1)
    write_folder(tmp_path / "a" / "deep", random_records(0, 2), per_shard=1)
    (tmp_path / "a" / ".gene-1.parquet").write_text("of a killed job")
    found = find_shards([tmp_path / "b", tmp_path / "a"])
    assert [file.name for file in found] == [
        *(f"gene-0000{number}.parquet" for number in range(3)),
        *(f"prot-0000{number}.parquet" for number in range(2)),
    ]
    assert find_shards([found[1]]) == [found[1]]


def test_a_shard_that_is_named_twice_counts_once(tmp_path):
    write_folder(tmp_path / "train", random_records(3, 0))
    assert len(find_shards([tmp_path / "train", tmp_path / "train" / "gene-00000.parquet"])) == 1


def test_a_folder_without_shards_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere: there is no such folder"):
        find_shards([tmp_path / "nowhere"])
    with pytest.raises(ValueError, match=f"{tmp_path}: there is no Parquet file in it"):
        find_shards([tmp_path])


# --- files that are no shards -------------------------------------------------------------------


def table(records=None):
    rows = [record.row() for record in records or random_records(3, 0)]
    return pa.Table.from_pylist(rows, SCHEMA)


def changed(column, values, kind):
    return table().set_column(SCHEMA.get_field_index(column), column, pa.array(values, kind))


WITHOUT = table().drop_columns(["prot_site"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(table().slice(0, 0), "there is no record in it", id="empty"),
        pytest.param(WITHOUT, "the column 'prot_site' is missing", id="no column"),
        pytest.param(
            changed("gene_taxonomy", [[1]] * 3, pa.list_(pa.int32())),
            "its columns are not those of labelled records",
            id="list for a class",
        ),
        pytest.param(table(random_records(2, 2)), "seq_type must be gene, or prot", id="mixed"),
        pytest.param(
            changed("seq_type", ["dna"] * 3, pa.string()),
            "seq_type must be gene, or prot",
            id="another type",
        ),
        pytest.param(
            changed("seq_type", [None, "gene", "gene"], pa.string()),
            "seq_type must be gene, or prot",
            id="a type is missing",
        ),
    ],
)
def test_a_file_that_is_no_shard_is_named(tmp_path, content, reason):
    file = tmp_path / "wrong.parquet"
    pq.write_table(content, file)
    with pytest.raises(ValueError, match=re.escape(f"{file}: {reason}")) as caught:
        find_groups([file])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"id,seq_type\n1,gene\n", b"PAR1" + 100 * b"\0"])
def test_a_file_that_is_not_parquet_is_named(tmp_path, content):
    file = tmp_path / "wrong.parquet"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=f"{file}: cannot be read as Parquet") as caught:
        find_groups([file])
    assert "\n" not in str(caught.value)


def test_a_file_without_statistics_is_read_or_told_what_it_lacks(tmp_path):
    file = tmp_path / "plain.parquet"
    pq.write_table(table(), file, write_statistics=False)
    try:
        assert find_groups([file]) == {"gene": [Group(file, 0, 3)]}
    except ValueError as error:
        assert "statistics" in str(error).removeprefix(str(file))


def test_a_shard_that_vanishes_or_is_damaged_later_is_named(tmp_path):
    file = write_folder(tmp_path, random_records(40, 0), per_shard=40) / "gene-00000.parquet"
    (group,) = find_groups([file])["gene"]
    whole = bytearray(file.read_bytes())
    whole[100:-2_000] = bytes(len(whole) - 2_100)
    file.write_bytes(bytes(whole))
    with pytest.raises(ValueError, match=f"{file}: cannot be read: ") as caught:
        Rows.read(group)
    assert "\n" not in str(caught.value)
    file.unlink()
    with pytest.raises(ValueError, match=f"{file}: the shard has vanished"):
        Rows.read(group)


def test_a_shard_that_was_replaced_is_named(tmp_path):
    file = write_folder(tmp_path, random_records(3, 0)) / "gene-00000.parquet"
    (group,) = find_groups([file])["gene"]
    write_folder(tmp_path, random_records(2, 0))
    with pytest.raises(ValueError, match=str(file)):
        Rows.read(group)


# --- records that cannot be what they say -------------------------------------------------------


def gene(**fields):
    return LabelledRecord(**{"id": "odd", "seq_type": "gene", "sequence": "ACGTAC", **fields})


def protein(**fields):
    return LabelledRecord(**{"id": "odd", "seq_type": "prot", "sequence": "MKTAYI", **fields})


def of_task(task):
    return gene if task.startswith("gene") else protein


def with_label(task, label):
    make = of_task(task)
    if task in SPAN_TASKS:
        return make(spans={task: [(0, 2, 0), (1, 3, label)]})
    return make(keywords=[0, label]) if task == KEYWORD_TASK else make(classes={task: label})


WRONG = {
    "span beyond the sequence": (gene(spans={"gene_type": [(0, 6, 1)]}), "gene_type: span 0 to 6"),
    "span that begins beyond": (protein(spans={"prot_site": [(7, 9, 1)]}), "prot_site: span 7"),
    "negative start": (gene(spans={"gene_type": [(-1, 2, 1)]}), "gene_type: span -1 to 2"),
    "span that ends first": (gene(spans={"gene_type": [(3, 2, 1)]}), "gene_type: span 3 to 2"),
    "no letters": (gene(sequence=""), "the sequence is empty"),
    "small letters": (gene(sequence="acgt"), "not of the letters A to Z"),
    "a digit": (gene(sequence="AC1T"), "not of the letters A to Z"),
    "a digit first": (protein(sequence="1KT"), "not of the letters A to Z"),
    "a stop last": (protein(sequence="MK*"), "not of the letters A to Z"),
    "another alphabet": (protein(sequence="MKÄT"), "not of the letters A to Z"),
    "too many coordinates": (protein(coordinates=np.ones((7, 3))), "7 coordinates for 6 residues"),
    "too few coordinates": (protein(coordinates=np.ones((5, 3))), "5 coordinates for 6 residues"),
    "coordinates of a gene": (gene(coordinates=np.ones((6, 3))), "the other molecule"),
    "spans of a protein": (gene(spans={"prot_homo": [(0, 1, 0)]}), "prot_homo: a label of the"),
    "class of a protein": (gene(classes={"prot_taxonomy": 0}), "prot_taxonomy: a label of the"),
    "keywords of a gene": (gene(keywords=[0]), "prot_keyword: a label of the"),
    "spans of a gene": (protein(spans={"gene_type": [(0, 1, 0)]}), "gene_type: a label of the"),
    "class of a gene": (protein(classes={"gene_taxonomy": 0}), "gene_taxonomy: a label of the"),
    **{
        f"{task} beyond its vocabulary": (
            with_label(task, NUM_LABELS[task]),
            f"{task}: label {NUM_LABELS[task]} is not in a vocabulary of {NUM_LABELS[task]}",
        )
        for task in LABEL_TASKS
    },
    **{f"{task} below 0": (with_label(task, -2), f"{task}: label -2") for task in LABEL_TASKS},
}


@pytest.mark.parametrize(("record", "reason"), WRONG.values(), ids=WRONG)
def test_a_wrong_record_is_named_with_its_file(tmp_path, record, reason):
    good = random_records(2, 2)
    records = [one for one in good if one.seq_type == record.seq_type]
    rows = written(tmp_path, [records[0], record, records[1]])
    with pytest.raises(ValueError, match=re.escape(reason)) as caught:
        rows.check(NUM_LABELS)
    assert str(caught.value).startswith(f"{rows.group.file}: record odd: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("task", LABEL_TASKS)
def test_a_label_counts_against_a_vocabulary_that_is_known(tmp_path, task):
    record = with_label(task, 1_000_000)
    rows = written(tmp_path, [record])
    rows.check({name: size for name, size in NUM_LABELS.items() if name != task})
    assert same(rows[0], record)


@pytest.mark.parametrize("task", CLASS_TASKS)
def test_a_class_of_minus_one_is_wrong(tmp_path, task):
    rows = written(tmp_path, [with_label(task, -1)])
    with pytest.raises(ValueError, match=f"{task}: label -1"):
        rows.check(NUM_LABELS)


def test_an_infinite_coordinate_is_wrong(tmp_path):
    coordinates = np.ones((6, 3))
    coordinates[2, 1] = np.inf
    rows = written(tmp_path, [protein(coordinates=coordinates)])
    with pytest.raises(ValueError, match=r"record odd: prot_structure"):
        rows.check(NUM_LABELS)


@settings(max_examples=30)
@given(data=st.data())
def test_the_check_of_all_finds_what_the_check_of_each_finds(tmp_path_factory, data):
    """Whatever is wrong, the arithmetic on a group overlooks no record and accuses none."""
    spoiled = st.sampled_from([record for record, _ in WRONG.values() if record.seq_type == "prot"])
    records = data.draw(st.lists(labelled_records("prot") | spoiled, min_size=1, max_size=6))
    rows = written(tmp_path_factory.mktemp("records"), records)
    try:
        for record in records:
            record.check(NUM_LABELS)
    except ValueError as error:
        with pytest.raises(ValueError, match=re.escape(str(error))):
            rows.check(NUM_LABELS)
    else:
        rows.check(NUM_LABELS)


# --- shards of other writers --------------------------------------------------------------------


def write_by_datasets(folder, records):
    folder.mkdir(parents=True)
    for seq_type in ("gene", "prot"):
        rows = [record.row() for record in records if record.seq_type == seq_type]
        datasets.Dataset.from_list(rows).to_parquet(folder / f"{seq_type}.parquet")
    return folder


def test_datasets_may_write_shards(tmp_path):
    records = random_records(6, 8)
    read = read_all(write_by_datasets(tmp_path / "shards", records))
    assert all(same(*pair) for pair in zip(read, records, strict=True))


def test_a_list_that_is_null_is_empty(tmp_path):
    rows = [{**record.row(), "prot_site": None, "prot_keyword": None} for record in some_proteins()]
    file = tmp_path / "prot.parquet"
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), file)
    read = Rows.read(find_groups([file])["prot"][0])
    read.check(NUM_LABELS)
    assert [read[i].keywords for i in range(len(read))] == [[]] * len(rows)
    assert [read[i].spans["prot_site"] for i in range(len(read))] == [[]] * len(rows)
    assert read[0].spans["prot_homo"]


def some_proteins():
    return [record for record in random_records(0, 9) if record.coordinates is not None][:3]


def test_a_residue_whose_coordinates_are_null_is_unknown(tmp_path):
    """And the coordinates of the residues and records behind it stay theirs."""
    records = some_proteins()
    rows = [record.row() for record in records]
    rows[0][STRUCTURE_TASK][4] = None
    records[0].coordinates[4] = np.nan
    file = tmp_path / "prot.parquet"
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), file)
    read = Rows.read(find_groups([file])["prot"][0])
    for row, record in enumerate(records):
        np.testing.assert_array_equal(read.coordinates(row), record.coordinates)


def test_a_span_without_a_start_is_an_error_that_names_the_file(tmp_path):
    rows = [record.row() for record in random_records(3, 0)]
    rows[1]["gene_type"] = [{"start": None, "end": 2, "label": 1}]
    file = tmp_path / "gene.parquet"
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), file)
    with pytest.raises(ValueError, match=f"{file}: "):
        Rows.read(find_groups([file])["gene"][0]).check(NUM_LABELS)


def test_spans_with_other_names_are_an_error_that_names_the_file(tmp_path):
    kind = pa.list_(pa.struct({"begin": pa.int32(), "stop": pa.int32(), "label": pa.int32()}))
    spans = [[{"begin": 0, "stop": 1, "label": 0}]] * 3
    file = tmp_path / "gene.parquet"
    pq.write_table(changed("gene_type", spans, kind), file)
    with pytest.raises(ValueError, match=f"{file}: "):
        Rows.read(find_groups([file])["gene"][0])


def test_a_number_that_no_label_can_be_is_an_error_that_names_the_file(tmp_path):
    file = tmp_path / "gene.parquet"
    pq.write_table(changed("gene_taxonomy", [1.0, 2.5, None], pa.float64()), file)
    with pytest.raises(ValueError, match=f"{file}: cannot be read"):
        Rows.read(find_groups([file])["gene"][0])
