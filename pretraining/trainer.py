# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The Trainer of the ten tasks: what it logs, what it skips, how it stops."""

import math
import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler
from transformers import TrainerCallback, get_linear_schedule_with_warmup
from transformers.trainer_callback import ExportableState

from training_jobs.schedule import rising_steps
from training_jobs.trainer import StepTrainer

from .evaluation import Evaluation, Scores
from .recipe import Recipe
from .throughput import TokenRate

# Losses by which a spike is judged, and how many there must be.
HISTORY, ENOUGH = 100, 20
# A training that skips so many updates in a row will not recover.
TOO_MANY_SKIPPED = 50


class Meter(TrainerCallback, ExportableState):
    """What was summed up since the last line of the log, and what was skipped; kept in checkpoints.

    Attributes:
        steps: how many.
        loss: sum of their losses.
        scores: sums of the tasks, as in `Scores`.
        history: losses of the last updates.
        skipped: updates left out, because of the loss and because of the gradients.
        in_a_row: how many of them since the last update.
    """

    def __init__(self) -> None:
        self.skipped = {"loss": 0, "gradient": 0}
        self.history: list[float] = []
        self.in_a_row = 0
        self.clear()

    def clear(self) -> None:
        """Begin a new line of the log."""
        self.steps, self.loss = 0, 0.0
        self.scores: list[list[float]] = []

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"args": {}, "attributes": dict(vars(self))}

    def is_spike(self, loss: float, deviations: float | None) -> bool:
        """Tell whether a loss is no number, or far above those before it."""
        if not math.isfinite(loss):
            return True
        if deviations is None or len(self.history) < ENOUGH:
            return False
        spread = statistics.stdev(self.history)
        return loss > statistics.fmean(self.history) + deviations * spread


