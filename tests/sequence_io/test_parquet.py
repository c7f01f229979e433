# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Parquet: which columns are read, what is refused, and that it streams."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sequence_io import CleaningReport, SequenceFileError, SequenceRecord, read_records

REPOSITORY = Path(__file__).parents[2]


def write(tmp_path, columns, name="x.parquet", **options):
    path = tmp_path / name
    pq.write_table(pa.table(columns), path, **options)
    return path


def error_of(path, **options):
    with pytest.raises(SequenceFileError) as caught:
        list(read_records(path, **options))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    return message.replace(str(path), path.name)


@pytest.mark.parametrize(
    ("id_name", "sequence_name"),
    [("obj_id", "obj_seq"), ("seq_id", "seq"), ("id", "sequence"), ("id", "seq")],
)
def test_known_forms(tmp_path, id_name, sequence_name):
    path = write(tmp_path, {sequence_name: ["ACGT", "mkv"], "n": [1, 2], id_name: ["r1", "r2"]})
    assert list(read_records(path)) == [
        SequenceRecord("r1", "ACGT", None),
        SequenceRecord("r2", "mkv", None),
    ]


def test_named_columns_and_type(tmp_path):
    columns = {
        "a.name": ["r1"],
        "letters": ["MK-V*"],
        "kind": [" Prot "],
        "id": ["x"],
        "seq": ["A"],
    }
    path = write(tmp_path, columns)
    report = CleaningReport()
    named = {"id_column": "a.name", "sequence_column": "letters", "seq_type": "column:kind"}
    assert list(read_records(path, **named, report=report)) == [SequenceRecord("r1", "MKV", "Prot")]
    assert report == CleaningReport(records=1, records_changed=1, gaps_removed=1, stops_removed=1)
    assert next(read_records(path, **named, keep_gaps=True)).sequence == "MK-V*"
    assert next(read_records(path, seq_type="gene")) == SequenceRecord("x", "A", "gene")


@pytest.mark.parametrize("text", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
@pytest.mark.parametrize("encoded", [False, True])
def test_types_of_text(tmp_path, text, encoded):
    cells = {
        "id": pa.array([">r>1", " r2 "]).cast(text),
        "seq": pa.array(["ACGT", "AC GT"]).cast(text),
        "kind": pa.array(["gene", "gene"]).cast(text),
    }
    if encoded and text != pa.string_view():
        cells = {name: column.dictionary_encode() for name, column in cells.items()}
    path = write(tmp_path, cells)
    assert list(read_records(path, seq_type="column:kind")) == [
        SequenceRecord("r>1", "ACGT", "gene"),
        SequenceRecord("r2", "ACGT", "gene"),
    ]


@pytest.mark.parametrize("integer", [pa.int64(), pa.int8(), pa.uint32()], ids=str)
def test_ids_that_are_integers(tmp_path, integer):
    columns = {"id": pa.array([7, 0], integer), "seq": ["A", "C"]}
    assert [record.id for record in read_records(write(tmp_path, columns))] == ["7", "0"]


def test_one_column_for_two_things(tmp_path):
    path = write(tmp_path, {"id": ["gene"], "seq": ["A"]})
    assert next(read_records(path, seq_type="column:id")) == SequenceRecord("gene", "A", "gene")


def test_other_columns_are_not_read(tmp_path):
    columns = {"id": ["r1"], "notes": ["to be damaged"], "seq": ["ACGT"], "more": [[1, 2]]}
    path = write(tmp_path, columns, write_page_checksum=True, write_statistics=False)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"to be damaged", b"it is damaged"))
    assert [record.id for record in read_records(path)] == ["r1"]
    assert "could not verify" in error_of(path, id_column="notes")


def test_many_row_groups_in_order(tmp_path):
    ids = [f"r{number}" for number in range(1_000)]
    path = write(tmp_path, {"id": ids, "seq": ["ACGT"] * 1_000}, row_group_size=77)
    assert [record.id for record in read_records(path)] == ids


COLUMNS = "the columns are 'clan', 'name', 'letters'"


