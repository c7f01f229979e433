# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone annotate`: a file of sequences to a file of annotations."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

from .options import (
    add_force,
    add_input,
    add_model,
    add_windows,
    check_usage,
    print_notes,
)

MORE = """\
Runs the heads that a checkpoint in the original layout keeps (lucaone convert).
With the published ones, for each protein: taxonomic order (prot_taxonomy),
keywords (prot_keyword), InterPro domains, sites and homologous superfamilies
(prot_domain, prot_site, prot_homo) and C-alpha coordinates (prot_structure); for
each nucleic acid: taxonomic order (gene_taxonomy) and regions (gene_type).

OUTPUT by its suffix; - is TSV to standard output:
  .tsv    a row for each label and span
  .gff3   the spans, valid GFF3 (.gff too); coding spans are CDS_region, for a
          feature of type CDS needs a frame, and the model tells none
  .jsonl  an object for each sequence, with everything
Positions count from 1, ends are inclusive. They count letters as read: without
the gaps that were removed.

What the numbers are:
  Spans. In training, positions without an annotation were left out; there is no
    label for "nothing". Every letter has a best label, and only its probability
    tells whether to believe it. The score of a span is their mean.
  Keywords. The published head was trained on the keywords that a protein has,
    never on those that it has not. Nothing kept its numbers low: they are NOT
    calibrated probabilities, and many may be above any threshold. --top-k helps.
  Coordinates. In training each axis was scaled to 0..1 within each protein: they
    are no Angstrom. They are in .jsonl, and in .tsv if --tasks names the task.
  Long sequences. Taxonomy and keywords are told from the first window; spans run
    across windows; coordinates are given by window, each with its own scale.
"""


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = add(
        "annotate",
        run,
        "tell taxonomy, keywords, domains, sites and gene regions of every sequence of a file",
        "lucaone annotate proteins.fasta domains.gff3 --model lucaone --seq-type prot",
        MORE,
    )
    add_input(parser)
    parser.add_argument("output", metavar="OUTPUT", help=".tsv, .gff3 or .jsonl file, or -")
    add_model(parser)
    parser.add_argument(
        "--tasks",
        type=_names,
        metavar="TASKS",
        help="tasks of the model to run, with commas between (default: all that the format of "
        "OUTPUT holds; in .tsv without coordinates)",
    )
    parser.add_argument(
        "--top-k",
        type="positive",
        metavar="N",
        help="at most N labels of a sequence for each task, the best first (default: 3 of "
        "taxonomy; of keywords all that reach the threshold)",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        metavar="P",
        help="least probability of a keyword, and of the label of every letter of a span "
        "(default: 0.5)",
    )
    parser.add_argument(
        "--min-length",
        type="positive",
        metavar="N",
        help="letters of the shortest span that is told (default: 1, for sites may be so short)",
    )
    add_windows(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace an OUTPUT that is there")
    add_force(parser)


def run(options: dict[str, Any]) -> None:
    """Annotate the file."""
    from embedding.annotation.files import annotate_file, check_options

    check_usage(check_options, options)
    summary = annotate_file(**options)
    print_notes(summary.notes)
    print(
        f"{summary.output}: {summary.records:,} records, {summary.letters:,} letters, "
        f"{summary.labels:,} labels, {summary.spans:,} spans",
        file=sys.stderr if summary.output == "-" else sys.stdout,
    )
