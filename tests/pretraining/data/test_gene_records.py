# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""GenBank records to gene records: segments, strands, what is told, and real genomes."""

import pickle
import re
from itertools import pairwise

import pytest
from Bio import SeqIO
from Bio.Seq import reverse_complement, translate

from pretraining.data.findings import Finding
from pretraining.data.genbank_records import GenBankReader
from pretraining.data.gene_features import GENE_TYPES
from tests.genomes import GENBANK, coding, flat_text, letters, needs_data

DNA = letters(300, "gene records")
P = "MKTAYIAKQRQISF"
REGION = re.compile(r"(.+):(\d+)-(\d+)(_r_)?")


def read(text, **options):
    """The records by their ids, and the findings, of one GenBank record."""
    found = list(GenBankReader(**options).read(text, "x.gb"))
    findings = [item for item in found if isinstance(item, Finding)]
    records = {item.id: item for item in found if not isinstance(item, Finding)}
    assert len(findings) + len(records) == len(found)
    assert all(finding.file == "x.gb" for finding in findings)
    for record in records.values():
        record.check()
    return records, findings


def told(text, **options):
    return [
        (finding.status, finding.reason)
        for finding in read(text, **options)[1]
        if finding.reason != "taxonomic order unknown"
    ]


class TestSegments:
    def test_both_strands(self):
        text = flat_text(DNA, ("CDS", "11..40", {"pseudo": None}), ("tRNA", "complement(31..90)"))
        records, _ = read(text)
        forward, reverse = records["X1.1:1-300"], records["X1.1:1-300_r_"]
        assert (forward.sequence, forward.spans) == (DNA, {"gene_type": []})
        assert reverse.sequence == reverse_complement(DNA)
        assert reverse.spans == {"gene_type": [(210, 269, "tRNA")]}
        assert {record.group for record in records.values()} == {"X1.1"}

    def test_reverse_strand_without_labels_is_no_record(self):
        records, _ = read(flat_text(DNA, ("CDS", "11..140")), max_length=100)
        assert list(records) == ["X1.1:1-100", "X1.1:101-200", "X1.1:201-300"]
        assert [record.spans["gene_type"] for record in records.values()] == [
            [(10, 99, "CDS")],
            [(0, 39, "CDS")],
            [],
        ]

    def test_circle_is_opened_outside_genes(self):
        text = flat_text(DNA, ("CDS", "join(251..300,1..20)"), circular=True)
        records, _ = read(text, max_length=120)
        assert list(records) == ["X1.1:21-140", "X1.1:141-250", "X1.1:251-20"]
        last = records["X1.1:251-20"]
        assert last.sequence == DNA[250:] + DNA[:20]
        assert last.spans == {"gene_type": [(0, 69, "CDS")]}

    def test_segments_without_a_label(self):
        text = flat_text(DNA, ("CDS", "101..200"), ("tRNA", "complement(101..120)"))
        records, findings = read(text, max_length=100, intergenic="drop")
        assert list(records) == ["X1.1:101-200", "X1.1:101-200_r_"]
        (finding,) = (finding for finding in findings if finding.status == "partly")
        assert finding.reason == "segments without a label (--intergenic drop)"
        assert finding.detail == "2 segments, 200 letters"
        assert len(read(text, max_length=100)[0]) == 4

    def test_segments_of_unknown_letters(self):
        dna = DNA[:100] + "N" * 150 + DNA[:50]
        records, findings = read(flat_text(dna), max_length=50)
        assert list(records) == ["X1.1:1-50", "X1.1:51-100", "X1.1:251-300"]
        assert ("segments of nothing but N", "3 segments, 150 letters") in [
            (finding.reason, finding.detail) for finding in findings
        ]

    def test_no_features(self):
        records, _ = read(flat_text("ACGT"))
        assert [(r.sequence, r.spans) for r in records.values()] == [("ACGT", {"gene_type": []})]


