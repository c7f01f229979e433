# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Peak memory of loading a sharded checkpoint and of a long sequence, each in its own process."""

import json
import subprocess
import sys
import tempfile
from typing import Any

LOAD = """
import resource, sys, json
import torch
from modeling_lucaone import LucaOneModel
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
model = LucaOneModel.from_pretrained(sys.argv[1])
touched = sum(float(p.sum()) for p in model.parameters())
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
weights = sum(p.nbytes for p in model.parameters())
print(json.dumps({"weights": weights, "rise": (after - before) * 1024}))
"""
LONG = """
import resource, sys, json
import torch
from modeling_lucaone import LucaOneConfig, LucaOneModel
torch.set_num_threads(2)
length, heads = int(sys.argv[1]), 40
model = LucaOneModel(LucaOneConfig(num_hidden_layers=1, intermediate_size=2560)).eval()
ids = torch.randint(10, 30, (1, length))
with torch.inference_mode():
    model(ids[:, :64])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model(ids)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"matrix": heads * length**2 * 4, "rise": (after - before) * 1024}))
"""


def _run(code: str, argument: str) -> dict[str, int]:
    result = subprocess.run(
        [sys.executable, "-c", code, argument], capture_output=True, text=True, check=True
    )
    return json.loads(result.stdout.splitlines()[-1])


def measure() -> dict[str, Any]:
    """Load 0.6 GB in shards of 100 MB, and run 8,192 tokens through one block."""
    from modeling_lucaone import LucaOneConfig, LucaOneModel

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
