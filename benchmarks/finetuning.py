# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A step of full fine-tuning at full width, with padding taken out and without."""

from typing import Any

import torch

from modeling_lucaone import LucaOneConfig, LucaOneForSequenceClassification

from .common import protein_batch, relative_l2, seconds

# Letters; with [CLS] and [SEP] 1,024 to 32 tokens.
LENGTHS = [length - 2 for length in (1024, 512, 256, 128, 64, 64, 32, 32)]
BLOCKS = 1
REPEATS = 3


def measure() -> dict[str, Any]:
    """Time forward, backward and AdamW on one padded batch, both ways taking turns."""
    batch = protein_batch(LENGTHS)
    labels = torch.arange(len(LENGTHS)) % 3
    tokens, padded = int(batch["attention_mask"].sum()), batch["input_ids"].numel()
    models, losses, steps = {}, {}, {}
    for unpad in (True, False):
        torch.manual_seed(0)
        config = LucaOneConfig(num_hidden_layers=BLOCKS, num_labels=3, unpad_inputs=unpad)
        config.classifier_dropout = 0.0
        models[unpad] = LucaOneForSequenceClassification(config).train()
        optimizer = torch.optim.AdamW(models[unpad].parameters(), lr=1e-5)

        def step(unpad: bool = unpad, optimizer: torch.optim.Optimizer = optimizer) -> None:
            losses[unpad] = models[unpad](**batch, labels=labels).loss
            losses[unpad].backward()
            optimizer.step()
            optimizer.zero_grad()

        steps[unpad] = step
        step()
    first = dict(models[True].named_parameters())
    moved = max(relative_l2(p, first[name]) for name, p in models[False].named_parameters())
    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(REPEATS):
        for unpad in (False, True):
            times[unpad].append(seconds(steps[unpad]))
    ratio = min(times[False]) / min(times[True])
    report = {
        "real_tokens": tokens,
        "padded_tokens": padded,
        "padding": padded / tokens,
        "seconds_unpadded": times[True],
        "seconds_padded": times[False],
        "times_as_fast": ratio,
        "share_of_padding": ratio / (padded / tokens),
        "weights_apart_after_a_step": moved,
    }
    print(
        f"{BLOCKS} blocks, {tokens:,} real and {padded:,} padded tokens ({padded / tokens:.2f}): "
        f"{min(times[True]):.2f} s against {min(times[False]):.2f} s a step, {ratio:.2f} times as "
        f"fast, {ratio / (padded / tokens):.2f} of the padding"
    )
    return report
