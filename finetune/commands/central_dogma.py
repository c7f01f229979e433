# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone data central-dogma`: annotated genomes to pairs of DNA and protein."""

import argparse
from collections.abc import Callable
from typing import Any

from embedding.commands.options import check_usage, print_notes

MORE = """\
For the question: does this genomic DNA encode this protein? GENOMEs are GenBank
flat files, plain or compressed, with any number of records. DIR gets the form of
the published tasks: train/train.csv, dev/dev.csv, test/test.csv, label.txt; and
report.tsv (every CDS that was left out or is special, and why) and summary.json.

Positives: the DNA of a gene in the direction of transcription, from the first to
the last base of the CDS, introns included, with flanks; and its protein. The CDS
must translate to the protein of the file exactly, by the record's genetic code;
partial ones, pseudogenes and those with edited RNA are left out and reported. The
extent of the gene feature is not used: untranslated regions are in the DNA only as
far as the flanks reach. Where no single stretch holds the gene (trans-splicing),
its stretches are joined directly, and the flanks stand at the outer ends.

Negatives: DNA with insertions, replacements and deletions between the first and
the last base of the CDS, made sure to encode the protein in no frame; and proteins
with replaced residues, the first one kept. How strong the published edits were is
not known: --edit-fraction is our choice. Or (mismatched) other genes' proteins.

No gene is in two splits, nor are genes of one name, or with the same DNA or
protein. The published set has DNA of 309 to 2,455 letters and proteins of 11 to 617
residues, two negatives per positive, and splits of 4:3:25.
"""


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = add(
        "data central-dogma",
        run,
        "make a data set of the central dogma from annotated genomes",
        "lucaone data central-dogma genome.gb.gz --output central-dogma "
        "--max-dna 2455 --max-protein 617",
        MORE,
    )
    parser.add_argument("genomes", nargs="+", metavar="GENOME", help="GenBank flat file")
    parser.add_argument("--output", required=True, metavar="DIR", help="the folder to write")
    parser.add_argument(
        "--flank", type="count", metavar="N", help="bases on each side of a gene (default: 100)"
    )
    parser.add_argument(
        "--negatives",
        choices=("edited", "mismatched"),
        help="edited: edits of the DNA and edits of the protein, half of each; mismatched: the "
        "protein of another gene of the species, of the most similar length (default: edited)",
    )
    parser.add_argument(
        "--negatives-per-positive", type="count", metavar="N", help="how many (default: 2)"
    )
    parser.add_argument(
        "--edit-fraction",
        type=float,
        nargs=2,
        metavar=("MIN", "MAX"),
        help="share of the letters that are edited, drawn evenly for each negative "
        "(default: 0.1 0.5)",
    )
    parser.add_argument(
        "--split",
        type="count",
        nargs=3,
        metavar=("TRAIN", "DEV", "TEST"),
        help="shares of the splits (default: 4 3 25)",
    )
    parser.add_argument(
        "--seed",
        type="count",
        metavar="N",
        help="decides edits, splits and samples (default: 1221)",
    )
    parser.add_argument(
        "--species", metavar="NAME", help="species of all records (default: as each record states)"
    )
    parser.add_argument(
        "--max-dna", type="positive", metavar="N", help="leave out longer DNA (default: no limit)"
    )
    parser.add_argument(
        "--max-protein",
        type="positive",
        metavar="N",
        help="leave out longer proteins (default: no limit)",
    )
    parser.add_argument(
        "--max-genes-per-species",
        type="positive",
        metavar="N",
        help="draw so many genes of each species (default: all)",
    )
    parser.add_argument(
        "--one-per-gene",
        action=argparse.BooleanOptionalAction,
        help="keep the longest protein of several isoforms of a gene (default: yes)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a data set that is there")


def run(options: dict[str, Any]) -> None:
    """Make the data set."""
    from finetune.central_dogma import Settings, build_central_dogma

    def check(genomes: list[str], output: str, overwrite: bool = False, **settings: Any) -> None:
        Settings(**settings).check()

    options |= {
        name: tuple(options[name]) for name in ("split", "edit_fraction") if name in options
    }
    check_usage(check, options)
    summary = build_central_dogma(**options)
    print_notes(summary.notes)
    print(summary)
