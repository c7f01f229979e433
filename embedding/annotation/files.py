# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A file of sequences to a file of annotations, in the order of the input.

The input is read twice. First whole, without the model: what is wrong with it shows at once. Then
group by group, each annotated and written; memory does not grow with the file.
"""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from tqdm.auto import tqdm

from sequence_io import SequenceRecord
from tokenization import normalize_seq_type

from ..inputs import SequenceInput, check_seq_type
from ..models import ModelSource, find_device, find_model
from ..outputs import replacing
from ..windows import DEFAULT_WINDOW
from .annotator import Annotator, check_annotation_options
from .formats import find_writer
from .tasks import Task, find_tasks

# Sequences that are annotated, and in memory, together; those of a group are sorted by length.
GROUP_RECORDS = 4_096
GROUP_LETTERS = 1_000_000
# The published keyword head (facts 2.2).
UNCALIBRATED = "prot_keyword"


@dataclass(frozen=True)
class AnnotationSummary:
    """What `annotate_file` did.

    Attributes:
        output: the file, `-` for standard output.
        records: sequences that were annotated.
        letters: their residues or nucleotides.
        labels: labels of whole sequences that were found.
        spans: spans that were found.
        notes: what a user should know: letters removed, sequences read in windows.
    """

    output: str
    records: int
    letters: int
    labels: int
    spans: int
    notes: list[str]


def check_options(
    output: str | os.PathLike[str],
    seq_type: str,
    device: str | None = None,
    **options: Any,
) -> None:
    """Check the options of `annotate_file`, all but what depends on files.

    Raises:
        ValueError: an option that cannot be right.
    """
    find_writer(output)
    check_seq_type(seq_type)
    names = ("top_k", "threshold", "min_length", "window", "overlap")
    check_annotation_options(**{name: options[name] for name in names if name in options})
    find_device(device)


def choose_tasks(
    found: ModelSource,
    output: str | os.PathLike[str],
    tasks: Iterable[str] | None = None,
    seq_type: str = "header",
) -> list[Task]:
    """Return the tasks of a model that are to be run for an output.

    Raises:
        ValueError: a task that the model does not have, or that the format cannot hold, or no task
            for sequences of this type.
    """
    writer = find_writer(output)
    chosen = find_tasks(found, tasks)
    if tasks is None:
        chosen = [task for task in chosen if task.gives in writer.unasked]
    for task in chosen:
        if task.gives not in writer.holds:
            raise ValueError(
                f"{output}: holds {' and '.join(writer.holds)}, but task {task.name} gives "
                f"{task.gives}"
            )
    if not chosen:
        raise ValueError(f"{found.name}: none of its tasks gives {' or '.join(writer.holds)}")
    if seq_type != "header" and not seq_type.startswith("column:"):
        kind = normalize_seq_type(seq_type)
        if all(task.seq_type != kind for task in chosen):
            names = ", ".join(task.name for task in chosen)
            raise ValueError(f"{found.name}: no task to be run ({names}) is for {kind} sequences")
    return chosen


def annotate_file(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    model: str | os.PathLike[str],
    seq_type: str,
    *,
    tasks: Iterable[str] | None = None,
    revision: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    tokens_per_batch: int | None = None,
    attn_implementation: str | None = None,
    id_column: str | None = None,
    sequence_column: str | None = None,
    keep_gaps: bool = False,
    overwrite: bool = False,
    force: bool = False,
    **options: Any,
) -> AnnotationSummary:
    """Annotate every record of a file.

    Args:
        source: FASTA, CSV, TSV or Parquet, see `sequence_io.read_records`.
        output: a .tsv, .gff3 (.gff) or .jsonl file, see formats.py; it appears when it
            is whole. `-` is TSV to standard output.
        model: folder or Hub repository of the model.
        seq_type: `gene`, `prot`, `column:NAME` or `header`.
        tasks: the tasks to run; where not given, all that the format says unasked.
        revision: as of `Annotator`.
        device: as of `Annotator`.
        dtype: as of `Annotator`.
        tokens_per_batch: as of `Annotator`.
        attn_implementation: as of `Annotator`.
        id_column: the column of the ids, where the header is none of the known forms.
        sequence_column: the column of the sequences, likewise.
        keep_gaps: keep gap and stop characters.
        overwrite: replace an output that is there.
        force: go on even if most sequences look like the other molecule type.
        options: `top_k`, `threshold`, `min_length`, `window` and `overlap` as of
            `Annotator.annotate`.

    Returns:
        A summary of the work.

    Raises:
        ValueError: anything wrong with the input, the options, the model or the output; the
            message names it. What the output held before stays.
    """
    check_options(output, seq_type, device, **options)
    given = SequenceInput(source, seq_type, id_column, sequence_column, keep_gaps)
    records = letters = labels = spans = windowed = without_task = 0
    with tempfile.TemporaryDirectory() as folder, _writable(output, overwrite) as stream:
        given = given.kept_at(Path(folder) / "stdin.fasta")
        given.keep()
        surveyed, cleaning = given.look_through(force)
        found = find_model(model, revision)
        chosen = choose_tasks(found, output, tasks, seq_type)
        annotator = Annotator(
            found,
            tasks=[task.name for task in chosen],
            device=device,
            dtype=dtype,
            tokens_per_batch=tokens_per_batch,
            attn_implementation=attn_implementation,
        )
        writer = find_writer(output)(stream, chosen)
        with tqdm(
            total=surveyed.letters, unit=" letters", unit_scale=True, disable=None, delay=2
        ) as bar:
            for group in _groups(given.read()):
                annotations = annotator.annotate(
                    [record.sequence for record in group],
                    [str(record.seq_type) for record in group],
                    keep_gaps=keep_gaps,
                    progress=bar.update,
                    **options,
                )
                for record, annotation in zip(group, annotations, strict=True):
                    records += 1
                    writer.write(records, record.id, annotation)
                    letters += annotation.length
                    labels += sum(map(len, annotation.labels.values()))
                    spans += sum(map(len, annotation.spans.values()))
                    windowed += annotation.length > options.get("window", DEFAULT_WINDOW)
                    without_task += all(task.seq_type != annotation.seq_type for task in chosen)
    notes = [cleaning.summary()] if cleaning.records_changed else []
    if windowed:
        notes.append(
            f"{windowed:,} of {records:,} sequences are longer than a window; labels of the whole "
            "are told from the first window, values by window"
        )
    if without_task:
        notes.append(f"{without_task:,} of {records:,} sequences are of a type without a task")
    if any(task.name == UNCALIBRATED for task in chosen):
        notes.append(
            f"if this is a published checkpoint, its {UNCALIBRATED} head was never trained on the "
            "keywords that a protein has not, and its scores are no calibrated probabilities"
        )
    return AnnotationSummary(
        os.fspath(output), records, letters, labels, spans, notes + annotator.notes
    )


@contextmanager
def _writable(output: str | os.PathLike[str], overwrite: bool) -> Iterator[TextIO]:
    """Give a stream whose file takes the place of the output only if nothing fails.

    Raises:
        ValueError: the output is there already, or cannot be written.
    """
    if os.fspath(output) == "-":
        yield sys.stdout
        return
    with (
        replacing(Path(output), overwrite) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as stream,
    ):
        yield stream


def _groups(records: Iterable[SequenceRecord]) -> Iterator[list[SequenceRecord]]:
    group: list[SequenceRecord] = []
    letters = 0
    for record in records:
        full = len(group) == GROUP_RECORDS or letters + len(record.sequence) > GROUP_LETTERS
        if group and full:
            yield group
            group, letters = [], 0
        group.append(record)
        letters += len(record.sequence)
    if group:
        yield group
