# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""How the learning rate rises."""

import math


def rising_steps(warmup_steps: float, updates: int) -> int:
    """Return the updates over which the learning rate rises.

    Args:
        warmup_steps: their number; below 1 their share.
        updates: of the whole training.
    """
    return math.ceil(warmup_steps * (updates if warmup_steps < 1 else 1))


def check_schedule(warmup_steps: float, updates: int) -> str:
    """Say what looks wrong with so long a rise; empty if nothing does."""
    rising = rising_steps(warmup_steps, updates)
    if 2 * rising <= updates:
        return ""
    return (
        f"warning: of {updates:,} updates of the weights the learning rate rises over {rising:,} "
        "(warmup_steps); --set warmup_steps=0.05 makes it a twentieth"
    )
