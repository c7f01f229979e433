# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Packed, padded and alone give the same numbers; contradictions are errors."""

import pytest
import torch

from modeling_lucaone import (
    LucaOneForMaskedLM,
    LucaOneForPairClassification,
    LucaOneForPreTraining,
    LucaOneForSequenceClassification,
    LucaOneForTokenClassification,
    LucaOneModel,
    LucaOnePackingCollator,
)
from tests.helpers import BF16_LIMIT, SAME_LIMIT, TASKS, random_batch, relative_l2, tiny_config

PACKING = ("cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k")
# FlexAttention on a CPU is compiled first, which takes a minute.
BACK_ENDS = ("eager", "sdpa", pytest.param("flex_attention", marks=pytest.mark.slow))
# Wide enough that no single rounding decides how close bf16 comes.
WIDE = {"hidden_size": 128}
POOLINGS = ("mean", "max", "cls", "value_attention")
ENCODER = {
    "classifier_encoder_layers": 1,
    "classifier_encoder_heads": 4,
    "classifier_encoder_size": 64,
}
SINGLE = [
    (LucaOneModel, {}),
    (LucaOneForMaskedLM, {}),
    (LucaOneForTokenClassification, {"num_labels": 32}),
    (LucaOneForPreTraining, {"pretraining_tasks": TASKS}),
    *[
        (LucaOneForSequenceClassification, {"classifier_pooling": p, "num_labels": 32})
        for p in POOLINGS
    ],
    (
        LucaOneForSequenceClassification,
        {"pooling_zero_special_rows": True, "num_labels": 32, "classifier_fc_size": 8},
    ),
    *[
        (
            LucaOneForSequenceClassification,
            {"pooling_zero_special_rows": zeros, "num_labels": 32} | ENCODER,
        )
        for zeros in (False, True)
    ],
]
NAMES = [f"{c.__name__[7:]}-{'-'.join(map(str, o.values()))[:20]}" for c, o in SINGLE]


def make(
    model_class, options, attention="sdpa", dtype=torch.float32, requires_grad=False, **fields
):
    torch.manual_seed(3)
    model = model_class(tiny_config(**options, **fields))
    model.set_attn_implementation(attention)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return model.to(dtype).eval().requires_grad_(requires_grad)


def records(batch):
    """Return the rows of a padded batch as records without padding."""
    return [
        {name: batch[name][row][real] for name in ("input_ids", "token_type_ids")}
        for row, real in enumerate(batch["attention_mask"].bool())
    ]


def flat(outputs):
    """Return every result of a model by name, those of the pre-training tasks apart."""
    found = {}
    for name, value in outputs.items():
        if isinstance(value, dict):
            found |= {f"{name}.{task}": tensor for task, tensor in value.items()}
        else:
            found[name] = value
    return found


def by_record(outputs, lengths, rows_are_records, real=None):
    """Return every result as one vector, record after record, without padding."""
    results = {}
    for name, tensor in flat(outputs).items():
        level = TASKS.get(name.split(".")[-1], {}).get("level")
        per_token = level != "sequence" and tensor.dim() == 3
        if per_token and rows_are_records:
            tensor = tensor[real]
        assert len(tensor.flatten(0, 1 if tensor.dim() == 3 else 0)) == (
            sum(lengths) if per_token else len(lengths)
        )
        results[name] = tensor.flatten()
    return results


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("attention", BACK_ENDS)
@pytest.mark.parametrize(("model_class", "options"), SINGLE, ids=NAMES)
def test_packed_padded_and_alone(model_class, options, attention, dtype):
    lengths, proteins = (9, 17, 5, 12), (True, False, True, False)
    options = options | WIDE
    right = random_batch(lengths, proteins)
    left = random_batch(lengths, proteins, left=True)
    single = records(right)
    model = make(model_class, options, attention, dtype)
    kept = make(model_class, options, attention, dtype, unpad_inputs=False)
    alone = [
        by_record(make(model_class, options)(**{n: t[None] for n, t in r.items()}), [n], False)
        for r, n in zip(single, lengths, strict=True)
    ]
    ways = {
        "packed": by_record(model(**LucaOnePackingCollator()(single)), lengths, False),
    }
    for side, batch in {"right": right, "left": left}.items():
        real = batch["attention_mask"].bool()
        ways[f"unpadded {side}"] = by_record(model(**batch), lengths, True, real)
        ways[f"padded {side}"] = by_record(kept(**batch), lengths, True, real)
    limit = SAME_LIMIT if dtype == torch.float32 else BF16_LIMIT
    for way, results in ways.items():
        assert results.keys() == alone[0].keys()
        for name, result in results.items():
            expected = torch.cat([record[name] for record in alone])
            assert relative_l2(result, expected) < limit, (way, name)