def test_columns_in_errors(tmp_path):
    path = write(tmp_path, {"clan": ["c"], "name": ["r1"], "letters": ["MKV"]})
    assert error_of(path) == (
        "x.parquet: cannot tell which columns hold id and sequence; "
        f"name them with --id-column and --sequence-column; {COLUMNS}"
    )
    assert error_of(path, id_column="who", sequence_column="letters") == (
        f"x.parquet: no column 'who' (--id-column); {COLUMNS}"
    )
    named = {"id_column": "name", "sequence_column": "letters"}
    assert error_of(path, **named, seq_type="column:kind") == (
        f"x.parquet: no column 'kind' (--seq-type); {COLUMNS}"
    )
    assert error_of(path, **named, seq_type="header") == (
        "x.parquet: --seq-type header is for FASTA, this is a table"
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": ["r1", None], "seq": ["A", "C"]}, "row 2: null in column 'id'"),
        ({"id": ["r1", "r2"], "seq": ["A", None]}, "row 2: null in column 'seq'"),
        ({"id": ["r1", " > "], "seq": ["A", "C"]}, "row 2: no id in column 'id'"),
        ({"id": ["r1", "r2"], "seq": ["A", ""]}, "record 'r2' (row 2): empty sequence"),
        (
            {"id": ["r1", "r2"], "seq": ["A", "AC7"]},
            "record 'r2' (row 2), position 3: '7' is not a letter A to Z",
        ),
        (
            {"id": [1.5], "seq": ["A"]},
            "column 'id' holds double, neither text nor integers",
        ),
        (
            {"id": ["r1"], "seq": [["A", "C"]]},
            "column 'seq' holds list<element: string>, neither text nor integers",
        ),
        ({"id": pa.array([], "string"), "seq": pa.array([], "string")}, "holds no records"),
    ],
)
def test_bad_tables(tmp_path, columns, message):
    assert error_of(write(tmp_path, columns)) == f"x.parquet: {message}"


@pytest.mark.parametrize(
    ("cell", "message"),
    [(None, "row 301: null in column 'kind'"), (" ", "record 'r300' (row 301): no molecule type")],
)
def test_rows_are_counted_over_batches(tmp_path, cell, message):
    kinds = ["gene"] * 300 + [cell]
    ids = [f"r{number}" for number in range(301)]
    path = write(tmp_path, {"id": ids, "seq": ["A"] * 301, "kind": kinds}, row_group_size=100)
    assert error_of(path, seq_type="column:kind").startswith(f"x.parquet: {message}")


def test_records_before_a_bad_row_are_given(tmp_path):
    records = read_records(write(tmp_path, {"id": ["r1", "r2"], "seq": ["A", None]}))
    assert next(records).id == "r1"
    with pytest.raises(SequenceFileError):
        next(records)


def test_truncated_and_damaged_files(tmp_path):
    columns = {"id": [f"r{n}" for n in range(500)], "seq": ["ACGT" * 9] * 500}
    whole = write(tmp_path, columns, write_page_checksum=True).read_bytes()
    path = tmp_path / "y.parquet"
    truncated = [whole[:size] for size in (0, 3, 100, len(whole) // 2, len(whole) - 1)]
    damaged = [
        whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        for place in (4, 500, whole.index(b"ACGT"), len(whole) - 7)
    ]
    for content in [*truncated, *damaged, b">r1\nACGT\n", os.urandom(1000)]:
        path.write_bytes(content)
        assert error_of(path).startswith("y.parquet: not a Parquet file, or a damaged one: ")


def test_text_that_is_not_utf8(tmp_path):
    bad = pa.array([b"r\xff"], pa.binary()).view(pa.string())
    path = write(tmp_path, {"id": bad, "seq": ["A"]})
    assert error_of(path).startswith("x.parquet: not a Parquet file, or a damaged one: 'utf-8'")


def test_missing_and_compressed_files(tmp_path):
    assert error_of(tmp_path / "none.parquet") == "none.parquet: no such file"
    path = write(tmp_path, {"id": ["r1"], "seq": ["A"]}, "x.parquet.gz")
    assert error_of(path) == (
        "x.parquet.gz: Parquet cannot be read inside another compression; unpack it first"
    )


def test_suffix_in_capitals(tmp_path):
    assert next(read_records(write(tmp_path, {"id": ["r1"], "seq": ["A"]}, "X.PARQUET"))).id == "r1"


def test_memory_does_not_grow_with_the_file(tmp_path):
    """The sequences, 12 MB, are one row group."""
    letters = [
        os.urandom(150).hex().translate(dict.fromkeys(range(48, 58), "A")) for _ in range(99)
    ]
    rows = 40_000
    columns = {
        "id": [f"r{number}" for number in range(rows)],
        "seq": [letters[number % 99] + "ACDE"[number % 4] for number in range(rows)],
    }
    path = write(tmp_path, columns, use_dictionary=False, compression=None)
    script = (
        "import sys, pyarrow\n"
        "from sequence_io import read_records\n"
        "print(sum(len(record.sequence) for record in read_records(sys.argv[1])))\n"
        "print(pyarrow.default_memory_pool().max_memory())"
    )
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, capture_output=True, cwd=REPOSITORY, check=True)
    letters_read, peak = map(int, done.stdout.split())
    assert letters_read == rows * 301
    assert peak < 8_000_000
