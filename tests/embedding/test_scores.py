# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Scores of variants, compared with `[MASK]` in the text and one text at a time in the model."""

import itertools
import re

import numpy as np
import pytest
import torch

from embedding.scoring.methods import METHODS
from embedding.scoring.scorer import Scorer
from embedding.scoring.variants import LETTERS
from embedding.windows import plan_windows
from modeling_lucaone import LucaOneForMaskedLM, LucaOneModel
from tests.helpers import GOLDEN, SAME_LIMIT, relative_l2
from tokenization import LucaOneTokenizerFast

HUB = GOLDEN / "hub-tiny"
PROTEIN = "MKTAYIAKXRQISFVKSHFS"
CASES = {
    "protein": (PROTEIN, "prot", ["A4V", "k2r", "X9L", "S20P:M1L:A7G", "A4C"]),
    "dna": ("ACGTTGCANGGATCC", "dna", ["A1T", "N9C", "c15g:g3a", "T4A"]),
    "rna": ("ACGUUGCANGGAUCC", "rna", ["A1U", "N9C", "C15G:u13a", "T4A"]),
}
LONG = "MSPQTETKASVGFKAGVKDYKLTYYTPEWHNCRILMAAKQ"


@pytest.fixture(scope="module")
def scorer():
    return Scorer(HUB, device="cpu")


@pytest.fixture(scope="module")
def plain():
    """Log-probabilities (letters, tokens) of a text, some of whose letters may be masked."""
    model, tokenizer = LucaOneForMaskedLM.from_pretrained(HUB).eval(), LucaOneTokenizerFast()

    def log_probabilities(text, seq_type, masked=()):
        letters = ["[MASK]" if i in masked else letter for i, letter in enumerate(text)]
        inputs = tokenizer("".join(letters), seq_type=seq_type, return_tensors="pt")
        with torch.no_grad():
            return model(**inputs).logits[0, 1:-1].log_softmax(-1)

    def token(letter, seq_type):
        return tokenizer(letter, seq_type=seq_type)["input_ids"][1]

    log_probabilities.token = token
    return log_probabilities


def read(variant):
    """Return positions from 0, old and new letters of a variant."""
    parts = [re.fullmatch(r"(\D)(\d+)(\D)", part).groups() for part in variant.split(":")]
    return [(int(position) - 1, old, new) for old, position, new in parts]


def plain_ratio(plain, rows, variant, seq_type):
    return sum(
        rows[place, plain.token(new, seq_type)] - rows[place, plain.token(old, seq_type)]
        for place, old, new in read(variant)
    )


def plain_masked(plain, text, variant, seq_type):
    rows = plain(text, seq_type, {place for place, _, _ in read(variant)})
    return plain_ratio(plain, rows, variant, seq_type)


def plain_wild_type(plain, text, variant, seq_type):
    return plain_ratio(plain, plain(text, seq_type), variant, seq_type)


def plain_likelihood(plain, text, seq_type):
    return sum(
        plain(text, seq_type, {i})[i, plain.token(letter, seq_type)]
        for i, letter in enumerate(text)
    )


def mutated(text, variant):
    letters = list(text)
    for place, _, new in read(variant):
        letters[place] = new
    return "".join(letters)


def plain_difference(plain, text, variant, seq_type):
    mutant = plain_likelihood(plain, mutated(text, variant), seq_type)
    return mutant - plain_likelihood(plain, text, seq_type)


PLAIN = {
    "masked-marginal": plain_masked,
    "wt-marginal": plain_wild_type,
    "pseudo-log-likelihood": plain_difference,
}


def close(result, expected):
    return relative_l2(torch.as_tensor(result), torch.as_tensor(expected)) <= SAME_LIMIT


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", CASES)
def test_scores_are_those_of_the_definition(scorer, plain, case, method):
    text, seq_type, variants = CASES[case]
    expected = [PLAIN[method](plain, text, variant, seq_type) for variant in variants]
    result = scorer.score(text, variants, seq_type, method=method)
    assert result.shape == (len(variants),) and result.dtype == np.float64
    assert close(result, expected)


@pytest.mark.parametrize("case", CASES)
def test_likelihoods_of_letters_are_those_of_the_definition(scorer, plain, case):
    text, seq_type, _ = CASES[case]
    result = scorer.log_likelihoods(text, seq_type)
    assert result.shape == (len(text),)
    assert close(result.sum(), plain_likelihood(plain, text, seq_type))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("text", "seq_type"), [("MKTXA", "prot"), ("ACGUN", "gene")])
