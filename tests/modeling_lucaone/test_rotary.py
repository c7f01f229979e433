# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Stored frequencies are used, kept in fp32 and kept exactly."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForMaskedLM

from modeling_lucaone import LucaOneModel
from modeling_lucaone.modeling_lucaone import LucaOneRotaryEmbedding, rotate
from tests.helpers import BF16_LIMIT, GOLDEN, random_batch, relative_l2, tiny_config

HALF = GOLDEN / "hub-tiny-halfrope"


def stored_frequencies(folder=HALF):
    return load_file(folder / "model.safetensors")[
        "lucaone.encoder.layers.0.self_attn.rot_emb.inv_freq"
    ]


def frequencies(model):
    return [m.inv_freq for m in model.modules() if isinstance(m, LucaOneRotaryEmbedding)]


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model,
        lambda model: model.half(),
        lambda model: model.to(torch.bfloat16),
        lambda model: model.double().float(),
        lambda model: model.to("cpu", torch.float16),
    ],
)
def test_they_survive_a_change_of_dtype(change, tmp_path):
    model = change(AutoModelForMaskedLM.from_pretrained(HALF))
    expected = stored_frequencies()
    for inv_freq in frequencies(model):
        assert inv_freq.dtype == torch.float32
        assert torch.equal(inv_freq, expected)
    model.save_pretrained(tmp_path)
    assert torch.equal(stored_frequencies(tmp_path), expected)
    for inv_freq in frequencies(AutoModel.from_pretrained(tmp_path)):
        assert inv_freq.dtype == torch.float32
        assert torch.equal(inv_freq, expected)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_they_survive_loading_in_another_dtype(dtype):
    model = AutoModel.from_pretrained(HALF, dtype=dtype)
    assert model.encoder.layers[0].fc1.weight.dtype == dtype
    assert all(torch.equal(f, stored_frequencies()) for f in frequencies(model))


def test_another_rotary_type_is_computed(tmp_path):
    rope = {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0}
    model = AutoModel.from_pretrained(HALF, rope_parameters=rope)
    exponents = torch.arange(0, 16, 2) / 16
    for inv_freq in frequencies(model):
        torch.testing.assert_close(inv_freq, 10000.0**-exponents / 2)
    model.save_pretrained(tmp_path)
    assert not any("inv_freq" in name for name in load_file(tmp_path / "model.safetensors"))
    again = AutoModel.from_pretrained(tmp_path)
    assert torch.equal(frequencies(again)[0], frequencies(model)[0])


def test_blocks_that_disagree(tmp_path):
    tensors = load_file(HALF / "model.safetensors")
    tensors["lucaone.encoder.layers.1.self_attn.rot_emb.inv_freq"] *= 1.01
    (tmp_path / "config.json").write_text((HALF / "config.json").read_text())
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match="rotary frequencies of block 1"):
        AutoModel.from_pretrained(tmp_path)


def test_a_checkpoint_without_frequencies(tmp_path):
    tensors = load_file(GOLDEN / "hub-tiny" / "model.safetensors")
    tensors = {name: t for name, t in tensors.items() if "inv_freq" not in name}
    (tmp_path / "config.json").write_text((GOLDEN / "hub-tiny" / "config.json").read_text())
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    model = AutoModel.from_pretrained(tmp_path)
    expected = AutoModel.from_pretrained(GOLDEN / "hub-tiny")
    for ours, theirs in zip(frequencies(model), frequencies(expected), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=0)


def test_rotations_are_computed_in_fp32():
    rotary = LucaOneRotaryEmbedding(tiny_config(hidden_size=64, num_attention_heads=1))
    positions = torch.arange(4096)[None]
    cos, sin = rotary.bfloat16()(torch.zeros(1, dtype=torch.bfloat16), positions)
    assert cos.dtype == sin.dtype == torch.float32
    assert len(torch.unique(cos[0], dim=0)) == 4096
    assert len(torch.unique(positions.bfloat16())) == 769
    states = torch.randn(1, 4096, 1, 64)
    turned = rotate(states.bfloat16(), cos[:, :, None], sin[:, :, None])
    assert turned.dtype == torch.bfloat16
    exact = rotate(states.bfloat16().float(), cos[:, :, None], sin[:, :, None])
    assert torch.equal(turned, exact.bfloat16())


def test_rotation_in_pieces_is_the_rotation(monkeypatch):
    states, angles = torch.randn(2, 37, 3, 8), torch.randn(2, 37, 1, 4)
    whole = rotate(states, angles.cos(), angles.sin())
    monkeypatch.setattr("modeling_lucaone.modeling_lucaone.CPU_ROTATION_TOKENS", 8)
    assert torch.equal(rotate(states, angles.cos(), angles.sin()), whole)


def test_bf16_stays_close_to_fp32():
    torch.manual_seed(0)
    model = LucaOneModel(tiny_config(hidden_size=64, num_hidden_layers=4)).eval()
    batch = random_batch(lengths=(300, 500), proteins=(True, False))
    exact = model(**batch).last_hidden_state
    close = model.bfloat16()(**batch).last_hidden_state
    assert relative_l2(close, exact) < BF16_LIMIT
