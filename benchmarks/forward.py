# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The forward pass of two blocks at full width against the port's padded fp32 batch."""

import statistics
from typing import Any

import torch

from modeling_lucaone import LucaOneConfig, LucaOneModel

from .common import (
    import_port,
    matrix_flops,
    matrix_rate,
    port_config,
    protein_batch,
    relative_l2,
    seconds,
)

REPEATS = 3
# Evenly spaced on a log scale, as lengths of proteins roughly are.
LENGTHS = [round(60 * (1000 / 60) ** (i / 15)) for i in range(16)]


@torch.inference_mode()
def measure() -> dict[str, Any]:
    """Time both models on 16 proteins of 60 to 1,000 residues.

    The share of the matrix rate is taken against products right before and after each pass, so
    that a machine whose speed wanders does not distort it; the median of the repeats counts.
    """
    batch = protein_batch(LENGTHS)
    tokens, padded = int(batch["attention_mask"].sum()), batch["input_ids"].numel()
    torch.manual_seed(0)
    config = LucaOneConfig(num_hidden_layers=2)
    ours, half = (LucaOneModel(config).eval() for _ in range(2))
    port = import_port()
    theirs = port.modeling.LucaGPLMModel(port_config(port, config)).eval()
    for model in (half, theirs):
        model.load_state_dict(ours.state_dict())
    half.bfloat16()
    real = batch["attention_mask"].bool()
    expected = theirs(**batch).last_hidden_state[real]
    agreement = relative_l2(ours(**batch).last_hidden_state[real], expected)
    half(**batch)

    models = {"fp32": ours, "bf16": half}
    rates = {"fp32": matrix_rate(torch.float32), "bf16": matrix_rate(torch.bfloat16)}
    flops = matrix_flops(config, tokens)
    port_times: list[float] = []
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in models}
    for _ in range(REPEATS):
        port_times.append(seconds(lambda: theirs(**batch)))
        for name, model in models.items():
            before = rates[name]()
            elapsed = seconds(lambda model=model: model(**batch))
            runs[name].append((elapsed, (before + rates[name]()) / 2))
    port_time = statistics.median(port_times)
    report: dict[str, Any] = {
        "lengths": LENGTHS,
        "tokens": tokens,
        "padded_tokens": padded,
        "agreement_with_port_fp32": agreement,
        "port_fp32_seconds": port_times,
    }
    print(f"  {tokens:,} tokens, {padded:,} padded; agreement with the port {agreement:.1e}")
    print(f"  {'':12}{'seconds':>9}{'tokens/s':>10}{'x port':>8}{'matrix rate':>13}{'share':>7}")
    print(f"  {'port fp32':12}{port_time:>9.2f}{tokens / port_time:>10,.0f}{1:>8.2f}")
    for name, repeats in runs.items():
        elapsed = statistics.median(time for time, _ in repeats)
        rate = statistics.median(rate for _, rate in repeats)
        share = statistics.median(flops / time / rate for time, rate in repeats)
        report[name] = {
            "seconds": [time for time, _ in repeats],
            "tokens_per_second": tokens / elapsed,
            "times_port_fp32": port_time / elapsed,
            "matrix_rate": rate,
            "share_of_matrix_rate": share,
        }
        print(
            f"  {'ours ' + name:12}{elapsed:>9.2f}{tokens / elapsed:>10,.0f}"
            f"{port_time / elapsed:>8.2f}{rate / 1e9:>8,.0f} GF/s{share:>7.0%}"
        )
    return report
