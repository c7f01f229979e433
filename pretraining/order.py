# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Which records a step takes: a function of the seed and the number of the step, nothing else.

So a training that goes on needs no replay, and neither processes nor workers change what it sees:
each computes the same plan. Groups of rows are shuffled; consecutive ones make a window of about
`buffer` records, which are shuffled together and are all that has to be in memory.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from math import ceil

import numpy as np

_Pass = tuple[list[np.ndarray], list[int]]
_Window = tuple[np.ndarray, np.ndarray]


class Order:
    """An endless order of records: pass after pass, every record once in each.

    Args:
        sizes: records of each group.
        buffer: records of a window, at least.
        seed: any whole numbers that make this order differ from others.
    """

    def __init__(self, sizes: Sequence[int], buffer: int, seed: Sequence[int]):
        self.sizes, self.buffer, self.seed = np.asarray(sizes), buffer, tuple(seed)
        self.records = int(self.sizes.sum())
        self._last_pass: tuple[int, _Pass] | None = None
        self._last_window: tuple[tuple[int, int], _Window] | None = None

    def locate(self, positions: range) -> Iterator[tuple[int, int]]:
        """Yield the group and the row of the records at some positions, counted over all passes."""
        for position in positions:
            number, window, place = self._find(position)
            groups, rows = self._window(number, window)
            yield int(groups[place]), int(rows[place])

    def groups(self, positions: range) -> set[int]:
        """Return the groups of all windows that some positions lie in."""
        windows = {self._find(position)[:2] for position in positions}
        return {group for number, one in windows for group in self._pass(number)[0][one].tolist()}

    def _find(self, position: int) -> tuple[int, int, int]:
        """Return pass and window of a position, and its place in the window."""
        number, place = divmod(position, self.records)
        _, starts = self._pass(number)
        window = bisect_right(starts, place) - 1
        return number, window, place - starts[window]

    def _pass(self, number: int) -> _Pass:
        """Return the groups of each window of a pass, and the position at which each begins."""
        if self._last_pass is None or self._last_pass[0] != number:
            order = np.random.default_rng([*self.seed, number]).permutation(len(self.sizes))
            windows, starts, held, first = [], [0], 0, 0
            for index, size in enumerate(self.sizes[order].tolist(), start=1):
                held += size
                if held >= self.buffer or index == len(order):
                    windows.append(order[first:index])
                    starts.append(starts[-1] + held)
                    held, first = 0, index
            self._last_pass = number, (windows, starts[:-1])
        return self._last_pass[1]

    def _window(self, number: int, window: int) -> _Window:
        """Return the groups and the rows of the records of a window, in their order."""
        if self._last_window is None or self._last_window[0] != (number, window):
            groups = self._pass(number)[0][window]
            of_group = np.repeat(groups, self.sizes[groups])
            rows = np.concatenate([np.arange(size) for size in self.sizes[groups]])
            order = np.random.default_rng([*self.seed, number, window]).permutation(len(rows))
            self._last_window = (number, window), (of_group[order], rows[order])
        return self._last_window[1]


class Mixture:
    """How many records of each molecule type a step takes.

    Args:
        records: of each molecule type, `gene` or `prot`.
        batch_size: records of a step.
        gene_fraction: share of nucleic acids in a step, between 0 and 1; None for their share among
            the records, and then an epoch is every record once, its last step a smaller one.
    """

    def __init__(
        self, records: Mapping[str, int], batch_size: int, gene_fraction: float | None = None
    ):
        self.records, self.batch_size = dict(records), batch_size
        self.fraction = gene_fraction if len(self.records) == 2 else None
        if self.fraction is None:
            seen = sum(self.records.values())
        else:
            genes, proteins = self.records["gene"], self.records["prot"]
            seen = ceil(max(genes / self.fraction, proteins / (1 - self.fraction)))
        self.steps_per_epoch = -(-seen // batch_size)

    def step(self, number: int) -> dict[str, range]:
        """Return the positions, in the order of each molecule type, of the records of a step."""
        before, after = self._taken(number), self._taken(number + 1)
        return {name: range(before[name], after[name]) for name in self.records}

    def _taken(self, steps: int) -> dict[str, int]:
        """Return how many records of each molecule type were taken before a step."""
        if self.fraction is not None:
            seen = steps * self.batch_size
            genes = round(seen * self.fraction)
            return {"gene": genes, "prot": seen - genes}
        epoch, step = divmod(steps, self.steps_per_epoch)
        total = sum(self.records.values())
        seen = min(step * self.batch_size, total)
        genes = seen * self.records.get("gene", 0) // total
        taken = {"gene": genes, "prot": seen - genes}
        return {name: epoch * count + taken[name] for name, count in self.records.items()}
