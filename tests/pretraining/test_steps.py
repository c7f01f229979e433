# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Steps: the mean over their records, however they are divided into batches and processes."""

from itertools import chain, pairwise
from operator import itemgetter
from weakref import WeakSet

import pytest
import torch
from torch.utils.data import DataLoader

from modeling_lucaone.packing import IGNORE
from pretraining.corpus import Rows
from pretraining.data.records import TASKS, LabelledRecord
from pretraining.steps import Source
from tests.helpers import SAME_LIMIT, relative_l2

from .helpers import (
    NUM_LABELS,
    packer,
    pretraining_steps,
    random_records,
    rows_of,
    tiny_model,
    tiny_recipe,
    tiny_tasks,
    write_folder,
)

GENES, PROTEINS = 13, 22
BUDGETS = (1, 60, 100, 10_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("shards"), random_records(GENES, PROTEINS))


@pytest.fixture(scope="module")
def model():
    return tiny_model()


def over_processes(folder, processes, number, **options):
    """Return the batches of a step for each process."""
    return [
        pretraining_steps(folder, process=i, processes=processes, **options)[number]
        for i in range(processes)
    ]


def loss_of(model, batches):
    """Return the loss of the batches of one process by the formula of `PretrainingSteps`."""
    tasks = tiny_tasks()
    total = torch.zeros(())
    for batch in batches:
        losses = model(**batch["inputs"], labelled_only=True).losses
        for task, loss in losses.items():
            total = total + tasks[task]["weight"] * batch["shares"][task] * loss
    return total


def gradients(model, parts):
    """Return the mean over processes of the gradients of a step."""
    model.zero_grad()
    for batches in parts:
        (loss_of(model, batches) / len(parts)).backward()
    return {name: one.grad.clone() for name, one in model.named_parameters()}


def letters_of(parts):
    """Return the tokens of each record of a step that counts, by its number."""
    found = {}
    for batch in chain(*parts):
        if batch["counts"]:
            ids, ends = batch["inputs"]["input_ids"][0], batch["inputs"]["cu_seq_lens_q"].tolist()
            for number, (start, end) in zip(batch["records"], pairwise(ends), strict=True):
                assert number not in found
                found[number] = ids[start:end].tolist()
    return found


# --- the loss -----------------------------------------------------------------------------------


@pytest.mark.parametrize("tokens_per_batch", BUDGETS)
@pytest.mark.parametrize("number", [0, 5])
def test_the_loss_of_a_step_is_the_mean_of_its_records(folder, model, tokens_per_batch, number):
    steps = pretraining_steps(folder, tokens_per_batch)
    alone = [packer()([source])["inputs"] for source in steps.records(number)]
    with torch.no_grad():
        expected = torch.stack([model(**inputs).loss for inputs in alone]).mean()
        found = loss_of(model, steps[number])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=0.0)


def test_a_batch_has_the_loss_of_its_records_together(folder, model):
    """And the losses of the tasks are the means over the records that have their labels."""
    steps = pretraining_steps(folder, 10_000)
    (batch,) = steps[0]
    with torch.no_grad():
        together = model(**batch["inputs"], labelled_only=True).losses
        alone = [model(**packer()([source])["inputs"]).losses for source in steps.records(0)]
    for task in TASKS:
        labelled = batch["labelled"][task]
        expected = sum(losses[task] for losses in alone) / max(labelled, 1)
        torch.testing.assert_close(together[task], expected, rtol=1e-5, atol=1e-7)
        assert batch["shares"][task] == pytest.approx(labelled / 6)


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("tokens_per_batch", [1, 100])
def test_gradients_do_not_depend_on_budget_and_processes(
    folder, model, tokens_per_batch, processes
):
    expected = gradients(model, [pretraining_steps(folder, 10_000)[2]])
    options = {"tokens_per_batch": tokens_per_batch}
    found = gradients(model, over_processes(folder, processes, 2, **options))
    assert all(one.norm() > 0 for one in expected.values())
    for name, gradient in expected.items():
        assert relative_l2(found[name], gradient) < SAME_LIMIT, name


def test_a_process_that_is_filled_up_adds_nothing(tmp_path, model):
    """One record, three processes: two of them take part with a batch that does not count."""
    write_folder(tmp_path, random_records(0, 1))
    recipe = tiny_recipe(tasks={t: tiny_recipe().tasks[t] for t in TASKS if t[:4] == "prot"})
    steps = [pretraining_steps(tmp_path, 50, recipe, i, 3)[0] for i in range(3)]
    assert [len(batches) for batches in steps] == [1, 1, 1]
    assert [batches[0]["counts"] for batches in steps] == [True, False, False]
    for (batch,) in steps[1:]:
        assert set(batch["shares"].values()) == {0.0}
    whole = pretraining_steps(tmp_path, 50, recipe)[0]
    with torch.no_grad():
        together = sum(loss_of(model, batches) for batches in steps) / 3
        torch.testing.assert_close(together, loss_of(model, whole))


