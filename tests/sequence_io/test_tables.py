# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""CSV and TSV: which columns are taken, what is refused, and that it streams."""

import gzip
import tracemalloc

import pytest

from sequence_io import CleaningReport, SequenceFileError, SequenceRecord, read_rows, read_table


def write(tmp_path, content, name="x.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def error_of(path, *columns, **options):
    with pytest.raises(SequenceFileError) as caught:
        list(read_table(path, *columns, **options))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    return message.replace(str(path), path.name)


@pytest.mark.parametrize(
    "table",
    [
        "obj_id,obj_type,obj_seq,obj_label,obj_source\nr1,gene,ACGT,\"{'a': [1, 2]}\",here\n",
        "seq_id,seq_type,seq,label\nr1,gene,ACGT,0\n",
        "seq,seq_id\nACGT,r1\n",
        "id,sequence\nr1,ACGT\n",
        " id , seq \nr1,ACGT\n",
    ],
)
def test_known_forms(tmp_path, table):
    assert list(read_table(write(tmp_path, table))) == [SequenceRecord("r1", "ACGT", None)]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_endings_byte_order_mark_and_blank_lines(tmp_path, ending, mark):
    table = mark + "\nid,seq\n\nr1,ACGT\nr2,MKV\n\n".replace("\n", ending)
    assert [r.id for r in read_table(write(tmp_path, table))] == ["r1", "r2"]


@pytest.mark.parametrize("name", ["x.tsv", "x.TSV.GZ", "x.tsv.bgz", "x.tsv.bgzf"])
def test_tabs_plain_and_compressed(tmp_path, name):
    table = b"id\tseq\nr1, still r1\tACGT\n"
    content = table if name == "x.tsv" else gzip.compress(table)
    assert list(read_table(write(tmp_path, content, name))) == [
        SequenceRecord("r1, still r1", "ACGT", None)
    ]


def test_bgzip(tmp_path):
    bgzf = pytest.importorskip("Bio.bgzf", reason="needs biopython to write bgzip")
    path = tmp_path / "x.csv.bgz"
    with bgzf.BgzfWriter(str(path)) as stream:
        stream.write("id,seq\nr1,ACGT\n")
    assert [r.id for r in read_table(path)] == ["r1"]


def test_named_columns(tmp_path):
    path = write(tmp_path, "clan,name,letters,id,seq\nc,n1,MKV,i1,ACGT\n")
    assert next(read_table(path)).id == "i1"
    assert next(read_table(path, "name")) == SequenceRecord("n1", "ACGT", None)
    assert next(read_table(path, None, "letters")) == SequenceRecord("i1", "MKV", None)
    assert next(read_table(path, "name", "letters")) == SequenceRecord("n1", "MKV", None)


def test_type_from_option_and_column(tmp_path):
    path = write(tmp_path, "seq_id,seq_type,seq\nr1, Gene ,ACGT\n")
    assert next(read_table(path)).seq_type is None
    assert next(read_table(path, seq_type="prot")).seq_type == "prot"
    assert next(read_table(path, seq_type="column:seq_type")).seq_type == "Gene"


def test_id_loses_its_leading_mark(tmp_path):
    assert next(read_table(write(tmp_path, "id,seq\n>r>1,ACGT\n"))).id == "r>1"


def test_cells_are_cleaned_and_counted(tmp_path):
    path = write(tmp_path, 'id,seq\nr1,"MK\n-V *"\nr2,MKV\n')
    report = CleaningReport()
    assert [r.sequence for r in read_table(path, report=report)] == ["MKV", "MKV"]
    assert report == CleaningReport(records=2, records_changed=1, gaps_removed=1, stops_removed=1)
    assert next(read_table(path, keep_gaps=True)).sequence == "MK-V*"


COLUMNS = "the columns are 'clan_id', 'protein_id', 'protein_seq'"


def test_unknown_header_lists_its_columns(tmp_path):
    path = write(tmp_path, "clan_id,protein_id,protein_seq\nc,r1,MKV\n")
    cannot_tell = (
        "x.csv: cannot tell which columns hold id and sequence; "
        f"name them with --id-column and --sequence-column; {COLUMNS}"
    )
    assert error_of(path) == cannot_tell
    assert error_of(path, "protein_id") == cannot_tell


def test_two_known_forms_at_once_are_not_guessed(tmp_path):
    path = write(tmp_path, "id,seq,sequence\nr1,ACGT,MKV\n")
    assert error_of(path).startswith("x.csv: cannot tell which columns hold id and sequence;")
    assert next(read_table(path, sequence_column="sequence")).sequence == "MKV"


def test_no_header_is_not_guessed_and_not_printed_whole(tmp_path):
    path = write(tmp_path, f"r1,{'ACGT' * 1000}\n")
    assert error_of(path).endswith(f"the columns are 'r1', '{'ACGT' * 10}...'")


@pytest.mark.parametrize(
    ("arguments", "options", "option"),
    [
        (("kind", "protein_seq"), {}, "--id-column"),
        (("protein_id", "kind"), {}, "--sequence-column"),
        (("protein_id", "protein_seq"), {"seq_type": "column:kind"}, "--seq-type"),
    ],
)
def test_absent_column(tmp_path, arguments, options, option):
    path = write(tmp_path, "clan_id,protein_id,protein_seq\nc,r1,MKV\n")
    assert error_of(path, *arguments, **options) == f"x.csv: no column 'kind' ({option}); {COLUMNS}"


def test_repeated_column(tmp_path):
    path = write(tmp_path, "id,seq,seq\nr1,ACGT,MKV\n")
    assert error_of(path, "id", "seq") == (
        "x.csv: more than one column 'seq' (--sequence-column); the columns are 'id', 'seq', 'seq'"
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "x.csv: holds no records"),
        ("\n\n", "x.csv: holds no records"),
        ("id,seq\n", "x.csv: holds no records"),
        ("id,seq\nr1,A\n\nr2\n", "x.csv: line 4: the header has 2 cells, this row has 1"),
        ("id,seq\nr1,A,7\n", "x.csv: line 2: the header has 2 cells, this row has 3"),
        ('id,seq\nr1,"A\nC"\nr2\n', "x.csv: line 4: the header has 2 cells, this row has 1"),
        ("id,seq\n > ,A\n", "x.csv: line 2: no id in column 'id'"),
        ("id,seq\nr1,A\nr2,\n", "x.csv: record 'r2' (line 3): empty sequence"),
        (
            "id,seq\nr1,AC GT5\n",
            "x.csv: record 'r1' (line 2), position 5: '5' is not a letter A to Z",
        ),
        ('id,seq\nr1,A\nr2,"AC\nGT\n', "x.csv: line 3: not a valid table: unexpected end of data"),
        (b"id,seq\nr1,A\nr\xe9,A\n", "x.csv: line 3: not UTF-8 text (nor gzip, bzip2 or xz)"),
    ],
)
def test_bad_tables(tmp_path, table, message):
    assert error_of(write(tmp_path, table)) == message