class TestTaxonomy:
    LINEAGE = ("Eukaryota", "Metazoa", "Chordata", "Mammalia", "Primates", "Hominidae")

    @pytest.mark.parametrize(
        ("options", "orders", "order"),
        [
            ({"lineage": LINEAGE}, {}, "Primates"),
            ({"lineage": LINEAGE, "taxon": 9606}, {"9606": "Of the table"}, "Of the table"),
            ({"lineage": LINEAGE, "taxon": 9606}, {"7": "Of the table"}, "Primates"),
            ({"taxon": 7}, {"7": "Of the table"}, "Of the table"),
        ],
    )
    def test_order(self, options, orders, order):
        text = flat_text(DNA, ("tRNA", "complement(31..90)"), **options)
        records, findings = read(text, orders=orders)
        assert [record.classes for record in records.values()] == [{"gene_taxonomy": order}] * 2
        assert findings == []

    def test_unknown(self):
        records, (finding,) = read(flat_text(DNA, lineage=self.LINEAGE[:4], taxon=7))
        assert [record.classes for record in records.values()] == [{}]
        assert (finding.status, finding.reason) == ("note", "taxonomic order unknown")
        assert finding.detail == "taxon 7, 4 names of lineage"


class TestLetters:
    def test_rna(self):
        records, _ = read(flat_text("ACGU" * 20, ("tRNA", "1..80"), molecule="mRNA"))
        assert records["X1.1:1-80"].sequence == "ACGT" * 20

    def test_other_characters_keep_their_place(self):
        text = flat_text("AC-T*RYK" + DNA, ("tRNA", "9..18"))
        assert ("note", "characters other than A to Z are read as N") in told(text)
        (record,) = read(text)[0].values()
        assert record.sequence == "ACNTNRYK" + DNA
        assert record.spans == {"gene_type": [(8, 17, "tRNA")]}

    @pytest.mark.parametrize(
        ("name", "source"), [("NM_000014.6", "refseq"), ("AB000001.1", "genbank")]
    )
    def test_source(self, name, source):
        assert {r.source for r in read(flat_text(DNA, name=name))[0].values()} == {source}


class TestDamage:
    @pytest.mark.parametrize(
        ("damage", "problem"),
        [
            (lambda text: text.replace("//\n", ""), "the record does not end (//)"),
            (lambda text: text.replace("ORIGIN", "ORIGEN"), "cannot be read: "),
            (lambda text: text[: text.index("      241")] + "//\n", "cannot be read: Expected"),
            (lambda text: text[: text.index("ORIGIN")] + "ORIGIN\n//\n", "there is no sequence"),
        ],
    )
    def test_record(self, damage, problem):
        records, (finding,) = read(damage(flat_text(DNA)))
        assert records == {} and finding.entry.startswith("X1") and "\n" not in finding.detail
        assert (finding.status, finding.reason) == ("dropped", "damaged record")
        assert finding.detail.startswith(problem)

    def test_genpept(self):
        text = flat_text("MKTAYIAK", ("CDS", "1..8")).replace(" bp    DNA   ", " aa          ")
        assert told(text) == [("dropped", "a protein, neither DNA nor RNA")]
        assert read(text)[0] == {}

    def test_features_of_which_labels_are_lost(self):
        text = flat_text(DNA, ("CDS", "11..40", {"pseudo": None}), ("tRNA", "join(1..9,B1:3..9)"))
        assert told(text) == [("partly", "pseudogene"), ("partly", "partly in another record")]
        (finding, *_) = read(text)[1]
        assert finding.detail == "CDS 11..40"


