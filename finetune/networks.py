# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The networks of a task: the head alone, which is trained on features, and the whole model."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import set_seed
from transformers.modeling_outputs import SequenceClassifierOutput

from embedding.models import ModelSource, load_model
from modeling_lucaone import (
    LucaOneConfig,
    LucaOneForPairClassification,
    LucaOneForSequenceClassification,
    LucaOneModel,
    LucaOnePreTrainedModel,
)
from modeling_lucaone.heads import LucaOneSummary
from modeling_lucaone.losses import classification_loss
from modeling_lucaone.packing import SequenceBatch
from modeling_lucaone.pooling import LucaOneClassifier

from .data import TaskData
from .task import Task

# What LoRA adapts: the matrices of the blocks; and what is trained and saved beside it.
LORA_TARGETS = r"lucaone\.encoder\.layers\.\d+\.(self_attn\.(q|k|v|out)_proj|fc1|fc2)"
PROBLEM_TYPES = {
    "binary": "multi_label_classification",
    "multi_class": "single_label_classification",
    "multi_label": "multi_label_classification",
    "regression": "regression",
}


def network_config(task: Task, data: TaskData, base: LucaOneConfig) -> LucaOneConfig:
    """Return the configuration of a task's model.

    Args:
        task: the task.
        data: its data, for the labels and the molecule types.
        base: the configuration of the encoder.

    Raises:
        ValueError: the fields contradict one another.
    """
    names = data.label_names
    positive = names[1:] if data.problem == "binary" else names
    sides = list(zip(*(example.seq_types for example in data.splits["train"]), strict=True))
    types = [kinds[0] for kinds in sides if len(set(kinds)) == 1]
    kind = task.network
    if kind is None and task.input == "pair":
        kind = "homogeneous" if len(set(types)) == 1 and len(types) == 2 else "heterogeneous"
    fields = base.to_dict() | {
        "problem_type": PROBLEM_TYPES[data.problem],
        "id2label": dict(enumerate(positive or ["value"])),
        "label2id": {name: number for number, name in enumerate(positive or ["value"])},
        "label_names": {"classifier": list(names)} if names else None,
        "seq_types": types if len(types) == len(sides) else None,
        "max_residues": list(task.max_lengths) if task.max_lengths else None,
        "classifier_pooling": task.pooling,
        "classifier_encoder_layers": task.encoder_layers,
        "classifier_encoder_heads": task.encoder_heads,
        "classifier_encoder_size": task.encoder_size,
        "classifier_fc_size": task.fc_size,
        "classifier_hidden_size": task.hidden_size,
        "classifier_dropout": task.dropout,
        "pooling_zero_special_rows": task.pooling_zero_special_rows,
        "pair_kind": kind if task.input == "pair" else base.pair_kind,
        "class_weights": class_weights(task, data),
        "pos_weight": task.pos_weight,
        "pretraining_tasks": None,
    }
    return LucaOneConfig.from_dict(fields)


def class_weights(task: Task, data: TaskData) -> list[float] | None:
    """Return the weight of each class in the cross-entropy.

    `balanced` is n / (classes x n_class), as scikit-learn has it.

    Raises:
        ValueError: not as many as labels, or the problem is none of classes.
    """
    if task.class_weights is None:
        return None
    if data.problem != "multi_class":
        raise ValueError(f"class_weights: the problem is {data.problem}, not multi_class")
    if task.class_weights != "balanced":
        if len(task.class_weights) != len(data.label_names):
            raise ValueError(
                f"class_weights: {len(task.class_weights)} for {len(data.label_names)} labels; "
                "--set class_weights=null takes them away"
            )
        return list(map(float, task.class_weights))
    labels = torch.tensor([example.label for example in data.splits["train"]])
    counts = labels.bincount(minlength=len(data.label_names))
    return (len(labels) / (len(counts) * counts.clamp(min=1))).tolist()


