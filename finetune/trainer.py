# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The Trainer of transformers, with steps that do not depend on how the work is divided."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from modeling_lucaone.losses import classification_loss
from training_jobs.steps import plan_step
from training_jobs.trainer import StepTrainer

from .batches import Examples, StepSampler
from .evaluation import score

# What a batch holds besides the inputs of the model.
OF_A_BATCH = ("records", "share", "tokens")


class TaskTrainer(StepTrainer):
    """Trains a model or a head on `Examples`, and evaluates it by the metrics of a problem.

    Args:
        problem: as of a task.
        scale: mean and standard deviation of the labels of a regression before they were
            standardised.
        batch_size: records of a step, over all processes.
        encoder_learning_rate: that of the encoder's own weights, where they are trained.
        kwargs: as of `StepTrainer`.
    """

    def __init__(
        self,
        *args: Any,
        problem: str,
        scale: tuple[float, float],
        batch_size: int,
        encoder_learning_rate: float | None = None,
        **kwargs: Any,
    ):
        self.problem, self.scale, self.batch_size = problem, scale, batch_size
        self.encoder_learning_rate = encoder_learning_rate
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
        """Run a step, see `StepTrainer`.

        Raises:
            RuntimeError: the loss is no number any more, or there is not enough memory.
        """
        total = super().training_step(model, inputs, num_items_in_batch)
        if not torch.isfinite(total):
            raise RuntimeError(
                f"the loss of step {self.state.global_step + 1} is {total.item()}; a lower "
                "learning_rate, or float32, may help"
            )
        return total

    def batch_loss(self, model: nn.Module, batch: dict[str, Any]) -> Tensor:
        """Return the loss of a batch by its share."""
        inputs = {name: value for name, value in batch.items() if name not in OF_A_BATCH}
        return self.compute_loss(model, self._prepare_inputs(inputs)) * batch["share"]

    def divide(self, step: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Plan the records of a step, and of those that follow, anew."""
        examples: Any = self.train_dataset
        self._sampler.tokens_per_batch = self.tokens_per_batch
        records = [record for batch in step for record in batch["records"]]
        plan = plan_step(records, examples.sizes, examples.weights, self.tokens_per_batch)
        return [examples[batch] for batch in plan[0]]

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
