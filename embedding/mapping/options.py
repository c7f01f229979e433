# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The options of maps, and what can be wrong with them before a file is read."""

import importlib.util
import math
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..inputs import check_seq_type
from .figures import STATIC_SUFFIXES
from .panels import Projection

LEAST_RECORDS = 4
METHODS = {"tsne": "t-SNE", "umap": "UMAP"}
METRICS = ("cosine", "euclidean")
COLOUR_AS = ("categories", "numbers")
PERPLEXITY, NEIGHBOURS = 30.0, 15


@dataclass(frozen=True)
class MapOptions:
    """The options of `map_embeddings`.

    Attributes:
        labels: a CSV or TSV table to colour by.
        colour: its column to colour by. Records of which it says nothing are grey and do not count
            in the figures of merit. A column of numbers has a colour scale and no such figures.
        label_id: its column of ids, if it is not called obj_id, seq_id or id.
        colour_from_id: in place of a table, a regular expression whose one group is the label in
            an id; a name of the group is the title of the legend.
        colour_as: `categories` or `numbers`; by default numbers, if all labels are and there are
            more than 20 different ones.
        method: `tsne` or `umap`.
        perplexity: of t-SNE, 30 by default; a third of the other records at most.
        neighbours: of UMAP, 15 by default.
        metric: `cosine` or `euclidean`, of all vectors.
        seed: fixes the random numbers.
        max_records: of more records than this a random sample is drawn.
        compare: a file with the sequences of the records, for maps of two baselines. It is read as
            the input of the embeddings was, down to the letters at which that was truncated.
        seq_type: molecule type in `compare`, if it is not given as it was for the embeddings.
        k: letters of the k-mers; 3 in nucleic acids and 2 in proteins by default.
        overwrite: replace figures that are there.
    """

    labels: str | os.PathLike[str] | None = None
    colour: str | None = None
    label_id: str | None = None
    colour_from_id: str | None = None
    colour_as: str | None = None
    method: str = "tsne"
    perplexity: float | None = None
    neighbours: int | None = None
    metric: str = "cosine"
    seed: int = 0
    max_records: int = 10_000
    compare: str | os.PathLike[str] | None = None
    seq_type: str | None = None
    k: int | None = None
    overwrite: bool = False

    def check(self) -> None:
        """Check what can be checked without the files.

        Raises:
            ValueError: an option that cannot be right.
        """
        for option, chosen, known in (
            ("--method", self.method, tuple(METHODS)),
            ("--metric", self.metric, METRICS),
            ("--colour-as", self.colour_as or COLOUR_AS[0], COLOUR_AS),
        ):
            if chosen not in known:
                raise ValueError(f"{option} {chosen}: unknown; known are {', '.join(known)}")
        if self.labels is not None and self.colour_from_id is not None:
            raise ValueError("--labels and --colour-from-id: labels come from one of them")
        together: tuple[tuple[str, object, str, object], ...] = (
            ("--labels", self.labels, "--colour, the column to colour by", self.colour),
            ("--colour", self.colour, "--labels, the table with this column", self.labels),
            ("--label-id", self.label_id, "--labels", self.labels),
            ("--colour-as", self.colour_as, "labels", self.labels or self.colour_from_id),
            ("--seq-type", self.seq_type, "--compare", self.compare),
            ("--k", self.k, "--compare", self.compare),
        )
        for option, value, needed, other in together:
            if value is not None and other is None:
                raise ValueError(f"{option} needs {needed}")
        self.pattern()
        if self.seq_type is not None:
            check_seq_type(self.seq_type)
        self.projection()
        if self.max_records < LEAST_RECORDS:
            raise ValueError(f"--max-records {self.max_records}: a map needs {LEAST_RECORDS}")
        if self.k is not None and self.k < 1:
            raise ValueError(f"--k {self.k}: a k-mer has a letter at least")

    def pattern(self) -> re.Pattern[str] | None:
        """Return the regular expression of `colour_from_id`.

        Raises:
            ValueError: it is none, or has not one group.
        """
        if self.colour_from_id is None:
            return None
        try:
            pattern = re.compile(self.colour_from_id)
        except re.error as error:
            raise ValueError(f"--colour-from-id {self.colour_from_id}: {error}") from None
        if pattern.groups != 1:
            raise ValueError(
                f"--colour-from-id {self.colour_from_id}: has {pattern.groups} groups; the label "
                "is one group in parentheses, others begin with (?:"
            )
        return pattern

    def projection(self, records: int | None = None) -> Projection:
        """Return how this many records are laid out; with None, as if there were enough.

        Raises:
            ValueError: an option that cannot be right.
        """
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"--seed {self.seed}: a seed is from 0 to {2**32 - 1}")
        if self.method == "umap":
            if self.perplexity is not None:
                raise ValueError("--perplexity is for t-SNE; UMAP has --neighbours")
            size: float = NEIGHBOURS if self.neighbours is None else self.neighbours
            if size < 2:
                raise ValueError(f"--neighbours {size}: UMAP needs 2 at least")
            most: float = math.inf if records is None else records - 1
        else:
            if self.neighbours is not None:
                raise ValueError("--neighbours is for UMAP; t-SNE has --perplexity")
            size = PERPLEXITY if self.perplexity is None else self.perplexity
            if not 1 <= size < math.inf:
                raise ValueError(f"--perplexity {size:g}: it is 1 at least")
            # t-SNE looks at three times as many neighbours (van der Maaten 2014).
            most = math.inf if records is None else (records - 1) / 3
        return Projection(self.method, min(size, most), self.metric, self.seed)


def check_options(outputs: Iterable[str | os.PathLike[str]], **options: Any) -> MapOptions:
    """Check the options of `map_embeddings`, all but what depends on files.

    Raises:
        ValueError: an option that cannot be right.
        ImportError: a library of the extra `map` is missing.
    """
    checked = MapOptions(**options)
    checked.check()
    needed = {"sklearn": "scikit-learn"}
    if checked.method == "umap":
        needed["umap"] = "umap-learn"
    for output in outputs:
        suffix = Path(output).suffix
        if suffix not in (*STATIC_SUFFIXES, ".html"):
            known = " ".join((*STATIC_SUFFIXES, ".html"))
            raise ValueError(f"{os.fspath(output)}: unknown format of figures; known are {known}")
        name = "plotly" if suffix == ".html" else "matplotlib"
        needed[name] = name
    for module, name in needed.items():
        if importlib.util.find_spec(module) is None:
            raise ImportError(f"maps need {name}: pip install 'lucaone-hf[map]'")
    return checked
