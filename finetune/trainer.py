# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The Trainer of transformers, with steps that do not depend on how the work is divided."""

import time
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from accelerate.utils import broadcast
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm.auto import tqdm
from transformers import Trainer, TrainerCallback

from modeling_lucaone.losses import classification_loss

from .batches import Examples, StepSampler, plan_step
from .evaluation import score


class TaskTrainer(Trainer):
    """Trains a model or a head on `Examples`, and evaluates it by the metrics of a problem.

    Args:
        problem: as of a task.
        scale: mean and standard deviation of the labels of a regression before they were
            standardised.
        batch_size: records of a step, over all processes.
        tokens_per_batch: tokens that go through the model at once.
        encoder_learning_rate: that of the encoder's own weights, where they are trained.
        kwargs: as of `Trainer`.

    Attributes:
        notes: what a user should know, such as a lack of memory.
    """

    def __init__(
        self,
        *args: Any,
        problem: str,
        scale: tuple[float, float],
        batch_size: int,
        tokens_per_batch: int,
        encoder_learning_rate: float | None = None,
        **kwargs: Any,
    ):
        self.problem, self.scale, self.batch_size = problem, scale, batch_size
        self.tokens_per_batch = tokens_per_batch
        self.encoder_learning_rate = encoder_learning_rate
        self.notes: list[str] = []
        super().__init__(*args, **kwargs)

    def get_train_dataloader(self) -> DataLoader:
        """Return the steps of an epoch, each as a list of batches for this process."""
        examples: Any = self.train_dataset
        self._sampler = StepSampler(
            examples.sizes,
            examples.weights,
            self.batch_size,
            self.tokens_per_batch,
            self.args.seed,
            lambda: int(self.state.epoch or 0),
            self.args.process_index,
            self.args.world_size,
        )
        return DataLoader(examples, batch_sampler=self._sampler, collate_fn=list)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Return AdamW, with a learning rate of their own for the encoder's weights."""
        if self.optimizer is not None:
            return self.optimizer
        optimizer: torch.optim.Optimizer = super().create_optimizer(model)
        if self.encoder_learning_rate is None:
            return optimizer
        named = (model or self.model).named_parameters()
        encoder = {id(parameter) for name, parameter in named if "lucaone." in name}
        groups = list(optimizer.param_groups)
        optimizer.param_groups.clear()
        for group in groups:
            inside = [one for one in group["params"] if id(one) in encoder]
            outside = [one for one in group["params"] if id(one) not in encoder]
            optimizer.add_param_group({**group, "params": outside})
            optimizer.add_param_group({**group, "params": inside, "lr": self.encoder_learning_rate})
        return optimizer

    def training_step(
        self, model: nn.Module, inputs: Any, num_items_in_batch: Any = None
    ) -> Tensor:
        """Run the batches of a step forward and backward, and return its loss.

        When the device runs out of memory, the budget of tokens is halved and the step begun anew.

        Raises:
            RuntimeError: the loss is no number any more, or there is not enough memory for one
                record, or in one of several processes.
        """
        model.train()
        while True:
            try:
                total = self._forward_and_backward(model, inputs)
                break
            except torch.OutOfMemoryError:
                pass
            # Here the error, and with it what the failed pass held, is gone.
            model.zero_grad()
            inputs = self._smaller_batches(inputs)
        if not torch.isfinite(total):
            raise RuntimeError(
                f"the loss of step {self.state.global_step + 1} is {total.item()}; a lower "
                "learning_rate, or float32, may help"
            )
        return total

    def _forward_and_backward(self, model: nn.Module, inputs: list[dict[str, Any]]) -> Tensor:
        total = torch.zeros((), device=self.args.device)
        for number, batch in enumerate(inputs):
            inputs_of_model = self._prepare_inputs(
                {name: value for name, value in batch.items() if name not in ("share", "records")}
            )
            last = number == len(inputs) - 1
            # Gradients are exchanged once, after the last batch.
            self.accelerator.gradient_state._set_sync_gradients(last)
            with nullcontext() if last else self.accelerator.no_sync(model):
                with self.compute_loss_context_manager():
                    loss = self.compute_loss(model, inputs_of_model) * batch["share"]
                self.accelerator.backward(loss)
            total += loss.detach()
        return total

    def _smaller_batches(self, inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Divide a step under half the budget of tokens, which stays from here on.

        Raises:
            RuntimeError: there is nothing to divide, or other processes went on.
        """
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        examples: Any = self.train_dataset
        records = [record for batch in inputs for record in batch["records"]]
        largest = max(sum(examples.sizes[i] for i in batch["records"]) for batch in inputs)
        self.tokens_per_batch = largest // 2
        if self.args.world_size > 1:
            advice = f"--tokens-per-batch {self.tokens_per_batch}"
        elif all(len(batch["records"]) == 1 for batch in inputs):
            advice = "--gradient-checkpointing, or a shorter max_lengths"
        else:
            self.notes.append(
                f"out of memory with {largest:,} tokens per batch; went on with "
                f"{self.tokens_per_batch:,}"
            )
            self._sampler.tokens_per_batch = self.tokens_per_batch
            plan = plan_step(records, examples.sizes, examples.weights, self.tokens_per_batch)
            return [examples[batch] for batch in plan[0]]
        raise RuntimeError(
            f"out of memory with {largest:,} tokens on {self.args.device}; try {advice}"
        )

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Return and log the loss and the metrics of the problem, on all records."""
        examples: Any = self.eval_dataset if eval_dataset is None else eval_dataset
        logits = self.logits(examples)
        labels = torch.tensor(examples.labels)
        loss = classification_loss(self.model.config, logits, labels).item()
        predicted, true = probabilities(self.problem, logits), labels.numpy()
        if self.problem == "regression":
            mean, deviation = self.scale
            predicted, true = predicted * deviation + mean, true * deviation + mean
        values = score(self.problem, predicted, true)
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in values.items()}
        metrics[f"{metric_key_prefix}_loss"] = loss
        self.log(metrics)
        self.control: Any = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    @torch.no_grad()
    def logits(self, examples: Examples) -> Tensor:
        """Return the logits of all records, (records, num_labels), on the CPU, in fp32."""
        model: Any = self.model
        model.eval()
        numbers = range(len(examples))
        plan = plan_step(
            numbers,
            examples.sizes,
            [1.0] * len(examples),
            self.tokens_per_batch,
            self.args.world_size,
        )[self.args.process_index]
        found, rows = [], []
        for batch in plan:
            inputs = self._prepare_inputs(
                examples.pack([examples.examples[i] for i in batch.records])
            )
            with self.compute_loss_context_manager():
                logits = model(**inputs).logits.float()
            found.append(torch.tensor(batch.records if batch.share else [-1]))
            rows.append(logits)
        together = torch.cat(found).to(rows[0].device), torch.cat(rows)
        if self.args.world_size > 1:
            padded = self.accelerator.pad_across_processes(list(together), pad_index=-1)
            together = self.accelerator.gather(padded)
        index, values = (tensor.cpu() for tensor in together)
        result = torch.empty(len(examples), values.shape[1])
        result[index[index >= 0]] = values[index >= 0]
        return result