# --- which records ------------------------------------------------------------------------------


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("epoch", [0, 1])
def test_an_epoch_counts_every_record_once(folder, processes, epoch):
    parts = [pretraining_steps(folder, 60, None, i, processes) for i in range(processes)]
    length = len(parts[0])
    assert length == -(-(GENES + PROTEINS) // 6)
    seen = []
    for number in range(epoch * length, (epoch + 1) * length):
        records = parts[0].records(number)
        batches = [part[number] for part in parts]
        assert len({len(one) for one in batches}) == 1  # all take part in every exchange
        counted = letters_of(batches).keys()
        assert sorted(counted) == list(range(len(records)))
        seen += [records[i].rows[records[i].row].id for i in counted]
    expected = [record.id for record in random_records(GENES, PROTEINS)]
    assert sorted(seen) == sorted(expected)


def test_each_group_is_read_once_in_a_pass(folder, monkeypatch):
    read = []

    def counted(cls, group, original=Rows.read.__func__):
        read.append(group)
        return original(cls, group)

    monkeypatch.setattr(Rows, "read", classmethod(counted))
    steps = pretraining_steps(folder)
    for number in range(len(steps)):
        steps.records(number)
    assert len(read) == len(set(read)) == sum(map(len, steps.groups.values()))


def test_memory_holds_the_windows_of_the_last_step(folder, monkeypatch):
    held = WeakSet()

    def kept(cls, group, original=Rows.read.__func__):
        rows = original(cls, group)
        held.add(rows)
        return rows

    monkeypatch.setattr(Rows, "read", classmethod(kept))
    steps = pretraining_steps(folder, recipe=tiny_recipe(shuffle_buffer=4))
    for number in range(2 * len(steps)):
        steps.records(number)
        windows = {
            steps.groups[name][group]
            for name, positions in steps.mixture.step(number).items()
            for group in steps.orders[name].groups(positions)
        }
        assert {rows.group for rows in held} == windows
    assert len(windows) < sum(map(len, steps.groups.values()))


@pytest.mark.parametrize("tokens_per_batch", BUDGETS)
def test_a_batch_keeps_to_the_budget_or_holds_one_record(folder, tokens_per_batch):
    for batch in pretraining_steps(folder, tokens_per_batch)[0]:
        assert batch["tokens"] == batch["inputs"]["input_ids"].numel()
        sizes = batch["inputs"]["cu_seq_lens_q"].diff().tolist()
        assert batch["padded_tokens"] == max(sizes) * len(sizes)
        assert len(sizes) == 1 or batch["tokens"] <= tokens_per_batch


def test_a_smaller_budget_holds_from_the_next_step_on(folder):
    steps = pretraining_steps(folder, 10_000)
    assert len(steps[0]) == 1
    steps.budget.fill_(1)
    assert len(steps[0]) == 6


# --- the same again -----------------------------------------------------------------------------


def flat(batches):
    """Return all tensors of batches."""
    inputs = [batch["inputs"] for batch in batches]
    tensors = [{**one, **one["labels"]} for one in inputs]
    return [value for one in tensors for value in one.values() if isinstance(value, torch.Tensor)]


def test_the_same_step_is_the_same_whatever_came_before(folder):
    steps = pretraining_steps(folder)
    first = flat(steps[3])
    for other in (0, 7, 4):
        assert len(steps[other])
    for again in (flat(steps[3]), flat(pretraining_steps(folder)[3])):
        assert all(torch.equal(*pair) for pair in zip(again, first, strict=True))


def test_workers_make_the_same_steps(folder):
    steps = pretraining_steps(folder)
    loader = DataLoader(
        steps,
        batch_sampler=[[number] for number in range(5)],
        collate_fn=itemgetter(0),
        num_workers=2,
        multiprocessing_context="fork",
    )
    for number, batches in enumerate(loader):
        assert all(
            torch.equal(*pair) for pair in zip(flat(batches), flat(steps[number]), strict=True)
        )


@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize("tokens_per_batch", BUDGETS)
def test_a_mask_does_not_depend_on_what_it_is_packed_with(folder, tokens_per_batch, processes):
    options = {"tokens_per_batch": tokens_per_batch}
    expected = letters_of([pretraining_steps(folder, 10_000)[1]])
    assert letters_of(over_processes(folder, processes, 1, **options)) == expected


def test_a_record_has_another_mask_in_the_next_pass_and_with_another_seed():
    rows = rows_of([LabelledRecord("g", "gene", 100 * "ACGT")])
    masks = [
        packer(seed=seed)([Source("gene", position, rows, 0)])["inputs"]["input_ids"].tolist()
        for seed, position in [(7, 0), (7, 1), (7, GENES), (8, 0), (7, 0)]
    ]
    assert masks[0] == masks[4]
    assert all(masks[0] != other for other in masks[1:4])


# --- labels, and what is wrong ------------------------------------------------------------------


def test_labelled_counts_what_is_left_after_the_cut():
    far = LabelledRecord("p", "prot", "MKTAYIAKQR", spans={"prot_site": [(7, 9, 1)]})
    near = LabelledRecord("q", "prot", "MKTAYIAKQR", spans={"prot_site": [(3, 9, 1)]})
    rows = rows_of([far, near])
    packed = packer(tiny_recipe(max_length=8))([Source("prot", i, rows, i) for i in range(2)])
    assert packed["labelled"]["prot_site"] == 1
    assert (packed["inputs"]["labels"]["prot_site"] != IGNORE).sum() == 3
    assert packed["labelled"]["prot_mask"] == 2
    assert packed["labelled"]["gene_mask"] == packed["labelled"]["prot_keyword"] == 0


def test_records_are_checked_when_they_are_read(folder):
    steps = pretraining_steps(folder, num_labels={**NUM_LABELS, "gene_taxonomy": 1})
    with pytest.raises(ValueError, match=r"gene-\d+\.parquet: record gene-\d+: gene_taxonomy"):
        [steps[number] for number in range(len(steps))]


def test_a_shard_that_vanishes_is_named(tmp_path):
    write_folder(tmp_path, random_records(GENES, PROTEINS))
    steps = pretraining_steps(tmp_path)
    (tmp_path / "prot-00001.parquet").unlink()
    with pytest.raises(ValueError, match=r"prot-00001\.parquet: the shard has vanished"):
        [steps[number] for number in range(len(steps))]
