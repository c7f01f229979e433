# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Families of proteins: ancestral sequences of domains, and how they evolve to those of a species.

Domains of one superfamily stem from one sequence and have its fold. Each domain holds an active
site that never changes; other residues change at rates of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from .alphabet import AMINO_ACIDS, METHIONINE, SUBSTITUTIONS
from .folds import DISORDERED, FOLDS, Span, draw_fold

DOMAIN_LENGTH, DOMAINS_PER_SUPERFAMILY = (50, 150), 3
SITE_LENGTH = (6, 12)
DOMAINS_PER_FAMILY = (1, 4)
LINKER = (5, 40)
# Shape of the gamma distribution of rates among sites, and changes per site from an ancestor to
# the other level: superfamily to domain, root to order, order to species.
RATE_SHAPE = 0.7
DOMAIN_TIME, ORDER_TIME, SPECIES_TIME = 0.8, 0.6, 0.15


@dataclass(frozen=True, slots=True)
class Stretch:
    """Residues with their rates of change, and the spans of tasks known of them."""

    residues: np.ndarray
    rates: np.ndarray
    spans: dict[str, list[Span]] = field(default_factory=dict)
    fold: str = DISORDERED


@dataclass(frozen=True, slots=True)
class Family:
    """A family of proteins, at the root of the tree.

    Attributes:
        stretch: residues, the first one methionine, their rates and spans.
        keywords: the folds of its domains.
    """

    stretch: Stretch
    keywords: list[str]


def draw_families(random: Generator, families: int, domains: int) -> list[Family]:
    """Draw families from a stock of domains, three of a superfamily."""
    stock: list[Stretch] = []
    for number in range(domains):
        if number % DOMAINS_PER_SUPERFAMILY == 0:
            name = f"{number // DOMAINS_PER_SUPERFAMILY:03}"
            fold = str(random.choice(list(FOLDS)))
            ancestor = _draw_stretch(random, fold, DOMAIN_LENGTH)
            size = int(random.integers(*SITE_LENGTH))
            start = int(random.integers(0, len(ancestor.residues) - size))
            ancestor.rates[start : start + size] = 0
        whole = (0, len(ancestor.residues) - 1)
        spans = {
            "prot_homo": [(*whole, f"superfamily-{name}")],
            "prot_domain": [(*whole, f"domain-{number:03}")],
            # later ones win where they overlap
            "prot_site": [*ancestor.spans["prot_site"], (start, start + size - 1, f"site-{name}")],
        }
        residues = evolve(
            random, ancestor.residues, ancestor.rates, DOMAIN_TIME, np.zeros(AMINO_ACIDS)
        )
        stock.append(Stretch(residues, ancestor.rates, spans, fold))
    return [_draw_family(random, stock) for _ in range(families)]


def _draw_stretch(random: Generator, fold: str, length: tuple[int, int]) -> Stretch:
    residues, elements = draw_fold(random, fold, int(random.integers(*length)))
    rates = random.gamma(RATE_SHAPE, 1 / RATE_SHAPE, len(residues))
    return Stretch(residues, rates, {"prot_site": elements}, fold)


def _draw_family(random: Generator, stock: Sequence[Stretch]) -> Family:
    number = min(int(random.integers(*DOMAINS_PER_FAMILY)), len(stock))
    chosen = random.choice(len(stock), number, replace=False)
    parts = [_draw_stretch(random, DISORDERED, LINKER)]
    for i in chosen:
        parts += [stock[i], _draw_stretch(random, DISORDERED, LINKER)]
    spans: dict[str, list[Span]] = {}
    start = 0
    for part in parts:
        for task, known in part.spans.items():
            spans.setdefault(task, []).extend((start + a, start + b, name) for a, b, name in known)
        start += len(part.residues)
    residues = np.concatenate([part.residues for part in parts])
    rates = np.concatenate([part.rates for part in parts])
    residues[0], rates[0] = METHIONINE, 0
    return Family(Stretch(residues, rates, spans), sorted({stock[i].fold for i in chosen}))


def evolve(
    random: Generator, residues: np.ndarray, rates: np.ndarray, time: float, tilt: np.ndarray
) -> np.ndarray:
    """Let residues change.

    Args:
        random: decides.
        residues: numbered amino acids, any number of proteins in a row.
        rates: of each residue, 1 on average.
        time: changes per residue.
        tilt: (20,) log of how much more often each amino acid is what a residue changes to.
    """
    tables = np.cumsum(SUBSTITUTIONS * np.exp(tilt), axis=1)
    places = np.flatnonzero(random.random(len(residues)) < -np.expm1(-rates * time))
    rows = tables[residues[places]]
    drawn = random.random(len(places)) * rows[:, -1]
    evolved = residues.copy()
    evolved[places] = (rows < drawn[:, None]).sum(axis=1)
    return evolved
