# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The pre-training tasks, and classification of sequences, tokens and pairs.

Every head works on the tokens as the encoder leaves them, before padding is put back.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Unpack

import torch
from torch import Tensor, nn
from transformers.activations import ACT2FN
from transformers.modeling_outputs import SequenceClassifierOutput, TokenClassifierOutput
from transformers.utils import ModelOutput
from transformers.utils.generic import can_return_tuple

from .configuration_lucaone import PUBLISHED_TASKS, LucaOneConfig
from .head_encoder import LucaOneSummary
from .losses import classification_loss, pretraining_loss
from .modeling_lucaone import (
    LucaOneKwargs,
    LucaOneModel,
    LucaOnePreTrainedModel,
    LucaOneWithLMHead,
)
from .packing import IGNORE, PACKING_KEYS, SequenceBatch
from .pooling import LucaOneClassifier


@dataclass
class LucaOnePreTrainingOutput(ModelOutput):
    """What `LucaOneForPreTraining` returns.

    Attributes:
        loss: the weighted sum of `losses`.
        losses: one loss per task that has labels.
        logits: per task, (rows, length, num_labels) or (num_sequences, num_labels).
        last_hidden_state: (rows, length, hidden_size)
        hidden_states: of every block, if asked for.
        attentions: of every block, if asked for.
    """

    loss: Tensor | None = None
    losses: dict[str, Tensor] | None = None
    logits: dict[str, Tensor] | None = None
    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class LucaOneAnnotationHead(nn.Module):
    """Hidden states to the labels of one annotation task."""

    def __init__(self, config: LucaOneConfig, hidden_size: int, num_labels: int):
        super().__init__()
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.dense = nn.Linear(config.hidden_size, hidden_size)
        self.act_fn = ACT2FN[config.hidden_act]
        self.out_proj = nn.Linear(hidden_size, num_labels)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Map (..., hidden_size) to (..., num_labels)."""
        return self.out_proj(self.act_fn(self.dense(self.dropout(hidden_states))))


class LucaOneForPreTraining(LucaOneWithLMHead):
    """The encoder with the LM head and an annotation head for each other task of the configuration.

    Span and structure heads read every token, sequence heads the first one, [CLS].
    """

    _keys_to_ignore_on_load_unexpected = [r"rot_emb\.inv_freq$"]
    accepts_loss_kwargs = False  # the losses are means: the Trainer divides by its accumulation

    def __init__(self, config: LucaOneConfig):
        super().__init__(config)
        config.pretraining_tasks = config.pretraining_tasks or deepcopy(PUBLISHED_TASKS)
        self.annotation_heads = nn.ModuleDict(
            {
                task: LucaOneAnnotationHead(config, settings["hidden_size"], settings["num_labels"])
                for task, settings in config.pretraining_tasks.items()
                if settings["level"] != "token"
            }
        )
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: dict[str, Tensor] | None = None,
        labelled_only: bool = False,
        **kwargs: Unpack[LucaOneKwargs],
    ) -> LucaOnePreTrainingOutput:
        """Run all tasks, or with labels those that have labels; inputs as of `LucaOneModel`.

        Args:
            labels: per task, -100 where there is none: (rows, length) class ids for token and span
                tasks, (num_sequences,) or (num_sequences, 1) class ids or (num_sequences,
                num_labels) zeros and ones for sequence tasks, (rows, length, 3) for structure.
            labelled_only: run the heads only where there are labels. The losses are the same;
                `logits` are (labelled tokens or sequences, num_labels), in their order.

        Raises:
            ValueError: labels of a task that the configuration does not have.
        """
        tasks = self.config.pretraining_tasks or PUBLISHED_TASKS
        if labels is not None:
            if unknown := labels.keys() - tasks.keys():
                raise ValueError(f"labels: unknown task {min(unknown)!r}; known: {list(tasks)}")
            tasks = {task: settings for task, settings in tasks.items() if task in labels}
        batch, outputs = self._encode(
            input_ids, attention_mask, token_type_ids, position_ids, inputs_embeds, **kwargs
        )
        tokens = outputs.last_hidden_state
        first_tokens = tokens.flatten(0, 1)[batch.first_tokens()]
        sequences = torch.arange(batch.num_sequences, device=tokens.device)
        outputs_of: dict[nn.Module, Tensor] = {}
        logits, losses = {}, {}
        for task, settings in tasks.items():
            per_sequence = settings["level"] == "sequence"
            head = self.lm_head if settings["level"] == "token" else self.annotation_heads[task]
            hidden = first_tokens if per_sequence else tokens
            if labels is None or not labelled_only:
                # The mask tasks share one head: run it once.
                rows = outputs_of[head] if head in outputs_of else head(hidden)
                outputs_of[head] = rows
                logits[task] = rows if per_sequence else batch.pad(rows)
            if labels is None:
                continue
            if per_sequence:
                index, targets = sequences, labels[task]
            else:
                index = batch.sequence_index()
                targets = batch.token_labels(labels[task]).flatten(0, 1)
            if labelled_only:
                kept = (targets.reshape(len(targets), -1) != IGNORE).any(-1)
                index, targets = index[kept], targets[kept]
                logits[task] = rows = head(hidden.flatten(0, -2)[kept])
            losses[task] = pretraining_loss(
                settings["problem_type"], rows.flatten(0, -2), targets, index, batch.num_sequences
            )
        weighted = [tasks[task]["weight"] * value for task, value in losses.items()]
        return LucaOnePreTrainingOutput(
            loss=torch.stack(weighted).sum() if weighted else None,
            losses=losses or None,
            logits=logits,
            last_hidden_state=batch.pad(tokens),
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


class LucaOneForSequenceClassification(LucaOnePreTrainedModel):
    """The encoder with a pooling and a classifier, or a regressor, of whole sequences."""

    accepts_loss_kwargs = False

    def __init__(self, config: LucaOneConfig):
        super().__init__(config)
        self.lucaone = LucaOneModel(config)
        self.summary = LucaOneSummary(config)
        self.classifier = LucaOneClassifier(config, self.summary.output_size)
        self.post_init()

    def classify(self, hidden_states: Tensor, batch: SequenceBatch) -> Tensor:
        """Classify sequences by the last hidden states of the encoder, the part behind it.

        Args:
            hidden_states: (rows, length, hidden_size), in the form of `batch`.
            batch: which token belongs to which sequence.

        Returns:
            Logits, (num_sequences, num_labels).
        """
        return self.classifier(self.summary(hidden_states, batch))

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **kwargs: Unpack[LucaOneKwargs],
    ) -> SequenceClassifierOutput:
        """Classify sequences; inputs as of `LucaOneModel`.

        Args:
            labels: (num_sequences,) or (num_sequences, num_labels), by `config.problem_type`.

        Returns:
            `logits`, (num_sequences, num_labels), and with labels the `loss`.
        """
        batch, outputs = self._encode(
            input_ids, attention_mask, token_type_ids, position_ids, inputs_embeds, **kwargs
        )
        logits = self.classify(outputs.last_hidden_state, batch)
        return SequenceClassifierOutput(
            loss=None if labels is None else classification_loss(self.config, logits, labels),
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


class LucaOneForTokenClassification(LucaOnePreTrainedModel):
    """The encoder with a classifier, or a regressor, of every token."""

    accepts_loss_kwargs = False

    def __init__(self, config: LucaOneConfig):
        super().__init__(config)
        self.lucaone = LucaOneModel(config)
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **kwargs: Unpack[LucaOneKwargs],
    ) -> TokenClassifierOutput:
        """Classify tokens; inputs as of `LucaOneModel`.

        Args:
            labels: (rows, length) or (rows, length, num_labels), by `config.problem_type`; -100
                where there is none.

        Returns:
            `logits`, (rows, length, num_labels), and with labels the `loss`.
        """
        batch, outputs = self._encode(
            input_ids, attention_mask, token_type_ids, position_ids, inputs_embeds, **kwargs
        )
        logits = self.classifier(self.dropout(outputs.last_hidden_state))
        loss = None
        if labels is not None:
            loss = classification_loss(self.config, logits, batch.token_labels(labels))
        return TokenClassifierOutput(
            loss=loss,
            logits=batch.pad(logits),
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


@dataclass
class LucaOnePairClassifierOutput(ModelOutput):
    """What `LucaOneForPairClassification` returns.

    Attributes:
        loss: with labels, by `config.problem_type`.
        logits: (num_pairs, num_labels)
        hidden_states_a: of every block for the first sequences, if asked for.
        hidden_states_b: likewise for the second ones.
        attentions_a: of every block for the first sequences, if asked for.
        attentions_b: likewise for the second ones.
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    hidden_states_a: tuple[Tensor, ...] | None = None
    hidden_states_b: tuple[Tensor, ...] | None = None
    attentions_a: tuple[Tensor, ...] | None = None
    attentions_b: tuple[Tensor, ...] | None = None


