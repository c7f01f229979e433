# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Other seeds, widths, depths and head counts than the golden ones, against the formulas."""

import pytest
import torch

from modeling_lucaone import LucaOneForMaskedLM
from tests.helpers import (
    GOLDEN,
    GOLDEN_LIMIT,
    VARIANTS,
    expected_values,
    golden_inputs,
    random_batch,
    relative_l2,
    tiny_config,
)


def formulas(state, ids, types, heads):
    """Return hidden states and logits of one sequence, written out from the paper's description.

    Everything is in fp64, one sequence at a time, one head at a time.
    """
    state = {name: tensor.double() for name, tensor in state.items()}

    def linear(x, name):
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def norm(x, name):
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / (centred.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt()
        return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]

    def gelu(x):
        return x * 0.5 * (1 + torch.erf(x / 2**0.5))

    def turn(x, frequencies):
        half = x.shape[-1] // 2
        angles = torch.arange(len(x)).double()[:, None] * frequencies
        first, second = x[:, :half], x[:, half:]
        return torch.cat(
            (
                first * angles.cos() - second * angles.sin(),
                second * angles.cos() + first * angles.sin(),
            ),
            dim=1,
        )

    tokens = state["lucaone.embeddings.embed_tokens.weight"]
    x = tokens[ids] + state["lucaone.embeddings.embed_type.weight"][types]
    blocks = {name.split(".")[3] for name in state if ".layers." in name}
    for block in range(len(blocks)):
        name = f"lucaone.encoder.layers.{block}"
        y = norm(x, f"{name}.pre_layer_norm")
        frequencies = state[f"{name}.self_attn.rot_emb.inv_freq"]
        mixed = []
        for q, k, v in zip(
            *(linear(y, f"{name}.self_attn.{p}_proj").chunk(heads, dim=1) for p in "qkv"),
            strict=True,
        ):
            scores = turn(q, frequencies) @ turn(k, frequencies).T / q.shape[1] ** 0.5
            mixed.append(scores.softmax(dim=-1) @ v)
        x = x + linear(torch.cat(mixed, dim=1), f"{name}.self_attn.out_proj")
        wide = gelu(linear(norm(x, f"{name}.post_layer_norm"), f"{name}.fc1"))
        x = x + linear(wide, f"{name}.fc2")
    x = norm(x, "lucaone.encoder.last_layer_norm")
    y = norm(gelu(linear(x, "lm_head.dense")), "lm_head.layer_norm")
    return x, y @ tokens.T + state["lm_head.bias"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_formulas_give_the_golden_values(variant):
    expected = expected_values(variant)
    model = LucaOneForMaskedLM.from_pretrained(GOLDEN / f"hub-tiny{variant}")
    inputs = golden_inputs(expected, "mixed")
    for row, real in enumerate(inputs["attention_mask"].bool()):
        hidden, logits = formulas(
            model.state_dict(),
            inputs["input_ids"][row][real],
            inputs["token_type_ids"][row][real],
            model.config.num_attention_heads,
        )
        golden = expected["mixed.last_hidden_state"][row][real]
        assert relative_l2(hidden, golden) < GOLDEN_LIMIT
        assert relative_l2(logits, expected["mixed.mlm_logits"][row][real]) < GOLDEN_LIMIT


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize(
    ("seed", "width", "blocks", "heads"),
    [(1, 32, 1, 2), (2, 48, 4, 3), (3, 64, 2, 16), (4, 160, 7, 5), (5, 128, 3, 1)],
)
def test_the_model_follows_the_formulas(seed, width, blocks, heads, attention):
    torch.manual_seed(seed)
    config = tiny_config(hidden_size=width, num_hidden_layers=blocks, num_attention_heads=heads)
    model = LucaOneForMaskedLM(config).eval()
    model.set_attn_implementation(attention)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    batch = random_batch(lengths=(30, 71, 12), seed=seed)
    with torch.no_grad():
        hidden = model.lucaone(**batch).last_hidden_state
        logits = model(**batch).logits
    for row, real in enumerate(batch["attention_mask"].bool()):
        expected_hidden, expected_logits = formulas(
            model.state_dict(),
            batch["input_ids"][row][real],
            batch["token_type_ids"][row][real],
            heads,
        )
        assert relative_l2(hidden[row][real], expected_hidden) < GOLDEN_LIMIT
        assert relative_l2(logits[row][real], expected_logits) < GOLDEN_LIMIT