def test_a_scan_holds_the_score_of_every_substitution(scorer, text, seq_type, method):
    matrix = scorer.scan(text, seq_type, method=method)
    assert matrix.shape == (len(text), len(LETTERS[seq_type]))
    places = list(itertools.product(range(len(text)), range(len(LETTERS[seq_type]))))
    chosen = [(i, j) for i, j in places if LETTERS[seq_type][j] != text[i].replace("U", "T")]
    assert all(matrix[i, j] == 0 for i, j in places if (i, j) not in chosen)
    variants = [f"{text[i]}{i + 1}{LETTERS[seq_type][j]}" for i, j in chosen]
    scores = scorer.score(text, variants, seq_type, method=method)
    assert close(matrix[tuple(zip(*chosen, strict=True))], scores)


def test_rna_is_scored_as_dna_and_lower_case_as_upper(scorer):
    expected = scorer.scan("ACGTTGCA", "dna")
    for text in ("ACGUUGCA", "acguugca"):
        assert np.array_equal(scorer.scan(text, "rna"), expected)


@pytest.mark.parametrize("tokens_per_batch", [1, 50, 10_000])
@pytest.mark.parametrize("group_letters", [1, 100, 2**20])
def test_how_passes_are_batched_does_not_matter(
    scorer, monkeypatch, tokens_per_batch, group_letters
):
    monkeypatch.setattr("embedding.scoring.scorer.GROUP_LETTERS", group_letters)
    other = Scorer(HUB, device="cpu", tokens_per_batch=tokens_per_batch)
    for method in METHODS:
        expected = scorer.score(PROTEIN, ["A4V", "K2R:S20P"], "prot", method=method)
        assert close(other.score(PROTEIN, ["A4V", "K2R:S20P"], "prot", method=method), expected)


def test_the_order_and_duplicates_of_variants_are_kept(scorer):
    variants = ["S20P", "A4V", "S20P", "a7g:A4V", "A4V:A7G", "A4V"]
    for method in METHODS:
        scores = scorer.score(PROTEIN, variants, "prot", method=method)
        one_by_one = [scorer.score(PROTEIN, [one], "prot", method=method)[0] for one in variants]
        assert close(scores, one_by_one)
        assert scores[0] == scores[2] and scores[1] == scores[5] and scores[3] == scores[4]


def letters_read(scorer, work):
    before = scorer.runner.real_tokens
    work()
    return scorer.runner.real_tokens - before


def test_what_the_methods_cost(scorer):
    length = len(PROTEIN)
    one_pass = length + 2

    def cost(method, variants=None):
        if variants is None:
            return letters_read(scorer, lambda: scorer.scan(PROTEIN, "prot", method=method))
        return letters_read(scorer, lambda: scorer.score(PROTEIN, variants, "prot", method=method))

    assert cost("masked-marginal") == length * one_pass
    assert cost("masked-marginal", ["A4V", "A4C", "K2R", "K2R:A4V", "K2M:A4L"]) == 3 * one_pass
    assert cost("wt-marginal") == one_pass
    assert cost("pseudo-log-likelihood", ["A4V", "K2R"]) == 3 * length * one_pass


