# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The Trainer of transformers, with steps that do not depend on how the work is divided."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import Trainer, TrainingArguments

from .hardware import Hardware

# Tokens that go through the model at once, with what its gradients need; of features, rows.
TOKENS_PER_BATCH = {"cpu": 4_096, "cuda": 16_384}


def training_arguments(
    folder: Path, settings: Any, hardware: Hardware, **more: Any
) -> TrainingArguments:
    """Return the arguments of a `StepTrainer`.

    Args:
        folder: of the checkpoints.
        settings: a task or a recipe; its fields of AdamW, `max_grad_norm` and `seed` are taken.
        hardware: where.
        more: as of `TrainingArguments`.
    """
    arguments = TrainingArguments(
        output_dir=str(folder),
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        adam_beta1=settings.adam_beta1,
        adam_beta2=settings.adam_beta2,
        adam_epsilon=settings.adam_epsilon,
        max_grad_norm=settings.max_grad_norm,
        seed=settings.seed,
        bf16=hardware.dtype == "bfloat16",
        use_cpu=hardware.kind == "cpu",
        restore_callback_states_from_checkpoint=True,
        logging_nan_inf_filter=False,
        ddp_find_unused_parameters=False,
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to=[],
        **more,
    )
    # Several GPUs are used by several processes; within one, packed batches cannot be divided.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


class StepTrainer(Trainer):
    """Trains on steps, each a list of batches for this process; see `training_jobs.steps`.

    A batch is a dictionary that holds, besides what the model takes, its `records` and its number
    of `tokens`.

    Args:
        tokens_per_batch: tokens that go through the model at once.
        kwargs: as of `Trainer`.

    Attributes:
        notes: what a user should know, such as a lack of memory.
    """

    def __init__(self, *args: Any, tokens_per_batch: int, **kwargs: Any):
        self.tokens_per_batch = tokens_per_batch
        self.notes: list[str] = []
        super().__init__(*args, **kwargs)

    def batch_loss(self, model: nn.Module, batch: dict[str, Any]) -> Tensor:
        """Return what a batch adds to the loss of its step."""
        raise NotImplementedError

    def divide(self, step: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the batches of a step under `tokens_per_batch`, which has become smaller."""
        raise NotImplementedError

    def training_step(
        self, model: nn.Module, inputs: Any, num_items_in_batch: Any = None
    ) -> Tensor:
        """Run the batches of a step forward and backward, and return its loss.

        When the device runs out of memory, the budget of tokens is halved and the step begun anew.

        Raises:
            RuntimeError: there is not enough memory for one record, or in one of several processes.
        """
        model.train()
        while True:
            try:
                return self._forward_and_backward(model, inputs)
            except torch.OutOfMemoryError:
                pass
            # Here the error, and with it what the failed pass held, is gone.
            model.zero_grad()
            inputs = self._smaller_batches(inputs)

    def _forward_and_backward(self, model: nn.Module, step: list[dict[str, Any]]) -> Tensor:
        total = torch.zeros((), device=self.args.device)
        for number, batch in enumerate(step):
            last = number == len(step) - 1
            # Gradients are exchanged once, after the last batch.
            self.accelerator.gradient_state._set_sync_gradients(last)
            with nullcontext() if last else self.accelerator.no_sync(model):
                with self.compute_loss_context_manager():
                    loss = self.batch_loss(model, batch)
                self.accelerator.backward(loss)
            total += loss.detach()
        return total

    def _smaller_batches(self, step: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Divide a step under half the budget of tokens, which stays from here on.

        Raises:
            RuntimeError: there is nothing to divide, or other processes went on.
        """
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        largest = max(batch["tokens"] for batch in step)
        self.tokens_per_batch = largest // 2
        if self.args.world_size > 1:
            advice = f"--tokens-per-batch {self.tokens_per_batch}"
        elif all(len(batch["records"]) == 1 for batch in step):
            advice = "--gradient-checkpointing, or shorter sequences"
        else:
            self.notes.append(
                f"out of memory with {largest:,} tokens per batch; went on with "
                f"{self.tokens_per_batch:,}"
            )
            return self.divide(step)
        raise RuntimeError(
            f"out of memory with {largest:,} tokens on {self.args.device}; try {advice}"
        )
