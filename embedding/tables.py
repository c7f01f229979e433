# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Tables of results, written stretch by stretch: CSV, TSV or Parquet."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DELIMITERS = {".csv": ",", ".tsv": "\t"}
TABLE_SUFFIXES = (*DELIMITERS, ".parquet")
# Decimals of a number in a text; Parquet has them all.
DECIMALS = 6

Columns = Sequence[Sequence[Any] | np.ndarray]


@contextmanager
def writing_table(
    path: Path, suffix: str, schema: pa.Schema
) -> Iterator[Callable[[Columns], object]]:
    """Open a table, and give what writes a stretch of it; `suffix` tells the format."""
    if suffix == ".parquet":
        with pq.ParquetWriter(path, schema) as parquet:

            def write_columns(columns: Columns) -> None:
                arrays = map(pa.array, columns, schema.types)
                parquet.write_table(pa.Table.from_arrays(list(arrays), schema=schema))

            yield write_columns
        return
    with path.open("w", newline="", encoding="utf-8") as stream:
        text = csv.writer(stream, delimiter=DELIMITERS[suffix], lineterminator="\n")
        text.writerow(schema.names)

        def write_rows(columns: Columns) -> None:
            plain = (
                # Adding 0 leaves no -0.0.
                (column.round(DECIMALS) + 0.0).tolist()
                if isinstance(column, np.ndarray)
                else column
                for column in columns
            )
            text.writerows(zip(*plain, strict=True))

        yield write_rows
