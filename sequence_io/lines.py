# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The lines of a text file, plain or compressed, read as a stream."""

import gzip
import io
import os
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import PurePath

from .records import file_error

COMPRESSION_SUFFIXES = (".gz", ".bgz", ".bgzf")
SURROGATE = re.compile("[\ud800-\udfff]")


def content_suffix(path: str | os.PathLike[str]) -> str:
    """Return the suffix that tells the format, in lower case: `.fasta` of `Genome.FASTA.gz`."""
    name = PurePath(path)
    if name.suffix.lower() in COMPRESSION_SUFFIXES:
        name = name.with_suffix("")
    return name.suffix.lower()


def read_lines(path: str | os.PathLike[str]) -> Iterator[str]:
    r"""Read the lines of a UTF-8 text file, each with its `\n`; `-` is standard input.

    gzip and bgzip are recognised by their first byte, whatever the file is called. The line
    endings `\n`, `\r\n` and `\r` all come out as `\n`; a byte order mark is dropped.

    Raises:
        SequenceFileError: if the file is missing or unreadable, if a gzip file is truncated or
            damaged, or if a line is not UTF-8 text (naming the line, counted from 1).

    """
    from_stdin = os.fspath(path) == "-"
    source: int | str = sys.stdin.fileno() if from_stdin else os.fspath(path)
    try:
        with open(source, "rb", closefd=not from_stdin) as raw:
            # No text begins with the byte 0x1f, and one byte is what a pipe surely has to peek at.
            zipped = raw.peek(1)[:1] == b"\x1f"
            binary = gzip.GzipFile(fileobj=raw) if zipped else raw
            # Bytes that are not UTF-8 become lone surrogates, so that their line can be named.
            with io.TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape") as text:
                for number, line in enumerate(text, start=1):
                    if not line.isascii() and SURROGATE.search(line):
                        raise file_error(path, "not UTF-8 text (nor gzip, nor bgzip)", line=number)
                    yield line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise file_error(path, f"truncated or damaged gzip file: {error}") from error
    except OSError as error:
        raise file_error(path, f"cannot be read: {error.strerror or error}") from error
