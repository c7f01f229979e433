# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Coordinates of a chain laid on the sequence of its protein."""

from typing import NamedTuple

import numpy as np

from sequence_io.alignment import align
from sequence_io.structures import Chain

LEAST_IDENTITY = 0.9
"""Share of equal letters among those laid on each other. Mutants and strains of a protein have
more; with less the chain is of another protein, whatever the file says."""


class Fit(NamedTuple):
    """A chain on a protein.

    Attributes:
        coordinates: (residues of the protein, 3) in angstrom, fp32; NaN where the chain has no
            atom, no residue or another one.
        identity: share of equal letters among those laid on each other.
        coverage: share of the protein's residues that have coordinates.
    """

    coordinates: np.ndarray
    identity: float
    coverage: float


def fit_chain(chain: Chain, sequence: str) -> Fit:
    """Lay a chain on a protein.

    Raises:
        ValueError: the two are too long to be aligned.
    """
    places = align(chain.sequence, sequence)
    laid = np.flatnonzero(places >= 0)
    letters, own = (np.frombuffer(text.encode(), np.uint8) for text in (sequence, chain.sequence))
    same = laid[letters[places[laid]] == own[laid]]
    coordinates = np.full((len(sequence), 3), np.nan, np.float32)
    coordinates[places[same]] = chain.coordinates[same]
    located = np.isfinite(coordinates[:, 0]).mean()
    return Fit(coordinates, len(same) / max(len(laid), 1), float(located))
