# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Species that never lived: how each of them writes DNA, coding and not.

What a species has of its own, it has of its order with some changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from .alphabet import AMINO_ACIDS, BASES, CODONS, GC_OF_AMINO_ACIDS

WORD = 4
# Ranges and standard deviations are of real genomes in kind, but fitted to none. GC is that of DNA
# without a function; the third positions of codons exaggerate it.
GC_RANGE = (0.2, 0.8)
GC_SPREAD = 0.05
# Standard deviations, in nats: of the potential of words of two, three and four letters, of the
# preference for a codon, and of the log of the share of an amino acid. First those between orders,
# then those between the species of an order.
WORDS = ((0.15, 0.10, 0.06), (0.06, 0.04, 0.03))
PREFERENCE = (0.45, 0.2)
COMPOSITION = (0.12, 0.05)
DIALECT = 1.2
# From GC 0.25 to 0.75 the amino acids with GC-rich codons (G, A, R, P) become about six times as
# frequent beside those with poor ones (F, Y, M, I, N, K).
GC_ON_AMINO_ACIDS = 0.4
EUKARYOTES = 0.25


@dataclass(frozen=True, slots=True)
class Species:
    """How a species writes DNA; all numbers in nats.

    Attributes:
        name: as `species-0007`.
        order: as `order-003`.
        bases: (4,) log of the share of each base in DNA without a function.
        words: (4, 4, 4, 4) potential of each word of four letters, the same on both strands.
        preference: (64,) for each codon among those of its amino acid; genes follow it the more
            the higher they are expressed.
        amino_acids: (20,) log of how much more frequent each is than on average.
        introns: whether genes have introns.
        spacer: mean length of the DNA between genes.
    """

    name: str
    order: str
    bases: np.ndarray
    words: np.ndarray
    preference: np.ndarray
    amino_acids: np.ndarray
    introns: bool
    spacer: float


def draw_species(random: Generator, species: int, orders: int) -> list[Species]:
    """Draw species, spread evenly over orders.

    The last one speaks a dialect: its codon preference is strong and has nothing of its order.
    """
    families = []
    for _ in range(orders):
        introns = bool(random.random() < EUKARYOTES)
        families.append(
            {
                "gc": random.uniform(*GC_RANGE),
                **_deviations(random, 0),
                "introns": introns,
                "spacer": random.uniform(150, 500) if introns else random.uniform(40, 160),
            }
        )
    return [
        _draw(random, number, number % orders, families[number % orders], number == species - 1)
        for number in range(species)
    ]


def _draw(random: Generator, number: int, order: int, family: Mapping, dialect: bool) -> Species:
    own = _deviations(random, 1)
    gc = float(np.clip(random.normal(family["gc"], GC_SPREAD), *GC_RANGE))
    preference = family["preference"] + own["preference"]
    amino_acids = family["amino_acids"] + own["amino_acids"]
    return Species(
        name=f"species-{number:04}",
        order=f"order-{order:03}",
        bases=np.log([(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]),
        words=family["words"] + own["words"],
        preference=random.normal(0, DIALECT, CODONS) if dialect else preference,
        amino_acids=amino_acids + GC_ON_AMINO_ACIDS * np.log(gc / (1 - gc)) * GC_OF_AMINO_ACIDS,
        introns=family["introns"],
        spacer=family["spacer"] * random.uniform(0.7, 1.4),
    )


def _deviations(random: Generator, level: int) -> dict[str, np.ndarray]:
    """Draw what an order (level 0) or a species (level 1) has of its own."""
    words = np.zeros((BASES,) * WORD)
    for size, deviation in enumerate(WORDS[level], start=2):
        words += random.normal(0, deviation, (BASES,) * size)
    # axes reversed and bases complemented: the same word on the other strand
    words = (words + words.transpose()[::-1, ::-1, ::-1, ::-1]) / 2**0.5
    return {
        "words": words,
        "preference": random.normal(0, PREFERENCE[level], CODONS),
        "amino_acids": random.normal(0, COMPOSITION[level], AMINO_ACIDS),
    }
