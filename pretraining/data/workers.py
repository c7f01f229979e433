# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Entries of source files read by several processes, in the order in which they stand there."""

import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path

from .findings import Finding
from .named import NamedRecord, Reader
from .records import LabelledRecord, RecordError

# Letters of entries that go to a process at once, if a single entry is not longer.
LETTERS_AT_ONCE = 2**18
# Pieces of work for each process that are on their way at the same time, which bounds the memory.
WAITING_PER_PROCESS = 3

Product = NamedRecord | LabelledRecord | Finding
Outcome = list[Product]


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read.

    Attributes:
        path: where it is.
        name: what it is called in reports.
        split: the split all its records belong to; None: their groups decide.
    """

    path: Path
    name: str
    split: str | None


@dataclass(slots=True)
class Position:
    """Where reading goes on: a number of a source, and how many of its entries are done."""

    source: int = 0
    entries: int = 0


@dataclass(frozen=True, slots=True)
class EntryReader:
    """Reads and checks entries.

    Attributes:
        reader: the kind of file.
        num_labels: sizes of the vocabularies that ids must lie in.
    """

    reader: Reader
    num_labels: Mapping[str, int]

    def read(self, file: str, entries: Sequence[str]) -> list[Outcome]:
        """Return what becomes of each entry; a record that is wrong becomes a finding."""
        return [
            [self._checked(one, file) for one in self.reader.read(entry, file)] for entry in entries
        ]

    def _checked(self, one: Product, file: str) -> Product:
        if isinstance(one, Finding):
            return one
        try:
            if isinstance(one, NamedRecord):
                one.check()
            else:
                one.check(self.num_labels)
        except RecordError as error:
            return Finding.refused(file, one.id, error)
        return one


def read_entries(
    reader: EntryReader, sources: Sequence[Source], start: Position, processes: int
) -> Generator[tuple[int, Outcome], None, None]:
    """Read entries of files.

    Args:
        reader: what reads one.
        sources: the files.
        start: what is done already.
        processes: how many read at the same time; with one, it is this one.

    Returns:
        The number of the source and what became of the entry, for each entry in order.

    Raises:
        ValueError: a file cannot be read.
    """
    chunks = _chunks(reader.reader, sources, start)
    if processes == 1:
        for number, entries in chunks:
            for outcome in reader.read(sources[number].name, entries):
                yield number, outcome
        return
    # Forked processes would inherit locks and threads of libraries; begun anew, they do not.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _begin, (reader,))
    waiting: deque[tuple[int, Future[list[Outcome]]]] = deque()
    try:
        for number, entries in chunks:
            waiting.append((number, pool.submit(_read, sources[number].name, entries)))
            if len(waiting) >= WAITING_PER_PROCESS * processes:
                yield from _first(waiting)
        while waiting:
            yield from _first(waiting)
    finally:
        pool.shutdown(cancel_futures=True)


def _first(waiting: deque[tuple[int, Future[list[Outcome]]]]) -> Iterator[tuple[int, Outcome]]:
    number, future = waiting.popleft()
    for outcome in future.result():
        yield number, outcome


def _chunks(
    reader: Reader, sources: Sequence[Source], start: Position
) -> Iterator[tuple[int, list[str]]]:
    """Give entries of one file together, each time about as much to do."""
    for number in range(start.source, len(sources)):
        chunk: list[str] = []
        letters = 0
        for count, entry in enumerate(reader.entries(sources[number].path)):
            if number == start.source and count < start.entries:
                continue
            chunk.append(entry)
            letters += len(entry)
            if letters >= LETTERS_AT_ONCE:
                yield number, chunk
                chunk, letters = [], 0
        if chunk:
            yield number, chunk


_reader: EntryReader


def _begin(reader: EntryReader) -> None:
    """Get a process ready, and let it end when the one that began it is killed."""
    global _reader
    _reader = reader
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells of an interruption

    def end_with_parent() -> None:
        if (parent := parent_process()) is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()


def _read(file: str, entries: Sequence[str]) -> list[Outcome]:
    return _reader.read(file, entries)
