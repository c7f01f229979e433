# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Effects of variants, read off the masked language model without any training.

A score above 0 says that the model finds the variant likelier than the wild type. With x the wild
type, y the variant, M the positions at which they differ, and "x without M" for the sequence with
[MASK] at every position of M, the methods are

* `masked-marginal`: sum over i in M of log p(y_i | x without M) - log p(x_i | x without M).
  One pass through the model for each set of positions: L for all substitutions of L letters.
* `wt-marginal`: sum over i in M of log p(y_i | x) - log p(x_i | x). One pass for each sequence.
* `pseudo-log-likelihood`: PLL(y) - PLL(x), where PLL(x) is the sum over all i of
  log p(x_i | x without i). L passes for the wild type and L for each variant.

The first two are from Meier et al., Language models enable zero-shot prediction of the effects of
mutations on protein function, NeurIPS 2021; PLL, and the pseudo-perplexity exp(-PLL(x) / L), from
Salazar et al., Masked language model scoring, ACL 2020.

p is the softmax over all 39 tokens, as in training; the marginals would be the same over fewer. A
letter of the wild type that cannot be a new letter (X, N) is scored as the token the model reads.

A sequence longer than a window is not read whole. A masked position is read in the window that has
it in the middle, several in the one that has their stretch in the middle; at the ends of a sequence
the window is shifted. Terms of PLL(y) and PLL(x) whose windows hold no position of M are equal, and
left out. `wt-marginal` reads the windows of `plan_windows`.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tokenization.tokenization_lucaone import TABLES

from ..windows import DEFAULT_WINDOW, plan_windows
from .variants import Variant


@dataclass(frozen=True)
class Query:
    """A sequence and its variants.

    Attributes:
        sequence: the wild type, as `variants.as_read` returns it.
        seq_type: `gene` or `prot`.
        variants: what is to be scored.
        window: letters that are read at once.
        overlap: of the windows of `wt-marginal`, see `plan_windows`.
    """

    sequence: str
    seq_type: str
    variants: Sequence[Variant] = ()
    window: int = DEFAULT_WINDOW
    overlap: int | None = None

    def window_around(self, first: int, last: int) -> tuple[int, int]:
        """Return start and stop of the window with two positions, from 0, about its middle."""
        start = int(self._starts(np.array(first + last)))
        return start, min(start + self.window, len(self.sequence))

    def places_that_see(self, places: Sequence[int]) -> list[int]:
        """Return the positions whose windows hold one of those given; all sorted and from 0."""
        starts = self._starts(2 * np.arange(len(self.sequence)))
        before, up_to = (np.searchsorted(places, ends) for ends in (starts, starts + self.window))
        return np.flatnonzero(before < up_to).tolist()

    def _starts(self, first_and_last: np.ndarray) -> np.ndarray:
        """Return where windows start, given the sums of their first and last positions."""
        starts = (first_and_last + 1 - self.window) // 2
        return starts.clip(0, max(0, len(self.sequence) - self.window))


class Pass(NamedTuple):
    """A text that goes through the model; offsets count its letters from 0.

    Attributes:
        text: the letters.
        seq_type: `gene` or `prot`.
        masked: where [MASK] takes the place of the letter.
        read: where probabilities are wanted.
    """

    text: str
    seq_type: str
    masked: Sequence[int]
    read: Sequence[int]


class Method(NamedTuple):
    """How a query becomes passes, and what the model says in them becomes scores.

    Attributes:
        passes: the passes of a query.
        scores: takes as many results, (offsets read, tokens) log-probabilities in the order of the
            passes, and returns the scores.
    """

    passes: Callable[[Query], Iterator[Pass]]
    scores: Callable[[Query, Iterator[np.ndarray]], list[float]]


def _places(*variants: Variant) -> tuple[int, ...]:
    """Return the positions of variants, from 0 and in order."""
    return tuple(sorted({one.position - 1 for variant in variants for one in variant}))


def _log_ratio(variant: Variant, seq_type: str, rows: Iterable[np.ndarray]) -> float:
    """Sum log p(mutant) - log p(wild type) over the rows of the positions of a variant."""
    ids = TABLES[seq_type]
    return sum(
        float(row[ids[ord(one.mutant)]]) - float(row[ids[ord(one.wild_type)]])
        for one, row in zip(variant, rows, strict=True)
    )


