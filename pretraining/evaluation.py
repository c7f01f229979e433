# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""How well a model does each task, and how well one that knows label frequencies alone."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from modeling_lucaone.heads import LucaOnePreTrainingOutput
from modeling_lucaone.losses import pretraining_loss
from modeling_lucaone.packing import IGNORE
from training_jobs.steps import plan_step

from .corpus import Group, Rows
from .steps import Packer, Source

Model = Callable[..., LucaOnePreTrainingOutput]


class Scores:
    """Sums over batches that become the loss and the accuracy of each task.

    The loss of a task is the mean over its labelled records of each record's mean (facts 2.4), the
    accuracy the share of labelled letters, or records, whose most likely label is the right one;
    for keywords the share of right decisions.

    Attributes:
        all: (tasks, 4) sums of loss, records, right answers and answers; processes add theirs up.

    Args:
        tasks: as in a model's configuration.
        device: where the sums are.
    """

    def __init__(self, tasks: Mapping[str, Mapping[str, Any]], device: torch.device | str = "cpu"):
        self.tasks = tasks
        self.all = torch.zeros(len(tasks), 4, dtype=torch.float64, device=device)
        self.sums = dict(zip(tasks, self.all, strict=True))

    @torch.no_grad()
    def add(
        self,
        output: LucaOnePreTrainingOutput,
        labels: Mapping[str, Tensor],
        labelled: Mapping[str, int],
    ) -> None:
        """Add a batch, whose heads ran on what is labelled alone."""
        assert output.losses is not None and output.logits is not None
        for task, settings in self.tasks.items():
            logits, targets = output.logits[task], labels[task]
            known = targets != IGNORE
            right, count = logits.new_zeros(()), 0
            if settings["problem_type"] == "multi_label_classification":
                known = known.any(-1)
                right = ((logits > 0) == (targets[known] > 0)).sum()
                count = logits.numel()
            elif settings["problem_type"] == "single_label_classification":
                right, count = (logits.argmax(-1) == targets[known]).sum(), len(logits)
            loss = output.losses[task].double() * labelled[task]
            sums = [loss, loss.new_tensor(labelled[task]), right, loss.new_tensor(count)]
            self.sums[task] += torch.stack([one.double() for one in sums])

    def metrics(self) -> dict[str, float]:
        """Return `loss`, and `TASK_loss`, `TASK_accuracy` and `gene_perplexity` of what had labels.

        The total is the weighted sum over tasks, as for one batch of all records.
        """
        found: dict[str, float] = {"loss": 0.0}
        for (task, settings), values in zip(self.tasks.items(), self.all.tolist(), strict=True):
            loss, records, right, count = values
            if not records:
                continue
            found[f"{task}_loss"] = loss / records
            found["loss"] += settings["weight"] * loss / records
            if count:
                found[f"{task}_accuracy"] = right / count
            if settings["level"] == "token":
                found[f"{settings['seq_type']}_perplexity"] = math.exp(min(loss / records, 100.0))
        return found


class ConstantModel:
    """Says the same of everything.

    Args:
        tasks: as in a model's configuration.
        logits: for each task, (num_labels,).
    """

    def __init__(self, tasks: Mapping[str, Mapping[str, Any]], logits: Mapping[str, np.ndarray]):
        self.tasks = tasks
        self.logits = {task: torch.tensor(row, dtype=torch.float32) for task, row in logits.items()}

    def __call__(
        self, labels: Mapping[str, Tensor], cu_seq_lens_q: Tensor, **_: Any
    ) -> LucaOnePreTrainingOutput:
        """Answer as `LucaOneForPreTraining` does where heads run on what is labelled alone."""
        lengths = cu_seq_lens_q.diff().long()
        number = torch.arange(len(lengths))
        losses, logits = {}, {}
        for task, settings in self.tasks.items():
            per_sequence = settings["level"] == "sequence"
            targets = labels[task] if per_sequence else labels[task].flatten(0, 1)
            index = number if per_sequence else number.repeat_interleave(lengths)
            kept = (targets.reshape(len(targets), -1) != IGNORE).any(-1)
            logits[task] = self.logits[task].expand(int(kept.sum()), -1)
            losses[task] = pretraining_loss(
                settings["problem_type"], logits[task], targets[kept], index[kept], len(lengths)
            )
        return LucaOnePreTrainingOutput(losses=losses, logits=logits)


class Evaluation:
    """Records on which models are judged, always with the same masks.

    Args:
        groups: where they are, by molecule type.
        packer: records to batches.
        records: of each molecule type so many, evenly spread; None for all.
    """

    def __init__(
        self, groups: Mapping[str, Sequence[Group]], packer: Packer, records: int | None = None
    ):
        self.groups, self.packer, self.records = groups, packer, records
        self.num_labels = {task: one["num_labels"] for task, one in packer.make.tasks.items()}

    def batches(
        self, tokens_per_batch: int, process: int = 0, processes: int = 1
    ) -> Iterator[dict[str, Any]]:
        """Yield the batches of one process, as many as of each other.

        All together hold every record once, but for those that only fill up a process, which do
        not count.
        """
        for seq_type, groups in self.groups.items():
            total, position = sum(group.records for group in groups), 0
            taken = min(total, self.records or total)
            chosen = np.linspace(0, total - 1, taken).round().astype(int)
            for group in groups:
                inside = chosen[(chosen >= position) & (chosen < position + group.records)]
                if len(inside):
                    rows = Rows.read(group)
                    rows.check(self.num_labels)
                    sizes = [self.packer.make.size(length) for length in rows.lengths.tolist()]
                    numbers = (inside - position).tolist()
                    plan = plan_step(
                        numbers, sizes, [1.0] * len(sizes), tokens_per_batch, processes
                    )
                    for batch in plan[process]:
                        records = [Source(seq_type, position + i, rows, i) for i in batch.records]
                        yield {**self.packer(records), "counts": batch.share > 0}
                position += group.records

    def score(
        self,
        model: Model,
        prepare: Callable[[dict[str, Any]], dict[str, Any]],
        tokens_per_batch: int,
        process: int = 0,
        processes: int = 1,
        device: torch.device | str = "cpu",
    ) -> Scores:
        """Judge a model on the batches of one process.

        Args:
            model: `LucaOneForPreTraining`, or what answers as it does.
            prepare: brings the inputs of a batch to the device.
            tokens_per_batch: tokens that go through the model at once.
            process: number of this process.
            processes: how many there are.
            device: where the model is.
        """
        scores = Scores(self.packer.make.tasks, device)
        for batch in self.batches(tokens_per_batch, process, processes):
            inputs = prepare(batch["inputs"])
            output = model(**inputs, labelled_only=True)
            if batch["counts"]:
                scores.add(output, inputs["labels"], batch["labelled"])
        return scores
