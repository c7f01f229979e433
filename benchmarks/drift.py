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
    config = LucaOneConfig(hidden_size=640, num_hidden_layers=4, num_attention_heads=10)
    port = import_port()
    models = {
        "ours": lambda: LucaOneModel(config),
        "port": lambda: port.modeling.LucaGPLMModel(port_config(port, config)),
    }
    # The port's initial weights for both sides: normal, standard deviation 0.02.
    torch.manual_seed(0)
    source = models["port"]()
    for module in source.encoder.modules():
        if isinstance(module, torch.nn.Linear):
            module.weight.mul_(2.5)
    batch = protein_batch([1000])
    report = {}
    for name, make in models.items():
        exact, close = make().eval(), make().eval()
        for model in (exact, close):
            model.load_state_dict(source.state_dict())
        # Converted before it first runs: the port keeps its angles in the dtype of its first call.
        hidden = close.bfloat16()(**batch).last_hidden_state
        report[name] = relative_l2(hidden, exact(**batch).last_hidden_state)
        print(f"  bf16 of {name}: {report[name]:.2%} from its fp32")
    return report