class PretrainingTrainer(StepTrainer):
    """Trains `LucaOneForPreTraining` on `PretrainingSteps`.

    A step's loss is the mean over its records of the weighted sum of each record's task losses, as
    in the published training, which took records one by one.

    Args:
        recipe: schedule, spikes.
        evaluation: on what it is judged, if anything.
        rate: counts tokens.
        workers: processes that read records.
        kwargs: as of `StepTrainer`.
    """

    def __init__(
        self,
        *args: Any,
        recipe: Recipe,
        evaluation: Evaluation | None,
        rate: TokenRate,
        workers: int = 0,
        **kwargs: Any,
    ):
        self.recipe, self.evaluation = recipe, evaluation
        self.rate, self.workers = rate, workers
        self.stop_signal = 0
        super().__init__(*args, **kwargs)
        self.add_callback(Meter())
        self.tasks = self.model.config.pretraining_tasks
        self._step_loss = math.nan

    @property
    def meter(self) -> Meter:
        """What is summed up; another object after a checkpoint was read."""
        found = (one for one in self.callback_handler.callbacks if isinstance(one, Meter))
        return next(found)

    def get_train_dataloader(self) -> DataLoader:
        """Return the steps of an epoch, each as a list of batches for this process."""
        steps: Any = self.train_dataset
        return DataLoader(
            steps,
            batch_sampler=_EpochSteps(self, len(steps)),
            collate_fn=itemgetter(0),
            num_workers=self.workers,
            prefetch_factor=2 if self.workers else None,
        )

    def create_scheduler(
        self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
    ) -> Any:
        """Return a learning rate that rises, then falls to 0 after the recipe's steps."""
        if self.lr_scheduler is None:
            self.lr_scheduler: Any = get_linear_schedule_with_warmup(
                optimizer or self.optimizer,
                rising_steps(self.recipe.warmup_steps, num_training_steps),
                self.recipe.decay_steps or num_training_steps,
            )
        return self.lr_scheduler

    def batch_loss(self, model: nn.Module, batch: dict[str, Any]) -> Tensor:
        """Return the weighted losses of a batch by their shares."""
        inputs = self._prepare_inputs(batch["inputs"])
        output = model(**inputs, labelled_only=True)
        if batch["counts"]:
            self._scores.add(output, inputs["labels"], batch["labelled"])
            self._tokens += self._tokens.new_tensor([batch["tokens"], batch["padded_tokens"]])
        weighted = [
            self.tasks[task]["weight"] * batch["shares"][task] * loss
            for task, loss in output.losses.items()
        ]
        return torch.stack(weighted).sum()

    def divide(self, step: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Make the batches of a step, and of those that follow, smaller."""
        steps: Any = self.train_dataset
        steps.budget.fill_(self.tokens_per_batch)
        return steps[self.state.global_step]

    def training_step(
        self, model: nn.Module, inputs: Any, num_items_in_batch: Any = None
    ) -> Tensor:
        """Run a step, and add up over processes what it came to."""
        loss = super().training_step(model, inputs, num_items_in_batch)
        sums = torch.cat(
            [
                (loss.double() / self.args.world_size)[None],
                self._tokens,
                self._tokens.new_tensor([self.stop_signal]),
                self._scores.all.flatten(),
            ]
        )
        sums = self.accelerator.reduce(sums, "sum")
        self._step_loss, *tokens, stop = sums[:4].tolist()
        if stop:
            self.control.should_save = self.control.should_training_stop = True
        meter = self.meter
        if math.isfinite(self._step_loss):
            meter.steps += 1
            meter.loss += self._step_loss
            scores = sums[4:].view(-1, 4).tolist()
            before = meter.scores or [[0.0] * 4] * len(scores)
            meter.scores = [
                [a + b for a, b in zip(*rows, strict=True)]
                for rows in zip(before, scores, strict=True)
            ]
        self.rate.add(*tokens)
        return loss

    def _forward_and_backward(self, model: nn.Module, step: list[dict[str, Any]]) -> Tensor:
        self._scores = Scores(self.tasks, self.args.device)
        self._tokens = torch.zeros(2, dtype=torch.float64, device=self.args.device)
        return super()._forward_and_backward(model, step)

    def _clip_grad_norm(self, model: nn.Module) -> Any:
        """Scale the gradients down; drop those of a step that would do harm.

        Raises:
            RuntimeError: nothing but such steps.
        """
        norm = super()._clip_grad_norm(model)
        meter, loss = self.meter, self._step_loss
        spike = meter.is_spike(loss, self.recipe.spike_deviations)
        if not spike and math.isfinite(float(norm)):
            meter.history = [*meter.history[1 - HISTORY :], loss]
            meter.in_a_row = 0
            return norm
        # Without gradients the optimiser leaves weights and moments as they are.
        model.zero_grad(set_to_none=True)
        meter.skipped["loss" if spike else "gradient"] += 1
        meter.in_a_row += 1
        if meter.in_a_row >= TOO_MANY_SKIPPED:
            raise RuntimeError(
                f"the last {meter.in_a_row} updates were skipped (loss {loss:.4g}, norm of the "
                f"gradients {float(norm):.4g}); a lower learning_rate, or float32, may help"
            )
        return norm

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Add to a line of the training's log what was summed up."""
        if "loss" in logs:
            logs.update(self._line())
        super().log(logs, *args, **kwargs)

    def _line(self) -> dict[str, float]:
        meter = self.meter
        scores = Scores(self.tasks)
        if meter.scores:
            scores.all += torch.tensor(meter.scores, dtype=torch.float64)
        line = scores.metrics()
        line["loss"] = meter.loss / max(meter.steps, 1)
        line |= self.rate.take()
        line["skipped_loss"], line["skipped_gradient"] = meter.skipped.values()
        meter.clear()
        return line

    @torch.no_grad()
    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Return and log the loss and accuracy of each task on the records of the evaluation."""
        assert self.evaluation is not None
        began = time.perf_counter()
        model: Any = self.model_wrapped
        model.eval()
        with self.compute_loss_context_manager():
            scores = self.evaluation.score(
                model,
                self._prepare_inputs,
                self.tokens_per_batch,
                self.args.process_index,
                self.args.world_size,
                self.args.device,
            )
        scores.all.copy_(self.accelerator.reduce(scores.all, "sum"))
        metrics = {f"{metric_key_prefix}_{key}": one for key, one in scores.metrics().items()}
        self.log(metrics)
        self.control: Any = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        self.rate.leave_out(time.perf_counter() - began)
        return metrics

    @contextmanager
    def stopping(self) -> Iterator[None]:
        """Let SIGTERM, and the first SIGINT, end the training after a checkpoint."""

        def stop(number: int, frame: FrameType | None) -> None:
            self.stop_signal = number
            signal.signal(signal.SIGINT, before[signal.SIGINT])

        signals = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, stop) for number in signals}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _EpochSteps(Sampler[list[int]]):
    """The numbers of the steps of the epoch that a training is in."""

    def __init__(self, trainer: PretrainingTrainer, steps: int):
        self.trainer, self.steps = trainer, steps

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[list[int]]:
        first = self.trainer.state.global_step // self.steps * self.steps
        # A training that was stopped behind its last step takes no other one.
        last = min(first + self.steps, self.trainer.args.max_steps)
        return ([number] for number in range(first, last))
