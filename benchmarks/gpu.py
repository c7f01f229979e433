# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The full 20-block model in bf16 on a GPU: real tokens per second and share of the matrix rate."""

import random
import statistics
from typing import Any

import torch

from modeling_lucaone import LucaOneConfig, LucaOneModel

from .common import matrix_flops, matrix_rate, protein_batch, seconds

TOKENS = 65_536


@torch.inference_mode()
def measure() -> dict[str, Any]:
    """Time padded batches of about 65,536 real tokens, 60 to 1,000 residues a sequence."""
    if not torch.cuda.is_available():
        print("  no GPU at hand")
        return {"device": None}
    config = LucaOneConfig()
    with torch.device("cuda"):
        model = LucaOneModel(config).bfloat16().eval()
    source, lengths = random.Random(0), []
    while sum(lengths) + 2 * len(lengths) < TOKENS:
        lengths.append(source.randint(60, 1000))
    batch = {name: tensor.cuda() for name, tensor in protein_batch(lengths).items()}
    tokens = int(batch["attention_mask"].sum())
    rate = matrix_rate(torch.bfloat16, "cuda")
    for _ in range(3):
        model(**batch)
    times = [seconds(lambda: model(**batch)) for _ in range(10)]
    median, peak = statistics.median(times), max(rate() for _ in range(5))
    share = matrix_flops(config, tokens) / median / peak
    name = torch.cuda.get_device_name()
    print(f"  {name}: {tokens / median:,.0f} tokens/s, {share:.0%} of {peak / 1e12:.0f} TFLOP/s")
    return {
        "device": name,
        "tokens": tokens,
        "padded_tokens": batch["input_ids"].numel(),
        "lengths": lengths,
        "seconds": times,
        "tokens_per_second": tokens / median,
        "matrix_rate": peak,
        "share_of_matrix_rate": share,
        "peak_memory": torch.cuda.max_memory_allocated(),
    }
