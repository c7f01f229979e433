# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone data convert-records`: published pre-training records to shards."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embedding.commands.options import print_notes

from .options import add_build_options

MORE = """\
SOURCE is a CSV file with the columns obj_id, obj_type, obj_seq, obj_label and
obj_source, plain or compressed (gzip, bgzip, bzip2, xz), or a folder of such files.
Its folders train, dev and test stay splits; without such ones everything is train.

OUTPUT gets train/gene-00000.parquet and so on (one molecule type in a file),
labels/ (with --labels), report.tsv (every record that was left out, and why) and
summary.json. Label ids stay what they are. Killed at any moment, the same command
goes on where it was and ends with the same files.
"""


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = add(
        "data convert-records",
        run,
        "convert pre-training records of the published form",
        "lucaone data convert-records dataset records --labels label/lucagplm/v2.0",
        MORE,
    )
    parser.add_argument("source", type=Path, metavar="SOURCE", help="CSV file, or folder of them")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="the folder to write")
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="DIR",
        help="the label names, TASK.txt or published files; a record with an id that is not "
        "among them is left out",
    )
    parser.add_argument(
        "--max-length",
        type="positive",
        metavar="N",
        help="leave out sequences of more letters (default: no limit)",
    )
    add_build_options(parser)


def run(options: dict[str, Any]) -> None:
    """Convert the records."""
    from pretraining.data.published import convert_records

    summary = convert_records(**options, tell=lambda note: print_notes([note]))
    print_notes(summary.notes)
    print(summary)
