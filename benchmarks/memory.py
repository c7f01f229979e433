# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Peak memory of loading a sharded checkpoint and of a long sequence, each in its own process."""

import json
import subprocess
import sys
import tempfile
from typing import Any

from transformers.utils.logging import disable_progress_bar

from modeling_lucaone import LucaOneConfig, LucaOneModel

# VmHWM is the process's own peak; ru_maxrss of a child starts at what its parent had.
PEAK = """
import json, sys
import torch
from modeling_lucaone import LucaOneConfig, LucaOneModel

def peak():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024

torch.set_num_threads(2)
"""
LOAD = """
before = peak()
model = LucaOneModel.from_pretrained(sys.argv[1])
touched = sum(float(p.sum()) for p in model.parameters())
weights = sum(p.nbytes for p in model.parameters())
print(json.dumps({"weights": weights, "rise": peak() - before}))
"""
LONG = """
length, heads = int(sys.argv[1]), 40
model = LucaOneModel(LucaOneConfig(num_hidden_layers=1, intermediate_size=2560)).eval()
ids = torch.randint(10, 30, (1, length))
with torch.inference_mode():
    model(ids[:, :64])
    before = peak()
    model(ids)
print(json.dumps({"matrix": heads * length**2 * 4, "rise": peak() - before}))
"""


def _run(code: str, argument: str) -> dict[str, int]:
    result = subprocess.run(
        [sys.executable, "-c", PEAK + code, argument], capture_output=True, text=True, check=True
    )
    return json.loads(result.stdout.splitlines()[-1])


def measure() -> dict[str, Any]:
    """Load 0.6 GB in shards of 100 MB, and run 8,192 tokens through one block."""
    disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        LucaOneModel(LucaOneConfig(num_hidden_layers=2)).save_pretrained(
            folder, max_shard_size="100MB"
        )
        loading = _run(LOAD, folder)
    long = _run(LONG, "8192")
    gib = 2**30
    print(
        f"  loading {loading['weights'] / gib:.2f} GiB of weights in shards: "
        f"peak rises by {loading['rise'] / gib:.2f} GiB"
    )
    print(
        f"  8,192 tokens, one block: peak rises by {long['rise'] / gib:.2f} GiB; "
        f"the attention matrix alone would be {long['matrix'] / gib:.1f} GiB"
    )
    return {"loading": loading, "long_sequence": long}
