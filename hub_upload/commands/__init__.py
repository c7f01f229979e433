# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The commands of this room, a file each; see lucaone_cli.py. Nothing here imports PyTorch."""

import argparse
from collections.abc import Callable

from . import checkpoints, published, repositories, space, transfer

COMMANDS = (checkpoints, repositories, transfer, published, space)


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the commands of this room."""
    for command in COMMANDS:
        command.add_to(add)
