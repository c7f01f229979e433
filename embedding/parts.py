# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The work of a job in parts, each safe on disk before the next: what makes a job resumable.

While `OUTPUT` is made, the folder `OUTPUT.partial` holds `job.json`, which says what the job is,
and a file for each finished part. Which sequences make a part depends on the input and the options
alone, so that any number of processes, now or later, agree on it.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from sequence_io import SequenceRecord

from .embedder import Piece, cut
from .jobs import JobFolder
from .outputs import replace_durably, writing
from .windows import plan_windows

# A part does not hold more pieces than this, however short they are.
PART_PIECES = 4_096


class PieceInfo(NamedTuple):
    """What a part says of a piece.

    Attributes:
        record: number of its record in the input, from 0.
        id: of the record.
        length: letters of the record.
        embedded: letters that are embedded; fewer only where truncation was asked for.
        kept: letters of the record that this piece gives.
    """

    record: int
    id: str
    length: int
    embedded: int
    kept: int


class PlannedPiece(NamedTuple):
    """A piece to be embedded, and what its part will say of it."""

    piece: Piece
    info: PieceInfo


def plan_parts(
    records: Iterable[SequenceRecord],
    *,
    save_every: int,
    first_window_only: bool,
    truncate: int | None,
    window: int,
    overlap: int | None,
    merge: str,
) -> Iterator[list[PlannedPiece]]:
    """Divide the records of a stream into pieces, and those into parts.

    Args:
        records: the input.
        save_every: letters, read by the model, of a part; a piece is never divided.
        first_window_only: leave out all windows but the first, for the row of [CLS].
        truncate: letters after which a sequence is cut off.
        window: see `plan_windows`.
        overlap: see `plan_windows`.
        merge: see `plan_windows`.
    """
    part: list[PlannedPiece] = []
    letters = 0
    for number, record in enumerate(records):
        text = record.sequence[:truncate]
        windows = plan_windows(len(text), window, overlap, merge)
        if first_window_only:
            windows = windows[:1]
        for piece in cut(f"record {record.id!r}", text, record.seq_type, windows):
            if part and (letters + len(piece.text) > save_every or len(part) == PART_PIECES):
                yield part
                part, letters = [], 0
            kept = len(text) if first_window_only else piece.keep_stop - piece.keep_start
            info = PieceInfo(number, record.id, len(record.sequence), len(text), kept)
            part.append(PlannedPiece(piece, info))
            letters += len(piece.text)
    if part:
        yield part


class PartFolder(JobFolder):
    """The folder of a job whose work is done in parts.

    Args:
        output: where the job's result will be.
    """

    def __init__(self, output: Path):
        super().__init__(output, "part-*")
        self.input_copy = self.path / "input.fasta"

    def _file(self, number: int) -> Path:
        return self.path / f"part-{number:08}.safetensors"

    def has(self, number: int) -> bool:
        """Whether a part is there and whole."""
        try:
            with safe_open(self._file(number), "pt"):
                return True
        except (OSError, SafetensorError):
            return False

    def write(self, number: int, rows: Tensor, infos: list[PieceInfo], notes: list[str]) -> None:
        """Write a part.

        Args:
            number: from 0.
            rows: (pieces, ...), or (letters, ...) of all pieces.
            infos: of the pieces.
            notes: what a user should know about how this part was made.

        Raises:
            ValueError: it cannot be written.
        """
        path = self._file(number)
        temporary = path.with_suffix(".tmp")
        metadata = {"pieces": json.dumps(infos), "notes": json.dumps(notes)}
        with writing(path, "; what is done is kept, the same command goes on from there"):
            save_file({"rows": rows.contiguous()}, temporary, metadata)
            replace_durably(temporary, path)

    @contextmanager
    def _opened(self, number: int) -> Iterator[Any]:
        path = self._file(number)
        try:
            with safe_open(path, "pt") as file:
                yield file
        except (OSError, SafetensorError) as error:
            raise ValueError(
                f"{path}: cannot be read ({error}); do all processes see this folder?"
            ) from error

    def read(self, number: int) -> tuple[Tensor, list[PieceInfo]]:
        """Read a part: its rows, and what it says of its pieces.

        Raises:
            ValueError: it is not there or not readable.
        """
        with self._opened(number) as file:
            infos = json.loads(file.metadata()["pieces"])
            return file.get_tensor("rows"), [PieceInfo(*info) for info in infos]

    def notes(self, number: int) -> list[str]:
        """Read the notes of a part.

        Raises:
            ValueError: it is not there or not readable.
        """
        with self._opened(number) as file:
            return list(json.loads(file.metadata()["notes"]))

    def letters_done(self) -> int:
        """Return how many letters the finished parts hold."""
        done = 0
        for path in self.path.glob("part-*.safetensors"):
            with suppress(OSError, SafetensorError), safe_open(path, "pt") as file:
                pieces = json.loads(file.metadata()["pieces"])
                done += sum(PieceInfo(*piece).kept for piece in pieces)
        return done


def as_saved(rows: Tensor, dtype: torch.dtype, name: str) -> Tensor:
    """Return rows in the precision in which they are saved.

    Raises:
        ValueError: a number is not finite, or too large for the precision.
    """
    saved = rows.to(dtype)
    if not saved.isfinite().all():
        precision = str(dtype).removeprefix("torch.")
        reason = f"too large for {precision}" if rows.isfinite().all() else "not finite"
        raise ValueError(f"record {name!r}: its embedding holds numbers that are {reason}")
    return saved
