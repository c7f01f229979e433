# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The published numbers, from the layout of the published Hub repositories.

The annotation heads and their losses, which only the original layout holds, are in
tests/hub_upload.
"""

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForMaskedLM, AutoModelForSequenceClassification

from hub_upload import convert, convert_head
from modeling_lucaone import AutoModelForPairClassification
from modeling_lucaone.losses import classification_loss
from modeling_lucaone.packing import SequenceBatch
from tests.helpers import (
    BATCHES,
    GOLDEN,
    GOLDEN_LIMIT,
    LOSS_LIMIT,
    VARIANTS,
    expected_values,
    golden_inputs,
    relative_l2,
)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("unpad_inputs", [True, False])
def test_hidden_states_and_logits(variant, attention, unpad_inputs):
    expected = expected_values(variant)
    model = AutoModelForMaskedLM.from_pretrained(
        GOLDEN / f"hub-tiny{variant}", attn_implementation=attention, unpad_inputs=unpad_inputs
    )
    for batch in BATCHES:
        inputs = golden_inputs(expected, batch)
        real = inputs["attention_mask"].bool()
        with torch.no_grad():
            logits = model(**inputs).logits
            hidden = model.lucaone(**inputs).last_hidden_state
        last = expected[f"{batch}.last_hidden_state"]
        assert relative_l2(hidden[real], last[real]) < GOLDEN_LIMIT
        assert relative_l2(logits[real], expected[f"{batch}.mlm_logits"][real]) < GOLDEN_LIMIT


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_block_and_its_attention(variant):
    expected = expected_values(variant)
    model = AutoModel.from_pretrained(
        GOLDEN / f"hub-tiny{variant}", attn_implementation="eager"
    ).eval()
    for batch in BATCHES:
        inputs = golden_inputs(expected, batch)
        real = inputs["attention_mask"].bool()
        blocks = []

        def keep(module, args, output, blocks=blocks):
            blocks.append(output)

        hooks = [layer.register_forward_hook(keep) for layer in model.encoder.layers]
        with torch.no_grad():
            outputs = model(**inputs, output_hidden_states=True, output_attentions=True)
        for hook in hooks:
            hook.remove()
        for number, block in enumerate(blocks, start=1):
            golden = expected[f"{batch}.hidden.{number}.before_final_norm"]
            assert relative_l2(block[real], golden[real]) < GOLDEN_LIMIT
            if number < len(blocks):
                captured = outputs.hidden_states[number]
                assert relative_l2(captured[real], golden[real]) < GOLDEN_LIMIT
        assert torch.equal(outputs.hidden_states[-1], outputs.last_hidden_state)
        if batch == "mixed":
            attentions = torch.stack(outputs.attentions, dim=1)
            rows = real[:, None, None, :].expand(attentions.shape[:4])
            golden = expected["mixed.attentions"]
            assert relative_l2(attentions[rows], golden[rows]) < GOLDEN_LIMIT


def test_a_wrong_epsilon_or_recomputed_frequencies_would_be_noticed():
    expected = expected_values("-halfrope")
    inputs = golden_inputs(expected, "long")
    real = inputs["attention_mask"].bool()
    golden = expected["long.last_hidden_state"][real]
    model = AutoModel.from_pretrained(GOLDEN / "hub-tiny-halfrope")
    with torch.no_grad():
        for module in model.modules():
            if hasattr(module, "inv_freq"):
                module.inv_freq.copy_(module.compute_default_rope_parameters(model.config)[0])
        recomputed = model(**inputs).last_hidden_state[real]
        assert relative_l2(recomputed, golden) > 10 * GOLDEN_LIMIT
        model = AutoModel.from_pretrained(GOLDEN / "hub-tiny-halfrope")
        for module in model.modules():
            if isinstance(module, torch.nn.LayerNorm):
                module.eps = 1e-12
        assert relative_l2(model(**inputs).last_hidden_state[real], golden) > 2 * GOLDEN_LIMIT


HEADS = sorted(path.name for path in (GOLDEN / "downstream-heads").iterdir())


@pytest.fixture(scope="module")
def converted_heads(tmp_path_factory):
    """The published heads, each put on the encoder of the Hub layout."""
    folder = tmp_path_factory.mktemp("heads")
    convert(GOLDEN / "hub-tiny", folder / "encoder")
    for name in HEADS:
        convert_head(GOLDEN / "downstream-heads" / name, folder / name, encoder=folder / "encoder")
    return folder


def as_batch(config, matrix, mask):
    """Return the rows of given residues as hidden states, with a frame of [CLS] and [SEP]."""
    rows, length, width = matrix.shape
    hidden = torch.full((rows, length + 2, width), 7.0)
    ids = torch.zeros(rows, length + 2, dtype=torch.long)
    for row, residues in enumerate(mask.sum(dim=1).int().tolist()):
        hidden[row, 1 : residues + 1] = matrix[row, :residues]
        ids[row, : residues + 2] = torch.tensor([2] + [10] * residues + [3])
    batch = SequenceBatch.from_inputs(config, ids, keep_padding=True)
    return hidden, batch


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("zero_rows", [False, True])
def test_downstream_networks(converted_heads, name, zero_rows):
    pair = "pair" in name
    auto_class = AutoModelForPairClassification if pair else AutoModelForSequenceClassification
    model = auto_class.from_pretrained(
        converted_heads / name, pooling_zero_special_rows=zero_rows
    ).eval()
    expected = load_file(GOLDEN / "downstream-heads" / name / "expected.safetensors")
    features = []
    for side in ("_a", "_b") if pair else ("",):
        matrix, mask = expected[f"matrix{side}"], expected[f"mask{side}"]
        features += as_batch(model.config, matrix, mask)
    with torch.no_grad():
        logits = model.classify(*features)
    prefix = "zero_rows." if zero_rows else ""
    assert relative_l2(logits, expected[f"{prefix}logits"]) < GOLDEN_LIMIT
    probabilities = logits
    if model.config.problem_type == "single_label_classification":
        probabilities = logits.softmax(-1)
    elif model.config.problem_type == "multi_label_classification":
        probabilities = logits.sigmoid()
    assert relative_l2(probabilities, expected[f"{prefix}probabilities"]) < GOLDEN_LIMIT
    loss = classification_loss(model.config, logits, expected["labels"])
    assert loss.item() == pytest.approx(expected[f"{prefix}loss"].item(), rel=LOSS_LIMIT)
