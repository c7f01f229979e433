# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Options that several commands of this room have in common."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embedding.commands.options import add_force, check_usage, print_notes

PUBLISHED_TASKS = sorted(path.stem for path in (Path(__file__).parent.parent / "tasks").glob("*"))

# The precision where none is given.
DTYPE = "float32, for frozen features as stored"

# Options that name a column, and what a task calls it.
COLUMNS = {
    "id_column": "id",
    "sequence_column": "sequence",
    "label_column": "label",
    "group_column": "group",
    "split_column": "split",
}


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the data, and changes of the task."""
    parser.add_argument(
        "--data",
        metavar="DATA",
        help="folder with train, dev and test as published; CSV, TSV or Parquet table; FASTA with "
        "--labels; or a data set on the Hub (default: that of the task)",
    )
    parser.add_argument(
        "--labels", dest="labels_file", metavar="TABLE", help="labels of the records of a FASTA"
    )
    parser.add_argument(
        "--seq-type",
        metavar="TYPE",
        help="molecule type: gene (DNA, RNA) or prot, for a pair two with a comma between, as "
        "gene,prot; column:NAME; header (default: that of the task, or the column seq_type)",
    )
    for option, column in COLUMNS.items():
        what = {
            "group": "of groups, such as species, whose accuracy is shown",
            "split": "that says train, dev or test",
        }.get(column, f"of the {column}s")
        parser.add_argument(
            f"--{option.replace('_', '-')}", metavar="NAME", help=f"the column {what}"
        )
    parser.add_argument(
        "--set",
        dest="set",
        action="append",
        metavar="KEY=VALUE",
        help="change a key of the task, as epochs=5; may be given several times",
    )
    parser.add_argument(
        "--features",
        metavar="DIR",
        help="where features are kept, for other runs too (default: features beside OUTPUT)",
    )
    add_force(parser)


def changes_of(options: dict[str, Any]) -> list[str]:
    """Take out of the options what changes the task, as `key=value` each."""
    changes = list(options.pop("set", []))
    for option, column in COLUMNS.items():
        if option in options:
            names = options.pop(option).split(",")
            keys = [column] if len(names) == 1 else [f"{column}_{side}" for side in "ab"]
            changes += [f"columns.{key}={name!r}" for key, name in zip(keys, names, strict=False)]
    if "seq_type" in options:
        changes.append(f"seq_types=[{options.pop('seq_type')}]")
    return changes


def run_training(work: Callable[..., Any], options: dict[str, Any]) -> None:
    """Call `finetune` or `compare` with the options of its command, and print what it came to.

    Raises:
        argparse.ArgumentError: an option cannot be right, whatever the files hold.
        ValueError: anything else that `work` raises.
    """
    from transformers.utils.logging import disable_progress_bar

    from finetune.data import DataError
    from finetune.task import read_task
    from training_jobs.hardware import check_hardware

    disable_progress_bar()  # one for every file of a checkpoint; the training has its own
    task, changes = options.pop("task", None), changes_of(options)
    if task is None or task in PUBLISHED_TASKS:
        check_usage(read_task, {"source": task, "changes": changes})
    check_usage(check_hardware, options)
    try:
        summary = work(task, changes=changes, tell=tell, **options)
    except DataError as error:
        tell(str(error.findings))
        raise
    except KeyboardInterrupt:
        raise KeyboardInterrupt("interrupted; the same command goes on") from None
    if summary.is_main_process:
        print_notes(summary.notes)
        print(summary)


def tell(text: str) -> None:
    """Show a table, or a line, of what is going on."""
    print(text, file=sys.stderr)
