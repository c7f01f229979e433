# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Annotation spans as letters with colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from embedding.annotation import Label

GROUP = 10
# Colours of page.css, each in so many styles of underline before one comes again.
COLOURS, STYLES = 8, 4
TITLES = {
    "gene_type": "Regions",
    "gene_taxonomy": "Taxonomic order",
    "prot_homo": "Homologous superfamilies",
    "prot_site": "Sites",
    "prot_domain": "Domains",
    "prot_keyword": "Keywords",
    "prot_taxonomy": "Taxonomic order",
    "prot_structure": "C-alpha coordinates",
}


@dataclass(frozen=True)
class Run:
    """Letters that belong to one span, or to none.

    Attributes:
        letters: some letters of the sequence.
        style: the CSS classes of the label; empty for none.
        title: label, place and probability of the span; empty for none.
    """

    letters: str
    style: str
    title: str


@dataclass(frozen=True)
class SpanView:
    """The spans of a task on a sequence.

    Attributes:
        task: its name.
        title: the same in words.
        legend: the names of the labels and their CSS classes, in the order of the sequence.
        groups: for each 10 letters the number of the first, from 1, and the runs.
        spans: all of them, overlapping ones too.
        hidden: letters with more than one span, of which the likeliest is shown.
    """

    task: str
    title: str
    legend: list[tuple[str, str]]
    groups: list[tuple[int, list[Run]]]
    spans: Sequence[Label]
    hidden: int


def task_title(task: str) -> str:
    """Return what a page calls a task: that of a published one in words."""
    return TITLES.get(task, task)


def lay_out(task: str, sequence: str, spans: Sequence[Label]) -> SpanView:
    """Lay the spans of a task over the letters of a sequence.

    Args:
        task: its name.
        sequence: the letters.
        spans: as of `Annotation.spans`.
    """
    on_top: list[Label | None] = [None] * len(sequence)
    hidden = set()
    for span in sorted(spans, key=lambda one: one.score):  # the likeliest last, above the others
        for place in range(span.start, span.stop):
            if on_top[place] is not None:
                hidden.add(place)
            on_top[place] = span
    styles: dict[str, str] = {}
    for span in spans:
        number = len(styles)
        styles.setdefault(
            span.name, f"colour-{number % COLOURS} style-{number // COLOURS % STYLES}"
        )

    def runs(start: int) -> list[Run]:
        places = range(start, min(start + GROUP, len(sequence)))
        found = []
        for span, some in groupby(places, key=lambda place: on_top[place]):
            letters = "".join(sequence[place] for place in some)
            if span is None:
                found.append(Run(letters, "", ""))
            else:
                title = f"{span.name}, {span.start + 1:,} to {span.stop:,}, {span.score:.0%}"
                found.append(Run(letters, styles[span.name], title))
        return found

    groups = [(start + 1, runs(start)) for start in range(0, len(sequence), GROUP)]
    return SpanView(task, task_title(task), list(styles.items()), groups, spans, len(hidden))
