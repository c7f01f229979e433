# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Poolings against plain ones; losses against PyTorch's, one record at a time."""

import pytest
import torch
from torch.nn import functional as F

from modeling_lucaone import LucaOneForPreTraining, LucaOneForTokenClassification
from modeling_lucaone.losses import classification_loss, pretraining_loss
from modeling_lucaone.packing import SequenceBatch
from modeling_lucaone.pooling import LucaOnePooling
from tests.helpers import LOSS_LIMIT, SAME_LIMIT, TASKS, random_batch, relative_l2, tiny_config


def plain_pooling(pooling, residues, frame):
    """Pool the residues of one sequence."""
    if pooling.zero_special_rows:
        residues = torch.cat((torch.zeros(1, residues.shape[1]), residues, torch.zeros(1, 32)))
    if pooling.kind == "cls":
        return frame
    if pooling.kind == "mean":
        return residues.mean(dim=0)
    if pooling.kind == "max":
        return residues.max(dim=0).values
    scores = torch.tanh(residues @ pooling.U + residues @ pooling.V) @ pooling.W
    return (scores.softmax(dim=0) * residues).sum(dim=0)


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("zero_rows", [False, True])
@pytest.mark.parametrize("kind", ["mean", "max", "cls", "value_attention"])
def test_poolings(kind, zero_rows, left):
    torch.manual_seed(0)
    pooling = LucaOnePooling(kind, 32, zero_rows)
    for parameter in pooling.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    inputs = random_batch(left=left)
    batch = SequenceBatch.from_inputs(tiny_config(), **inputs, keep_padding=True)
    hidden = torch.randn(*inputs["input_ids"].shape, 32)
    pooled = pooling(hidden, batch)
    for row, real in enumerate(inputs["attention_mask"].bool()):
        tokens = hidden[row][real]
        expected = plain_pooling(pooling, tokens[1:-1], tokens[0])
        assert relative_l2(pooled[row], expected) < SAME_LIMIT


@pytest.mark.parametrize("kind", ["mean", "max", "value_attention"])
def test_a_sequence_without_residues_is_pooled_to_zeros(kind):
    pooling = LucaOnePooling(kind, 32)
    for parameter in pooling.parameters():
        torch.nn.init.normal_(parameter)
    ids = torch.tensor([[2, 10, 3], [2, 3, 0]])
    batch = SequenceBatch.from_inputs(tiny_config(), ids, token_type_ids=torch.ones_like(ids))
    hidden = torch.randn(1, 5, 32, requires_grad=True)
    pooled = pooling(hidden, batch)
    assert not pooled[1].any()
    pooled.sum().backward()
    assert hidden.grad.isfinite().all()


def config_of(problem_type, num_labels, **fields):
    return tiny_config(problem_type=problem_type, num_labels=num_labels, **fields)


class TestClassificationLoss:
    def test_classes_with_weights(self):
        weights = [2.0, 50.0, 1.0]
        config = config_of("single_label_classification", 3, class_weights=weights)
        logits, labels = torch.randn(5, 3), torch.tensor([0, 2, 1, -100, 2])
        expected = F.cross_entropy(logits, labels, torch.tensor(weights))
        torch.testing.assert_close(classification_loss(config, logits, labels), expected)

    def test_several_labels_with_weights_of_the_positives(self):
        config = config_of("multi_label_classification", 3, pos_weight=[2.0, 1.0, 4.0])
        logits, labels = torch.randn(5, 3), torch.randint(0, 2, (5, 3))
        expected = F.binary_cross_entropy_with_logits(
            logits, labels.float(), pos_weight=torch.tensor([2.0, 1.0, 4.0])
        )
        torch.testing.assert_close(classification_loss(config, logits, labels), expected)

    def test_one_label_is_the_published_binary_classifier(self):
        config = config_of("multi_label_classification", 1, pos_weight=2.0)
        logits, labels = torch.randn(5, 1), torch.tensor([0, 1, 1, 0, 1])
        expected = F.binary_cross_entropy_with_logits(
            logits[:, 0], labels.float(), pos_weight=torch.tensor(2.0)
        )
        torch.testing.assert_close(classification_loss(config, logits, labels), expected)

    def test_regression_of_labelled_values_only(self):
        config = config_of("regression", 1)
        logits, labels = torch.randn(4, 1), torch.tensor([0.5, -100.0, 2.0, 1.0])
        expected = F.mse_loss(logits[[0, 2, 3], 0], labels[[0, 2, 3]])
        torch.testing.assert_close(classification_loss(config, logits, labels), expected)

    @pytest.mark.parametrize(
        ("num_labels", "labels", "expected"),
        [
            (1, torch.ones(4), "regression"),
            (3, torch.ones(4, dtype=torch.long), "single_label_classification"),
            (3, torch.ones(4, 3), "multi_label_classification"),
        ],
    )
    def test_the_labels_tell_the_problem(self, num_labels, labels, expected):
        logits = torch.randn(4, num_labels)
        open_type = classification_loss(config_of(None, num_labels), logits, labels)
        stated = classification_loss(config_of(expected, num_labels), logits, labels)
        assert torch.equal(open_type, stated)

    @pytest.mark.parametrize("kind", ["single_label", "multi_label"])
    def test_nothing_labelled_is_no_loss(self, kind):
        config = config_of(f"{kind}_classification", 3)
        shape = (4,) if kind == "single_label" else (4, 3)
        logits = torch.randn(4, 3, requires_grad=True)
        loss = classification_loss(config, logits, torch.full(shape, -100))
        loss.backward()
        assert loss.item() == 0
        assert not logits.grad.any()

    @pytest.mark.parametrize("kind", ["single_label_classification", "regression"])
    def test_labels_of_another_shape(self, kind):
        with pytest.raises(ValueError, match=r"labels \(5, 2\) for logits \(4, 2\)"):
            classification_loss(config_of(kind, 2), torch.randn(4, 2), torch.ones(5, 2).long())

    def test_every_problem_type_of_tokens(self):
        batch = random_batch()
        shape = batch["input_ids"].shape
        labels = {
            "single_label_classification": torch.randint(0, 3, shape),
            "multi_label_classification": torch.randint(0, 2, (*shape, 3)),
            "regression": torch.randn(*shape, 3),
        }
        for kind, label in labels.items():
            label[batch["attention_mask"] == 0] = -100
            model = LucaOneForTokenClassification(config_of(kind, 3)).eval()
            outputs = model(**batch, labels=label)
            real = batch["attention_mask"].bool()
            expected = classification_loss(model.config, outputs.logits[real], label[real])
            torch.testing.assert_close(outputs.loss, expected)


