# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Files of features, in the form in which `lucaone embed` writes safetensors.

A file `part-0001.safetensors` holds a matrix for each sequence, named by its number, or
`embedding`, a row for each; the metadata `ids` lists the digests of the sequences in their order.
Numbers are fp32: a residue takes 4 bytes times the width, 10 kB of the published model.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from embedding.outputs import replace_durably, writing

# Of rows that are in memory before they become a file.
PART_BYTES = 2**29


class FeatureFile:
    """A file of features, memory-mapped: it takes memory as it is read, and no file stays open.

    Args:
        path: the file.
        width: numbers that a row must have.

    Attributes:
        digests: of the sequences.

    Raises:
        ValueError: it is damaged, or no such file; one line that names it.
    """

    def __init__(self, path: Path, width: int):
        self.path, self.width = path, width
        try:
            self._file = safe_open(path, "pt")
            self.digests: list[str] = json.loads(self._file.metadata()["ids"])
            names = set(self._file.keys()) - {"length"}
            self._matrix = self._file.get_tensor("embedding") if "embedding" in names else None
            self._names = [] if self._matrix is not None else sorted(names, key=int)
            first = self._matrix if self._matrix is not None else self[0]
            count = len(self._names) if self._matrix is None else len(self._matrix)
            if count != len(self.digests) or first.shape[1:] != (width,):
                raise ValueError(f"{len(self.digests)} ids, {count} of shape {tuple(first.shape)}")
        except (OSError, SafetensorError, LookupError, TypeError, ValueError) as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise ValueError(
                f"{path}: damaged, or no file of these features ({reason}); "
                "without it they are computed again"
            ) from error

    def __getitem__(self, number: int) -> Tensor:
        """Return the rows of a sequence by its number in `digests`, (rows, width) fp32."""
        if self._matrix is not None:
            return self._matrix[number : number + 1]
        rows: Tensor = self._file.get_tensor(self._names[number])
        return rows

    def __reduce__(self) -> tuple[Any, ...]:
        """Open it again in another process."""
        return FeatureFile, (self.path, self.width)


def feature_files(folder: Path) -> list[Path]:
    """Return the files of features in a folder."""
    return sorted(folder.glob("part-*.safetensors"))


def next_file(folder: Path) -> Path:
    """Return the name of the next file."""
    numbers = [int(re.findall(r"\d+", path.name)[0]) for path in feature_files(folder)]
    return folder / f"part-{max(numbers, default=0) + 1:04}.safetensors"


def save_features(folder: Path, digests: Sequence[str], rows: Sequence[Tensor], one: bool) -> None:
    """Write the next file of a folder; after a power failure it is there whole or not at all.

    Args:
        folder: where it goes.
        digests: of the sequences.
        rows: (rows, width) fp32 of each.
        one: each has one row, and all are one matrix.

    Raises:
        ValueError: it cannot be written.
    """
    path = next_file(folder)
    temporary = path.with_suffix(".tmp")
    matrices = {str(number): matrix.contiguous() for number, matrix in enumerate(rows)}
    tensors = {"embedding": torch.cat(list(rows))} if one else matrices
    with writing(path, "; what is done is kept, the same command goes on from there"):
        save_file(tensors, temporary, {"ids": json.dumps(list(digests))})
        replace_durably(temporary, path)
