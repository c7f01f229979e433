# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a file of embeddings knows of a record, and what all its records have in common."""

from typing import NamedTuple

import torch

# The key of the provenance in every format.
PROVENANCE = "lucaone"


class StoredRecord(NamedTuple):
    """A record as an embedding file knows it.

    Attributes:
        number: in the input, from 0.
        id: of the record.
        length: its letters.
        embedded: letters that are embedded; fewer only where truncation was asked for.
    """

    number: int
    id: str
    length: int
    embedded: int


class Layout(NamedTuple):
    """What all records of a file have in common.

    Attributes:
        row_shape: of one vector, (hidden_size,) or (layers, hidden_size).
        per_residue: a matrix for each record in place of a vector.
        dtype: of the numbers.
        truncated: letters may be fewer than those of the record; both are stored.
        provenance: how the file was made, as JSON.
    """

    row_shape: tuple[int, ...]
    per_residue: bool
    dtype: torch.dtype
    truncated: bool
    provenance: str
