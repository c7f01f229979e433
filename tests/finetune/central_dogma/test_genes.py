# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Genes as they stand in genomes: where they are cut, how they are read, and which are none."""

import pytest
from Bio import SeqIO
from Bio.Seq import reverse_complement

from finetune.central_dogma.genes import LeftOut, place_of, read_gene
from sequence_io.genbank import Genome, read_genomes
from tests.genomes import CHLOROPLAST, GENBANK, cds, coding, letters, needs_data, protein

P = "MKTAYIAKQRQISF"
SPACE = letters(150, "space")


def gene_of(dna, feature, circular=False, flank=100):
    """The gene of a single CDS."""
    genome = Genome("a.gb", "A.1", "Testus primus", dna, circular, [feature])
    return read_gene(genome, place_of(genome, 1, feature), feature, flank)


def reason_of(dna, feature, **options):
    with pytest.raises(LeftOut) as caught:
        gene_of(dna, feature, **options)
    return caught.value.args


def simple(bases, residues=P, complement=False, **qualifiers):
    """A gene without introns between two spaces."""
    dna, place = SPACE + bases + SPACE, f"151..{150 + len(bases)}"
    if complement:
        dna, place = reverse_complement(dna), f"complement({place})"
    return dna, cds(place, residues, **qualifiers)


@pytest.fixture(scope="module")
def chloroplast():
    """The features of the real genome, and the gene or the reason of each."""
    (genome,) = read_genomes(CHLOROPLAST)
    found = {}
    for number, feature in enumerate(genome.coding, start=1):
        try:
            found[number] = read_gene(genome, place_of(genome, number, feature), feature)
        except LeftOut as reason:
            found[number] = reason.args
    return genome, found


@needs_data
class TestChloroplast:
    def test_all_but_the_edited_gene_translate(self, chloroplast):
        genome, found = chloroplast
        left_out = {n: value for n, value in found.items() if isinstance(value, tuple)}
        assert (len(genome.coding), len(left_out)) == (85, 1)
        ((number, (reason, detail)),) = left_out.items()
        assert genome.coding[number - 1].qualifiers["gene"] == ["ndhD"]
        assert reason == "another protein"
        assert detail == "residue 1 is T by code 11 and M in /translation (/exception=RNA editing)"

    def test_proteins_are_those_of_the_file_of_proteins(self, chloroplast):
        _, found = chloroplast
        theirs = [str(entry.seq) for entry in SeqIO.parse(GENBANK / "NC_000932.faa", "fasta")]
        ours = {gene.protein for gene in found.values() if not isinstance(gene, tuple)}
        assert len(theirs) == 85 and len(set(theirs) - ours) == 1 and ours < set(theirs)

    def test_genes_hold_exons_introns_and_flanks(self, chloroplast):
        genome, found = chloroplast
        strands = {1: genome.dna, -1: reverse_complement(genome.dna)}
        introns = 0
        for number, feature in enumerate(genome.coding, start=1):
            gene = found[number]
            if isinstance(gene, tuple) or "trans_splicing" in feature.qualifiers:
                continue
            assert gene.flanks == (100, 100)
            strand = strands[feature.location.strand]
            start, end = feature.location.start, feature.location.end
            if feature.location.strand == -1:
                start, end = len(genome.dna) - end, len(genome.dna) - start
            assert gene.dna == strand[start - 100 : end + 100]
            assert gene.coding == str(feature.extract(genome.dna))
            assert list(gene.exons) == sorted(gene.exons)
            introns += len(gene.exons) - 1
        assert introns == 15

    def test_no_intron_between_trans_spliced_parts(self, chloroplast):
        genome, found = chloroplast
        dna, other = genome.dna, reverse_complement(genome.dna)
        size = len(dna)
        first = other[size - 69724 - 100 : size - 69610]
        # The 3' end lies twice in the genome: once on each strand.
        reverse = other[size - 98793 : size - 97998 + 100]
        forward = dna[139855 : 140650 + 100]
        copies = [gene for gene in found.values() if getattr(gene, "name", "") == "rps12"]
        assert [gene.dna for gene in copies] == [first + reverse, first + forward]
        for gene in copies:
            assert gene.exons[0][1] == gene.exons[1][0] and gene.exons[1][1] < gene.exons[2][0]
            assert gene.special == ("trans-spliced: 2 stretches of DNA joined",)

    def test_start_codons(self, chloroplast):
        _, found = chloroplast
        special = {
            gene.name
            for gene in found.values()
            if not isinstance(gene, tuple) and "start codon GTG" in gene.special
        }
        assert special == {"rps19", "ycf1"}


