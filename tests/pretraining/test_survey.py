# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The look through the records: what it counts, what it stops at, what chance would say."""

import math

import numpy as np
import pytest

from pretraining.corpus import find_groups, find_shards
from pretraining.data.records import TASKS, LabelledRecord
from pretraining.survey import constant_logits, look_through

from .helpers import NUM_LABELS, example_maker, random_records, tiny_tasks, write_folder

NAN = float("nan")
RECORDS = [
    LabelledRecord("g0", "gene", "AACGN", spans={"gene_type": [(0, 1, 2), (3, 4, 0)]}),
    LabelledRecord("g1", "gene", "UTT", spans={"gene_type": [(0, 2, 2)]}),
    LabelledRecord("g2", "gene", "C", classes={"gene_taxonomy": 3}),
    LabelledRecord("p0", "prot", "MKT", keywords=[1, 4], classes={"prot_taxonomy": 1}),
    LabelledRecord("p1", "prot", "MM", keywords=[1], classes={"prot_taxonomy": 1}),
    LabelledRecord("p2", "prot", "MKTA", spans={"prot_site": [(0, 0, 3)]}),
    LabelledRecord(
        "p3", "prot", "AAAA", coordinates=np.array([[0, 0, 0], [1, 4, 5], [NAN] * 3, [4, 1, 5]])
    ),
]


def groups_of(folder, records, per_shard=2):
    return find_groups(find_shards([write_folder(folder, records, per_shard)]))


@pytest.fixture
def survey(tmp_path):
    return look_through(groups_of(tmp_path, RECORDS), NUM_LABELS)


def test_records_and_letters(survey):
    assert survey.records == {"gene": 3, "prot": 4}
    assert survey.letters == {"gene": 9, "prot": 13}
    assert survey.longest == {"gene": 5, "prot": 4}


def test_labels_are_counted_by_letters_or_by_records(survey):
    counts = {task: found.tolist() for task, found in survey.counts.items()}
    assert counts["gene_type"] == [2, 0, 5]
    assert counts["gene_taxonomy"] == [0, 0, 0, 1]
    assert counts["prot_taxonomy"] == [0, 2]
    assert counts["prot_keyword"] == [0, 2, 0, 0, 1]
    assert counts["prot_site"] == [0, 0, 0, 1]
    assert counts["prot_homo"] == counts["prot_domain"] == []
    letters = {chr(byte): n for byte, n in enumerate(counts["prot_mask"]) if n}
    assert letters == {"M": 4, "K": 2, "T": 2, "A": 5}


def test_labelled_records(survey):
    assert survey.labelled == {
        "gene_mask": 3,
        "gene_type": 2,
        "gene_taxonomy": 1,
        "prot_mask": 4,
        "prot_homo": 0,
        "prot_site": 1,
        "prot_domain": 0,
        "prot_taxonomy": 2,
        "prot_keyword": 2,
        "prot_structure": 1,
    }


def test_largest_labels(survey):
    assert survey.largest_label("gene_type") == 2
    assert survey.largest_label("prot_keyword") == 4
    assert survey.largest_label("prot_homo") == -1
    assert survey.largest_label("unheard") == -1


def test_the_median_is_that_of_the_scaled_coordinates(survey):
    assert survey.median == [0.25, 0.25, 1.0]


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
def test_coordinates_of_which_none_is_known_are_no_label(tmp_path):
    record = LabelledRecord("p", "prot", "MK", coordinates=np.full((2, 3), NAN))
    survey = look_through(groups_of(tmp_path, [record]), NUM_LABELS)
    assert not survey.labelled.get("prot_structure")
    assert survey.median == [0.5, 0.5, 0.5]


def test_it_is_told_in_lines(survey):
    lines = str(survey).splitlines()
    assert lines[0] == "gene: 3 records, 9 letters, longest 5"
    assert "  prot_keyword: 2 labelled, 2 labels" in lines
    assert "  prot_structure: 1 labelled" in lines


def test_the_sizes_of_shards_do_not_matter(tmp_path):
    records = random_records(9, 14)
    surveys = [
        look_through(groups_of(tmp_path / str(size), records, size), NUM_LABELS)
        for size in (1, 4, 100)
    ]
    for other in surveys[1:]:
        assert str(other) == str(surveys[0])
        assert other.median == pytest.approx(surveys[0].median)
        for task, counts in surveys[0].counts.items():
            assert other.counts[task].tolist() == counts.tolist()


def test_every_record_is_looked_at(tmp_path):
    records = random_records(6, 6)
    records[5].spans = {"gene_type": [(0, 99, 0)]}
    with pytest.raises(ValueError, match=r"gene-00002\.parquet: record gene-5: gene_type: span 0"):
        look_through(groups_of(tmp_path, records), NUM_LABELS)


def test_some_records_are_whole_groups_from_first_to_last(tmp_path):
    """And the last group is among them, where a folder's odd records often are."""
    groups = groups_of(tmp_path, random_records(20, 0), per_shard=2)
    survey = look_through(groups, NUM_LABELS, records=6)
    assert survey.labelled["gene_mask"] == 6
    (tmp_path / "gene-00009.parquet").unlink()
    with pytest.raises(ValueError, match=r"gene-00009\.parquet: the shard has vanished"):
        look_through(groups, NUM_LABELS, records=6)


def test_a_part_is_told_as_a_part(tmp_path):
    groups = groups_of(tmp_path, [LabelledRecord("g", "gene", "ACGT")] * 20)
    first = str(look_through(groups, NUM_LABELS, records=4)).splitlines()[0]
    assert "20 records, 16 letters" not in first


# --- what a model without inputs would say ------------------------------------------------------


def test_frequencies_of_labels(survey):
    tasks = tiny_tasks()
    logits = constant_logits(survey, tasks, example_maker().tokens)
    assert logits.keys() == set(TASKS)
    for task, row in logits.items():
        assert row.shape == (tasks[task]["num_labels"],)
    np.testing.assert_allclose(np.exp(logits["gene_type"]), np.array([3, 1, 6, 1, 1, 1, 1, 1]) / 15)
    np.testing.assert_allclose(np.exp(logits["gene_taxonomy"]), np.array([1, 1, 1, 2]) / 5)
    np.testing.assert_allclose(np.exp(logits["prot_homo"]), np.full(6, 1 / 6))
    assert logits["prot_structure"].tolist() == [0.25, 0.25, 1.0]


def test_frequencies_of_letters_are_those_of_their_tokens(survey):
    """U and T are one, and whatever else is no nucleotide is N."""
    odds = np.exp(constant_logits(survey, tiny_tasks(), example_maker().tokens)["gene_mask"])
    expected = np.ones(39)
    expected[5:10] += [2, 3, 2, 1, 1]  # A, T, C, G, N
    np.testing.assert_allclose(odds, expected / expected.sum())


def test_log_odds_of_keywords_are_among_the_proteins_that_have_some(survey):
    logits = constant_logits(survey, tiny_tasks(), example_maker().tokens)["prot_keyword"]
    # Two proteins have keywords; one more with and one more without are counted for each.
    assert logits[1] == pytest.approx(math.log(3 / 1))
    assert logits[4] == pytest.approx(math.log(2 / 2))
    assert logits[0] == pytest.approx(math.log(1 / 3))
