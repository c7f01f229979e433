# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The options of a file of embeddings that decide its numbers, and what can be wrong with them."""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .embedder import POOLINGS, Layers
from .inputs import SequenceInput, check_seq_type
from .models import find_device
from .parts import PlannedPiece, plan_parts
from .windows import DEFAULT_WINDOW, check_windows
from .writers import check_output

SAVE_DTYPES = ("float32", "float16", "bfloat16")


@dataclass(frozen=True)
class Settings:
    """The options that decide the numbers; see `embed_file`."""

    seq_type: str
    pooling: str = "mean"
    layers: Layers = -1
    dtype: str | None = None
    save_dtype: str = "float32"
    attn_implementation: str | None = None
    window: int = DEFAULT_WINDOW
    overlap: int | None = None
    merge: str = "centre"
    truncate: int | None = None
    id_column: str | None = None
    sequence_column: str | None = None
    keep_gaps: bool = False

    def check(self) -> None:
        """Check what can be checked without a file or a model.

        Raises:
            ValueError: an option that cannot be right.
        """
        check_seq_type(self.seq_type)
        if self.pooling not in POOLINGS:
            raise ValueError(f"unknown pooling {self.pooling!r}; known are {', '.join(POOLINGS)}")
        if self.save_dtype not in SAVE_DTYPES:
            known = ", ".join(SAVE_DTYPES)
            raise ValueError(f"unknown save_dtype {self.save_dtype!r}; known are {known}")
        if self.truncate is not None and self.truncate < 1:
            raise ValueError(f"nothing is left of a sequence truncated to {self.truncate} letters")
        check_windows(self.window, self.overlap, self.merge)

    def input(self, source: str | os.PathLike[str]) -> SequenceInput:
        """Return how a file is read."""
        return SequenceInput(
            source, self.seq_type, self.id_column, self.sequence_column, self.keep_gaps
        )

    def decisive(self) -> dict[str, Any]:
        """Return the options that decide the numbers, given the records."""
        kept = asdict(self)
        for name in ("seq_type", "id_column", "sequence_column", "keep_gaps"):
            del kept[name]  # they decide what the records are
        kept["overlap"] = check_windows(self.window, self.overlap, self.merge)
        kept["dtype"] = self.dtype or "as stored"
        kept["attn_implementation"] = self.attn_implementation or "sdpa"
        return kept

    def parts(self, sequences: SequenceInput, save_every: int) -> Iterator[list[PlannedPiece]]:
        """Plan the parts of a file."""
        return plan_parts(
            sequences.read(),
            save_every=save_every,
            first_window_only=self.pooling == "cls",
            truncate=self.truncate,
            window=self.window,
            overlap=self.overlap,
            merge=self.merge,
        )


def check_options(
    output: str | os.PathLike[str], device: str | None = None, **options: Any
) -> Settings:
    """Check the options of `embed_file`, all but what depends on files.

    Raises:
        ValueError: an option that cannot be right.
        ImportError: a library is missing.
    """
    settings = Settings(
        **{name: options[name] for name in Settings.__dataclass_fields__ if name in options}
    )
    settings.check()
    check_output(Path(output), settings.save_dtype)
    if device is not None:
        find_device(device)
    return settings
