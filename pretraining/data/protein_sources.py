# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The files that proteins and their labels come from, and the index that is made of some."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from sequence_io.lines import read_lines
from sequence_io.records import SequenceFileError
from sequence_io.structures import alphafold_name, parse_head, structure_form
from sequence_io.uniprot import accessions, uniprot_form

from .findings import Finding
from .interpro import Matches, read_matches
from .protein_index import Candidate, IndexWriter

UNIPROT = ("flat", "xml")
HEAD_LINES = 50
UNREADABLE = "structure cannot be read"


def open_source(path: Path) -> tuple[str | None, Iterator[str]]:
    """Open a file.

    Returns:
        What it is by its content: `flat`, `xml` (UniProt), `pdb`, `cif` or None; and its lines.

    Raises:
        SequenceFileError: it cannot be read; or while iterating.
    """
    lines = read_lines(path, undecodable="replace")
    head = list(islice(lines, HEAD_LINES))
    text = "".join(head)
    return uniprot_form(text) or structure_form(text), chain(head, lines)


def open_structure(path: Path) -> Iterator[str]:
    """Open a structure file; return its lines.

    Raises:
        ValueError: it is none, or cannot be read; or while iterating.
    """
    form, lines = open_source(path)
    if form is None or form in UNIPROT:
        raise ValueError("neither PDB nor mmCIF")
    return lines


def structure_files(folder: Path) -> list[Path]:
    """Return all files in a folder and its folders, but hidden ones, in order.

    Raises:
        ValueError: there is no such folder, or nothing is in it.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: --structures: there is no such folder")
    paths = sorted(
        path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")
    )
    if not paths:
        raise ValueError(f"{folder}: --structures: there is no file in it")
    return paths


def digest(paths: Iterable[Path]) -> str:
    """Return what changes when one of these files does: names, sizes and times are looked at.

    Raises:
        ValueError: one cannot be read.
    """
    facts = []
    for path in paths:
        try:
            stat = path.stat()
        except OSError as error:
            raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
        facts.append((path.name, stat.st_size, stat.st_mtime_ns))
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class IndexSources:
    """What the index is made of.

    Attributes:
        uniprot: files of entries.
        interpro: table of matches.
        tasks: the task of each InterPro entry.
        structures: files of structures.
        alone: structures of other proteins than these entries become records too.
    """

    uniprot: Sequence[Path]
    interpro: Path | None
    tasks: Mapping[str, str]
    structures: Sequence[Path]
    alone: bool

    def fill(self, path: Path) -> None:
        """Fill the index, or go on with it.

        Raises:
            ValueError: a file cannot be read; the index cannot be written.
        """
        tables = [path for path in (self.interpro,) if path]
        made_from = [digest(self.uniprot), digest(tables), digest(self.structures), self.alone]
        made_from += [
            sorted(self.tasks.items()),
            [str(path.absolute()) for path in self.structures],
        ]
        key = hashlib.sha256(json.dumps(made_from).encode()).hexdigest()
        with closing(IndexWriter(path, key)) as index:
            index.fill("accessions", self._accessions(), index.add_given)
            if self.interpro:
                self._fill_matches(index, self.interpro)
            index.fill("structures", self.structures, lambda path: self._add(index, path))

    def _accessions(self) -> Iterator[str]:
        for path in self.uniprot:
            # A file that is damaged further on is reported when its entries are read.
            with suppress(SequenceFileError):
                _, lines = open_source(path)
                yield from accessions(lines)

    def _fill_matches(self, index: IndexWriter, table: Path) -> None:
        def store(matches: Matches) -> None:
            if matches.text:
                index.add_matches(matches.accession, matches.text)
            for reason, detail in matches.problems:
                index.add_finding(Finding(table.name, "", "dropped", reason, detail))

        index.fill("InterPro", read_matches(table, self.tasks), store)

    def _add(self, index: IndexWriter, path: Path) -> None:
        """Store which proteins a structure is of, or why that is not known."""
        file = str(path.absolute())
        other = Finding(path.name, "", "note", "structure of no entry of UniProt here")
        if predicted := alphafold_name(path.name):
            accession, piece = predicted
            if piece == 1:
                index.add_structure(Candidate(accession, True, None, None, file, ""))
                if not self.alone and not index.is_given(accession):
                    index.add_finding(other)
            elif not self.alone:
                index.add_finding(Finding(path.name, "", "note", "further piece of a prediction"))
            return
        try:
            head = parse_head(open_structure(path))
        except ValueError as error:
            if not self.alone:  # else it is read again, and reported then
                index.add_finding(Finding(path.name, "", "dropped", UNREADABLE, str(error)))
            return
        for chain_id, accession, residues in head.references:
            index.add_structure(
                Candidate(accession, head.predicted, head.resolution, residues, file, chain_id)
            )
        if not self.alone and not any(index.is_given(one) for _, one, _ in head.references):
            index.add_finding(other)
