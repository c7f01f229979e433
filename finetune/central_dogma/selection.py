# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Which genes make the data set, and in which split each of them is.

Nothing here depends on the order in which the genes were read: what is drawn is drawn by a hash of
the seed and the id of a gene.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence

from .genes import Finding, Gene
from .settings import SPLITS


def digest(*parts: object) -> bytes:
    """Return 32 bytes that look random and depend on the parts alone."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).digest()


def choose_isoforms(genes: Iterable[Gene], one_per_gene: bool) -> tuple[list[Gene], list[Finding]]:
    """Keep of several isoforms of a gene the longest protein, or all with a pair of their own.

    Of equally long ones the first of the file is kept.

    Returns:
        The genes that are kept, by id, and a finding for each of the others.
    """
    isoforms = defaultdict(list)
    for gene in genes:
        isoforms[gene.key].append(gene)
    kept: list[Gene] = []
    findings = []
    for group in isoforms.values():
        group.sort(key=lambda gene: (-len(gene.protein), gene.place))
        pairs: dict[tuple[str, str], Gene] = {}
        for gene in group:
            same = pairs.get((gene.dna, gene.protein))
            if one_per_gene and pairs:
                detail = f"{len(gene.protein):,} residues; {group[0].id} is kept"
                findings.append(gene.place.finding("left out", "isoform", detail))
            elif same:
                detail = f"the DNA and protein of {same.id}"
                findings.append(gene.place.finding("left out", "same pair", detail))
            else:
                pairs[gene.dna, gene.protein] = gene
        kept += pairs.values()
    return sorted(kept, key=lambda gene: gene.id), findings


def sample_genes(
    genes: Sequence[Gene], genes_per_species: int, seed: int
) -> tuple[list[Gene], list[Finding]]:
    """Draw so many genes of each species, with all their isoforms.

    Returns:
        The genes that were drawn, in their order, and a finding for each of the others.
    """
    keys = defaultdict(set)
    for gene in genes:
        keys[gene.species].add(gene.key)
    drawn: set[tuple[str, ...]] = set()
    for names in keys.values():
        drawn.update(sorted(names, key=lambda key: digest(seed, *key))[:genes_per_species])
    findings = [
        gene.place.finding("left out", "not in the sample")
        for gene in genes
        if gene.key not in drawn
    ]
    return [gene for gene in genes if gene.key in drawn], findings


def _families(genes: Iterable[Gene]) -> list[list[Gene]]:
    """Put together what must be in one split.

    These are isoforms, genes of the same DNA or protein, and genes of one name in a species: a
    second copy may be a piece of the first.
    """
    parent: dict[Hashable, Hashable] = {}

    def root(item: Hashable) -> Hashable:
        parent.setdefault(item, item)
        while parent[item] != item:
            parent[item] = item = parent[parent[item]]
        return item

    families = defaultdict(list)
    for gene in genes:
        traits: list[tuple[str, ...]] = [("DNA", gene.dna), ("protein", gene.protein)]
        if gene.place.gene:
            traits.append((gene.species, "name", gene.place.gene))
        for trait in traits:
            parent[root(trait)] = root(gene.key)
    for gene in genes:
        families[root(gene.key)].append(gene)
    return list(families.values())


def _places(genes: Iterable[Gene], shares: Sequence[int]) -> Counter[tuple[str, str]]:
    """Return how many genes of each species each split should have.

    Seats are given by the method of Sainte-Lague, in one row across all species: so the totals
    have the shares as nearly as whole numbers can, and each species nearly so.
    """
    places: Counter[tuple[str, str]] = Counter()
    taken = dict.fromkeys(SPLITS, 0)
    share = dict(zip(SPLITS, shares, strict=True))
    for species in sorted(gene.species for gene in genes):
        split = max(SPLITS, key=lambda name: share[name] / (2 * taken[name] + 1))
        taken[split] += 1
        places[species, split] += 1
    return places


def assign_splits(genes: Sequence[Gene], shares: Sequence[int], seed: int) -> dict[str, str]:
    """Divide genes so that no gene, DNA, protein or name of a gene is in two splits.

    Args:
        genes: all of them.
        shares: of train, dev and test; a share of 0 leaves a split empty.
        seed: decides which gene goes where.

    Returns:
        The split of each gene, by its id.
    """
    open_splits = [split for split, share in zip(SPLITS, shares, strict=True) if share]
    places = _places(genes, shares)
    left = Counter(places)
    splits = {}
    families = _families(genes)
    # The largest families first, while there is room for them everywhere.
    for family in sorted(
        families, key=lambda family: (-len(family), min(digest(seed, gene.id) for gene in family))
    ):
        members = Counter(gene.species for gene in family)

        def room(split: str, members: Counter[str] = members) -> tuple[bool, float, int]:
            fits = all(left[species, split] >= count for species, count in members.items())
            free = sum(left[species, split] for species in members)
            meant = sum(places[species, split] for species in members)
            return fits, free / max(meant, 1), meant

        split = max(open_splits, key=room)
        for gene in family:
            splits[gene.id] = split
            left[gene.species, split] -= 1
    return splits
