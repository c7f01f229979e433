# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The order of records: every one once in a pass, a function of seed and position alone."""

import pickle
from collections import Counter
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretraining.order import Mixture, Order

SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=12)
BUFFER = st.integers(1, 80)
COUNT = st.integers(1, 60)


def every_record(sizes):
    return {(group, row) for group, size in enumerate(sizes) for row in range(size)}


def one_pass(order, number=0):
    return list(order.locate(range(number * order.records, (number + 1) * order.records)))


@given(sizes=SIZES, buffer=BUFFER, seed=st.integers(0, 9), number=st.integers(0, 3))
def test_a_pass_holds_every_record_once(sizes, buffer, seed, number):
    found = one_pass(Order(sizes, buffer, [seed]), number)
    assert len(found) == sum(sizes)
    assert set(found) == every_record(sizes)


@given(sizes=SIZES, buffer=BUFFER, start=st.integers(0, 500), length=st.integers(1, 60))
def test_where_a_record_lies_depends_on_its_position_alone(sizes, buffer, start, length):
    order = Order(sizes, buffer, [1])
    whole = list(order.locate(range(start + length)))
    fresh = Order(sizes, buffer, [1])
    assert list(fresh.locate(range(start, start + length))) == whole[start:]
    assert [next(fresh.locate(range(i, i + 1))) for i in (start, 0)] == [whole[start], whole[0]]


@given(sizes=SIZES, buffer=BUFFER, start=st.integers(0, 500), length=st.integers(1, 60))
def test_the_groups_told_hold_the_records(sizes, buffer, start, length):
    order = Order(sizes, buffer, [1])
    positions = range(start, start + length)
    assert {group for group, _ in order.locate(positions)} <= order.groups(positions)


@given(sizes=SIZES, buffer=BUFFER)
def test_the_groups_of_a_window_are_just_enough(sizes, buffer):
    """Without its last group a window would be smaller than the buffer."""
    order = Order(sizes, buffer, [1])
    windows = {frozenset(order.groups(range(i, i + 1))) for i in range(order.records)}
    assert sorted(chain(*windows)) == list(range(len(sizes)))
    held = [sum(sizes[group] for group in window) for window in windows]
    assert sum(records < buffer for records in held) <= 1
    for window, records in zip(windows, held, strict=True):
        assert records - max(sizes[group] for group in window) < buffer


def test_a_window_is_finished_before_the_next_begins():
    order = Order([4, 7, 3, 9, 5, 2], 8, [3])
    windows = []
    for i, (group, _) in enumerate(one_pass(order)):
        window = order.groups(range(i, i + 1))
        assert group in window
        if window not in windows:
            windows.append(window)
        assert window == windows[-1]
    assert len(windows) > 1


def test_records_are_shuffled_within_a_window_and_groups_among_windows():
    sizes = [10] * 20
    found = one_pass(Order(sizes, 30, [5]))
    assert found != sorted(found)
    assert [group for group, _ in found[:30]] != sorted(group for group, _ in found[:30])
    groups = list(dict.fromkeys(group for group, _ in found))
    assert groups != sorted(groups)


def test_another_pass_and_another_seed_are_another_order():
    first, second, molecule = (Order([9, 8, 7], 10, seed) for seed in ([1, 0], [2, 0], [1, 1]))
    orders = [one_pass(first), one_pass(first, 1), one_pass(second), one_pass(molecule)]
    assert len(set(map(tuple, orders))) == 4
    assert one_pass(Order([9, 8, 7], 10, [1, 0])) == orders[0]


def test_another_pass_shuffles_the_rows_of_a_window_anew():
    order = Order([50], 1, [1])
    assert one_pass(order) != one_pass(order, 1)


def test_every_record_may_come_at_any_place():
    """Over many seeds each of four records, two to a group, is as often the first as the others."""
    first = Counter(next(Order([2, 2], 4, [seed]).locate(range(1))) for seed in range(2_000))
    assert first.keys() == every_record([2, 2])
    assert max(abs(count - 500) for count in first.values()) < 4 * (2_000 * 0.25 * 0.75) ** 0.5


def test_an_order_reaches_a_worker_that_is_spawned():
    """As on macOS, and with Python 3.14 on Linux, where workers get what is pickled."""
    order = Order([4, 7, 3], 8, [3])
    assert one_pass(pickle.loads(pickle.dumps(order))) == one_pass(order)


# --- how many of each molecule ------------------------------------------------------------------


def taken(mixture, steps):
    """Return for each step how many records of each molecule it takes."""
    return [{name: len(found) for name, found in mixture.step(i).items()} for i in range(steps)]


@given(genes=COUNT, proteins=COUNT, batch_size=st.integers(1, 20), epoch=st.integers(0, 3))
def test_an_epoch_holds_every_record_once(genes, proteins, batch_size, epoch):
    records = {"gene": genes, "prot": proteins}
    mixture = Mixture(records, batch_size)
    length = mixture.steps_per_epoch
    steps = [mixture.step(i) for i in range(epoch * length, (epoch + 1) * length)]
    for name, count in records.items():
        positions = list(chain(*(step[name] for step in steps)))
        assert positions == list(range(epoch * count, (epoch + 1) * count))
    sizes = [sum(map(len, step.values())) for step in steps]
    assert set(sizes[:-1]) <= {batch_size}
    assert 0 < sizes[-1] <= batch_size


@given(genes=COUNT, proteins=COUNT, batch_size=st.integers(1, 20))
def test_each_step_has_the_share_of_the_whole(genes, proteins, batch_size):
    mixture = Mixture({"gene": genes, "prot": proteins}, batch_size)
    for step in taken(mixture, mixture.steps_per_epoch):
        share = sum(step.values()) * genes / (genes + proteins)
        assert abs(step["gene"] - share) < 1


@given(
    genes=COUNT,
    proteins=COUNT,
    batch_size=st.integers(1, 20),
    fraction=st.floats(0.02, 0.98),
    epochs=st.integers(1, 3),
)
def test_a_given_share_is_kept_and_an_epoch_sees_all(genes, proteins, batch_size, fraction, epochs):
    records = {"gene": genes, "prot": proteins}
    mixture = Mixture(records, batch_size, fraction)
    length = mixture.steps_per_epoch
    steps = [mixture.step(i) for i in range(epochs * length)]
    for step in steps:
        assert sum(map(len, step.values())) == batch_size
        assert abs(len(step["gene"]) - fraction * batch_size) <= 1
    for name, count in records.items():
        positions = list(chain(*(step[name] for step in steps)))
        assert positions == list(range(len(positions)))  # none skipped, none repeated
        assert len(positions) >= epochs * count
    # One step less would not have been enough.
    before = [sum(len(step[name]) for step in steps[: length - 1]) for name in records]
    assert any(seen <= count for seen, count in zip(before, records.values(), strict=True))


@pytest.mark.parametrize("fraction", [None, 0.25])
def test_one_molecule_alone_fills_every_step(fraction):
    mixture = Mixture({"prot": 10}, 4, fraction)
    assert mixture.steps_per_epoch == 3
    assert taken(mixture, 4) == [{"prot": 4}, {"prot": 4}, {"prot": 2}, {"prot": 4}]
    assert mixture.step(3) == {"prot": range(10, 14)}
