# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The embeddings of several sequences as points on a plane."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from embedding.embedder import Embedder
from embedding.mapping.figures import COLOURS, NO_LABEL, OTHER
from embedding.mapping.options import LEAST_RECORDS, METHODS, MapOptions
from sequence_io import SequenceRecord

# Per cent of the width and height that are left free at each side.
MARGIN = 6.0
SHAPES = ("disc", "square", "diamond", "triangle")
# With so many points there is room for all names.
FEW = 8


@dataclass(frozen=True)
class Point:
    """A sequence on the map.

    Attributes:
        id: its id.
        letters: how many it has.
        left: its place, in per cent of the width, from the left.
        top: the same of the height, from the top.
        label: what it is coloured by; empty for nothing.
        colour: as of CSS.
        shape: one of `SHAPES`.
    """

    id: str
    letters: int
    left: float
    top: float
    label: str
    colour: str
    shape: str


@dataclass(frozen=True)
class Map:
    """A map.

    Attributes:
        title: how it was made.
        points: the sequences.
        legend: label, number of sequences, colour and shape; empty without labels.
        named: whether all names are shown.
    """

    title: str
    points: list[Point]
    legend: list[tuple[str, int, str, str]]
    named: bool


def draw_map(
    embedder: Embedder, records: Sequence[SequenceRecord], most: int, separator: str = ""
) -> Map:
    """Embed sequences and lay them out by t-SNE, with the defaults of `lucaone map`.

    Args:
        embedder: the model.
        records: the sequences, their types `gene` or `prot`.
        most: a limit on their number.
        separator: labels are what stands before it in the ids; without one there are none.

    Raises:
        ValueError: too few sequences, too many, or all have the same vector.
    """
    if not LEAST_RECORDS <= len(records) <= most:
        here = "here is 1" if len(records) == 1 else f"here are {len(records):,}"
        raise ValueError(f"a map is of {LEAST_RECORDS} to {most:,} sequences; {here}")
    vectors = embedder.encode(
        [record.sequence for record in records], [str(record.seq_type) for record in records]
    )
    projection = MapOptions().projection(len(records))
    points = projection.make_panel("the map", vectors, None).points
    # The same scale both ways, for a distance on the map has no direction.
    centre, extent = (points.max(0) + points.min(0)) / 2, float(np.ptp(points, axis=0).max())
    places = 50 + (points - centre) / extent * (100 - 2 * MARGIN)
    labels = [_label(record.id, separator) for record in records]
    looks = _looks(labels)
    title = (
        f"{METHODS[projection.method]} of {len(records):,} embeddings (mean over the letters), "
        f"perplexity {projection.size:.3g}, {projection.metric} distance"
    )
    drawn = [
        Point(record.id, len(record.sequence), *_rounded(place), label, *looks[label])
        for record, place, label in zip(records, places, labels, strict=True)
    ]
    counts = Counter(labels)
    legend = [(label or "no label", counts[label], *look) for label, look in looks.items()]
    return Map(title, drawn, legend if separator else [], len(records) <= FEW)


def _label(name: str, separator: str) -> str:
    before, found, _ = name.partition(separator) if separator else ("", "", "")
    return before if found else ""


def _looks(labels: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return colour and shape of each label, the most frequent first and no label last."""
    frequent = [label for label, _ in Counter(labels).most_common() if label]
    looks = {
        label: (COLOURS[i] if i < len(COLOURS) else OTHER, SHAPES[i % len(SHAPES)])
        for i, label in enumerate(frequent)
    }
    if "" in labels:
        looks[""] = (NO_LABEL if frequent else COLOURS[0], SHAPES[0])
    return looks


def _rounded(place: np.ndarray) -> tuple[float, float]:
    left, up = place.tolist()
    return round(left, 2), round(100 - up, 2)
