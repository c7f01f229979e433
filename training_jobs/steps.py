# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Steps of training, shared out as small packed batches.

A step, one update of the weights, is made of a given number of records, whatever the number of
processes and the memory of the device. Its records are divided into batches under a budget of
tokens, similar lengths together, and the batches among the processes. Each batch counts with its
share of the step's loss. So neither the budget nor the number of processes changes the result.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Batch(NamedTuple):
    """Records that go through the model at once.

    Attributes:
        records: their numbers.
        share: of the loss of the step; with several processes times their number, for gradients
            are averaged over the processes.
    """

    records: list[int]
    share: float


def plan_step(
    records: Sequence[int],
    sizes: Sequence[int],
    weights: Sequence[float],
    tokens_per_batch: int,
    processes: int = 1,
) -> list[list[Batch]]:
    """Divide the records of a step among processes, each of which gets as many batches.

    A process without a record of its own gets one that does not count, so that all take part in
    the exchange of gradients.

    Args:
        records: numbers of the records.
        sizes: tokens of all records.
        weights: what all records weigh in the loss.
        tokens_per_batch: a larger record goes alone.
        processes: their number.

    Returns:
        For each process its batches.
    """
    batches: list[list[int]] = []
    tokens = 0
    for number in sorted(records, key=lambda i: (-sizes[i], i)):
        tokens += sizes[number]
        if not batches or tokens > tokens_per_batch:
            batches.append([])
            tokens = sizes[number]
        batches[-1].append(number)
    while len(batches) % processes and any(len(batch) > 1 for batch in batches):
        largest = max(
            (batch for batch in batches if len(batch) > 1),
            key=lambda batch: sum(sizes[i] for i in batch),
        )
        batches.append([largest.pop() for _ in range(len(largest) // 2)])
    whole = sum(weights[i] for i in records)
    planned = [
        Batch(batch, processes * sum(weights[i] for i in batch) / whole if whole else 0.0)
        for batch in batches
    ]
    shortest = min(records, key=lambda i: sizes[i])
    planned += [Batch([shortest], 0.0)] * (-len(planned) % processes)
    return [planned[process::processes] for process in range(processes)]