@pytest.mark.parametrize("kind", ["homogeneous", "heterogeneous"])
@pytest.mark.parametrize("pooling", [*POOLINGS, "encoder"])
@pytest.mark.parametrize("attention", BACK_ENDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_packed_padded_and_alone_for_pairs(kind, pooling, attention, dtype):
    before = ENCODER if pooling == "encoder" else {"classifier_pooling": pooling}
    options = {"pair_kind": kind, "num_labels": 32} | before | WIDE
    model = make(LucaOneForPairClassification, options, attention, dtype)
    kept = make(LucaOneForPairClassification, options, attention, dtype, unpad_inputs=False)
    sides = {
        "a": random_batch((9, 17, 5), (False, False, False), seed=1),
        "b": random_batch((4, 6, 21), (True, True, True), seed=2),
    }
    padded = {f"{n}_{side}": t for side, batch in sides.items() for n, t in batch.items()}
    pairs = [
        {
            f"{n}_{side}": t
            for side, record in zip("ab", pair, strict=True)
            for n, t in record.items()
        }
        for pair in zip(records(sides["a"]), records(sides["b"]), strict=True)
    ]
    limit = SAME_LIMIT if dtype == torch.float32 else BF16_LIMIT
    plain = make(LucaOneForPairClassification, options)
    alone = torch.cat([plain(**{n: t[None] for n, t in pair.items()}).logits for pair in pairs])
    packed = LucaOnePackingCollator()(pairs)
    assert relative_l2(model(**packed).logits, alone) < limit
    assert relative_l2(model(**padded).logits, alone) < limit
    assert relative_l2(kept(**padded).logits, alone) < limit


@pytest.mark.parametrize(("model_class", "options"), SINGLE, ids=NAMES)
def test_gradients_do_not_depend_on_padding(model_class, options):
    batch = random_batch(lengths=(9, 17, 5))
    generator = torch.Generator().manual_seed(1)
    gradients = []
    for unpad_inputs in (True, False):
        model = make(model_class, options, requires_grad=True, unpad_inputs=unpad_inputs)
        outputs = flat(model(**batch))
        generator.manual_seed(1)
        total = 0.0
        for name, tensor in outputs.items():
            weight = torch.randn(tensor.shape, generator=generator)
            if tensor.dim() == 3 and tensor.shape[:2] == batch["input_ids"].shape:
                weight = weight * batch["attention_mask"][..., None]
            assert name
            total = total + (weight * tensor).sum()
        total.backward()
        gradients.append([p.grad for p in model.parameters() if p.grad is not None])
    assert len(gradients[0]) == len(gradients[1]) > 0
    for unpadded, padded in zip(*gradients, strict=True):
        if padded.norm() > 1e-4:
            assert relative_l2(unpadded, padded) < SAME_LIMIT


def test_linear_layers_see_real_tokens_only():
    model = make(LucaOneForSequenceClassification, {"num_labels": 2})
    batch = random_batch(lengths=(9, 40, 5))
    seen = []
    for module in model.modules():
        if isinstance(module, torch.nn.Linear | torch.nn.LayerNorm):
            module.register_forward_hook(lambda m, args, out: seen.append(args[0].shape[:-1]))
    model(**batch)
    of_tokens = [shape for shape in seen if len(shape) == 2]
    assert len(of_tokens) == 2 * 8 + 1
    assert set(of_tokens) == {(1, 54)}


def test_padding_is_found_from_input_ids():
    model = make(LucaOneModel, {})
    batch = random_batch()
    expected = model(**batch).last_hidden_state
    del batch["attention_mask"]
    assert torch.equal(model(**batch).last_hidden_state, expected)


def test_boundaries_come_from_restarting_positions():
    model = make(LucaOneModel, {})
    packed = LucaOnePackingCollator()(records(random_batch()))
    expected = model(**packed).last_hidden_state
    for name in PACKING:
        del packed[name]
    assert relative_l2(model(**packed).last_hidden_state, expected) == 0


def test_positions_for_all_rows_at_once():
    for pooling in POOLINGS:
        options = {"classifier_pooling": pooling}
        model = make(LucaOneForSequenceClassification, options, unpad_inputs=False)
        batch = random_batch()
        expected = model(**batch).logits
        assert torch.equal(model(**batch, position_ids=torch.arange(17)[None]).logits, expected)


def test_a_packed_row_without_positions():
    model = make(LucaOneModel, {})
    packed = LucaOnePackingCollator()(records(random_batch()))
    expected = model(**packed).last_hidden_state
    del packed["position_ids"]
    assert relative_l2(model(**packed).last_hidden_state, expected) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cu_seq_lens_k": torch.tensor([0, 8, 26, 31])}, "differ"),
        ({"cu_seq_lens_q": torch.tensor([0, 8, 26, 31])}, "differ"),
        (
            {f"cu_seq_lens_{x}": torch.tensor([0, 8, 26, 31]) for x in "qk"},
            "do not restart where cu_seq_lens",
        ),
        (
            {f"cu_seq_lens_{x}": torch.tensor([0, 9, 26, 30]) for x in "qk"},
            "must rise from 0 to the 31 tokens",
        ),
        (
            {f"cu_seq_lens_{x}": torch.tensor([0, 9, 9, 31]) for x in "qk"},
            "must rise from 0",
        ),
        ({"attention_mask": torch.tensor([[1] * 30 + [0]])}, "holds no padding"),
    ],
)
def test_contradictions_in_a_packed_row(change, message):
    model = make(LucaOneModel, {})
    packed = LucaOnePackingCollator()(records(random_batch())) | change
    with pytest.raises(ValueError, match=message):
        model(**packed)


