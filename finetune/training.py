# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A model or a head trained on the splits of a task, resumably."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import EarlyStoppingCallback
from transformers.trainer_callback import PrinterCallback

from training_jobs.callbacks import Progress, SaveByTime
from training_jobs.hardware import Hardware
from training_jobs.jobs import last_checkpoint
from training_jobs.schedule import rising_steps
from training_jobs.trainer import TOKENS_PER_BATCH, training_arguments

from .batches import Examples
from .evaluation import GREATER_IS_BETTER, METRICS
from .task import Task
from .trainer import TaskTrainer


@dataclass
class Trained:
    """What `train` made.

    Attributes:
        model: with the weights of the best epoch, or of the last where there is no dev split.
        state_dict: its tensors, gathered where processes share them out (FSDP, ZeRO); else None.
        logits: of every split, (records, num_labels).
        history: what transformers logged.
        steps: updates of the weights.
        epochs: passes over the training data; fewer than the task's where it stopped early.
        trained_parameters: numbers that were trained.
        best_step: after which `model` was saved; None where there is no dev split.
        notes: what a user should know.
    """

    model: Any
    state_dict: dict[str, Tensor] | None
    logits: dict[str, Tensor]
    history: list[dict[str, Any]]
    steps: int
    epochs: int
    trained_parameters: int
    best_step: int | None
    notes: list[str]


def main_metric(task: Task, problem: str) -> str:
    """Return the metric by which the best epoch is chosen.

    Raises:
        ValueError: the problem has no such metric.
    """
    known = METRICS[problem]
    if task.metric is not None and task.metric not in known:
        raise ValueError(
            f"metric: {task.metric!r} is no metric of the problem {problem}; those are "
            f"{', '.join(known)}"
        )
    return task.metric or known[0]


def train(
    model: Any,
    splits: Mapping[str, Examples],
    task: Task,
    problem: str,
    folder: Path,
    hardware: Hardware,
    *,
    encoder_learning_rate: float | None = None,
) -> Trained:
    """Train on `train`, choose the best epoch by `dev`, and go on where an earlier call stopped.

    Args:
        model: takes what `splits` give.
        splits: `train`, and where they have records `dev` and `test`.
        task: how it is trained.
        problem: as of a task.
        folder: of the checkpoints, `checkpoint-STEP`.
        hardware: where.
        encoder_learning_rate: that of the encoder's own weights, where they are trained.

    Raises:
        ValueError: a metric that the problem does not have.
        RuntimeError: see `TaskTrainer`.
    """
    metric = main_metric(task, problem)
    mean, deviation = 0.0, 1.0
    if problem == "regression" and task.standardize:
        mean, deviation = _standardize(splits)
    trained_parameters = sum(one.numel() for one in model.parameters() if one.requires_grad)
    dev = splits.get("dev")
    if hardware.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    arguments = training_arguments(
        folder,
        task,
        hardware,
        num_train_epochs=task.epochs,
        lr_scheduler_type=task.schedule if task.schedule != "constant" else "constant_with_warmup",
        warmup_steps=rising_steps(task.warmup_steps, updates_of(task, len(splits["train"]))),
        eval_strategy="epoch" if dev else "no",
        save_strategy="epoch",
        save_total_limit=1,  # besides the best one
        load_best_model_at_end=dev is not None,
        metric_for_best_model=f"eval_{metric}" if dev else None,
        greater_is_better=GREATER_IS_BETTER[metric] if dev else None,
        logging_strategy="epoch",
    )
    trainer = TaskTrainer(
        model,
        arguments,
        train_dataset=splits["train"],
        eval_dataset=dev,
        problem=problem,
        scale=(mean, deviation),
        batch_size=task.batch_size,
        tokens_per_batch=hardware.tokens_per_batch or TOKENS_PER_BATCH[hardware.kind],
        encoder_learning_rate=encoder_learning_rate,
        callbacks=[SaveByTime(60 * hardware.save_minutes)],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Progress())
    if dev and task.patience is not None:
        trainer.add_callback(EarlyStoppingCallback(task.patience))
    trainer.train(resume_from_checkpoint=last_checkpoint(folder))
    _scale_back(trainer.model, mean, deviation)
    best = trainer.state.best_model_checkpoint
    epochs = math.ceil(trainer.state.epoch or 0)
    if epochs < task.epochs:
        trainer.notes.append(
            f"stopped after {epochs} of {task.epochs} epochs, for {task.patience} without a better "
            f"{metric} on dev"
        )
    sharded = trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled
    return Trained(
        model=trainer.accelerator.unwrap_model(trainer.model),
        state_dict=trainer.accelerator.get_state_dict(trainer.model_wrapped) if sharded else None,
        logits={name: trainer.logits(examples) for name, examples in splits.items()},
        history=trainer.state.log_history,
        steps=trainer.state.global_step,
        epochs=epochs,
        trained_parameters=trained_parameters,
        best_step=int(best.rpartition("-")[2]) if best else None,
        notes=trainer.notes,
    )


def updates_of(task: Task, records: int) -> int:
    """Return the updates of the weights that a task has for so many training records."""
    return task.epochs * math.ceil(records / task.batch_size)


def _standardize(splits: Mapping[str, Examples]) -> tuple[float, float]:
    """Give the labels of all splits the mean 0 and the deviation 1 of the training data.

    Returns:
        Their mean and standard deviation before; 1 where all are the same.
    """
    labels = torch.tensor(splits["train"].labels, dtype=torch.float64)
    mean, deviation = labels.mean().item(), labels.std(correction=0).item() or 1.0
    for examples in splits.values():
        examples.labels = [(float(label) - mean) / deviation for label in examples.labels]  # type: ignore[arg-type]
    return mean, deviation


@torch.no_grad()
def _scale_back(model: Any, mean: float, deviation: float) -> None:
    """Let the head of a regression say values in the unit of the labels."""
    for name, module in model.named_modules():
        # Under peft there is a copy in training and the one from before.
        if re.fullmatch(r"(.*\.)?classifier(\..+)?\.out_proj", name):
            module.weight.mul_(deviation)
            module.bias.mul_(deviation).add_(mean)
