# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`read_records`: which reader a file gets, the sample, and the real files."""

import gzip
import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from sequence_io import SAMPLE_FASTA, CleaningReport, SequenceFileError, read_fasta, read_records
from sequence_io.fasta import FASTA_SUFFIXES

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY.parent / "shared" / "data"
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real sequences (../shared/data) are not beside the repository"
)

FASTA = b">r1 seq_type=gene x\nACGT\n"
SINGLE_SEQUENCE_TASKS = {
    "GenusTax": "gene",
    "ProtLoc": "prot",
    "ProtStab": "prot",
    "SpeciesTax": "gene",
    "SupKTax": "gene",
    "ncRNAFam": "gene",
}


def write(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def error_of(path, **options):
    with pytest.raises(SequenceFileError) as caught:
        next(read_records(path, **options))
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(path), path.name)


@pytest.mark.parametrize("compression", ["", ".gz", ".bgz", ".bgzf"])
@pytest.mark.parametrize("suffix", [*FASTA_SUFFIXES, ".FASTA"])
def test_fasta_by_suffix(tmp_path, suffix, compression):
    content = gzip.compress(FASTA) if compression else FASTA
    (record,) = read_records(write(tmp_path, f"x{suffix}{compression}", content), seq_type="gene")
    assert (record.id, record.sequence, record.seq_type) == ("r1", "ACGT", "gene")


@pytest.mark.parametrize("compression", ["", ".gz", ".bgz"])
@pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", b","), (".tsv", b"\t")])
def test_table_by_suffix(tmp_path, suffix, delimiter, compression):
    table = b"name,letters,kind\nr1,MK-V,prot\n".replace(b",", delimiter)
    path = write(
        tmp_path, f"x{suffix}{compression}", gzip.compress(table) if compression else table
    )
    report = CleaningReport()
    columns = {"id_column": "name", "sequence_column": "letters", "seq_type": "column:kind"}
    (record,) = read_records(path, **columns, report=report)
    assert (record.id, record.sequence, record.seq_type) == ("r1", "MKV", "prot")
    assert report.gaps_removed == 1
    assert next(read_records(path, **columns, keep_gaps=True)).sequence == "MK-V"


@pytest.mark.parametrize("name", ["x", "x.txt", "x.gz"])
@pytest.mark.parametrize("content", [FASTA, b"\n\n" + FASTA, gzip.compress(FASTA, mtime=0)])
def test_other_names_are_fasta_if_they_begin_so(tmp_path, name, content):
    (record,) = read_records(write(tmp_path, name, content), seq_type="header")
    assert (record.id, record.seq_type) == ("r1", "gene")


def test_lines_are_counted_from_the_top_under_other_names(tmp_path):
    assert (
        error_of(write(tmp_path, "x.txt", b"\n\n>\nA\n")) == "x.txt: line 3: a header without an id"
    )


@pytest.mark.parametrize("content", [b"\n id,seq\n", b"; comment\n>a\nA\n", b"LOCUS  X"])
def test_unknown_format(tmp_path, content):
    assert error_of(write(tmp_path, "x.txt", content)) == (
        "x.txt: unknown format; known suffixes are .fa .fasta .fna .faa .ffn .frn .fas .csv .tsv "
        ".parquet (.gz, .bgz, .bgzf, .bz2 or .xz may follow)"
    )


@pytest.mark.parametrize("name", ["x.txt", "x.fasta", "x.csv"])
@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_empty_file(tmp_path, name, content):
    assert error_of(write(tmp_path, name, content)) == f"{name}: holds no records"


@pytest.mark.parametrize("name", ["x.txt", "x.fasta", "x.csv"])
def test_missing_file_is_told_at_once(tmp_path, name):
    with pytest.raises(SequenceFileError, match=rf"{name}: no such file$"):
        read_records(tmp_path / name)


@pytest.mark.parametrize("name", ["x.fasta", "x.txt"])
def test_column_options_are_for_tables(tmp_path, name):
    path = write(tmp_path, name, FASTA)
    assert error_of(path, id_column="a") == (
        f"{name}: --id-column is for tables (.csv, .tsv, .parquet), this is not one"
    )
    assert error_of(path, sequence_column="a") == (
        f"{name}: --sequence-column is for tables (.csv, .tsv, .parquet), this is not one"
    )
    assert error_of(path, seq_type="column:a") == (
        f"{name}: --seq-type column:a is for tables, this is FASTA"
    )


def test_header_option_is_for_fasta(tmp_path):
    path = write(tmp_path, "x.csv", b"id,seq\nr1,A\n")
    assert error_of(path, seq_type="header") == (
        "x.csv: --seq-type header is for FASTA, this is a table"
    )


def test_standard_input_is_fasta():
    script = "from sequence_io import read_records\nprint(next(read_records('-')).id)"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, input=FASTA, capture_output=True, cwd=REPOSITORY, check=True)
    assert done.stdout.split() == [b"r1"]


