# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Labelled sequences for pre-training, as objects and as rows of typed Parquet.

A row holds one segment of at most a few thousand letters and what is known of it. Labels are ids of
a vocabulary per task; positions count letters from 0. What is not known is null, or an empty list,
and never a label of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa

SPAN_TASKS = ("gene_type", "prot_homo", "prot_site", "prot_domain")
CLASS_TASKS = ("gene_taxonomy", "prot_taxonomy")
KEYWORD_TASK = "prot_keyword"
STRUCTURE_TASK = "prot_structure"
MASK_TASKS = ("gene_mask", "prot_mask")
# Tasks whose labels are ids of a vocabulary.
LABEL_TASKS = (*SPAN_TASKS, *CLASS_TASKS, KEYWORD_TASK)
TASKS = (*MASK_TASKS, *LABEL_TASKS, STRUCTURE_TASK)

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("seq_type", pa.string()),
        ("sequence", pa.string()),
        ("source", pa.string()),
        *(
            (
                task,
                pa.list_(
                    pa.struct([("start", pa.int32()), ("end", pa.int32()), ("label", pa.int32())])
                ),
            )
            for task in SPAN_TASKS
        ),
        *((task, pa.int32()) for task in CLASS_TASKS),
        (KEYWORD_TASK, pa.list_(pa.int32())),
        (STRUCTURE_TASK, pa.list_(pa.list_(pa.float32(), 3))),
    ]
)


class RecordError(ValueError):
    """What is wrong with one record; the message does not name it."""


@dataclass(slots=True)
class LabelledRecord:
    """A sequence with its labels.

    Attributes:
        id: of the record; need not be unique.
        seq_type: `gene` (DNA, RNA) or `prot`.
        sequence: letters A to Z.
        source: where it is from, as `refseq`.
        spans: for each task of `SPAN_TASKS` its spans (first letter, last letter, label id). Later
            ones win where they overlap.
        classes: label id for each task of `CLASS_TASKS` that is known.
        keywords: label ids of `prot_keyword`; none says that nothing is known.
        coordinates: (residues, 3) positions of C-alpha atoms in angstrom, NaN where unknown.
    """

    id: str
    seq_type: Literal["gene", "prot"]
    sequence: str
    source: str = ""
    spans: Mapping[str, Sequence[tuple[int, int, int]]] = field(default_factory=dict)
    classes: Mapping[str, int] = field(default_factory=dict)
    keywords: Sequence[int] = ()
    coordinates: np.ndarray | None = None

    def check(self, num_labels: Mapping[str, int] | None = None) -> None:
        """Check the record.

        Args:
            num_labels: size of the vocabularies; a task that is not named is not looked at.

        Raises:
            RecordError: it cannot be what it says.
        """
        if self.seq_type not in ("gene", "prot"):
            raise RecordError(f"seq_type is {self.seq_type!r}, neither gene nor prot")
        length, other = len(self.sequence), "prot" if self.seq_type == "gene" else "gene"
        if not (self.sequence.isascii() and self.sequence.isalpha() and self.sequence.isupper()):
            raise RecordError("the sequence is empty, or not of the letters A to Z alone")
        labels: list[tuple[str, int]] = list(self.classes.items())
        labels += [(KEYWORD_TASK, label) for label in self.keywords]
        for task, spans in self.spans.items():
            for start, end, label in spans:
                if not 0 <= start <= end < length:
                    raise RecordError(
                        f"{task}: span {start} to {end} does not lie in {length:,} letters"
                    )
                labels.append((task, label))
        for task, label in labels:
            if task not in LABEL_TASKS:
                raise RecordError(f"unknown task {task!r}")
            if task.startswith(other):
                raise RecordError(f"{task}: a label of the other molecule")
            size = (num_labels or {}).get(task)
            if label < 0 or (size is not None and label >= size):
                raise RecordError(
                    f"{task}: label {label} is not in a vocabulary of {size or 0:,}"
                    if size is not None
                    else f"{task}: label {label} is below 0"
                )
        if self.coordinates is not None:
            if self.seq_type == "gene":
                raise RecordError(f"{STRUCTURE_TASK}: a label of the other molecule")
            if self.coordinates.shape != (length, 3):
                raise RecordError(
                    f"{STRUCTURE_TASK}: {len(self.coordinates):,} coordinates for {length:,} "
                    "residues"
                )
            if np.isinf(self.coordinates).any():
                raise RecordError(f"{STRUCTURE_TASK}: a coordinate is infinite")

    def row(self) -> dict[str, object]:
        """Return the record as a row of `SCHEMA`."""
        names = ("start", "end", "label")
        return {
            "id": self.id,
            "seq_type": self.seq_type,
            "sequence": self.sequence,
            "source": self.source,
            **{
                task: [dict(zip(names, span, strict=True)) for span in self.spans.get(task, ())]
                for task in SPAN_TASKS
            },
            **{task: self.classes.get(task) for task in CLASS_TASKS},
            KEYWORD_TASK: list(self.keywords),
            STRUCTURE_TASK: None if self.coordinates is None else self.coordinates.tolist(),
        }
