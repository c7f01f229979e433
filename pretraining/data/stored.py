# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Shards back to records."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .records import CLASS_TASKS, KEYWORD_TASK, SPAN_TASKS, STRUCTURE_TASK, LabelledRecord


def record_of(row: Mapping[str, Any]) -> LabelledRecord:
    """Return the record of a row of `SCHEMA`; the inverse of `LabelledRecord.row`."""
    coordinates = row[STRUCTURE_TASK]
    return LabelledRecord(
        row["id"],
        row["seq_type"],
        row["sequence"],
        row["source"],
        spans={
            task: [(span["start"], span["end"], span["label"]) for span in row[task]]
            for task in SPAN_TASKS
            if row[task]
        },
        classes={task: row[task] for task in CLASS_TASKS if row[task] is not None},
        keywords=row[KEYWORD_TASK] or [],
        coordinates=None if coordinates is None else np.array(coordinates, dtype=np.float32),
    )


def read_shard(path: Path) -> list[LabelledRecord]:
    """Read the records of a shard.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        rows = pq.read_table(path).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise ValueError(f"{path}: cannot be read as a shard: {error}".splitlines()[0]) from None
    return [record_of(row) for row in rows]
