# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a fine-tuning task is: its data, its network, its training, and what to compare with.

A task is a YAML file whose keys are the fields of `Task`; the published ones are in `tasks/`.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tokenization import normalize_seq_type
from training_jobs.settings import read_settings

PUBLISHED = Path(__file__).parent / "tasks"


@dataclass(frozen=True)
class Task:
    """A fine-tuning task; the defaults are those of a user's own data.

    Attributes:
        name: of the task.
        about: the question, in a sentence.
        input: `single` sequences or `pair`s.
        seq_types: molecule type of each side: `gene`, `prot`, `header` or `column:NAME`; without
            it the data have a column of types.
        dataset: where the published data lie on the Hub, OWNER/NAME/FOLDER.
        columns: columns of the data that are not called as in the published sets, see
            `finetune.data.DataSettings`.
        problem: `binary` (one logit, binary cross-entropy), `multi_class` (cross-entropy),
            `multi_label` (binary cross-entropy of each label) or `regression` (mean squared error);
            the labels decide if not given.
        labels: names of the labels in the order of their ids; read from the data if not given.
        label_separator: between the labels of a record of several.
        max_lengths: residues of each side; what lies beyond is cut. No limit if not given.
        split: shares of training, validation (dev) and test data, where the data are not split.
        network: `single`; for pairs `homogeneous` (one pooling for both sides) or `heterogeneous`
            (one for each). By the molecule types if not given.
        pooling: `value_attention`, `max`, `mean` or `cls`.
        encoder_layers: blocks of a small encoder before the pooling; 0 for none.
        encoder_heads: its attention heads.
        encoder_size: its width.
        fc_size: width of a layer behind the pooling; null for none.
        hidden_size: width of the classifier's hidden layer.
        dropout: in front of the classifier, and in the small encoder's attention.
        pooling_zero_special_rows: see `LucaOneConfig`.
        class_weights: of the cross-entropy, in the order of the labels; `balanced`: inverse to how
            often each occurs in training.
        pos_weight: of the positives in the binary cross-entropy.
        standardize: train a regression on labels of mean 0 and standard deviation 1; the head is
            scaled back afterwards.
        epochs: passes over the training data.
        batch_size: records of one update of the weights, over all processes.
        learning_rate: at its highest; of the head, and of LoRA's matrices.
        encoder_learning_rate: that of LucaOne's own weights in full fine-tuning.
        schedule: how the learning rate falls: `linear`, `cosine` or `constant`.
        warmup_steps: updates over which it rises; below 1 the share of all updates.
        weight_decay: of AdamW; none for biases and norms.
        adam_beta1: of AdamW.
        adam_beta2: of AdamW.
        adam_epsilon: of AdamW.
        max_grad_norm: gradients of a larger norm are scaled down to it.
        patience: epochs without improvement after which training stops; null: never.
        lora_rank: rank of LoRA's matrices.
        lora_alpha: their scale, divided by the rank.
        lora_dropout: dropout in front of them.
        seed: of the head's weights, the order of the records, dropout and the split.
        metric: by which the best epoch is chosen; by the problem if not given.
        published: scores to compare with, and what they are of.
    """

    name: str
    about: str = ""
    input: Literal["single", "pair"] = "single"
    seq_types: tuple[str, ...] | None = None
    dataset: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    problem: Literal["binary", "multi_class", "multi_label", "regression"] | None = None
    labels: tuple[str, ...] | None = None
    label_separator: str = ";"
    max_lengths: tuple[int, ...] | None = None
    split: dict[str, float] = field(default_factory=lambda: {"train": 0.8, "dev": 0.1, "test": 0.1})

    network: Literal["single", "homogeneous", "heterogeneous"] | None = None
    pooling: Literal["value_attention", "max", "mean", "cls"] = "value_attention"
    encoder_layers: int = 0
    encoder_heads: int = 8
    encoder_size: int = 1024
    fc_size: int | None = None
    hidden_size: int = 128
    dropout: float = 0.1
    pooling_zero_special_rows: bool = False
    class_weights: tuple[float, ...] | Literal["balanced"] | None = None
    pos_weight: float | None = None
    standardize: bool = True

    epochs: int = 50
    batch_size: int = 16
    learning_rate: float = 1e-4
    encoder_learning_rate: float = 2e-5
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup_steps: float = 0.05
    weight_decay: float = 0.01
    adam_beta1: float = 0.9
    adam_beta2: float = 0.98
    adam_epsilon: float = 1e-8
    max_grad_norm: float = 1.0
    patience: int | None = 10
    lora_rank: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.0
    seed: int = 1221
    metric: str | None = None
    published: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        sides = 1 if self.input == "single" else 2
        if self.seq_types is not None:
            object.__setattr__(self, "seq_types", tuple(map(_seq_type, self.seq_types)))
        for name in ("seq_types", "max_lengths"):
            values = getattr(self, name)
            if values is not None and len(values) != sides:
                raise ValueError(f"{name}: {len(values)} for {sides} sequence{'s' * (sides - 1)}")
        if self.network is not None and (self.network == "single") != (self.input == "single"):
            raise ValueError(f"network: {self.network!r} does not take the input {self.input!r}")
        for name in ("epochs", "batch_size", "hidden_size", "lora_rank", "learning_rate"):
            if not getattr(self, name) > 0:  # nan is not either
                raise ValueError(f"{name}: {getattr(self, name)} is not above 0")
        weights = self.class_weights
        if isinstance(weights, tuple) and self.labels and len(weights) != len(self.labels):
            raise ValueError(f"class_weights: {len(weights)} for {len(self.labels)} labels")


def _seq_type(text: str) -> str:
    if text == "header" or text.startswith("column:"):
        return text
    return normalize_seq_type(text)


def published_tasks() -> dict[str, Path]:
    """Return the files of the published tasks by their names."""
    return {path.stem: path for path in sorted(PUBLISHED.glob("*.yaml"))}


def read_task(
    source: str | os.PathLike[str] | None = None,
    changes: Iterable[str] = (),
    data: str | os.PathLike[str] | None = None,
    **fields: Any,
) -> Task:
    """Read a task.

    Args:
        source: name of a published task, or a YAML file; None for a task of fields alone.
        changes: see `read_settings`.
        data: what the task is called after, where `source` is None.
        fields: see `read_settings`.

    Raises:
        ValueError: see `read_settings`.
    """
    name = "own data" if data is None else Path(data).stem
    return read_settings(Task, "task", published_tasks(), source, changes, name, **fields)
