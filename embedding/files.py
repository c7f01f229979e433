# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A file of sequences to a file of embeddings.

The input is read twice. First whole, without the model: what is wrong with it shows at once, and
its fingerprint, its size and the molecule types that it looks like are known. Then part by part
(parts.py), each embedded and saved; several processes share the parts out among themselves. When
all are there they become the output (writers.py).
"""

import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from importlib.metadata import version
from math import prod
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from torch import Tensor
from tqdm.auto import tqdm

from .embedder import Embedder, finish, join_pieces, row_shape
from .inputs import SequenceInput
from .jobs import check_same
from .layout import Layout, StoredRecord
from .models import ModelSource, find_device, find_model
from .outputs import replace_durably, writing
from .parts import PartFolder, PieceInfo, as_saved
from .settings import Settings, check_options
from .store import read_provenance, remove_output
from .writers import exists, open_writer

# Letters of a part. At 447 tokens/s for two blocks (docs/log.md) the published model's twenty take
# two CPU cores six minutes for one; no GPU was measured. Of per-residue embeddings a part holds
# less, for it is in memory as a whole.
SAVE_EVERY = {"cpu": 16_384, "cuda": 262_144}
PART_BYTES = 2**29
# Truncated records that are named one by one.
NAMED_RECORDS = 20


@dataclass(frozen=True)
class EmbeddingSummary:
    """What `embed_file` did.

    Attributes:
        output: the file.
        records: embedded records; 0 in a process that only helped another one.
        letters: their residues or nucleotides.
        shape: of what is stored for each record, in words.
        notes: what a user should know: letters removed, records truncated, memory that ran out.
    """

    output: Path
    records: int
    letters: int
    shape: str
    notes: list[str]


def embed_file(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    model: str | os.PathLike[str],
    seq_type: str,
    *,
    revision: str | None = None,
    device: str | None = None,
    tokens_per_batch: int | None = None,
    save_every: int | None = None,
    overwrite: bool = False,
    force: bool = False,
    **options: Any,
) -> EmbeddingSummary:
    """Embed every record of a file, and go on where an earlier run of the same job stopped.

    Under `accelerate launch` the processes share the work; each calls this with the same
    arguments, and all must see the same files.

    Args:
        source: FASTA, CSV, TSV or Parquet, see `sequence_io.read_records`.
        output: a .h5, .parquet or .safetensors file, see store.py; it appears when it is whole.
        model: folder or Hub repository of the model.
        seq_type: `gene`, `prot`, `column:NAME` or `header`.
        revision: branch, tag or commit of a Hub repository.
        device: as of PyTorch; the GPU where there is one, if not given.
        tokens_per_batch: see `ModelRunner`.
        save_every: letters after which what is done is safe on disk.
        overwrite: replace an output, or the begun parts, of another run.
        force: go on even if most sequences look like the other molecule type.
        options: `pooling`, `layers`, `window`, `overlap` and `merge` as of `Embedder.encode`;
            `dtype` and `attn_implementation` as of `Embedder`; `save_dtype`, the precision of the
            output; `truncate`, letters after which a sequence is cut off; `id_column`,
            `sequence_column` and `keep_gaps` as of `sequence_io.read_records`.

    Returns:
        A summary of the work.

    Raises:
        ValueError: anything wrong with the input, the options, the model or the output; the
            message names it. What the output held before stays, and what is done is kept.
        TypeError: an option that there is not.
    """
    output = Path(output)
    if unknown := options.keys() - Settings.__dataclass_fields__.keys():
        raise TypeError(f"embed_file has no option {', '.join(sorted(unknown))}")
    settings = check_options(output, device, seq_type=seq_type, **options)
    if output.is_dir():
        raise ValueError(f"{output}: cannot be written: there is a folder of this name")
    if output.exists() and Path(source).exists() and output.samefile(source):
        raise ValueError(f"{output}: is the input")
    found = find_model(model, revision)
    row_shape(settings.layers, found.config)
    # A process may have to wait for the others as long as the whole job takes.
    processes = PartialState(
        cpu=device == "cpu" or not torch.cuda.is_available(), timeout=timedelta(days=30)
    )
    folder = PartFolder(output)
    sequences = settings.input(source).kept_at(folder.input_copy)
    if processes.is_main_process:
        folder.open()
    finished = False
    try:
        summary = None
        if processes.is_main_process:
            sequences.keep()
            summary = _begin(
                folder, sequences, found, settings, device, save_every, overwrite, force
            )
            finished = summary is not None
            if finished:
                folder.close(finished=True)
        processes.wait_for_everyone()
        job = folder.job()
        if job is None:
            return summary or EmbeddingSummary(output, 0, 0, "", [])
        if device is None and processes.num_processes > 1:
            device = processes.device
        done_before = folder.letters_done()
        count = _embed_parts(
            folder,
            job,
            sequences,
            found,
            settings,
            processes,
            device=device,
            tokens_per_batch=tokens_per_batch,
        )
        processes.wait_for_everyone()
        if not processes.is_main_process:
            return EmbeddingSummary(output, 0, 0, "", [])
        summary = _merge(folder, count, job, settings, row_shape(settings.layers, found.config))
        if done_before:
            summary.notes.append(f"{done_before:,} letters were there from an earlier run")
        finished = True
        return summary
    finally:
        if processes.is_main_process:
            folder.close(finished)


def _begin(
    folder: PartFolder,
    sequences: SequenceInput,
    found: ModelSource,
    settings: Settings,
    device: str | None,
    save_every: int | None,
    overwrite: bool,
    force: bool,
) -> EmbeddingSummary | None:
    """Look through the input and begin the job; if its output is complete, return a summary."""
    seen, cleaning = sequences.look_through(force)
    made_from = json.loads(
        json.dumps({"input_sha256": seen.sha256, **found.fingerprint(), **settings.decisive()})
    )
    shape = row_shape(settings.layers, found.config)
    if exists(folder.output) and not overwrite:
        try:
            before = read_provenance(folder.output)
        except ValueError as error:
            raise ValueError(f"{error}; --overwrite replaces it") from None
        check_same(f"{folder.output} was made", before["made_from"], made_from)
        if begun := folder.job():  # an attempt to replace it that has more to come
            check_same(f"{folder.path} was begun", begun["made_from"], made_from)
        note = f"{folder.output} is complete; nothing was done"
        return _summary(folder.output, before, settings, shape, [note])
    if save_every is None:
        save_every = SAVE_EVERY.get(find_device(device).type, SAVE_EVERY["cpu"])
        if settings.pooling == "none":
            save_every = min(save_every, PART_BYTES // (4 * prod(shape)))
    provenance = {
        "format": "lucaone-embeddings 1",
        "model": found.name,
        "revision": found.revision,
        "input": Path(sequences.name).name,
        "records": seen.records,
        "letters": seen.letters,
        "made_from": made_from,
        "options": asdict(settings),
        "versions": {name: version(name) for name in ("lucaone-hf", "torch", "transformers")},
        "notes": [cleaning.summary()] if cleaning.summary() else [],
    }
    folder.begin(made_from, {"save_every": save_every, "provenance": provenance}, overwrite)
    return None


def _summary(
    output: Path,
    provenance: dict[str, Any],
    settings: Settings,
    shape: tuple[int, ...],
    notes: list[str],
) -> EmbeddingSummary:
    numbers = " x ".join(f"{size:,}" for size in shape)
    what = "vectors for each residue" if settings.pooling == "none" else "vectors"
    return EmbeddingSummary(
        output, provenance["records"], provenance["letters"], f"{what} of {numbers} numbers", notes
    )


def _embed_parts(
    folder: PartFolder,
    job: dict[str, Any],
    sequences: SequenceInput,
    found: ModelSource,
    settings: Settings,
    processes: Any,
    **embedder_options: Any,
) -> int:
    """Embed the parts that are this process's and not there yet; return how many there are."""
    embedder = None
    count = 0
    bar = tqdm(
        desc="embedding",
        total=job["provenance"]["letters"] // processes.num_processes,
        initial=folder.letters_done() // processes.num_processes,
        unit=" letters",
        unit_scale=True,
        disable=None if processes.is_main_process else True,
        delay=2,
    )
    with bar:
        for number, part in enumerate(settings.parts(sequences, job["save_every"])):
            count += 1
            mine = number % processes.num_processes == processes.process_index
            if not mine or folder.has(number):
                continue
            if embedder is None:
                embedder = Embedder(
                    found,
                    dtype=settings.dtype,
                    attn_implementation=settings.attn_implementation,
                    **embedder_options,
                )
            rows, notes = _embed_part(embedder, part, settings, bar)
            folder.write(number, rows, [planned.info for planned in part], notes)
    return count


