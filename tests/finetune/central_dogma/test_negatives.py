# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Pairs that do not belong together."""

import random

import numpy as np
import pytest
from Bio.Seq import translate

import finetune.central_dogma.negatives as negatives
from finetune.central_dogma.genes import Gene, Place
from finetune.central_dogma.negatives import (
    ProteinPool,
    edit_dna,
    edit_protein,
    edited_pair,
    encodes,
    positive,
)
from finetune.central_dogma.settings import Settings
from tests.genomes import coding, letters, protein


def make_gene(residues, name="a", introns=(), flank=30, bases=None):
    """A gene with introns of 50 letters behind those letters of its CDS."""
    bases = coding(residues) if bases is None else bases
    dna, exons = letters(flank, f"before {name}"), []
    for start, end in zip((0, *introns), (*introns, len(bases)), strict=True):
        if start:
            dna += "GT" + letters(46, f"intron {name} {start}") + "AG"
        exons.append((len(dna), len(dna) + end - start))
        dna += bases[start:end]
    dna += letters(flank, f"behind {name}")
    place = Place("a.gb", "A", 1, name, "", "", "")
    key = ("Testus primus", name)
    return Gene(
        name, key, place, "Testus primus", dna, residues, tuple(exons), (flank, flank), 0, 1
    )


GENES = [
    make_gene(protein(size, size), f"g{size}", introns)
    for size, introns in ((8, ()), (11, (4,)), (30, (10, 50)), (120, (100,)))
]
FRACTIONS = [(0.01, 0.02), (0.1, 0.5), (1.0, 1.0)]


