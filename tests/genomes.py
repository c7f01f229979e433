# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Annotated genomes that tests write, and the real one."""

import random
from pathlib import Path

import pytest
from Bio import SeqIO
from Bio.Data.CodonTable import unambiguous_dna_by_id
from Bio.Seq import Seq, reverse_complement
from Bio.SeqFeature import Location, SeqFeature
from Bio.SeqRecord import SeqRecord

GENBANK = Path(__file__).parents[2] / "shared" / "data" / "genbank"
CHLOROPLAST = GENBANK / "NC_000932.gb"
needs_data = pytest.mark.skipif(
    not GENBANK.is_dir(), reason="the real genomes (../shared/data) are not beside the repository"
)
TABLE = unambiguous_dna_by_id[1].forward_table
CODONS = {residue: codon for codon, residue in reversed(TABLE.items())}
RESIDUES = "ACDEFGHIKLMNPQRSTVWY"


def letters(count, seed, alphabet="ACGT"):
    return "".join(random.Random(seed).choices(alphabet, k=count))


def protein(residues, seed):
    return "M" + letters(residues - 1, f"protein {seed}", RESIDUES)


def coding(residues, stop="TAA"):
    return "".join(CODONS[residue] for residue in residues) + stop


def cds(location, translation=None, length=10**6, circular=False, **qualifiers):
    """A CDS feature; the location in the notation of the feature tables."""
    qualifiers = {name: [str(value)] for name, value in qualifiers.items()}
    if translation is not None:
        qualifiers["translation"] = [translation]
    place = Location.fromstring(location, length, circular)
    return SeqFeature(place, type="CDS", qualifiers=qualifiers)


def record(name, dna, features, organism="Testus primus", circular=False):
    annotations = {"molecule_type": "DNA", "topology": "circular" if circular else "linear"}
    if organism:
        annotations["organism"] = organism
    return SeqRecord(Seq(dna), id=name, name=name, features=features, annotations=annotations)


def write(path, *records):
    SeqIO.write(records, path, "genbank")
    return path


def genome(name, genes, organism="Testus primus", seed=0):
    """A record of genes with an intron each, on both strands in turn, and space between them."""
    dna, features = "", []
    for number in range(genes):
        residues = protein(20 + 3 * number, f"{name} {seed} {number}")
        bases = coding(residues)
        intron = "GT" + letters(40 + number, f"intron {name} {seed} {number}") + "AG"
        dna += letters(130, f"space {name} {seed} {number}")
        start, cut = len(dna), 31 + number
        if number % 2:
            dna += reverse_complement(bases[:cut] + intron + bases[cut:])
            split = len(bases) - cut
        else:
            dna += bases[:cut] + intron + bases[cut:]
            split = cut
        place = f"join({start + 1}..{start + split},{start + split + len(intron) + 1}..{len(dna)})"
        place = f"complement({place})" if number % 2 else place
        features.append(
            cds(place, residues, gene=f"{name}gene{number}", locus_tag=f"{name}_{number}")
        )
    return record(name, dna + letters(130, f"end {name}"), features, organism)


def flat_text(dna, *features, name="X1.1", circular=False, molecule="DNA", lineage=(), taxon=None):
    """A GenBank record written by hand; a feature is (kind, location, qualifiers)."""
    topology = "circular" if circular else "linear"
    lines = [
        f"LOCUS       {name.split('.')[0]:<16} {len(dna):>11} bp    {molecule:<6}  {topology:<8} "
        "BCT 01-JAN-2000",
        "DEFINITION  a test.",
        f"ACCESSION   {name.split('.')[0]}",
        f"VERSION     {name}",
        "SOURCE      Testus primus",
        "  ORGANISM  Testus primus",
        f"            {'; '.join(lineage)}.",
        "FEATURES             Location/Qualifiers",
    ]
    if taxon:
        source = ("source", f"1..{len(dna)}", {"db_xref": f"taxon:{taxon}"})
        features = (source, *features)
    for kind, location, *rest in features:
        lines.append(f"     {kind:<15} {location}")
        for key, value in (rest[0] if rest else {}).items():
            lines.append(" " * 21 + (f"/{key}" if value is None else f'/{key}="{value}"'))
    lines.append("ORIGIN")
    for start in range(0, len(dna), 60):
        blocks = (dna[at : at + 10] for at in range(start, min(start + 60, len(dna)), 10))
        lines.append(f"{start + 1:>9} {' '.join(blocks).lower()}")
    return "\n".join((*lines, "//", ""))