def test_a_packed_batch_is_one_row():
    model = make(LucaOneModel, {})
    with pytest.raises(ValueError, match="one row"):
        model(**random_batch(), cu_seq_lens_q=torch.tensor([0, 17]))


def test_a_row_of_padding_only():
    model = make(LucaOneModel, {})
    batch = random_batch()
    batch["attention_mask"][1] = 0
    with pytest.raises(ValueError, match="row 1 of the batch holds no token"):
        model(**batch)


def test_pairs_of_different_numbers():
    model = make(LucaOneForPairClassification, {})
    a, b = random_batch(), random_batch(lengths=(4, 6), proteins=(True, True))
    inputs = {f"{n}_a": t for n, t in a.items()} | {f"{n}_b": t for n, t in b.items()}
    with pytest.raises(ValueError, match="3 first sequences but 2 second ones"):
        model(**inputs)


class TestMoleculeTypes:
    def test_are_inferred_per_sequence(self):
        model = make(LucaOneModel, {})
        batch = random_batch()
        expected = model(**batch).last_hidden_state
        del batch["token_type_ids"]
        assert torch.equal(model(**batch).last_hidden_state, expected)
        packed = LucaOnePackingCollator()(records(random_batch()))
        expected = model(**packed).last_hidden_state
        del packed["token_type_ids"]
        assert torch.equal(model(**packed).last_hidden_state, expected)

    def test_masked_letters_have_no_vote(self):
        model = make(LucaOneModel, {})
        ids = torch.tensor([[2, 5, 6, 3, 10, 11, 12], [2, 5, 6, 7, 8, 9, 3]])
        mask = torch.tensor([[1, 1, 1, 1, 0, 0, 0], [1] * 7])
        expected = model(ids, mask, token_type_ids=torch.zeros_like(ids)).last_hidden_state
        assert torch.equal(model(ids, mask).last_hidden_state, expected)

    def test_the_majority_decides(self):
        model = make(LucaOneModel, {})
        ids = torch.tensor([[2, 5, 6, 7, 10, 4, 3], [2, 10, 11, 12, 5, 36, 3]])
        types = torch.tensor([[0] * 7, [1] * 7])
        expected = model(ids, token_type_ids=types).last_hidden_state
        assert torch.equal(model(ids).last_hidden_state, expected)

    @pytest.mark.parametrize("ids", [[2, 4, 4, 3], [2, 36, 37, 3], [2, 5, 10, 3]])
    def test_are_never_guessed(self, ids):
        model = make(LucaOneModel, {})
        protein = [2, 10, 11, 3]
        with pytest.raises(ValueError, match=r"letters of sequence 1 of the batch"):
            model(torch.tensor([protein, ids]))

    def test_must_come_with_embeddings(self):
        model = make(LucaOneModel, {})
        batch = random_batch()
        embeddings = model.get_input_embeddings()(batch["input_ids"])
        inputs = {"inputs_embeds": embeddings, "attention_mask": batch["attention_mask"]}
        with pytest.raises(ValueError, match="token_type_ids are missing"):
            model(**inputs)
        result = model(**inputs, token_type_ids=batch["token_type_ids"]).last_hidden_state
        assert torch.equal(result, model(**batch).last_hidden_state)

    def test_ids_or_embeddings(self):
        model = make(LucaOneModel, {})
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model()
        ids = random_batch()["input_ids"]
        with pytest.raises(ValueError, match="either input_ids or inputs_embeds"):
            model(ids, inputs_embeds=model.get_input_embeddings()(ids))


