# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""8-bit weights through `from_pretrained`."""

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from embedding import Embedder
from modeling_lucaone import (
    LucaOneForMaskedLM,
    LucaOneForPairClassification,
    LucaOneForPreTraining,
    LucaOneForSequenceClassification,
    LucaOneForTokenClassification,
    LucaOneModel,
    quantization,
)
from modeling_lucaone.export import export_onnx
from modeling_lucaone.quantization import int8_config
from tests.helpers import GOLDEN, TASKS, random_batch, relative_l2, tiny_config

pytest.importorskip("torchao")

HUB = GOLDEN / "hub-tiny"
# The tiny models are more delicate than the real one: their rows have 32 numbers.
NEAR = 0.03


def first(outputs):
    logits = outputs.get("logits")
    return outputs.last_hidden_state if logits is None or isinstance(logits, dict) else logits


@pytest.mark.parametrize("activations", [False, True])
@pytest.mark.parametrize(
    "model_class",
    [
        LucaOneModel,
        LucaOneForMaskedLM,
        LucaOneForPreTraining,
        LucaOneForSequenceClassification,
        LucaOneForTokenClassification,
        LucaOneForPairClassification,
    ],
)
def test_only_the_blocks_matrices_are_in_8_bits(model_class, activations, tmp_path):
    torch.manual_seed(0)
    fields = {"pretraining_tasks": TASKS} if model_class is LucaOneForPreTraining else {}
    exact = model_class(tiny_config(classifier_fc_size=16, **fields)).eval()
    exact.save_pretrained(tmp_path / "exact")
    model, report = model_class.from_pretrained(
        tmp_path / "exact", quantization_config=int8_config(activations), output_loading_info=True
    )
    assert not report["missing_keys"] and not report["unexpected_keys"]
    before = dict(exact.named_parameters())
    for name, parameter in model.named_parameters():
        in_block = "encoder.layers." in name and parameter.dim() == 2
        assert (type(parameter).__name__ == "Int8Tensor") is in_block
        if in_block:
            assert parameter.qdata.dtype == torch.int8
        else:
            assert torch.equal(parameter, before[name])
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, exact.get_buffer(name))
    batch = random_batch()
    if model_class is LucaOneForPairClassification:
        batch = {f"{name}_{side}": tensor for side in "ab" for name, tensor in batch.items()}
    with torch.no_grad():
        result, expected = first(model(**batch)), first(exact(**batch))
    assert 0 < relative_l2(result, expected) < NEAR

    model.save_pretrained(tmp_path / "saved")
    again = model_class.from_pretrained(tmp_path / "saved")
    with torch.no_grad():
        assert torch.equal(first(again(**batch)), result)


def test_a_saved_model_embeds(tmp_path):
    model = AutoModel.from_pretrained(HUB, quantization_config=int8_config(), dtype="bfloat16")
    assert model.dtype == torch.bfloat16
    assert model.encoder.layers[0].self_attn.rot_emb.inv_freq.dtype == torch.float32
    model.save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(HUB).save_pretrained(tmp_path)
    sequences = ["MKTAYI", "MKTAYIAKQRLLGFW", "ACD"]
    vectors = Embedder(tmp_path, device="cpu").encode(sequences, "prot")
    expected = Embedder(HUB, device="cpu").encode(sequences, "prot")
    assert np.linalg.norm(vectors - expected) / np.linalg.norm(expected) < NEAR
    with pytest.raises(ValueError, match="8-bit weights of torchao do not go into ONNX"):
        export_onnx(model, tmp_path / "lucaone.onnx", verify=False)


def test_the_library_is_missing(monkeypatch):
    monkeypatch.setattr(quantization, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'lucaone-hf\[quantization\]'"):
        int8_config()
