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
from typing import NamedTuple

from sequence_io.records import SequenceFileError

from .findings import Finding
from .named import NamedRecord, Reader
from .records import LabelledRecord, RecordError

# Letters of entries that go to a process at once, if a single entry is not longer.
LETTERS_AT_ONCE = 2**18
# Bounds of what the processes were given and have not returned: chunks of entries for each of them,
# enough that none waits for work; and letters in all, for an entry may be a chromosome. Reading
# ahead stops when either is reached.
WAITING_PER_PROCESS = 3
LETTERS_WAITING = 2**28

Product = NamedRecord | LabelledRecord | Finding
Outcome = list[Product]
# The text of an entry; or what is told in the place of the rest of a damaged file.
Entry = str | Finding
# Characters of an entry that are shown where nothing else is known of it.
SHOWN = 60
UNDECODABLE = "\ufffd"
# The reason where the end of a file is lost.
BROKEN_OFF = "the rest of the file cannot be read"


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

    def read(self, file: str, entries: Sequence[Entry]) -> list[Outcome]:
        """Return what becomes of each entry; a record that is wrong becomes a finding."""
        return [
            [entry] if isinstance(entry, Finding) else self._outcome(entry, file)
            for entry in entries
        ]

    def _outcome(self, entry: str, file: str) -> Outcome:
        try:
            outcome = [self._checked(one, file) for one in self.reader.read(entry, file)]
        except MemoryError:
            raise
        # One entry of millions that the reader does not expect shall not end the job.
        except Exception as error:
            problem = " ".join(f"{type(error).__name__}: {error}".split())
            detail = f"{problem} (entry begins {entry[:SHOWN]!r})"
            outcome = [Finding(file, "", "dropped", "cannot be used", detail)]
        if UNDECODABLE in entry:
            name = next(map(_name, outcome), "")
            reason = "bytes that are not UTF-8 are read as U+FFFD"
            outcome.append(Finding(file, name, "note", reason, f"{entry.count(UNDECODABLE):,}"))
        return outcome

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


def _name(one: Product) -> str:
    if isinstance(one, Finding):
        return one.entry
    return one.group if isinstance(one, NamedRecord) else one.id


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
        The number of the source and what became of the entry, for each entry in order. The rest of
        a file that cannot be read to its end counts as an entry, which is dropped.

    Raises:
        ValueError: a file cannot be read from its beginning on.
    """
    chunks = _chunks(reader.reader, sources, start)
    if processes == 1:
        for number, entries in chunks:
            for outcome in reader.read(sources[number].name, entries):
                yield number, outcome
        return
    # Forked processes would inherit locks and threads of libraries; begun anew, they do not.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _begin, (reader,))
    waiting: deque[_Chunk] = deque()
    try:
        for number, entries in chunks:
            future = pool.submit(_read, sources[number].name, entries)
            waiting.append(_Chunk(number, sum(map(_letters, entries)), future))
            while waiting and (
                len(waiting) >= WAITING_PER_PROCESS * processes
                or sum(chunk.letters for chunk in waiting) >= LETTERS_WAITING
            ):
                yield from waiting.popleft().outcomes()
        while waiting:
            yield from waiting.popleft().outcomes()
    finally:
        pool.shutdown(cancel_futures=True)


class _Chunk(NamedTuple):
    """Entries of a source that are given to a process."""

    source: int
    letters: int
    future: Future[list[Outcome]]

    def outcomes(self) -> Iterator[tuple[int, Outcome]]:
        return ((self.source, outcome) for outcome in self.future.result())


def _letters(entry: Entry) -> int:
    return len(entry) if isinstance(entry, str) else 0


def _chunks(
    reader: Reader, sources: Sequence[Source], start: Position
) -> Iterator[tuple[int, list[Entry]]]:
    """Give entries of one file together, each time about as much to do."""
    for number in range(start.source, len(sources)):
        chunk: list[Entry] = []
        letters = 0
        for count, entry in enumerate(_entries(reader, sources[number])):
            if number == start.source and count < start.entries:
                continue
            chunk.append(entry)
            letters += _letters(entry)
            if letters >= LETTERS_AT_ONCE:
                yield number, chunk
                chunk, letters = [], 0
        if chunk:
            yield number, chunk


def _entries(reader: Reader, source: Source) -> Iterator[Entry]:
    """Give the entries of a file; where it breaks off behind one of them, tell so and end."""
    begun = False
    try:
        for entry in reader.entries(source.path):
            begun = True
            yield entry
    except SequenceFileError as error:
        if not begun:
            raise
        detail = str(error).removeprefix(f"{source.path}: ")
        yield Finding(source.name, "", "dropped", BROKEN_OFF, detail)


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


def _read(file: str, entries: Sequence[Entry]) -> list[Outcome]:
    return _reader.read(file, entries)