def probabilities(problem: str, logits: Tensor) -> np.ndarray:
    """Return what a problem's logits say, (records, num_labels); the values of a regression."""
    if problem == "multi_class":
        logits = logits.softmax(-1)
    elif problem != "regression":
        logits = logits.sigmoid()
    return logits.numpy()


class SaveByTime(TrainerCallback):
    """Saves a checkpoint when the last one is older than so many seconds."""

    def __init__(self, seconds: float):
        self.seconds, self.last = seconds, time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Decide in the first process, for all."""
        due = torch.tensor(time.monotonic() - self.last > self.seconds, device=args.device)
        control.should_save |= bool(broadcast(due) if args.world_size > 1 else due)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin to count anew."""
        self.last = time.monotonic()


class Progress(TrainerCallback):
    """A bar where somebody watches, silence elsewhere."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin where the training does."""
        self.bar = tqdm(
            desc="training",
            total=state.max_steps,
            initial=state.global_step,
            unit=" steps",
            disable=None if state.is_world_process_zero else True,
            delay=2,
        )

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Go on."""
        self.bar.update(state.global_step - self.bar.n)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Show the last loss and metrics."""
        shown = {name: value for name, value in (logs or {}).items() if name.startswith("eval")}
        self.bar.set_postfix(shown or {"loss": (logs or {}).get("loss")}, refresh=False)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Leave the bar."""
        self.bar.close()
