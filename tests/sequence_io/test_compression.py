# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Compressed text: which kinds are read, and what a broken file says."""

import bz2
import gzip
import lzma
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sequence_io import SequenceFileError, read_fasta, read_records
from sequence_io.lines import content_suffix

REPOSITORY = Path(__file__).parents[2]
FASTA = b"".join(b">r%d\n%b\n" % (n, b"ACGT" * (n % 7 + 1)) for n in range(500))
IDS = [f"r{n}" for n in range(500)]
KINDS = {
    "gzip": (gzip.compress, ".gz"),
    "bzip2": (bz2.compress, ".bz2"),
    "xz": (lzma.compress, ".xz"),
}
ZSTD = b"\x28\xb5\x2f\xfd\x24\x10\x81\x00\x00"
each_kind = pytest.mark.parametrize("kind", KINDS)


def write(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def error_of(path):
    with pytest.raises(SequenceFileError) as caught:
        list(read_records(path))
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(path), path.name)


def from_stdin(content):
    script = "from sequence_io import *\nprint(*[r.id for r in read_records('-')])"
    command = [sys.executable, "-c", script]
    return subprocess.run(command, input=content, capture_output=True, cwd=REPOSITORY, text=False)


@each_kind
@pytest.mark.parametrize("name", ["x.fasta{}", "X.FASTA{}", "x{}", "x.fasta", "x"])
def test_known_by_its_first_bytes(tmp_path, kind, name):
    compress, suffix = KINDS[kind]
    path = write(tmp_path, name.format(suffix), compress(FASTA))
    assert [record.id for record in read_records(path)] == IDS


@each_kind
@pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", b","), (".tsv", b"\t")])
def test_tables(tmp_path, kind, suffix, delimiter):
    compress, compressed = KINDS[kind]
    table = b"id,seq\nr1,ACGT\nr2,MKV\n".replace(b",", delimiter)
    path = write(tmp_path, f"x{suffix}{compressed}", compress(table))
    assert [record.sequence for record in read_records(path)] == ["ACGT", "MKV"]


@pytest.mark.parametrize("suffix", [".gz", ".bgz", ".bgzf", ".bz2", ".XZ", ".zst"])
def test_the_suffix_before_that_of_the_compression_counts(suffix):
    assert content_suffix(f"some.folder/x.y.Fasta{suffix}") == ".fasta"


@each_kind
def test_several_streams_in_one_file(tmp_path, kind):
    compress, suffix = KINDS[kind]
    content = compress(FASTA[:1000]) + compress(FASTA[1000:])
    assert [r.id for r in read_fasta(write(tmp_path, f"x.fasta{suffix}", content))] == IDS


@each_kind
@pytest.mark.parametrize("missing", [1, 9, 40, 200])
def test_truncated(tmp_path, kind, missing):
    compress, suffix = KINDS[kind]
    path = write(tmp_path, f"x.fasta{suffix}", compress(FASTA)[:-missing])
    assert error_of(path).startswith(
        f"x.fasta{suffix}: truncated or damaged {kind} file: Compressed file ended before"
    )


@each_kind
def test_truncated_in_its_first_block(tmp_path, kind):
    path = write(tmp_path, "x.fasta", KINDS[kind][0](FASTA)[:6])
    assert error_of(path).startswith(f"x.fasta: truncated or damaged {kind} file: ")


@pytest.mark.parametrize(
    ("kind", "place"), [("gzip", -6), ("bzip2", 11), ("xz", 150)], ids=["gzip", "bzip2", "xz"]
)
def test_damaged(tmp_path, kind, place):
    content = bytearray(KINDS[kind][0](FASTA))
    content[place] ^= 0xFF  # of gzip and bzip2 in the check sum
    path = write(tmp_path, "x.fasta", bytes(content))
    assert error_of(path).startswith(f"x.fasta: truncated or damaged {kind} file: ")


def test_text_that_begins_like_a_compressed_file_is_text(tmp_path):
    assert [r.id for r in read_records(write(tmp_path, "x.csv", b"BZ,id,seq\n1,r1,A\n"))] == ["r1"]
    assert error_of(write(tmp_path, "y.csv", b"(\xb5/\n")).startswith("y.csv: line 1: not UTF-8")


ZSTD_PROBLEM = (
    "zstd is not read; unpack it (zstd -d FILE), or pipe FASTA in, with - for the file: "
    "zstd -dc FILE | lucaone ..."
)


@pytest.mark.parametrize("name", ["x.fasta.zst", "x.fasta", "x.csv.zst", "x"])
def test_zstd_says_how_to_unpack_it(tmp_path, name):
    assert error_of(write(tmp_path, name, ZSTD)) == f"{name}: {ZSTD_PROBLEM}"


def test_zstd_from_standard_input():
    assert f"standard input: {ZSTD_PROBLEM}" in from_stdin(ZSTD).stderr.decode()


@each_kind
def test_standard_input(kind):
    content = KINDS[kind][0](FASTA)
    assert from_stdin(content).stdout.decode().split() == IDS
    truncated = from_stdin(content[:-12]).stderr.decode()
    assert f"standard input: truncated or damaged {kind} file: " in truncated


@pytest.mark.parametrize("kind", ["plain", *KINDS])
def test_a_pipe_that_gives_byte_by_byte(tmp_path, kind):
    text = b">r1\nACGT\n>r2\nACGTACGT\n"
    content = text if kind == "plain" else KINDS[kind][0](text)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write_slowly():
        with pipe.open("wb", buffering=0) as stream:
            for byte in content:
                stream.write(bytes([byte]))

    writer = threading.Thread(target=write_slowly)
    writer.start()
    records = list(read_fasta(pipe))
    writer.join()
    assert "".join(f">{r.id}\n{r.sequence}\n" for r in records).encode() == text
