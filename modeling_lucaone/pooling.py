# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""From one vector per token to one per sequence, and from summaries to logits.

Every pooling runs over the residues or nucleotides of a sequence: padding never counts, [CLS] and
[SEP] only where asked for. Padded and packed rows go through the same lines, as tokens with the
number of their sequence; sums are taken in fp32.
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from transformers.activations import ACT2FN

from .configuration_lucaone import LucaOneConfig
from .packing import SequenceBatch


def draw_from(layer: Any, rule: Literal["xavier", "xavier, no bias", "normal"]) -> None:
    """Mark a linear layer with how fresh weights are drawn; without a mark it is PyTorch's way.

    The mark is on the layer itself, because newer versions of transformers pass over a module that
    has no parameters of its own, so that a parent cannot draw the weights of its layers.
    """
    layer.drawn_from = rule


def sum_by_sequence(values: Tensor, sequence_index: Tensor, num_sequences: int) -> Tensor:
    """Add up the rows of each sequence.

    Args:
        values: (tokens, ...)
        sequence_index: (tokens,)
        num_sequences: number of sequences; one without tokens has the sum 0.

    Returns:
        (num_sequences, ...)
    """
    total = values.new_zeros(num_sequences, *values.shape[1:])
    return total.index_add(0, sequence_index, values)


def max_by_sequence(values: Tensor, sequence_index: Tensor, num_sequences: int) -> Tensor:
    """Return the largest values of each sequence, as `sum_by_sequence` does; -inf of nothing."""
    lowest = values.new_full((num_sequences, *values.shape[1:]), -torch.inf)
    index = sequence_index.view(-1, *[1] * (values.dim() - 1)).expand_as(values)
    return lowest.scatter_reduce(0, index, values, "amax")


class LucaOnePooling(nn.Module):
    """Pools the tokens of each sequence.

    * `mean`, `max`: over residues, per channel.
    * `cls`: the row of the first token.
    * `value_attention`: a softmax over the residues in every channel by itself, with scores
      `tanh(x U + x V) W` (arXiv 2210.03970, in the form of the published downstream networks).

    A sequence without residues is pooled to zeros.

    Args:
        kind: `mean`, `max`, `cls` or `value_attention`.
        hidden_size: channels of a token.
        zero_special_rows: let [CLS] and [SEP] take part, as rows of zeros.
    """

    def __init__(self, kind: str, hidden_size: int, zero_special_rows: bool = False):
        super().__init__()
        self.kind = kind
        self.zero_special_rows = zero_special_rows
        if kind == "value_attention":
            self.U = nn.Parameter(torch.empty(hidden_size, hidden_size))
            self.V = nn.Parameter(torch.empty(hidden_size, hidden_size))
            self.W = nn.Parameter(torch.empty(hidden_size, hidden_size))

    def forward(self, hidden_states: Tensor, batch: SequenceBatch) -> Tensor:
        """Pool the last hidden states of a batch.

        Args:
            hidden_states: (rows, length, hidden_size), in the form of `batch`.
            batch: which token belongs to which sequence.

        Returns:
            (num_sequences, hidden_size), in the dtype of `hidden_states`.
        """
        tokens = hidden_states.flatten(0, 1)
        if self.kind == "cls":
            return tokens[batch.first_tokens()]
        index, count = batch.sequence_index(), batch.num_sequences
        taking_part, special = batch.real_tokens(), batch.special_tokens()
        if self.zero_special_rows:
            tokens = tokens.masked_fill(special[:, None], 0.0)
        else:
            taking_part = taking_part & ~special
        outside = ~taking_part[:, None]

        if self.kind == "mean":
            total = sum_by_sequence(tokens.float().masked_fill(outside, 0.0), index, count)
            size = sum_by_sequence(taking_part.float(), index, count)
            pooled = total / size.clamp(min=1.0)[:, None]
        elif self.kind == "max":
            pooled = max_by_sequence(tokens.float().masked_fill(outside, -torch.inf), index, count)
            pooled = pooled.masked_fill(pooled == -torch.inf, 0.0)
        else:
            scores = torch.tanh(tokens @ (self.U + self.V)) @ self.W
            scores = scores.float().masked_fill(outside, -torch.inf)
            highest = max_by_sequence(scores.detach(), index, count)
            highest = highest.masked_fill(highest == -torch.inf, 0.0)
            weights = torch.exp(scores - highest[index])
            total = sum_by_sequence(weights * tokens.float(), index, count)
            norm = sum_by_sequence(weights, index, count)
            pooled = total / norm.clamp(min=torch.finfo(torch.float32).tiny)
        return pooled.to(hidden_states.dtype)


class LucaOneClassifier(nn.Module):
    """Summaries of one sequence or of a pair to logits.

    Args:
        config: the model's configuration.
        input_size: width of the summary, or of both together.
    """

    def __init__(self, config: LucaOneConfig, input_size: int):
        super().__init__()
        self.dropout = nn.Dropout(config.classifier_dropout)
        self.hidden = nn.Linear(input_size, config.classifier_hidden_size)
        self.act_fn = ACT2FN[config.hidden_act]
        self.out_proj = nn.Linear(config.classifier_hidden_size, config.num_labels)
        draw_from(self.hidden, "normal")
        draw_from(self.out_proj, "normal")

    def forward(self, summary: Tensor) -> Tensor:
        """Map (num_sequences, input_size) to (num_sequences, num_labels)."""
        return self.out_proj(self.act_fn(self.hidden(self.dropout(summary))))
