# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A file of sequences to a table of scores: of listed variants, of every substitution, or whole.

The table is CSV, TSV or Parquet. With a table of variants it is that table, row by row, with a
column `score` more. Without, it has a row for every substitution of every record: `id`, `position`
(from 1), `wild_type`, `mutant` and `score`, RNA being written with T. Of whole sequences it has a
row per record: `id`, `length`, `pseudo_log_likelihood` and `pseudo_perplexity`.

Everything is checked before the model is loaded, and outputs appear when they are whole.
"""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from sequence_io import CleaningReport, SequenceRecord, survey
from sequence_io.records import file_error

from ..inputs import SequenceInput
from ..models import find_model
from ..outputs import replacing
from ..tables import writing_table
from .heatmaps import LONGEST_SEQUENCE, draw_heatmap
from .jobs import SCORE, ScoreOptions, make_job, spearman
from .methods import IN_ONE_WINDOW
from .scorer import Scorer
from .variants import VariantTable, as_matrix, as_read, read_variants


@dataclass(frozen=True)
class ScoreSummary:
    """What `score_file` did; as text, what it made.

    Attributes:
        output: the table.
        content: what its rows are.
        passes: through the model.
        letters: of all passes.
        heatmaps: the pictures.
        spearman: rank correlation with the column compared, and over how many rows; or None.
        notes: what a user should know, a line each.
    """

    output: Path
    content: str
    passes: int
    letters: int
    heatmaps: list[Path]
    spearman: tuple[float, int] | None
    notes: list[str]

    def __str__(self) -> str:
        """Return a line for the table, and one each for the heat-maps and the correlation."""
        cost = f"{self.letters:,} letters in {_count(self.passes, 'pass', 'es')}"
        lines = [f"{self.output}: {self.content}; the model read {cost}"]
        if self.heatmaps:
            more = f" to {self.heatmaps[-1].name}" if len(self.heatmaps) > 1 else ""
            lines.append(f"{self.heatmaps[0]}{more}: heat-map")
        if self.spearman is not None:
            lines.append("Spearman's rho {:.4f}, {:,} variants".format(*self.spearman))
        return "\n".join(lines)


def score_file(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    model: str | os.PathLike[str],
    seq_type: str,
    *,
    revision: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    attn_implementation: str | None = None,
    tokens_per_batch: int | None = None,
    id_column: str | None = None,
    sequence_column: str | None = None,
    keep_gaps: bool = False,
    overwrite: bool = False,
    force: bool = False,
    **options: Any,
) -> ScoreSummary:
    """Score variants of the records of a file.

    Args:
        source: the sequences, see `sequence_io.read_records`. Positions of variants count their
            letters after cleaning.
        output: the table, a .csv, .tsv or .parquet file.
        model: folder or Hub repository of the model.
        seq_type: `gene`, `prot`, `column:NAME` or `header`.
        revision: branch, tag or commit of a Hub repository.
        device: as of `Scorer`.
        dtype: as of `Scorer`.
        attn_implementation: as of `Scorer`.
        tokens_per_batch: as of `Scorer`.
        id_column: as of `sequence_io.read_records`.
        sequence_column: as of `sequence_io.read_records`.
        keep_gaps: as of `sequence_io.read_records`.
        overwrite: replace outputs that are there.
        force: go on even if most sequences look like the other molecule type.
        options: see `ScoreOptions`.

    Raises:
        ValueError: anything wrong with the input, the options, the model or the outputs; the
            message names it. What an output held before stays.
        ImportError: Matplotlib is missing.
    """
    settings = ScoreOptions(seq_type, **options)
    settings.check(output, device)
    sequences = SequenceInput(source, seq_type, id_column, sequence_column, keep_gaps)
    cleaning = CleaningReport()
    records = list(sequences.read(cleaning))
    if not force:
        sequences.question(survey(records))
    table = None if settings.variants is None else _variants(settings, records)
    job = make_job(settings, records, table)
    pictures = _pictures(settings.heatmap, records, source)
    outputs = [Path(output), *pictures]
    with ExitStack() as stack:
        # The outputs get their names when all of them are whole.
        temporaries = [stack.enter_context(replacing(path, overwrite)) for path in outputs]
        scorer = Scorer(
            find_model(model, revision),
            device=device,
            dtype=dtype,
            attn_implementation=attn_implementation,
            tokens_per_batch=tokens_per_batch,
        )
        sizes = [len(one.text) for query in job.queries() for one in job.method.passes(query)]
        bar = stack.enter_context(
            tqdm(total=sum(sizes), unit=" letters", unit_scale=True, disable=None, delay=2)
        )
        write = stack.enter_context(writing_table(temporaries[0], outputs[0].suffix, job.schema))
        rows, correlation = 0, None
        results = scorer.run(job.queries(), job.method, bar.update)
        for number, columns in enumerate(job.columns(results)):
            write(columns)
            rows += len(columns[-1])
            if table is not None and table.measured is not None:
                correlation = spearman(np.asarray(columns[-1]), table.measured)
            if pictures:
                label = f"score, {settings.method}"
                picture = _draw(records[number], columns[-1], label, pictures[number].suffix)
                temporaries[1 + number].write_bytes(picture)
    if settings.whole_sequences:
        content = _count(rows, "sequence")
    else:
        what, scored = ("substitution", records) if table is None else ("variant", table.variants)
        content = f"{_count(rows, what)} of {_count(len(scored), 'sequence')}"
    notes = [note for note in (cleaning.summary(), *scorer.notes) if note]
    return ScoreSummary(outputs[0], content, len(sizes), sum(sizes), pictures, correlation, notes)


def _count(number: int, what: str, plural: str = "s") -> str:
    return f"{number:,} {what}{'' if number == 1 else plural}"


def _variants(settings: ScoreOptions, records: list[SequenceRecord]) -> VariantTable:
    assert settings.variants is not None
    table = read_variants(
        settings.variants,
        records,
        variant_column=settings.variant_column or "variant",
        variant_id_column=settings.variant_id_column,
        compare=settings.compare,
        longest_span=settings.window if settings.method == IN_ONE_WINDOW else None,
    )
    if (name := settings.score_column or SCORE) in table.columns:
        problem = f"has a column {name!r} already; --score-column names the new one"
        raise file_error(settings.variants, problem)
    return table


def _pictures(
    heatmap: str | os.PathLike[str] | None,
    records: list[SequenceRecord],
    source: str | os.PathLike[str],
) -> list[Path]:
    """Return the name of the heat-map of each record; none where none are asked for."""
    if heatmap is None:
        return []
    for record in records:
        if len(record.sequence) > LONGEST_SEQUENCE:
            problem = (
                f"{len(record.sequence):,} letters are too many for a heat-map; "
                f"{LONGEST_SEQUENCE:,} are the most"
            )
            raise file_error(source, problem, record=record.id)
    path = Path(heatmap)
    if len(records) == 1:
        return [path]
    return [path.with_stem(f"{path.stem}-{number + 1}") for number in range(len(records))]


def _draw(record: SequenceRecord, scores: Any, label: str, suffix: str) -> bytes:
    kind = str(record.seq_type)
    letters = as_read(record.sequence, kind)
    matrix = as_matrix(letters, kind, scores)
    return draw_heatmap(matrix, letters, kind, record.id, label, suffix)
