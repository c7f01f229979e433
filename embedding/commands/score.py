# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone score`: effects of variants, without training."""

import argparse
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
Without --variants every single substitution of every sequence is scored. Above
0 the model finds the variant likelier than the wild type. The methods:

masked-marginal        log p(new letter) - log p(old letter) with the mutated
                       positions masked, summed over them; one pass through the
                       model per position (Meier et al. 2021)
wt-marginal            the same with nothing masked; one pass per sequence
pseudo-log-likelihood  sum over all letters of log p(letter) with this letter
                       masked, of the variant less that of the wild type; as
                       many passes per variant as letters (Salazar et al. 2020)

A sequence longer than --window is read around the mutated positions.
"""


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = add(
        "score",
        run,
        "score the effects of substitutions, without training",
        "lucaone score protein.fasta scores.csv --model lucaone --seq-type prot "
        "--heatmap scores.png",
        MORE,
    )
    add_input(parser)
    parser.add_argument("output", metavar="OUTPUT", help=".csv, .tsv or .parquet table")
    add_model(parser)
    parser.add_argument(
        "--method",
        choices=("masked-marginal", "wt-marginal", "pseudo-log-likelihood"),
        help="see above (default: masked-marginal)",
    )
    parser.add_argument(
        "--variants",
        metavar="TABLE",
        help="CSV or TSV with the variants to score: A123V, several joined by colons A123V:G7D; "
        "OUTPUT is this table with a column more",
    )
    parser.add_argument(
        "--variant-column", metavar="NAME", help="its column of variants (default: variant)"
    )
    parser.add_argument(
        "--variant-id-column",
        metavar="NAME",
        help="its column of sequence ids; needed for several sequences (default: id)",
    )
    parser.add_argument(
        "--compare",
        metavar="NAME",
        help="its column of measured numbers: print Spearman's rank correlation with the scores",
    )
    parser.add_argument("--score-column", metavar="NAME", help="the new column (default: score)")
    parser.add_argument(
        "--whole-sequences",
        action="store_true",
        help="with --method pseudo-log-likelihood: score the sequences themselves, and give their "
        "pseudo-perplexity",
    )
    parser.add_argument(
        "--heatmap",
        metavar="FILE",
        help=".png, .svg or .pdf of every substitution; of several sequences FILE-1, FILE-2, ...",
    )
    add_windows(parser)
    parser.add_argument(
        "--overwrite", action="store_true", help="replace an OUTPUT or heat-map that is there"
    )
    add_force(parser)


def run(options: dict[str, Any]) -> None:
    """Score the file."""
    from embedding.scoring import score_file
    from embedding.scoring.jobs import check_options

    check_usage(check_options, options)
    summary = score_file(**options)
    print_notes(summary.notes)
    print(summary)
