# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A fine-tuning run: labelled data and a model to a model that predicts, with its results.

The data are looked through before the model loads. While the run is under way, its checkpoints lie
in `OUTPUT.partial`, and the same call goes on from the last one; `OUTPUT` appears when it is whole.
"""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

from accelerate import PartialState

from embedding.models import ModelSource, find_model, load_tokenizer
from modeling_lucaone import LucaOneConfig
from training_jobs.hardware import Hardware
from training_jobs.jobs import CHECKPOINTS, Tell, resumable, silent
from training_jobs.results import read_results
from training_jobs.schedule import check_schedule
from training_jobs.settings import as_dictionary

from .batches import TokenizedExamples
from .data import TaskData
from .features.lucaone import LucaOneBackbone
from .frozen import feature_rows, train_on_features
from .jobs import check_libraries, origin_of, read_labelled
from .networks import add_lora, load_encoder, network_config, new_head, with_head
from .results import Outcome, save_outcome, summary_line
from .task import Task, read_task
from .training import Trained, main_metric, train, updates_of

Mode = Literal["frozen", "full", "lora"]
MODES = ("frozen", "full", "lora")


@dataclass(frozen=True)
class RunSummary:
    """What a run came to.

    Attributes:
        output: folder of the model, its results, pictures and card.
        results: what `results.json` holds.
        notes: what a user should know.
        is_main_process: the one of several that tells.
    """

    output: Path
    results: dict[str, Any]
    notes: list[str]
    is_main_process: bool

    def __str__(self) -> str:
        return f"{self.output}: {summary_line(self.results)}"


def finetune(
    task: str | os.PathLike[str] | Task | None = None,
    *,
    model: str | os.PathLike[str],
    output: str | os.PathLike[str],
    data: str | os.PathLike[str] | None = None,
    mode: Mode = "frozen",
    changes: Iterable[str] = (),
    labels_file: str | os.PathLike[str] | None = None,
    features: str | os.PathLike[str] | None = None,
    revision: str | None = None,
    overwrite: bool = False,
    force: bool = False,
    tell: Tell = silent,
    **hardware: Any,
) -> RunSummary:
    """Train a model on a task, and go on where an earlier call stopped.

    Under `accelerate launch` every process calls this with the same arguments, and all must see the
    same files. The result does not depend on their number, but for dropout.

    Args:
        task: name of a published task, a YAML file, or a `Task`; None for one of `changes` alone.
        model: folder or Hub repository of a LucaOne model; a head that it may have is left.
        output: folder to be made.
        data: see `read_data`; those that the task names on the Hub, if not given.
        mode: `frozen` trains the head on features that are computed once, `full` all weights,
            `lora` small matrices in the blocks.
        changes: of the task, `key=value` each.
        labels_file: table of labels, where `data` is FASTA.
        features: folder where features are kept for this and other runs; `features` beside the
            output if not given.
        revision: branch, tag or commit of a Hub repository.
        overwrite: replace an output, or the begun work, of another run; nothing else is replaced.
        force: go on even if most sequences look like the other molecule type.
        tell: called with what a user wants to know before the training.
        hardware: as of `Hardware`.

    Raises:
        DataError: the data cannot be trained on; it carries the table of what was found.
        ValueError: anything else wrong with the task, the model, the options or the output.
        RuntimeError: the training failed, see `TaskTrainer`. What is done is kept.
        ImportError: a library of the extra `finetune` is missing.
    """
    if mode not in MODES:
        raise ValueError(f"mode: {mode!r} is none of {', '.join(MODES)}")
    where = Hardware(**hardware)
    where.check()
    check_libraries(*["peft"] * (mode == "lora"))
    task = task if isinstance(task, Task) else read_task(task, changes, data)
    output = Path(output)
    read = partial(read_results, command="finetune")
    if output.exists() and not overwrite:
        read(output)  # refuses what is no such output before the data are looked through
    processes = PartialState(cpu=where.kind == "cpu", timeout=timedelta(days=30))
    begun, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")

    if not processes.is_main_process:
        tell = silent
    found = find_model(model, revision)
    labelled = read_labelled(task, data, labels_file, tell, force)
    main_metric(task, labelled.problem)
    config = network_config(task, labelled, found.config)
    updates = updates_of(task, len(labelled.splits["train"]))
    if warning := check_schedule(task.warmup_steps, updates):
        tell(warning)
    made_from = {
        "mode": mode,
        "dtype": where.dtype or ("as stored" if mode == "frozen" else "float32"),
        **as_dictionary(task),
        **{f"{name}_sha256": digest for name, digest in sorted(labelled.files.items())},
        **found.fingerprint(),
    }
    with resumable(output, CHECKPOINTS, made_from, overwrite, processes, read) as job:
        if job.complete is not None:
            notes = [f"{output} is complete; nothing was done"]
            return RunSummary(output, job.complete, notes, processes.is_main_process)
        prepared = time.monotonic()
        if mode == "frozen":
            store = Path(features) if features is not None else output.parent / "features"
            backbone = LucaOneBackbone(
                found, feature_rows(task), where.dtype, where.device, where.tokens_per_batch
            )
            trained = train_on_features(
                task, labelled, config, [backbone], store, job.path, where, tell
            )
        else:
            trained = _train_whole(task, labelled, config, found, mode == "lora", job.path, where)
        if processes.is_main_process:
            if mode == "frozen":
                trained.model = with_head(load_encoder(found), trained.model)
            outcome = Outcome(task, labelled, trained, found, mode)
            results = outcome.results() | {
                "made_from": made_from,
                "started": started,
                "seconds": {
                    "preparation": round(prepared - begun, 1),
                    "training": round(time.monotonic() - prepared, 1),
                },
                "notes": trained.notes,
            }
            results["data"]["source"] = origin_of(data or task.dataset or "")
            save_outcome(outcome, results, output)
            job.finished = True
        processes.wait_for_everyone()
        return RunSummary(output, read(output), trained.notes, processes.is_main_process)


def _train_whole(
    task: Task,
    data: TaskData,
    config: LucaOneConfig,
    found: ModelSource,
    lora: bool,
    folder: Path,
    hardware: Hardware,
) -> Trained:
    """Train the encoder with its head, all of it or by LoRA."""
    encoder = load_encoder(found, hardware.attn_implementation)
    sides = 1 if task.input == "single" else 2
    model = with_head(encoder, new_head(config, [config.hidden_size] * sides, task.seed))
    tokenizer = load_tokenizer(found)
    splits = {
        name: TokenizedExamples(examples, tokenizer, config.class_weights)
        for name, examples in data.splits.items()
        if examples
    }
    return train(
        add_lora(model, task) if lora else model,
        splits,
        task,
        data.problem,
        folder,
        hardware,
        encoder_learning_rate=None if lora else task.encoder_learning_rate,
    )
