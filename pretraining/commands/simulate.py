# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone data simulate`: labelled records of species that never lived."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embedding.commands.options import check_usage

MORE = """\
For models that are trained without any real sequence, and to try a training out.

Each species has a way of writing of its own: the share of G and C, which words of
two to four letters it likes, which codons it prefers, which amino acids. Species
of an order resemble one another; the last species has a codon usage that has
nothing of its order. Genes are of families of proteins, which share domains and
evolve from order to order and from species to species (BLOSUM62). Domains have
helices and strands with the residues that these are known for, one side to the
core. Genes within a genome differ in GC, skew and how strongly they follow the
preferred codons. A quarter of the orders has introns; spacers hold repeats.

A nucleic-acid record is a piece of a genome, of one strand or the other, with
gene_type (CDS, intron, regulatory) and gene_taxonomy (the order). A protein has
prot_taxonomy, prot_homo, prot_domain, prot_site (helix, strand, active sites) and
prot_keyword (its folds). There are no structures.

OUTPUT gets train/, dev/, labels/ and summary.json; dev/ has other pieces and
proteins of the same species. The same options give the same records.
"""


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = add(
        "data simulate",
        run,
        "make labelled records of simulated genomes",
        "lucaone data simulate simulated --records 20000 --seed 1",
        MORE,
    )
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="the folder to write")
    for option, kind, about in (
        ("--records", "positive", "nucleic-acid records (default: 20000)"),
        ("--proteins", "count", "protein records (default: 5000)"),
        ("--species", "positive", "how many (default: 400)"),
        ("--orders", "positive", "how many, at most one for each species (default: 100)"),
        ("--families", "positive", "families of proteins (default: 300)"),
        ("--min-length", "positive", "letters of the shortest nucleic acid (default: 300)"),
        (
            "--max-length",
            "positive",
            "letters of the longest nucleic acid, at most 6000 (default: 1278)",
        ),
        ("--seed", "count", "decides all that is drawn (default: 1221)"),
    ):
        parser.add_argument(option, type=kind, metavar="N", help=about)
    parser.add_argument(
        "--dev-fraction",
        type=float,
        metavar="SHARE",
        help="share of the records that goes to dev/ (default: 0.05)",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace a data folder that is there"
    )


def run(options: dict[str, Any]) -> None:
    """Make the records."""
    from pretraining.simulation import Settings, simulate

    output, overwrite = options.pop("output"), options.pop("overwrite", False)
    settings = Settings(**options)
    check_usage(settings.check, {})
    print(simulate(settings, output, overwrite))
