# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Secondary structure: residues in helices, strands and turns, one side of them to the core."""

from dataclasses import dataclass
from itertools import cycle

import numpy as np
from numpy.random import Generator

from .alphabet import AMINO_ACIDS, COMPOSITION

# How much more often than elsewhere amino acids are in helices, strands and turns (Chou and
# Fasman 1978), and how hydrophobic they are (Kyte and Doolittle 1982), in the order of PROTEIN.
HELIX = np.array(
    [
        *(1.42, 0.70, 1.01, 1.51, 1.13, 0.57, 1.00, 1.08, 1.16, 1.21),
        *(1.45, 0.67, 0.57, 1.11, 0.98, 0.77, 0.83, 1.06, 1.08, 0.69),
    ]
)
STRAND = np.array(
    [
        *(0.83, 1.19, 0.54, 0.37, 1.38, 0.75, 0.87, 1.60, 0.74, 1.30),
        *(1.05, 0.89, 0.55, 1.10, 0.93, 0.75, 1.19, 1.70, 1.37, 1.47),
    ]
)
TURN = np.array(
    [
        *(0.66, 1.19, 1.46, 0.74, 0.60, 1.56, 0.95, 0.47, 1.01, 0.59),
        *(0.60, 1.56, 1.52, 0.98, 0.95, 1.43, 0.96, 0.50, 0.96, 1.14),
    ]
)
HYDROPATHY = np.array(
    [
        *(1.8, 2.5, -3.5, -3.5, 2.8, -0.4, -3.2, 4.5, -3.9, 3.8),
        *(1.9, -3.5, -1.6, -3.5, -4.5, -0.8, -0.7, 4.2, -0.9, -1.3),
    ]
)
# How sharply elements follow their propensities; how much more frequent hydrophobic residues are on
# the side of the core, in nats per unit of hydropathy; and how far the composition of a stretch
# lies from that of others, in nats.
SHARPNESS, BURIAL, OWN_COMPOSITION = 1.5, 0.2, 0.25
Span = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Element:
    """A kind of secondary structure.

    Attributes:
        name: as it stands in spans; none for turns.
        propensity: (20,) log of how much more often than elsewhere each amino acid is in it.
        angle: between the side chains of neighbours, in degrees.
        length: least number of residues, and the first that is too many.
    """

    name: str
    propensity: np.ndarray
    angle: float
    length: tuple[int, int]


_HELIX = Element("helix", SHARPNESS * np.log(HELIX), 100, (8, 22))
_STRAND = Element("strand", SHARPNESS * np.log(STRAND), 170, (4, 10))
_TURN = Element("", SHARPNESS * np.log(TURN), 90, (2, 9))
# A helix through a membrane is hydrophobic on all sides.
_MEMBRANE = Element("helix", _HELIX.propensity + 0.35 * HYDROPATHY, 100, (18, 26))
# What follows each turn, again and again.
FOLDS = {
    "all-alpha": (_HELIX,),
    "all-beta": (_STRAND,),
    "alpha-beta": (_STRAND, _HELIX),
    "membrane": (_MEMBRANE,),
}
DISORDERED = "disordered"


def draw_fold(random: Generator, fold: str, length: int) -> tuple[np.ndarray, list[Span]]:
    """Draw a stretch of residues.

    Args:
        random: decides.
        fold: of `FOLDS`, or `DISORDERED`: nothing but turns.
        length: residues.

    Returns:
        Numbered residues, and the spans (first, last, name) of helices and strands.
    """
    shares = np.log(COMPOSITION) + random.normal(0, OWN_COMPOSITION, AMINO_ACIDS)
    weights, spans, start = np.empty((length, AMINO_ACIDS)), [], 0
    for element in cycle(
        (_TURN,) if fold == DISORDERED else [e for one in FOLDS[fold] for e in (_TURN, one)]
    ):
        size = min(int(random.integers(*element.length)), length - start)
        turned = np.radians(element.angle) * np.arange(size) + random.uniform(0, 2 * np.pi)
        inside = BURIAL * np.cos(turned) if element.name else np.zeros(size)
        weights[start : start + size] = shares + element.propensity + inside[:, None] * HYDROPATHY
        if element.name:
            spans.append((start, start + size - 1, element.name))
        start += size
        if start == length:
            break
    return (weights + random.gumbel(size=weights.shape)).argmax(axis=1), spans
