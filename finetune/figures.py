# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures of a fine-tuning run, by Matplotlib: .png, .svg or .pdf."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from embedding.mapping.figures import COLOURS, STATIC_SUFFIXES
from embedding.outputs import replacing

from .evaluation import GREATER_IS_BETTER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRAIN_COLOUR, DEV_COLOUR = COLOURS[0], COLOURS[2]
LINE_COLOUR = "#737373"
NAME_LETTERS = 28
# More classes than these have no counts, and no names, in their cells and at their rows.
CLASSES_WITH_COUNTS, CLASSES_WITH_NAMES = 30, 60
# In inches: a row or column with text in its cells, and one without.
CELL, SMALL_CELL = 0.34, 0.17
LEAST_SIDE, PLAIN_SIDE, LONGEST_SIDE = 2.2, 7.0, 28.0
# From here on points are drawn as pixels in .svg and .pdf.
VECTOR_POINTS = 5_000


def learning_curves(history: Sequence[Mapping[str, Any]], path: Path, metric: str) -> None:
    """Draw the losses of training and dev data, and a metric of the dev data, over the epochs.

    Args:
        history: `trainer.state.log_history`: `epoch` with `loss`, `eval_loss` or `eval_METRIC`.
        path: the picture; one that is there is replaced.
        metric: of `evaluation.GREATER_IS_BETTER`; its best epoch is marked.

    Raises:
        ValueError: the file cannot be written, or its suffix is unknown.
        ImportError: Matplotlib is missing.
    """
    drawing = _figure(path, (10, 4))
    losses, scores = drawing.subplots(1, 2)
    train, dev = _curve(history, "loss"), _curve(history, "eval_loss")
    losses.plot(*train, color=TRAIN_COLOUR, linewidth=1.2, label="training")
    if dev.size:
        losses.plot(*dev, color=DEV_COLOUR, marker="o", markersize=3, label="dev")
    losses.set(xlabel="epoch", ylabel="loss")
    losses.legend(frameon=False)
    epochs, values = curve = _curve(history, f"eval_{metric}")
    scores.plot(*curve, color=DEV_COLOUR, marker="o", markersize=3)
    scores.set(xlabel="epoch", ylabel=f"{metric} (dev)")
    known = np.flatnonzero(~np.isnan(values))
    if len(known):
        pick = np.argmax if GREATER_IS_BETTER[metric] else np.argmin
        best = known[pick(values[known])]
        scores.set_title(f"best: {values[best]:.4f} in epoch {epochs[best]:g}", fontsize=10)
        for axes in (losses, scores):
            axes.axvline(epochs[best], color=LINE_COLOUR, linestyle=":", zorder=0)
    else:
        scores.text(0.5, 0.5, "not measured", transform=scores.transAxes, ha="center")
        scores.set(xticks=[], yticks=[])
    _save(drawing, path)


def confusion_matrix(
    labels: ArrayLike, predictions: ArrayLike, names: Sequence[str], path: Path
) -> None:
    """Draw how often each class is predicted as which, as shares of the records of the class.

    Up to 30 classes have the counts in their cells; up to 60 have their names.

    Args:
        labels: (n,) class ids.
        predictions: (n,) class ids.
        names: of the classes, by id.
        path: the picture; one that is there is replaced.

    Raises:
        ValueError: the file cannot be written, or its suffix is unknown.
        ImportError: Matplotlib is missing.
    """
    classes = len(names)
    named = classes <= CLASSES_WITH_NAMES
    short = [_shortened(name) for name in names]
    side = PLAIN_SIDE
    if named:
        cell = CELL if classes <= CLASSES_WITH_COUNTS else SMALL_CELL
        side = max(LEAST_SIDE, cell * classes)
    margin = 1.2 + 0.08 * max(map(len, short)) * named
    drawing = _figure(path, (side + margin + 1.0, side + margin))
    cells = np.asarray(labels, int) * classes + np.asarray(predictions, int)
    counts = np.bincount(cells, minlength=classes**2).reshape(classes, classes)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    axes = drawing.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    bar = drawing.colorbar(image, ax=axes, shrink=min(1.0, 4 / side), aspect=25)
    bar.set_label("share of the records of a class", fontsize=8)
    if named:
        # A dollar sign would begin a formula.
        letters: Any = {"parse_math": False, "fontsize": 8 if classes <= CLASSES_WITH_COUNTS else 6}
        totalled = [f"{name} ({total:,})" for name, total in zip(short, totals[:, 0], strict=True)]
        axes.set_yticks(range(classes), labels=totalled, **letters)
        axes.set_xticks(range(classes), labels=short, rotation=90, **letters)
    if classes <= CLASSES_WITH_COUNTS:
        # A count of more digits needs smaller ones.
        size = min(8.0, 28 / len(f"{counts.max()}"))
        for row, column in zip(*np.nonzero(counts), strict=True):
            colour = "white" if shares[row, column] > 0.5 else "black"
            text = str(counts[row, column])
            axes.text(column, row, text, fontsize=size, color=colour, ha="center", va="center")
    unit = "" if named else " (id of the class)"
    axes.set(xlabel=f"predicted{unit}", ylabel=f"true{unit}")
    _save(drawing, path)


