# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Where long records are cut."""

import random

import pytest

from pretraining.data.gene_features import Interval
from pretraining.data.gene_segments import cut_segments, open_circle


def cut(length, genes=(), parts=(), most=100, **options):
    genes, parts = ([Interval(*place) for place in places] for places in (genes, parts))
    segments = list(cut_segments(length, genes, parts, most, **options))
    assert [start for start, _ in segments] == [0, *(end for _, end in segments[:-1])]
    assert segments[-1][1] == length and all(end - start <= most for start, end in segments)
    return [start for start, _ in segments[1:]]


def test_nothing_to_keep_whole():
    assert cut(100) == []
    assert cut(250) == [100, 200]


def test_gene_that_fits_begins_a_segment():
    assert cut(250, genes=[(60, 155)]) == [60, 160]
    assert cut(250, genes=[(60, 100)]) == [100, 200]


def test_segments_end_as_late_as_they_may():
    genes = [(0, 30), (30, 60), (60, 90), (90, 120), (120, 150)]
    assert cut(150, genes) == [90]


def test_long_gene_is_cut_in_introns():
    parts = [(20, 80), (140, 190), (230, 280)]
    assert cut(280, genes=[(20, 280)], parts=parts) == [100, 200]
    parts = [(20, 120), (150, 210), (230, 300)]
    assert cut(300, genes=[(20, 300)], parts=parts) == [20, 120, 220]


def test_long_part_is_cut_in_consecutive_pieces():
    assert cut(400, genes=[(50, 330)], parts=[(50, 330)]) == [100, 200, 300]


def test_cluster_that_does_not_fit_keeps_its_parts():
    # Two genes overlap in an intron of one.
    genes, parts = [(10, 100), (70, 160)], [(10, 60), (90, 100), (70, 80), (120, 160)]
    assert cut(160, genes, parts) == [10, 110]
    # Where parts overlap as well, nothing is to be kept.
    assert cut(160, genes, [(10, 100), (70, 160)]) == [10, 110]


def test_circle_opens_outside_genes():
    assert open_circle(300, [Interval(10, 60)]) == 0
    assert open_circle(300, [Interval(250, 320)]) == 20
    assert open_circle(300, [Interval(250, 320), Interval(15, 60), Interval(60, 90)]) == 60
    # A place where one gene begins and another ends divides none; here there is none.
    assert open_circle(300, [Interval(250, 420), Interval(100, 260)]) == 0
    genes = [Interval(250, 320)]
    assert cut(300, genes, genes, opening=20) == [100, 200]
    assert cut(300, genes, genes, opening=240) == [100, 200]
    assert cut(300, genes, genes, opening=170) == [80, 180, 280]


@pytest.mark.parametrize("seed", range(20))
def test_genes_that_fit_stay_whole(seed):
    chance = random.Random(seed)
    genes, end = [], 0
    while end < 3000:
        start = end + chance.randrange(60)
        end = start + chance.randrange(1, 220)
        genes.append((start, end))
    cuts = cut(end, genes, genes)
    divided = [(start, end) for start, end in genes if any(start < place < end for place in cuts)]
    assert divided and all(end - start > 100 for start, end in divided)
