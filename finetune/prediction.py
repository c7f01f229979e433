# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A file of sequences or pairs to a table of predictions, in the order of the input.

The table is CSV, TSV or Parquet: ids as in the published data sets (`seq_id`, or `seq_id_a` and
`seq_id_b`), `prediction`, and `probability_NAME` for each label. Where the model was trained with a
length limit, `residues_used` (`_a`, `_b`) tells how much of a sequence was read.

The input is read first whole, without the model: what is wrong with it shows at once. Then chunk by
chunk, each predicted and written; memory does not grow with the file.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from tqdm.auto import tqdm

from embedding.inputs import SequenceInput, check_seq_type
from embedding.models import find_device
from embedding.outputs import replacing
from embedding.tables import TABLE_SUFFIXES, writing_table
from training_jobs.jobs import Tell, silent

from .classifiers import find_classifier
from .data import Example
from .data.settings import SIDES
from .prediction_input import PredictionInput, find_columns
from .predictions import id_columns, prediction_columns, prediction_table
from .predictor import Predictor

# Records that are predicted, and in memory, together; and their probabilities.
CHUNK_RECORDS = 4_096
CHUNK_LETTERS = 1_000_000
CHUNK_PROBABILITIES = 4_000_000


@dataclass(frozen=True)
class PredictionSummary:
    """What `predict_file` did; as text, one line.

    Attributes:
        output: the table.
        records: its rows.
        pairs: whether they are of pairs.
        letters: that the model read; what is there twice is read once.
        notes: what a user should know, a line each.
    """

    output: Path
    records: int
    pairs: bool
    letters: int
    notes: list[str]

    def __str__(self) -> str:
        what = ("pair" if self.pairs else "sequence") + "s" * (self.records != 1)
        return f"{self.output}: {self.records:,} {what}; the model read {self.letters:,} letters"


def check_options(
    output: str | os.PathLike[str],
    seq_type: str | None = None,
    device: str | None = None,
    **_: Any,
) -> None:
    """Check the options of `predict_file`, all but what depends on files and the model.

    Raises:
        ValueError: an option that cannot be right.
    """
    if Path(output).suffix not in TABLE_SUFFIXES:
        raise ValueError(f"{output}: unknown output format; known are {' '.join(TABLE_SUFFIXES)}")
    for kind in [] if seq_type is None else seq_type.split(","):
        check_seq_type(kind)
    find_device(device)


def predict_file(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    model: str | os.PathLike[str],
    *,
    seq_type: str | None = None,
    base_model: str | os.PathLike[str] | None = None,
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
    tell: Tell = silent,
) -> PredictionSummary:
    """Apply a fine-tuned model to every record of a file.

    Args:
        source: for a model of single sequences FASTA, CSV, TSV or Parquet, see
            `sequence_io.read_records`; for one of pairs a table, with columns as in the published
            data sets (`seq_id_a`, `seq_a`, `seq_id_b`, `seq_b`).
        output: the table, a .csv, .tsv or .parquet file; it appears when it is whole.
        model: folder or Hub repository of the model, or folder of an adapter of peft.
        seq_type: see `PredictionInput`.
        base_model: see `find_classifier`.
        revision: see `find_classifier`.
        device: as of `Predictor`.
        dtype: as of `Predictor`.
        tokens_per_batch: as of `Predictor`.
        attn_implementation: as of `Predictor`.
        id_column: the column of the ids, where the header is none of the known forms; for pairs
            two with a comma between.
        sequence_column: the column of the sequences, likewise.
        keep_gaps: keep gap and stop characters.
        overwrite: replace an output that is there.
        force: see `PredictionInput.look_through`.
        tell: called with the notes that are made before the model loads.

    Raises:
        ValueError: anything wrong with the input, the options, the model or the output; the
            message names it. What the output held before stays.
        torch.OutOfMemoryError: a sequence does not fit into memory; names the record.
        ImportError: the model is an adapter, and peft is not installed.
    """
    check_options(output, seq_type, device)
    output = Path(output)
    with tempfile.TemporaryDirectory() as folder, replacing(output, overwrite) as temporary:
        given = SequenceInput(source, seq_type or "", id_column, sequence_column, keep_gaps)
        given = given.kept_at(Path(folder) / "stdin.fasta")
        given.keep()
        columns = find_columns(given)
        found = find_classifier(model, base_model, revision)
        table = PredictionInput(given, columns, seq_type, found)
        seen = table.look_through(force)
        for note in table.notes:
            tell(note)
        predictor = Predictor(
            found,
            device=device,
            dtype=dtype,
            tokens_per_batch=tokens_per_batch,
            attn_implementation=attn_implementation,
        )
        letters = _write(table.read(), predictor, temporary, output.suffix, seen.letters)
    return PredictionSummary(
        output,
        seen.records // found.sides,
        found.sides == 2,
        letters,
        [*table.notes, *predictor.notes],
    )


def _write(
    examples: Iterable[Example], predictor: Predictor, path: Path, suffix: str, total: int
) -> int:
    """Predict and write chunk by chunk; return how many letters the model read."""
    config, problem, names = predictor.model.config, predictor.problem, predictor.label_names
    limits = config.max_residues or []
    fields = [(name, pa.string()) for name in id_columns(predictor.sides)]
    fields += [(name, pa.float64()) for name in prediction_columns(problem, names)]
    if problem != "regression":
        fields[predictor.sides] = ("prediction", pa.string())
    sides = SIDES["single" if predictor.sides == 1 else "pair"]
    fields += [(f"residues_used{side}", pa.int64()) for side in sides if limits]
    read = done = 0
    with (
        tqdm(total=total, unit=" letters", unit_scale=True, disable=None, delay=2) as bar,
        writing_table(path, suffix, pa.schema(fields)) as write,
    ):

        def progress(letters: int) -> None:
            nonlocal read
            read += letters
            bar.update(letters)

        for chunk in _chunks(examples, config.num_labels):
            values = predictor.probabilities(chunk, progress)
            used = [
                [min(len(one.sequences[side]), limit) for one in chunk]
                for side, limit in enumerate(limits)
            ]
            ids = zip(*(one.ids for one in chunk), strict=True)
            write([*ids, *prediction_table(problem, names, values), *used])
            # What is there twice, and what was cut off, was not read.
            done += sum(len(text) for one in chunk for text in one.sequences)
            bar.update(done - bar.n)
    return read


def _chunks(examples: Iterable[Example], num_labels: int) -> Iterator[list[Example]]:
    most = max(1, min(CHUNK_RECORDS, CHUNK_PROBABILITIES // num_labels))
    chunk: list[Example] = []
    letters = 0
    for one in examples:
        size = sum(map(len, one.sequences))
        if chunk and (len(chunk) == most or letters + size > CHUNK_LETTERS):
            yield chunk
            chunk, letters = [], 0
        chunk.append(one)
        letters += size
    if chunk:
        yield chunk
