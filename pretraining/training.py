# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A model trained on the steps of a recipe, resumably."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers.integrations import TensorBoardCallback
from transformers.trainer_callback import PrinterCallback

from training_jobs.callbacks import Progress, SaveByTime
from training_jobs.hardware import Hardware
from training_jobs.jobs import last_checkpoint
from training_jobs.trainer import training_arguments

from .evaluation import Evaluation
from .recipe import Recipe
from .steps import PretrainingSteps
from .throughput import TokenRate, flops_per_token, matrix_rate
from .trainer import PretrainingTrainer


@dataclass
class Trained:
    """What a training made.

    Attributes:
        model: with the weights of the last step.
        state_dict: its tensors, gathered where processes share them out (FSDP, ZeRO); else None.
        steps: updates of the weights.
        history: what was logged.
        metrics: of the last evaluation; None without one.
        matrix_rate: FLOPs per second that the device was measured to do.
        skipped: updates left out, by reason.
        notes: what a user should know.
    """

    model: Any
    state_dict: dict[str, Tensor] | None
    steps: int
    history: list[dict[str, Any]]
    metrics: dict[str, float] | None
    matrix_rate: float
    skipped: dict[str, int]
    notes: list[str]


def total_steps(recipe: Recipe, steps_per_epoch: int) -> int:
    """Return the updates of a whole training."""
    return recipe.steps or recipe.epochs * steps_per_epoch


def train(
    model: Any,
    steps: PretrainingSteps,
    evaluation: Evaluation | None,
    recipe: Recipe,
    folder: Path,
    hardware: Hardware,
    workers: int = 0,
    compile_model: bool = False,
) -> Trained:
    """Train a model, from the last checkpoint in `folder` if there is one.

    Args:
        model: `LucaOneForPreTraining`.
        steps: the training records.
        evaluation: the records it is judged on; None for no evaluation.
        recipe: everything else.
        folder: of the checkpoints, `checkpoint-STEP`, and of `tensorboard/`.
        hardware: where.
        workers: processes that read records.
        compile_model: use `torch.compile`.

    Raises:
        ValueError: a shard has gone, or a record cannot be what it says.
        RuntimeError: the training does not recover, or lacks memory; see `PretrainingTrainer`.
        KeyboardInterrupt: it was asked to stop, and did after a checkpoint.
    """
    if hardware.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    dtype = torch.bfloat16 if hardware.dtype == "bfloat16" else torch.float32
    arguments = training_arguments(
        folder,
        recipe,
        hardware,
        max_steps=total_steps(recipe, len(steps)),
        torch_compile=compile_model,
        eval_strategy="steps" if evaluation else "no",
        eval_steps=recipe.eval_steps or len(steps),
        save_strategy="steps",
        save_steps=recipe.save_steps or len(steps),
        save_total_limit=recipe.keep_checkpoints,
        logging_strategy="steps",
        logging_steps=recipe.log_steps,
    )
    rate = matrix_rate(arguments.device, dtype)
    trainer = PretrainingTrainer(
        model,
        arguments,
        train_dataset=steps,
        eval_dataset=[] if evaluation else None,
        recipe=recipe,
        evaluation=evaluation,
        rate=TokenRate(flops_per_token(model.config), rate * arguments.world_size),
        workers=workers,
        tokens_per_batch=int(steps.budget),
        callbacks=[SaveByTime(60 * hardware.save_minutes)],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Progress())
    board = TensorBoardCallback()
    board.logging_dir = str(folder / "tensorboard")
    trainer.add_callback(board)
    try:
        with trainer.stopping():
            trainer.train(resume_from_checkpoint=last_checkpoint(folder))
    except ValueError as error:
        if not str(error).startswith("Caught ValueError in DataLoader worker"):
            raise
        # With the worker's traceback, its own message in the last line.
        reason = str(error).rstrip().splitlines()[-1]
        raise ValueError(reason.removeprefix("ValueError: ")) from None
    done = trainer.state.global_step
    if done < arguments.max_steps:
        raise KeyboardInterrupt(
            f"stopped after {done:,} of {arguments.max_steps:,} updates, all saved; the same "
            "command goes on"
        )
    metrics = None
    if evaluation:
        last = (line for line in trainer.state.log_history if line["step"] == done)
        scored = next((line for line in last if "eval_loss" in line), None) or trainer.evaluate()
        metrics = {key[5:]: value for key, value in scored.items() if key.startswith("eval_")}
    skipped = dict(trainer.meter.skipped)
    if sum(skipped.values()):
        trainer.notes.append(
            f"{sum(skipped.values()):,} of {done:,} updates were left out: {skipped['loss']:,} for "
            f"their loss, {skipped['gradient']:,} for their gradients"
        )
    sharded = trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled
    return Trained(
        model=trainer.accelerator.unwrap_model(trainer.model),
        state_dict=trainer.accelerator.get_state_dict(trainer.model_wrapped) if sharded else None,
        steps=done,
        history=trainer.state.log_history,
        metrics=metrics,
        matrix_rate=rate,
        skipped=skipped,
        notes=trainer.notes,
    )