@pytest.mark.parametrize("window", [7, 8])
@pytest.mark.parametrize("position", [1, 3, 4, 5, 20, 36, 37, 38, 40])
def test_a_masked_position_has_the_middle_of_its_window(scorer, plain, window, position):
    old = LONG[position - 1]
    new = "A" if old != "A" else "V"
    start = min(max(position - 1 - window // 2, 0), len(LONG) - window)
    shifted = f"{old}{position - start}{new}"
    expected = plain_masked(plain, LONG[start : start + window], shifted, "prot")
    assert close(scorer.score(LONG, [f"{old}{position}{new}"], "prot", window=window), [expected])


def test_several_masked_positions_have_the_middle_of_their_window(scorer, plain):
    # Positions 11 to 16 in a window of 10: two letters before and two behind.
    variant, shifted = "V11A:V17A:K14L", "V3A:V9A:K6L"
    assert len(LONG[8:19]) == 11
    expected = plain_masked(plain, LONG[8:19], shifted, "prot")
    assert close(scorer.score(LONG, [variant], "prot", window=11), [expected])


def test_wt_marginals_of_a_long_sequence_come_from_the_windows_that_keep_them(scorer, plain):
    rows = torch.empty(len(LONG), 39)
    for start, stop, first, last in plan_windows(len(LONG), 12, 5):
        rows[first:last] = plain(LONG[start:stop], "prot")[first - start : last - start]
    variants = ["M1A", "K14L", "V17A:Q40L", "L22M"]
    expected = [plain_ratio(plain, rows, variant, "prot") for variant in variants]
    result = scorer.score(LONG, variants, "prot", method="wt-marginal", window=12, overlap=5)
    assert close(result, expected)


@pytest.mark.parametrize("window", [7, 8])
def test_likelihoods_of_a_long_sequence_are_read_in_windows(scorer, plain, window):
    def windowed(text):
        total = 0
        for i, letter in enumerate(text):
            start = min(max(i - window // 2, 0), len(text) - window)
            row = plain(text[start : start + window], "prot", {i - start})[i - start]
            total += row[plain.token(letter, "prot")]
        return total

    variants = ["M1A", "K14L", "V17A:Q40L"]
    expected = [windowed(mutated(LONG, variant)) - windowed(LONG) for variant in variants]
    options = {"method": "pseudo-log-likelihood", "window": window}
    assert close(scorer.score(LONG, variants, "prot", **options), expected)
    assert close(scorer.log_likelihoods(LONG, "prot", window=window).sum(), windowed(LONG))


def test_equal_terms_of_two_likelihoods_are_not_computed(scorer):
    options = {"method": "pseudo-log-likelihood", "window": 8}
    read = letters_read(scorer, lambda: scorer.score(LONG, ["K14L"], "prot", **options))
    assert read == 2 * 8 * (8 + 2)  # the 8 windows that hold the position, of two sequences


def test_a_long_gene_is_read_in_windows_only(scorer):
    gene = "ACGTTGCA" * 2_500
    longest = []
    handle = scorer.model.lucaone.register_forward_pre_hook(
        lambda module, args, kwargs: longest.append(max(kwargs["cu_seq_lens_q"].diff()).item()),
        with_kwargs=True,
    )
    try:
        for method in METHODS:
            variants = ["A1C", "A10001G", "A19993G:A20000T"]
            scores = scorer.score(gene, variants, "gene", method=method, window=60)
            assert np.isfinite(scores).all() and scores.all()
    finally:
        handle.remove()
    assert max(longest) == 62


@pytest.mark.parametrize(
    ("variant", "options", "message"),
    [
        ("V4A", {}, "variant 'V4A': the sequence has A, not V, at position 4"),
        ("A21V", {}, "variant 'A21V': there is no position 21 in a sequence of 20 letters"),
        ("A0V", {}, "variant 'A0V': there is no position 0"),
        ("A4B", {}, "variant 'A4B': B is none of the letters ACDEFGHIKLMNPQRSTVWY"),
        ("A4A", {}, "variant 'A4A': A is replaced by itself"),
        ("A4V:A4C", {}, "variant 'A4V:A4C': position 4 is named twice"),
        ("A4V:", {}, "variant 'A4V:': '' is no substitution such as A12C"),
        ("A4V,K2R", {}, "'A4V,K2R' is no substitution such as A12C; several are joined by a colon"),
        ("p.Ala4Val", {}, "'p.Ala4Val' is no substitution"),
        ("A4*", {}, r"'A4\*' is no substitution"),
        ("A4V:S20P", {"window": 16}, "positions span 17 letters.*one window of 16"),
        ("A4V", {"window": 3}, "a window of 3 letters is too short"),
        ("A4V", {"method": "entropy"}, "unknown method 'entropy'; known are masked-marginal, wt-"),
        ("A4V", {"seq_type": "fish"}, "unknown seq_type 'fish'"),
        ("A4V", {"seq_type": None}, "unknown seq_type None"),
    ],
)
def test_what_cannot_be_scored(scorer, variant, options, message):
    with pytest.raises(ValueError, match=message):
        scorer.score(PROTEIN, [variant], **{"seq_type": "prot"} | options)


def test_positions_may_lie_far_apart_where_they_are_not_masked_together(scorer):
    for method in ("wt-marginal", "pseudo-log-likelihood"):
        score = scorer.score(PROTEIN, ["A4V:S20P"], "prot", method=method, window=16)
        assert np.isfinite(score).all()


@pytest.mark.parametrize("text", ["", "MK[MASK]T", "MK1T"])
def test_a_sequence_that_is_none(scorer, text):
    with pytest.raises(ValueError, match="sequences: record '0'"):
        scorer.scan(text, "prot")


def test_a_nucleic_acid_has_four_letters(scorer):
    with pytest.raises(ValueError, match="N is none of the letters ACGT"):
        scorer.score("ACGT", ["A1N"], "gene")
    with pytest.raises(ValueError, match="the sequence has T, not A"):
        scorer.score("ACGU", ["A4G"], "rna")


def test_the_lm_head_must_be_there(tmp_path):
    LucaOneModel.from_pretrained(HUB).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"tensor lm_head\.\S+ is missing"):
        Scorer(tmp_path, device="cpu")