class TestPretrainingLosses:
    def labels(self, batch):
        rows, length = batch["input_ids"].shape
        generator = torch.Generator().manual_seed(5)

        def some(*shape, high):
            labels = torch.randint(0, high, shape, generator=generator)
            return labels.masked_fill(torch.rand(shape, generator=generator) < 0.5, -100)

        labels = {
            "gene_mask": some(rows, length, high=39),
            "gene_type": torch.full((rows, length), -100),
            "prot_taxonomy": torch.tensor([[3], [-100], [5]]),
            "prot_keyword": some(rows, 10, high=2),
            "prot_structure": torch.rand(rows, length, 3, generator=generator),
        }
        labels["prot_structure"][1] = -100.0
        labels["prot_structure"][0, 3] = -100.0
        padding = batch["attention_mask"] == 0
        for task in ("gene_mask", "prot_structure"):
            labels[task][padding] = -100
        return labels

    def test_mean_over_records_of_their_means(self):
        torch.manual_seed(0)
        model = LucaOneForPreTraining(tiny_config(pretraining_tasks=TASKS)).eval()
        batch = random_batch()
        labels = self.labels(batch)
        outputs = model(**batch, labels=labels)
        functions = {
            "single_label_classification": F.cross_entropy,
            "multi_label_classification": F.binary_cross_entropy_with_logits,
            "regression": F.l1_loss,
        }
        for task, label in labels.items():
            means = []
            for row in range(3):
                logits, target = outputs.logits[task][row], label[row]
                if TASKS[task]["level"] == "sequence" and target.dim() == 1 and len(target) == 1:
                    logits, target = logits[None], target
                valid = target != -100
                if not valid.any():
                    continue
                kind = TASKS[task]["problem_type"]
                if kind == "single_label_classification":
                    logits, target = logits[valid], target[valid]
                else:
                    logits, target = logits[valid], target[valid].float()
                means.append(functions[kind](logits, target))
            expected = torch.stack(means).mean() if means else torch.tensor(0.0)
            assert outputs.losses[task].item() == pytest.approx(expected.item(), rel=LOSS_LIMIT)
        total = sum(TASKS[task]["weight"] * loss for task, loss in outputs.losses.items())
        assert outputs.loss.item() == pytest.approx(total.item(), rel=LOSS_LIMIT)

    def test_only_labelled_tasks_run(self):
        model = LucaOneForPreTraining(tiny_config(pretraining_tasks=TASKS))
        batch = random_batch()
        outputs = model(**batch, labels={"prot_taxonomy": torch.tensor([1, 2, 3])})
        assert list(outputs.logits) == list(outputs.losses) == ["prot_taxonomy"]
        assert list(model(**batch).logits) == list(TASKS)

    def test_an_unknown_task(self):
        model = LucaOneForPreTraining(tiny_config(pretraining_tasks=TASKS))
        with pytest.raises(ValueError, match="unknown task 'gene_trans'"):
            model(**random_batch(), labels={"gene_trans": torch.zeros(3)})

    def test_nothing_labelled_is_no_loss(self):
        logits = torch.randn(4, 3, requires_grad=True)
        labels = torch.full((4,), -100)
        index = torch.tensor([0, 0, 1, 1])
        loss = pretraining_loss("single_label_classification", logits, labels, index, 2)
        loss.backward()
        assert loss.item() == 0
        assert not logits.grad.any()
