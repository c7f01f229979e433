# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Where the residues of one sequence lie on another of the same protein. Needs Biopython."""

import numpy as np
from Bio.Align import PairwiseAligner

MOST_CELLS = 400_000_000
"""Pairs of residues that are aligned at most: the aligner holds a byte for each."""


def _aligner() -> PairwiseAligner:
    """Make the aligner of two sequences of one protein.

    What is unlike is rather left out of either (a gap of any length costs 3) than put together
    (1.5 for each residue), but for a residue or three between like ones, which are substitutions.
    Ends that only one of the two has cost nothing.
    """
    aligner = PairwiseAligner(mode="global", match_score=1, mismatch_score=-1.5)
    aligner.open_internal_gap_score, aligner.extend_internal_gap_score = -3, 0
    aligner.end_gap_score = 0
    return aligner


ALIGNER = _aligner()


def align(sequence: str, target: str) -> np.ndarray:
    """Lay a sequence on another that holds it, or parts of it, or a mutant.

    Returns:
        (residues of `sequence`,) their places in `target`, from 0, rising; -1 for none. The letters
        of a pair may differ.

    Raises:
        ValueError: the two are too long to be aligned.
    """
    start = target.find(sequence)
    if start >= 0 and target.find(sequence, start + 1) < 0:
        return np.arange(start, start + len(sequence))
    if len(sequence) * len(target) > MOST_CELLS:
        raise ValueError(f"too long to align: {len(sequence):,} with {len(target):,} residues")
    places = np.full(len(sequence), -1)
    for (first, end), (place, _) in zip(
        *reversed(ALIGNER.align(target, sequence)[0].aligned), strict=True
    ):
        places[first:end] = np.arange(place, place + end - first)
    return places
