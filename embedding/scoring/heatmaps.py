# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Scores of every substitution of a sequence as a heat-map, by Matplotlib."""

import importlib.util
import io
from pathlib import Path
from typing import Any

import numpy as np

from .variants import LETTERS

HEATMAP_SUFFIXES = (".png", ".svg", ".pdf")
# A longer sequence makes a picture that nobody can look at, and that Matplotlib cannot draw.
LONGEST_SEQUENCE = 10_000
PER_ROW = 100
# In inches.
CELL, LEFT, RIGHT, TOP, BOTTOM, GAP = 0.11, 0.4, 1.0, 0.75, 0.4, 0.5
# Short sequences leave room for the title and for the bar of colours.
LEAST_WIDTH, SHORTEST_BAR, TITLE_LETTER = 5.0, 1.5, 0.09


def check_heatmap(path: Path) -> None:
    """Check that a heat-map of this name can be drawn.

    Raises:
        ValueError: the suffix is that of no known format.
        ImportError: Matplotlib is missing.
    """
    if path.suffix not in HEATMAP_SUFFIXES:
        known = " ".join(HEATMAP_SUFFIXES)
        raise ValueError(f"{path}: unknown format of heat-maps; known are {known}")
    if importlib.util.find_spec("matplotlib") is None:
        raise ImportError("heat-maps need matplotlib: pip install 'lucaone-hf[plots]'")


def draw_heatmap(
    matrix: np.ndarray, sequence: str, seq_type: str, title: str, label: str, suffix: str
) -> bytes:
    """Draw scores: positions along x in rows of 100, new letters along y, wild type as a dot.

    Colours are centred on 0 and saturate at the 99th percentile of the absolute scores.

    Args:
        matrix: (length, letters) as of `Scorer.scan`.
        sequence: the wild type, as `variants.as_read` returns it.
        seq_type: `gene` or `prot`.
        title: line above the heat-map.
        label: what the colours mean.
        suffix: of `HEATMAP_SUFFIXES`.

    Returns:
        The picture in the format of the suffix; the same for the same scores.
    """
    import matplotlib
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    letters = LETTERS[seq_type]
    columns = min(PER_ROW, len(sequence))
    rows = -(-len(sequence) // PER_ROW)
    row_height = CELL * len(letters)
    width = max(LEAST_WIDTH, LEFT + CELL * columns + RIGHT)
    height = TOP + rows * row_height + (rows - 1) * GAP + BOTTOM
    height = max(height, TOP + SHORTEST_BAR + BOTTOM)
    drawing = Figure(figsize=(width, height), dpi=150)

    def axes_at(left: float, top: float, wide: float, high: float) -> Any:
        """Place axes by inches from the upper left corner."""
        bottom = height - top - high
        return drawing.add_axes((left / width, bottom / height, wide / width, high / height))

    other = matrix[np.array(list(sequence))[:, None] != np.array(list(letters))]
    limit = float(np.percentile(np.abs(other), 99)) or 1.0
    scale = ScalarMappable(Normalize(-limit, limit), "RdBu")
    for row in range(rows):
        start, stop = row * PER_ROW, min((row + 1) * PER_ROW, len(sequence))
        top = TOP + row * (row_height + GAP)
        axes = axes_at(LEFT, top, CELL * (stop - start), row_height)
        axes.imshow(
            matrix[start:stop].T,
            cmap=scale.cmap,
            norm=scale.norm,
            aspect="auto",
            interpolation="nearest",
            extent=(start + 0.5, stop + 0.5, len(letters) - 0.5, -0.5),
        )
        dots = [
            (position, letters.index(letter))
            for position, letter in enumerate(sequence[start:stop], start=start + 1)
            if letter in letters
        ]
        axes.scatter(*zip(*dots, strict=True) if dots else ((), ()), s=4, c="black", linewidths=0)
        axes.set_yticks(range(len(letters)), labels=letters, fontsize=6.5)
        axes.set_xticks([p for p in range(start + 1, stop + 1) if p % 10 == 0 or p == 1])
        axes.tick_params(axis="x", labelsize=8, length=3)
        axes.tick_params(axis="y", length=0, pad=2)
        for position in range(start, stop):
            axes.text(position + 1, -0.8, sequence[position], fontsize=6.5, ha="center")
        for spine in axes.spines.values():
            spine.set_visible(False)
    bar = axes_at(LEFT + CELL * columns + 0.25, TOP, 0.14, max(row_height, SHORTEST_BAR))
    drawing.colorbar(scale, cax=bar, extend="both")
    bar.set_ylabel(label, fontsize=8)
    bar.tick_params(labelsize=8)
    longest = int((width - LEFT) / TITLE_LETTER)
    if len(title) > longest:
        title = title[: longest - 1] + "…"
    # A dollar sign would begin a formula.
    for text, size, top in ((title.replace("$", r"\$"), 11, 0.25), ("dots: wild type", 8, 0.45)):
        drawing.text(LEFT / width, 1 - top / height, text, fontsize=size, va="center")
    buffer = io.BytesIO()
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix)
    with matplotlib.rc_context({"svg.hashsalt": "lucaone"}):
        drawing.savefig(buffer, format=suffix[1:], metadata=metadata)
    return buffer.getvalue()