@pytest.mark.parametrize("gene", GENES, ids=lambda gene: gene.id)
@pytest.mark.parametrize("fraction", FRACTIONS)
def test_edited_dna_encodes_the_protein_in_no_frame(gene, fraction):
    settings = Settings(edit_fraction=fraction)
    for number in range(30):
        pair = edited_pair(gene, number, "dna_edited", settings, set())
        assert (pair.label, pair.seq_b, pair.negative_kind) == (0, gene.protein, "dna_edited")
        assert pair.seq_a[:30] == gene.dna[:30] and pair.seq_a[-30:] == gene.dna[-30:]
        assert pair.seq_a != gene.dna and set(pair.seq_a) <= set("ACGT")
        if len(gene.exons) == 1:
            frames = [pair.seq_a[frame:] for frame in range(3)]
            frames = [translate(text[: len(text) // 3 * 3]) for text in frames]
            assert not any(gene.protein[1:] in residues for residues in frames)


@pytest.mark.parametrize("gene", GENES, ids=lambda gene: gene.id)
def test_unedited_gene_encodes_its_protein(gene):
    before, behind = gene.dna[:30], gene.dna[-30:]
    assert encodes(before + gene.coding + behind, gene)
    # The reading frame is not where it was, but the gene is whole.
    assert encodes(before[1:] + gene.coding + behind, gene)
    assert not encodes(before + gene.coding[:8] + "A" + gene.coding[8:] + behind, gene)


def test_gene_that_slips_encodes_its_protein():
    bases = coding(protein(20, 1))
    gene = make_gene(protein(20, 1))
    dna = gene.dna[:30] + bases[:31] + bases[32:] + gene.dna[-30:]
    slipping = Gene(
        *("s", ("s",), gene.place, "", dna, gene.protein, ((30, 61), (60, len(dna) - 30))),
        (30, 30), 0, 1,
    )  # fmt: skip
    slipping_bases = bases[:31] + bases[30] + bases[32:]
    assert slipping.coding == slipping_bases
    settings = Settings(edit_fraction=(0.02, 0.02))
    for number in range(20):
        _, spliced = edit_dna(slipping, 1, np.random.default_rng(number))
        assert spliced[:30] == dna[:30] and spliced[-30:] == dna[-30:]
        assert len(spliced) in range(len(dna) - 1, len(dna) + 4)
        edited_pair(slipping, number, "dna_edited", settings, set())


@pytest.mark.parametrize("gene", GENES, ids=lambda gene: gene.id)
@pytest.mark.parametrize("count", [1, 5, None])
def test_strength_of_edits(gene, count):
    """Every operation occurs, and what is spliced is the edited DNA less the introns."""
    kinds = set()
    for seed in range(40):
        edits = len(gene.core) if count is None else count
        dna, spliced = edit_dna(gene, edits, np.random.default_rng(seed))
        kinds.add(np.sign(len(dna) - len(gene.dna)))
        assert abs(len(dna) - len(gene.dna)) <= edits
        if len(gene.exons) == 1:
            assert dna == spliced
        if count == 1:
            # One edit, and it is in the coding part: the introns are there unchanged.
            whole = gene.dna
            for (_, end), (start, _) in zip(gene.exons, gene.exons[1:], strict=False):
                assert whole[end + 1 : start] in dna
            outside = gene.dna[:30] + gene.coding + gene.dna[-30:]
            assert abs(len(spliced) - len(outside)) <= 1
    if count:
        assert kinds == {-1, 0, 1}


def test_what_follows_an_exon_belongs_to_the_intron():
    gene = GENES[1]
    end = gene.exons[0][1]
    unedited = gene.dna[:30] + gene.coding + gene.dna[-30:]
    found = 0
    for seed in range(300):
        dna, spliced = edit_dna(gene, 1, np.random.default_rng(seed))
        inserted = dna[end] != dna[end - 1] and dna[:end] + dna[end + 1 :] == gene.dna
        if inserted:
            found += 1
            assert spliced == unedited
    assert found


def test_silent_edits_are_drawn_anew(monkeypatch):
    gene = GENES[2]
    draws = []

    def silent(gene, count, random):
        draws.append(count)
        spliced = gene.dna[:30] + gene.coding + gene.dna[-30:]
        return gene.dna.swapcase(), spliced if len(draws) < 4 else "ACGT"

    monkeypatch.setattr(negatives, "edit_dna", silent)
    edited_pair(gene, 1, "dna_edited", Settings(), set())
    assert len(draws) == 4 and len(set(draws)) == 1
    monkeypatch.setattr(negatives, "edit_dna", lambda gene, *_: (gene.dna, gene.dna[:30]))
    with pytest.raises(ValueError, match=r"a\.gb: record 'A': none of 1,000 edits of CDS 1"):
        edited_pair(gene, 1, "dna_edited", Settings(), {(gene.dna, gene.protein)})


def test_edited_dna_keeps_to_the_limit():
    gene = GENES[3]
    settings = Settings(max_dna=len(gene.dna))
    sizes = [len(edited_pair(gene, n, "dna_edited", settings, set()).seq_a) for n in range(40)]
    assert max(sizes) <= len(gene.dna) and min(sizes) < len(gene.dna)


@pytest.mark.parametrize("gene", GENES, ids=lambda gene: gene.id)
@pytest.mark.parametrize("fraction", FRACTIONS)
def test_edited_proteins(gene, fraction):
    settings = Settings(edit_fraction=fraction)
    for number in range(30):
        pair = edited_pair(gene, number, "protein_edited", settings, set())
        assert (pair.label, pair.seq_a) == (0, gene.dna)
        assert len(pair.seq_b) == len(gene.protein) and pair.seq_b[0] == "M"
        changed = sum(a != b for a, b in zip(pair.seq_b, gene.protein, strict=True))
        residues = len(gene.protein) - 1
        assert max(1, round(fraction[0] * residues)) <= changed
        assert changed <= max(1, round(fraction[1] * residues))
    everything = edit_protein("MXUB", 3, np.random.default_rng(0))
    assert not set("XUB") & set(everything)


def test_negatives_depend_on_seed_gene_and_number():
    first = edited_pair(GENES[2], 1, "dna_edited", Settings(), set())
    assert first == edited_pair(GENES[2], 1, "dna_edited", Settings(), set())
    assert first.seq_a != edited_pair(GENES[2], 2, "dna_edited", Settings(), set()).seq_a
    assert first.seq_a != edited_pair(GENES[2], 1, "dna_edited", Settings(seed=2), set()).seq_a
    again = edited_pair(GENES[2], 1, "dna_edited", Settings(), {(first.seq_a, first.seq_b)})
    assert again.seq_a != first.seq_a


class TestMismatched:
    def test_most_similar_length_first(self):
        genes = [make_gene(protein(size, size), f"g{size}") for size in range(20, 60, 3)]
        random.Random(0).shuffle(genes)
        pool = ProteinPool(genes)
        for gene in genes:
            pairs = list(pool.mismatched(gene))
            steps = [abs(len(pair.seq_b) - len(gene.protein)) for pair in pairs]
            assert len(pairs) == len(genes) - 1 and steps == sorted(steps)
            assert all(pair.seq_a == gene.dna != pair.seq_b != gene.protein for pair in pairs)
            assert {pair.seq_id_b for pair in pairs} == {
                f"{other.id}_protein" for other in genes if other is not gene
            }

    def test_isoforms_copies_and_genes_within_are_no_others(self):
        gene = make_gene(protein(40, 1), "a", flank=10)
        copy = make_gene(protein(40, 1), "b")
        words = gene.coding.replace("GCT", "GCC").replace("TTA", "TTG").replace("GTT", "GTC")
        synonym = make_gene(protein(40, 1), "e", bases=words)
        assert synonym.core not in gene.dna and synonym.coding != gene.coding
        isoform = make_gene(protein(30, 1), "a")
        place = gene.exons[0][0]
        inside = make_gene("MVVVVVVVV", "c", bases=gene.dna[place + 5 : place + 50])
        other = make_gene(protein(90, 2), "d")
        pool = ProteinPool([gene, copy, isoform, inside, other])
        assert [pair.seq_b for pair in pool.mismatched(gene)] == [other.protein]
        assert not list(ProteinPool([synonym]).mismatched(gene))

    def test_positive(self):
        pair = positive(GENES[0])
        assert pair.label == 1 and pair.negative_kind == ""
        assert (pair.seq_id_a, pair.seq_id_b) == ("g8_dna", "g8_protein")
