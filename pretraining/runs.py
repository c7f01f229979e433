# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A pre-training run: labelled records and a recipe to a model.

The records are looked through before the training. While it is under way its checkpoints lie in
`OUTPUT.partial`, and the same call goes on from the last one; `OUTPUT` appears when it is whole.
"""

import importlib.util
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from embedding.models import find_model, load_tokenizer
from modeling_lucaone import LucaOneForPreTraining
from tokenization import LucaOneTokenizerFast
from training_jobs.hardware import Hardware
from training_jobs.jobs import CHECKPOINTS, Tell, resumable, silent
from training_jobs.results import read_results, stated_license
from training_jobs.schedule import check_schedule
from training_jobs.settings import as_dictionary
from training_jobs.trainer import TOKENS_PER_BATCH

from .evaluation import ConstantModel, Evaluation
from .examples import ExampleMaker
from .inputs import read_data
from .models import first_model, new_config
from .order import Mixture
from .recipe import Recipe, read_recipe
from .results import save_run, summary_table
from .steps import Packer, PretrainingSteps
from .survey import constant_logits
from .training import total_steps, train

Source = str | os.PathLike[str]
# What may change while a run is under way.
FREE = ("save_steps", "keep_checkpoints")


@dataclass(frozen=True)
class PretrainingSummary:
    """What a run came to; `str()` is a table of the tasks.

    Attributes:
        output: folder of the model, its results, curves and card.
        results: what `results.json` holds.
        notes: what a user should know.
        is_main_process: the one of several that tells.
    """

    output: Path
    results: dict[str, Any]
    notes: list[str]
    is_main_process: bool

    def __str__(self) -> str:
        return f"{summary_table(self.results)}\n{self.output}"


def pretrain(
    recipe: Source | Recipe,
    *,
    train_data: Source | Sequence[Source],
    eval_data: Source | Sequence[Source] | None = None,
    output: Source,
    model: Source | None = None,
    labels: Source | None = None,
    changes: Iterable[str] = (),
    revision: str | None = None,
    workers: int = 0,
    compile_model: bool = False,
    overwrite: bool = False,
    tell: Tell = silent,
    **hardware: Any,
) -> PretrainingSummary:
    """Pre-train a model, and go on where an earlier call stopped.

    Under `accelerate launch` every process calls this with the same arguments, and all must see the
    same files. The result does not depend on their number, nor on the workers.

    Args:
        recipe: name of one that comes with the package, a YAML file, or a `Recipe`.
        train_data: folders of Parquet shards, see `pretraining.data.records`.
        eval_data: likewise, for the evaluation; none without.
        output: folder to be made.
        model: folder or Hub repository of a LucaOne model that goes on; a new one if not given.
        labels: folder of label vocabularies `TASK.txt`; `labels` in or beside the folders of
            records if not given.
        changes: of the recipe, `key=value` each.
        revision: branch, tag or commit of a Hub repository.
        workers: processes that read records, for each training process.
        compile_model: use `torch.compile`.
        overwrite: replace an output, or the begun work, of another run; nothing else is replaced.
        tell: called with what a user wants to know before the training.
        hardware: as of `Hardware`.

    Raises:
        ValueError: anything wrong with the recipe, the records, the model, the options or the
            output; the message names it.
        RuntimeError, KeyboardInterrupt: see `training.train`. What is done is kept.
        ImportError: a library of the extra `pretraining` is missing.
    """
    where = Hardware(**hardware)
    where.check()
    check_libraries()
    changes = list(changes)
    if model is not None and any(change.startswith("model") for change in changes):
        raise ValueError("--set model: the shape of a model that goes on is its own (--model)")
    recipe = recipe if isinstance(recipe, Recipe) else read_recipe(recipe, changes)
    output, train_folders = Path(output), _several(train_data)
    read = partial(read_results, command="pretrain")
    if output.exists() and not overwrite:
        read(output)
    processes = PartialState(cpu=where.kind == "cpu", timeout=timedelta(days=30))
    started, began = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    if not processes.is_main_process:
        tell = silent

    source = None if model is None else find_model(model, revision)
    new_config(recipe, {}, {}, source)  # what is wrong with it is told before the records are read
    recipe, data = read_data(recipe, train_folders, _several(eval_data), labels, tell)
    tasks = recipe.pretraining_tasks(data.num_labels)
    config = new_config(recipe, tasks, data.label_names, source)
    tokenizer = LucaOneTokenizerFast() if source is None else load_tokenizer(source)
    make = ExampleMaker(recipe, tasks, tokenizer)
    mixture = Mixture(
        {name: sum(group.records for group in groups) for name, groups in data.groups.items()},
        recipe.batch_size,
        recipe.gene_fraction,
    )
    updates = total_steps(recipe, mixture.steps_per_epoch)
    with torch.device("meta"):
        parameters = LucaOneForPreTraining(config).num_parameters()
    tell(f"{parameters:,} parameters; {updates:,} updates, {mixture.steps_per_epoch:,} an epoch")
    if warning := check_schedule(recipe.warmup_steps, updates):
        tell(warning)
    made_from = {
        "dtype": where.dtype or "float32",
        **{name: value for name, value in as_dictionary(recipe).items() if name not in FREE},
        "num_labels": data.num_labels,
        **data.digests,
        **(source.fingerprint() if source else {}),
    }
    with resumable(output, CHECKPOINTS, made_from, overwrite, processes, read) as job:
        if job.complete is not None:
            notes = [f"{output} is complete; nothing was done"]
            return PretrainingSummary(output, job.complete, notes, processes.is_main_process)
        steps = PretrainingSteps(
            data.groups,
            mixture,
            Packer(make, recipe.seed),
            data.num_labels,
            recipe.shuffle_buffer,
            recipe.seed,
            where.tokens_per_batch or TOKENS_PER_BATCH[where.kind],
            processes.process_index,
            processes.num_processes,
        )
        evaluation = None
        if data.held_out:
            evaluation = Evaluation(
                data.held_out, Packer(make, recipe.seed + 1), recipe.eval_records
            )
        trained = train(
            first_model(config, source, recipe.seed, where.attn_implementation, tell),
            steps,
            evaluation,
            recipe,
            job.path,
            where,
            workers,
            compile_model,
        )
        if processes.is_main_process:
            baseline = None
            if evaluation:
                constant = ConstantModel(tasks, constant_logits(data.survey, tasks, make.tokens))
                scores = evaluation.score(constant, lambda inputs: inputs, int(steps.budget))
                baseline = scores.metrics()
            results = {
                "recipe": as_dictionary(recipe),
                "tasks": tasks,
                "model": {
                    "begins_with": source.name if source else None,
                    "license": stated_license(source.folder) if source else None,
                    "parameters": parameters,
                },
                "data": data.description(recipe.eval_records),
                "metrics": trained.metrics,
                "baseline": baseline,
                "steps": trained.steps,
                "skipped": trained.skipped,
                "processes": processes.num_processes,
                "matrix_rate": trained.matrix_rate,
                "history": trained.history,
                "started": started,
                "seconds": round(time.monotonic() - began, 1),
                "notes": trained.notes,
                "made_from": made_from,
            }
            save_run(results, trained, tokenizer, job.path / "tensorboard", output)
            job.finished = True
        processes.wait_for_everyone()
        return PretrainingSummary(output, read(output), trained.notes, processes.is_main_process)


def check_libraries() -> None:
    """Look for what is needed later.

    Raises:
        ImportError: one of the extra `pretraining` is missing.
    """
    for name in ("matplotlib", "tensorboard"):
        if importlib.util.find_spec(name) is None:
            raise ImportError(f"pre-training needs {name}; pip install 'lucaone-hf[pretraining]'")


def _several(sources: Source | Sequence[Source] | None) -> list[Path]:
    if sources is None:
        return []
    one = isinstance(sources, (str, os.PathLike))
    return [Path(sources)] if one else [Path(source) for source in sources]  # type: ignore[arg-type, union-attr]