def _masked_passes(query: Query) -> Iterator[Pass]:
    for places in dict.fromkeys(map(_places, query.variants)):
        start, stop = query.window_around(places[0], places[-1])
        offsets = [place - start for place in places]
        yield Pass(query.sequence[start:stop], query.seq_type, offsets, offsets)


def _masked_scores(query: Query, results: Iterator[np.ndarray]) -> list[float]:
    rows = {places: next(results) for places in dict.fromkeys(map(_places, query.variants))}
    return [_log_ratio(one, query.seq_type, rows[_places(one)]) for one in query.variants]


def _kept_places(query: Query) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    """Return start and stop of each window, and the mutated positions for which it stands."""
    places = _places(*query.variants)
    for window in plan_windows(len(query.sequence), query.window, query.overlap):
        first, last = (bisect_left(places, end) for end in (window.keep_start, window.keep_stop))
        if first < last:
            yield window.start, window.stop, places[first:last]


def _wild_type_passes(query: Query) -> Iterator[Pass]:
    for start, stop, places in _kept_places(query):
        read = [place - start for place in places]
        yield Pass(query.sequence[start:stop], query.seq_type, (), read)


def _wild_type_scores(query: Query, results: Iterator[np.ndarray]) -> list[float]:
    rows: dict[int, np.ndarray] = {}
    for _, _, places in _kept_places(query):
        rows.update(zip(places, next(results), strict=True))
    return [
        _log_ratio(one, query.seq_type, [rows[place] for place in _places(one)])
        for one in query.variants
    ]


def _each_masked(query: Query, letters: str, places: Iterable[int]) -> Iterator[Pass]:
    """Mask one position after the other of the wild type, or of a mutant."""
    for place in places:
        start, stop = query.window_around(place, place)
        yield Pass(letters[start:stop], query.seq_type, [place - start], [place - start])


def _terms(
    query: Query, letters: str, places: Iterable[int], results: Iterator[np.ndarray]
) -> list[float]:
    """Return log p(letter | all others) from the results of `_each_masked`."""
    ids = TABLES[query.seq_type]
    return [float(next(results)[0, ids[ord(letters[place])]]) for place in places]


def _mutants(query: Query) -> Iterator[tuple[str, list[int]]]:
    """Return each mutant with the positions at which its terms and the wild type's may differ."""
    for variant in query.variants:
        letters = list(query.sequence)
        for substitution in variant:
            letters[substitution.position - 1] = substitution.mutant
        yield "".join(letters), query.places_that_see(_places(variant))


def _likelihood_passes(query: Query) -> Iterator[Pass]:
    seen = query.places_that_see(_places(*query.variants))
    yield from _each_masked(query, query.sequence, seen)
    for letters, places in _mutants(query):
        yield from _each_masked(query, letters, places)


def _likelihood_scores(query: Query, results: Iterator[np.ndarray]) -> list[float]:
    seen = query.places_that_see(_places(*query.variants))
    wild_type = dict(zip(seen, _terms(query, query.sequence, seen, results), strict=True))
    return [
        sum(_terms(query, letters, places, results)) - sum(wild_type[place] for place in places)
        for letters, places in _mutants(query)
    ]


METHODS = {
    "masked-marginal": Method(_masked_passes, _masked_scores),
    "wt-marginal": Method(_wild_type_passes, _wild_type_scores),
    "pseudo-log-likelihood": Method(_likelihood_passes, _likelihood_scores),
}
IN_ONE_WINDOW = "masked-marginal"
"""The method that reads all positions of a variant in one window."""
EACH_LETTER = Method(
    lambda query: _each_masked(query, query.sequence, range(len(query.sequence))),
    lambda query, results: _terms(query, query.sequence, range(len(query.sequence)), results),
)
"""log p(x_i | x without i) of each letter of the wild type, the terms of its PLL."""


def find_method(name: str) -> Method:
    """Return a method by its name.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in METHODS:
        raise ValueError(f"unknown method {name!r}; known are {', '.join(METHODS)}")
    return METHODS[name]
