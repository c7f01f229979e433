# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Records to one packed row, with every kind of label."""

import pytest
import torch

from modeling_lucaone import (
    LucaOneForMaskedLM,
    LucaOneForPreTraining,
    LucaOneForSequenceClassification,
    LucaOnePackingCollator,
)
from tests.helpers import LOSS_LIMIT, TASKS, tiny_config


def record(ids, **more):
    return {"input_ids": ids, "token_type_ids": [1] * len(ids), **more}


A, B = [2, 10, 11, 3], [2, 12, 13, 14, 3]


def test_one_row_with_its_boundaries():
    batch = LucaOnePackingCollator()([record(A), record(B)])
    assert batch["input_ids"].tolist() == [A + B]
    assert batch["token_type_ids"].tolist() == [[1] * 9]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 3, 0, 1, 2, 3, 4]]
    assert batch["cu_seq_lens_q"].tolist() == batch["cu_seq_lens_k"].tolist() == [0, 4, 9]
    assert batch["cu_seq_lens_q"].dtype == torch.int32
    assert batch["max_length_q"] == batch["max_length_k"] == 5
    assert "labels" not in batch


@pytest.mark.parametrize(
    ("labels", "shape", "dtype"),
    [
        (([0, 1, 2, 3], [4, 5, 6, 7, 8]), (1, 9), torch.int64),
        (([0.5] * 4, [0.5] * 5), (1, 9), torch.float32),
        (([[0.0] * 3] * 4, [[1.0] * 3] * 5), (1, 9, 3), torch.float32),
        ((1, 0), (2,), torch.int64),
        ((0.5, 2), (2,), torch.float32),
        (([1, 0, 0], [0, 1, 1]), (2, 3), torch.int64),
        (([1.0, 0.0], [0.0, 1.0]), (2, 2), torch.float32),
    ],
)
def test_labels_are_left_as_they_are(labels, shape, dtype):
    features = [record(ids, labels=label) for ids, label in zip((A, B), labels, strict=True)]
    packed = LucaOnePackingCollator()(features)["labels"]
    assert packed.shape == shape
    assert packed.dtype == dtype
    joined = [value for label in labels for value in (label if shape[0] == 1 else [label])]
    torch.testing.assert_close(
        packed[0] if shape[0] == 1 else packed, torch.tensor(joined).to(dtype)
    )


def test_labels_that_fit_both_levels():
    features = [record(A, labels=[0, 1, 0, 1]), record(A, labels=[1, 1, 0, 1])]
    with pytest.raises(ValueError, match="belong to tokens or to sequences"):
        LucaOnePackingCollator()(features)
    assert LucaOnePackingCollator("token")(features)["labels"].shape == (1, 8)
    assert LucaOnePackingCollator("sequence")(features)["labels"].shape == (2, 4)


def test_labels_by_task():
    features = [
        record(A, labels={"gene_type": [0] * 4, "prot_taxonomy": 3}),
        record(B, labels={"gene_type": [1] * 5, "prot_taxonomy": 4}),
    ]
    labels = LucaOnePackingCollator()(features)["labels"]
    assert labels["gene_type"].tolist() == [[0] * 4 + [1] * 5]
    assert labels["prot_taxonomy"].tolist() == [3, 4]


def test_pairs():
    pair = {
        "input_ids_a": A,
        "token_type_ids_a": [0] * 4,
        "input_ids_b": B,
        "token_type_ids_b": [1] * 5,
        "labels": 1,
    }
    batch = LucaOnePackingCollator()([pair, pair])
    assert batch["input_ids_a"].shape == (1, 8)
    assert batch["cu_seq_lens_q_b"].tolist() == [0, 5, 10]
    assert batch["labels"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([], "no records"),
        ([record(A), {"input_ids": B}], "record 1 has no token_type_ids"),
        ([record(A, labels=1), record(B)], "only some"),
    ],
)
def test_wrong_records(features, message):
    with pytest.raises(ValueError, match=message):
        LucaOnePackingCollator()(features)


def test_a_packed_batch_has_the_loss_of_its_records():
    torch.manual_seed(0)
    config = tiny_config(pretraining_tasks=TASKS, num_labels=3)
    features = [record(A), record(B)]
    label_sets = {
        LucaOneForMaskedLM: ([-100, 5, -100, -100], [-100, -100, 20, 7, -100]),
        LucaOneForSequenceClassification: (2, 0),
        LucaOneForPreTraining: (
            {"prot_taxonomy": 1, "gene_type": [0, 1, -100, 3]},
            {"prot_taxonomy": 6, "gene_type": [-100, 1, 2, 3, 3]},
        ),
    }
    for model_class, labels in label_sets.items():
        model = model_class(config).eval()
        labelled = [f | {"labels": x} for f, x in zip(features, labels, strict=True)]
        packed = model(**LucaOnePackingCollator()(labelled)).loss
        alone = torch.stack([model(**LucaOnePackingCollator()([f])).loss for f in labelled])
        weights = torch.tensor([1.0, 2.0] if model_class is LucaOneForMaskedLM else [1.0, 1.0])
        expected = (alone * weights).sum() / weights.sum()
        assert packed.item() == pytest.approx(expected.item(), rel=LOSS_LIMIT)
