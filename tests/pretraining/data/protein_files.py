# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Entries, tables and structures that the tests of protein records are made of."""

from pathlib import Path

import pytest
from Bio.Data.PDBData import protein_letters_1to3

from pretraining.data.building import BuildOptions
from pretraining.data.proteins import ProteinOptions, build_proteins

from .readers import records, report

DATA = Path(__file__).parents[4] / "shared" / "data"
real_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real entries (../shared/data) are not beside the repository"
)

SEQUENCE = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRV"


def entry(accession, sequence=SEQUENCE, taxid=9606, keywords="Membrane; Zinc", lineage=None):
    """Return an entry of UniProt; several accessions have `; ` between them."""
    lineage = lineage or "Eukaryota; Metazoa; Chordata; Craniata; Vertebrata; Mammalia"
    size = len(sequence)
    return (
        f"ID   {accession.split(';')[0]}_TEST   Reviewed;   {size} AA.\nAC   {accession};\n"
        f"OC   {lineage}.\nOX   NCBI_TaxID={taxid};\nKW   {keywords}.\n"
        f"SQ   SEQUENCE   {size} AA;  1 MW;  0 CRC64;\n     {sequence}\n//\n"
    )


def pdb(sequence, accession=None, *, resolution=None, chains="A", first=1, skip=(), x=0.0, id=""):
    """Return a structure whose residues lie at x + their place, from 1."""
    lines = [f"{'HEADER    TEST':62}{id}"]
    if resolution:
        lines.append(f"REMARK   2 RESOLUTION.    {resolution:.2f} ANGSTROMS.")
    last = first + len(sequence) - 1
    lines += [
        f"DBREF  9XXX {chain} {first:4}  {last:4}  UNP    "
        f"{accession:8} {'X_TEST':12} {first:5}  {last:5}"
        for chain in chains * bool(accession)
    ]
    for chain in chains:
        for place, letter in enumerate(sequence, start=first):
            if place not in skip:
                lines.append(
                    f"ATOM  {1:5}  CA  {protein_letters_1to3[letter].upper()} {chain}{place:4}    "
                    f"{x + place:8.3f}{0:8.3f}{1:8.3f}  1.00  0.00           C"
                )
        lines.append("TER")
    return "\n".join([*lines, "END\n"])


def match(accession, entry="IPR000001", signature="PF00001", first=1, last=10):
    """Return a row of `protein2ipr.dat`."""
    return f"{accession}\t{entry}\tAny name\t{signature}\t{first}\t{last}\n"


ENTRIES = (
    "ENTRY_AC\tENTRY_TYPE\tENTRY_NAME\nIPR000001\tDomain\tA\nIPR000002\tFamily\tB\n"
    "IPR000003\tHomologous_superfamily\tC\nIPR000004\tActive_site\tD\nIPR000005\tPTM\tE\n"
)


def write(folder, name, text):
    """Write a file; return its path."""
    path = folder / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    return path


def make(folder, sources, *, building=None, **options):
    """Make a folder of records; return the records by id, and the findings."""
    build_proteins(sources, folder, ProteinOptions(**options), BuildOptions(**(building or {})))
    return {record.id: record for record in records(folder)}, report(folder)
