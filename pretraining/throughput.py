# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Tokens per second, and what share of what a device can do they are."""

import time

import torch

from modeling_lucaone import LucaOneConfig

# Rows, columns and inner width of the product that is measured.
PRODUCT = (2_048, 10_240, 2_560)
REPEATS = 2


def flops_per_token(config: LucaOneConfig) -> int:
    """Return the FLOPs of a token's forward pass: 2 for each weight of the matrices it passes.

    Embeddings, attention scores and heads do not count. Training takes three times as many.
    """
    width, inner = config.hidden_size, config.intermediate_size
    return 2 * config.num_hidden_layers * (4 * width * width + 2 * width * inner)


def matrix_rate(device: torch.device | str, dtype: torch.dtype) -> float:
    """Measure the FLOPs per second of a product of matrices, the best of several."""
    rows, columns, inner = PRODUCT
    left = torch.randn(rows, inner, device=device, dtype=dtype)
    right = torch.randn(inner, columns, device=device, dtype=dtype)
    best = float("inf")
    for _ in range(REPEATS):
        _synchronize(device)
        begin = time.perf_counter()
        left @ right
        _synchronize(device)
        best = min(best, time.perf_counter() - begin)
    return 2 * rows * columns * inner / best


class TokenRate:
    """Counts tokens over time.

    Args:
        flops_per_token: of a token's forward pass.
        peak: FLOPs per second of all devices together.
    """

    def __init__(self, flops_per_token: int, peak: float):
        self.flops_per_token, self.peak = flops_per_token, peak
        self.begin()

    def begin(self) -> None:
        """Begin to count anew."""
        self.began, self.real, self.padded = time.perf_counter(), 0.0, 0.0

    def add(self, real: float, padded: float) -> None:
        """Count tokens, and those that padded batches would have had."""
        self.real, self.padded = self.real + real, self.padded + padded

    def leave_out(self, seconds: float) -> None:
        """Do not count some time that passed."""
        self.began += seconds

    def take(self) -> dict[str, float]:
        """Return the rates since the count began, and begin anew."""
        seconds = time.perf_counter() - self.began
        rates = {
            "tokens_per_second": self.real / seconds,
            "padded_tokens_per_second": self.padded / seconds,
            "share_of_peak": 3 * self.flops_per_token * self.real / seconds / self.peak,
        }
        self.begin()
        return rates


def _synchronize(device: torch.device | str) -> None:
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)