def _embed_part(
    embedder: Embedder, part: list[Any], settings: Settings, bar: Any
) -> tuple[Tensor, list[str]]:
    """Return the rows of a part and the notes that were made meanwhile."""
    infos = [planned.info for planned in part]
    runner = embedder.runner

    def progress(done: list[int]) -> None:
        bar.set_postfix_str(
            f"{runner.real_tokens:,} tokens, {runner.padded_tokens:,} if padded", refresh=False
        )
        bar.update(sum(infos[i].kept for i in done))

    notes_before = len(embedder.notes)
    rows = embedder.embed_pieces(
        [planned.piece for planned in part], settings.pooling, settings.layers, progress
    )
    dtype = getattr(torch, settings.save_dtype)
    for i, info in enumerate(infos):
        # A mean lies within those of the pieces: what is too large shows here, not at the end.
        saved = as_saved(finish(settings.pooling, rows[i], info.kept), dtype, info.id)
        if settings.pooling == "none":
            rows[i] = saved
    together = torch.cat(rows) if settings.pooling == "none" else torch.stack(rows)
    return together, embedder.notes[notes_before:]


def _merge(
    folder: PartFolder,
    count: int,
    job: dict[str, Any],
    settings: Settings,
    shape: tuple[int, ...],
) -> EmbeddingSummary:
    """Make the output of all parts."""
    provenance = job["provenance"]
    notes = provenance["notes"]
    for number in range(count):
        notes += folder.notes(number)
    layout = Layout(
        row_shape=shape,
        per_residue=settings.pooling == "none",
        dtype=getattr(torch, settings.save_dtype),
        truncated=settings.truncate is not None,
        provenance=json.dumps(provenance),
    )
    shortened = records = letters = 0
    with (
        writing(folder.output, "; what is done is kept, the same command goes on from there"),
        open_writer(folder.output, folder.path, layout) as writer,
    ):
        for record, start, rows in _records(folder, count, settings.pooling, layout.dtype):
            writer.add(record, start, rows)
            if start > 0:
                continue
            records, letters = records + 1, letters + record.length
            if record.embedded < record.length:
                shortened += 1
                if shortened <= NAMED_RECORDS:
                    notes.append(
                        f"record {record.id!r}: {record.length:,} letters, "
                        f"embedded are the first {record.embedded:,}"
                    )
        if (records, letters) != (provenance["records"], provenance["letters"]):
            folder.discard()
            raise ValueError(f"{provenance['input']}: changed while it was read; nothing is kept")
        written = writer.close()
        remove_output(folder.output)
        for temporary, path in written:
            replace_durably(temporary, path)
    if shortened > NAMED_RECORDS:
        notes.append(f"truncated were {shortened:,} records; 'embedded' in the output says which")
    return _summary(folder.output, provenance, settings, shape, notes)


def _pieces(folder: PartFolder, count: int, pooling: str) -> Iterator[tuple[PieceInfo, Tensor]]:
    for number in range(count):
        rows, infos = folder.read(number)
        each = rows.split([info.kept for info in infos]) if pooling == "none" else rows.unbind()
        yield from zip(infos, each, strict=True)


def _records(
    folder: PartFolder, count: int, pooling: str, dtype: torch.dtype
) -> Iterator[tuple[StoredRecord, int, Tensor]]:
    """Put the pieces of each record together; of a matrix they come one after the other."""
    pieces = _pieces(folder, count, pooling)
    for _, group in itertools.groupby(pieces, key=lambda piece: piece[0].record):
        start = 0
        whole: list[Tensor] = []
        for info, rows in group:
            record = StoredRecord(info.record, info.id, info.length, info.embedded)
            if pooling == "none":
                yield record, start, rows
                start += info.kept
            else:
                whole.append(rows)
        if whole:
            vector = finish(pooling, join_pieces(pooling, whole), record.embedded)
            yield record, 0, as_saved(vector, dtype, record.id)
