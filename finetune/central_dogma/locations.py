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
from dataclasses import dataclass, field
from typing import NamedTuple

from Bio.Seq import reverse_complement
from Bio.SeqFeature import SimpleLocation


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


@dataclass(slots=True)
class _Stretch:
    """Parts on one strand. Positions count along that strand; beyond the origin they go on."""

    strand: int
    exons: list[tuple[int, int]] = field(default_factory=list)

    @property
    def start(self) -> int:
        return self.exons[0][0]

    @property
    def end(self) -> int:
        return max(end for _, end in self.exons)

    def takes(self, strand: int, start: int, size: int, length: int, circular: bool) -> int | None:
        """Return where a part would begin in this stretch, None if it does not belong there."""
        last = self.exons[-1][0]
        ahead = (start - last) % length if circular else start - last
        # Across the origin only on the shorter way: otherwise the part lies behind.
        in_order = start > last % length or (circular and 2 * ahead < length)
        fits = last + ahead + size - self.start <= length
        return last + ahead if strand == self.strand and in_order and fits else None


def _stretches(parts: Sequence[SimpleLocation], length: int, circular: bool) -> list[_Stretch]:
    stretches: list[_Stretch] = []
    for part in parts:
        strand, size = part.strand or 1, len(part)
        start = int(part.start) if strand == 1 else length - int(part.end)
        place = stretches[-1].takes(strand, start, size, length, circular) if stretches else None
        if place is None:
            place = start
            stretches.append(_Stretch(strand))
        stretches[-1].exons.append((place, place + size))
    return stretches


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
    stretches = _stretches(parts, length, circular)
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
