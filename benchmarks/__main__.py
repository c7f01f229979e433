# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Measure speed, drift and memory, side by side with the published port in one run.

    make bench                       # everything (about 15 minutes on two cores)
    python -m benchmarks forward     # one part: forward, embedding, drift, quantization, ...

Prints a table for people and, as its last line, one JSON object for machines. FLOPs are twice the
parameters of the matrices that a token passes through; attention scores and embeddings do not
count. Tokens are real ones unless called padded. Times are the best of several, both sides taking
turns, so that what else the machine does hits both.
"""

import argparse
import json
import platform
import sys
from importlib.metadata import version

import torch

from . import (
    drift,
    embedding,
    finetuning,
    forward,
    gpu,
    memory,
    pretraining,
    quantization,
    tokenizer,
)

PARTS = {
    "forward": forward.measure,
    "embedding": embedding.measure,
    "finetuning": finetuning.measure,
    "pretraining": pretraining.measure,
    "drift": drift.measure,
    "quantization": quantization.measure,
    "tokenizer": tokenizer.measure,
    "memory": memory.measure,
    "gpu": gpu.measure,
}


def processor() -> str:
    """Return the name of the processor."""
    try:
        with open("/proc/cpuinfo") as lines:  # noqa: PTH123
            return next(
                line.split(":")[1].strip() for line in lines if line.startswith("model name")
            )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main() -> int:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure speed.")
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--threads", type=int, default=2, help="threads of PyTorch (default: 2)")
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"unknown part {min(unknown)!r}; known are {', '.join(PARTS)}")
    torch.set_num_threads(options.threads)
    report = {
        "processor": processor(),
        "threads": options.threads,
        "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        "python": platform.python_version(),
    }
    print(f"{report['processor']}, {options.threads} threads, {report['versions']}", flush=True)
    for name in options.parts or PARTS:
        print(f"\n{name}", flush=True)
        report[name] = PARTS[name]()
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