class TestTranslation:
    BASES = coding(P)

    def told(self, dna, location, translation=P, **qualifiers):
        feature = {"gene": "abc", "translation": translation, **qualifiers}
        records, findings = read(flat_text(DNA + dna + DNA, ("CDS", location, feature)))
        record = records[f"X1.1:1-{600 + len(dna)}"]
        assert any(label == "CDS" for *_, label in record.spans["gene_type"])
        return [f"{item.reason}: {item.detail}" for item in findings if "CDS" in item.reason]

    def test_same_protein(self):
        assert self.told(self.BASES, "301..345") == []
        assert self.told("C" + self.BASES, "301..346", codon_start=2) == []
        assert self.told("GTG" + self.BASES[3:], "301..345", transl_table=11) == []
        spliced = self.BASES[:20] + "GTAAAAAAAAAG" + self.BASES[20:]
        assert self.told(spliced, "join(301..320,333..357)") == []
        stop = self.BASES[:12] + "TGA" + self.BASES[15:]
        exception = "(pos:313..315,aa:Sec)"
        assert self.told(stop, "301..345", P[:4] + "U" + P[5:], transl_except=exception) == []

    def test_another_protein_is_told(self):
        (line,) = self.told(self.BASES, "301..345", P[:5] + "W" + P[6:], exception="RNA editing")
        assert line == (
            "CDS translates to another protein: CDS abc 301..345: residue 6 is I by code 1 and W "
            "in /translation (/exception=RNA editing)"
        )
        (line,) = self.told("GTG" + self.BASES[3:], "301..345")
        assert "residue 1 is V by code 1 and M in /translation" in line

    def test_partial(self):
        # Without its beginning the first codon is no start; an unfinished last one may count.
        assert self.told("GTG" + self.BASES[3:], "<301..345", "V" + P[1:], transl_table=11) == []
        assert self.told(self.BASES + "GC", "301..>343", P[:14], transl_table=11) == []
        assert self.told(self.BASES[:-3] + "GC", "301..>344", P + "A") == []
        assert self.told(self.BASES[:-3] + "GC", "301..>344") == []
        (line,) = self.told(self.BASES[:-3] + "GC", "301..344")
        assert line.endswith("44 letters are no whole number of codons")
        whole = reverse_complement("GTG" + self.BASES[3:])
        assert self.told(whole, "301..345", transl_table=11) != []

    @pytest.mark.parametrize(
        ("location", "qualifiers", "text"),
        [
            ("301..345", {"transl_table": 99}, "there is no genetic code 99"),
            ("301..345", {"codon_start": 7}, "/transl_table=1, /codon_start=7"),
            ("301..345", {"transl_except": "anything"}, "/transl_except=anything cannot be read"),
            ("301..344", {}, "44 letters are no whole number of codons"),
        ],
    )
    def test_what_cannot_be_translated(self, location, qualifiers, text):
        (line,) = self.told(self.BASES, location, **qualifiers)
        assert line == f"CDS does not translate: CDS abc {location}: {text}"

    def test_letters_of_no_code(self):
        (line,) = self.told("ATGEEE" + self.BASES[6:], "301..345")
        assert line.startswith("CDS does not translate")

    def test_no_protein_stated(self):
        assert self.told(self.BASES, "301..345", "") == [
            "CDS without /translation: CDS abc 301..345"
        ]


def test_reader_goes_to_other_processes():
    reader = GenBankReader(orders={"1": "A"})
    assert pickle.loads(pickle.dumps(reader)) == reader


def positions(record, length):
    """Positions on the source record (from 0) of a record's letters, and its strand."""
    _, first, last, reverse = REGION.fullmatch(record.id).groups()
    first, last = int(first) - 1, int(last) - 1
    places = [place % length for place in range(first, last + 1 + length * (last < first))]
    return (places[::-1], -1) if reverse else (places, 1)


def genome_and_records(name, **options):
    """The entries of a real file as Biopython reads them, each with its records and findings."""
    reader, path = GenBankReader(**options), GENBANK / name
    entries = list(reader.entries(path))
    for entry, genome in zip(entries, SeqIO.parse(path, "genbank"), strict=True):
        found = list(reader.read(entry, name))
        findings = [item for item in found if isinstance(item, Finding)]
        yield genome, [item for item in found if not isinstance(item, Finding)], findings


def feature_table(genome):
    """What each position of each strand is by the features, looked up one letter after another."""
    table = {}
    intron_of = {}
    labels = {"exon": "CDS", "TATA_signal": "regulatory", "polyA_signal": "regulatory"}
    for feature in genome.features:
        if feature.type in ("intron", "mRNA", "exon", "CDS", "tRNA", "rRNA", *labels):
            parts = feature.location.parts
            for one, two in pairwise(parts):
                low, high = (one, two) if one.strand == 1 else (two, one)
                if one.strand == two.strand and low.end <= high.start:
                    for place in range(low.end, high.start):
                        intron_of.setdefault((one.strand, place), []).append(feature)
            for part in parts:
                for place in part:
                    if feature.type == "intron":
                        intron_of.setdefault((part.strand, place), []).append(feature)
                    elif feature.type != "mRNA":
                        label = labels.get(feature.type, feature.type)
                        table.setdefault((part.strand, place), set()).add(label)
    messengers = {
        (part.strand, place): {"regulatory"}
        for feature in genome.features
        if feature.type == "mRNA" and any(is_within(other, feature) for other in genome.features)
        for part in feature.location.parts
        for place in part
    }
    return messengers | {place: {"intron"} for place in intron_of} | table


def is_within(other, feature):
    """Whether a feature is a CDS that lies within another one."""
    one, two = other.location, feature.location
    same = other.type == "CDS" and one.strand == two.strand
    return same and two.start <= one.start and one.end <= two.end


