# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Where a training runs."""

from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Hardware:
    """How the work is done; none of it decides what is computed, but `dtype` how exactly.

    Attributes:
        device: `cpu` or `cuda`; a GPU if there is one, where not given.
        dtype: of the encoder's computation: `float32` or `bfloat16`; weights stay in fp32.
        tokens_per_batch: tokens that go through the model at once.
        gradient_checkpointing: compute activations twice in place of keeping them.
        attn_implementation: attention back-end; `sdpa` where not given.
        save_minutes: minutes after which a checkpoint is saved within an epoch.
    """

    device: str | None = None
    dtype: str | None = None
    tokens_per_batch: int | None = None
    gradient_checkpointing: bool = False
    attn_implementation: str | None = None
    save_minutes: float = 15.0

    @property
    def kind(self) -> str:
        """`cpu` or `cuda`."""
        return self.device or ("cuda" if torch.cuda.is_available() else "cpu")

    def check(self) -> None:
        """Check the device.

        Raises:
            ValueError: there is none of this kind, or it cannot be chosen here.
        """
        if self.device not in (None, "cpu", "cuda"):
            raise ValueError(f"device: {self.device!r} is neither cpu nor cuda")
        if self.device == "cuda" and not torch.cuda.is_available():
            raise ValueError("device: there is no cuda device here")


def check_hardware(device: str | None = None, **_: Any) -> None:
    """Check the device, of all options of a command.

    Raises:
        ValueError: see `Hardware.check`.
    """
    Hardware(device).check()
