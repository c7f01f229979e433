# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What the masked language model expects at a position of a sequence."""

from dataclasses import dataclass

import numpy as np

from embedding.scoring import Scorer
from embedding.scoring.methods import Pass, Query
from embedding.scoring.variants import LETTERS, as_read
from sequence_io import SequenceRecord
from tokenization.tokenization_lucaone import TABLES

# Letters of the sequence that are shown before and behind the position.
CONTEXT = 12


@dataclass(frozen=True)
class MaskedLetter:
    """A position, and what could stand there.

    Attributes:
        position: counted from 1.
        before: some letters before it.
        actual: its letter, as the model reads it; T for U.
        after: some letters behind it.
        letters: with their probabilities, the likeliest first.
        others: the probability of all tokens that are not among them.
    """

    position: int
    before: str
    actual: str
    after: str
    letters: list[tuple[str, float]]
    others: float


def predict_letter(scorer: Scorer, record: SequenceRecord, position: float | None) -> MaskedLetter:
    """Mask a position and read the probabilities of the letters there.

    Nucleic acids have A, C, G, T and N, proteins the 20 amino acids and the letter that is there.

    Args:
        scorer: the model.
        record: the sequence, its type `gene` or `prot`.
        position: counted from 1.

    Raises:
        ValueError: there is no such position.
    """
    kind, length = str(record.seq_type), len(record.sequence)
    if position is None or not 1 <= position <= length or position % 1:
        raise ValueError(
            f"the sequence has positions 1 to {length:,}"
            + ("; give one" if position is None else f", not {position:,.15g}")
        )
    sequence, place = as_read(record.sequence, kind), int(position) - 1
    start, stop = Query(sequence, kind).window_around(place, place)
    offset = place - start
    rows = scorer.log_probabilities([Pass(sequence[start:stop], kind, [offset], [offset])])
    probabilities = np.exp(rows[0][0].astype(np.float64))
    actual, candidates = sequence[place], LETTERS[kind]
    if kind == "gene":
        actual, candidates = actual if actual in candidates else "N", candidates + "N"
    elif actual not in candidates:
        candidates += actual
    letters = {letter: float(probabilities[TABLES[kind][ord(letter)]]) for letter in candidates}
    return MaskedLetter(
        position=place + 1,
        before=sequence[max(0, place - CONTEXT) : place],
        actual=actual,
        after=sequence[place + 1 : place + 1 + CONTEXT],
        letters=sorted(letters.items(), key=lambda pair: -pair[1]),
        others=max(0.0, 1 - sum(letters.values())),
    )
