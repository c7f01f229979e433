# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Maps as figures: PNG, SVG and PDF by Matplotlib, HTML by Plotly.

Categories have up to 20 colours, rarer ones share one; the categories are so in both.
"""

import html
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .labels import Labels
from .panels import Panel

# Chosen one after the other to be far, in CIELAB, from those before, from white and from the greys:
# any two of the first 10 are at least 51 apart, of all 20 at least 35.
# fmt: off
COLOURS = (
    "#1f77b4", "#1fb814", "#ff5c14", "#f500ad", "#e0c200", "#6652eb", "#00e0b8",
    "#ad3347", "#526600", "#ffadff", "#f5a370", "#b8d685", "#00d6ff", "#85478f",
    "#007a5c", "#ff0047", "#994700", "#eb70ff", "#0085ff", "#ff99ad",
)
# fmt: on
STATIC_SUFFIXES = (".png", ".svg", ".pdf")
OTHER, NO_LABEL = "#737373", "#bfbfbf"
COLOUR_SCALE = "viridis"
LEGEND_LETTERS = 40
# From here on a browser draws with its graphics card.
WEBGL_POINTS = 5_000


@dataclass(frozen=True)
class MapFigure:
    """What a figure shows.

    Attributes:
        title: line above the panels.
        panels: maps of the same records, side by side.
        ids: of the records.
        lengths: (records,) letters.
        labels: what the records are coloured by; None for one colour.
    """

    title: str
    panels: Sequence[Panel]
    ids: Sequence[str]
    lengths: np.ndarray
    labels: Labels | None


def save_figure(figure: MapFigure, path: Path) -> None:
    """Write a figure in the format of the suffix: .html, .png, .svg or .pdf."""
    save = _save_interactive if path.suffix == ".html" else _save_static
    path.write_bytes(save(figure, path.suffix))


def _categories(figure: MapFigure) -> list[tuple[str, str, np.ndarray]]:
    """Return legend, colour and records of each category, those that share a grey last."""
    everything = np.arange(len(figure.ids))
    if figure.labels is None:
        return [("", COLOURS[0], everything)]
    values = np.array(figure.labels.values)
    if figure.labels.numbers is not None:
        missing = everything[np.isnan(figure.labels.numbers)]
        return [(f"no label ({len(missing):,})", NO_LABEL, missing)] if len(missing) else []
    by_number = sorted(set(values) - {""}, key=lambda name: re.sub(r"\d+", _padded, name))
    count = Counter(figure.labels.values)
    largest = sorted(by_number, key=lambda name: -count[name])[: len(COLOURS)]
    coloured = [name for name in by_number if name in largest]
    categories = [
        (f"{_shortened(name)} ({count[name]:,})", colour, everything[values == name])
        for name, colour in zip(coloured, COLOURS, strict=False)
    ]
    others = len(by_number) - len(coloured)
    if others:
        rest = everything[~np.isin(values, [*coloured, ""])]
        categories.append((f"{others:,} other labels ({len(rest):,})", OTHER, rest))
    if "" in count:
        categories.append((f"no label ({count['']:,})", NO_LABEL, everything[values == ""]))
    return categories


def _padded(digits: re.Match[str]) -> str:
    return digits[0].zfill(12)


def _shortened(name: str) -> str:
    return name if len(name) <= LEGEND_LETTERS else name[: LEGEND_LETTERS - 1] + "…"


def _figures_of_merit(panel: Panel) -> str:
    values = {
        "silhouette": panel.silhouette,
        "on the map": panel.map_silhouette,
        "adjusted Rand": panel.adjusted_rand,
    }
    known = [f"{name} {value:z.2f}" for name, value in values.items() if value is not None]
    return ", ".join(known).replace("-", "\N{MINUS SIGN}")


def _save_static(figure: MapFigure, suffix: str) -> bytes:
    import matplotlib
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize, to_rgba
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    categories = _categories(figure)
    labels = figure.labels
    scale = None
    colours = np.zeros((len(figure.ids), 4))
    if labels is not None and labels.numbers is not None:
        limits = Normalize(np.nanmin(labels.numbers), np.nanmax(labels.numbers))
        scale = ScalarMappable(limits, COLOUR_SCALE)
        colours = scale.to_rgba(labels.numbers)
    shares_a_grey = np.zeros(len(figure.ids), bool)
    for _, colour, records in categories:
        colours[records] = to_rgba(colour)
        shares_a_grey[records] = colour in (OTHER, NO_LABEL)
    # Greys lie below; the rest in random order, so that no category covers the others.
    order = np.random.default_rng(0).permutation(len(figure.ids))
    order = order[np.argsort(~shares_a_grey[order], kind="stable")]
    area = float(np.clip(30_000 / len(figure.ids), 8, 60))  # square points

    handles = [
        Line2D([], [], marker="o", linestyle="", markersize=7, color=colour, label=_plain(name))
        for name, colour, _ in categories
        if labels is not None
    ]
    letters = max((len(name) for name, _, _ in categories), default=0)
    size = (4.6 * len(figure.panels) + 0.4 + 0.08 * letters + (scale is not None), 5.4)  # inches
    drawing = Figure(figsize=size, dpi=150, layout="constrained")
    all_axes = drawing.subplots(1, len(figure.panels), squeeze=False)[0]
    for axes, panel in zip(all_axes, figure.panels, strict=True):
        points = panel.points[order]
        axes.scatter(points[:, 0], points[:, 1], s=area, c=colours[order], alpha=0.8, linewidths=0)
        axes.set(xticks=[], yticks=[], box_aspect=1)
        axes.set_aspect("equal", adjustable="datalim")
        axes.margins(0.04)
        axes.set_title(_plain(_shortened(panel.name)), fontsize=12)
        axes.set_xlabel(_figures_of_merit(panel), fontsize=10)
    drawing.suptitle(_plain(figure.title), fontsize=13)
    if labels is not None and scale is not None:
        bar = drawing.colorbar(scale, ax=all_axes, shrink=0.8, aspect=30)
        bar.ax.set_title(_plain(labels.title), fontsize=11)
    if labels is not None and handles:
        drawing.legend(
            handles=handles,
            loc="outside right center",
            frameon=False,
            fontsize=10,
            title=_plain(labels.title) if scale is None else None,
            title_fontsize=11,
            alignment="left",
            handletextpad=0.2,
        )
    buffer = io.BytesIO()
    # No date and no random names, so that the same map is the same file.
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix)
    with matplotlib.rc_context({"svg.hashsalt": "lucaone"}):
        drawing.savefig(
            buffer, format=suffix[1:], metadata=metadata, bbox_inches="tight", pad_inches=0.15
        )
    return buffer.getvalue()


def _plain(text: str) -> str:
    """Keep Matplotlib from reading a formula between two dollar signs."""
    return text.replace("$", r"\$")


def _save_interactive(figure: MapFigure, _: str) -> bytes:
    from plotly import graph_objects
    from plotly.subplots import make_subplots

    scatter = graph_objects.Scatter
    if len(figure.ids) > WEBGL_POINTS:
        scatter = graph_objects.Scattergl
    titles = [
        f"{html.escape(panel.name)}<br><sub>{_figures_of_merit(panel)}</sub>"
        for panel in figure.panels
    ]
    drawing = make_subplots(1, len(titles), subplot_titles=titles, horizontal_spacing=0.02)
    size = float(np.clip(200 / len(figure.ids) ** 0.5, 4, 10))
    labels = figure.labels
    values = [""] * len(figure.ids) if labels is None else labels.values
    hover = np.array(
        [
            f"{html.escape(name)}<br>{html.escape(value)}<br>{length:,} letters"
            for name, value, length in zip(figure.ids, values, figure.lengths, strict=True)
        ]
    )
    groups: list[tuple[str, Any, np.ndarray]] = list(_categories(figure))
    if labels is not None and labels.numbers is not None:
        known = np.flatnonzero(~np.isnan(labels.numbers))
        groups.append((labels.title, labels.numbers[known], known))
    for column, panel in enumerate(figure.panels, 1):
        for name, colour, records in groups:
            scaled = not isinstance(colour, str)
            marker = {"size": size, "opacity": 0.8, "color": colour}
            if scaled:
                marker |= {
                    "colorscale": COLOUR_SCALE,
                    "showscale": column == 1,
                    "colorbar": {"title": {"text": html.escape(name)}},
                }
            trace = scatter(
                x=panel.points[records, 0],
                y=panel.points[records, 1],
                mode="markers",
                marker=marker,
                name=html.escape(name),
                legendgroup=name,
                showlegend=column == 1 and labels is not None and not scaled,
                text=hover[records],
                hoverinfo="text",
            )
            drawing.add_trace(trace, 1, column)
    drawing.update_xaxes(visible=False)
    drawing.update_yaxes(visible=False)
    for column in range(1, len(titles) + 1):
        drawing.update_yaxes(scaleanchor=f"x{column}", col=column)
    drawing.update_layout(
        title=html.escape(figure.title),
        template="plotly_white",
        height=640,
        margin={"t": 120},
        legend={
            "title": {"text": "" if labels is None else html.escape(labels.title)},
            "itemsizing": "constant",
        },
    )
    return drawing.to_html(
        include_plotlyjs=True, div_id="map", config={"responsive": True}
    ).encode()
