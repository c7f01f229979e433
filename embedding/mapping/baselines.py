# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What can be read off sequences without a model: baselines to hold a map of embeddings against."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from sequence_io.records import file_error

from ..inputs import SequenceInput

MULTI_HOT_POSITIONS = 2_048
KMER_LENGTHS = {"gene": 3, "prot": 2}


def read_letters(
    path: str | os.PathLike[str],
    keys: Sequence[tuple[str, int]],
    lengths: np.ndarray,
    options: dict[str, Any],
    seq_type: str | None,
) -> list[tuple[str, str]]:
    """Read the sequences that embeddings were made from, as the embeddings' own input was read.

    Args:
        path: a file that `sequence_io.read_records` reads.
        keys: ids of the records, as of `number_repeats`.
        lengths: (records,) letters of each.
        options: with which the embeddings were made.
        seq_type: in place of the one that stands there.

    Returns:
        For each record its letters, in upper case and for nucleic acids A, C, G, T and N, cut off
        where the embedding was, and `gene` or `prot`.

    Raises:
        ValueError: the file cannot be read, lacks a record, or has another sequence under its id.
    """
    wanted = dict(zip(keys, lengths.tolist(), strict=True))
    found: dict[tuple[str, int], tuple[str, str]] = {}
    seen: Counter[str] = Counter()
    sequences = SequenceInput(
        path,
        seq_type or options["seq_type"],
        options["id_column"],
        options["sequence_column"],
        options["keep_gaps"],
    )
    for record in sequences.read():
        key = (record.id, seen[record.id])
        seen[record.id] += 1
        if key not in wanted:
            continue
        if len(record.sequence) != wanted[key]:
            problem = f"has {len(record.sequence):,} letters, its embedding is of {wanted[key]:,}"
            raise file_error(path, problem, record=record.id)
        kind = str(record.seq_type)
        found[key] = plain_letters(record.sequence[: options["truncate"]], kind), kind
    missing = [name for name, repeat in keys if (name, repeat) not in found]
    if missing:
        raise file_error(
            path,
            f"lacks {len(missing):,} of {len(keys):,} records of the embeddings, as "
            f"{missing[0]!r}; its own first is {next(iter(seen))!r}",
        )
    return [found[key] for key in keys]


def plain_letters(sequence: str, seq_type: str) -> str:
    """Return a sequence in upper case, a nucleic acid (`gene`) in the letters A, C, G, T and N."""
    sequence = sequence.upper()
    return re.sub("[^ACGT]", "N", sequence.replace("U", "T")) if seq_type == "gene" else sequence


def multi_hot(sequences: Sequence[tuple[str, str]]) -> Any:
    """Return the letters of sequences by their place: the baseline of the published figure 2.

    The publication gives no details. Here a vector has a number for every position and letter, 1
    where that letter stands there; gaps and what lies beyond the end of a sequence are 0, and
    positions beyond the first 2,048 are left out. A letter of a nucleic acid and the same letter
    of a protein are two.

    Args:
        sequences: pairs of plain letters and `gene` or `prot`.

    Returns:
        A SciPy CSR matrix, (sequences, 2,048 x 52), fp32; 52 are 26 letters of either kind.
    """
    from scipy.sparse import csr_matrix

    columns = []
    for letters, seq_type in sequences:
        codes = np.frombuffer(letters[:MULTI_HOT_POSITIONS].encode(), np.uint8).astype(np.int32)
        positions = np.flatnonzero((codes >= ord("A")) & (codes <= ord("Z")))
        offset = 26 * (seq_type == "prot") - ord("A")
        columns.append((52 * positions + codes[positions] + offset).astype(np.int32))
    ends = np.cumsum([0, *map(len, columns)])
    shape = (len(columns), 52 * MULTI_HOT_POSITIONS)
    return csr_matrix((np.ones(ends[-1], np.float32), np.concatenate(columns), ends), shape)


def kmer_name(sequences: Sequence[tuple[str, str]], k: int | None = None) -> str:
    """Return what `kmer_frequencies` of these is called."""
    sizes = {k or KMER_LENGTHS[seq_type] for _, seq_type in sequences}
    return f"{' and '.join(map(str, sorted(sizes)))}-mer frequencies"


def kmers(sequence: tuple[str, str], k: int | None = None) -> list[tuple[str, str]]:
    """Return the overlapping k-mers of a sequence, each with its molecule type.

    Args:
        sequence: plain letters and `gene` or `prot`; of nucleic acids k-mers with an N are left
            out.
        k: letters; where not given, 3 in nucleic acids and 2 in proteins.
    """
    letters, seq_type = sequence
    size = k or KMER_LENGTHS[seq_type]
    words = (letters[start : start + size] for start in range(len(letters) - size + 1))
    return [(seq_type, word) for word in words if seq_type == "prot" or "N" not in word]


def kmer_frequencies(sequences: Sequence[tuple[str, str]], k: int | None = None) -> Any:
    """Return how often each k-mer occurs in sequences, as shares of all k-mers of a sequence.

    K-mers of nucleic acids and of proteins are different ones. A sequence without any has a vector
    of zeros.

    Args:
        sequences: pairs of plain letters and `gene` or `prot`.
        k: see `kmers`.

    Returns:
        A SciPy CSR matrix, (sequences, k-mers that occur), fp32.

    Raises:
        ValueError: no sequence has a k-mer.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import normalize

    if not any(kmers(sequence, k) for sequence in sequences):
        raise ValueError(f"{kmer_name(sequences, k)}: no sequence has such a k-mer")
    analyzer = partial(kmers, k=k)
    counts = CountVectorizer(analyzer=analyzer, dtype=np.float32).fit_transform(sequences)
    return normalize(counts, norm="l1")
