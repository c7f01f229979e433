# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Locations of feature tables: their notation, and which of their parts a stretch of DNA holds."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from Bio.SeqFeature import CompoundLocation, SimpleLocation


def location_text(location: SimpleLocation | CompoundLocation | None) -> str:
    """Write a location in the notation of the feature tables.

    Positions count from 1, ends are inclusive; the parts are in the order of transcription.
    """
    ranges = []
    for part in location.parts if location else ():
        text = f"{part.ref}:" * bool(part.ref) + f"{part.start + 1}..{part.end}"
        ranges.append(f"complement({text})" if part.strand == -1 else text)
    return f"join({','.join(ranges)})" if len(ranges) > 1 else "".join(ranges)


@dataclass(slots=True)
class Stretch:
    """Parts that follow each other on one strand.

    Positions count letters along that strand from 0, ends are exclusive; beyond the origin of a
    circular record they go on. `exons` are in the order of transcription; they overlap where a
    ribosome slips back.
    """

    strand: int
    exons: list[tuple[int, int]] = field(default_factory=list)

    @property
    def start(self) -> int:
        """The first letter."""
        return self.exons[0][0]

    @property
    def end(self) -> int:
        """The letter behind the last one."""
        return max(end for _, end in self.exons)

    def _place(self, strand: int, start: int, size: int, length: int, circular: bool) -> int | None:
        """Return where a part would begin in this stretch, None if it does not belong there."""
        last = self.exons[-1][0]
        ahead = (start - last) % length if circular else start - last
        # Across the origin only on the shorter way: otherwise the part lies behind.
        in_order = start > last % length or (circular and 2 * ahead < length)
        fits = last + ahead + size - self.start <= length
        return last + ahead if strand == self.strand and in_order and fits else None


def find_stretches(parts: Sequence[SimpleLocation], length: int, circular: bool) -> list[Stretch]:
    """Divide the parts of a location where no single stretch of DNA holds them in their order.

    There is more than one stretch where a transcript is spliced together of several (parts on both
    strands, or not in the order of transcription).

    Args:
        parts: the parts in the order of transcription, within the record.
        length: letters of the record.
        circular: whether the record goes on at its origin.
    """
    stretches: list[Stretch] = []
    for part in parts:
        strand, size = part.strand or 1, len(part)
        start = int(part.start) if strand == 1 else length - int(part.end)
        place = stretches[-1]._place(strand, start, size, length, circular) if stretches else None
        if place is None:
            place = start
            stretches.append(Stretch(strand))
        stretches[-1].exons.append((place, place + size))
    return stretches
