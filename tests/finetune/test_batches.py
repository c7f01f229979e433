# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Steps and their batches: every record once, whatever the budget and the number of processes."""

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.batches import StepSampler
from training_jobs.steps import plan_step

SIZES = st.lists(st.integers(1, 300), min_size=1, max_size=40)


@given(sizes=SIZES, budget=st.integers(1, 600), processes=st.integers(1, 5))
def test_every_record_goes_to_one_process_and_counts_once(sizes, budget, processes):
    weights = [1.0 + number % 3 for number in range(len(sizes))]
    plan = plan_step(range(len(sizes)), sizes, weights, budget, processes)
    assert len(plan) == processes
    assert len({len(batches) for batches in plan}) == 1  # all take part in every exchange
    counted = [i for batches in plan for batch in batches if batch.share for i in batch.records]
    assert sorted(counted) == list(range(len(sizes)))
    for batches in plan:
        for batch in batches:
            assert len(batch.records) == 1 or sum(sizes[i] for i in batch.records) <= budget
    shares = sum(batch.share for batches in plan for batch in batches)
    assert shares == pytest.approx(processes)


def test_a_share_is_that_of_the_weights():
    plan = plan_step([0, 1, 2], [10, 10, 10], [1.0, 3.0, 4.0], 10)
    assert {batch.records[0]: batch.share for batch in plan[0]} == {0: 0.125, 1: 0.375, 2: 0.5}


def test_records_of_weight_zero_count_for_nothing():
    plan = plan_step([0, 1], [10, 10], [0.0, 0.0], 100)
    assert [batch.share for batch in plan[0]] == [0.0]


def sampler(count=23, batch_size=5, epoch=0, **options):
    sizes = [10 + number for number in range(count)]
    return StepSampler(sizes, [1.0] * count, batch_size, 40, 7, lambda: epoch, **options)


def seen(steps):
    return [sorted(i for batch in step if batch.share for i in batch.records) for step in steps]


def test_an_epoch_sees_every_record_once():
    steps = list(sampler())
    assert len(steps) == len(sampler()) == 5
    assert sorted(chain(*seen(steps))) == list(range(23))


def test_the_order_is_that_of_the_seed_and_the_epoch():
    assert seen(sampler()) == seen(sampler())
    assert seen(sampler()) != seen(sampler(epoch=1))


@pytest.mark.parametrize("processes", [2, 3, 7])
def test_several_processes_take_the_same_steps(processes):
    parts = [seen(sampler(process=i, processes=processes)) for i in range(processes)]
    together = [sorted(chain(*step)) for step in zip(*parts, strict=True)]
    assert together == seen(sampler())
