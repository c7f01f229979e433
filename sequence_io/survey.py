# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""One pass over records before a model is loaded: totals, a fingerprint, and a wrong type.

The letters of DNA are amino acids too, so a molecule type that is wrong for a whole file raises
nowhere. Every record of 20 letters or more has a vote on the type that it is read as:

- By the published rule at least 80% of the letters of a nucleic acid are A, C, G, T, U or N, and
  of a protein fewer (input check of the published inference code).
- E, F, I, J, L, O, P, Q and Z stand for no nucleotide; a third of the letters of proteins are such.
- A record read as `gene` is against its type if it breaks the rule and more than a tenth of its
  letters stand for no nucleotide. So N and the other IUPAC codes are never held against it.
- A record read as `prot` is against its type if it breaks the rule, no letter of it stands for no
  nucleotide, and three of the bases A, C, G and T (or U) are there. So poly-alanine, or the repeats
  of silk, (GAGAGS)n, are not taken for DNA.

Case does not matter. X, which masks letters of either kind, gaps and `*` are not counted.
"""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from .records import SequenceRecord

FEWEST_LETTERS = 20
EXAMPLES = 3

NOT_COUNTED = b"X-.*"
NUCLEOTIDES = b"ACGTUN"
NO_NUCLEOTIDES = b"EFIJLOPQZ"

OTHER_KIND = {"gene": "a protein", "prot": "a nucleic acid"}
OTHERS = {"gene": "proteins", "prot": "nucleic acids"}


@dataclass(slots=True)
class Votes:
    """How the records that are read as one molecule type vote on it.

    Attributes:
        records: records that could be judged.
        letters: their letters, X not counted.
        records_against: those of them that look like the other molecule type.
        letters_against: the letters of these.
        examples: the ids of the first of these.
    """

    records: int = 0
    letters: int = 0
    records_against: int = 0
    letters_against: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Survey:
    """What `survey` found.

    Attributes:
        records: number of records.
        letters: letters of their sequences, as cleaning left them.
        longest: letters of the longest sequence.
        sha256: fingerprint of id, molecule type and sequence of every record, in order; 64
            hexadecimal digits. Upper and lower case letters are the same to it.
        votes: the votes of the records read as `gene` and of those read as `prot`.
    """

    records: int
    letters: int
    longest: int
    sha256: str
    votes: dict[str, Votes]

    @property
    def misread(self) -> dict[str, int]:
        """For each molecule type, the letters in records that look like the other one."""
        return {seq_type: vote.letters_against for seq_type, vote in self.votes.items()}

    def suspicion(self) -> str | None:
        """Tell in one line that a molecule type is probably wrong, else None.

        It is where records against it hold more than half of the letters that could be judged. A
        long record may outvote many short ones, so the line gives the share of the letters too.
        """
        lines = []
        for seq_type, vote in self.votes.items():
            if 2 * vote.letters_against <= vote.letters:
                continue
            one = vote.records_against == 1
            look = f"looks like {OTHER_KIND[seq_type]}" if one else f"look like {OTHERS[seq_type]}"
            examples = ", ".join(map(repr, vote.examples))
            if vote.records_against > len(vote.examples):
                examples += ", ..."
            lines.append(
                f"{vote.records_against:,} of {vote.records:,} sequences read as {seq_type} "
                f"{look}, {vote.letters_against / vote.letters:.0%} of the letters "
                f"(record{'' if one else 's'} {examples})"
            )
        return "; ".join(lines) or None


def survey(records: Iterable[SequenceRecord]) -> Survey:
    """Go through all records once, one in memory at a time.

    Args:
        records: records whose `seq_type` is `gene`, `prot`, or None for records that have no vote.

    Returns:
        Totals, fingerprint and votes; zeros and the fingerprint of nothing where there is none.

    Raises:
        ValueError: for another molecule type, naming the record; and what reading raises.

    """
    digest = hashlib.sha256()
    votes = {"gene": Votes(), "prot": Votes()}
    count = letters = longest = 0
    for record in records:
        seq_type = record.seq_type
        if seq_type is not None and seq_type not in votes:
            raise ValueError(
                f"record {record.id!r}: the molecule type {seq_type!r} is neither gene nor prot"
            )
        sequence = record.sequence.encode("ascii").upper()
        count += 1
        letters += len(sequence)
        longest = max(longest, len(sequence))
        # The lengths say where each of the three ends, so no two lists of records are alike.
        name, stated = record.id.encode(), (seq_type or "").encode()
        digest.update(struct.pack("<3Q", len(name), len(stated), len(sequence)) + name + stated)
        digest.update(sequence)
        judged = sequence.translate(None, NOT_COUNTED)
        if seq_type is None or len(judged) < FEWEST_LETTERS:
            continue
        vote = votes[seq_type]
        vote.records += 1
        vote.letters += len(judged)
        if (_is_no_gene if seq_type == "gene" else _is_no_protein)(judged):
            vote.records_against += 1
            vote.letters_against += len(judged)
            if len(vote.examples) < EXAMPLES:
                vote.examples += (record.id,)
    return Survey(count, letters, longest, digest.hexdigest(), votes)


def _is_no_gene(judged: bytes) -> bool:
    others = judged.translate(None, NUCLEOTIDES)
    if 5 * len(others) <= len(judged):
        return False
    return 10 * (len(others) - len(others.translate(None, NO_NUCLEOTIDES))) > len(judged)


def _is_no_protein(judged: bytes) -> bool:
    others = judged.translate(None, NUCLEOTIDES)
    if 5 * len(others) > len(judged) or len(others.translate(None, NO_NUCLEOTIDES)) < len(others):
        return False
    bases = [b"A" in judged, b"C" in judged, b"G" in judged, b"T" in judged or b"U" in judged]
    return sum(bases) >= 3
