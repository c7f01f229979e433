# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""One CDS of a record: a gene with its protein, or the reason why it is none."""

import re
from dataclasses import dataclass
from typing import NamedTuple

from Bio.SeqFeature import ExactPosition, SeqFeature

from sequence_io.genbank import Genome, is_pseudogene, qualifier
from sequence_io.locations import location_text
from sequence_io.translation import (
    STOP,
    first_difference,
    genetic_code,
    read_exceptions,
    stated_protein,
    translate,
)

from .locations import cut_gene

LEAST_RESIDUES = 8
"""Residues of the shortest protein: an edit of a shorter one's DNA may encode it by chance."""

SEQUENCE = re.compile("[A-Z]+")


class Finding(NamedTuple):
    """A row of the report: a CDS that was left out, or is special, or a record that is damaged."""

    file: str
    record: str
    cds: int
    gene: str
    locus_tag: str
    protein_id: str
    location: str
    status: str
    reason: str
    detail: str = ""


class LeftOut(Exception):
    """A CDS that gives no pair; the arguments are the reason and, where there is more, a detail."""


class Place(NamedTuple):
    """Where a CDS stands.

    `cds` counts those of its record from 1. `location` is in the notation of the feature tables
    (positions from 1, ends inclusive), its parts in the order of translation.
    """

    file: str
    record: str
    cds: int
    gene: str
    locus_tag: str
    protein_id: str
    location: str

    def finding(self, status: str, reason: str, detail: str = "") -> Finding:
        """Make a row of the report."""
        return Finding(*self, status, reason, detail)


@dataclass(frozen=True, slots=True)
class Gene:
    """The DNA of a gene in the direction of transcription, and a protein that it encodes.

    `id` is RECORD_cdsN; `key` is what isoforms of one gene share. `exons` and `flanks` as in
    `locations.GeneDNA`; `frame` letters stand before the first codon; `table` is the genetic code.
    """

    id: str
    key: tuple[str, ...]
    place: Place
    species: str
    dna: str
    protein: str
    exons: tuple[tuple[int, int], ...]
    flanks: tuple[int, int]
    frame: int
    table: int
    special: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the gene, else its locus tag, else the id of its protein."""
        return self.place.gene or self.place.locus_tag or self.place.protein_id

    @property
    def core(self) -> str:
        """The DNA without flanks."""
        return self.dna[self.flanks[0] : len(self.dna) - self.flanks[1]]

    @property
    def coding(self) -> str:
        """The letters of the CDS, without introns."""
        return "".join(self.dna[start:end] for start, end in self.exons)


def place_of(genome: Genome, number: int, feature: SeqFeature) -> Place:
    """Tell where the CDS of that number (from 1) stands."""
    gene, locus_tag, protein_id = (
        qualifier(feature, name) for name in ("gene", "locus_tag", "protein_id")
    )
    location = location_text(feature.location)
    return Place(genome.file, genome.record, number, gene, locus_tag, protein_id, location)


def read_gene(genome: Genome, place: Place, feature: SeqFeature, flank: int = 100) -> Gene:
    """Make a gene of a CDS that translates to its /translation exactly.

    Raises:
        LeftOut: it gives no pair.
    """
    location, qualifiers = feature.location, feature.qualifiers
    if location is None:
        raise LeftOut("location cannot be read")
    if is_pseudogene(feature):
        raise LeftOut("pseudogene")
    parts = location.parts
    if any(part.ref for part in parts):
        raise LeftOut("partly in another record")
    if not all(isinstance(end, ExactPosition) for part in parts for end in (part.start, part.end)):
        raise LeftOut("partial")
    if not all(0 <= part.start < part.end <= len(genome.dna) for part in parts):
        raise LeftOut("location outside the record")
    protein = stated_protein(feature)
    if not protein:
        raise LeftOut("no /translation")
    if not SEQUENCE.fullmatch(protein):
        raise LeftOut("/translation is no protein", "not only letters A to Z")
    if len(protein) < LEAST_RESIDUES:
        raise LeftOut("protein too short", f"fewer than {LEAST_RESIDUES} residues")

    cut = cut_gene(parts, genome.dna, genome.circular, flank)
    special = []
    exception = " ".join(qualifiers.get("exception", []))
    if cut.stretches > 1:
        special.append(f"trans-spliced: {cut.stretches} stretches of DNA joined")
    elif "trans_splicing" in qualifiers or "trans-splicing" in exception:
        raise LeftOut("trans-splicing unclear", "the location does not tell between which parts")
    if cut.spans_origin:
        special.append("spans the origin")
    if "ribosomal_slippage" in qualifiers or "ribosomal slippage" in exception:
        special.append("ribosomal slippage")
    coding = "".join(cut.dna[start:end] for start, end in cut.exons)
    try:
        code, before = genetic_code(feature)
    except ValueError as error:
        raise LeftOut("genetic code unclear", str(error)) from None
    try:
        exceptions = read_exceptions(
            qualifiers.get("transl_except", []), parts, before, len(genome.dna), genome.circular
        )
        translated = translate(coding, code, before, exceptions)
    except ValueError as error:
        raise LeftOut("does not translate", str(error)) from None
    if translated.removesuffix(STOP) != protein:
        detail = first_difference(translated.removesuffix(STOP), protein, code)
        raise LeftOut("another protein", detail + (f" (/exception={exception})" * bool(exception)))
    if not translated.endswith(STOP):
        special.append("no stop codon")
    if exceptions:
        codons = ", ".join(str(codon + 1) for codon in sorted(exceptions))
        special.append(f"/transl_except: of codon {codons}")
    if before:
        special.append(f"/codon_start={before + 1}")
    elif coding[:3] != "ATG":
        special.append(f"start codon {coding[:3]}")
    return Gene(
        f"{genome.record}_cds{place.cds}",
        _key(genome, place, feature),
        place,
        genome.species,
        cut.dna,
        protein,
        cut.exons,
        cut.flanks,
        before,
        code,
        tuple(special),
    )


def _key(genome: Genome, place: Place, feature: SeqFeature) -> tuple[str, ...]:
    """Return what isoforms share: NCBI's GeneID, else within the record locus tag or gene name."""
    for reference in feature.qualifiers.get("db_xref", []):
        if reference.startswith("GeneID:"):
            return (genome.species, reference)
    name = place.locus_tag or place.gene or f"CDS {place.cds}"
    return (genome.species, genome.record, name)
