# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Embeddings into HDF5, a dataset per record."""

import io
from pathlib import Path
from typing import Any

from torch import Tensor

from .layout import PROVENANCE, Layout, StoredRecord


def import_h5py() -> Any:
    """Return the library, or say how to install it.

    Raises:
        ImportError: it is missing.
    """
    try:
        import h5py
    except ImportError:
        raise ImportError(
            "HDF5 files need h5py: pip install 'lucaone-hf[hdf5]'; .parquet needs nothing more"
        ) from None
    return h5py


class _UnfailingFile(io.FileIO):
    """A file that keeps its first failure to write, and from then on only pretends to.

    HDF5 cannot let go of a file to which it cannot write, and crashes at the end of the process.
    """

    failure: BaseException | None = None

    def write(self, data: Any) -> int:
        """Write all of it, or keep the failure."""
        left = memoryview(data)
        try:
            while left and not self.failure:
                left = left[super().write(left) :]
        except (OSError, KeyboardInterrupt) as error:
            self.failure = error
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        """Set the length, or keep the failure."""
        try:
            return super().truncate(size) if not self.failure else 0
        except (OSError, KeyboardInterrupt) as error:
            self.failure = error
            return 0

    def check(self) -> None:
        """Raise the failure, if there was one."""
        if self.failure:
            raise self.failure


class HDF5Writer:
    """Writes a dataset per record, with the attribute `length`.

    A dataset is called by the id, unless HDF5 has another meaning for it: `/` and a lone `.` are
    written as %2F and %2E, and a name that is taken gets `#2`, `#3` and so on. The id then stands
    in the attribute `original_id`. The character NUL, which HDF5 does not hold, becomes %00.
    """

    def __init__(self, output: Path, folder: Path, layout: Layout):
        self.output, self.layout = output, layout
        self.path = folder / "merged.h5"
        self.names_taken: dict[str, int] = {}
        self.sink = _UnfailingFile(self.path, "w+")
        self.file = import_h5py().File(self.sink, "w", track_order=True)
        self.file.attrs[PROVENANCE] = layout.provenance

    def add(self, record: StoredRecord, start: int, rows: Tensor) -> None:
        """Write a vector, or the rows of a matrix from residue `start` (from 0) on."""
        values = rows.numpy()
        if start == 0:
            shape = self.layout.row_shape
            if self.layout.per_residue:
                shape = (record.embedded, *shape)
            record_id = record.id.replace("\0", "%00")
            name = self._free_name(record_id)
            self.dataset = self.file.create_dataset(name, shape, values.dtype)
            self.dataset.attrs["length"] = record.length
            if self.layout.truncated:
                self.dataset.attrs["embedded"] = record.embedded
            if name != record_id:
                self.dataset.attrs["original_id"] = record_id
        if self.layout.per_residue:
            self.dataset[start : start + len(values)] = values
        else:
            self.dataset[...] = values
        self.sink.check()

    def _free_name(self, record_id: str) -> str:
        name = record_id.replace("/", "%2F")
        name = "%2E" if name == "." else name
        free, count = name, self.names_taken.get(name, 1)
        while free in self.file:
            count += 1
            self.names_taken[name] = count
            free = f"{name}#{count}"
        return free

    def close(self) -> list[tuple[Path, Path]]:
        """Finish the file."""
        self.release()
        self.sink.check()
        return [(self.path, self.output)]

    def release(self) -> None:
        """Let go of the file."""
        self.file.close()
        self.sink.close()
