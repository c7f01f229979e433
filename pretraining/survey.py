# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The records looked through before a training: errors, counts, how often each label occurs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from modeling_lucaone.packing import IGNORE

from .corpus import UNKNOWN, Group, Rows
from .data.records import CLASS_TASKS, KEYWORD_TASK, SPAN_TASKS, STRUCTURE_TASK
from .examples import scale

# Residues whose coordinates are kept for their median.
RESIDUES = 200_000


@dataclass
class Survey:
    """What the records of a folder hold.

    Attributes:
        records: of each molecule type.
        looked_at: of these.
        letters: of those looked at.
        longest: letters of the longest record of each molecule type.
        counts: for each task how often each label occurs: letters of spans, else records; for the
            mask tasks of each byte how often it is a letter.
        labelled: for each task the records that have a label.
        median: of each axis of the scaled coordinates.
    """

    records: dict[str, int] = field(default_factory=dict)
    looked_at: dict[str, int] = field(default_factory=dict)
    letters: dict[str, int] = field(default_factory=dict)
    longest: dict[str, int] = field(default_factory=dict)
    counts: dict[str, np.ndarray] = field(default_factory=dict)
    labelled: dict[str, int] = field(default_factory=dict)
    median: list[float] = field(default_factory=lambda: [0.5, 0.5, 0.5])

    def __str__(self) -> str:
        lines = [
            f"{name}: {count:,} records, "
            + f"of which {self.looked_at[name]:,} looked at: " * (self.looked_at[name] < count)
            + f"{self.letters[name]:,} letters, longest {self.longest[name]:,}"
            for name, count in self.records.items()
        ]
        lines += [
            f"  {task}: {count:,} labelled"
            + (f", {np.count_nonzero(self.counts[task]):,} labels" if task in self.counts else "")
            for task, count in self.labelled.items()
        ]
        return "\n".join(lines)

    def largest_label(self, task: str) -> int:
        """Return the largest label id of a task, -1 where there is none."""
        found = np.flatnonzero(self.counts.get(task, np.zeros(0)))
        return int(found[-1]) if len(found) else -1


def look_through(
    groups: Mapping[str, Sequence[Group]],
    num_labels: Mapping[str, int],
    records: int | None = None,
) -> Survey:
    """Look through records.

    Args:
        groups: where they are, by molecule type.
        num_labels: sizes of the vocabularies that are known.
        records: of each molecule type, about so many: whole groups, spread over the shards, one at
            least.

    Raises:
        ValueError: a record cannot be what it says; the message names file and record.
    """
    survey, coordinates, residues = Survey(), [], 0
    for seq_type, places in groups.items():
        survey.records[seq_type] = sum(group.records for group in places)
        survey.looked_at[seq_type] = survey.letters[seq_type] = survey.longest[seq_type] = 0
        for group in _spread(places, records):
            rows = Rows.read(group)
            rows.check(num_labels)
            survey.looked_at[seq_type] += len(rows)
            survey.letters[seq_type] += int(rows.lengths.sum())
            survey.longest[seq_type] = max(survey.longest[seq_type], int(rows.lengths.max()))
            for task, found, labels in _label_counts(rows):
                _add(survey, task, found, labels)
            for row in range(len(rows)):
                one = rows.coordinates(row)
                if one is not None and not np.isnan(one).any(axis=1).all():
                    survey.labelled[STRUCTURE_TASK] = survey.labelled.get(STRUCTURE_TASK, 0) + 1
                    if residues < RESIDUES:
                        coordinates.append(scale(one))
                        residues += len(one)
    if coordinates:
        known = np.concatenate(coordinates)
        survey.median = np.median(known[known[:, 0] != IGNORE], axis=0).tolist()
    return survey


def _spread(groups: Sequence[Group], records: int | None) -> Sequence[Group]:
    """Return groups of about so many records, evenly spread."""
    total = sum(group.records for group in groups)
    if records is None or total <= records:
        return groups
    wanted = max(1, len(groups) * records // total)
    return [groups[i] for i in np.linspace(0, len(groups) - 1, wanted).astype(int)]


def _label_counts(rows: Rows) -> list[tuple[str, int, np.ndarray]]:
    """Return for each task of the molecule its labelled records and how often each label occurs."""
    letters = np.bincount(rows.all_letters, minlength=256)
    found = [(f"{rows.seq_type}_mask", len(rows), letters)]
    numbers = range(len(rows))
    for task in (*SPAN_TASKS, *CLASS_TASKS, KEYWORD_TASK):
        if not task.startswith(rows.seq_type):
            continue
        if task in SPAN_TASKS:
            spans = [rows.spans(task, row) for row in numbers]
            start, end, label = np.concatenate(spans).T
            counts = np.bincount(label, weights=end - start + 1)
            labelled = sum(len(one) > 0 for one in spans)
        elif task in CLASS_TASKS:
            labels = np.array([rows.class_of(task, row) for row in numbers])
            counts, labelled = (
                np.bincount(labels[labels != UNKNOWN]),
                int((labels != UNKNOWN).sum()),
            )
        else:
            keywords = [rows.keywords(row) for row in numbers]
            counts = np.bincount(np.concatenate(keywords))
            labelled = sum(len(one) > 0 for one in keywords)
        found.append((task, labelled, counts.astype(np.int64)))
    return found


def _add(survey: Survey, task: str, labelled: int, counts: np.ndarray) -> None:
    before = survey.counts.get(task, np.zeros(0, dtype=np.int64))
    together = np.zeros(max(len(before), len(counts)), dtype=np.int64)
    together[: len(before)] += before
    together[: len(counts)] += counts
    survey.counts[task] = together
    survey.labelled[task] = survey.labelled.get(task, 0) + labelled


def constant_logits(
    survey: Survey, tasks: Mapping[str, Mapping[str, Any]], tokens: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return what a model without inputs would say: for each task a row of logits, (num_labels,).

    Logarithms of the frequencies of the labels, one more of each counted; of the keywords their
    log-odds among proteins that have some; of the structure the medians.

    Args:
        survey: of the training records.
        tasks: as in a model's configuration.
        tokens: for each molecule type the token id of each byte.
    """
    logits = {}
    for task, settings in tasks.items():
        if task == STRUCTURE_TASK:
            logits[task] = np.array(survey.median)
            continue
        counts = np.ones(settings["num_labels"])
        seen = survey.counts.get(task, np.zeros(0, dtype=np.int64))
        if settings["level"] == "token":
            np.add.at(counts, tokens[settings["seq_type"]][: len(seen)], seen)
        else:
            counts[: len(seen)] += seen
        if task == KEYWORD_TASK:
            proteins = survey.labelled.get(task, 0) + 2
            logits[task] = np.log(counts / np.maximum(proteins - counts, 1))
        else:
            logits[task] = np.log(counts / counts.sum())
    return logits