class FeatureClassifier(LucaOnePreTrainedModel):
    """The head of a model, on features that were computed before.

    Its tensors are called as in the whole model.

    Args:
        config: as of the whole model.
        widths: channels of the features of each side.
    """

    accepts_loss_kwargs = False

    def __init__(self, config: LucaOneConfig, widths: Sequence[int] | None = None):
        super().__init__(config)
        widths = list(widths or [config.hidden_size])
        shared = config.pair_kind == "homogeneous"
        if len(widths) == 2 and shared and widths[0] != widths[1]:
            raise ValueError(
                f"network: homogeneous shares its pooling, but the features of the two sides "
                f"are {widths[0]} and {widths[1]} wide"
            )
        count = 2 if len(widths) == 2 and not shared else 1
        summaries = [LucaOneSummary(config, width) for width in widths[:count]]
        if len(widths) == 2:
            self.summaries = nn.ModuleList(summaries)
        else:
            self.summary = summaries[0]
        width = sum(summaries[-number].output_size for number in range(len(widths)))
        self.classifier = LucaOneClassifier(config, width)
        self.post_init()

    def forward(self, labels: Tensor | None = None, **inputs: Any) -> SequenceClassifierOutput:
        """Classify sequences or pairs by their features, as `StoredExamples` packs them."""
        pair = hasattr(self, "summaries")
        vectors = []
        for number, side in enumerate(("_a", "_b") if pair else ("",)):
            tokens = inputs[f"input_ids{side}"]
            batch = SequenceBatch.from_inputs(
                self.config,
                input_ids=tokens,
                token_type_ids=torch.zeros_like(tokens),
                cu_seq_lens_q=inputs[f"cu_seq_lens_q{side}"],
            )
            summary = self.summaries[-number] if pair else self.summary
            vectors.append(summary(inputs[f"features{side}"], batch))
        logits = self.classifier(torch.cat(vectors, dim=-1))
        loss = None if labels is None else classification_loss(self.config, logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)


def new_head(config: LucaOneConfig, widths: Sequence[int], seed: int) -> FeatureClassifier:
    """Return a head with fresh weights, the same for the same seed.

    Raises:
        ValueError: the network does not take features of such widths.
    """
    set_seed(seed)
    return FeatureClassifier(config, widths)


def with_head(encoder: LucaOneModel, head: FeatureClassifier) -> LucaOnePreTrainedModel:
    """Return the whole model, of an encoder and a head, without a copy of their weights."""
    pair = hasattr(head, "summaries")
    model_class: Any = LucaOneForPairClassification if pair else LucaOneForSequenceClassification
    head.config._attn_implementation = encoder.config._attn_implementation
    with torch.device("meta"):
        model = model_class(head.config)
    model.lucaone = encoder
    for name, module in head.named_children():
        setattr(model, name, module)
    return model


def load_encoder(source: ModelSource, attn_implementation: str | None = None) -> LucaOneModel:
    """Load the encoder of a model in fp32, in which weights are trained and saved.

    Raises:
        ValueError: see `load_model`.
    """
    encoder: LucaOneModel = load_model(
        source, LucaOneModel, dtype=torch.float32, attn_implementation=attn_implementation
    )
    return encoder


def add_lora(model: LucaOnePreTrainedModel, task: Task) -> Any:
    """Return the model with LoRA's matrices in its blocks; those and the head are trained.

    Raises:
        ImportError: peft is not installed.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        raise ImportError("LoRA needs peft; pip install 'lucaone-hf[finetune]'") from None
    heads = ["summary"]
    if isinstance(model, LucaOneForPairClassification):
        heads = [f"summaries.{number}" for number in range(len(model.summaries))]
    return get_peft_model(
        model,
        LoraConfig(
            r=task.lora_rank,
            lora_alpha=task.lora_alpha,
            lora_dropout=task.lora_dropout,
            target_modules=LORA_TARGETS,
            modules_to_save=[*heads, "classifier"],
        ),
    )
