# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What other files say of a protein, by its accession, in one SQLite file.

InterPro's table of matches has more than a hundred gigabytes, in another order than the entries of
UniProt; an archive of structures is sorted by nothing that has to do with proteins. The index is
filled once, one file after the other, in memory that does not grow; the processes that read entries
then look up what they need.

Filling is resumable: what is stored and how far that is are committed together.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from tqdm import tqdm

from .findings import Finding

T = TypeVar("T")

COMMIT_SECONDS = 10.0
"""What a killed job loses of its work at most."""
TABLES = """
CREATE TABLE progress (step TEXT PRIMARY KEY, done INTEGER, finished INTEGER) WITHOUT ROWID;
CREATE TABLE matches (accession TEXT PRIMARY KEY, rows TEXT) WITHOUT ROWID;
CREATE TABLE structures (
    accession TEXT, predicted INTEGER, resolution REAL, residues INTEGER, file TEXT, chain TEXT,
    PRIMARY KEY (accession, file, chain)
) WITHOUT ROWID;
CREATE TABLE given (accession TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE findings (
    number INTEGER PRIMARY KEY, file TEXT, entry TEXT, status TEXT, reason TEXT, detail TEXT,
    UNIQUE (file, entry, status, reason, detail)
);
"""


GIVEN = "SELECT 1 FROM given WHERE accession = ?"


class Candidate(NamedTuple):
    """A chain that is said to be of a protein.

    Attributes:
        accession: of the protein.
        predicted: by AlphaFold.
        resolution: in angstrom; None where there is none.
        residues: how many the reference covers; None where there is only the name of the file.
        file: where it is.
        chain: empty for the first.
    """

    accession: str
    predicted: bool
    resolution: float | None
    residues: int | None
    file: str
    chain: str


class ProteinIndex:
    """Looks up; may be sent to other processes, each of which opens the file for itself.

    Args:
        path: the file, filled.
    """

    def __init__(self, path: Path):
        self.path = path
        self._connection: sqlite3.Connection | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return ProteinIndex, (self.path,)

    def _rows(self, query: str, *values: str) -> list[Any]:
        if self._connection is None:
            # Nobody writes any more: no locks are needed.
            uri = f"{self.path.absolute().as_uri()}?mode=ro&immutable=1"
            self._connection = sqlite3.connect(uri, uri=True)
        return self._connection.execute(query, values).fetchall()

    def matches(self, accession: str) -> str:
        """Return the rows of InterPro, as in `interpro.Matches`; empty if there are none."""
        found = self._rows("SELECT rows FROM matches WHERE accession = ?", accession)
        return found[0][0] if found else ""

    def structures(self, accessions: Iterable[str]) -> list[Candidate]:
        """Return the structures of a protein by any of its accessions, the best first.

        Experimental ones come before predicted ones, the best resolution and then the most
        residues first.
        """
        query = "SELECT * FROM structures WHERE accession = ?"
        found = [Candidate(*row) for name in accessions for row in self._rows(query, name)]
        return sorted(found, key=_preference)

    def is_given(self, accession: str) -> bool:
        """Tell whether this is one of the entries of UniProt."""
        return bool(self._rows(GIVEN, accession))

    def findings(self) -> Iterator[Finding]:
        """Give what could not be used of the files that the index is made of."""
        query = "SELECT file, entry, status, reason, detail FROM findings ORDER BY number"
        for row in self._rows(query):
            yield Finding(*row)


def _preference(candidate: Candidate) -> tuple[Any, ...]:
    resolution = float("inf") if candidate.resolution is None else candidate.resolution
    residues = candidate.residues or 0
    return candidate.predicted, resolution, -residues, candidate.file, candidate.chain


class IndexWriter:
    """Fills an index, step by step, and keeps others from filling it until it is closed.

    Args:
        path: the file.
        made_from: what decides the content; an index of anything else is begun anew.

    Raises:
        ValueError: it cannot be written, or another process is at work on it.
    """

    def __init__(self, path: Path, made_from: str):
        self.path = path
        self._connection = sqlite3.connect(path, timeout=0)
        try:
            self._begin(made_from)
        except sqlite3.Error as error:
            self.close()
            raise ValueError(f"{path}: cannot be written: {error}") from None

    def _begin(self, made_from: str) -> None:
        self._execute("PRAGMA locking_mode = EXCLUSIVE")
        self._execute("BEGIN EXCLUSIVE")
        schema = self._execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        tables = {name for (name,) in schema.fetchall()}
        if tables and "progress" not in tables:
            raise sqlite3.DatabaseError("a data base of another kind is there")
        # The first step, finished, tells of what the index is.
        begun = "SELECT 1 FROM progress WHERE step = ?"
        if not (tables and self._execute(begun, made_from).fetchone()):
            for table in tables:
                self._execute(f"DROP TABLE {table}")
            for statement in filter(str.strip, TABLES.split(";")):
                self._execute(statement)
            self._execute("INSERT INTO progress VALUES (?, 0, 1)", made_from)
        self._connection.commit()

    def close(self) -> None:
        """Close the file; what was not committed is not in it."""
        self._connection.close()

    def fill(self, step: str, items: Iterable[T], store: Callable[[T], None]) -> None:
        """Store items, less those that an earlier run has stored.

        Args:
            step: name of this step.
            items: the same ones, in the same order, in every run.
            store: calls the methods below.

        Raises:
            ValueError: the file cannot be written, or what the items raise.
        """
        query = "SELECT done, finished FROM progress WHERE step = ?"
        done, finished = self._connection.execute(query, (step,)).fetchone() or (0, 0)
        if finished:
            return
        try:
            number, committed = done, time.monotonic()
            items = islice(items, done, None)
            bar = tqdm(
                items, f"indexing {step}", initial=done, unit_scale=True, disable=None, delay=2
            )
            for number, item in enumerate(bar, start=done + 1):
                store(item)
                if time.monotonic() - committed >= COMMIT_SECONDS:
                    self._commit(step, number, 0)
                    committed = time.monotonic()
            self._commit(step, number, 1)
        except sqlite3.Error as error:
            raise ValueError(f"{self.path}: cannot be written: {error}") from None

    def _commit(self, step: str, done: int, finished: int) -> None:
        self._execute("INSERT OR REPLACE INTO progress VALUES (?, ?, ?)", step, done, finished)
        self._connection.commit()

    def _execute(self, query: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(query, values)

    def add_matches(self, accession: str, rows: str) -> None:
        """Store rows of InterPro behind those that the protein has, if it is a given one."""
        self._execute(
            "INSERT INTO matches SELECT accession, ? FROM given WHERE accession = ? "
            "ON CONFLICT (accession) DO UPDATE SET rows = rows || excluded.rows",
            rows,
            accession,
        )

    def add_structure(self, candidate: Candidate) -> None:
        """Store a chain of a structure."""
        self._execute("INSERT OR REPLACE INTO structures VALUES (?, ?, ?, ?, ?, ?)", *candidate)

    def add_given(self, accession: str) -> None:
        """Store an accession of an entry."""
        self._execute("INSERT OR IGNORE INTO given VALUES (?)", accession)

    def is_given(self, accession: str) -> bool:
        """Tell whether this is one of the entries of UniProt, all of which are stored."""
        return self._execute(GIVEN, accession).fetchone() is not None

    def add_finding(self, finding: Finding) -> None:
        """Store what could not be used, if it has not been told yet."""
        self._execute(
            "INSERT OR IGNORE INTO findings VALUES (NULL, ?, ?, ?, ?, ?)", *astuple(finding)
        )
