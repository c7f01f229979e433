# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Embeddings into Parquet and safetensors, as a stream; store.py says what stands where."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import prod
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor

from .hdf5_writer import HDF5Writer, import_h5py
from .layout import PROVENANCE, Layout, StoredRecord

SUFFIXES = (".h5", ".hdf5", ".parquet", ".safetensors")

ROW_GROUP_BYTES = 64 * 2**20
SHARD_BYTES = 4 * 10**9
SHARD_RECORDS = 100_000
SAFETENSORS_DTYPES = {
    torch.int64: "I64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
}


class Writer(Protocol):
    """Writes embeddings in the order of their records."""

    def add(self, record: StoredRecord, start: int, rows: Tensor) -> None:
        """Write a vector, or the rows of a matrix from residue `start` (from 0) on."""

    def close(self) -> list[tuple[Path, Path]]:
        """Finish, and return each file written with the name it is to have, the main one last."""

    def release(self) -> None:
        """Let go of open files, finished or not."""


def check_output(path: Path, dtype: str = "float32") -> None:
    """Check that a format can be written, and holds numbers of this precision.

    Raises:
        ValueError: the suffix names no format, or one without this precision.
        ImportError: a library is missing.
    """
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path}: unknown output format; known are {' '.join(SUFFIXES)}")
    if dtype == "bfloat16" and path.suffix != ".safetensors":
        raise ValueError(f"{path}: only .safetensors holds bfloat16; float16 goes anywhere")
    if path.suffix in (".h5", ".hdf5"):
        import_h5py()


def exists(output: Path) -> bool:
    """Whether there is a file of this name, or the index of several that stand for it."""
    return output.exists() or index_file(output).exists()


@contextmanager
def open_writer(output: Path, folder: Path, layout: Layout) -> Iterator[Writer]:
    """Open the writer of the format that the suffix of `output` names; it works in `folder`."""
    for leftover in folder.glob("merged*"):  # of an attempt that failed
        leftover.unlink()
    writers: dict[str, Callable[..., Writer]] = {
        ".parquet": _ParquetWriter,
        ".safetensors": _SafetensorsWriter,
    }
    writer = writers.get(output.suffix, HDF5Writer)(output, folder, layout)
    try:
        yield writer
    finally:
        with suppress(OSError):
            writer.release()


class _ParquetWriter:
    """Writes row groups of some megabytes."""

    def __init__(self, output: Path, folder: Path, layout: Layout):
        self.output, self.layout = output, layout
        self.path = folder / "merged.parquet"
        vector = pa.float16() if layout.dtype == torch.float16 else pa.float32()
        for size in reversed(layout.row_shape):
            vector = pa.list_(vector, size)
        if layout.per_residue:
            columns = {"record": pa.int64(), "id": pa.string(), "position": pa.int32()}
        else:
            columns = {"id": pa.string(), "length": pa.int32()}
            if layout.truncated:
                columns["embedded"] = pa.int32()
        columns["embedding"] = vector
        self.schema = pa.schema(
            [pa.field(name, kind, nullable=False) for name, kind in columns.items()],
            metadata={PROVENANCE: layout.provenance},
        )
        # The numbers of a network do not compress; ids are repeated for every residue.
        self.writer = pq.ParquetWriter(
            self.path, self.schema, compression="none", use_dictionary=["id"]
        )
        self.waiting: list[tuple[StoredRecord, int, Tensor]] = []
        self.bytes = 0

    def add(self, record: StoredRecord, start: int, rows: Tensor) -> None:
        """Write a vector, or the rows of a matrix from residue `start` (from 0) on."""
        self.waiting.append((record, start, rows))
        self.bytes += rows.numel() * rows.element_size()
        if self.bytes >= ROW_GROUP_BYTES:
            self._write_waiting()

    def _write_waiting(self) -> None:
        records = [record for record, _, _ in self.waiting]
        if self.layout.per_residue:
            values = torch.cat([rows for _, _, rows in self.waiting])
            counts = [len(rows) for _, _, rows in self.waiting]
            columns: dict[str, Any] = {
                "record": np.repeat([record.number for record in records], counts),
                "id": np.repeat(np.array([record.id for record in records], object), counts),
                "position": np.concatenate(
                    [np.arange(start, start + len(rows)) + 1 for _, start, rows in self.waiting]
                ),
            }
        else:
            values = torch.stack([rows for _, _, rows in self.waiting])
            columns = {
                name: [getattr(record, name) for record in records]
                for name in self.schema.names[:-1]
            }
        embedding = pa.array(values.numpy().ravel())
        for size in reversed(self.layout.row_shape):
            embedding = pa.FixedSizeListArray.from_arrays(embedding, size)
        arrays = [
            pa.array(column, self.schema.field(name).type) for name, column in columns.items()
        ]
        self.writer.write_table(pa.Table.from_arrays([*arrays, embedding], schema=self.schema))
        self.waiting, self.bytes = [], 0

    def close(self) -> list[tuple[Path, Path]]:
        """Finish the file."""
        if self.waiting:
            self._write_waiting()
        self.release()
        return [(self.path, self.output)]

    def release(self) -> None:
        """Let go of the file."""
        self.writer.close()


