# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Options of commands that train: where and how the work is done. Nothing here imports PyTorch."""

import argparse


def add_device(parser: argparse.ArgumentParser, default_dtype: str, what: str = "tokens") -> None:
    """Add where the work is done, and how exactly.

    Args:
        parser: of the command.
        default_dtype: what the help says of it.
        what: goes through the model.
    """
    parser.add_argument("--device", choices=("cpu", "cuda"), help="default: a GPU if there is one")
    parser.add_argument(
        "--dtype",
        choices=("float32", "bfloat16"),
        help=f"precision of the computation; weights stay in float32 (default: {default_dtype})",
    )
    parser.add_argument(
        "--tokens-per-batch",
        type="positive",
        metavar="N",
        help=f"{what} that go through the model at once; does not change the result (default: "
        "4096, on a GPU 16384)",
    )


def add_hardware(parser: argparse.ArgumentParser, within: str, where: str = "") -> None:
    """Add how a training is done.

    Args:
        parser: of the command.
        within: between which moments checkpoints are saved anyway.
        where: what the help says of gradient checkpointing.
    """
    parser.add_argument(
        "--gradient-checkpointing",
        action="store_true",
        help=f"less memory for a third more time{where}",
    )
    parser.add_argument(
        "--attn-implementation",
        choices=("eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention"),
        help="how attention is computed (default: sdpa)",
    )
    parser.add_argument(
        "--save-minutes",
        type=float,
        metavar="M",
        help=f"save a checkpoint also {within}, after so many minutes (default: 15)",
    )
