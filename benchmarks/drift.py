# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""How far bf16 is from fp32, ours and the port's."""

from typing import Any

import torch

from modeling_lucaone import LucaOneConfig, LucaOneModel

from .common import import_port, port_config, protein_batch, relative_l2


@torch.inference_mode()
def measure() -> dict[str, Any]:
    """Compare 1,002 tokens in 4 blocks of width 640, whose matrices are scaled by 2.5."""
    torch.manual_seed(0)
    config = LucaOneConfig(hidden_size=640, num_hidden_layers=4, num_attention_heads=10)
    ours = LucaOneModel(config).eval()
    for module in ours.encoder.modules():
        if isinstance(module, torch.nn.Linear):
            module.weight.mul_(2.5)
    port = import_port()
    batch = protein_batch([1000])
    report = {}
    for name in ("ours", "port"):
        exact, close = (
            LucaOneModel(config)
            if name == "ours"
            else port.modeling.LucaGPLMModel(port_config(port, config))
            for _ in range(2)
        )
        for model in (exact, close):
            model.eval().load_state_dict(ours.state_dict())
        # Converted before it first runs: the port keeps its angles in the dtype of its first call.
        hidden = close.bfloat16()(**batch).last_hidden_state
        report[name] = relative_l2(hidden, exact(**batch).last_hidden_state)
        print(f"  bf16 of {name}: {report[name]:.2%} from its fp32")
    return report
