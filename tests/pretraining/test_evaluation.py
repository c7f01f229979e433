# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Scores: those of the records one by one, whatever the batches and the processes."""

import math

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from modeling_lucaone.packing import IGNORE
from pretraining.corpus import Rows, find_groups, find_shards
from pretraining.data.records import KEYWORD_TASK, MASK_TASKS, STRUCTURE_TASK, TASKS, LabelledRecord
from pretraining.evaluation import ConstantModel, Evaluation, Scores
from pretraining.steps import Source
from pretraining.survey import constant_logits, look_through

from .helpers import (
    NUM_LABELS,
    packer,
    random_records,
    rows_of,
    tiny_model,
    tiny_recipe,
    tiny_tasks,
    write_folder,
)

GENES, PROTEINS = 7, 17


@pytest.fixture(scope="module")
def records():
    return random_records(GENES, PROTEINS, seed=4)


@pytest.fixture(scope="module")
def groups(records, tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("shards"), records)
    return find_groups(find_shards([folder]))


@pytest.fixture(scope="module")
def constant(groups):
    survey = look_through(groups, NUM_LABELS)
    return constant_logits(survey, tiny_tasks(), packer().make.tokens)


def unchanged(inputs):
    return inputs


def score(model, groups, tokens_per_batch=100, processes=1, **options):
    """Return the scores over all processes."""
    total = Scores(tiny_tasks())
    for process in range(processes):
        evaluation = Evaluation(groups, packer(), **options)
        part = evaluation.score(model, unchanged, tokens_per_batch, process, processes)
        total.all += part.all
    return total


def labels_of(records):
    """Return the labels of each record, masked as in the evaluation."""
    found = []
    for seq_type in ("gene", "prot"):
        rows = rows_of([record for record in records if record.seq_type == seq_type])
        for i in range(len(rows)):
            labels = packer()([Source(seq_type, i, rows, i)])["inputs"]["labels"]
            found.append({task: one[0].numpy() for task, one in labels.items()})
    return found


def by_hand(task, logits, labels):
    """Return the loss of a record where the same is said everywhere, None without labels."""
    if task == STRUCTURE_TASK:
        known = labels[(labels != IGNORE).all(axis=-1)]
        return np.abs(known - logits).mean() if len(known) else None
    if task == KEYWORD_TASK:
        known = labels != IGNORE
        losses = np.where(labels > 0, np.logaddexp(0, -logits), np.logaddexp(0, logits))
        return losses[known].mean() if known.any() else None
    known = labels[labels != IGNORE].ravel()
    return -log_softmax(logits)[known].mean() if len(known) else None


def test_a_model_that_says_always_the_same(records, groups, constant):
    """Its losses and accuracies are those worked out by hand."""
    metrics = score(ConstantModel(tiny_tasks(), constant), groups).metrics()
    labels = labels_of(records)
    for task in TASKS:
        row = constant[task]
        losses = [by_hand(task, row, one[task]) for one in labels]
        expected = np.mean([loss for loss in losses if loss is not None])
        assert metrics[f"{task}_loss"] == pytest.approx(expected, rel=1e-5)
        known = np.concatenate([one[task][one[task] != IGNORE].ravel() for one in labels])
        if task == KEYWORD_TASK:
            proteins = np.stack([one[task] for one in labels if (one[task] != IGNORE).all()])
            right = ((row > 0) == (proteins > 0)).mean()
        elif task != STRUCTURE_TASK:
            right = (known == row.argmax()).mean()
        else:
            assert f"{task}_accuracy" not in metrics
            continue
        assert metrics[f"{task}_accuracy"] == pytest.approx(right)


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("tokens_per_batch", [1, 100, 10_000])
def test_batches_and_processes_do_not_matter(records, groups, tokens_per_batch, processes):
    model = tiny_model()
    expected = score(model, groups, 10_000)
    found = score(model, groups, tokens_per_batch, processes)
    # Records and answers are whole numbers, and so are the right ones.
    assert torch.equal(found.all[:, 1:], expected.all[:, 1:])
    torch.testing.assert_close(found.all, expected.all, rtol=1e-5, atol=1e-6)
    counted = {task: int(sums[1]) for task, sums in found.sums.items()}
    assert counted["gene_mask"] == GENES
    assert counted["prot_mask"] == PROTEINS
    labels = labels_of(records)
    assert counted == {task: sum((one[task] != IGNORE).any() for one in labels) for task in TASKS}


