# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The DNA of a gene, cut out of its record in the direction of transcription.

From the first to the last base of the CDS, introns included, with flanks. The extent of the gene
feature is not used: untranslated regions are in the DNA only as far as the flanks reach.

A gene that no single stretch of DNA contains (trans-splicing: parts on both strands, or not in the
order of transcription) is made of its stretches: parts that follow each other on one strand stay
together with the intron between them; the stretches are joined directly, in the order of the CDS,
and the flanks stand at the two outer ends.
"""

from collections.abc import Sequence
from typing import NamedTuple

from Bio.Seq import reverse_complement
from Bio.SeqFeature import SimpleLocation

from sequence_io.locations import find_stretches


class GeneDNA(NamedTuple):
    """A gene cut out: positions count letters of `dna` from 0, ends are exclusive.

    `exons` are the parts of the CDS in its order; they overlap where a ribosome slips back.
    `flanks` are the letters before and behind the gene.
    """

    dna: str
    exons: tuple[tuple[int, int], ...]
    flanks: tuple[int, int]
    stretches: int
    spans_origin: bool


def cut_gene(
    parts: Sequence[SimpleLocation], record: str, circular: bool, flank: int = 100
) -> GeneDNA:
    """Cut a gene out of a record.

    Args:
        parts: the parts of the CDS in the order of translation, within the record.
        record: the letters of the record.
        circular: whether the record goes on at its origin.
        flank: letters on each side; fewer at the end of a linear record, and where a circular one
            has no more that are not the gene's own.
    """
    length = len(record)
    stretches = find_stretches(parts, length, circular)
    pieces, exons, position = [], [], 0
    before = after = 0
    for number, stretch in enumerate(stretches):
        start, end = stretch.start, stretch.end
        spare = (length - (end - start)) // 2
        before = min(flank, spare if circular else start) if number == 0 else 0
        after = min(flank, spare if circular else length - end)
        after = after if number == len(stretches) - 1 else 0
        pieces.append(_letters(record, stretch.strand, start - before, end + after))
        shift = position + before - start
        exons += [(first + shift, last + shift) for first, last in stretch.exons]
        position += len(pieces[-1])
    dna = "".join(pieces)
    flanks = (exons[0][0], after)
    spans_origin = any(stretch.end > length for stretch in stretches)
    return GeneDNA(dna, tuple(exons), flanks, len(stretches), spans_origin)


def _letters(record: str, strand: int, start: int, end: int) -> str:
    """Return the letters from `start` to `end` along a strand, across the origin where they do."""
    if strand == -1:
        start, end = len(record) - end, len(record) - start
    size, start = end - start, start % len(record)
    letters = record[start : start + size]
    letters += record[: size - len(letters)]
    return reverse_complement(letters) if strand == -1 else letters
