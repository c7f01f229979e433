# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Where windows lie and what is kept of each; that their numbers are right: test_embedder.py."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedding.windows import DEFAULT_WINDOW, Window, check_windows, plan_windows

lengths = st.integers(1, 3000)
windows_and_overlaps = st.integers(4, 400).flatmap(
    lambda window: st.tuples(st.just(window), st.integers(0, window - 1))
)


def check_coverage(plan, length, window):
    """Every letter is kept exactly once and in order, from a window that reads it."""
    assert [letter for w in plan for letter in range(w.keep_start, w.keep_stop)] == list(
        range(length)
    )
    for w in plan:
        assert 0 <= w.start <= w.keep_start < w.keep_stop <= w.stop <= length
        assert w.stop - w.start <= window


@given(length=lengths, window_and_overlap=windows_and_overlaps)
def test_the_centre_keeps_every_letter_where_it_has_context_on_both_sides(
    length, window_and_overlap
):
    window, overlap = window_and_overlap
    plan = plan_windows(length, window, overlap)
    check_coverage(plan, length, window)
    if length <= window:
        assert plan == [Window(0, length, 0, length)]
        return
    steps = [after.start - before.start for before, after in itertools.pairwise(plan)]
    assert max(steps) - min(steps) <= 1  # evenly spaced
    assert max(steps) <= window - overlap
    # No fewer would do: n windows reach n * window - (n - 1) * overlap letters.
    assert len(plan) == math.ceil((length - overlap) / (window - overlap))
    for before, after in itertools.pairwise(plan):
        assert before.stop - before.keep_stop >= overlap // 2
        assert after.keep_start - after.start >= overlap // 2


@given(length=lengths, window=st.integers(4, 400))
def test_published_windows_have_half_a_window_before_what_they_keep(length, window):
    plan = plan_windows(length, window, merge="published")
    check_coverage(plan, length, window)
    for w in plan[1:]:
        assert w.keep_start - w.start >= window // 2
        assert w.stop - w.start == 2 * (window // 2)
        assert w.keep_stop == w.stop


@pytest.mark.parametrize("merge", ["centre", "published"])
@pytest.mark.parametrize("length", [1, 9, 10])
def test_what_fits_is_read_whole(length, merge):
    assert plan_windows(length, 10, merge=merge) == [Window(0, length, 0, length)]


def test_windows_of_a_published_example():
    # L0 = 10, so w = 5: the first pass, one step, and the last 10 letters for what is left.
    assert plan_windows(18, 10, merge="published") == [
        Window(0, 10, 0, 10),
        Window(5, 15, 10, 15),
        Window(8, 18, 15, 18),
    ]


def test_the_overlap_is_a_quarter_of_the_window_by_default():
    assert check_windows(1000) == 250
    assert plan_windows(5000, 1000) == plan_windows(5000, 1000, 250)


def test_a_chromosome_needs_as_many_windows_as_it_has_letters_to_step_over():
    plan = plan_windows(250_000_000)
    assert len(plan) == math.ceil((250_000_000 - 4_096) / (DEFAULT_WINDOW - 4_096))


@pytest.mark.parametrize(
    ("window", "overlap", "merge", "message"),
    [
        (3, None, "centre", "window of 3 letters is too short; 4 are the least"),
        (100, 100, "centre", "overlap of 100 letters is not shorter than the window, 100"),
        (100, -1, "centre", "overlap of -1 letters is less than none"),
        (100, 20, "published", "merge published has its own overlap, half a window"),
        (100, None, "average", "unknown merge 'average'; known are centre, published"),
    ],
)
def test_windows_that_cannot_be(window, overlap, merge, message):
    with pytest.raises(ValueError, match=message):
        check_windows(window, overlap, merge)
    with pytest.raises(ValueError, match=message):
        plan_windows(1000, window, overlap, merge)