def test_a_model_is_judged_record_by_record(records, groups):
    model = tiny_model()
    metrics = score(model, groups).metrics()
    labels = labels_of(records)
    losses, right = {task: [] for task in TASKS}, {task: [] for task in TASKS}
    for seq_type in ("gene", "prot"):
        rows = rows_of([record for record in records if record.seq_type == seq_type])
        for i in range(len(rows)):
            inputs = packer()([Source(seq_type, i, rows, i)])["inputs"]
            with torch.no_grad():
                output = model(**inputs)
            for task, targets in inputs["labels"].items():
                if not (known := targets != IGNORE).any():
                    continue
                losses[task].append(output.losses[task].item())
                if task in (KEYWORD_TASK, STRUCTURE_TASK):
                    continue
                hits = output.logits[task].argmax(-1)[known] == targets[known]
                right[task] += hits.tolist()
    assert len(labels) == GENES + PROTEINS
    for task in TASKS:
        assert metrics[f"{task}_loss"] == pytest.approx(np.mean(losses[task]), rel=1e-5)
        if right[task]:
            assert metrics[f"{task}_accuracy"] == pytest.approx(np.mean(right[task]))
    weights = {task: settings["weight"] for task, settings in tiny_tasks().items()}
    total = sum(weights[task] * metrics[f"{task}_loss"] for task in TASKS)
    assert metrics["loss"] == pytest.approx(total)
    for task in MASK_TASKS:
        assert metrics[f"{task[:4]}_perplexity"] == pytest.approx(math.exp(metrics[f"{task}_loss"]))


@pytest.mark.parametrize(("limit", "genes", "proteins"), [(1, 1, 1), (7, 7, 7), (9, 7, 9)])
@pytest.mark.parametrize("processes", [1, 3])
def test_a_limit_of_records_is_one_for_each_molecule(
    groups, constant, limit, genes, proteins, processes
):
    model = ConstantModel(tiny_tasks(), constant)
    scores = score(model, groups, processes=processes, records=limit)
    assert int(scores.sums["gene_mask"][1]) == genes
    assert int(scores.sums["prot_mask"][1]) == proteins


def test_a_limit_takes_records_from_all_over(groups, constant, monkeypatch):
    """For shards are often sorted, by species say; those without a chosen record are not read."""
    read = []

    def counted(cls, group, original=Rows.read.__func__):
        read.append(group.file.name)
        return original(cls, group)

    monkeypatch.setattr(Rows, "read", classmethod(counted))
    score(ConstantModel(tiny_tasks(), constant), groups, records=2)
    last = {name: found[-1].file.name for name, found in groups.items()}
    assert read == ["gene-00000.parquet", last["gene"], "prot-00000.parquet", last["prot"]]


@pytest.mark.parametrize("processes", [2, 3])
def test_all_processes_take_as_many_batches(groups, processes):
    """Gradients are not exchanged, but sharded weights are."""
    evaluation = Evaluation(groups, packer())
    counts = {len(list(evaluation.batches(60, i, processes))) for i in range(processes)}
    assert len(counts) == 1


def test_the_masks_are_always_the_same(groups):
    evaluation = Evaluation(groups, packer())
    first, again = list(evaluation.batches(100)), list(evaluation.batches(100))
    for one, other in zip(first, again, strict=True):
        assert torch.equal(one["inputs"]["input_ids"], other["inputs"]["input_ids"])


def test_a_task_without_labels_has_no_score(tmp_path, constant):
    folder = write_folder(tmp_path, [LabelledRecord("g", "gene", "ACGTACGT")])
    groups = find_groups(find_shards([folder]))
    metrics = score(ConstantModel(tiny_tasks(), constant), groups).metrics()
    assert metrics.keys() == {"loss", "gene_mask_loss", "gene_mask_accuracy", "gene_perplexity"}
    assert metrics["loss"] == metrics["gene_mask_loss"]


def test_a_hopeless_perplexity_is_a_number_all_the_same():
    scores = Scores(tiny_tasks())
    scores.sums["gene_mask"] += torch.tensor([5e3, 1.0, 0.0, 1.0])
    assert math.isfinite(scores.metrics()["gene_perplexity"])


def test_only_present_keywords_have_a_loss_where_the_recipe_says_so(groups, constant, records):
    evaluation = Evaluation(groups, packer(tiny_recipe(keyword_negatives=False)))
    scores = evaluation.score(ConstantModel(tiny_tasks(), constant), unchanged, 100)
    row = constant[KEYWORD_TASK]
    losses = [np.logaddexp(0, -row[one.keywords]).mean() for one in records if len(one.keywords)]
    assert scores.metrics()["prot_keyword_loss"] == pytest.approx(np.mean(losses), rel=1e-5)


def test_a_constant_model_answers_as_the_model_does(groups, constant):
    """The same shapes, and losses of the same tasks."""
    (batch, *_) = Evaluation(groups, packer()).batches(10_000)
    with torch.no_grad():
        expected = tiny_model()(**batch["inputs"], labelled_only=True)
    found = ConstantModel(tiny_tasks(), constant)(**batch["inputs"], labelled_only=True)
    assert {task: one.shape for task, one in found.logits.items()} == {
        task: one.shape for task, one in expected.logits.items()
    }
    assert found.losses.keys() == expected.losses.keys()


def test_records_are_checked_when_they_are_read(tmp_path, constant):
    """For the look through them may have been at some alone (`survey_records`)."""
    odd = LabelledRecord("odd", "gene", "A", classes={"gene_taxonomy": 9})
    groups = find_groups(find_shards([write_folder(tmp_path, [*random_records(2, 0), odd])]))
    with pytest.raises(ValueError, match=r"gene-0+\.parquet: record odd: gene_taxonomy: label 9"):
        score(ConstantModel(tiny_tasks(), constant), groups)