def test_empty_type_cell(tmp_path):
    path = write(tmp_path, "id,kind,seq\nr1,gene,A\nr2, ,A\n")
    assert error_of(path, seq_type="column:kind") == (
        "x.csv: record 'r2' (line 3): no molecule type in column 'kind' (--seq-type)"
    )


def test_type_from_the_header_is_for_fasta(tmp_path):
    assert error_of(write(tmp_path, "id,seq\nr1,A\n"), seq_type="header") == (
        "x.csv: --seq-type header is for FASTA, this is a table"
    )


def test_name_of_a_table(tmp_path):
    assert error_of(write(tmp_path, "id,seq\nr1,A\n", "x.txt")) == (
        "x.txt: the name of a table ends in .csv or .tsv (.gz, .bgz, .bgzf, .bz2 or .xz may follow)"
    )


def test_truncated_gzip(tmp_path):
    content = gzip.compress(b"id,seq\nr1,ACGT\n")[:-9]
    assert error_of(write(tmp_path, content, "x.csv.gz")).startswith(
        "x.csv.gz: truncated or damaged gzip file: "
    )


def test_rows_with_their_lines(tmp_path):
    columns, rows = read_rows(write(tmp_path, 'a, b\n\n1,"x\ny"\n3,4\n'))
    assert columns == ["a", "b"]
    assert list(rows) == [(3, ["1", "x\ny"]), (5, ["3", "4"])]


def test_a_cell_may_hold_a_genome(tmp_path):
    letters = "ACGT" * 100_000  # the csv module's own limit is 131,072
    assert next(read_table(write(tmp_path, f"id,seq\nr1,{letters}\n"))).sequence == letters


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "many.csv"
    with path.open("w") as stream:
        stream.write("id,seq\n")
        stream.writelines(f"r{number},{'ACGTACGTAC' * 30}\n" for number in range(20_000))
    tracemalloc.start()
    try:
        total = sum(len(record.sequence) for record in read_table(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == 20_000 * 300
    assert peak < 500_000  # the file holds 6 MB
