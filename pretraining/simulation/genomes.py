# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A stretch of the genome of a species: genes on both strands, what regulates them, and spacers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from .alphabet import (
    BASES,
    CODON_BASES,
    CODONS,
    DNA,
    STOP,
    SYNONYMS,
    numbers,
    reverse_complement,
)
from .species import Species

# How much more strongly than other DNA codons follow the shares of bases of the species.
CODON_BASES_STRENGTH = 1.3
# Mean and standard deviation of how strongly a gene follows the preference for codons.
EXPRESSION = (0.9, 0.35)
# Standard deviations of what a gene has of its own, in nats: G and C over A and T, G over C and T
# over A, single codons.
GENE_GC, GENE_SKEW, GENE_CODONS = 0.5, 0.15, 0.2
# How often the next gene lies on the other strand.
CHANGE_STRAND = 0.35
# Lengths of what is no coding sequence, and letters of an exon on average.
PROMOTER, TERMINATOR, INTRON, EXON = (60, 100), (20, 60), (60, 300), 350
# Share of tandem repeats among stretches without a function, letters of their units, and the share
# of their letters that have changed.
REPEATED, REPEAT_UNIT, REPEAT_CHANGES = 0.3, (1, 13), 0.1

LABELS = {
    "CDS": "CDS",
    "intron": "intron",
    "promoter": "regulatory",
    "terminator": "regulatory",
}
# Signals of transcription, translation and splicing; where they stand, from the end if negative.
SIGNALS = {
    "promoter": (("TTGACA", -60), ("TATAAT", -37), ("AGGAGG", -13)),
    "terminator": (("TTTTTT", -6),),
    "intron": (("GT", 0), ("AG", -2)),
}


@dataclass(frozen=True, slots=True)
class Genome:
    """Numbered bases, and the spans (first, last, name of `gene_type`) that have a function."""

    bases: np.ndarray
    spans: list[tuple[int, int, str]]


def write_genome(random: Generator, species: Species, proteins: Sequence[np.ndarray]) -> Genome:
    """Write the genes of proteins, one behind the other.

    Args:
        random: decides.
        species: how it writes.
        proteins: numbered residues of each.
    """
    residues = np.concatenate([np.append(protein, STOP) for protein in proteins])
    lengths = [len(protein) + 1 for protein in proteins]
    gene = np.repeat(np.arange(len(proteins)), lengths)
    coding = write_codons(random, residues, gene, species)
    parts: list[tuple[str, np.ndarray | int, int]] = []
    strand = 0
    for bases in np.split(coding, 3 * np.cumsum(lengths)[:-1]):
        parts.append(("spacer", int(random.exponential(species.spacer)), 0))
        strand ^= int(random.random() < CHANGE_STRAND)
        gene_parts = list(_gene_parts(random, bases, species.introns))
        parts += [(*part, strand) for part in (gene_parts[::-1] if strand else gene_parts)]
    spacers = iter(
        write_spacers(random, [part for _, part, _ in parts if isinstance(part, int)], species)
    )
    pieces, spans, start = [], [], 0
    for name, part, strand in parts:
        bases = _with_signals(next(spacers), name) if isinstance(part, int) else part
        pieces.append(reverse_complement(bases) if strand else bases)
        if name in LABELS and len(bases):
            spans.append((start, start + len(bases) - 1, LABELS[name]))
        start += len(bases)
    return Genome(np.concatenate(pieces), spans)


def _gene_parts(
    random: Generator, bases: np.ndarray, introns: bool
) -> Iterator[tuple[str, np.ndarray | int]]:
    """Give the parts of a gene in their order: coding sequences, and the lengths of the others."""
    yield "promoter", int(random.integers(*PROMOTER))
    cuts = np.sort(random.integers(1, len(bases), random.poisson(len(bases) / EXON) * introns))
    for number, exon in enumerate(np.split(bases, cuts)):
        if number:
            yield "intron", int(random.integers(*INTRON))
        yield "CDS", exon
    yield "terminator", int(random.integers(*TERMINATOR))


