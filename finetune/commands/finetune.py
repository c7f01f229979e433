# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone finetune`: labelled sequences to a model that predicts."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embedding.commands.options import print_notes

from .options import add_data, add_hardware, changes_of

TASKS = Path(__file__).parent.parent / "tasks"
MORE = f"""\
TASK is a published task or a YAML file in their form:
  {", ".join(sorted(path.stem for path in TASKS.glob("*.yaml")))}
Without it the data alone decide: the kind of problem is inferred from the
labels, and stated.

  lucaone finetune --data my.csv --label-column y --seq-type prot \\
      --model lucaone --output run

The data are looked through before the model loads, and what is found is shown
as one table. Interrupted at any moment, the same command goes on from the last
checkpoint. OUTPUT holds the model, results.json, predictions, pictures and the
text of a model card. To use several GPUs, or several nodes:
  accelerate launch -m finetune TASK --model MODEL --output OUTPUT
"""


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = add(
        "finetune",
        run,
        "train a model on labelled sequences, single ones or pairs",
        "lucaone finetune ProtLoc --model lucaone --output protloc",
        MORE,
    )
    parser.add_argument("task", metavar="TASK", nargs="?", help="see above")
    parser.add_argument(
        "--model",
        required=True,
        metavar="MODEL",
        help="folder of a LucaOne model, or its name on the Hugging Face Hub (OWNER/NAME)",
    )
    parser.add_argument("--output", required=True, metavar="OUTPUT", help="folder to be made")
    parser.add_argument(
        "--mode",
        choices=("frozen", "full", "lora"),
        help="frozen: train the head on features that are computed once, as published (default); "
        "full: train all weights; lora: train small matrices in the blocks",
    )
    add_data(parser)
    add_hardware(parser)
    parser.add_argument(
        "--revision", metavar="NAME", help="branch, tag or commit of a model on the Hub"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what another run left")


def run(options: dict[str, Any]) -> None:
    """Train, and print how good the model is."""
    from transformers.utils.logging import disable_progress_bar

    from finetune import finetune
    from finetune.data import DataError

    disable_progress_bar()  # one for every file of a checkpoint; the training has its own

    options["changes"] = changes_of(options)
    try:
        summary = finetune(options.pop("task", None), tell=tell, **options)
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
