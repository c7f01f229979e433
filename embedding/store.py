# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Files of embeddings: what stands in them, and how to read it.

Vectors (of a pooling), in the order of the input:

* HDF5: a dataset per record, named by its id, as UniProt publishes embeddings.
* Parquet: a row per record with `id`, `length` (letters) and `embedding`.
* safetensors: `embedding`, a row per record, and `length`; the metadata `ids` is a JSON list.

Matrices (a row per residue):

* HDF5: the same, with a matrix in each dataset.
* Parquet: a row per residue with `record` (from 0), `id`, `position` (from 1) and `embedding`.
* safetensors: a tensor per record, named by its number from 0, `length`, and `ids`.

How a file was made stands in it as JSON, under the key `lucaone`: an attribute in HDF5, metadata in
the others. Where sequences were truncated, `embedded` says after how many letters. A safetensors
output beyond 4 GB or 100,000 records is several files, which OUTPUT.index.json lists.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError, safe_open

from .hdf5_writer import import_h5py
from .layout import PROVENANCE
from .writers import SUFFIXES, index_file


@dataclass(frozen=True)
class StoredEmbeddings:
    """The vectors of an embedding file, in its order.

    Attributes:
        ids: of the records, as in the input.
        lengths: (records,) letters of each.
        vectors: (records, hidden_size), or (records, layers, hidden_size), fp32.
        provenance: how the file was made: `model`, `records`, `made_from` and so on.
    """

    ids: list[str]
    lengths: np.ndarray
    vectors: np.ndarray
    provenance: dict[str, Any]


def read_provenance(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return how an embedding file was made; see `StoredEmbeddings`.

    Raises:
        ValueError: there is no such file, or it is not an embedding file of ours.
    """
    file = Path(path)
    if file.suffix not in SUFFIXES:
        raise ValueError(f"{file}: no embedding file; those end in {' '.join(SUFFIXES)}")
    try:
        if file.suffix == ".parquet":
            text = (pq.read_schema(file).metadata or {}).get(PROVENANCE.encode())
        elif file.suffix == ".safetensors":
            with safe_open(_shards(file)[0], "np") as shard:
                text = (shard.metadata() or {}).get(PROVENANCE)
        else:
            with import_h5py().File(file) as h5:
                text = h5.attrs.get(PROVENANCE)
    except FileNotFoundError:
        raise ValueError(f"{file}: no such file") from None
    except (OSError, SafetensorError, pa.ArrowException) as error:
        raise ValueError(f"{file}: cannot be read: {str(error).splitlines()[0]}") from error
    if text is None:
        raise ValueError(f"{file}: not a file of `lucaone embed`")
    return dict(json.loads(text))


def remove_output(path: Path) -> None:
    """Remove an embedding file, all of it where it is several files."""
    for shard in _shards(path):
        shard.unlink(missing_ok=True)
    index_file(path).unlink(missing_ok=True)


def _shards(file: Path) -> list[Path]:
    index = index_file(file)
    if file.exists() or not index.exists():
        return [file]
    return [file.with_name(shard["file"]) for shard in json.loads(index.read_text())["shards"]]


def read_embeddings(path: str | os.PathLike[str]) -> StoredEmbeddings:
    """Read the vectors of an embedding file into memory.

    Args:
        path: a .h5, .parquet or .safetensors file of `lucaone embed`; of several safetensors files
            the name that was asked for.

    Raises:
        ValueError: there is no such file, it is not an embedding file of ours, or holds a matrix
            for each record.
    """
    file = Path(path)
    provenance = read_provenance(file)
    if provenance["made_from"]["pooling"] == "none":
        raise ValueError(f"{file}: holds a vector per residue, not one per sequence")
    if file.suffix == ".parquet":
        table = pq.read_table(file, columns=["id", "length", "embedding"])
        column = table.column("embedding").combine_chunks()
        shape = [len(column)]
        while pa.types.is_fixed_size_list(column.type):
            shape.append(column.type.list_size)
            column = column.flatten()
        ids, lengths = table.column("id").to_pylist(), table.column("length").to_numpy()
        vectors = column.to_numpy(zero_copy_only=False).reshape(shape)
    elif file.suffix == ".safetensors":
        ids, parts, sizes = [], [], []
        for shard in _shards(file):
            with safe_open(shard, "pt") as tensors:
                ids += json.loads(tensors.metadata()["ids"])
                parts.append(tensors.get_tensor("embedding").float().numpy())
                sizes.append(tensors.get_tensor("length").numpy())
        lengths, vectors = np.concatenate(sizes), np.concatenate(parts)
    else:
        with import_h5py().File(file) as h5:
            # An open dataset takes 16 kB: one at a time.
            found = [
                (data.attrs.get("original_id", data.name[1:]), data.attrs["length"], data[...])
                for data in h5.values()
            ]
        ids = [record_id for record_id, _, _ in found]
        lengths = np.array([length for _, length, _ in found])
        vectors = np.stack([vector for _, _, vector in found])
    return StoredEmbeddings(ids, lengths, np.require(vectors, np.float32, "W"), provenance)
