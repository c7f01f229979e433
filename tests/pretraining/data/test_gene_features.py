# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What each letter of an annotated genome is, on each strand."""

import pytest

from pretraining.data.genbank_records import label_spans
from pretraining.data.gene_features import REGULATORY, annotate
from sequence_io.genbank import parse_genbank
from tests.genomes import flat_text, letters

DNA = letters(300, "gene features")


def labels(*features, dna=DNA, **options):
    """The labelled runs of both strands as in feature tables, and what is told."""
    annotation = annotate(parse_genbank(flat_text(dna, *features, **options), "x.gb"))
    runs = [
        f"{strand}{start + 1}..{last + 1} {label}"
        for strand, row in zip("+-", annotation.labels, strict=True)
        for start, last, label in label_spans(row)
    ]
    return runs, [remark.reason for remark in annotation.remarks]


def runs(*features, **options):
    found, told = labels(*features, **options)
    assert told == []
    return found


class TestStrands:
    def test_each_strand_has_its_features(self):
        assert runs(("CDS", "11..40"), ("tRNA", "complement(31..90)")) == [
            "+11..40 CDS",
            "-31..90 tRNA",
        ]

    def test_introns_lie_between_parts(self):
        assert runs(("CDS", "join(11..40,61..90,121..150)")) == [
            "+11..40 CDS",
            "+41..60 intron",
            "+61..90 CDS",
            "+91..120 intron",
            "+121..150 CDS",
        ]
        expected = ["-11..40 tRNA", "-41..60 intron", "-61..90 tRNA"]
        assert runs(("tRNA", "complement(join(11..40,61..90))")) == expected
        assert runs(("tRNA", "join(complement(61..90),complement(11..40))")) == expected

    @pytest.mark.parametrize(
        ("location", "expected"),
        [
            # A gap that corrects the frame, one that slips back, and none.
            ("join(11..40,42..90)", ["+11..40 CDS", "+42..90 CDS"]),
            ("join(11..40,40..90)", ["+11..90 CDS"]),
            ("join(11..40,41..90)", ["+11..90 CDS"]),
            ("join(11..40,50..90)", ["+11..40 CDS", "+50..90 CDS"]),
            ("join(11..40,51..90)", ["+11..40 CDS", "+41..50 intron", "+51..90 CDS"]),
        ],
    )
    def test_short_gaps_are_no_introns(self, location, expected):
        assert runs(("CDS", location)) == expected

    def test_across_the_origin(self):
        ring = [("CDS", "join(271..300,1..30,51..80)")]
        assert runs(*ring, circular=True) == [
            "+1..30 CDS",
            "+31..50 intron",
            "+51..80 CDS",
            "+271..300 CDS",
        ]
        within = runs(("CDS", "join(271..290,11..40)"), circular=True)
        assert within == ["+1..10 intron", "+11..40 CDS", "+271..290 CDS", "+291..300 intron"]
        reverse = runs(("CDS", "complement(join(271..290,11..40))"), circular=True)
        assert reverse == [run.replace("+", "-") for run in within]
        # A linear record does not go on: the parts are not in order.
        assert runs(("CDS", "join(271..290,11..40)")) == ["+11..40 CDS", "+271..290 CDS"]


class TestSplicedOfSeveral:
    def test_both_strands(self):
        feature = ("CDS", "join(complement(11..40),101..130,151..180)", {"trans_splicing": None})
        assert runs(feature) == [
            "+101..130 CDS",
            "+131..150 intron",
            "+151..180 CDS",
            "-11..40 CDS",
        ]

    def test_out_of_order(self):
        found = runs(
            ("CDS", "complement(join(151..180,201..230,11..40))", {"trans_splicing": None})
        )
        assert found == ["-11..40 CDS", "-151..180 CDS", "-181..200 intron", "-201..230 CDS"]

    @pytest.mark.parametrize(
        "feature",
        [
            ("CDS", "join(11..40,101..130)", {"trans_splicing": None}),
            ("CDS", "join(11..40,101..130)", {"exception": "trans-splicing"}),
            ("CDS", "order(11..40,101..130)"),
        ],
    )
    def test_gap_of_which_nobody_knows(self, feature):
        found, told = labels(feature)
        assert found == ["+11..40 CDS", "+101..130 CDS"]
        assert told == ["no introns: how the parts are joined is unclear"]


