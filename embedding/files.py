# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A file of sequences to a file of embeddings, in the order of the input.

Parquet has a row per record with `id`, `length` (residues) and `embedding`: a list of hidden_size
numbers, or with pooling `none` a list of such lists, one per residue. Safetensors holds
`embedding`, (records, hidden_size), and `length`, or with `none` one tensor per record, named by
its number; the ids stand in the file's metadata as a JSON list under `ids`.
"""

import itertools
import json
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import save_file
from tqdm.auto import tqdm

from sequence_io import CleaningReport, SequenceRecord, read_records
from sequence_io.records import file_error
from tokenization import normalize_seq_type

from .embedder import POOLINGS, Embedder

# Records are sorted by length in groups of this size, and a group's embeddings are in memory
# together: at width 2560 that is 40 MB of vectors or, per residue, 1.3 GB of matrices.
GROUP_RECORDS = 4_096
GROUP_RESIDUES = 131_072


@dataclass(frozen=True)
class EmbeddingSummary:
    """What `embed_file` did.

    Attributes:
        records: embedded records.
        residues: their letters.
        hidden_size: numbers per vector.
        cleaning: what was removed from the sequences, in one line, or empty.
    """

    records: int
    residues: int
    hidden_size: int
    cleaning: str


class _Writer(Protocol):
    def __init__(self, path: Path, hidden_size: int, pooled: bool, metadata: dict[str, str]): ...

    def write(self, records: list[SequenceRecord], rows: Any) -> None: ...

    def close(self) -> None: ...


class _ParquetWriter:
    """Writes a row group per call."""

    def __init__(self, path: Path, hidden_size: int, pooled: bool, metadata: dict[str, str]):
        self.pooled = pooled
        vector = pa.list_(pa.float32(), hidden_size)
        fields = [
            pa.field("id", pa.string(), nullable=False),
            pa.field("length", pa.int32(), nullable=False),
            pa.field("embedding", vector if pooled else pa.list_(vector), nullable=False),
        ]
        self.schema = pa.schema(fields, metadata=metadata)
        self.writer = pq.ParquetWriter(path, self.schema)
        self.vector = vector

    def write(self, records: list[SequenceRecord], rows: Any) -> None:
        """Write records with their embeddings."""
        lengths = np.array([len(record.sequence) for record in records], np.int32)
        values = pa.array((rows if self.pooled else np.concatenate(rows)).ravel())
        embedding = pa.FixedSizeListArray.from_arrays(values, type=self.vector)
        if not self.pooled:
            offsets = np.concatenate(([0], lengths.cumsum())).astype(np.int32)
            embedding = pa.ListArray.from_arrays(offsets, embedding)
        columns = [pa.array([record.id for record in records]), pa.array(lengths), embedding]
        self.writer.write_table(pa.Table.from_arrays(columns, schema=self.schema))

    def close(self) -> None:
        """Finish the file."""
        self.writer.close()


class _SafetensorsWriter:
    """Gathers everything and writes it at the end, as the format demands."""

    def __init__(self, path: Path, hidden_size: int, pooled: bool, metadata: dict[str, str]):
        self.path, self.pooled, self.metadata = path, pooled, metadata
        self.ids: list[str] = []
        self.lengths: list[int] = []
        self.rows: list[np.ndarray] = []

    def write(self, records: list[SequenceRecord], rows: Any) -> None:
        """Keep records with their embeddings."""
        self.ids += [record.id for record in records]
        self.lengths += [len(record.sequence) for record in records]
        self.rows += list(rows)

    def close(self) -> None:
        """Write the file."""
        if self.pooled:
            tensors = {"embedding": np.stack(self.rows), "length": np.array(self.lengths)}
        else:
            tensors = {str(number): rows for number, rows in enumerate(self.rows)}
        save_file(tensors, self.path, metadata=self.metadata | {"ids": json.dumps(self.ids)})


_WRITERS: dict[str, type[_Writer]] = {
    ".parquet": _ParquetWriter,
    ".safetensors": _SafetensorsWriter,
}


def check_output(path: str | os.PathLike[str]) -> Path:
    """Return the path of an output whose suffix names a format that can be written.

    Raises:
        ValueError: it does not.
    """
    output = Path(path)
    if output.suffix not in _WRITERS:
        raise ValueError(f"{output}: unknown output format; known are {' '.join(_WRITERS)}")
    return output


def check_seq_type(seq_type: str) -> None:
    """Check that `seq_type` names a molecule type, or where each record names its own.

    Raises:
        ValueError: it does not.
    """
    if seq_type == "header" or seq_type.startswith("column:"):
        return
    try:
        normalize_seq_type(seq_type)
    except ValueError as error:
        raise ValueError(f'{error}, or "header" or "column:NAME"') from None


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file beside `path` that takes its place only if nothing fails.

    Raises:
        ValueError: the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        if path.is_dir():
            raise OSError("there is a folder of this name")
        temporary.touch(exist_ok=False)
        permissions = temporary.stat().st_mode
        try:
            yield temporary
            temporary.chmod(permissions)  # safetensors makes its file private
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{path}: cannot be written: {reason}") from error


def _with_type(
    records: Iterable[SequenceRecord], source: str | os.PathLike[str]
) -> Iterator[SequenceRecord]:
    """Pass the records on, and stop at a molecule type that nobody knows."""
    for record in records:
        try:
            normalize_seq_type(record.seq_type)
        except ValueError as error:
            raise file_error(source, str(error), record=record.id) from None
        yield record


def _groups(records: Iterable[SequenceRecord], per_residue: bool) -> Iterator[list[SequenceRecord]]:
    """Divide the records into groups that are embedded, and fit into memory, together."""
    group: list[SequenceRecord] = []
    residues = 0
    for record in records:
        full = residues + len(record.sequence) > GROUP_RESIDUES
        if len(group) == GROUP_RECORDS or (group and per_residue and full):
            yield group
            group, residues = [], 0
        group.append(record)
        residues += len(record.sequence)
    yield group


def embed_file(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    model: str | os.PathLike[str],
    seq_type: str,
    *,
    pooling: str = "mean",
    id_column: str | None = None,
    sequence_column: str | None = None,
    keep_gaps: bool = False,
    **embedder_options: Any,
) -> EmbeddingSummary:
    """Embed every record of a file.

    Args:
        source: FASTA, CSV or TSV, see `sequence_io.read_records`.
        output: a .parquet or .safetensors file; it appears when it is whole.
        model: folder or Hub repository of the model.
        seq_type: `gene`, `prot`, `column:NAME` or `header`.
        pooling: `mean`, `cls`, `max` or `none`, see `Embedder.encode`.
        id_column: the column of the ids, where the header is none of the known forms.
        sequence_column: the column of the sequences, likewise.
        keep_gaps: keep gap and stop characters.
        embedder_options: of `Embedder`.

    Returns:
        A summary of the work.

    Raises:
        ValueError: anything wrong with the input, the options, the model or the output; the
            message names it. What the output held before stays.
    """
    path = check_output(output)
    if pooling not in POOLINGS:
        raise ValueError(f"unknown pooling {pooling!r}; known are {', '.join(POOLINGS)}")
    check_seq_type(seq_type)
    cleaning = CleaningReport()
    records = _with_type(
        read_records(
            source,
            seq_type=seq_type,
            id_column=id_column,
            sequence_column=sequence_column,
            keep_gaps=keep_gaps,
            report=cleaning,
        ),
        source,
    )
    total = residues = 0
    with _replacing(path) as temporary:
        # The first record is read before the model: what is wrong with a file shows at once.
        first = next(records)
        embedder = Embedder(model, **embedder_options)
        metadata = {"model": embedder.name, "pooling": pooling, "format": "lucaone-embeddings"}
        writer: _Writer = _WRITERS[path.suffix](
            temporary, embedder.hidden_size, pooling != "none", metadata
        )
        groups = _groups(itertools.chain([first], records), per_residue=pooling == "none")
        with tqdm(unit=" records", disable=None, delay=2) as bar:
            for group in groups:
                rows = embedder.encode(
                    [record.sequence for record in group],
                    [str(record.seq_type) for record in group],
                    pooling=pooling,
                    progress=bar.update,
                )
                writer.write(group, rows)
                total += len(group)
                residues += sum(len(record.sequence) for record in group)
        writer.close()
    return EmbeddingSummary(total, residues, embedder.hidden_size, cleaning.summary())