def _with_signals(bases: np.ndarray, name: str) -> np.ndarray:
    for signal, place in SIGNALS.get(name, ()):
        start = place % len(bases)
        bases[start : start + len(signal)] = numbers(signal, DNA)
    return bases


def write_codons(
    random: Generator, residues: np.ndarray, gene: np.ndarray, species: Species
) -> np.ndarray:
    """Choose codons.

    The codon of a residue is drawn twice: among all synonyms, and again among those with the same
    first two bases, by the words that they make with the next two.

    Args:
        random: decides.
        residues: numbered amino acids and stops, of genes in a row.
        gene: the number of the gene of each, from 0 on.
        species: how it writes.

    Returns:
        (3 x residues,) numbered bases.
    """
    genes, rows = int(gene[-1]) + 1, np.arange(len(residues))
    synonyms = SYNONYMS[residues]
    bases = CODON_BASES[synonyms]  # (residues, synonyms, 3)
    expression = np.clip(random.normal(*EXPRESSION, genes), 0, None)
    own = random.normal(0, GENE_CODONS, (genes, CODONS))
    own += _preferred_bases(random, genes)[:, CODON_BASES].sum(axis=2)
    weights = expression[gene, None] * species.preference[synonyms] + own[gene[:, None], synonyms]
    weights += CODON_BASES_STRENGTH * species.bases[bases].sum(axis=2)
    weights[synonyms < 0] = -np.inf

    def draw(weights: np.ndarray) -> np.ndarray:
        # the greatest of the weights with Gumbel noise: a draw from their softmax
        chosen = (weights - np.log(random.exponential(size=weights.shape))).argmax(axis=1)
        return bases[rows, chosen]

    first = draw(weights)
    following = np.roll(first, -1, axis=0)[:, None]
    words = species.words[(*bases.transpose(2, 0, 1), following[..., 0])]
    words = (
        words + species.words[bases[..., 1], bases[..., 2], following[..., 0], following[..., 1]]
    )
    same = (bases[..., :2] == first[:, None, :2]).all(axis=2)
    return draw(np.where(same, weights + words, -np.inf)).ravel()


def _preferred_bases(random: Generator, genes: int) -> np.ndarray:
    """Draw how much genes of their own prefer each base, (genes, 4), in nats."""
    strong = random.normal(0, GENE_GC, genes) / 2
    skew = random.normal(0, GENE_SKEW, (2, genes))
    return np.stack([-strong - skew[0], strong - skew[1], strong + skew[1], skew[0] - strong], 1)


def write_spacers(random: Generator, lengths: Sequence[int], species: Species) -> list[np.ndarray]:
    """Write DNA without a function: Markov chains of the third order, and tandem repeats.

    Args:
        random: decides.
        lengths: of each stretch.
        species: how it writes.

    Returns:
        Numbered bases of each stretch.
    """
    longest = max(lengths, default=0)
    weights = np.exp(species.words + species.bases)
    tables = np.cumsum(weights / weights.sum(axis=-1, keepdims=True), axis=-1)[..., :-1]
    chains = np.empty((longest + 3, len(lengths)), np.int64)
    chains[:3] = random.choice(BASES, (3, len(lengths)), p=np.exp(species.bases))
    drawn = random.random((longest, len(lengths), 1))
    for place in range(longest):
        table = tables[tuple(chains[place : place + 3])]
        chains[place + 3] = (table < drawn[place]).sum(axis=1)
    spacers = [chains[3 : 3 + length, number] for number, length in enumerate(lengths)]
    repeated = random.random(len(lengths)) < REPEATED
    return [
        _repeat(random, spacer) if repeat else spacer
        for spacer, repeat in zip(spacers, repeated, strict=True)
    ]


def _repeat(random: Generator, bases: np.ndarray) -> np.ndarray:
    """Return the first few bases again and again, with changes to what stood there before."""
    unit = bases[: random.integers(*REPEAT_UNIT)]
    kept = random.random(len(bases)) < REPEAT_CHANGES
    return np.where(kept, bases, np.resize(unit, len(bases)))
