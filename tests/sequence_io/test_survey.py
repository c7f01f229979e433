# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`survey`: totals, the fingerprint, and who votes against the stated molecule type."""

import dataclasses
import weakref
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequence_io import (
    SAMPLE_FASTA,
    SequenceFileError,
    SequenceRecord,
    Survey,
    Votes,
    read_records,
    survey,
)

DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real sequences (../shared/data) are not beside the repository"
)

DNA = "ATGGCGTTTAGCNCATTACGGATCC"
PROTEIN = "MKTAYIAKQRQISFVKSHFSRQLEE"


def against(sequence, seq_type):
    """Whether one record votes against its type; None if it cannot be judged."""
    vote = survey([SequenceRecord("r1", sequence, seq_type)]).votes[seq_type]
    return bool(vote.records_against) if vote.records else None


def test_totals():
    records = [
        SequenceRecord("a", "ACGT" * 6, "gene"),
        SequenceRecord("b", "MK-V*", "prot"),
        SequenceRecord("c", PROTEIN, "prot", "described"),
    ]
    found = survey(iter(records))
    assert (found.records, found.letters, found.longest) == (3, 54, 25)
    assert found.votes == {"gene": Votes(1, 24), "prot": Votes(1, 25)}
    assert found.misread == {"gene": 0, "prot": 0}
    assert found.suspicion() is None


def test_no_records():
    found = survey([])
    assert (found.records, found.letters, found.longest) == (0, 0, 0)
    assert found.suspicion() is None


def test_fingerprint_stays_what_it_is():
    """Files made with an earlier version must still be recognised."""
    records = [SequenceRecord("\u03b2", "acgtN", "gene"), SequenceRecord("b", "MK-*", None)]
    assert survey(records).sha256 == (
        "c0792d655cdec4f972bbc6c33662da93caab884d16aa700ead88da2fd876853d"
    )
    assert survey([]).sha256 == ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


def test_case_and_description_do_not_matter():
    records = [SequenceRecord("a", "acgTU", "gene", "x"), SequenceRecord("b", DNA.lower(), "gene")]
    upper = [SequenceRecord(r.id, r.sequence.upper(), r.seq_type) for r in records]
    assert survey(records) == survey(upper)
    other_id = [dataclasses.replace(records[0], id="A"), records[1]]
    assert survey(other_id).sha256 != survey(records).sha256


PARTS = st.lists(
    st.tuples(
        st.text("AC", max_size=3),
        st.sampled_from([None, "gene", "prot"]),
        st.text("AC", max_size=3),
    ),
    max_size=3,
)


@given(PARTS, PARTS)
def test_different_records_have_different_fingerprints(one, other):
    fingerprints = [
        survey(SequenceRecord(name, sequence, kind) for name, kind, sequence in parts).sha256
        for parts in (one, other)
    ]
    assert (fingerprints[0] == fingerprints[1]) == (one == other)


@pytest.mark.parametrize("change", [str, str.lower])
def test_the_other_kind_is_seen(change):
    assert (against(change(DNA), "gene"), against(change(DNA), "prot")) == (False, True)
    assert (against(change(PROTEIN), "prot"), against(change(PROTEIN), "gene")) == (False, True)
    assert against(change(DNA.replace("T", "U")), "prot") is True


@pytest.mark.parametrize("seq_type", ["gene", "prot"])
@pytest.mark.parametrize(
    "sequence",
    ["GATTACA", "ACT", "MKV", DNA[:19], PROTEIN[:19], "X" * 300 + PROTEIN[:19], "-" * 30],
)
def test_short_records_cannot_be_judged(sequence, seq_type):
    assert against(sequence, seq_type) is None


@pytest.mark.parametrize(
    "sequence",
    [
        "N" * 100,
        "RYSWKMBDHV" * 5,  # IUPAC codes
        "ACGTRYSWKMBDHVN" * 4,
        "ACGT" * 10 + "X" * 60,  # masked
        "A" * 16 + "EFIL",  # exactly 80%
        "--ACGT..ACGT--ACGTACGTACGT*",
    ],
)
def test_what_a_nucleic_acid_may_hold(sequence):
    assert against(sequence, "gene") is False


@pytest.mark.parametrize(
    "sequence",
    [
        "A" * 50,
        "GAGAGS" * 20,  # silk
        "DTASDAAAAAALTAANAKAAAELTAANAAAAAAATAR",  # antifreeze protein of winter flounder
        "GGGGTTTTAAAACCCCGGGL",  # one letter that stands for no nucleotide
        "ACGTN" * 3 + "HHHHH",  # 75%
        "N" * 40,
        "X" * 40,
        "ACGT" * 3 + "MKWHHRYVSDKW" * 2,
    ],
)
def test_what_a_protein_may_hold(sequence):
    assert against(sequence, "prot") is not True


