# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a visitor pastes, read as sequences within limits."""

import io
from dataclasses import dataclass

from sequence_io import CleaningReport, SequenceRecord, clean_sequence, survey
from sequence_io.fasta import parse_fasta

SEQ_TYPES = {"gene": "DNA or RNA", "prot": "protein"}
ONLY = "sequence"


@dataclass(frozen=True)
class Limits:
    """What a visitor may ask for at once.

    Attributes:
        letters: of a sequence.
        sequences: of a map.
        characters: of a text or a file, headers and line ends included.
    """

    letters: int = 2_000
    sequences: int = 200
    characters: int = 200_000

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise ValueError(f"{name} {value}: a limit is 1 at least")


@dataclass(frozen=True)
class Sequences:
    """What was read.

    Attributes:
        records: the records, their types `gene` or `prot`; one at least.
        notes: what a visitor should know about them, one sentence each.
    """

    records: list[SequenceRecord]
    notes: list[str]


def read_sequences(
    text: str | None,
    seq_type: str | None,
    limits: Limits,
    name: str = "the text",
    unnamed: str = ONLY,
) -> Sequences:
    """Read FASTA, or the letters of one sequence.

    Nothing but the text itself is ever read, whatever it says.

    Args:
        text: what was pasted; FASTA begins with `>`.
        seq_type: `gene` or `prot`.
        limits: what is too much.
        name: what messages call the text.
        unnamed: the id of letters that come without a FASTA header.

    Raises:
        ValueError: nothing is given, no molecule type, too much of something, or what is no
            sequence; one line that names text, record and position.
    """
    if not text or not text.strip():
        raise ValueError(f"{name} is empty: paste FASTA, or the letters of one sequence")
    if seq_type not in SEQ_TYPES:
        raise ValueError(f"say whether the letters are {' or '.join(SEQ_TYPES.values())}")
    if len(text) > limits.characters:
        raise ValueError(f"{name} has {len(text):,} characters; the limit is {limits.characters:,}")
    report = CleaningReport()
    if text.lstrip().startswith(">"):
        lines = io.StringIO(text, newline=None)
        records = list(parse_fasta(lines, name, seq_type, keep_gaps=False, report=report))
    else:
        letters = clean_sequence(text, path=name, record=unnamed, report=report)
        records = [SequenceRecord(unnamed, letters, seq_type)]
    for record in records:
        if len(record.sequence) > limits.letters:
            raise ValueError(
                f"{name}: record {record.id!r} has {len(record.sequence):,} letters; the limit is "
                f"{limits.letters:,}"
            )
    return Sequences(records, [*filter(None, [report.summary(), _suspicion(records, seq_type)])])


def _suspicion(records: list[SequenceRecord], seq_type: str) -> str | None:
    """Say what `Survey.suspicion` says, in the words of the page."""
    found = survey(records)
    if found.suspicion() is None:
        return None
    kind, other = SEQ_TYPES[seq_type], SEQ_TYPES["prot" if seq_type == "gene" else "gene"]
    if len(records) == 1:
        return f"{records[0].id} looks like {other}, but is read as {kind}"
    against = found.votes[seq_type].records_against
    look = "looks" if against == 1 else "look"
    return f"{against:,} of {len(records):,} sequences {look} like {other}; all are read as {kind}"


def read_one(
    text: str | None,
    seq_type: str | None,
    limits: Limits,
    name: str = "the text",
    unnamed: str = ONLY,
) -> Sequences:
    """Read one sequence; arguments and errors as of `read_sequences`.

    Raises:
        ValueError: it holds several.
    """
    read = read_sequences(text, seq_type, limits, name, unnamed)
    if len(read.records) > 1:
        raise ValueError(f"{name} holds {len(read.records):,} sequences; give one at a time")
    return read
