# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""UniProt entries and structure files to protein records."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from sequence_io.structures import Structure, alphafold_name, parse_structure
from sequence_io.uniprot import (
    EntryError,
    UniProtEntry,
    entry_name,
    parse_entry,
    split_flat,
    split_xml,
)

from .findings import Finding
from .interpro import choose_spans
from .named import NamedRecord
from .protein_index import ProteinIndex
from .protein_sources import UNREADABLE, IndexSources, open_source, open_structure
from .structure_alignment import LEAST_IDENTITY, fit_chain
from .taxonomy import order_name

# What follows is the path of a structure; no entry of UniProt begins with this character.
STRUCTURE = "\0"
MOST_TOLD = 3


def cut_protein(record: NamedRecord, longest: int) -> Iterator[NamedRecord]:
    """Cut a long record into consecutive ones of about the same length.

    Spans are cut where the sequence is; what is said of the whole is said of each. The id gets
    the first and last residue, from 1: `P62330#1-1200`.

    Args:
        record: with labels.
        longest: most letters of a piece.
    """
    length = len(record.sequence)
    if length <= longest:
        yield record
        return
    pieces = -(-length // longest)
    ends = [length * piece // pieces for piece in range(pieces + 1)]
    for start, end in pairwise(ends):
        spans = {
            task: [
                (max(first, start) - start, min(last, end - 1) - start, name)
                for first, last, name in spans
                if first < end and last >= start
            ]
            for task, spans in record.spans.items()
        }
        coordinates = None
        if record.coordinates is not None and np.isfinite(record.coordinates[start:end]).any():
            coordinates = record.coordinates[start:end]
        yield replace(
            record,
            id=f"{record.id}#{start + 1}-{end}",
            sequence=record.sequence[start:end],
            spans=spans,
            coordinates=coordinates,
        )


@lru_cache(maxsize=2)  # the chains of one file are often asked for one after the other
def _load(path: str) -> Structure:
    return parse_structure(open_structure(Path(path)))


@dataclass(frozen=True, kw_only=True)
class ProteinReader:
    """Reads UniProt entries, flat or XML, and structure files, PDB or mmCIF.

    Attributes:
        uniprot: the files of UniProt entries; all others are structures.
        index: what other files say of the proteins; None where there are no such files.
        index_sources: of which the index is filled.
        tasks: the task of each InterPro entry.
        orders: taxonomic order by taxon id.
        max_length: longer proteins are cut into segments.
        min_coverage: share of a protein that a structure must cover.
    """

    uniprot: frozenset[Path] = frozenset()
    index: ProteinIndex | None = None
    index_sources: IndexSources | None = None
    tasks: Mapping[str, str] = field(default_factory=dict)
    orders: Mapping[str, str] = field(default_factory=dict)
    max_length: int = 1278
    min_coverage: float = 0.5

    def __getstate__(self) -> dict[str, Any]:
        # Other processes find the index filled, and the names of its files may be many.
        return {**vars(self), "index_sources": None}

    def prepare(self) -> Iterator[Finding]:
        """Fill the index, or go on with it; tell what could not be used of its sources.

        Raises:
            ValueError: a source cannot be read, or the index cannot be written.
        """
        if self.index and self.index_sources:
            self.index_sources.fill(self.index.path)
            yield from self.index.findings()

    def entries(self, path: Path) -> Iterator[str]:
        """Split a file of UniProt into entries; of a structure file, `read` gets the path.

        Raises:
            ValueError: a file of UniProt cannot be read.
        """
        if path in self.uniprot:
            form, lines = open_source(path)
            entries = split_xml(lines) if form == "xml" else split_flat(lines)
            yield from (entry.lstrip(STRUCTURE) for entry in entries)
        else:
            yield f"{STRUCTURE}{path}"

    def read(self, entry: str, file: str) -> Iterator[NamedRecord | Finding]:
        """Make records of an entry, as `named.Reader` describes it."""
        if entry.startswith(STRUCTURE):
            yield from self._chains(entry.removeprefix(STRUCTURE), file)
        else:
            yield from self._protein(entry, file)

    def _protein(self, text: str, file: str) -> Iterator[NamedRecord | Finding]:
        """Make records of an entry of UniProt."""
        try:
            entry = parse_entry(text)
        except EntryError as error:
            yield Finding(file, entry_name(text), "dropped", "damaged entry", str(error))
            return
        name = entry.accessions[0]
        record = NamedRecord(
            name, "prot", entry.sequence, entry.source, name, keywords=list(entry.keywords)
        )
        if order := order_name(entry.taxid, entry.lineage, self.orders):
            record.classes["prot_taxonomy"] = order
        else:
            yield Finding(file, name, "note", "no taxonomic order", f"taxon {entry.taxid}")
        if self.index:
            matches = self.index.matches(name)
            record.spans, problems = choose_spans(matches, self.tasks, len(entry.sequence))
            for problem in problems:
                yield Finding(file, name, "partly", "InterPro match left out", problem)
            record.coordinates, left_out = self._coordinates(self.index, entry)
            if left_out:
                more = len(left_out) - MOST_TOLD
                told = left_out[:MOST_TOLD] + [f"and {more:,} others"] * (more > 0)
                detail = "; ".join(told)
                if record.coordinates is None:
                    yield Finding(file, name, "partly", "no structure fits", detail)
                else:
                    yield Finding(file, name, "note", "preferred structures do not fit", detail)
        yield from cut_protein(record, self.max_length)

    def _coordinates(
        self, index: ProteinIndex, entry: UniProtEntry
    ) -> tuple[np.ndarray | None, list[str]]:
        """Find the best structure of a protein.

        Returns:
            (residues, 3) coordinates, None if there are none; and which structures do not fit.
        """
        length, left_out = len(entry.sequence), list[str]()
        for candidate in index.structures(entry.accessions):
            where = f"{Path(candidate.file).name} {candidate.chain}".strip()
            try:
                # What the file says of itself saves the reading.
                if candidate.residues is not None:
                    self._check_coverage(candidate.residues / length)
                chain = _load(candidate.file).chain(candidate.chain)
                fit = fit_chain(chain, entry.sequence)
                if fit.identity < LEAST_IDENTITY:
                    raise ValueError(f"is of another protein: {fit.identity:.0%} of letters alike")
                self._check_coverage(fit.coverage)
                return fit.coordinates, left_out
            except ValueError as error:
                left_out.append(f"{where}: {error}")
        return None, left_out

    def _check_coverage(self, coverage: float) -> None:
        if coverage < self.min_coverage or not coverage:
            raise ValueError(f"covers {coverage:.0%}")

    def _chains(self, path: str, file: str) -> Iterator[NamedRecord | Finding]:
        """Make a record of each chain of a structure that is of none of the entries."""
        file_name = Path(file).name
        try:
            structure = _load(path)
        except ValueError as error:
            yield Finding(file, "", "dropped", UNREADABLE, str(error))
            return
        named = alphafold_name(file_name)
        name = structure.head.id or file_name.partition(".")[0]
        references = defaultdict(set, {chain.id: {named[0]} for chain in structure.chains if named})
        for chain_id, accession, _ in structure.head.references:
            references[chain_id].add(accession)
        predicted = structure.head.predicted or named
        for chain in structure.chains:
            chain_name = f"{name}_{chain.id}".strip("_ ")
            proteins = sorted(references[chain.id])
            if given := [one for one in proteins if self.index and self.index.is_given(one)]:
                yield Finding(file, chain_name, "note", "chain of a UniProt entry", given[0])
                continue
            record = NamedRecord(
                chain_name,
                "prot",
                chain.sequence,
                "alphafold" if predicted else "pdb",
                # Chains of one protein, from whatever file, go to one split.
                proteins[0] if len(proteins) == 1 else name,
                coordinates=chain.coordinates if np.isfinite(chain.coordinates).any() else None,
            )
            yield from cut_protein(record, self.max_length)
        if structure.bare_chains:
            detail = ", ".join(structure.bare_chains)
            yield Finding(file, name, "note", "chains without C-alpha atoms", detail)
