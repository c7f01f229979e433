# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a feature is made of: a sequence with its molecule type, and an encoder."""

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from torch import Tensor

Rows = Literal["residues", "mean", "max", "cls"]
ROWS: tuple[str, ...] = get_args(Rows)

NOT_A_LETTER = re.compile(r"[^A-Za-z.*\-]")


class TypedSequence(NamedTuple):
    """A sequence as an encoder reads it.

    Attributes:
        seq_type: `gene` or `prot`.
        text: its letters, cleaned (`sequence_io.clean_sequence`); upper and lower case, and in
            nucleic acids T and U, are the same.
    """

    seq_type: str
    text: str

    @property
    def letters(self) -> str:
        """The letters in upper case, in nucleic acids T in place of U."""
        letters = self.text.upper()
        return letters.replace("U", "T") if self.seq_type == "gene" else letters

    @property
    def digest(self) -> str:
        """SHA-256 of `TYPE:LETTERS`, 64 hexadecimal digits; what a store knows a sequence by."""
        return hashlib.sha256(f"{self.seq_type}:{self.letters}".encode()).hexdigest()

    def check(self) -> None:
        """Check that an encoder can read it.

        Raises:
            ValueError: another molecule type, no letters, or what is no letter.
        """
        if self.seq_type not in ("gene", "prot"):
            raise ValueError(f"the molecule type {self.seq_type!r} is neither gene nor prot")
        if not self.text:
            raise ValueError("an empty sequence has no features")
        if wrong := NOT_A_LETTER.search(self.text):
            start = self.text[:20]
            raise ValueError(f"sequence {start!a}...: {wrong.group()!a} is not a letter A to Z")


class Backbone(ABC):
    """An encoder as a source of features.

    Attributes:
        name: as shown in tables.
        rows: what the features of a sequence are: `residues`, a row for each residue (of other
            encoders for each token); or one row, the `mean` or `max` of those, or `cls`, that of
            [CLS].
        width: numbers in a row.
        stored: features are computed by `write` and kept; otherwise `compute` makes them each time.
        shared: every process of `accelerate launch` calls `write`, which shares the work out;
            otherwise the main process alone does.
    """

    name: str
    rows: Rows
    width: int
    stored = True
    shared = False

    @abstractmethod
    def made_from(self) -> dict[str, Any]:
        """Return all that decides the numbers: weights, configuration, options; as JSON has it."""

    @cached_property
    def key(self) -> str:
        """16 hexadecimal digits that differ where `made_from` does; they name a folder."""
        text = json.dumps({"rows": self.rows, **self.made_from()}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def recover(self, folder: Path) -> None:
        """Make features of what a killed `write` left in a folder; the main process calls it.

        Raises:
            ValueError: they cannot be written.
        """
        return

    def write(self, sequences: Sequence[TypedSequence], folder: Path, processes: Any) -> list[str]:
        """Compute the features of distinct sequences and keep them in files, see files.py.

        Args:
            sequences: those that no file there holds.
            folder: where the files go, part by part.
            processes: the `accelerate.PartialState`.

        Returns:
            What a user should know about how the work went.

        Raises:
            ValueError: the encoder cannot be loaded or does not read these sequences, or a file
                cannot be written; one line that names it. What is done is kept.
        """
        raise NotImplementedError

    def compute(self, sequence: TypedSequence) -> Tensor:
        """Return the features, (rows, width) fp32, of an encoder that needs no files."""
        raise NotImplementedError
