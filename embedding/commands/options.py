# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Options that several commands have in common, so that they are called and mean the same."""

import argparse
import sys
from collections.abc import Callable, Iterable
from typing import Any

DTYPES = ("float32", "bfloat16", "float16")


def add_input(parser: argparse.ArgumentParser) -> None:
    """Add the file of sequences and how it is read."""
    parser.add_argument(
        "source",
        metavar="INPUT",
        help="FASTA, CSV, TSV or Parquet, plain or compressed; - for FASTA from standard input",
    )
    parser.add_argument(
        "--seq-type",
        required=True,
        metavar="TYPE",
        help="molecule type: gene (DNA, RNA) or prot (protein) for all sequences; header, where "
        "each FASTA header says seq_type=gene or seq_type=prot; or column:NAME, the column of a "
        "table that says gene or prot",
    )
    parser.add_argument(
        "--id-column", metavar="NAME", help="the column of a table that holds the ids"
    )
    parser.add_argument(
        "--sequence-column", metavar="NAME", help="the column of a table that holds the sequences"
    )
    parser.add_argument(
        "--keep-gaps",
        action="store_true",
        help="keep gaps (- and .) and stops (*); otherwise gaps and a stop at the end are removed",
    )


def add_force(parser: argparse.ArgumentParser) -> None:
    """Add what overrules the check of the molecule type."""
    parser.add_argument(
        "--force",
        action="store_true",
        help="go on even if most sequences look like the other molecule type",
    )


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the model and how it is run."""
    parser.add_argument(
        "--model",
        required=True,
        metavar="MODEL",
        help="folder of a LucaOne model, or its name on the Hugging Face Hub (OWNER/NAME)",
    )
    parser.add_argument(
        "--revision", metavar="NAME", help="branch, tag or commit of a model on the Hub"
    )
    parser.add_argument(
        "--tokens-per-batch",
        type="positive",
        metavar="N",
        help="residues that go through the model at once; fewer need less memory (default: 4096, "
        "on a GPU 32768)",
    )
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ... (default: a GPU if there is one)")
    parser.add_argument(
        "--dtype", choices=DTYPES, help="precision of the computation (default: as stored)"
    )
    parser.add_argument(
        "--attn-implementation",
        choices=("eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention"),
        help="how attention is computed (default: sdpa)",
    )


def add_windows(parser: argparse.ArgumentParser) -> None:
    """Add how long sequences are divided."""
    parser.add_argument(
        "--window",
        type="positive",
        metavar="N",
        help="longest piece, in letters, that is read at once (default: 16384); a longer sequence "
        "is read in overlapping windows",
    )
    parser.add_argument(
        "--overlap",
        type="count",
        metavar="N",
        help="least overlap of two windows, in letters (default: a quarter of the window)",
    )


def check_usage(check: Callable[..., object], options: dict[str, Any]) -> None:
    """Let what a check of the options finds be wrong usage.

    Raises:
        argparse.ArgumentError: an option cannot be right, whatever the files hold.
    """
    try:
        check(**options)
    except ValueError as error:
        raise argparse.ArgumentError(None, str(error)) from None


def print_notes(notes: Iterable[str]) -> None:
    """Tell what a user should know, a line each."""
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
