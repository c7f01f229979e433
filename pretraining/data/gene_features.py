# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The features of an annotated genome as a label for each letter of each strand.

A feature is labelled on the strand that it is on. Where features overlap, the more specific one
wins: `FEATURES` lists them from the least to the most specific. Introns are what other features
leave out, so whatever lies in one wins. A CDS wins everywhere: that letters encode a protein says
more than that they are part of a transcript, so every CDS is labelled whole.

Some features are labelled by whether they belong to a protein, that is, whether a CDS lies within
their extent or is of their locus. If so, an mRNA is `regulatory` where nothing else is said, for
its exons less the CDS are the untranslated regions; if not, it has no label. Conversely a
transcript that is not processed yet (`precursor_RNA` of a microRNA, `prim_transcript`) is
`misc_RNA`, exons included, unless it belongs to a protein.

Introns are the gaps between the parts of a location, and features of that name. No intron lies
between parts that are spliced together from separate transcripts, nor in a gap that is too short to
be one: it corrects a frame.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from Bio.SeqFeature import CompoundLocation, SeqFeature, SimpleLocation

from sequence_io.genbank import Genome, is_pseudogene, qualifier
from sequence_io.locations import Stretch, find_stretches, location_text

GENE_TYPES = ("regulatory", "misc_RNA", "intron", "tmRNA", "ncRNA", "tRNA", "rRNA", "CDS")
"""The published labels of the task gene_type in the order of their ids."""

NOTHING = -1
INTRON = "intron"
LEAST_INTRON = 10
"""Letters of the shortest gap that is an intron; the shortest introns known have about 15."""

# Before 2014 the classes of regulatory features were features of their own.
REGULATORY = (
    *("regulatory", "promoter", "enhancer", "attenuator", "terminator", "RBS", "misc_signal"),
    *("CAAT_signal", "GC_signal", "TATA_signal", "polyA_signal", "-10_signal", "-35_signal"),
    *("5'UTR", "3'UTR"),
)
MESSENGER = "mRNA"
UNPROCESSED = ("precursor_RNA", "prim_transcript")
FEATURES = {
    MESSENGER: "regulatory",
    INTRON: INTRON,
    "exon": "CDS",
    **dict.fromkeys((*UNPROCESSED, "misc_RNA"), "misc_RNA"),
    **dict.fromkeys(REGULATORY, "regulatory"),
    # The last three are earlier names of classes of ncRNA.
    **dict.fromkeys(("ncRNA", "snRNA", "snoRNA", "scRNA"), "ncRNA"),
    "tmRNA": "tmRNA",
    "rRNA": "rRNA",
    "tRNA": "tRNA",
    "CDS": "CDS",
}
"""The label of each feature that has one, from the least to the most specific."""

RANKS = {kind: rank for rank, kind in enumerate(FEATURES)}


class Unlabelled(Exception):
    """A feature that gets no label; the message tells why, the same for all of a kind."""


class Interval(NamedTuple):
    """Letters of a record from `start` on, before `end`; behind the origin of a circle they go on.

    0 <= `start` < letters of the record; `end` may be beyond them.
    """

    start: int
    end: int


class Remark(NamedTuple):
    """Something to tell of a feature: why its label is lost, at least in part."""

    reason: str
    detail: str


@dataclass(slots=True)
class Annotation:
    """What the features of a record say.

    Attributes:
        labels: (2, letters) index in `GENE_TYPES` for each letter on the forward and on the reverse
            strand, both in the order of the record; `NOTHING` where there is no label.
        genes: the extents of features, introns included.
        parts: the parts of features.
        remarks: what is not labelled.
    """

    labels: np.ndarray
    genes: list[Interval] = field(default_factory=list)
    parts: list[Interval] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


class _Mark(NamedTuple):
    rank: int
    strand: int
    place: Interval
    label: str


class _Located(NamedTuple):
    """A feature that is labelled: where it lies, and whether its gaps are introns."""

    kind: str
    locus: str
    stretches: list[Stretch]
    spliced: bool


def annotate(genome: Genome) -> Annotation:
    """Label the letters of a record."""
    length = len(genome.dna)
    annotation = Annotation(np.full((2, length), NOTHING, np.int8))
    features = list(_locate(genome, annotation.remarks))
    coding = _Coding(features, length)
    marks: list[_Mark] = []
    for kind, locus, stretches, spliced in features:
        rank = RANKS[kind]
        for stretch in stretches:
            gene = _on_record(stretch, stretch.start, stretch.end, length)
            annotation.genes.append(gene)
            label = FEATURES[kind]
            if kind in (MESSENGER, *UNPROCESSED):
                belongs = coding.has(locus) or coding.lies_within(gene, stretch.strand)
                label = label if belongs == (kind == MESSENGER) else ""
            for start, end in stretch.exons if label else ():
                place = _on_record(stretch, start, end, length)
                if label != INTRON:
                    annotation.parts.append(place)
                marks.append(_Mark(rank, stretch.strand, place, label))
            for start, end in introns(stretch) if spliced else ():
                place = _on_record(stretch, start, end, length)
                marks.append(_Mark(RANKS[INTRON], stretch.strand, place, INTRON))
    for _, strand, (start, end), label in sorted(marks):
        row = annotation.labels[0 if strand == 1 else 1]
        row[start:end] = GENE_TYPES.index(label)
        row[: max(0, end - length)] = GENE_TYPES.index(label)
    return annotation