@needs_data
@pytest.mark.parametrize("max_length", [1278, 200])
@pytest.mark.parametrize("name", ["NC_000932.gb", "arab1.gb", "cor6_6.gb"])
def test_labels_are_those_of_the_feature_table(name, max_length):
    for genome, records, _ in genome_and_records(name, max_length=max_length):
        dna, table, length = str(genome.seq), feature_table(genome), len(genome.seq)
        seen, forward = set(), []
        for record in records:
            places, strand = positions(record, length)
            letters = "".join(dna[place] for place in places)
            assert record.sequence == (letters if strand == 1 else str(complement(letters)))
            assert len(record.sequence) <= max_length
            forward += places if strand == 1 else []
            labelled = {}
            for start, last, label in record.spans["gene_type"]:
                labelled.update((places[at], label) for at in range(start, last + 1))
            for place in places:
                expected = table.get((strand, place))
                assert (labelled[place] in expected) if expected else place not in labelled
            seen |= {(strand, place) for place in labelled}
        # Nothing twice, nothing missing: every letter once forward, every label once.
        assert sorted(forward) == list(range(length))
        assert seen == set(table)


def complement(letters):
    return letters.translate(str.maketrans("ACGTN", "TGCAN"))


@pytest.fixture(scope="module")
def chloroplast():
    ((genome, records, findings),) = genome_and_records("NC_000932.gb")
    return genome, records, findings


@pytest.fixture(scope="module")
def labels(chloroplast):
    """Label and letter by strand and position."""
    genome, records, _ = chloroplast
    found = {}
    for record in records:
        places, strand = positions(record, len(genome.seq))
        for start, last, label in record.spans["gene_type"]:
            for at in range(start, last + 1):
                found[strand, places[at]] = (label, record.sequence[at])
    return found


@needs_data
class TestChloroplast:
    def test_counts(self, chloroplast):
        _, records, _ = chloroplast
        forward = [record for record in records if not record.id.endswith("_r_")]
        assert (len(forward), len(records)) == (132, 222)
        assert sum(len(record.sequence) for record in forward) == 154_478
        assert {record.source for record in records} == {"refseq"}
        assert {record.classes["gene_taxonomy"] for record in records} == {"Tracheophyta"}
        assert (
            {label for record in records for *_, label in record.spans["gene_type"]}
            == {
                "CDS",
                "tRNA",
                "rRNA",
                "intron",
            }
            < set(GENE_TYPES)
        )

    def test_coding_sequences_and_their_proteins(self, chloroplast, labels):
        genome, _, findings = chloroplast
        theirs = [str(entry.seq) for entry in SeqIO.parse(GENBANK / "NC_000932.faa", "fasta")]
        coding = [feature for feature in genome.features if feature.type == "CDS"]
        assert len(coding) == 85
        same = 0
        for feature in coding:
            strands = [(part.strand, place) for part in feature.location.parts for place in part]
            found = [labels[place] for place in strands]
            assert {label for label, _ in found} == {"CDS"}
            codons = "".join(letter for _, letter in found)
            assert len(codons) % 3 == 0
            start = "M" if codons[:3] in ("ATG", "GTG") else "?"
            protein = start + translate(codons[3:], table=11).removesuffix("*")
            same += protein in theirs
        assert same == 84
        (finding,) = findings
        assert finding.reason == "CDS translates to another protein"
        assert finding.detail == (
            "CDS ndhD complement(115665..117167): residue 1 is T by code 11 and M in /translation "
            "(/exception=RNA editing)"
        )

    def test_introns_lie_in_their_genes(self, chloroplast, labels):
        genome, _, _ = chloroplast
        genes = [
            feature
            for feature in genome.features
            if feature.type in ("CDS", "tRNA") and len(feature.location.parts) > 1
        ]
        gaps = set()
        for feature in genes:
            for one, two in pairwise(feature.location.parts):
                between = sorted([one, two], key=lambda part: part.start)
                if feature.qualifiers["gene"] == ["rps12"] and 69610 in (one.start, two.start):
                    continue
                gaps |= {(one.strand, at) for at in range(between[0].end, between[1].start)}
        introns = {place for place, (label, _) in labels.items() if label == "intron"}
        # Genes within an intron keep their own label; no gap is without any.
        assert introns <= gaps and gaps <= set(labels)
        kept = {labels[place][0] for place in gaps - introns}
        assert kept == {"CDS"}
        # The first exon of rps12 is spliced from another transcript.
        for between in (range(69724, 97998), range(69724, 139855)):
            assert any((strand, at) not in labels for strand in (1, -1) for at in between)
        assert not {(-1, 69609), (-1, 69724), (1, 139854)} & introns
