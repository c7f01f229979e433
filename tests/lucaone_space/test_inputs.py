# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a visitor pastes."""

import pytest

from lucaone_space.inputs import Limits, read_one, read_sequences

LIMITS = Limits(letters=12, sequences=2, characters=60)


def test_fasta():
    read = read_sequences("\r\n>a first\r\nMKT\r\nAY*\r\n>b\nM-K\n", "prot", LIMITS)
    assert [(one.id, one.sequence, one.seq_type) for one in read.records] == [
        ("a", "MKTAY", "prot"),
        ("b", "MK", "prot"),
    ]
    assert read.notes == ["removed 1 gap and 1 trailing '*' in 2 of 2 records"]


def test_plain_letters_are_one_sequence():
    (record,) = read_sequences("acg u\nACG\n", "gene", LIMITS).records
    assert (record.sequence, record.seq_type) == ("acguACG", "gene")


def test_the_other_molecule_is_noticed():
    limits = Limits()
    assert read_sequences("MDDREDLVYQAKLAEQAERYDEMV", "prot", limits).notes == []
    (note,) = read_sequences("MDDREDLVYQAKLAEQAERYDEMV", "gene", limits).notes
    assert note == "sequence looks like protein, but is read as DNA or RNA"
    text = ">a\nMDDREDLVYQAKLAEQAERYDEMV\n>b\nACGTACGTACGTACGTACGTA\n"
    (note,) = read_sequences(text, "gene", limits).notes
    assert note == "1 of 2 sequences looks like protein; all are read as DNA or RNA"
    (note,) = read_sequences("ACGT" * 6, "prot", limits, unnamed="protein").notes
    assert note == "protein looks like DNA or RNA, but is read as protein"


@pytest.mark.parametrize(
    ("text", "seq_type", "problem"),
    [
        (None, "gene", "the text is empty"),
        (" \n ", "gene", "the text is empty"),
        ("ACGT", None, "say whether the letters are DNA or RNA or protein"),
        ("ACGT", "header", "say whether the letters are DNA or RNA or protein"),
        ("A" * 61, "gene", "the text has 61 characters; the limit is 60"),
        (">a\n" + "A" * 13, "gene", "record 'a' has 13 letters; the limit is 12"),
        (">a\nACGT\n>b\nAC1T", "gene", "the text: record 'b' (line 3), position 3: '1' is not"),
        ("/etc/passwd", "gene", "record 'sequence', position 1: '/' is not a letter"),
        ("file:///etc/passwd", "prot", "position 5: ':' is not a letter"),
        (">a\n\n>b\nAC", "gene", "record 'a' (line 1): empty sequence"),
        (">\nAC", "gene", "line 1: a header without an id"),
    ],
)
def test_bad_input_is_one_line(text, seq_type, problem):
    with pytest.raises(ValueError) as caught:
        read_sequences(text, seq_type, LIMITS)
    assert problem in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_one_sequence_where_one_is_wanted():
    assert read_one(">a\nAC", "gene", LIMITS, "the DNA").records[0].id == "a"
    with pytest.raises(ValueError, match="the DNA holds 2 sequences; give one at a time"):
        read_one(">a\nAC\n>b\nAC", "gene", LIMITS, "the DNA")


def test_limits_are_positive():
    with pytest.raises(ValueError, match="letters 0: a limit is 1 at least"):
        Limits(letters=0)
