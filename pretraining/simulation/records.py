# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Simulated genomes and proteomes as labelled records."""

from collections.abc import Iterator, Sequence
from itertools import islice, repeat

import numpy as np
from numpy.random import Generator

from pretraining.data.named import NamedRecord

from .alphabet import DNA, PROTEIN, letters, reverse_complement
from .families import ORDER_TIME, SPECIES_TIME, Family, draw_families, evolve
from .genomes import Genome, write_genome
from .settings import Settings
from .species import Species, draw_species

SOURCE = "simulation"
FAMILIES_PER_DOMAIN = 3
# Genes that are written at once.
GENES = 24
# How much more strongly the composition of a proteome draws substitutions than it differs itself.
DRIFT = 2.0


def simulate_records(settings: Settings) -> Iterator[NamedRecord]:
    """Give the records, species by species.

    Raises:
        ValueError: a setting is wrong.
    """
    settings.check()
    for number, record in enumerate(_all_species(settings)):
        record.id = record.group = f"{record.id}|{number}"
        yield record


def _all_species(settings: Settings) -> Iterator[NamedRecord]:
    """Give the records, with the name of their species for an id."""
    random = np.random.default_rng(settings.seed)
    species = draw_species(random, settings.species, settings.orders)
    families = draw_families(
        random, settings.families, max(1, settings.families // FAMILIES_PER_DOMAIN)
    )
    ancestors: dict[str, list[np.ndarray]] = {}
    for number, one in enumerate(species):
        if one.order not in ancestors:
            sources = [family.stretch.residues for family in families]
            ancestors[one.order] = _evolve(random, families, sources, ORDER_TIME, one)
        # as many records of each species as can be
        segments, proteins = (
            (total * (number + 1)) // len(species) - (total * number) // len(species)
            for total in (settings.records, settings.proteins)
        )
        while segments or proteins:
            chosen = random.integers(0, len(families), GENES)
            members = [families[i] for i in chosen]
            sources = [ancestors[one.order][i] for i in chosen]
            evolved = _evolve(random, members, sources, SPECIES_TIME, one)
            genome = write_genome(random, one, evolved)
            made = list(islice(_segments(random, genome, one, settings), segments))
            yield from made
            yield from islice(map(_protein, evolved, members, repeat(one)), proteins)
            segments, proteins = segments - len(made), max(0, proteins - GENES)


def _evolve(
    random: Generator,
    families: Sequence[Family],
    sources: Sequence[np.ndarray],
    time: float,
    species: Species,
) -> list[np.ndarray]:
    """Let the proteins of families evolve, all at once."""
    rates = np.concatenate([family.stretch.rates for family in families])
    tilt = DRIFT * species.amino_acids
    evolved = evolve(random, np.concatenate(sources), rates, time, tilt)
    return np.split(evolved, np.cumsum([len(source) for source in sources])[:-1])


def _segments(
    random: Generator, genome: Genome, species: Species, settings: Settings
) -> Iterator[NamedRecord]:
    """Cut a genome into consecutive records, each of one strand or the other.

    Lengths are even on a logarithmic scale: short records are easier to learn from.
    """
    start = 0
    shortest, longest = np.log((settings.min_length, settings.max_length + 1))
    while True:
        length = int(np.exp(random.uniform(shortest, longest)))
        if start + length > len(genome.bases):
            return
        stop = start + length
        bases = genome.bases[start:stop]
        spans = [
            (max(first, start) - start, min(last, stop - 1) - start, name)
            for first, last, name in genome.spans
            if first < stop and last >= start
        ]
        if random.random() < 0.5:
            bases = reverse_complement(bases)
            spans = [(length - 1 - b, length - 1 - a, name) for a, b, name in reversed(spans)]
        yield NamedRecord(
            id=species.name,
            seq_type="gene",
            sequence=letters(bases, DNA),
            source=SOURCE,
            group="",
            spans={"gene_type": spans},
            classes={"gene_taxonomy": species.order},
        )
        start = stop


def _protein(residues: np.ndarray, family: Family, species: Species) -> NamedRecord:
    return NamedRecord(
        id=species.name,
        seq_type="prot",
        sequence=letters(residues, PROTEIN),
        source=SOURCE,
        group="",
        spans=family.stretch.spans,
        classes={"prot_taxonomy": species.order},
        keywords=family.keywords,
    )
