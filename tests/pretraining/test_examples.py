# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A record as tokens and labels: facts 2.2 and 2.3, letter by letter."""

import string

import numpy as np
import pytest

from modeling_lucaone.packing import IGNORE
from pretraining.data.records import CLASS_TASKS, KEYWORD_TASK, SPAN_TASKS, LabelledRecord
from pretraining.examples import scale

from .helpers import NUM_LABELS, TOKENIZER, example_maker, rows_of, tiny_recipe

UNMASKED = {"mask_probability": 0.0}  # one letter is masked all the same
NUCLEOTIDES, AMINO_ACIDS = set(range(5, 9)), set(range(10, 30))


def gene(sequence="ACGTACGTAC", **fields):
    return LabelledRecord("g", "gene", sequence, **fields)


def protein(sequence="MKTAYIAKQR", **fields):
    return LabelledRecord("p", "prot", sequence, **fields)


def make(record, seed=0, **fields):
    """Make the example of a record, with fields of the recipe."""
    maker = example_maker(tiny_recipe(**fields))
    return maker(rows_of([record]), 0, np.random.default_rng(seed))


def only(*tasks):
    return {"tasks": {task: tiny_recipe().tasks[task] for task in tasks}}


# --- tokens -------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", [gene(string.ascii_uppercase), protein(string.ascii_uppercase)])
def test_tokens_are_those_of_the_tokenizer(record):
    example = make(record, **only("gene_type", "prot_site"))
    expected = TOKENIZER(record.sequence, seq_type=record.seq_type)
    for name in ("input_ids", "token_type_ids"):
        assert example[name].tolist() == expected[name]


def test_what_is_too_long_is_cut_on_the_right():
    record = protein(
        spans={"prot_site": [(5, 9, 3), (8, 9, 1)]}, coordinates=np.arange(30.0).reshape(10, 3)
    )
    example = make(record, max_length=9, **only("prot_site", "prot_structure"))
    whole = TOKENIZER(record.sequence[:7], seq_type="prot")
    assert example["input_ids"].tolist() == whole["input_ids"]  # seven letters, framed
    assert example["labels"]["prot_site"].tolist() == [IGNORE] * 6 + [3, 3, IGNORE]
    structure = example["labels"]["prot_structure"]
    np.testing.assert_allclose(structure[1:-1, 0], np.arange(7) / 6, rtol=1e-6)
    assert (structure[[0, -1]] == IGNORE).all()


@pytest.mark.parametrize(("letters", "tokens"), [(1, 3), (7, 9), (8, 9), (5_000, 9)])
def test_a_size_is_that_of_the_example(letters, tokens):
    assert example_maker(tiny_recipe(max_length=9)).size(letters) == tokens
    assert len(make(gene("A" * letters), max_length=9)["input_ids"]) == tokens


# --- labels -------------------------------------------------------------------------------------


def test_spans_include_their_ends_and_count_from_behind_cls():
    labels = make(gene(spans={"gene_type": [(0, 0, 4), (3, 5, 2), (9, 9, 0)]}))["labels"]
    expected = [IGNORE, 4, IGNORE, IGNORE, 2, 2, 2, IGNORE, IGNORE, IGNORE, 0, IGNORE]
    assert labels["gene_type"].tolist() == expected


def test_the_later_span_wins():
    spans = {"prot_domain": [(0, 5, 1), (3, 8, 2), (4, 4, 3)], "prot_homo": [(0, 9, 5)]}
    labels = make(protein(spans=spans))["labels"]
    assert labels["prot_domain"].tolist() == [IGNORE, 1, 1, 1, 2, 3, 2, 2, 2, 2, IGNORE, IGNORE]
    assert labels["prot_homo"].tolist() == [IGNORE, *[5] * 10, IGNORE]


@pytest.mark.parametrize("record", [gene(), protein()])
def test_what_is_not_known_is_no_label(record):
    labels = make(record)["labels"]
    mask_task = f"{record.seq_type}_mask"
    assert (labels[mask_task] != IGNORE).any()
    for task, values in labels.items():
        assert task == mask_task or (values == IGNORE).all()
    assert {task: values.shape for task, values in labels.items()} == {
        **dict.fromkeys(("gene_mask", "prot_mask", *SPAN_TASKS), (12,)),
        **dict.fromkeys(CLASS_TASKS, ()),
        KEYWORD_TASK: (NUM_LABELS[KEYWORD_TASK],),
        "prot_structure": (12, 3),
    }


def test_a_class_is_its_label():
    assert make(gene(classes={"gene_taxonomy": 0}))["labels"]["gene_taxonomy"] == 0
    assert make(protein(classes={"prot_taxonomy": 6}))["labels"]["prot_taxonomy"] == 6


