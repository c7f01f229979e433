# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A file of embeddings to a map: t-SNE or UMAP, coloured by a label, beside simple baselines.

With a file of the sequences, maps of their letters by position (multi-hot) and of their k-mer
frequencies stand beside that of the embeddings, as multi-hot does in the published figure 2.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from sequence_io.records import file_error

from ..outputs import writing
from ..store import StoredEmbeddings, read_embeddings
from .baselines import kmer_frequencies, kmer_name, multi_hot, read_letters
from .figures import MapFigure, save_figure
from .labels import Labels, as_numbers, labels_from_ids, labels_from_table, number_repeats
from .options import LEAST_RECORDS, METHODS, MapOptions, check_options
from .panels import SILHOUETTE_RECORDS, Panel


@dataclass(frozen=True)
class MapSummary:
    """What `map_embeddings` did; as text, its title and a table of the figures of merit.

    Attributes:
        title: method and number of records.
        panels: the maps: of the embeddings, then multi-hot and k-mers if asked for.
        ids: of the records on the maps.
        labels: what they are coloured by, or None.
        notes: what a user should know, one line each.
    """

    title: str
    panels: list[Panel]
    ids: list[str]
    labels: Labels | None
    notes: list[str]

    def __str__(self) -> str:
        """Return the title and, with labels that are categories, the figures of merit."""
        if self.labels is None or self.labels.numbers is not None:
            return self.title
        count = len(set(self.labels.values) - {""})
        width = max(len(panel.name) for panel in self.panels)
        lines = [
            f"{self.title}; {count:,} labels: {self.labels.title}",
            f"{'':{width}}  silhouette  silhouette  adjusted",
            f"{'':{width}}  of vectors  on the map      Rand",
        ]
        for panel in self.panels:
            values = (panel.silhouette, panel.map_silhouette, panel.adjusted_rand)
            texts = ["-" if value is None else f"{value:.3f}" for value in values]
            lines.append(f"{panel.name:{width}}  {texts[0]:>10}  {texts[1]:>10}  {texts[2]:>8}")
        return "\n".join(lines)


def map_embeddings(
    embeddings: str | os.PathLike[str], outputs: Iterable[str | os.PathLike[str]], **options: Any
) -> MapSummary:
    """Draw a map of the records of a file of embeddings.

    The same files, options and seed give the same map. `Projection` and `Projection.make_panel`
    say how it is made and measured, `multi_hot` and `kmer_frequencies` what the baselines are.

    Args:
        embeddings: a file that `embed_file` wrote, with one vector per record.
        outputs: the figures: .png, .svg or .pdf, or .html, which is interactive.
        options: see `MapOptions`.

    Raises:
        ValueError: an option that cannot be right, or anything wrong with the files; the message
            names option, file, record or column.
        ImportError: a library of the extra `map` is missing.
    """
    paths = [Path(output) for output in outputs]
    settings = check_options(paths, **options)
    for path in paths:
        if not path.parent.is_dir():
            raise ValueError(f"{path}: cannot be written: there is no folder {path.parent}")
        if path.exists() and not settings.overwrite:
            raise ValueError(f"{path}: is there already; --overwrite replaces it")
    stored = read_embeddings(embeddings)
    _check_vectors(stored, embeddings)
    notes: list[str] = []
    keys = list(number_repeats(stored.ids))
    labels = _find_labels(keys, settings, embeddings, notes)
    chosen = np.arange(len(keys))
    if len(keys) > settings.max_records:
        generator = np.random.default_rng(settings.seed)
        chosen = np.sort(generator.choice(chosen, settings.max_records, replace=False))
        notes.append(f"a random sample of {len(chosen):,} of {len(keys):,} records (--max-records)")
    ids, lengths = [stored.ids[i] for i in chosen], stored.lengths[chosen]
    if labels is not None:
        labels = replace(labels, values=[labels.values[i] for i in chosen])
        labels = as_numbers(labels, settings.colour_as)
        notes += _notes_on_labels(labels)
    vectors = {_name(stored.provenance): stored.vectors[chosen]}
    if settings.compare is not None:
        letters = read_letters(
            settings.compare,
            [keys[i] for i in chosen],
            lengths,
            stored.provenance["options"],
            settings.seq_type,
        )
        vectors["multi-hot"] = multi_hot(letters)
        vectors[kmer_name(letters, settings.k)] = kmer_frequencies(letters, settings.k)

    projection = settings.projection(len(ids))
    size = "perplexity" if settings.method == "tsne" else "neighbours"
    wanted = settings.projection().size
    if projection.size < wanted:
        reason = f"there are only {len(ids):,} records"
        notes.append(f"{size} is {projection.size:.3g}, not {wanted:g}: {reason}")
    title = (
        f"{METHODS[settings.method]} of {len(ids):,} records, "
        f"{size} {projection.size:.3g}, {settings.metric}"
    )
    categories = labels.values if labels is not None and labels.numbers is None else None
    panels = []
    with tqdm(total=len(vectors) + len(paths), desc="map", disable=None, delay=2) as bar:
        for name, rows in vectors.items():
            panels.append(projection.make_panel(name, rows, categories))
            bar.update()
        figure = MapFigure(title, panels, ids, lengths, labels)
        for path in paths:
            with writing(path):
                save_figure(figure, path)
            bar.update()
    return MapSummary(title, panels, ids, labels, notes)


def _check_vectors(stored: StoredEmbeddings, path: str | os.PathLike[str]) -> None:
    if stored.vectors.ndim != 2:
        count = stored.vectors.shape[1]
        raise file_error(path, f"holds {count} layers of each record; a map is of one")
    if len(stored.ids) < LEAST_RECORDS:
        raise file_error(path, f"holds {len(stored.ids)} records; a map needs {LEAST_RECORDS}")
    wrong = np.flatnonzero(~np.isfinite(stored.vectors).all(axis=1))
    if len(wrong):
        problem = f"NaN or infinite numbers, as in {len(wrong):,} records in all"
        raise file_error(path, problem, record=stored.ids[wrong[0]])


def _find_labels(
    keys: list[tuple[str, int]],
    settings: MapOptions,
    embeddings: str | os.PathLike[str],
    notes: list[str],
) -> Labels | None:
    """Return the labels of all records, and leave a note of what is in the table alone."""
    pattern = settings.pattern()
    if pattern is not None:
        return labels_from_ids([name for name, _ in keys], pattern)
    if settings.labels is None or settings.colour is None:
        return None
    labels, surplus = labels_from_table(
        keys, settings.labels, settings.colour, settings.label_id, embeddings
    )
    if surplus:
        notes.append(f"{surplus:,} rows of {os.fspath(settings.labels)} belong to no record")
    return labels


def _notes_on_labels(labels: Labels) -> list[str]:
    known = int(labels.known().sum())
    notes = []
    if known < len(labels.values):
        missing = f"{len(labels.values) - known:,} of {len(labels.values):,}"
        notes.append(f"{missing} records have no label; they are grey and not measured")
    if labels.numbers is not None:
        notes.append("numbers have no figures of merit (see --colour-as)")
    elif not 2 <= len(set(labels.values) - {""}) < known:
        notes.append("figures of merit need two labels at least, one of them more than once")
    elif known > SILHOUETTE_RECORDS:
        notes.append(f"silhouettes are of a random sample of {SILHOUETTE_RECORDS:,} records")
    return notes


def _name(provenance: dict[str, Any]) -> str:
    return f"{provenance['model']} ({provenance['options']['pooling']})"