class _SafetensorsWriter:
    """Writes one file, or several of bounded size with an index beside them.

    The format wants the sizes of all tensors at its beginning. Rows are therefore appended to a
    scratch file, and copied from there. The library itself orders the metadata at random, so that
    no two files were the same.
    """

    def __init__(self, output: Path, folder: Path, layout: Layout):
        self.output, self.folder, self.layout = output, folder, layout
        self.scratch = folder / "merged.bin"
        self.shards: list[tuple[Path, int]] = []
        self._begin_shard()

    def _begin_shard(self) -> None:
        self.records: list[StoredRecord] = []
        self.file = self.scratch.open("wb")

    def add(self, record: StoredRecord, start: int, rows: Tensor) -> None:
        """Write a vector, or the rows of a matrix from residue `start` (from 0) on."""
        if start == 0:
            full = self.file.tell() >= SHARD_BYTES or len(self.records) == SHARD_RECORDS
            if self.records and full:
                self._finish_shard()
                self._begin_shard()
            self.records.append(record)
        self.file.write(rows.contiguous().view(torch.uint8).numpy().data)

    def _finish_shard(self) -> None:
        self.file.close()
        count, row_shape = len(self.records), self.layout.row_shape
        columns = ["length", "embedded"] if self.layout.truncated else ["length"]
        tensors: list[tuple[str, torch.dtype, tuple[int, ...]]] = [
            (name, torch.int64, (count,)) for name in columns
        ]
        if self.layout.per_residue:
            tensors += [
                (str(record.number), self.layout.dtype, (record.embedded, *row_shape))
                for record in self.records
            ]
        else:
            tensors.append(("embedding", self.layout.dtype, (count, *row_shape)))
        metadata = {
            PROVENANCE: self.layout.provenance,
            "ids": json.dumps([record.id for record in self.records]),
        }
        header: dict[str, Any] = {"__metadata__": metadata}
        end = 0
        for name, dtype, shape in tensors:
            start, end = end, end + prod(shape) * dtype.itemsize
            header[name] = {
                "dtype": SAFETENSORS_DTYPES[dtype],
                "shape": shape,
                "data_offsets": [start, end],
            }
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        path = self.folder / f"merged-{len(self.shards):05}.safetensors"
        with path.open("wb") as file, self.scratch.open("rb") as rows:
            file.write(len(text).to_bytes(8, "little") + text)
            for name in columns:
                file.write(np.array([getattr(record, name) for record in self.records], "<i8").data)
            shutil.copyfileobj(rows, file)
        self.shards.append((path, count))

    def close(self) -> list[tuple[Path, Path]]:
        """Finish the last file, and the index where there are several."""
        self._finish_shard()
        self.scratch.unlink()
        count = len(self.shards)
        if count == 1:
            return [(self.shards[0][0], self.output)]
        names = [
            self.output.with_name(f"{self.output.stem}-{i:05}-of-{count:05}.safetensors")
            for i in range(1, count + 1)
        ]
        index = {
            PROVENANCE: json.loads(self.layout.provenance),
            "shards": [
                {"file": name.name, "records": records}
                for name, (_, records) in zip(names, self.shards, strict=True)
            ],
        }
        index_path = self.folder / "merged.index.json"
        index_path.write_text(json.dumps(index, indent=1), "utf-8")
        moves = [(path, name) for name, (path, _) in zip(names, self.shards, strict=True)]
        return [*moves, (index_path, index_file(self.output))]

    def release(self) -> None:
        """Let go of the scratch file."""
        self.file.close()


def index_file(output: Path) -> Path:
    """Return the path of the index of a safetensors output that is several files."""
    return output.with_name(f"{output.name}.index.json")
