# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The back-ends of a GPU against the CPU in fp32; without one, how its kernel is called."""

import inspect

import pytest
import torch
from transformers.utils import is_flash_attn_2_available

from modeling_lucaone import LucaOneForMaskedLM, LucaOnePackingCollator, packing
from tests.helpers import BF16_LIMIT, SAME_LIMIT, random_batch, relative_l2, tiny_config

needs_gpu = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]
needs_flash = pytest.mark.skipif(
    not is_flash_attn_2_available(), reason="needs a CUDA device and flash-attn"
)
BACK_ENDS = [
    ("eager", torch.float32),
    ("sdpa", torch.float32),
    ("flex_attention", torch.float32),
    ("eager", torch.bfloat16),
    ("sdpa", torch.bfloat16),
    ("flex_attention", torch.bfloat16),
    pytest.param("flash_attention_2", torch.bfloat16, marks=needs_flash),
]


@pytest.mark.parametrize(("attention", "dtype"), BACK_ENDS)
@pytest.mark.parametrize("unpad_inputs", [True, False])
class TestBackEnds:
    pytestmark = needs_gpu

    def test_agree_with_the_cpu(self, attention, dtype, unpad_inputs):
        torch.manual_seed(0)
        config = tiny_config(hidden_size=256, num_attention_heads=4, unpad_inputs=unpad_inputs)
        model = LucaOneForMaskedLM(config).eval()
        batch = random_batch((90, 170, 50, 120), (True, False, True, False))
        real = batch["attention_mask"].bool()
        with torch.no_grad():
            expected = model(**batch).logits[real]
            model.cuda().to(dtype).set_attn_implementation(attention)
            padded = model(**{name: tensor.cuda() for name, tensor in batch.items()}).logits
            records = [
                {name: batch[name][row][mask] for name in ("input_ids", "token_type_ids")}
                for row, mask in enumerate(real)
            ]
            packed = LucaOnePackingCollator()(records)
            packed = {n: t.cuda() if torch.is_tensor(t) else t for n, t in packed.items()}
            packed_logits = model(**packed).logits[0]
        limit = SAME_LIMIT if dtype == torch.float32 else BF16_LIMIT
        assert relative_l2(padded.cpu()[real].float(), expected) < limit
        assert relative_l2(packed_logits.cpu().float(), expected) < limit


@pytest.mark.skipif(packing.varlen_attn is None, reason="needs PyTorch 2.10")
def test_the_variable_length_kernel_is_called_as_it_wants(monkeypatch):
    signature = inspect.signature(packing.varlen_attn)
    calls = []

    def kernel(*args):
        """Stand in for the kernel, which runs on a GPU only."""
        bound = signature.bind(*args).arguments
        calls.append(bound)
        assert bound["max_q"] == bound["max_k"] == 17
        assert bound["cu_seq_q"].dtype == bound["cu_seq_k"].dtype == torch.int32
        sizes = bound["cu_seq_q"].diff().tolist()
        parts = zip(*(bound[name].split(sizes) for name in ("query", "key", "value")), strict=True)
        attend = torch.nn.functional.scaled_dot_product_attention
        mixed = [attend(*(x.transpose(0, 1) for x in part)).transpose(0, 1) for part in parts]
        return torch.cat(mixed)

    model = LucaOneForMaskedLM(tiny_config()).eval()
    batch = random_batch()
    expected = model(**batch).logits
    monkeypatch.setattr(packing, "_has_varlen_kernel", lambda query: True)
    monkeypatch.setattr(packing, "varlen_attn", kernel)
    assert relative_l2(model(**batch).logits, expected) < SAME_LIMIT
    assert len(calls) == model.config.num_hidden_layers