def _locate(genome: Genome, remarks: list[Remark]) -> Iterator[_Located]:
    """Give the features that are labelled; what is lost of others goes into remarks."""
    length = len(genome.dna)
    for feature in genome.features:
        if feature.type not in FEATURES:
            continue
        try:
            all_parts = label_parts(feature, length)
        except Unlabelled as problem:
            remarks.append(Remark(str(problem), feature_text(feature)))
            continue
        parts = [part for part in all_parts if not part.ref]
        stretches = find_stretches(parts, length, genome.circular)
        remote = len(parts) < len(all_parts)
        unclear = len(stretches) == 1 < len(parts) and not _is_joined(feature)
        reasons = ["partly in another record"] * remote
        reasons += ["no introns: how the parts are joined is unclear"] * unclear
        remarks += [Remark(reason, feature_text(feature)) for reason in reasons]
        locus = qualifier(feature, "locus_tag") or qualifier(feature, "gene")
        yield _Located(feature.type, locus, stretches, not (remote or unclear))


class _Coding:
    """Where the CDS of a record lie."""

    def __init__(self, features: Iterable[_Located], length: int):
        self._loci: set[str] = set()
        self._places: dict[int, list[Interval]] = {1: [], -1: []}
        for kind, locus, stretches, _ in features:
            if kind != "CDS":
                continue
            self._loci.add(locus)
            for stretch in stretches:
                start, end = _on_record(stretch, stretch.start, stretch.end, length)
                # Once more for transcripts across the origin.
                again = Interval(start + length, end + length)
                self._places[stretch.strand] += [Interval(start, end), again]
        for places in self._places.values():
            places.sort()

    def has(self, locus: str) -> bool:
        """Tell whether a CDS is of a locus, where it is named."""
        return bool(locus) and locus in self._loci

    def lies_within(self, extent: Interval, strand: int) -> bool:
        """Tell whether a CDS lies within an extent."""
        places = self._places[strand]
        first, last = (bisect_left(places, (place,)) for place in extent)
        return any(place.end <= extent.end for place in places[first:last])


def label_parts(feature: SeqFeature, length: int) -> list[SimpleLocation]:
    """Return the parts of a feature in the order of transcription, if it is labelled at all.

    Those with a `ref` lie in another record.

    Args:
        feature: the feature.
        length: letters of its record.

    Raises:
        Unlabelled: it is not; the message tells why.
    """
    if is_pseudogene(feature):
        raise Unlabelled("pseudogene")
    if feature.location is None:
        raise Unlabelled("location cannot be read")
    here = [part for part in feature.location.parts if not part.ref]
    if not here:
        raise Unlabelled("in another record")
    # A position that is unknown is no number; a place between two letters has none.
    if not all(isinstance(end, int) for part in here for end in (part.start, part.end)):
        raise Unlabelled("location cannot be read")
    if not all(0 <= part.start < part.end <= length for part in here):
        raise Unlabelled("location holds no letters, or not of the record")
    return feature.location.parts


def _is_joined(feature: SeqFeature) -> bool:
    """Tell whether the gaps of a location that look like introns are: one transcript, `join`."""
    trans_spliced = "trans_splicing" in feature.qualifiers
    trans_spliced |= "trans-splicing" in qualifier(feature, "exception")
    location = feature.location
    joined = isinstance(location, CompoundLocation) and location.operator == "join"
    return joined and not trans_spliced


def introns(stretch: Stretch) -> Iterator[tuple[int, int]]:
    """Give the introns of a stretch in its own positions."""
    for (_, end), (start, _) in pairwise(stretch.exons):
        if start - end >= LEAST_INTRON:
            yield end, start


def _on_record(stretch: Stretch, start: int, end: int, length: int) -> Interval:
    first = start if stretch.strand == 1 else length - end
    return Interval(first % length, first % length + end - start)


def feature_text(feature: SeqFeature) -> str:
    """Name a feature: what it is, of which gene, and where."""
    names = (qualifier(feature, name) for name in ("gene", "locus_tag", "protein_id"))
    name = next((name for name in names if name), "")
    return " ".join(filter(None, (feature.type, name, location_text(feature.location))))