class TestOverlaps:
    def test_same_labels_are_merged(self):
        assert runs(("exon", "11..40"), ("exon", "41..60"), ("CDS", "55..90")) == ["+11..90 CDS"]

    def test_untranslated_regions_of_exons(self):
        assert runs(("5'UTR", "11..30"), ("exon", "11..90"), ("3'UTR", "71..90")) == [
            "+11..30 regulatory",
            "+31..70 CDS",
            "+71..90 regulatory",
        ]

    def test_coding_in_one_isoform(self):
        found = runs(("CDS", "21..60"), ("5'UTR", "11..40"), ("mRNA", "join(11..60,81..90)"))
        assert found == [
            *("+11..20 regulatory", "+21..60 CDS", "+61..80 intron", "+81..90 regulatory"),
        ]

    @pytest.mark.parametrize("inner", ["exon", "ncRNA", "misc_RNA", "CDS", "promoter", "tRNA"])
    def test_whatever_lies_in_an_intron_is_more_specific(self, inner):
        label = {"exon": "CDS", "promoter": "regulatory"}.get(inner, inner)
        expected = ["+11..30 intron", f"+31..50 {label}", "+51..90 intron"]
        for features in (
            [("intron", "11..90"), (inner, "31..50")],
            [(inner, "31..50"), ("intron", "11..90")],
        ):
            assert runs(*features) == expected

    @pytest.mark.parametrize(
        ("less", "more"),
        [
            ("exon", "misc_RNA"),
            ("exon", "ncRNA"),
            ("misc_RNA", "tRNA"),
            ("misc_RNA", "CDS"),
            ("regulatory", "CDS"),
            ("3'UTR", "ncRNA"),
            ("ncRNA", "rRNA"),
            ("tmRNA", "CDS"),
            ("tRNA", "CDS"),
        ],
    )
    def test_order_in_the_file_does_not_count(self, less, more):
        assert runs((less, "11..50"), (more, "31..70"))[-1] == f"+31..70 {more}"
        assert runs((more, "31..70"), (less, "11..50"))[-1] == f"+31..70 {more}"

    @pytest.mark.parametrize("kind", REGULATORY)
    def test_regulatory_features(self, kind):
        assert runs((kind, "11..20")) == ["+11..20 regulatory"]

    @pytest.mark.parametrize("kind", ["snRNA", "snoRNA", "scRNA"])
    def test_earlier_names(self, kind):
        assert runs((kind, "11..20")) == ["+11..20 ncRNA"]

    def test_features_of_no_label(self):
        kinds = ("gene", "source", "repeat_region", "misc_feature", "variation")
        assert runs(*((kind, "11..50") for kind in kinds)) == []