class LucaOneForPairClassification(LucaOnePreTrainedModel):
    """The encoder, run on both sequences of a pair, with a classifier of the two summaries.

    Pairs of one kind share a pooling, and the small encoder in front of it where the configuration
    has one; a `heterogeneous` pair has them for each side.
    """

    accepts_loss_kwargs = False

    def __init__(self, config: LucaOneConfig):
        super().__init__(config)
        self.lucaone = LucaOneModel(config)
        kinds = 2 if config.pair_kind == "heterogeneous" else 1
        summaries = [LucaOneSummary(config) for _ in range(kinds)]
        self.summaries = nn.ModuleList(summaries)
        self.classifier = LucaOneClassifier(config, 2 * summaries[0].output_size)
        self.post_init()

    def classify(
        self,
        hidden_a: Tensor,
        batch_a: SequenceBatch,
        hidden_b: Tensor,
        batch_b: SequenceBatch,
    ) -> Tensor:
        """Classify pairs by the last hidden states of the encoder, the part behind it.

        Args:
            hidden_a: (rows, length, hidden_size) of the first sequences, in the form of `batch_a`.
            batch_a: which token belongs to which of the first sequences.
            hidden_b: likewise of the second ones.
            batch_b: likewise of the second ones.

        Returns:
            Logits, (num_pairs, num_labels).

        Raises:
            ValueError: the two sides hold different numbers of sequences.
        """
        if batch_a.num_sequences != batch_b.num_sequences:
            raise ValueError(
                f"{batch_a.num_sequences} first sequences but {batch_b.num_sequences} second ones"
            )
        summary_a = self.summaries[0](hidden_a, batch_a)
        summary_b = self.summaries[-1](hidden_b, batch_b)
        return self.classifier(torch.cat((summary_a, summary_b), dim=-1))

    @can_return_tuple
    def forward(
        self,
        input_ids_a: Tensor | None = None,
        attention_mask_a: Tensor | None = None,
        token_type_ids_a: Tensor | None = None,
        position_ids_a: Tensor | None = None,
        inputs_embeds_a: Tensor | None = None,
        input_ids_b: Tensor | None = None,
        attention_mask_b: Tensor | None = None,
        token_type_ids_b: Tensor | None = None,
        position_ids_b: Tensor | None = None,
        inputs_embeds_b: Tensor | None = None,
        labels: Tensor | None = None,
        **kwargs: Any,
    ) -> LucaOnePairClassifierOutput:
        """Classify pairs; the inputs of each side as of `LucaOneModel`, with `_a` and `_b`.

        What describes a packed row has `_a` and `_b` as well.

        Args:
            labels: (num_pairs,) or (num_pairs, num_labels), by `config.problem_type`.

        Raises:
            ValueError: the two sides hold different numbers of sequences.
        """
        packing = {
            side: {key: kwargs.pop(f"{key}_{side}", None) for key in PACKING_KEYS} for side in "ab"
        }
        batch_a, outputs_a = self._encode(
            input_ids_a,
            attention_mask_a,
            token_type_ids_a,
            position_ids_a,
            inputs_embeds_a,
            **packing["a"],
            **kwargs,
        )
        batch_b, outputs_b = self._encode(
            input_ids_b,
            attention_mask_b,
            token_type_ids_b,
            position_ids_b,
            inputs_embeds_b,
            **packing["b"],
            **kwargs,
        )
        logits = self.classify(
            outputs_a.last_hidden_state, batch_a, outputs_b.last_hidden_state, batch_b
        )
        return LucaOnePairClassifierOutput(
            loss=None if labels is None else classification_loss(self.config, logits, labels),
            logits=logits,
            hidden_states_a=outputs_a.hidden_states,
            hidden_states_b=outputs_b.hidden_states,
            attentions_a=outputs_a.attentions,
            attentions_b=outputs_b.attentions,
        )


__all__ = [
    "LucaOneForPairClassification",
    "LucaOneForPreTraining",
    "LucaOneForSequenceClassification",
    "LucaOneForTokenClassification",
]