class TestReading:
    def test_alternative_start_depends_on_the_code(self):
        bases = "GTG" + coding(P[1:])
        gene = gene_of(*simple(bases, transl_table=11))
        assert gene.protein == P and gene.special == ("start codon GTG",)
        reason, detail = reason_of(*simple(bases, transl_table=1))
        assert reason == "another protein"
        assert detail == "residue 1 is V by code 1 and M in /translation"

    def test_start_codon_inside_is_no_start(self):
        bases = coding(P[:5])[:-3] + "GTG" + coding(P[6:])
        assert reason_of(*simple(bases, transl_table=11))[1].startswith("residue 6 is V")

    @pytest.mark.parametrize("complement", [False, True])
    def test_selenocysteine(self, complement):
        bases = coding(P[:4])[:-3] + "TGA" + coding(P[4:])
        residues = P[:4] + "U" + P[4:]
        place = "163..165"
        dna, feature = simple(bases, residues, complement)
        if complement:
            place = f"complement({len(dna) - 164}..{len(dna) - 162})"
        assert reason_of(dna, feature)[1].startswith("residue 5 is * by code 1 and U")
        feature.qualifiers["transl_except"] = [f"(pos:{place},aa:Sec)"]
        gene = gene_of(dna, feature)
        assert gene.protein == residues and gene.special == ("/transl_except: of codon 5",)

    def test_selenocysteine_across_an_intron(self):
        bases = coding(P[:4])[:-3] + "TGA" + coding(P[4:])
        dna = SPACE + bases[:13] + "GTAAAG" + bases[13:] + SPACE
        feature = cds(
            f"join(151..163,170..{len(dna) - 150})",
            P[:4] + "U" + P[4:],
            transl_except="(pos:join(163,170..171),aa:Sec)",
        )
        gene = gene_of(dna, feature)
        assert gene.coding == bases and "GTAAAG" in gene.core

    @pytest.mark.parametrize("tail", ["T", "TA"])
    def test_stop_completed_by_poly_a(self, tail):
        bases = coding(P, tail)
        place = f"151..{150 + len(bases)}"
        dna, feature = simple(bases)
        assert "no whole number of codons" in reason_of(dna, feature)[1]
        last = f"{193}..{192 + len(tail)}" if len(tail) > 1 else "193"
        feature = cds(place, P, transl_except=f"(pos:{last},aa:TERM)")
        assert gene_of(dna, feature).protein == P

    def test_mitochondrial_code(self):
        bases = "ATA" + coding(P[1:], "TGAATAAGA")
        assert gene_of(*simple(bases, P + "WM", transl_table=2)).protein == P + "WM"
        assert reason_of(*simple(bases, P + "WM", transl_table=1))[0] == "another protein"

    def test_code_in_which_a_stop_is_a_residue_too(self):
        bases = coding(P, "TGATGA")
        assert gene_of(*simple(bases, P + "W", transl_table=27)).protein == P + "W"

    def test_codon_start(self):
        gene = gene_of(*simple("C" + coding(P), codon_start=2))
        assert gene.protein == P and gene.special == ("/codon_start=2",)
        # The first codon follows on another: no start.
        wrong = simple("CGTG" + coding(P[1:]), codon_start=2, transl_table=11)
        assert reason_of(*wrong)[1].startswith("residue 1 is V")

    def test_frameshift_that_the_location_tells(self):
        bases = coding(P)
        twice = bases.index("AA") + 1
        dna = SPACE + bases[:twice] + bases[twice + 1 :] + SPACE
        place = f"join(151..{150 + twice},{150 + twice}..{len(dna) - 150})"
        feature = cds(place, P, ribosomal_slippage="")
        gene = gene_of(dna, feature)
        assert gene.coding == bases and len(gene.core) == len(bases) - 1
        assert gene.special == ("ribosomal slippage",)

    def test_no_stop_codon(self):
        assert gene_of(*simple(coding(P, ""))).special == ("no stop codon",)

    def test_ambiguous_letters_stay(self):
        dna, feature = simple(coding(P[:5])[:-3] + "NNN" + coding(P[6:]), P[:5] + "X" + P[6:])
        assert "NNN" in gene_of(dna, feature).dna


class TestLeftOut:
    @pytest.mark.parametrize(
        ("place", "qualifiers", "reason"),
        [
            ("<151..195", {}, "partial"),
            ("151..>195", {}, "partial"),
            ("join(151..170,<171..195)", {}, "partial"),
            ("151..195", {"pseudo": ""}, "pseudogene"),
            ("151..195", {"pseudogene": "unprocessed"}, "pseudogene"),
            ("join(151..170,B.1:171..195)", {}, "partly in another record"),
            ("151..995", {}, "location outside the record"),
            ("join(151..170,171..195)", {"trans_splicing": ""}, "trans-splicing unclear"),
            ("151..195", {"exception": "trans-splicing"}, "trans-splicing unclear"),
            ("151..195", {"transl_table": 99}, "does not translate"),
            ("151..195", {"transl_table": "one"}, "genetic code unclear"),
            ("151..195", {"codon_start": 4}, "genetic code unclear"),
            ("151..195", {"transl_except": "(pos:1..3,aa:Sec)"}, "does not translate"),
            ("151..195", {"transl_except": "(pos:152..154,aa:Sec)"}, "does not translate"),
            ("151..195", {"transl_except": "(pos:151..153,aa:Foo)"}, "does not translate"),
            ("151..195", {"transl_except": "somewhere"}, "does not translate"),
            ("151..194", {}, "does not translate"),
        ],
    )
    def test_reasons(self, place, qualifiers, reason):
        dna, _ = simple(coding(P))
        assert gene_of(dna, cds("151..195", P)).protein == P
        assert reason_of(dna, cds(place, P, **qualifiers))[0] == reason

    def test_translations(self):
        dna, feature = simple(coding(P), None)
        assert reason_of(dna, feature)[0] == "no /translation"
        dna, feature = simple(coding(P), P[:5] + "*" + P[6:])
        assert reason_of(dna, feature)[0] == "/translation is no protein"
        dna, feature = simple(coding(P), P[:5] + "W" + P[6:])
        detail = "residue 6 is I by code 1 and W in /translation"
        assert reason_of(dna, feature) == ("another protein", detail)
        dna, feature = simple(coding(P), P + "A")
        detail = "14 residues by code 1, 15 residues in /translation"
        assert reason_of(dna, feature) == ("another protein", detail)
        dna, feature = simple(coding("MKTAYIA"), "MKTAYIA")
        assert reason_of(dna, feature)[0] == "protein too short"

    def test_location_that_cannot_be_read(self):
        dna, feature = simple(coding(P))
        feature.location = None
        assert reason_of(dna, feature) == ("location cannot be read",)