def predicted_against_true(labels: ArrayLike, values: ArrayLike, path: Path) -> None:
    """Draw predicted over true values, with the line on which they agree.

    Args:
        labels: (n,) true values.
        values: (n,) predicted ones.
        path: the picture; one that is there is replaced.

    Raises:
        ValueError: the file cannot be written, or its suffix is unknown.
        ImportError: Matplotlib is missing.
    """
    drawing = _figure(path, (5, 5))
    truth, predicted = np.asarray(labels, float), np.asarray(values, float)
    axes = drawing.subplots()
    axes.scatter(
        truth,
        predicted,
        s=float(np.clip(30_000 / max(len(truth), 1), 3, 20)),
        color=TRAIN_COLOUR,
        alpha=0.5,
        linewidths=0,
        rasterized=len(truth) > VECTOR_POINTS,
    )
    axes.axline((0, 0), slope=1, color=LINE_COLOUR, linestyle="--", linewidth=1, zorder=0)
    axes.set(xlabel="true", ylabel="predicted", title=f"{len(truth):,} records")
    # The line through the origin takes no part in choosing what is shown.
    shown = np.concatenate([truth, predicted])
    shown = shown[np.isfinite(shown)]
    if len(shown) and np.ptp(shown) > 0:
        room = 0.04 * np.ptp(shown)
        limits = (shown.min() - room, shown.max() + room)
        axes.set(xlim=limits, ylim=limits)
    axes.set_box_aspect(1)
    _save(drawing, path)


def comparison(
    rows: Sequence[Mapping[str, Any]],
    path: Path,
    metric: str,
    published: float | None = None,
    majority: float | None = None,
) -> None:
    """Draw a bar with its interval for each model.

    Args:
        rows: `name`, `value`, `low` and `high` of each model, the first on top. The bounds may be
            missing, and a value None or nan.
        path: the picture; one that is there is replaced.
        metric: what the bars show.
        published: a published score, drawn as a line.
        majority: that of the majority baseline, drawn as a line.

    Raises:
        ValueError: the file cannot be written, or its suffix is unknown.
        ImportError: Matplotlib is missing.
    """
    names = [_shortened(row["name"]) for row in rows]
    width = 5.5 + 0.08 * max(map(len, names), default=0)
    drawing = _figure(path, (width, min(1.3 + CELL * len(rows), LONGEST_SIDE)))
    axes = drawing.subplots()
    places = np.arange(len(rows))
    columns = ([row.get(key) for row in rows] for key in ("value", "low", "high"))
    values, low, high = map(_numbers, columns)
    axes.barh(places, values, color=TRAIN_COLOUR, height=0.7)
    errors = np.clip(np.stack([values - low, high - values]), 0, None)
    axes.errorbar(values, places, xerr=errors, fmt="none", ecolor="black", capsize=3, linewidth=1)
    for place, value in enumerate(values):
        text = "no value" if np.isnan(value) else f"{value:.4f}"
        axes.text(1.02, place, text, transform=axes.get_yaxis_transform(), va="center")
    lines = {"published": (published, COLOURS[2], "-"), "majority": (majority, LINE_COLOUR, ":")}
    for name, (value, colour, style) in lines.items():
        if value is not None and np.isfinite(value):
            label = f"{name} {value:.4f}"
            axes.axvline(value, color=colour, linestyle=style, linewidth=1.5, label=label)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)
    axes.set_yticks(places, labels=names, parse_math=False)
    axes.invert_yaxis()
    axes.set_xlabel(metric)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    _save(drawing, path)


def _figure(path: Path, size: tuple[float, float]) -> "Figure":
    """Begin a picture of so many inches."""
    if path.suffix not in STATIC_SUFFIXES:
        known = " ".join(STATIC_SUFFIXES)
        raise ValueError(f"{path}: unknown format of pictures; known are {known}")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("pictures need matplotlib; pip install 'lucaone-hf[finetune]'") from None
    return Figure(figsize=size, dpi=150, layout="constrained")


def _save(drawing: "Figure", path: Path) -> None:
    """Write a picture whole; the same picture is the same file."""
    import matplotlib

    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix)
    with (
        replacing(path, overwrite=True) as temporary,
        matplotlib.rc_context({"svg.hashsalt": "lucaone"}),
    ):
        drawing.savefig(temporary, format=path.suffix[1:], metadata=metadata)


def _curve(history: Sequence[Mapping[str, Any]], key: str) -> np.ndarray:
    """Return epochs and values, (2, entries), of the entries that have this key."""
    entries = [entry for entry in history if key in entry]
    return np.stack([_numbers([entry[name] for entry in entries]) for name in ("epoch", key)])


def _numbers(values: Sequence[float | None]) -> np.ndarray:
    """Return numbers with nan for what is none or is infinite, which cannot be drawn."""
    numbers = np.array([np.nan if value is None else value for value in values], float)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _shortened(name: str) -> str:
    return name if len(name) <= NAME_LETTERS else name[: NAME_LETTERS - 1] + "…"
