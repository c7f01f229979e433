# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Options that several commands of this room have in common."""

import argparse


def add_build_options(parser: argparse.ArgumentParser) -> None:
    """Add what all commands that make a data folder have in common."""
    parser.add_argument(
        "--processes",
        type="positive",
        metavar="N",
        help="how many read at the same time; the result is the same (default: 1)",
    )
    parser.add_argument(
        "--records-per-shard",
        type="positive",
        metavar="N",
        help="records in a file (default: 65536)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a folder that is there")
