# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What stands between the encoder and the classifier: a small encoder, a pooling, a layer.

The small encoder is a part of the published downstream networks (facts 6.1): the rows of a sequence
are projected to its width and go through a few blocks before they are pooled. Its blocks are those
of the model, with the norms in front and rotary positions, as the published network of single
sequences has them. The published networks of pairs had BERT blocks there; ours are the same
everywhere, shared where the pooling is shared and one per side where it is not.

A head sees residues only. Without `pooling_zero_special_rows` the rows of [CLS] and [SEP] stay out
of the small encoder; with it they enter as rows of zeros, which the projection turns into its bias,
and are pooled as they come out.
"""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from transformers.activations import ACT2FN
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from .configuration_lucaone import LucaOneConfig
from .modeling_lucaone import LucaOneEncoder, LucaOneRotaryEmbedding
from .packing import SequenceBatch
from .pooling import LucaOnePooling, draw_from


class LucaOneHeadEncoderConfig(LucaOneConfig):
    """The configuration of the small encoder's blocks, made of the `classifier_encoder_*` fields.

    Args:
        model_config: configuration of the model. The function of attention is always its own, also
            when it changes later.
    """

    model_config: LucaOneConfig | None = None

    @classmethod
    def of(cls, config: LucaOneConfig) -> "LucaOneHeadEncoderConfig":
        """Return the configuration of the blocks in the head of a model."""
        return cls(
            model_config=config,
            hidden_size=config.classifier_encoder_size,
            num_hidden_layers=config.classifier_encoder_layers,
            num_attention_heads=config.classifier_encoder_heads,
            hidden_act=config.hidden_act,
            layer_norm_eps=config.layer_norm_eps,
            max_position_embeddings=config.max_position_embeddings,
            rope_parameters=deepcopy(config.rope_parameters),
            attention_dropout=config.classifier_dropout,
        )

    @property
    def _attn_implementation(self) -> Any:
        return self.model_config._attn_implementation if self.model_config else None

    @_attn_implementation.setter
    def _attn_implementation(self, value: Any) -> None:
        """Leave it to the model."""


class LucaOneHeadRotation(nn.Module):
    """The rotations in the small encoder; their frequencies are computed and never stored."""

    def __init__(self, config: LucaOneConfig):
        super().__init__()
        self.config = config

    def forward(self, hidden_states: Tensor, position_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosine and sine, (rows, length, head_dim / 2) each, in fp32."""
        rope_type = (self.config.rope_parameters or {})["rope_type"]
        compute = LucaOneRotaryEmbedding.compute_default_rope_parameters
        if rope_type != "default":
            compute = ROPE_INIT_FUNCTIONS[rope_type]
        longest = None
        if rope_type in ("dynamic", "longrope"):  # those that depend on the length
            longest = int(position_ids.max()) + 1
        inv_freq, scaling = compute(self.config, position_ids.device, longest)
        angles = position_ids[..., None].float() * inv_freq.to(position_ids.device)
        return angles.cos() * scaling, angles.sin() * scaling


class LucaOneHeadEncoder(LucaOneEncoder):
    """A projection, a few blocks and a last norm.

    Args:
        config: the model's configuration.
        input_size: channels of a row.
    """

    def __init__(self, config: LucaOneConfig, input_size: int):
        super().__init__(LucaOneHeadEncoderConfig.of(config))
        self.projection = nn.Linear(input_size, config.classifier_encoder_size)
        rotation = LucaOneHeadRotation(self.config)
        for layer in self.layers:
            attention: Any = layer.self_attn
            attention.rot_emb = rotation
        for module in self.modules():
            if isinstance(module, nn.Linear):
                draw_from(module, "normal")

    def forward(self, hidden_states: Tensor, batch: SequenceBatch, **kwargs: Any) -> Tensor:
        """Map (rows, length, input_size) to (rows, length, classifier_encoder_size)."""
        projected = self.projection(hidden_states)
        if batch.lengths == []:  # no sequence has a residue
            return projected
        return super().forward(projected, batch, **kwargs)


