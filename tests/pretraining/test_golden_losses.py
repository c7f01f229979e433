# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The losses of the ten tasks are the published ones, and their gradients those of the formulas."""

from itertools import product

import pytest
import torch

from hub_upload import convert
from modeling_lucaone import LucaOneForPreTraining, LucaOnePackingCollator
from modeling_lucaone.packing import IGNORE
from pretraining.data.records import CLASS_TASKS, KEYWORD_TASK, STRUCTURE_TASK, TASKS
from tests.helpers import (
    GOLDEN,
    LOSS_LIMIT,
    SAME_LIMIT,
    VARIANTS,
    expected_values,
    golden_inputs,
    relative_l2,
)

LABELLED_BATCHES = ("mixed", "gene", "prot")
SEQUENCE_TASKS = (*CLASS_TASKS, KEYWORD_TASK)
LEVELS = {task: "sequence" if task in SEQUENCE_TASKS else "token" for task in TASKS}
WEIGHTS = {"gene_mask": 1.0, "prot_mask": 1.0, "prot_keyword": 1.0, "prot_structure": 1.0}
# Ways to the same numbers: `packed` joins the sequences before the model, `unpad_inputs` within it.
NAMES = ("packed", "unpad_inputs", "labelled_only")
FORMS = [dict(zip(NAMES, on, strict=True)) for on in product([False, True], repeat=3)]


def form_id(form):
    return "+".join(name for name, on in form.items() if on) or "plain"


@pytest.fixture(scope="module", params=VARIANTS)
def golden(request, tmp_path_factory):
    """The published numbers, and the folder of the model that has the same weights."""
    folder = tmp_path_factory.mktemp("converted") / "lucaone"
    convert(GOLDEN / f"original-tiny{request.param}", folder)
    return expected_values(request.param), folder


def load(folder, unpad_inputs=True):
    return LucaOneForPreTraining.from_pretrained(folder, unpad_inputs=unpad_inputs).eval()


def keyword_labels(positives_only):
    return "prot_keyword.positives_only" if positives_only else KEYWORD_TASK


def golden_labels(expected, batch, positives_only):
    labels = {task: expected[f"{batch}.labels.{task}"] for task in TASKS}
    labels[KEYWORD_TASK] = expected[f"{batch}.labels.{keyword_labels(positives_only)}"]
    return labels


def pack(inputs, labels):
    """Return a padded batch as one packed row, as trainings have it."""
    records = []
    for row, length in enumerate(inputs["attention_mask"].sum(dim=1).tolist()):
        records.append(
            {
                "input_ids": inputs["input_ids"][row, :length],
                "token_type_ids": inputs["token_type_ids"][row, :length],
                "labels": {
                    task: values[row] if LEVELS[task] == "sequence" else values[row, :length]
                    for task, values in labels.items()
                },
            }
        )
    return LucaOnePackingCollator(LEVELS)(records)


def run(model, expected, batch, positives_only, form):
    inputs = golden_inputs(expected, batch)
    labels = golden_labels(expected, batch, positives_only)
    batch = pack(inputs, labels) if form["packed"] else {**inputs, "labels": labels}
    return model(**batch, labelled_only=form["labelled_only"])


def plain_loss(task, logits, labels):
    """Return the mean over records of each record's mean, record by record (facts 2.4)."""
    means = []
    for said, target in zip(logits, labels, strict=True):
        if task == KEYWORD_TASK:
            known = target != IGNORE
            p = said[known].sigmoid()
            values = -(target[known] * p.log() + (1 - target[known]) * (1 - p).log())
        elif task == STRUCTURE_TASK:
            known = (target != IGNORE).all(dim=-1)
            values = (said[known] - target[known]).abs().mean(dim=-1)
        else:
            target = target.reshape(-1)
            known = target != IGNORE
            rows = said.reshape(len(target), -1)[known]
            values = -rows.log_softmax(dim=-1).gather(1, target[known][:, None])
        if known.any():
            means.append(values.mean())
    return torch.stack(means).mean() if means else logits.sum() * 0.0


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {
        name: one.grad.clone() for name, one in model.named_parameters() if one.grad is not None
    }


@pytest.mark.parametrize("form", FORMS, ids=form_id)
@pytest.mark.parametrize("batch", LABELLED_BATCHES)
def test_losses_are_the_published_ones(golden, batch, form):
    expected, folder = golden
    model = load(folder, form["unpad_inputs"])
    for positives_only in (False, True):
        with torch.no_grad():
            output = run(model, expected, batch, positives_only, form)
        assert output.losses.keys() == set(TASKS)
        published = {task: expected[f"{batch}.loss.{task}"] for task in TASKS}
        total = expected[f"{batch}.loss.total"]
        if positives_only:
            # The published total is that of the keyword labels that score absent keywords too.
            other = expected[f"{batch}.loss.{keyword_labels(positives_only)}"]
            total = total - published[KEYWORD_TASK] + other
            published[KEYWORD_TASK] = other
        for task, loss in published.items():
            torch.testing.assert_close(output.losses[task], loss, rtol=LOSS_LIMIT, atol=1e-9)
        torch.testing.assert_close(output.loss, total, rtol=LOSS_LIMIT, atol=0.0)
        weighted = sum(WEIGHTS.get(task, 0.2) * loss for task, loss in output.losses.items())
        torch.testing.assert_close(output.loss, weighted)


@pytest.mark.parametrize("positives_only", [False, True])
@pytest.mark.parametrize("batch", LABELLED_BATCHES)
def test_gradients_are_those_of_the_formulas(golden, batch, positives_only):
    """Every parameter's, in every form, against losses written out on a padded batch's logits."""
    expected, folder = golden
    plain = load(folder, unpad_inputs=False)
    logits = plain(**golden_inputs(expected, batch)).logits
    labels = golden_labels(expected, batch, positives_only)
    losses = {task: plain_loss(task, logits[task], labels[task]) for task in TASKS}
    for task, loss in losses.items():
        name = keyword_labels(positives_only) if task == KEYWORD_TASK else task
        torch.testing.assert_close(
            loss.detach(), expected[f"{batch}.loss.{name}"], rtol=LOSS_LIMIT, atol=1e-9
        )
    wanted = gradients(plain, sum(WEIGHTS.get(task, 0.2) * loss for task, loss in losses.items()))
    assert sum(one.norm() > 0 for one in wanted.values()) > len(wanted) / 2
    for form in FORMS:
        model = load(folder, form["unpad_inputs"])
        found = gradients(model, run(model, expected, batch, positives_only, form).loss)
        assert found.keys() == wanted.keys()
        for name, gradient in wanted.items():
            if gradient.norm() == 0:  # the heads of the molecule that is not there
                assert found[name].norm() == 0, (form_id(form), name)
            else:
                assert relative_l2(found[name], gradient) <= SAME_LIMIT, (form_id(form), name)


def test_a_batch_without_labels_has_a_loss_of_0_that_has_gradients(golden):
    """So that a process whose records lack a task can take part in the exchange of gradients."""
    expected, folder = golden
    model = load(folder)
    labels = {
        task: torch.full_like(values, IGNORE)
        for task, values in golden_labels(expected, "mixed", False).items()
    }
    for labelled_only in (False, True):
        inputs = golden_inputs(expected, "mixed")
        output = model(**inputs, labels=labels, labelled_only=labelled_only)
        assert output.loss.item() == 0.0
        found = gradients(model, output.loss)
        assert found.keys() == {name for name, _ in model.named_parameters()}
        assert not any(one.any() for one in found.values())
