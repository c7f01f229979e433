# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Pairs of a DNA and a protein that it does not encode.

Edited DNA: letters between the first and the last base of the CDS (introns too, flanks not) are
inserted, replaced or deleted, each of the three as likely, at least one of them in the coding part.
It is drawn anew until no reading frame of the edited DNA, introns taken out, gives the protein.
Edited proteins: residues, all but the first, become another of the twenty.
Mismatched: the protein of another gene.
"""

import bisect
import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from typing import NamedTuple

import numpy as np

from sequence_io.translation import read_codons

from .genes import Gene
from .selection import digest
from .settings import Settings

NUCLEOTIDES = np.frombuffer(b"ACGT", np.uint8)
RESIDUES = np.frombuffer(b"ACDEFGHIKLMNPQRSTVWY", np.uint8)
MOST_DRAWS = 1000


class Pair(NamedTuple):
    """A row of the data set, in the order of its columns; `label` is 1 where the DNA encodes."""

    seq_id_a: str
    seq_id_b: str
    seq_type_a: str
    seq_type_b: str
    seq_a: str
    seq_b: str
    label: int
    species: str
    gene: str
    negative_kind: str = ""


def positive(gene: Gene) -> Pair:
    """Return the pair of a gene and its protein."""
    ids = (f"{gene.id}_dna", f"{gene.id}_protein")
    return Pair(*ids, "gene", "prot", gene.dna, gene.protein, 1, gene.species, gene.name)


def _other_letters(
    letters: np.ndarray, alphabet: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Draw for each letter another one of the alphabet; a foreign letter counts as its first."""
    own = np.argmax(letters[:, None] == alphabet, axis=1)
    steps = random.integers(1, len(alphabet), size=len(letters))
    return alphabet[(own + steps) % len(alphabet)]


def edit_dna(gene: Gene, count: int, random: np.random.Generator) -> tuple[str, str]:
    """Edit letters of a gene, one of them at least in its coding part.

    Args:
        gene: the gene.
        count: how many letters of the DNA without flanks are replaced or deleted, or get another
            letter behind them.
        random: where the draws come from.

    Returns:
        The edited DNA, and the same with the introns taken out.
    """
    letters = np.frombuffer(gene.dna.encode(), np.uint8)
    first, last = gene.flanks[0], len(letters) - gene.flanks[1]
    coding = np.concatenate([np.arange(start, end) for start, end in gene.exons])
    places = first + random.choice(last - first, count, replace=False)
    if not np.isin(places, coding).any():
        places[0] = random.choice(coding)
    operation = random.integers(3, size=count)
    replaced, inserted = places[operation == 0], places[operation == 1]
    copies = np.ones(len(letters), np.int64)
    copies[places[operation == 2]] = 0
    copies[inserted] = 2
    edited = np.repeat(letters, copies)
    begin = np.cumsum(copies) - copies
    edited[begin[replaced]] = _other_letters(letters[replaced], NUCLEOTIDES, random)
    edited[begin[inserted] + 1] = random.choice(NUCLEOTIDES, len(inserted))

    # What is inserted behind the last letter of an exon belongs to the intron.
    ends = [end - 1 for _, end in gene.exons[:-1]]
    copies[ends] = np.minimum(copies[ends], 1)
    order = np.concatenate([np.arange(first), coding, np.arange(last, len(letters))])
    pieces = copies[order]
    within = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    spliced = edited[np.repeat(begin[order], pieces) + within]
    return edited.tobytes().decode(), spliced.tobytes().decode()


def encodes(spliced: str, gene: Gene) -> bool:
    """Tell whether any reading frame holds the gene's protein, whatever its first residue."""
    residues = read_codons(gene.coding[gene.frame :], gene.table)[1 : len(gene.protein)]
    return any(residues in read_codons(spliced[frame:], gene.table) for frame in range(3))


def edit_protein(protein: str, count: int, random: np.random.Generator) -> str:
    """Replace so many residues, none of them the first."""
    letters = np.frombuffer(protein.encode(), np.uint8).copy()
    places = 1 + random.choice(len(letters) - 1, count, replace=False)
    letters[places] = _other_letters(letters[places], RESIDUES, random)
    return letters.tobytes().decode()


def edited_pair(
    gene: Gene, number: int, kind: str, settings: Settings, taken: Set[tuple[str, str]]
) -> Pair:
    """Make a negative by an edit of the DNA or the protein.

    Args:
        gene: the gene.
        number: of the negative, from 1.
        kind: `dna_edited` or `protein_edited`.
        settings: those of the data set.
        taken: pairs of DNA and protein that it must not be.

    Raises:
        ValueError: no edit of the asked strength changes what the DNA encodes.
    """
    random = np.random.default_rng(int.from_bytes(digest(settings.seed, gene.id, number, kind)))
    share = random.uniform(*settings.edit_fraction)
    pair = positive(gene)
    for _ in range(MOST_DRAWS):
        if kind == "dna_edited":
            dna, spliced = edit_dna(gene, max(1, round(share * len(gene.core))), random)
            changed = not encodes(spliced, gene) and len(dna) <= (settings.max_dna or len(dna))
            pair = pair._replace(seq_id_a=f"{gene.id}_dna_edited{number}", seq_a=dna)
        else:
            protein = edit_protein(
                gene.protein, max(1, round(share * (len(gene.protein) - 1))), random
            )
            changed = True
            pair = pair._replace(seq_id_b=f"{gene.id}_protein_edited{number}", seq_b=protein)
        if changed and (pair.seq_a, pair.seq_b) not in taken:
            return pair._replace(label=0, negative_kind=kind)
    raise ValueError(
        f"{gene.place.file}: record {gene.place.record!r}: none of {MOST_DRAWS:,} edits of CDS "
        f"{gene.place.cds} makes a negative; a greater --edit-fraction would"
    )


class ProteinPool:
    """The proteins of a species in a split, by length."""

    def __init__(self, genes: Iterable[Gene]):
        self.genes = defaultdict(list)
        for gene in genes:
            self.genes[gene.protein].append(gene)
        self.proteins = sorted(self.genes, key=lambda protein: (len(protein), protein))

    def mismatched(self, gene: Gene) -> Iterator[Pair]:
        """Yield pairs with other genes' proteins, the most similar lengths first.

        A gene is no other one if it is an isoform, has the same protein, or lies within the DNA.
        """
        size = len(gene.protein)
        middle = bisect.bisect_left(self.proteins, size, key=len)
        for protein in heapq.merge(
            reversed(self.proteins[:middle]),
            self.proteins[middle:],
            key=lambda protein: abs(len(protein) - size),
        ):
            others = self.genes[protein]
            if protein != gene.protein and not any(
                other.key == gene.key or other.core in gene.dna for other in others
            ):
                yield positive(gene)._replace(
                    seq_id_b=f"{others[0].id}_protein",
                    seq_b=protein,
                    label=0,
                    negative_kind="mismatched",
                )