def test_limits_of_the_rule():
    assert against("ACGT" * 4 + "HHHH", "prot") is True  # exactly 80%
    assert against("ACGT" * 4 + "HHHHH", "prot") is False
    assert against("ACG" * 7 + "HH", "prot") is True  # three bases are enough
    assert against("ACA" * 7 + "HH", "prot") is False
    assert against("A" * 15 + "HH" + "EFL", "gene") is True
    assert against("A" * 15 + "HHH" + "EF", "gene") is False  # a tenth is not more than a tenth


def test_suspicion_of_a_protein_file_that_is_dna():
    records = [SequenceRecord(f"r{number}", DNA, "prot") for number in range(1_200)]
    records += [SequenceRecord(f"p{number}", PROTEIN, "prot") for number in range(300)]
    records += [SequenceRecord("short", "MKV", "prot")]
    found = survey(records)
    assert found.misread == {"gene": 0, "prot": 30_000}
    assert found.suspicion() == (
        "1,200 of 1,500 sequences read as prot look like nucleic acids, 80% of the letters "
        "(records 'r0', 'r1', 'r2', ...)"
    )


def test_suspicion_of_few_records():
    assert survey([SequenceRecord("r1", PROTEIN, "gene")]).suspicion() == (
        "1 of 1 sequences read as gene looks like a protein, 100% of the letters (record 'r1')"
    )
    two = [SequenceRecord("r\n1", PROTEIN, "gene"), SequenceRecord("r2", PROTEIN, "gene")]
    assert survey(two).suspicion() == (
        "2 of 2 sequences read as gene look like proteins, 100% of the letters "
        r"(records 'r\n1', 'r2')"
    )


def test_half_of_the_letters_is_not_most():
    records = [SequenceRecord("a", DNA, "gene"), SequenceRecord("b", PROTEIN, "gene")]
    assert survey(records).suspicion() is None
    records += [SequenceRecord("c", PROTEIN, "gene")]
    assert survey(records).suspicion() is not None
    records += [SequenceRecord("chromosome", DNA * 3, "gene")]
    assert survey(records).suspicion() is None


def test_types_are_judged_apart():
    swapped = [SequenceRecord("a", DNA, "prot"), SequenceRecord("b", PROTEIN, "gene")]
    assert survey(swapped).suspicion() == (
        "1 of 1 sequences read as gene looks like a protein, 100% of the letters (record 'b'); "
        "1 of 1 sequences read as prot looks like a nucleic acid, 100% of the letters (record 'a')"
    )
    many_genes = [SequenceRecord("g", DNA * 9, "gene"), SequenceRecord("a", DNA, "prot")]
    assert "read as prot" in str(survey(many_genes).suspicion())


def test_records_without_a_type_have_no_vote():
    found = survey([SequenceRecord("a", DNA, None)])
    assert (found.records, found.votes) == (1, {"gene": Votes(), "prot": Votes()})


@pytest.mark.parametrize("seq_type", ["dna", "Gene", ""])
def test_types_must_be_normalised(seq_type):
    with pytest.raises(
        ValueError, match=rf"^record 'a': the molecule type '{seq_type}' is neither"
    ):
        survey([SequenceRecord("a", DNA, seq_type)])


def test_a_bad_record_in_the_middle_stops_the_survey(tmp_path):
    path = tmp_path / "x.fasta"
    path.write_text(">a\nACGT\n>b\nAC7T\n>c\nACGT\n")
    with pytest.raises(SequenceFileError, match=r"record 'b' \(line 3\), position 3"):
        survey(read_records(path, seq_type="gene"))


def test_one_record_at_a_time():
    class Letters(str):
        """Text that a weak reference can watch."""

    def records():
        watched: list[weakref.ref] = []
        for number in range(20):
            letters = Letters(DNA)
            watched.append(weakref.ref(letters))
            yield SequenceRecord(f"r{number}", letters, "gene")
            del letters
            assert sum(reference() is not None for reference in watched) <= 1

    assert survey(records()).records == 20


def test_the_sample():
    found = survey(read_records(SAMPLE_FASTA, seq_type="header"))
    assert found.suspicion() is None
    assert {kind: vote.records > 0 for kind, vote in found.votes.items()} == {
        "gene": True,
        "prot": True,
    }


@needs_data
@pytest.mark.parametrize(
    ("name", "right", "judged"),
    [
        ("s1-species/species.fasta", "gene", 1_200),
        ("s2-pfam-clans/clans.fasta", "prot", 2_735),
        ("genbank/NC_000932.faa", "prot", 85),
    ],
)
def test_real_files_both_ways(name, right, judged):
    wrong = {"gene": "prot", "prot": "gene"}[right]
    as_it_is, misread = (survey(read_records(DATA / name, seq_type=t)) for t in (right, wrong))
    assert isinstance(as_it_is, Survey)
    assert as_it_is.suspicion() is None
    assert (as_it_is.votes[right].records, as_it_is.votes[right].records_against) == (judged, 0)
    assert str(misread.suspicion()).startswith(
        f"{judged:,} of {judged:,} sequences read as {wrong}"
    )
    assert as_it_is.sha256 != misread.sha256
