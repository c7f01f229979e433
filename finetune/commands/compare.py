# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone finetune compare`: one task with several sources of features."""

import argparse
from collections.abc import Callable
from typing import Any

from training_jobs.options import add_device

from .options import DTYPE, add_data, run_training

MORE = """\
The same splits and the same head, on the features of one source after the
other. A NAME is
  a LucaOne model, or another encoder of transformers: folder or Hub name
  random:MODEL   a LucaOne model's architecture with random weights
  one-hot        39 numbers per residue, as published
  kmer, kmer:K   frequencies of k-mers (4 in nucleic acids, 2 in proteins) and
                 a logistic or ridge regression in place of the head
  A+B            for pairs: one encoder for each side
The class that is most frequent in training has a row of its own, and so has
the published score of the task.

Features are computed once, for other runs too. OUTPUT holds comparison.csv,
comparison.json and comparison.png. Interrupted at any moment, the same command
goes on: finished rows stay, and the one in training goes on from its last
checkpoint. To use several GPUs, or several nodes:
  accelerate launch -m finetune compare TASK --backbones NAME ... --output OUTPUT
"""


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = add(
        "finetune compare",
        run,
        "train the head of a task on the features of several encoders",
        "lucaone finetune compare CentralDogma --output compared \\\n"
        "    --backbones lucaone LucaOne-Gene+LucaOne-Prot one-hot kmer",
        MORE,
    )
    parser.add_argument(
        "task", metavar="TASK", nargs="?", help="a published task, or a YAML file in their form"
    )
    parser.add_argument(
        "--backbones", required=True, nargs="+", metavar="NAME", help="what to compare; see above"
    )
    parser.add_argument("--output", required=True, metavar="OUTPUT", help="folder to be made")
    add_data(parser)
    add_device(parser, DTYPE, "residues")
    parser.add_argument(
        "--trust-remote-code",
        action="store_true",
        help="run the code that comes with an encoder which is no LucaOne model",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace another comparison")


def run(options: dict[str, Any]) -> None:
    """Compare, and print the table."""
    from finetune import compare

    run_training(compare, options)
