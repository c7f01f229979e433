# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The sequences that a command is given: read more than once, and looked through before a model."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from tqdm.auto import tqdm

from sequence_io import (
    CleaningReport,
    SequenceFileError,
    SequenceRecord,
    Survey,
    clean_sequence,
    read_records,
    survey,
)
from sequence_io.records import file_error
from tokenization import normalize_seq_type


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


@dataclass(frozen=True)
class SequenceInput:
    """A file of sequences, or a stream of which a copy is kept, and how it is read.

    Attributes:
        source: as of `sequence_io.read_records`; `-` is standard input.
        seq_type: `gene`, `prot`, `column:NAME` or `header`.
        id_column: as of `sequence_io.read_records`.
        sequence_column: as of `sequence_io.read_records`.
        keep_gaps: as of `sequence_io.read_records`.
        copy: the file that holds what came from a stream.
    """

    source: str | os.PathLike[str]
    seq_type: str
    id_column: str | None = None
    sequence_column: str | None = None
    keep_gaps: bool = False
    copy: Path | None = None

    @property
    def name(self) -> str:
        """What messages call it."""
        return "standard input" if os.fspath(self.source) == "-" else os.fspath(self.source)

    def kept_at(self, copy: Path) -> "SequenceInput":
        """Return the input with a place for its copy, if it can be read only once: - or a pipe."""
        path = Path(self.source)
        once = os.fspath(self.source) == "-" or path.is_fifo() or path.is_char_device()
        return replace(self, copy=copy) if once else self

    def keep(self) -> None:
        """Copy the stream; nothing is done for a file.

        Raises:
            ValueError: it cannot be read, or the copy not be written.
        """
        if self.copy is None:
            return
        try:
            with ExitStack() as files:
                stream: IO[bytes] = sys.stdin.buffer
                if os.fspath(self.source) != "-":
                    stream = files.enter_context(Path(self.source).open("rb"))
                shutil.copyfileobj(stream, files.enter_context(self.copy.open("wb")))
        except OSError as error:
            raise ValueError(f"{self.name}: cannot be copied: {error.strerror or error}") from error

    def read(self, report: CleaningReport | None = None) -> Iterator[SequenceRecord]:
        """Read the records, each with `gene` or `prot` as its type.

        Raises:
            SequenceFileError: see `sequence_io.read_records`; or a molecule type nobody knows.
        """
        path = self.copy or self.source
        try:
            for record in read_records(
                path,
                seq_type=self.seq_type,
                id_column=self.id_column,
                sequence_column=self.sequence_column,
                keep_gaps=self.keep_gaps,
                report=report,
            ):
                try:
                    seq_type = normalize_seq_type(record.seq_type)
                except ValueError as error:
                    raise file_error(path, str(error), record=record.id) from None
                yield replace(record, seq_type=seq_type)
        except SequenceFileError as error:
            if self.copy is None:
                raise
            raise SequenceFileError(str(error).replace(str(path), self.name, 1)) from error

    def look_through(self, force: bool = False) -> tuple[Survey, CleaningReport]:
        """Read everything once, so that what is wrong shows before a model is loaded.

        Args:
            force: let the molecule type look wrong.

        Raises:
            SequenceFileError: see `read` and `question`.
        """
        cleaning = CleaningReport()
        with tqdm(
            self.read(cleaning), "reading", unit=" records", disable=None, delay=2, leave=False
        ) as records:
            seen = survey(records)
        if not force:
            self.question(seen)
        return seen, cleaning

    def question(self, seen: Survey) -> None:
        """Question a molecule type that does not fit what was seen.

        Raises:
            SequenceFileError: most of the input looks like the other molecule type.
        """
        if suspicion := seen.suspicion():
            raise SequenceFileError(
                f"{self.name}: {suspicion}; --seq-type tells the type, --force goes on"
            )


def texts_and_types(
    sequences: str | Iterable[str], seq_type: str | Iterable[str] | None, keep_gaps: bool
) -> tuple[list[str], list[str | None]]:
    """Clean sequences as those of a file are, and give each its molecule type.

    Args:
        sequences: letters of a molecule, or several.
        seq_type: one for all, or one for each; None leaves them to the tokenizer's default.
        keep_gaps: as of `sequence_io.clean_sequence`.

    Raises:
        ValueError: not a type for each sequence, or a sequence that is empty or holds what is no
            letter.
    """
    texts = []
    for number, text in enumerate([sequences] if isinstance(sequences, str) else sequences):
        if not isinstance(text, str):
            raise ValueError(f"sequence {number} (from 0) is {text!r}, not letters")
        cleaned = clean_sequence(text, path="sequences", record=str(number), keep_gaps=keep_gaps)
        texts.append(cleaned)
    if seq_type is None or isinstance(seq_type, str):
        return texts, [seq_type] * len(texts)
    types: list[str | None] = list(seq_type)
    if len(types) != len(texts):
        raise ValueError(f"{len(types)} molecule types for {len(texts)} sequences")
    return texts, types
