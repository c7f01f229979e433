# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Losses of the classification heads and of the pre-training tasks. Labels of -100 never count."""

import torch
from torch import Tensor
from torch.nn import functional as F

from .configuration_lucaone import LucaOneConfig
from .packing import IGNORE
from .pooling import sum_by_sequence


def problem_type_of(config: LucaOneConfig, labels: Tensor) -> str:
    """Return `config.problem_type`, or where it is open what transformers infers from labels."""
    if config.problem_type is not None:
        return config.problem_type
    if config.num_labels == 1:
        return "regression"
    if labels.is_floating_point():
        return "multi_label_classification"
    return "single_label_classification"


def classification_loss(config: LucaOneConfig, logits: Tensor, labels: Tensor) -> Tensor:
    """Loss of a head by its problem type, averaged over what is labelled; 0 if nothing is.

    * `single_label_classification`: cross-entropy, classes weighted by `config.class_weights`.
    * `multi_label_classification`: binary cross-entropy of each label, positives weighted by
      `config.pos_weight`; with a single label this is the published binary classifier.
    * `regression`: mean squared error.

    Args:
        config: the model's configuration.
        logits: (..., num_labels)
        labels: (...) of class ids, or as `logits`.

    Raises:
        ValueError: labels of another shape.
    """
    problem_type = problem_type_of(config, labels)
    if problem_type == "single_label_classification":
        if labels.numel() != logits.numel() // logits.shape[-1]:
            raise ValueError(f"labels {tuple(labels.shape)} for logits {tuple(logits.shape)}")
        weight = None
        if config.class_weights is not None:
            weight = logits.new_tensor(config.class_weights, dtype=torch.float32)
        labels = labels.flatten().long()
        rows = logits.flatten(0, -2).float()
        total = F.cross_entropy(rows, labels, weight, ignore_index=IGNORE, reduction="sum")
        norm = (labels != IGNORE).float()
        if weight is not None:
            norm = norm * weight[labels.clamp(min=0)]
        return total / norm.sum().clamp(min=torch.finfo(torch.float32).tiny)
    if labels.numel() != logits.numel():
        raise ValueError(f"labels {tuple(labels.shape)} for logits {tuple(logits.shape)}")
    logits, labels = logits.float(), labels.view(logits.shape).float()
    labelled = labels != IGNORE
    if problem_type == "regression":
        values = F.mse_loss(logits, labels, reduction="none")
    else:
        pos_weight = None
        if config.pos_weight is not None:
            pos_weight = logits.new_tensor(config.pos_weight)
        values = F.binary_cross_entropy_with_logits(
            logits, labels, pos_weight=pos_weight, reduction="none"
        )
    return values.masked_fill(~labelled, 0.0).sum() / labelled.sum().clamp(min=1)


def pretraining_loss(
    problem_type: str, logits: Tensor, labels: Tensor, record_index: Tensor, num_records: int
) -> Tensor:
    """Loss of one pre-training task: the mean over records of each record's mean (facts 2.4).

    Records without a label do not count; with no label at all the loss is 0.

    Args:
        problem_type: cross-entropy, binary cross-entropy or, for regression, absolute error.
        logits: (n, num_labels), a row per token or per record.
        labels: (n,) class ids; (n, num_labels) for the other problem types.
        record_index: (n,) the record of each row.
        num_records: number of records in the batch.
    """
    logits = logits.float()
    if problem_type == "single_label_classification":
        labels = labels.view(-1).long()
        values = F.cross_entropy(logits, labels, ignore_index=IGNORE, reduction="none")
        labelled = (labels != IGNORE).float()
    else:
        labels = labels.view(logits.shape).float()
        if problem_type == "multi_label_classification":
            values = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        else:
            values = F.l1_loss(logits, labels, reduction="none")
        present = labels != IGNORE
        values = values.masked_fill(~present, 0.0).sum(-1)
        labelled = present.float().sum(-1)
    total = sum_by_sequence(values, record_index, num_records)
    count = sum_by_sequence(labelled, record_index, num_records)
    records = (count > 0).sum().clamp(min=1)
    return (total / count.clamp(min=1.0)).sum() / records
