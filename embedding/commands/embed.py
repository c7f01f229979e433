# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone embed`: a file of sequences to a file of embeddings."""

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
OUTPUT is HDF5 (.h5; one vector, or with --pooling none one matrix, per id, as
UniProt publishes them), Parquet (.parquet) or safetensors (.safetensors).

Interrupted at any moment, the same command goes on where it stopped; what is
done lies in OUTPUT.partial until the output is whole. To use several GPUs, or
several nodes that share the file system:
  accelerate launch -m embedding INPUT OUTPUT --model MODEL --seq-type TYPE
"""


def _layers(text: str) -> int | str | list[int]:
    if text == "all":
        return text
    try:
        numbers = [int(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither all nor a number of a layer, nor several with commas between"
        ) from None
    return numbers if "," in text else numbers[0]


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = add(
        "embed",
        run,
        "turn every sequence of a file into a vector",
        "lucaone embed proteins.fasta proteins.h5 --model lucaone --seq-type prot",
        MORE,
    )
    add_input(parser)
    parser.add_argument("output", metavar="OUTPUT", help=".h5, .parquet or .safetensors file")
    add_model(parser)
    parser.add_argument(
        "--pooling",
        choices=("mean", "cls", "max", "none"),
        help="mean or max over the residues or nucleotides of a sequence, the vector of its start "
        "token (cls), or none: a vector for each residue (default: mean)",
    )
    parser.add_argument(
        "--layers",
        type=_layers,
        metavar="LAYERS",
        help="output of which blocks: a number (0: the embeddings; -1: the last block and norm), "
        "several with commas between (write --layers=-2,-1 where the first is negative), or all "
        "(default: -1)",
    )
    parser.add_argument(
        "--save-dtype",
        choices=("float32", "float16", "bfloat16"),
        help="precision of the numbers in OUTPUT (default: float32)",
    )
    add_windows(parser)
    parser.add_argument(
        "--merge",
        choices=("centre", "published"),
        help="how windows become one sequence: each letter from the window in which it has the "
        "most context on its poorer side (centre), or as the published tool does it, with none "
        "behind the last letter of a window (default: centre)",
    )
    parser.add_argument(
        "--truncate",
        type="positive",
        metavar="N",
        help="embed no more than the first N letters of a sequence, and say of which",
    )
    parser.add_argument(
        "--save-every",
        type="positive",
        metavar="N",
        help="letters after which what is done is safe on disk (default: 16384, on a GPU 262144)",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace an OUTPUT, or the begun OUTPUT.partial, of another run",
    )
    add_force(parser)


def run(options: dict[str, Any]) -> None:
    """Embed the file."""
    from embedding.files import embed_file
    from embedding.settings import check_options

    check_usage(check_options, options)
    try:
        summary = embed_file(**options)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "interrupted; what is done is kept, the same command goes on from there"
        ) from None
    print_notes(summary.notes)
    if summary.records:
        print(
            f"{summary.output}: {summary.records:,} records, {summary.letters:,} letters, "
            f"{summary.shape}"
        )