class TestTranscripts:
    MESSENGER = ("mRNA", "join(11..60,81..150)", {"gene": "a"})
    UNTRANSLATED = ["+11..30 regulatory", "+31..60 CDS", "+61..80 intron", "+81..90 CDS"]
    UNTRANSLATED += ["+91..150 regulatory"]

    def test_what_is_not_translated_of_a_messenger_is_regulatory(self):
        assert runs(self.MESSENGER, ("CDS", "join(31..60,81..90)")) == self.UNTRANSLATED
        reverse = runs(
            ("CDS", "complement(join(31..60,81..90))"), ("mRNA", "complement(join(11..60,81..150))")
        )
        assert reverse == [run.replace("+", "-") for run in self.UNTRANSLATED]

    def test_messenger_without_a_coding_sequence(self):
        introns = ["+61..80 intron"]
        assert runs(self.MESSENGER) == introns
        assert runs(self.MESSENGER, ("CDS", "complement(31..50)")) == [
            "+61..80 intron",
            "-31..50 CDS",
        ]
        assert runs(self.MESSENGER, ("CDS", "141..170")) == [*introns, "+141..170 CDS"]
        assert runs(self.MESSENGER, ("CDS", "201..230", {"gene": "b"})) == [
            *introns,
            "+201..230 CDS",
        ]
        found, told = labels(self.MESSENGER, ("CDS", "31..50", {"pseudo": None}))
        assert (found, told) == (introns, ["pseudogene"])

    def test_coding_sequence_of_the_locus(self):
        found = runs(self.MESSENGER, ("CDS", "141..170", {"gene": "a"}))
        assert found == [
            *("+11..60 regulatory", "+61..80 intron", "+81..140 regulatory", "+141..170 CDS"),
        ]

    def test_messenger_across_the_origin(self):
        found = runs(("mRNA", "join(271..300,1..50)"), ("CDS", "11..40"), circular=True)
        assert found == [
            *("+1..10 regulatory", "+11..40 CDS", "+41..50 regulatory", "+271..300 regulatory"),
        ]

    def test_introns_and_exons_are_more_specific_than_messengers(self):
        isoform = ("mRNA", "11..150")
        found = runs(isoform, self.MESSENGER, ("CDS", "join(31..60,81..90)"))
        assert found == self.UNTRANSLATED
        assert runs(isoform, ("exon", "11..40"), ("CDS", "31..90")) == [
            *("+11..90 CDS", "+91..150 regulatory"),
        ]

    @pytest.mark.parametrize("kind", ["precursor_RNA", "prim_transcript"])
    def test_exons_of_microRNA_are_not_coding(self, kind):
        found = runs((kind, "11..90"), ("exon", "11..90"), ("ncRNA", "21..42"))
        assert found == ["+11..20 misc_RNA", "+21..42 ncRNA", "+43..90 misc_RNA"]

    @pytest.mark.parametrize("kind", ["precursor_RNA", "prim_transcript"])
    def test_unprocessed_transcript_of_a_protein(self, kind):
        coding = [("exon", "11..40"), ("exon", "61..90"), ("CDS", "join(21..40,61..80)")]
        assert runs((kind, "11..90"), *coding) == runs(*coding)


class TestPlaces:
    def test_fuzzy_ends_are_labelled_as_far_as_they_are_stated(self):
        found = runs(("CDS", "join(<11..40,61..>90)"), ("tRNA", "complement((101.105)..120)"))
        assert found == ["+11..40 CDS", "+41..60 intron", "+61..90 CDS", "-101..120 tRNA"]

    def test_letters_of_other_records(self):
        assert labels(("CDS", "join(11..40,B1.1:5..90,121..150)")) == (
            ["+11..40 CDS", "+121..150 CDS"],
            ["partly in another record"],
        )
        assert labels(("CDS", "B1.1:5..90")) == ([], ["in another record"])

    @pytest.mark.parametrize(
        ("location", "reason"),
        [
            ("271..301", "location holds no letters, or not of the record"),
            ("40^41", "location holds no letters, or not of the record"),
            ("somewhere", "location cannot be read"),
            ("?..40", "location cannot be read"),
        ],
    )
    def test_no_place(self, location, reason):
        assert labels(("CDS", location), ("tRNA", "51..60")) == (["+51..60 tRNA"], [reason])

    @pytest.mark.parametrize("mark", [{"pseudo": None}, {"pseudogene": "processed"}])
    @pytest.mark.parametrize("kind", ["CDS", "tRNA", "exon"])
    def test_pseudogenes(self, mark, kind):
        assert labels((kind, "join(11..40,61..90)", mark)) == ([], ["pseudogene"])


def test_what_is_kept_whole():
    text = flat_text(DNA, ("intron", "11..90"), ("CDS", "complement(join(101..130,151..180))"))
    annotation = annotate(parse_genbank(text, "x.gb"))
    assert annotation.genes == [(10, 90), (100, 180)]
    assert annotation.parts == [(150, 180), (100, 130)]
