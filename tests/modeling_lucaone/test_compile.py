# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""torch.compile in one graph with dynamic shapes, and torch.export."""

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
from tests.helpers import SAME_LIMIT, TASKS, random_batch, relative_l2, tiny_config

CLASSES = [
    LucaOneModel,
    LucaOneForMaskedLM,
    LucaOneForSequenceClassification,
    LucaOneForTokenClassification,
]
SHAPES = [((9, 17, 5), (True, False, True)), ((30, 12), (False, True)), ((8,) * 4, (True,) * 4)]


def first(outputs):
    return outputs.logits if "logits" in outputs else outputs.last_hidden_state


@pytest.mark.parametrize("backend", ["eager", pytest.param("inductor", marks=pytest.mark.slow)])
@pytest.mark.parametrize("model_class", CLASSES)
def test_one_graph_for_all_shapes(model_class, backend):
    torch._dynamo.reset()
    torch.manual_seed(0)
    model = model_class(tiny_config(num_labels=3)).eval()
    compiled = torch.compile(model, fullgraph=True, dynamic=True, backend=backend)
    for lengths, proteins in SHAPES:
        batch = random_batch(lengths, proteins)
        real = batch["attention_mask"].bool()
        with torch.no_grad():
            result, expected = first(compiled(**batch)), first(model(**batch))
        if result.dim() == 3:
            result, expected = result[real], expected[real]
        assert relative_l2(result, expected) < SAME_LIMIT


def test_the_other_heads_in_one_graph():
    torch._dynamo.reset()
    batch = random_batch()
    model = LucaOneForPreTraining(tiny_config(pretraining_tasks=TASKS)).eval()
    compiled = torch.compile(model, fullgraph=True, dynamic=True, backend="eager")
    labels = {"prot_taxonomy": torch.tensor([1, 2, 3]), "gene_type": batch["token_type_ids"]}
    with torch.no_grad():
        result, expected = (m(**batch, labels=labels) for m in (compiled, model))
    assert result.loss.item() == pytest.approx(expected.loss.item(), rel=1e-5)
    pair = {f"{name}_{side}": t for side in "ab" for name, t in batch.items()}
    model = LucaOneForPairClassification(tiny_config()).eval()
    compiled = torch.compile(model, fullgraph=True, dynamic=True, backend="eager")
    with torch.no_grad():
        assert relative_l2(compiled(**pair).logits, model(**pair).logits) < SAME_LIMIT


def packed_rows():
    for lengths, proteins in SHAPES:
        batch = random_batch(lengths, proteins)
        yield LucaOnePackingCollator()(
            [
                {name: batch[name][row][real] for name in ("input_ids", "token_type_ids")}
                for row, real in enumerate(batch["attention_mask"].bool())
            ]
        )


@pytest.mark.parametrize("model_class", CLASSES)
def test_packed_rows_in_one_graph(model_class):
    torch._dynamo.reset()
    torch.manual_seed(0)
    model = model_class(tiny_config(num_labels=3)).eval()
    compiled = torch.compile(model, fullgraph=True, dynamic=True, backend="eager")
    for packed in packed_rows():
        with torch.no_grad():
            assert relative_l2(first(compiled(**packed)), first(model(**packed))) < SAME_LIMIT


def test_what_needs_values_must_be_given():
    torch._dynamo.reset()
    model = torch.compile(LucaOneModel(tiny_config()), fullgraph=True, backend="eager")
    batch = random_batch()
    del batch["token_type_ids"]
    with pytest.raises(Exception, match="token_type_ids are missing"):
        model(**batch)
    packed = next(packed_rows())
    for name in ("cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k"):
        del packed[name]
    with pytest.raises(Exception, match="needs cu_seq_lens"):
        model(**packed)


def test_export_with_dynamic_shapes():
    model = LucaOneForSequenceClassification(tiny_config(num_labels=3)).eval()
    batch = random_batch()
    rows, length = torch.export.Dim("rows", min=1), torch.export.Dim("length", min=4, max=4096)
    program = torch.export.export(
        model, (), batch, dynamic_shapes={name: {0: rows, 1: length} for name in batch}
    )
    other = random_batch((30, 12), (False, True))
    result = program.module()(**other)
    with torch.no_grad():
        assert relative_l2(result.logits, model(**other).logits) < SAME_LIMIT
