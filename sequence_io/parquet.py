# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The columns and rows of a Parquet file, read as a stream.

pyarrow is imported when a file is read: the room must stay quick to import.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

from .lines import COMPRESSION_SUFFIXES
from .records import file_error

PARQUET_SUFFIX = ".parquet"

# A row group may be the whole file, so it is read page by page through a buffer, and few rows at
# once become text: a row may hold a genome. With 16 proteins took 1.6 times as long as with 64.
BUFFER_BYTES = 2**20
BATCH_ROWS = 64


def parquet_columns(path: str | os.PathLike[str]) -> list[str]:
    """Return the names of the columns of a Parquet file.

    Raises:
        SequenceFileError: if the file cannot be read, is no Parquet file, is damaged or truncated.

    """
    with _opened(path) as file:
        return list(file.schema_arrow.names)


def parquet_rows(
    path: str | os.PathLike[str], columns: Sequence[str]
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Read the cells of the named columns, each row with its number (from 1).

    Text, plain or dictionary-encoded, and integers are given as text. Other columns are not read.

    Raises:
        SequenceFileError: while iterating; for what `parquet_columns` raises, for a column of
            another type, and for a null (with the row).

    """
    import pyarrow.types as types

    def is_text(kind: Any) -> bool:
        return types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)

    number = 0
    with _opened(path) as file:
        for name in columns:
            kind = file.schema_arrow.field(name).type
            cell = kind.value_type if types.is_dictionary(kind) else kind
            if not (is_text(cell) or types.is_integer(cell)):
                raise file_error(path, f"column {name!r} holds {kind}, neither text nor integers")
        batches = file.iter_batches(BATCH_ROWS, columns=list(set(columns)), use_threads=False)
        for batch in batches:
            for cells in zip(*(batch.column(name).to_pylist() for name in columns), strict=True):
                number += 1
                if None in cells:
                    name = columns[cells.index(None)]
                    raise file_error(path, f"null in column {name!r}", row=number)
                yield number, tuple(map(str, cells))


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Open a Parquet file; what pyarrow says of it becomes an error of one line.

    Raises:
        SequenceFileError: see `parquet_columns`.

    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if PurePath(path).suffix.lower() in COMPRESSION_SUFFIXES:
        raise file_error(path, "Parquet cannot be read inside another compression; unpack it first")
    try:
        with (
            pa.OSFile(os.fspath(path)) as raw,
            pq.ParquetFile(
                raw, pre_buffer=False, buffer_size=BUFFER_BYTES, page_checksum_verification=True
            ) as file,
        ):
            yield file
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise file_error(path, f"cannot be read: {os.strerror(error.errno)}") from error
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise file_error(path, f"not a Parquet file, or a damaged one: {reason}") from error
