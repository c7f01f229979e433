# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Variants to scores; `methods` defines the scores."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from modeling_lucaone import LucaOneForMaskedLM
from modeling_lucaone.packing import SequenceBatch
from sequence_io import clean_sequence
from tokenization import normalize_seq_type

from ..runner import TrainedModel
from ..windows import DEFAULT_WINDOW, check_windows
from .methods import EACH_LETTER, IN_ONE_WINDOW, Method, Pass, Query, find_method
from .variants import as_matrix, as_read, parse_variant, single_substitutions

# Passes are made and run in groups of so many letters; a group is in memory as a whole.
GROUP_LETTERS = 2**20


def _groups(passes: Iterable[Pass]) -> Iterator[list[Pass]]:
    group: list[Pass] = []
    letters = 0
    for one in passes:
        if group and letters + len(one.text) > GROUP_LETTERS:
            yield group
            group, letters = [], 0
        group.append(one)
        letters += len(one.text)
    if group:
        yield group


class Scorer(TrainedModel):
    """A masked language model, ready to score variants; arguments as of `TrainedModel`.

    Example:
        >>> scorer = Scorer("lucaone")
        >>> scorer.score("MKTAYIAK", ["A4V", "K2R:T3S"], seq_type="prot").shape
        (2,)
    """

    model_class = LucaOneForMaskedLM

    def score(
        self,
        sequence: str,
        variants: Iterable[str],
        seq_type: str | None = None,
        *,
        method: str = "masked-marginal",
        window: int = DEFAULT_WINDOW,
        overlap: int | None = None,
    ) -> np.ndarray:
        """Score variants of a sequence.

        Args:
            sequence: the wild type; no letter is removed, so that positions are what they were.
            variants: such as `A123V` or `A123V:G7D`, see `variants.parse_variant`.
            seq_type: `gene` or `prot`; the tokenizer's default if any.
            method: `masked-marginal`, `wt-marginal` or `pseudo-log-likelihood`, see above.
            window: letters that are read at once.
            overlap: of the windows of `wt-marginal`, see `plan_windows`.

        Returns:
            (variants,) in the order given.

        Raises:
            ValueError: an unknown method or molecule type, a sequence that is empty or holds what
                is no letter, a variant that is not one of this sequence, or that `masked-marginal`
                cannot read in one window.
        """
        how = find_method(method)
        query = self._query(sequence, seq_type, window, overlap)
        span = window if method == IN_ONE_WINDOW else None
        parsed = [parse_variant(one, query.sequence, query.seq_type, span) for one in variants]
        return next(self.run([replace(query, variants=parsed)], how))

    def scan(
        self,
        sequence: str,
        seq_type: str | None = None,
        *,
        method: str = "masked-marginal",
        window: int = DEFAULT_WINDOW,
        overlap: int | None = None,
    ) -> np.ndarray:
        """Score every substitution of a sequence; arguments as of `score`.

        Returns:
            (length, letters), the letters in the order of `variants.LETTERS`; the wild type has 0.

        Raises:
            ValueError: as of `score`.
        """
        how = find_method(method)
        query = self._query(sequence, seq_type, window, overlap)
        variants = single_substitutions(query.sequence, query.seq_type)
        scores = next(self.run([replace(query, variants=variants)], how))
        return as_matrix(query.sequence, query.seq_type, scores)

    def log_likelihoods(
        self, sequence: str, seq_type: str | None = None, *, window: int = DEFAULT_WINDOW
    ) -> np.ndarray:
        """Return log p(x_i | x without i) of each letter; their sum is the pseudo-log-likelihood.

        Args:
            sequence: as of `score`.
            seq_type: as of `score`.
            window: as of `score`.

        Returns:
            (length,)

        Raises:
            ValueError: as of `score`.
        """
        return next(self.run([self._query(sequence, seq_type, window)], EACH_LETTER))

    def _query(
        self, sequence: str, seq_type: str | None, window: int, overlap: int | None = None
    ) -> Query:
        check_windows(window, overlap)
        kind = normalize_seq_type(seq_type or self.tokenizer.seq_type)
        letters = clean_sequence(sequence, path="sequences", record="0", keep_gaps=True)
        return Query(as_read(letters, kind), kind, (), window, overlap)

    def run(
        self,
        queries: Iterable[Query],
        method: Method,
        progress: Callable[[int], object] | None = None,
    ) -> Iterator[np.ndarray]:
        """Score the variants of many sequences, whose passes share batches.

        Args:
            queries: the sequences and their variants.
            method: of `METHODS`, or `EACH_LETTER`.
            progress: called with the letters of each finished batch.

        Yields:
            The scores of each query, (variants,).
        """
        ahead, behind = itertools.tee(queries)
        groups = _groups(one for query in ahead for one in method.passes(query))
        results = (row for group in groups for row in self.log_probabilities(group, progress))
        for query in behind:
            yield np.array(method.scores(query, results), np.float64)

    def log_probabilities(
        self, passes: Sequence[Pass], progress: Callable[[int], object] | None = None
    ) -> list[np.ndarray]:
        """Run passes.

        Args:
            passes: the passes.
            progress: called with the letters of each finished batch.

        Returns:
            For each pass (offsets read, tokens) in fp32.
        """

        def read(batch: SequenceBatch, numbers: list[int]) -> list[np.ndarray]:
            assert batch.input_ids is not None
            chosen = [passes[number] for number in numbers]
            first_letters = (batch.first_tokens() + 1).tolist()

            def tokens(offsets: list[Sequence[int]]) -> torch.Tensor:
                pairs = zip(first_letters, offsets, strict=True)
                rows = [first + offset for first, some in pairs for offset in some]
                return torch.tensor(rows, dtype=torch.long, device=self.device)

            masked = tokens([one.masked for one in chosen])
            ids = batch.input_ids.index_fill(1, masked, self.tokenizer.mask_token_id)
            inputs = replace(batch, input_ids=ids).model_inputs()
            hidden = self.model.lucaone(**inputs).last_hidden_state[0]
            logits = self.model.lm_head(hidden[tokens([one.read for one in chosen])])
            rows = logits.float().log_softmax(-1).cpu().split([len(one.read) for one in chosen])
            if progress is not None:
                progress(sum(len(one.text) for one in chosen))
            return [row.numpy() for row in rows]

        texts, types = [one.text for one in passes], [one.seq_type for one in passes]
        return self.runner.run(texts, types, read)
