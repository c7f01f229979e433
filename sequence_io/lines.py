# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The lines of a text file, plain or compressed, read as a stream."""

import bz2
import gzip
import io
import lzma
import os
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import Any, Literal

from .records import file_error

COMPRESSION_SUFFIXES = (".gz", ".bgz", ".bgzf", ".bz2", ".xz", ".zst")
READ_COMPRESSIONS = ".gz, .bgz, .bgzf, .bz2 or .xz may follow"

# How a file begins that is no text; bgzip is gzip in blocks. No text begins with the byte 0x1f.
OPENERS: tuple[tuple[bytes, str, Callable[[Any], Any]], ...] = (
    (b"\x1f", "gzip", gzip.open),
    (b"BZh", "bzip2", bz2.open),
    (b"\xfd7zXZ", "xz", lzma.open),
)
ZSTD = b"\x28\xb5\x2f\xfd"
ZSTD_PROBLEM = (
    "zstd is not read; unpack it (zstd -d FILE), or pipe FASTA in, with - for the file: "
    "zstd -dc FILE | lucaone ..."
)
LONGEST_MAGIC = 5

SURROGATE = re.compile("[\ud800-\udfff]")


def content_suffix(path: str | os.PathLike[str]) -> str:
    """Return the suffix that tells the format, in lower case: `.fasta` of `Genome.FASTA.gz`."""
    name = PurePath(path)
    if name.suffix.lower() in COMPRESSION_SUFFIXES:
        name = name.with_suffix("")
    return name.suffix.lower()


def read_lines(
    path: str | os.PathLike[str], undecodable: Literal["refuse", "replace"] = "refuse"
) -> Iterator[str]:
    r"""Read the lines of a UTF-8 text file, each with its `\n`; `-` is standard input.

    gzip, bgzip, bzip2 and xz are recognised by their first bytes, whatever the file is called, on
    standard input too. The line endings `\n`, `\r\n` and `\r` all come out as `\n`; a byte order
    mark is dropped.

    Args:
        path: the file.
        undecodable: `refuse` bytes that are not UTF-8, or `replace` them by U+FFFD.

    Raises:
        SequenceFileError: if the file is missing or unreadable, if a compressed file is truncated
            or damaged or of zstd, or if a line is not UTF-8 text (naming the line, counted from 1)
            and that is refused.

    """
    from_stdin = os.fspath(path) == "-"
    source: int | str = sys.stdin.fileno() if from_stdin else os.fspath(path)
    compression = ""
    try:
        with open(source, "rb", closefd=not from_stdin) as raw:
            head = raw.read(LONGEST_MAGIC)
            binary: Any = io.BufferedReader(_Joined(head, raw))
            if head.startswith(ZSTD):
                raise file_error(path, ZSTD_PROBLEM)
            for magic, name, opener in OPENERS:
                if head.startswith(magic):
                    compression, binary = name, opener(binary)
            # Bytes that are not UTF-8 become lone surrogates, so that their line can be named.
            errors = "surrogateescape" if undecodable == "refuse" else "replace"
            with io.TextIOWrapper(binary, encoding="utf-8-sig", errors=errors) as text:
                for number, line in enumerate(text, start=1):
                    if not line.isascii() and SURROGATE.search(line):
                        problem = "not UTF-8 text (nor gzip, bzip2 or xz)"
                        raise file_error(path, problem, line=number)
                    yield line
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        # What the system reports has a number, what a decompressor reports has none.
        system = not compression or (isinstance(error, OSError) and error.errno is not None)
        problem = "cannot be read" if system else f"truncated or damaged {compression} file"
        reason = getattr(error, "strerror", None) or error
        raise file_error(path, f"{problem}: {reason}") from error


class _Joined(io.RawIOBase):
    """The bytes `head`, then the rest of a file: what was read of a pipe cannot be put back."""

    def __init__(self, head: bytes, rest: io.BufferedReader):
        self.head = head
        self.rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read what there is; blocks only while there is nothing."""
        if not self.head:
            return self.rest.readinto1(buffer)
        count = min(len(self.head), len(buffer))
        buffer[:count] = self.head[:count]
        self.head = self.head[count:]
        return count
