# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The small encoder in front of a pooling; that it pads and packs is tested in test_packing."""

import copy

import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from peft import LoraConfig, get_peft_model
from torch.nn import functional as F

from modeling_lucaone import (
    LucaOneForPairClassification,
    LucaOneForSequenceClassification,
    LucaOnePackingCollator,
)
from modeling_lucaone.head_encoder import LucaOneHeadRotation, LucaOneSummary
from modeling_lucaone.modeling_lucaone import LucaOneRotaryEmbedding
from modeling_lucaone.packing import SequenceBatch
from modeling_lucaone.pooling import LucaOneClassifier
from tests.helpers import (
    GOLDEN_LIMIT,
    SAME_LIMIT,
    random_batch,
    relative_l2,
    tiny_config,
)

HEADS, SIZE = 2, 24
PROTEINS = {"lengths": (9, 17, 5), "proteins": (True, True, True)}


def encoder_config(**fields):
    encoder = {
        "classifier_encoder_layers": 2,
        "classifier_encoder_heads": HEADS,
        "classifier_encoder_size": SIZE,
    }
    return tiny_config(**(encoder | fields))


def make(model_class=LucaOneForSequenceClassification, **fields):
    """Return a model whose biases and norms are random too."""
    torch.manual_seed(3)
    model = model_class(encoder_config(**fields)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def packed(batch):
    return LucaOnePackingCollator()(
        [
            {name: batch[name][row][real] for name in ("input_ids", "token_type_ids")}
            for row, real in enumerate(batch["attention_mask"].bool())
        ]
    )


# --- what it computes -------------------------------------------------------------------------


def linear(weights, name, rows):
    return rows @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def norm(weights, name, rows):
    return F.layer_norm(
        rows, rows.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-5
    )


def turned(rows):
    """Turn the pairs (i, i + d / 2) of each head by position x 10000^(-2i / d)."""
    half = rows.shape[-1] // 2
    positions = torch.arange(len(rows), dtype=torch.float64)
    angles = positions[:, None, None] * 10000.0 ** (-torch.arange(half).double() / half)
    first, second = rows[..., :half], rows[..., half:]
    return torch.cat(
        (
            first * angles.cos() - second * angles.sin(),
            second * angles.cos() + first * angles.sin(),
        ),
        dim=-1,
    )


def plain_encoder(weights, rows):
    """Projection, two blocks with the norms in front, last norm (facts 6.1), one sequence."""
    rows = linear(weights, "projection", rows)
    for block in ("layers.0", "layers.1"):
        inside = norm(weights, f"{block}.pre_layer_norm", rows)
        query, key, value = (
            linear(weights, f"{block}.self_attn.{name}_proj", inside).view(len(rows), HEADS, -1)
            for name in "qkv"
        )
        scores = torch.einsum("qhd,khd->hqk", turned(query), turned(key)) / (SIZE // HEADS) ** 0.5
        mixed = torch.einsum("hqk,khd->qhd", scores.softmax(-1), value).flatten(1)
        rows = rows + linear(weights, f"{block}.self_attn.out_proj", mixed)
        wide = F.gelu(
            linear(weights, f"{block}.fc1", norm(weights, f"{block}.post_layer_norm", rows))
        )
        assert wide.shape[-1] == 4 * SIZE
        rows = rows + linear(weights, f"{block}.fc2", wide)
    return norm(weights, "last_layer_norm", rows)


@pytest.mark.parametrize("zero_rows", [False, True])
def test_is_the_published_one_on_residues(zero_rows):
    model = make(classifier_pooling="mean", pooling_zero_special_rows=zero_rows)
    weights = {name: t.double() for name, t in model.summary.encoder.state_dict().items()}
    inputs = random_batch()
    with torch.no_grad():
        batch, outputs = model._encode(*inputs.values())
        summaries = model.summary(outputs.last_hidden_state, batch)
        hidden = model.lucaone(**inputs).last_hidden_state.double()
        for row, real in enumerate(inputs["attention_mask"].bool()):
            residues = hidden[row][real][1:-1]
            if zero_rows:
                residues = F.pad(residues, (0, 0, 1, 1))
            expected = plain_encoder(weights, residues).mean(dim=0)
            assert relative_l2(summaries[row], expected) < GOLDEN_LIMIT


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("unpad_inputs", [True, False])
@pytest.mark.parametrize("pooling", ["mean", "max", "value_attention"])
def test_one_residue_and_none(pooling, unpad_inputs, attention):
    model = make(classifier_pooling=pooling, unpad_inputs=unpad_inputs)
    model.set_attn_implementation(attention)
    inputs = random_batch((3, 2, 9), (True, True, True))
    outputs = model(**inputs)
    alone = model(**{name: tensor[:1, :3] for name, tensor in inputs.items()}).logits
    assert relative_l2(outputs.logits[:1], alone) < SAME_LIMIT
    of_nothing = model.classifier(torch.zeros(1, SIZE))
    assert relative_l2(outputs.logits[1:2], of_nothing) < SAME_LIMIT
    empty = random_batch((2, 2), (True, True))
    for nothing in (empty, packed(empty)):
        assert relative_l2(model(**nothing).logits, of_nothing.expand(2, -1)) < SAME_LIMIT
    outputs.logits.sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("unpad_inputs", [True, False])
def test_sees_neither_cls_nor_sep(unpad_inputs):
    model = make(unpad_inputs=unpad_inputs)
    inputs = random_batch()
    with torch.no_grad():
        batch, outputs = model._encode(*inputs.values())
        hidden = outputs.last_hidden_state
        expected = model.summary(hidden, batch)
        special = batch.special_tokens().view(hidden.shape[:2])
        assert torch.equal(
            model.summary(hidden.masked_fill(special[..., None], 9.0), batch), expected
        )
        letter = (~special & batch.real_tokens().view(special.shape)).nonzero()[0]
        hidden[letter[0], letter[1]] = 9.0
        assert relative_l2(model.summary(hidden, batch), expected) > 1e-3


def test_frames_are_found_without_ids():
    model = make()
    inputs = random_batch()
    expected = model(**inputs).logits
    embeddings = model.get_input_embeddings()(inputs.pop("input_ids"))
    assert relative_l2(model(inputs_embeds=embeddings, **inputs).logits, expected) < SAME_LIMIT


def test_a_4_dimensional_mask():
    inputs = random_batch()
    inputs["attention_mask"] = torch.ones(3, 1, 17, 17, dtype=torch.bool)
    with pytest.raises(ValueError, match="4-dimensional attention_mask"):
        make()(**inputs)
    assert make(pooling_zero_special_rows=True)(**inputs).logits.shape == (3, 2)


@pytest.mark.parametrize(
    "rope",
    [
        {"rope_type": "default", "rope_theta": 500.0},
        {"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0},
        {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 10000.0},
    ],
)
@pytest.mark.parametrize("longest", [5, 40])
def test_rotations_are_those_of_the_configuration(rope, longest):
    config = tiny_config(rope_parameters=rope, max_position_embeddings=16)
    positions = torch.arange(longest)[None]
    hidden = torch.zeros(1, longest, 32)
    ours = LucaOneHeadRotation(config)(hidden, positions)
    expected = LucaOneRotaryEmbedding(config)(hidden, positions)
    assert all(torch.equal(a, b) for a, b in zip(ours, expected, strict=True))
    model = make(rope_parameters=rope)
    assert model.summary.encoder.config.rope_parameters == model.config.rope_parameters
    assert model(**random_batch()).logits.isfinite().all()


# --- pairs, and features of another width -----------------------------------------------------


def test_one_for_a_pair_of_one_kind_and_two_for_others():
    sides = {
        "a": random_batch(**PROTEINS, seed=1),
        "b": random_batch((4, 6, 21), (True, True, True), seed=2),
    }
    inputs = {f"{n}_{side}": t for side, batch in sides.items() for n, t in batch.items()}
    for kind, names in {"homogeneous": {"0"}, "heterogeneous": {"0", "1"}}.items():
        model = make(LucaOneForPairClassification, pair_kind=kind)
        found = {n.split(".")[1] for n in model.state_dict() if ".encoder.projection." in n}
        assert found == names
        model(**inputs).logits.sum().backward()
        for summary in model.summaries:
            assert all(p.grad is not None and p.grad.any() for p in summary.encoder.parameters())


@pytest.mark.parametrize("layers", [0, 1])
def test_features_of_another_width(layers):
    config = encoder_config(classifier_encoder_layers=layers)
    summary = LucaOneSummary(config, input_size=7)
    assert summary.output_size == (SIZE if layers else 7)
    classifier = LucaOneClassifier(config, summary.output_size)
    inputs = random_batch(**PROTEINS)
    batch = SequenceBatch.from_inputs(config, **inputs)
    hidden = torch.randn(*batch.position_ids.shape, 7)
    assert classifier(summary(hidden, batch)).shape == (3, 2)
    wide = LucaOneSummary(encoder_config(classifier_encoder_layers=layers, classifier_fc_size=5))
    assert wide.output_size == 5


def test_classify_is_the_part_behind_the_encoder():
    inputs = random_batch(**PROTEINS)
    model = make()
    batch, outputs = model._encode(*inputs.values())
    logits = model.classify(outputs.last_hidden_state, batch)
    assert torch.equal(logits, model(**inputs).logits)
    pair = make(LucaOneForPairClassification, pair_kind="heterogeneous")
    pair.lucaone.load_state_dict(model.lucaone.state_dict())
    hidden = outputs.last_hidden_state
    inputs = {f"{name}_{side}": tensor for side in "ab" for name, tensor in inputs.items()}
    assert torch.equal(pair.classify(hidden, batch, hidden, batch), pair(**inputs).logits)


# --- in the library ---------------------------------------------------------------------------


def test_attention_is_that_of_the_model():
    model = make()
    other = copy.deepcopy(model)
    for name in ("eager", "sdpa"):
        model.set_attn_implementation(name)
        assert model.summary.encoder.config._attn_implementation == name
    other.set_attn_implementation("eager")
    assert other.summary.encoder.config._attn_implementation == "eager"
    assert model.summary.encoder.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("unpad_inputs", [True, False])
def test_what_is_recorded_is_the_encoder_of_the_model(unpad_inputs):
    model = make(num_hidden_layers=3, unpad_inputs=unpad_inputs)
    model.set_attn_implementation("eager")
    inputs = random_batch()
    for _ in range(2):
        outputs = model(**inputs, output_hidden_states=True, output_attentions=True)
        assert [h.shape for h in outputs.hidden_states] == [(3, 17, 32)] * 4
        assert [a.shape for a in outputs.attentions] == [(3, 4, 17, 17)] * 3
        assert relative_l2(outputs.logits, model(**inputs).logits) < SAME_LIMIT


def test_checkpointing_changes_no_gradient():
    inputs, labels = random_batch(), torch.tensor([0, 1, 1])
    gradients = []
    for checkpointing in (False, True):
        model = make().train()
        if checkpointing:
            model.gradient_checkpointing_enable()
        model(**inputs, labels=labels).loss.backward()
        gradients.append({name: p.grad for name, p in model.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, msg=name)
    reached = {name for name, gradient in gradients[0].items() if gradient.any()}
    assert {"summary.encoder.projection.weight", "lucaone.encoder.layers.0.fc1.weight"} < reached


def test_dropout_of_its_attention():
    model = make(classifier_dropout=0.9).train()
    model.classifier.dropout.p = 0.0
    inputs = random_batch()
    assert not torch.equal(model(**inputs).logits, model(**inputs).logits)
    model.summary.eval()
    assert torch.equal(model(**inputs).logits, model(**inputs).logits)


@pytest.mark.parametrize("zero_rows", [False, True])
def test_compiles_in_one_graph(zero_rows):
    torch._dynamo.reset()
    model = make(pooling_zero_special_rows=zero_rows)
    compiled = torch.compile(model, fullgraph=True, dynamic=True, backend="eager")
    for lengths in ((9, 17, 5), (30, 3, 12)):
        inputs = random_batch(lengths)
        with torch.no_grad():
            assert relative_l2(compiled(**inputs).logits, model(**inputs).logits) < SAME_LIMIT
    row = packed(random_batch())
    if zero_rows:
        with torch.no_grad():
            assert relative_l2(compiled(**row).logits, model(**row).logits) < SAME_LIMIT
    else:
        with pytest.raises(Exception, match="out of a packed row under compilation"):
            compiled(**row)


def test_exports_with_dynamic_shapes():
    model, inputs = make(), random_batch()
    rows, length = torch.export.Dim("rows", min=1), torch.export.Dim("length", min=4, max=4096)
    program = torch.export.export(
        model, (), inputs, dynamic_shapes={name: {0: rows, 1: length} for name in inputs}
    )
    other = random_batch((30, 12), (False, True))
    with torch.no_grad():
        assert relative_l2(program.module()(**other).logits, model(**other).logits) < SAME_LIMIT


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_saved_and_loaded(dtype, tmp_path):
    model = make(pooling_zero_special_rows=True).to(dtype)
    assert not [name for name in model.state_dict() if "summary" in name and "rot_emb" in name]
    model.save_pretrained(tmp_path)
    again, report = LucaOneForSequenceClassification.from_pretrained(
        tmp_path, output_loading_info=True, dtype=dtype
    )
    assert not any(report.values())
    assert again.config.to_dict().keys() == model.config.to_dict().keys()
    assert torch.equal(again(**random_batch()).logits, model(**random_batch()).logits)


def test_fresh_weights_are_the_published_ones():
    model = LucaOneForSequenceClassification(encoder_config(classifier_encoder_size=256))
    for name, parameter in model.summary.encoder.named_parameters():
        if "norm" in name:
            assert parameter.eq(0.0 if name.endswith("bias") else 1.0).all()
        elif name.endswith("bias"):
            assert not parameter.any()
        else:
            assert parameter.std().item() == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize("targets", [["q_proj", "v_proj"], "all-linear"])
def test_lora_adapts_the_blocks_and_trains_the_head_whole(targets):
    model = make()
    inputs = random_batch()
    expected = model(**inputs).logits
    settings = LoraConfig(
        task_type="SEQ_CLS", target_modules=targets, modules_to_save=["summary", "classifier"]
    )
    adapted = get_peft_model(model, settings).eval()
    names = [name for name, _ in adapted.named_parameters() if ".lora_" in name]
    assert names and all(".lucaone.encoder.layers." in name for name in names)
    of_head = {
        name: parameter.requires_grad
        for name, parameter in adapted.named_parameters()
        if ".summary.modules_to_save." in name
    }
    assert len(of_head) > 30 and all(of_head.values())
    assert torch.equal(adapted(**inputs).logits, expected)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"classifier_encoder_layers": -1}, "classifier_encoder_layers is -1, below 0"),
        ({"classifier_encoder_size": 26}, "26 does not divide into 4 attention heads"),
        ({"classifier_encoder_heads": 0}, "does not divide into 0 attention heads"),
        ({"classifier_pooling": "cls"}, "leaves no row to 'cls' pooling"),
    ],
)
def test_settings_that_describe_no_encoder(fields, message):
    with pytest.raises(StrictDataclassError) as error:
        encoder_config(**({"classifier_encoder_heads": 4} | fields))
    assert message in str(error.value.__cause__)
