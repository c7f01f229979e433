# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What `score_file` is asked for, sends through the model, and makes of the scores."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from sequence_io import SequenceRecord

from ..inputs import check_seq_type
from ..models import find_device
from ..tables import TABLE_SUFFIXES, Columns
from ..windows import DEFAULT_WINDOW, check_windows
from .heatmaps import check_heatmap
from .methods import EACH_LETTER, Method, Query, find_method
from .variants import VariantTable, as_read, single_substitutions

SCORE, LIKELIHOOD = "score", "pseudo-log-likelihood"

SUBSTITUTIONS = pa.schema(
    [
        ("id", pa.string()),
        ("position", pa.int32()),
        ("wild_type", pa.string()),
        ("mutant", pa.string()),
        ("score", pa.float64()),
    ]
)
SEQUENCES = pa.schema(
    [
        ("id", pa.string()),
        ("length", pa.int32()),
        ("pseudo_log_likelihood", pa.float64()),
        ("pseudo_perplexity", pa.float64()),
    ]
)


@dataclass(frozen=True)
class ScoreOptions:
    """What is scored and how.

    Attributes:
        seq_type: `gene`, `prot`, `column:NAME` or `header`.
        method: see methods.py.
        variants: CSV or TSV with the variants to score; every substitution where not given.
        variant_column: its column of variants, such as `A123V` or `A123V:G7D`.
        variant_id_column: its column of record ids; `id` where not given. There may be none where
            the input has one record.
        compare: its column of numbers to correlate the scores with.
        score_column: the name of the new column.
        whole_sequences: score each sequence as a whole, by `pseudo-log-likelihood`.
        heatmap: .png, .svg or .pdf of every substitution; of several records each has its own,
            NAME-1.png, NAME-2.png and so on in the order of the input.
        window: letters that are read at once, see methods.py.
        overlap: of the windows of `wt-marginal`, see `plan_windows`.
    """

    seq_type: str
    method: str = "masked-marginal"
    variants: str | os.PathLike[str] | None = None
    variant_column: str | None = None
    variant_id_column: str | None = None
    compare: str | None = None
    score_column: str | None = None
    whole_sequences: bool = False
    heatmap: str | os.PathLike[str] | None = None
    window: int = DEFAULT_WINDOW
    overlap: int | None = None

    def check(self, output: str | os.PathLike[str], device: str | None = None) -> None:
        """Check, with the name of the table and the device, what needs no file and no model.

        Raises:
            ValueError: an option that cannot be right.
            ImportError: Matplotlib is missing.
        """
        if Path(output).suffix not in TABLE_SUFFIXES:
            raise ValueError(
                f"{output}: unknown output format; known are {' '.join(TABLE_SUFFIXES)}"
            )
        find_device(device)
        find_method(self.method)
        check_windows(self.window, self.overlap)
        check_seq_type(self.seq_type)
        if self.variants is None:
            for option in ("variant_column", "variant_id_column", "compare", "score_column"):
                if getattr(self, option) is not None:
                    raise ValueError(f"--{option.replace('_', '-')} needs --variants")
        if self.whole_sequences:
            if self.variants is not None:
                raise ValueError("--whole-sequences and --variants exclude one another")
            if self.method != LIKELIHOOD:
                raise ValueError(f"--whole-sequences needs --method {LIKELIHOOD}")
        if self.heatmap is not None:
            if self.variants is not None or self.whole_sequences:
                raise ValueError("--heatmap is for every substitution, not for chosen variants")
            check_heatmap(Path(self.heatmap))


def check_options(
    output: str | os.PathLike[str], device: str | None = None, **options: Any
) -> None:
    """Check the options of `score_file`, all but what depends on files.

    Raises:
        ValueError: an option that cannot be right.
        ImportError: Matplotlib is missing.
    """
    known = ScoreOptions.__dataclass_fields__
    chosen = {name: value for name, value in options.items() if name in known}
    ScoreOptions(**chosen).check(output, device)


class Job(NamedTuple):
    """What goes through the model, and the table that is made of it.

    Attributes:
        method: how the queries are scored.
        queries: makes the queries.
        schema: of the table.
        columns: turns the scores of the queries, in order, into the columns of stretches of the
            table.
    """

    method: Method
    queries: Callable[[], Iterator[Query]]
    schema: pa.Schema
    columns: Callable[[Iterator[np.ndarray]], Iterator[Columns]]


def make_job(
    options: ScoreOptions, records: Sequence[SequenceRecord], table: VariantTable | None
) -> Job:
    """Say what is to be done.

    Args:
        options: what is asked for.
        records: the sequences, their types `gene` or `prot`.
        table: the variants, if any are chosen.
    """
    ids = [record.id for record in records]
    wild_types = []
    for record in records:
        kind = str(record.seq_type)
        letters = as_read(record.sequence, kind)
        wild_types.append(Query(letters, kind, (), options.window, options.overlap))
    if options.whole_sequences:
        return _whole_sequences(ids, wild_types)
    method = find_method(options.method)
    if table is None:
        return _every_substitution(ids, wild_types, method)
    return _listed_variants(wild_types, table, options.score_column or SCORE, method)


def _listed_variants(
    wild_types: Sequence[Query], table: VariantTable, score_column: str, method: Method
) -> Job:
    """Score the variants of a table: its columns and one more, in one stretch."""

    def queries() -> Iterator[Query]:
        for number, chosen in table.variants.items():
            yield replace(wild_types[number], variants=[variant for _, variant in chosen])

    def columns(results: Iterator[np.ndarray]) -> Iterator[Columns]:
        scores = np.empty(len(table.rows))
        for chosen, result in zip(table.variants.values(), results, strict=True):
            scores[[row for row, _ in chosen]] = result
        yield [*zip(*table.rows, strict=True), scores]

    texts = [(name, pa.string()) for name in table.columns]
    return Job(method, queries, pa.schema([*texts, (score_column, pa.float64())]), columns)


def _every_substitution(ids: Sequence[str], wild_types: Sequence[Query], method: Method) -> Job:
    """Score all substitutions of all records, a row each; a stretch for each record."""

    def queries() -> Iterator[Query]:
        for query in wild_types:
            yield replace(query, variants=single_substitutions(query.sequence, query.seq_type))

    def columns(results: Iterator[np.ndarray]) -> Iterator[Columns]:
        for name, query, scores in zip(ids, queries(), results, strict=True):
            wild_type, position, mutant = zip(*(one for (one,) in query.variants), strict=True)
            yield [[name] * len(scores), position, wild_type, mutant, scores]

    return Job(method, queries, SUBSTITUTIONS, columns)


def _whole_sequences(ids: Sequence[str], wild_types: Sequence[Query]) -> Job:
    """Score sequences as they are, a row and a stretch for each record."""

    def columns(results: Iterator[np.ndarray]) -> Iterator[Columns]:
        for name, terms in zip(ids, results, strict=True):
            likelihood, perplexity = terms.sum(keepdims=True), np.exp(-terms.mean(keepdims=True))
            yield [[name], [len(terms)], likelihood, perplexity]

    return Job(EACH_LETTER, lambda: iter(wild_types), SEQUENCES, columns)


def spearman(scores: np.ndarray, measured: np.ndarray) -> tuple[float, int]:
    """Return Spearman's rank correlation of scores with what was measured, and of how many.

    Where nothing was measured is NaN, and does not count; the result is NaN where it is undefined.
    """
    from pandas import DataFrame

    both = DataFrame({"scores": scores, "measured": measured})
    correlation = both.corr("spearman").loc["scores", "measured"]
    return float(correlation), int(both["measured"].notna().sum())
