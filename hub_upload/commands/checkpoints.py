# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The commands `lucaone convert` and `lucaone init`."""

import argparse
from collections.abc import Callable
from typing import Any

DTYPES = ("float32", "bfloat16", "float16")
SEQ_TYPE_HELP = (
    "gene or prot: store it with the model as the molecule type of sequences that come without one"
)


def _convert(options: dict[str, Any]) -> None:
    from hub_upload import CheckpointError, convert, convert_head

    if "encoder" in options and (meaningless := sorted(options.keys() & {"dtype", "logs"})):
        raise argparse.ArgumentError(None, f"--{meaningless[0]} has no meaning with --encoder")
    try:
        print((convert_head if "encoder" in options else convert)(**options))
    except CheckpointError:
        raise
    except ValueError as error:  # the options; what is wrong with files is a CheckpointError
        raise argparse.ArgumentError(None, str(error)) from None


def _init(options: dict[str, Any]) -> None:
    from hub_upload import CheckpointError, initialize

    try:
        print(initialize(**options))
    except CheckpointError:
        raise
    except ValueError as error:
        raise argparse.ArgumentError(None, str(error)) from None


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the commands of this room."""
    parser = add(
        "convert",
        _convert,
        "turn a published checkpoint into a folder that AutoModel loads",
        "lucaone convert checkpoint-step36000000 lucaone --labels label/",
        "With --encoder SOURCE is a trained head of a downstream task, which is put on that model.",
    )
    parser.add_argument(
        "source", metavar="SOURCE", help="folder of a published checkpoint or trained head"
    )
    parser.add_argument("dest", metavar="DEST", help="folder to be made")
    parser.add_argument(
        "--logs",
        metavar="FILE",
        help="logs.txt of the training run, if it is not where it was published",
    )
    parser.add_argument(
        "--encoder",
        metavar="MODEL",
        help="folder, made by this command, of the model that a trained head was trained on",
    )
    parser.add_argument(
        "--labels",
        metavar="PATH",
        help="folder with the published label files; of a trained head its label.txt",
    )
    parser.add_argument("--seq-type", metavar="TYPE", help=SEQ_TYPE_HELP)
    parser.add_argument(
        "--dtype",
        choices=DTYPES,
        help="precision to store weights in (default: as they are)",
    )

    parser = add(
        "init",
        _init,
        "make a new, untrained model, or start one from ESM-2",
        "lucaone init small --hidden-size 320 --num-hidden-layers 6 --num-attention-heads 20",
        "Without options it has the published size: 1.8 billion parameters, 7 GB.",
    )
    parser.add_argument("dest", metavar="DEST", help="folder to be made")
    parser.add_argument(
        "--from-esm2",
        metavar="DIR",
        help="start, as the published model did, from the first 20 blocks of the ESM-2 model in "
        "this folder; widths are those of ESM-2",
    )
    parser.add_argument("--hidden-size", type="positive", metavar="N", help="width (default: 2560)")
    parser.add_argument(
        "--num-hidden-layers", type="positive", metavar="N", help="number of blocks (default: 20)"
    )
    parser.add_argument(
        "--num-attention-heads",
        type="positive",
        metavar="N",
        help="number of attention heads in each block (default: 40)",
    )
    parser.add_argument("--seq-type", metavar="TYPE", help=SEQ_TYPE_HELP)
    parser.add_argument(
        "--seed", type=int, metavar="N", help="number that fixes the random weights (default: 0)"
    )