def rows_of_head(
    hidden_states: Tensor, batch: SequenceBatch, zero_special_rows: bool
) -> tuple[Tensor, SequenceBatch]:
    """Take the rows of [CLS] and [SEP] out of a batch, or make them zeros.

    Args:
        hidden_states: (rows, length, channels), in the form of `batch`.
        batch: which token belongs to which sequence.
        zero_special_rows: make zeros of them.

    Returns:
        The rows and their batch, in which no row is special any more. A padded batch keeps its
        shape and is masked, a packed one becomes shorter.

    Raises:
        ValueError: rows must come out of a packed row under compilation or export, where its length
            may not depend on values, or of a batch with a 4-dimensional mask.
    """
    special = batch.special_tokens()
    rest = replace(
        batch,
        input_ids=torch.zeros_like(batch.position_ids),
        inputs_embeds=None,
        token_type_ids=None,
        special_ids=(),
    )
    if zero_special_rows:
        zeroed = special.view(batch.position_ids.shape)[..., None]
        return hidden_states.masked_fill(zeroed, 0.0), rest
    if batch.cu_seq_lens is None:
        if batch.attention_mask is not None and batch.attention_mask.dim() != 2:
            raise ValueError(
                "the encoder of a classifier cannot leave [CLS] and [SEP] out of a 4-dimensional "
                "attention_mask"
            )
        residues = (batch.real_tokens() & ~special).view(batch.position_ids.shape)
        return hidden_states, replace(rest, attention_mask=residues)
    if batch.lengths is None:
        raise ValueError(
            "the encoder of a classifier cannot leave [CLS] and [SEP] out of a packed row under "
            "compilation and export: give a padded batch, or set pooling_zero_special_rows"
        )
    residues = (~special).nonzero().flatten()
    lengths = torch.bincount(batch.sequence_index()[residues], minlength=batch.num_sequences)
    rest = replace(
        rest,
        input_ids=rest.position_ids.new_zeros(1, len(residues)),
        position_ids=batch.position_ids[:, residues],
        cu_seq_lens=nn.functional.pad(lengths.cumsum(0), (1, 0)).to(torch.int32),
        # What attention goes through one by one; a sequence may have no row left.
        lengths=[length for length in lengths.tolist() if length],
    )
    return hidden_states[:, residues], rest


class LucaOneSummary(nn.Module):
    """One vector per sequence: a pooling and, where the configuration has them, more around it.

    Args:
        config: the model's configuration.
        input_size: channels of a token, where they are not those of the configuration.

    Attributes:
        output_size: width of the vectors.
    """

    def __init__(self, config: LucaOneConfig, input_size: int | None = None):
        super().__init__()
        self.output_size = input_size or config.hidden_size
        self.encoder = None
        if config.classifier_encoder_layers:
            self.encoder = LucaOneHeadEncoder(config, self.output_size)
            self.output_size = config.classifier_encoder_size
        self.pooling = LucaOnePooling(
            config.classifier_pooling, self.output_size, config.pooling_zero_special_rows
        )
        self.fc = None
        if config.classifier_fc_size is not None:
            self.fc = nn.Linear(self.output_size, config.classifier_fc_size)
            self.output_size = config.classifier_fc_size
            draw_from(self.fc, "normal")
        self.act_fn = ACT2FN[config.hidden_act]

    def forward(self, hidden_states: Tensor, batch: SequenceBatch) -> Tensor:
        """Map (rows, length, input_size) to (num_sequences, output_size)."""
        if self.encoder is not None:
            zeros = self.pooling.zero_special_rows
            hidden_states, batch = rows_of_head(hidden_states, batch, zeros)
            hidden_states = self.encoder(hidden_states, batch)
        pooled = self.pooling(hidden_states, batch)
        return pooled if self.fc is None else self.act_fn(self.fc(pooled))
