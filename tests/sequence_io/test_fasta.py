# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""FASTA: what is read, what is refused, and that it streams."""

import gzip
import os
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequence_io import CleaningReport, SequenceFileError, SequenceRecord, read_fasta

REPOSITORY = Path(__file__).parents[2]
TEXT = b">a first one\nACGT\nacgu\n\n>b\nMKV*\n"
RECORDS = [SequenceRecord("a", "ACGTacgu", None, "first one"), SequenceRecord("b", "MKV", None)]


def write(tmp_path, content, name="x.fasta"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def error_of(path, **options):
    """The message, less the folder, that reading the whole file raises."""
    with pytest.raises(SequenceFileError) as caught:
        list(read_fasta(path, **options))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    return message.replace(str(path), path.name)


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_line_endings(tmp_path, ending):
    assert list(read_fasta(write(tmp_path, TEXT.replace(b"\n", ending)))) == RECORDS


@pytest.mark.parametrize(
    "content",
    [
        TEXT.rstrip(b"\n"),
        b"\xef\xbb\xbf" + TEXT,
        b"\n \n" + TEXT + b"\n\n",
        b"; a comment\n" + TEXT.replace(b"acgu", b"; >not a header\n  ac gu\t"),
        TEXT.replace(b">a first one", b"> a \t first one  "),
    ],
    ids=["no last newline", "byte order mark", "blank lines", "comments", "spaces"],
)
def test_tolerated_forms(tmp_path, content):
    assert list(read_fasta(write(tmp_path, content))) == RECORDS


def test_description_is_utf8_text(tmp_path):
    path = write(tmp_path, ">a β-globin  of Müller\nACGT\n".encode())
    assert next(read_fasta(path)).description == "β-globin  of Müller"


@pytest.mark.parametrize("name", ["x.fasta.gz", "x.fasta"])
def test_gzip_is_known_by_its_first_bytes(tmp_path, name):
    assert list(read_fasta(write(tmp_path, gzip.compress(TEXT), name))) == RECORDS


def test_plain_text_under_a_compressed_name(tmp_path):
    assert list(read_fasta(write(tmp_path, TEXT, "x.fasta.gz"))) == RECORDS


def test_gzip_of_several_members(tmp_path):
    content = gzip.compress(TEXT[:20]) + gzip.compress(TEXT[20:])
    assert list(read_fasta(write(tmp_path, content))) == RECORDS


def test_bgzip(tmp_path):
    bgzf = pytest.importorskip("Bio.bgzf", reason="needs biopython to write bgzip")
    path = tmp_path / "x.fasta.bgz"
    with bgzf.BgzfWriter(str(path)) as stream:
        for number in range(5000):
            stream.write(f">r{number}\n{'ACGT' * 20}\n")
    records = list(read_fasta(path))
    assert [record.id for record in records] == [f"r{number}" for number in range(5000)]
    assert {record.sequence for record in records} == {"ACGT" * 20}


@pytest.mark.parametrize("content", [TEXT, gzip.compress(TEXT)], ids=["plain", "gzip"])
def test_standard_input(content):
    script = (
        "from sequence_io import read_fasta\n"
        "print([(r.id, r.sequence, r.description) for r in read_fasta('-')])"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, input=content, capture_output=True, cwd=REPOSITORY, check=True)
    expected = [(record.id, record.sequence, record.description) for record in RECORDS]
    assert done.stdout.decode().strip() == str(expected)


def test_standard_input_is_named_in_errors(tmp_path, monkeypatch):
    with write(tmp_path, b"ACGT\n").open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        with pytest.raises(SequenceFileError, match=r"^standard input: line 1: no header: "):
            next(read_fasta("-"))
        os.fstat(stream.fileno())  # raises if it were closed; it is not ours to close


def test_type_is_stored_verbatim(tmp_path):
    path = write(tmp_path, TEXT)
    assert {record.seq_type for record in read_fasta(path, seq_type="Whatever")} == {"Whatever"}


def test_type_from_the_header(tmp_path):
    path = write(tmp_path, b">a seq_type=gene x\nA\n>b of seq_type=Prot\nM\n")
    records = list(read_fasta(path, seq_type="header"))
    assert [(r.seq_type, r.description) for r in records] == [
        ("gene", "seq_type=gene x"),
        ("Prot", "of seq_type=Prot"),
    ]


@pytest.mark.parametrize(
    "header", [b">b", b">b my_seq_type=gene", b">b seq_type= gene", b">seq_type=gene"]
)
def test_type_missing_in_the_header(tmp_path, header):
    path = write(tmp_path, b">a seq_type=gene\nA\n" + header + b"\nM\n")
    name = header.split()[0][1:].decode()
    assert error_of(path, seq_type="header") == (
        f"x.fasta: record '{name}' (line 3): no seq_type=VALUE in the header (--seq-type header)"
    )


def test_contradictory_types_in_the_header(tmp_path):
    path = write(tmp_path, b">a seq_type=gene seq_type=prot\nA\n")
    assert error_of(path, seq_type="header") == (
        "x.fasta: record 'a' (line 1): more than one seq_type=VALUE in the header "
        "(--seq-type header)"
    )


def test_type_from_a_column_is_for_tables(tmp_path):
    assert error_of(write(tmp_path, TEXT), seq_type="column:kind") == (
        "x.fasta: --seq-type column:kind is for tables, this is FASTA"
    )


def test_keep_gaps_and_report(tmp_path):
    path = write(tmp_path, b">a\nMK-V*\n>b\nMKV\n")
    report = CleaningReport()
    assert [r.sequence for r in read_fasta(path, report=report)] == ["MKV", "MKV"]
    assert report == CleaningReport(records=2, records_changed=1, gaps_removed=1, stops_removed=1)
    assert [r.sequence for r in read_fasta(path, keep_gaps=True)] == ["MK-V*", "MKV"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.fasta: holds no records"),
        (b"\n \n; only a comment\n", "x.fasta: holds no records"),
        (gzip.compress(b"", mtime=0), "x.fasta: holds no records"),
        (b"\nACGT\n>a\nA\n", "x.fasta: line 2: no header: a FASTA record begins with '>'"),
        (b" >a\nA\n", "x.fasta: line 1: no header: a FASTA record begins with '>'"),
        (b">a\nA\n> \t\nA\n", "x.fasta: line 3: a header without an id"),
        (
            b">a\nACGT\nAC7T\n",
            "x.fasta: record 'a' (line 1), position 7: '7' is not a letter A to Z",
        ),
        (
            b">a\nA\n >b\nC\n",
            "x.fasta: record 'a' (line 1), position 2: '>' is not a letter A to Z",
        ),
        (b">a\nA\n>b\n>c\nA\n", "x.fasta: record 'b' (line 3): empty sequence"),
        (b">a\nA\n>b\n", "x.fasta: record 'b' (line 3): empty sequence"),
        (b">a\n--\n", "x.fasta: record 'a' (line 1): nothing but gaps or '*' in the sequence"),
        (b">a\nA\n>b M\xfcller\nA\n", "x.fasta: line 3: not UTF-8 text (nor gzip, bzip2 or xz)"),
        (
            "\ufeff>a\nA\n".encode("utf-16-le"),
            "x.fasta: line 1: not UTF-8 text (nor gzip, bzip2 or xz)",
        ),
    ],
)
def test_bad_files(tmp_path, content, message):
    assert error_of(write(tmp_path, content)) == message