def test_a_pipe_of_unknown_name_is_opened_once(tmp_path):
    pipe = tmp_path / "63"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(FASTA,))
    writer.start()
    assert [record.id for record in read_records(pipe)] == ["r1"]
    writer.join()


def test_the_room_imports_nothing_heavy():
    script = (
        "import sys, sequence_io\n"
        "print(*{'torch', 'transformers', 'numpy', 'Bio', 'pyarrow'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, cwd=REPOSITORY, check=True)
    assert done.stdout.split() == []


def test_sample_is_clean_and_typed():
    report = CleaningReport()
    records = list(read_records(SAMPLE_FASTA, seq_type="header", report=report))
    assert 8 <= len(records) <= 10
    assert len({record.id for record in records}) == len(records)
    assert report.summary() == ""
    kinds = Counter(record.description.split()[1].rstrip(",") for record in records)
    assert kinds == {"DNA": 2, "RNA": 4, "protein": 4}
    alphabets = {"DNA": "ACGT", "RNA": "ACGU", "protein": "ACDEFGHIKLMNPQRSTVWY"}
    for record in records:
        kind = record.description.split()[1].rstrip(",")
        assert record.seq_type == ("prot" if kind == "protein" else "gene")
        assert set(record.sequence) <= set(alphabets[kind])
        assert 30 <= len(record.sequence) <= 600
    lines = SAMPLE_FASTA.read_text(encoding="ascii").splitlines()
    assert max(len(line) for line in lines if not line.startswith(">")) == 60


def test_sample_translations_match():
    bio = pytest.importorskip("Bio.Seq", reason="needs biopython")
    sample = {record.id: record.sequence for record in read_fasta(SAMPLE_FASTA)}
    psbf = bio.Seq(sample["psbF_cds"]).translate(table=11, cds=True)
    assert psbf == sample["NP_051075.1"]
    message = bio.Seq(sample["cor6.6_mrna"])
    start = message.find("AUG")
    assert str(message[start : start + 201].translate(cds=True)) == sample["CAA38894.1"]


@needs_data
@pytest.mark.parametrize(
    ("name", "count", "letters"),
    [
        ("s1-species/species.fasta", 1_200, 1_104_006),
        ("s2-pfam-clans/clans.fasta", 2_738, None),
        ("genbank/NC_000932.faa", 85, None),
    ],
)
def test_real_fasta(name, count, letters):
    report = CleaningReport()
    records = list(read_records(DATA / name, report=report))
    assert (len(records), report.records, report.records_changed) == (count, count, 0)
    if letters is not None:
        assert sum(len(record.sequence) for record in records) == letters
    seq_io = pytest.importorskip("Bio.SeqIO", reason="needs biopython")
    theirs = [(record.id, str(record.seq)) for record in seq_io.parse(DATA / name, "fasta")]
    assert [(record.id, record.sequence) for record in records] == theirs


@needs_data
def test_real_clustering_tables_agree_with_their_fasta():
    fasta = [(r.id, r.sequence) for r in read_records(DATA / "s1-species" / "species.fasta")]
    table = [(r.id, r.sequence) for r in read_records(DATA / "s1-species" / "species.csv")]
    assert sorted(fasta) == sorted(table)
    clans = read_records(
        DATA / "s2-pfam-clans" / "clans.csv",
        id_column="protein_id",
        sequence_column="protein_seq",
    )
    assert sum(1 for _ in clans) == 2_738


@needs_data
@pytest.mark.parametrize(("task", "seq_type"), SINGLE_SEQUENCE_TASKS.items())
def test_real_task_tables(task, seq_type):
    path = DATA / "tasks" / f"{task}_prediction.csv"
    (record,) = read_records(path, seq_type="column:seq_type")
    assert record.seq_type == seq_type
    assert record.sequence.isalpha()
    assert not record.id.startswith(">")
    if task == "ProtLoc":
        assert record.id == "A0A0H3AIG7"


@needs_data
@pytest.mark.parametrize("task", ["CentralDogma", "InfA", "PPI", "ncRPI"])
def test_real_pair_tables_are_not_taken_for_single_ones(task):
    message = error_of(DATA / "tasks" / f"{task}_prediction.csv")
    assert "cannot tell which columns hold id and sequence" in message
    assert "'seq_id_a', 'seq_id_b'" in message


@needs_data
@pytest.mark.parametrize(
    ("pattern", "count"),
    [("train/gene*", 1_000), ("train/prot*", 1_912), ("dev/gene*", 200), ("dev/prot*", 406)],
)
def test_real_pretraining_tables(pattern, count):
    records = [
        record
        for path in sorted((DATA / "pretraining").glob(pattern))
        for record in read_records(path, seq_type="column:obj_type")
    ]
    assert len(records) == count
    assert {record.seq_type for record in records} == {pattern.split("/")[1].rstrip("*")}
