# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone data gene`: annotated genomes and transcripts to gene records for pre-training."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embedding.commands.options import check_usage, print_notes

from .options import add_build_options

MORE = """\
GENBANKs are flat files of GenBank or RefSeq, plain or compressed, with any number of
records. DIR gets train/gene-00000.parquet and so on, labels/, report.tsv (what was
left out or is special, and why) and summary.json. Killed at any moment, the same
command goes on where it was and ends with the same files.

Labels (gene_type): CDS and exons are CDS; gaps between the parts of a location are
introns, but not where separate transcripts are spliced together, nor gaps of fewer
than 10 letters, which correct a frame; untranslated regions and regulatory features
are regulatory, and so is what an mRNA with a CDS has besides; ncRNA, tRNA, rRNA,
tmRNA, misc_RNA are themselves; transcripts before processing (precursor_RNA,
prim_transcript) are misc_RNA, but not those with a CDS. Where they overlap, the later
of these wins: mRNA, intron, exon, precursor, misc_RNA, regulatory, ncRNA, tmRNA,
rRNA, tRNA, CDS. Pseudogenes have no label. A CDS is translated and compared with its protein; one
that differs is reported, and labelled all the same.

Label (gene_taxonomy): the order of the organism.

Segments: a record is cut where no gene is, so that genes stay whole if they fit;
longer ones are cut in introns or between parts, if that can be, and long parts in
consecutive pieces. A circular record is opened outside genes. A segment with labels
on the reverse strand gives a second record, its reverse complement (id ..._r_).
Segments of nothing but N are left out.
"""


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = add(
        "data gene",
        run,
        "make gene records for pre-training from annotated genomes",
        "lucaone data gene genome.gbff.gz --output records --taxonomy orders.tsv",
        MORE,
    )
    parser.add_argument(
        "genomes", nargs="+", type=Path, metavar="GENBANK", help="GenBank flat file"
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="the folder to write"
    )
    parser.add_argument(
        "--max-length",
        type="positive",
        metavar="N",
        help="letters of the longest segment (default: 1278, as published)",
    )
    parser.add_argument(
        "--intergenic",
        choices=("keep", "drop"),
        help="segments without a label on either strand: keep them, for masking learns from them, "
        "or drop them (default: keep)",
    )
    parser.add_argument(
        "--taxonomy",
        type=Path,
        metavar="TABLE",
        help="TSV without a header: NCBI taxon id, taxonomic order; an organism that is not in it "
        "gets the fifth name of the lineage in its record (default: all do)",
    )
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="DIR",
        help="label names, TASK.txt or published files; others are left out and reported "
        "(default: the published names of gene_type, and the orders that occur)",
    )
    parser.add_argument(
        "--dev-fraction",
        type=float,
        metavar="F",
        help="share of the GenBank records that goes to dev/ (default: 0)",
    )
    add_build_options(parser)


def run(options: dict[str, Any]) -> None:
    """Make the records."""
    from pretraining.data.building import BuildOptions
    from pretraining.data.genbank_records import build_gene_records

    check_usage(BuildOptions(dev_fraction=options.get("dev_fraction", 0.0)).check, {})
    summary = build_gene_records(**options, tell=lambda note: print_notes([note]))
    print_notes(summary.notes)
    print(summary)