def test_recorded_tensors_have_the_padded_shape():
    model = make(LucaOneModel, {}, attention="eager")
    batch = random_batch()
    outputs = model(**batch, output_hidden_states=True, output_attentions=True)
    assert [h.shape for h in outputs.hidden_states] == [(3, 17, 32)] * 3
    assert [a.shape for a in outputs.attentions] == [(3, 4, 17, 17)] * 2
    packed = LucaOnePackingCollator()(records(batch))
    outputs = model(**packed, output_hidden_states=True, output_attentions=True)
    assert [h.shape for h in outputs.hidden_states] == [(1, 31, 32)] * 3
    weights = outputs.attentions[0][0]
    assert weights.shape == (4, 31, 31)
    assert not weights[:, :9, 9:].any()
    plain = model(**packed).last_hidden_state
    assert relative_l2(outputs.last_hidden_state, plain) < SAME_LIMIT


def test_embeddings_pool_like_ids():
    model = make(LucaOneForSequenceClassification, {"classifier_pooling": "mean"})
    batch = random_batch()
    expected = model(**batch).logits
    embeddings = model.get_input_embeddings()(batch.pop("input_ids"))
    assert relative_l2(model(inputs_embeds=embeddings, **batch).logits, expected) < SAME_LIMIT
    kept = make(
        LucaOneForSequenceClassification, {"classifier_pooling": "mean"}, unpad_inputs=False
    )
    assert relative_l2(kept(inputs_embeds=embeddings, **batch).logits, expected) < SAME_LIMIT
