# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The cleaning rule, its report, and the form of an error."""

import dataclasses
import pickle
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sequence_io import CleaningReport, SequenceFileError, SequenceRecord, clean_sequence


def clean(text, **options):
    return clean_sequence(text, path="x.fasta", record="r1", **options)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("ACGT", "ACGT"),
        ("acgTu", "acgTu"),
        (" AC\tGT\r\nAC \n", "ACGTAC"),
        ("MKV*", "MKV"),
        ("--MK.V--", "MKV"),
        ("MKV*--", "MKV"),
        ("MK-V.*", "MKV"),
    ],
)
def test_white_space_gaps_and_one_trailing_stop_go(text, cleaned):
    assert clean(text) == cleaned


def test_keep_gaps_keeps_gaps_and_stops_anywhere():
    report = CleaningReport()
    assert clean(" *M-K.*V* \n", keep_gaps=True, report=report) == "*M-K.*V*"
    assert report == CleaningReport(records=1)


@pytest.mark.parametrize(
    ("text", "character", "position"),
    [
        ("MK*V", "'*'", 3),
        ("MKV**", "'*'", 4),
        ("*MKV", "'*'", 1),
        ("AC GT\n1ACGT", "'1'", 5),
        ("A-C>GT", "'>'", 4),
        ("AC\0GT", r"'\x00'", 3),
        ("MK[MASK]", "'['", 3),
        ("AC\u0410", r"'\u0410'", 3),  # a Cyrillic letter that looks like A
    ],
)
def test_other_characters_name_file_record_position(text, character, position):
    with pytest.raises(SequenceFileError) as caught:
        clean(text, line=9)
    assert str(caught.value) == (
        f"x.fasta: record 'r1' (line 9), position {position}: {character} is not a letter A to Z"
    )


def test_keep_gaps_allows_nothing_else():
    with pytest.raises(SequenceFileError, match=r"record 'r1', position 4: '\+' is not a letter"):
        clean("A-*+", keep_gaps=True)


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_empty_sequence(text):
    with pytest.raises(SequenceFileError) as caught:
        clean(text)
    assert str(caught.value) == "x.fasta: record 'r1': empty sequence"


@pytest.mark.parametrize("text", ["---", "*", "..*-"])
def test_sequence_that_cleaning_empties(text):
    with pytest.raises(SequenceFileError) as caught:
        clean(text)
    assert str(caught.value) == "x.fasta: record 'r1': nothing but gaps or '*' in the sequence"


def test_report_counts_per_record():
    report = CleaningReport()
    for text in ("MKV", "M-K..V*", "MKV*", "M V"):
        clean(text, report=report)
    assert report == CleaningReport(records=4, records_changed=2, gaps_removed=3, stops_removed=2)
    assert report.summary() == "removed 3 gaps and 2 trailing '*' in 2 of 4 records"


def test_report_summary_names_only_what_happened():
    assert CleaningReport().summary() == ""
    assert CleaningReport(records=3).summary() == ""
    one_gap = CleaningReport(records=1, records_changed=1, gaps_removed=1)
    assert one_gap.summary() == "removed 1 gap in 1 of 1 records"
    stops = CleaningReport(records=2000, records_changed=1500, stops_removed=1500)
    assert stops.summary() == "removed 1,500 trailing '*' in 1,500 of 2,000 records"


def test_a_failed_record_is_not_counted():
    report = CleaningReport()
    with pytest.raises(SequenceFileError):
        clean("A-1", report=report)
    assert report == CleaningReport()


def test_errors_are_one_line_whatever_the_names_hold():
    with pytest.raises(SequenceFileError) as caught:
        clean_sequence("1", path="a\nb.csv", record="r\n1")
    assert "\n" not in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_record_is_frozen():
    record = SequenceRecord("a", "ACGT", None)
    assert record.description == ""
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.id = "b"  # type: ignore[misc]


@given(st.text(alphabet=string.ascii_letters + "-.* \n1"))
def test_cleaning_agrees_with_the_rule_letter_by_letter(text):
    squeezed = "".join(c for c in text if not c.isspace())
    expected = squeezed.replace("-", "").replace(".", "")
    stops = expected.endswith("*")
    expected = expected[:-1] if stops else expected
    report = CleaningReport()
    if expected.isalpha():
        assert clean(text, report=report) == expected
        assert report.stops_removed == stops
        assert report.gaps_removed == squeezed.count("-") + squeezed.count(".")
        assert report.records_changed == (expected != squeezed)
    else:
        with pytest.raises(SequenceFileError):
            clean(text, report=report)
