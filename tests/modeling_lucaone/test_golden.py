# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The published numbers, from the layout of the published Hub repositories.

The annotation heads and their losses, which only the original layout holds, are in
tests/hub_upload.
"""

import json

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForMaskedLM

from modeling_lucaone import (
    LucaOneConfig,
    LucaOneForPairClassification,
    LucaOneForSequenceClassification,
)
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
PROBLEMS = {
    "binary_class": "multi_label_classification",
    "multi_class": "single_label_classification",
    "regression": "regression",
}


def published_head(name: str, zero_rows: bool):
    """Return our model with a published head in it, and what the published code computed."""
    folder = GOLDEN / "downstream-heads" / name
    settings = json.loads((folder / "config.json").read_text())
    weights = torch.load(folder / "pytorch.pth", weights_only=True)
    pair = settings["network"] != "LucaBase"
    problem_type = PROBLEMS[settings["output_mode"]]
    config = LucaOneConfig(
        hidden_size=settings["embedding_size"],
        num_hidden_layers=1,
        num_attention_heads=4,
        num_labels=1 if settings["output_mode"] == "binary_class" else settings["num_labels"],
        problem_type=problem_type,
        classifier_pooling=settings["pooling"],
        classifier_fc_size=settings["fc_size"],
        classifier_hidden_size=weights["hidden_layer.weight"].shape[0],
        pos_weight=settings["pos_weight"],
        pair_kind="heterogeneous" if settings["network"] == "LucaPPI2" else "homogeneous",
        pooling_zero_special_rows=zero_rows,
    )
    summaries = {"": "summary."}
    if pair:
        summaries = {"": "summaries.0.", "_a": "summaries.0.", "_b": "summaries.1."}
    names = {"hidden_layer": "classifier.hidden", "classifier": "classifier.out_proj"}
    for side, summary in summaries.items():
        names |= {f"matrix_pooler{side}": f"{summary}pooling", f"linear{side}.0.0": f"{summary}fc"}
    state = {}
    for key, tensor in weights.items():
        module, parameter = key.rsplit(".", 1)
        if module in names:
            state[f"{names[module]}.{parameter}"] = tensor
    model = (LucaOneForPairClassification if pair else LucaOneForSequenceClassification)(config)
    left = model.load_state_dict(state, strict=False)
    assert not left.unexpected_keys
    assert all(key.startswith("lucaone.") for key in left.missing_keys)
    return model.eval(), pair, load_file(folder / "expected.safetensors")


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
def test_downstream_networks(name, zero_rows):
    model, pair, expected = published_head(name, zero_rows)
    sides = ("_a", "_b") if pair else ("",)
    summaries = []
    for number, side in enumerate(sides):
        hidden, batch = as_batch(model.config, expected[f"matrix{side}"], expected[f"mask{side}"])
        summary = model.summaries[-number] if pair else model.summary
        with torch.no_grad():
            summaries.append(summary(hidden, batch))
    with torch.no_grad():
        logits = model.classifier(torch.cat(summaries, dim=-1))
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
