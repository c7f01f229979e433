# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone finetune`: labelled sequences to a model that predicts."""

import argparse
from collections.abc import Callable
from typing import Any

from training_jobs.options import add_device, add_hardware

from .options import DTYPE, PUBLISHED_TASKS, add_data, run_training

MORE = f"""\
TASK is a published task or a YAML file in their form:
  {", ".join(PUBLISHED_TASKS)}
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
    add_device(parser, DTYPE, "residues")
    add_hardware(parser, "within an epoch", ", with --mode full or lora")
    parser.add_argument(
        "--revision", metavar="NAME", help="branch, tag or commit of a model on the Hub"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what another run left")


def run(options: dict[str, Any]) -> None:
    """Train, and print how good the model is."""
    from finetune import finetune

    run_training(finetune, options)