def test_truncated_gzip(tmp_path):
    content = gzip.compress(b">a\n" + os.urandom(3000).hex().encode().translate(b"ACGT" * 64))
    message = error_of(write(tmp_path, content[:-400]))
    assert message.startswith("x.fasta: truncated or damaged gzip file: Compressed file ended")


def test_damaged_gzip(tmp_path):
    content = bytearray(gzip.compress(TEXT))
    content[-6] ^= 0xFF  # in the check sum
    assert error_of(write(tmp_path, content)).startswith(
        "x.fasta: truncated or damaged gzip file: CRC"
    )
    assert error_of(write(tmp_path, b"\x1fno gzip")).startswith(
        "x.fasta: truncated or damaged gzip file: Not a gzipped file"
    )
    garbled = gzip.compress(b"")[:10] + b"\xff" * 40
    assert error_of(write(tmp_path, garbled)).startswith(
        "x.fasta: truncated or damaged gzip file: "
    )


def test_missing_file_and_directory(tmp_path):
    missing = tmp_path / "none.fasta"
    assert error_of(missing) == "none.fasta: cannot be read: No such file or directory"
    assert error_of(tmp_path).endswith(": cannot be read: Is a directory")


def test_records_come_before_the_file_ends(tmp_path):
    """A pipe is read while it is still being written."""
    pipe = tmp_path / "pipe.fasta"
    os.mkfifo(pipe)
    first_seen, late_writes = threading.Event(), []

    def write_slowly():
        with pipe.open("wb", buffering=0) as stream:
            stream.write(b">a\nACGT\n>b\n" + b"A" * 100_000)
            late_writes.append(first_seen.wait(timeout=30))
            stream.write(b"\n>c\nACGT\n")

    writer = threading.Thread(target=write_slowly)
    writer.start()
    records = read_fasta(pipe)
    first = next(records)
    first_seen.set()
    rest = list(records)
    writer.join()
    assert late_writes == [True]
    assert [first.id, *(record.id for record in rest)] == ["a", "b", "c"]


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "many.fasta.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        for number in range(20_000):
            stream.write(b">r%d\n%b\n" % (number, b"ACGTACGTAC" * 30))
    tracemalloc.start()
    try:
        total = sum(len(record.sequence) for record in read_fasta(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == 20_000 * 300
    assert peak < 500_000  # the file holds 6 MB


def test_a_long_record_is_not_held_as_its_lines(tmp_path):
    """As small strings the 600,000 lines would take 38 MB."""
    lines = 600_000
    path = write(tmp_path, b">chromosome\n" + b"ACGTAC\n" * lines)
    tracemalloc.start()
    try:
        (record,) = read_fasta(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert record.sequence == "ACGTAC" * lines
    assert peak < 20_000_000


@pytest.mark.slow
def test_a_chromosome_of_250_million_letters(tmp_path):
    path = tmp_path / "chromosome.fasta"
    with path.open("wb") as stream:
        stream.write(b">chr1\n")
        for _ in range(1_000):
            stream.write((b"ACGTACGTAC" * 5 + b"\n") * 5_000)
    (record,) = read_fasta(path)
    assert len(record.sequence) == 250_000_000


WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)


@given(
    st.lists(
        st.tuples(
            WORDS,
            st.lists(WORDS, max_size=3),
            st.lists(st.text("ACGTUNacgtn", min_size=1, max_size=70), min_size=1, max_size=4),
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_is_written_is_read(tmp_path_factory, records, ending):
    path = tmp_path_factory.mktemp("written") / "x.fa"
    path.write_bytes(
        "".join(
            ending.join([">" + " ".join([name, *description]), *lines, ""])
            for name, description, lines in records
        ).encode()
    )
    assert list(read_fasta(path)) == [
        SequenceRecord(name, "".join(lines), None, " ".join(description))
        for name, description, lines in records
    ]


def test_agrees_with_biopython(tmp_path):
    seq_io = pytest.importorskip("Bio.SeqIO", reason="needs biopython")
    path = write(
        tmp_path,
        b">a\nACGT\n\nACGT\n>gi|1|ref|X.1| a  long [name]\nMKV\nMKV\n>c x\nac gt\n>d\nA",
    )
    theirs = [
        (record.id, str(record.seq), record.description) for record in seq_io.parse(path, "fasta")
    ]
    ours = [
        (record.id, record.sequence, f"{record.id} {record.description}".rstrip())
        for record in read_fasta(path)
    ]
    assert ours == theirs
