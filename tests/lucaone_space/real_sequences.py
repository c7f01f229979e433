# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Real sequences as a visitor would paste them."""

from itertools import islice

from Bio import SeqIO

from tests.finetune.helpers import DATA

CLANS = DATA / "s2-pfam-clans" / "clans.fasta"
SPECIES = DATA / "s1-species" / "species.fasta"
CHLOROPLAST = DATA / "genbank" / "NC_000932"


def fasta(*records):
    """Return records of Biopython as FASTA."""
    return "".join(f">{record.id}\n{record.seq}\n" for record in records)


def domains(clans, each):
    """Return some domains of each of some clans, at most 300 residues long, as FASTA."""
    records = [one for one in SeqIO.parse(CLANS, "fasta") if len(one) <= 300]
    found = []
    for clan in clans:
        found += islice((one for one in records if one.id.startswith(f"{clan}#")), each)
    return fasta(*found)


def species(count):
    """Return the first stretches of DNA of S1 as FASTA."""
    return fasta(*islice(SeqIO.parse(SPECIES, "fasta"), count))


def gene(name):
    """Return the coding sequence and the protein of a chloroplast gene, each as FASTA."""
    entry = SeqIO.read(CHLOROPLAST.with_suffix(".gb"), "genbank")
    feature = next(
        one for one in entry.features if one.type == "CDS" and one.qualifiers["gene"] == [name]
    )
    coding = feature.extract(entry.seq)
    (protein,) = (
        one
        for one in SeqIO.parse(CHLOROPLAST.with_suffix(".faa"), "fasta")
        if feature.qualifiers["protein_id"][0] in one.id
    )
    return f">{name}\n{coding}\n", f">{name}_protein\n{protein.seq}\n"
