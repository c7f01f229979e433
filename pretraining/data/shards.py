# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Records to Parquet shards, one molecule type in each."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from embedding.outputs import replace_durably, writing

from .records import SCHEMA, LabelledRecord

# Records that are read at once; a shard holds a whole number of such groups, but for its last.
ROW_GROUP = 1_024


def write_shard(records: Sequence[LabelledRecord], path: Path) -> None:
    """Write records of one molecule type as one Parquet file, which appears when it is whole.

    Raises:
        ValueError: there are none, they are of both molecule types, or the file cannot be written.
    """
    if len({record.seq_type for record in records}) != 1:
        raise ValueError(f"{path}: a shard holds records of one molecule type, and at least one")
    temporary = path.with_name(f".{path.name}")
    with writing(path):
        with pq.ParquetWriter(temporary, SCHEMA, compression="zstd") as file:
            for start in range(0, len(records), ROW_GROUP):
                rows = [record.row() for record in records[start : start + ROW_GROUP]]
                file.write_table(pa.Table.from_pylist(rows, SCHEMA))
        replace_durably(temporary, path)
