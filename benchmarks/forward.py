# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The forward pass of two blocks at full width against the port's padded fp32 batch."""

import random
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


@torch.inference_mode()
def measure() -> dict[str, Any]:
    """Time both models on 16 proteins of 60 to 1,000 residues."""
    lengths = [random.Random(seed).randint(60, 1000) for seed in range(16)]
    batch = protein_batch(lengths)
    tokens, padded = int(batch["attention_mask"].sum()), batch["input_ids"].numel()
    torch.manual_seed(0)
    config = LucaOneConfig(num_hidden_layers=2)
    ours = LucaOneModel(config).eval()
    port = import_port()
    theirs = port.modeling.LucaGPLMModel(port_config(port, config)).eval()
    theirs.load_state_dict(ours.state_dict())
    real = batch["attention_mask"].bool()
    agreement = relative_l2(
        ours(**batch).last_hidden_state[real], theirs(**batch).last_hidden_state[real]
    )

    half = LucaOneModel(config).eval()
    half.load_state_dict(ours.state_dict())
    half.bfloat16()
    half(**batch)
    models = {"fp32": ours, "bf16": half}
    rates = {"fp32": matrix_rate(torch.float32), "bf16": matrix_rate(torch.bfloat16)}
    times: dict[str, list[float]] = {"port": [], "fp32": [], "bf16": []}
    best_rates = dict.fromkeys(models, 0.0)
    for _ in range(REPEATS):
        times["port"].append(seconds(lambda: theirs(**batch)))
        for name, model in models.items():
            best_rates[name] = max(best_rates[name], rates[name]())
            times[name].append(seconds(lambda model=model: model(**batch)))
            best_rates[name] = max(best_rates[name], rates[name]())
    best = {name: min(values) for name, values in times.items()}
    flops = matrix_flops(config, tokens)
    report: dict[str, Any] = {
        "lengths": lengths,
        "tokens": tokens,
        "padded_tokens": padded,
        "agreement_with_port_fp32": agreement,
        "port_fp32_seconds": best["port"],
    }
    print(f"  {tokens:,} tokens, {padded:,} padded; agreement with the port {agreement:.1e}")
    print(f"  {'':12}{'seconds':>9}{'tokens/s':>10}{'x port':>8}{'matrix rate':>13}{'share':>7}")
    print(f"  {'port fp32':12}{best['port']:>9.2f}{tokens / best['port']:>10,.0f}{1:>8.2f}")
    for name in models:
        rate, share = best_rates[name], flops / best[name] / best_rates[name]
        report[name] = {
            "seconds": best[name],
            "tokens_per_second": tokens / best[name],
            "times_port_fp32": best["port"] / best[name],
            "matrix_rate": rate,
            "share_of_matrix_rate": share,
        }
        print(
            f"  {'ours ' + name:12}{best[name]:>9.2f}{tokens / best[name]:>10,.0f}"
            f"{best['port'] / best[name]:>8.2f}{rate / 1e9:>8,.0f} GF/s{share:>7.0%}"
        )
    return report