class TestCutting:
    def test_both_strands(self):
        residues = protein(30, "strands")
        bases = coding(residues)
        text = SPACE + bases[:40] + "GTCCCAG" + bases[40:] + SPACE
        size = len(text)
        forward = gene_of(text, cds(f"join(151..190,198..{size - 150})", residues))
        place = f"complement(join(151..{size - 197},{size - 189}..{size - 150}))"
        backward = gene_of(reverse_complement(text), cds(place, residues))
        assert forward.dna == backward.dna == text[50:-50]
        assert forward.exons == backward.exons == ((100, 140), (147, size - 200))

    def test_flanks_end_with_a_linear_record(self):
        bases = coding(P)
        dna = "ACG" + bases + "TT"
        for text, place in ((dna, "4..48"), (reverse_complement(dna), "complement(3..47)")):
            gene = gene_of(text, cds(place, P))
            assert (gene.dna, gene.flanks) == (dna, (3, 2))
        assert gene_of(dna, cds("4..48", P), flank=1).dna == dna[2:-1]
        assert gene_of(dna, cds("4..48", P), flank=0).dna == bases

    @pytest.mark.parametrize("before_origin", [1, 20, 44])
    @pytest.mark.parametrize("complement", [False, True])
    def test_gene_across_the_origin(self, before_origin, complement):
        bases = coding(P)
        ring = bases + letters(400, "ring")
        dna = ring[before_origin:] + ring[:before_origin]
        size = len(dna)
        whole = letters(400, "ring")[-100:] + bases + letters(400, "ring")[:100]
        place = f"join({size - before_origin + 1}..{size},1..{45 - before_origin})"
        if complement:
            dna = reverse_complement(dna)
            place = f"complement(join({size - 44 + before_origin}..{size},1..{before_origin}))"
        gene = gene_of(dna, cds(place, P), circular=True)
        assert gene.dna == whole and gene.special == ("spans the origin",)

    def test_intron_across_the_origin(self):
        bases, ring = coding(P), letters(400, "ring")
        dna = "AAG" + bases[20:] + ring + bases[:20] + "GTC"
        size = len(dna)
        feature = cds(f"join({size - 22}..{size - 3},4..28)", P)
        gene = gene_of(dna, feature, circular=True)
        assert gene.core == bases[:20] + "GTCAAG" + bases[20:]
        # On a linear record nothing joins the two.
        apart = gene_of(dna, feature)
        assert apart.core == bases and apart.special[0].startswith("trans-spliced")

    def test_flanks_wrap_around(self):
        ring = letters(300, "ring")
        dna = ring[-30:] + coding(P) + ring[:-30]
        gene = gene_of(dna, cds("31..75", P), circular=True)
        assert gene.dna == ring[-100:] + coding(P) + ring[:100]
        # A small plasmid has no 200 letters but the gene's own.
        gene = gene_of(coding(P) + ring[:50], cds("1..45", P), circular=True)
        assert gene.dna == ring[25:50] + coding(P) + ring[:25]

    def test_trans_spliced_parts_on_two_strands(self):
        bases = coding(P)
        last = reverse_complement(bases[30:])
        dna = SPACE + bases[:15] + "GTTTAG" + bases[15:30] + SPACE + last + SPACE
        place = "join(151..165,172..186,complement(337..351))"
        gene = gene_of(dna, cds(place, P, trans_splicing=""))
        core = bases[:15] + "GTTTAG" + bases[15:]
        assert gene.dna == SPACE[-100:] + core + reverse_complement(SPACE[-100:])
        assert gene.exons == ((100, 115), (121, 136), (136, 151))

    def test_no_stretch_goes_round_more_than_once(self):
        bases = coding(P)
        ring = letters(30, 1) + bases[15:30] + letters(155, 2) + bases[:15] + letters(5, 3)
        ring += bases[30:] + letters(90, 4)
        feature = cds("join(201..215,31..45,221..235)", P)
        gene = gene_of(ring, feature, circular=True)
        assert gene.coding == bases and len(gene.core) <= len(ring)