def test_absent_keywords_count_or_only_the_present_ones():
    record = protein(keywords=[1, 9])
    both = make(record)["labels"][KEYWORD_TASK]
    published = make(record, keyword_negatives=False)["labels"][KEYWORD_TASK]
    assert both.tolist() == [0, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert published.tolist() == [IGNORE, 1, *[IGNORE] * 7, 1]


@pytest.mark.parametrize("negatives", [True, False])
@pytest.mark.parametrize("record", [gene(), protein()])
def test_without_keywords_nothing_is_said_of_them(record, negatives):
    labels = make(record, keyword_negatives=negatives)["labels"]
    assert (labels[KEYWORD_TASK] == IGNORE).all()


# --- coordinates --------------------------------------------------------------------------------


def test_coordinates_are_scaled_for_each_axis():
    values = np.array([[0, -4, 10], [5, 4, 30], [10, 0, 20]], dtype=np.float32)
    assert scale(values).tolist() == [[0, 0, 0], [0.5, 1, 1], [1, 0.5, 0.5]]


def test_unknown_residues_neither_count_nor_have_labels():
    unknown = [np.nan, 100, -100]
    values = np.array([[0, 0, 0], unknown, [2, 4, 8], [np.nan] * 3, [1, 3, 2]], dtype=np.float32)
    scaled = scale(values)
    assert (scaled[[1, 3]] == IGNORE).all()
    assert scaled[[0, 2, 4]].tolist() == [[0, 0, 0], [1, 1, 1], [0.5, 0.75, 0.25]]


def test_an_axis_without_spread_is_1():
    flat = np.array([[3, 1, 0], [3, 2, 0]], dtype=np.float32)
    assert scale(flat).tolist() == [[1, 0, 1], [1, 1, 1]]
    assert scale(flat[:1]).tolist() == [[1, 1, 1]]


def test_nothing_known_is_nothing_said():
    assert (scale(np.full((4, 3), np.nan, dtype=np.float32)) == IGNORE).all()


def test_large_coordinates_keep_their_differences():
    values = np.array([[1e6, 0, 0], [1e6 + 1, 1, 1], [1e6 + 4, 4, 4]], dtype=np.float32)
    np.testing.assert_allclose(scale(values)[:, 0], [0, 0.25, 1], atol=1e-6)


# --- masks --------------------------------------------------------------------------------------


def masked(record, **fields):
    """Return the letters, those seen, and where something is asked for."""
    plain = TOKENIZER(record.sequence, seq_type=record.seq_type)["input_ids"]
    example = make(record, **{"max_length": 1_000_000, **fields})
    labels = example["labels"][f"{record.seq_type}_mask"]
    return np.array(plain), example["input_ids"], labels


def within(count, of, share):
    """Tell whether a count lies within four standard deviations of what is expected."""
    return abs(count - of * share) < 4 * np.sqrt(of * share * (1 - share))


LONG = {
    "gene": gene("ACGT" * 25_000),
    "prot": protein("ACDEFGHIKLMNPQRSTVWY" * 5_000),
}


@pytest.mark.parametrize("seq_type", LONG)
@pytest.mark.parametrize("letters", ["all", "molecule"])
def test_frequencies_of_masks(seq_type, letters):
    before, seen, labels = masked(LONG[seq_type], random_letters=letters)
    asked = labels != IGNORE
    assert (labels[asked] == before[asked]).all()
    assert (seen[~asked] == before[~asked]).all()
    assert within(asked.sum(), len(before) - 2, 0.15)
    hidden = asked & (seen == 4)
    vocabulary = set(range(39)) if letters == "all" else {*NUCLEOTIDES}
    if letters == "molecule" and seq_type == "prot":
        vocabulary = AMINO_ACIDS
    by_chance = 0.1 / len(vocabulary)
    assert within(hidden.sum(), asked.sum(), 0.8 + (by_chance if letters == "all" else 0))
    assert within((asked & (seen == before)).sum(), asked.sum(), 0.1 + by_chance)
    changed = seen[asked & (seen != before) & (seen != 4)]
    assert set(changed.tolist()) == vocabulary - {4}
    counts = np.bincount(changed, minlength=39)[sorted(vocabulary - {4})]
    expected = len(changed) / len(counts)
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected)).all()


@pytest.mark.parametrize("record", [gene("A"), gene("AC"), protein("MKTAYI")])
def test_at_least_one_letter_is_masked_and_never_the_frame(record):
    for seed in range(100):
        _, seen, labels = masked(record, seed=seed, **UNMASKED)
        assert (labels != IGNORE).sum() == 1
        assert labels[0] == labels[-1] == IGNORE
        assert (seen[0], seen[-1]) == (2, 3)


def test_the_letter_that_is_masked_at_least_is_any():
    places = {int(masked(gene(), seed=seed, **UNMASKED)[2].argmax()) for seed in range(200)}
    assert places == set(range(1, 11))


def test_a_mask_asks_for_nothing_that_was_cut():
    _, seen, labels = masked(LONG["gene"], max_length=12, mask_probability=1.0)
    assert len(seen) == len(labels) == 12
    assert (labels[1:-1] != IGNORE).all()


def test_shares_of_0_and_1():
    record = LONG["prot"]
    before, seen, _ = masked(record, mask_probability=1.0, mask_token_share=1.0, random_share=0.0)
    assert (seen[1:-1] == 4).all()
    _, seen, labels = masked(record, mask_probability=1.0, mask_token_share=0.0, random_share=0.0)
    assert (seen == before).all()
    assert (labels[1:-1] == before[1:-1]).all()


@pytest.mark.parametrize("record", [gene(), protein()])
def test_without_a_mask_task_the_letters_stay(record):
    other = "prot_mask" if record.seq_type == "gene" else "gene_mask"
    example = make(record, mask_probability=1.0, **only(other, "gene_type", "prot_site"))
    plain = TOKENIZER(record.sequence, seq_type=record.seq_type)["input_ids"]
    assert example["input_ids"].tolist() == plain
    assert (example["labels"][other] == IGNORE).all()
    assert example["labels"].keys() == {other, "gene_type", "prot_site"}


def test_the_generator_alone_decides_the_mask():
    first, again, other = (masked(LONG["gene"], seed=seed)[1] for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
