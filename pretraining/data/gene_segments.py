# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Where a long record is cut into segments, so that genes stay whole if they can.

From its beginning on, each segment is as long as it may be and ends

1. at the last place that lies within no gene and no part of one (gene: the extent of a feature,
   introns included),
2. where there is none, at the last place that lies within no part: in an intron or at its end,
3. where there is none, at its greatest length.

Genes and parts on both strands count, but not those that are too long for a segment: they are cut
in consecutive pieces anyway. Segments follow each other without a gap and without overlap.

A circular record is opened at the first place, from its origin on, that lies within no gene.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from .gene_features import Interval


def open_circle(length: int, genes: Sequence[Interval]) -> int:
    """Return where a circular record is opened: the letter that comes first, counted from 0."""
    places = np.flatnonzero(~_within(length, genes))
    return int(places[0]) if len(places) else 0


def cut_segments(
    length: int, genes: Sequence[Interval], parts: Sequence[Interval], most: int, opening: int = 0
) -> Iterator[tuple[int, int]]:
    """Cut a record.

    Args:
        length: letters of the record.
        genes: extents of its features.
        parts: parts of its features.
        most: letters of the longest segment.
        opening: the letter that comes first.

    Returns:
        First letter of each segment and the letter behind its last one, counted from the opening.
    """
    levels = []
    for places in ([*genes, *parts], parts):
        whole = [place for place in places if place.end - place.start <= most]
        levels.append(np.roll(~_within(length, whole), -opening))
    start = 0
    while length - start > most:
        free = (np.flatnonzero(level[start + 1 : start + most + 1]) for level in levels)
        size = next((int(found[-1]) + 1 for found in free if len(found)), most)
        yield start, start + size
        start += size
    yield start, length


def _within(length: int, intervals: Sequence[Interval]) -> np.ndarray:
    """Return for each letter whether a cut before it would divide an interval: (length,) bool."""
    within = np.zeros(length, bool)
    for start, end in intervals:
        within[start + 1 : end] = True
        within[: max(0, end - length)] = True
    return within
