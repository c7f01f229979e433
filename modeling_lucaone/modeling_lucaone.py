# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""LucaOne: one Transformer encoder for DNA, RNA and protein.

How a sequence becomes numbers, in the order of this file: token and molecule-type embeddings are
added; every block adds attention over the sequence and then a feed-forward layer, each behind its
own layer norm; a last norm gives the hidden states, and a head makes logits of them. Positions only
enter as rotations of queries and keys, so there is no longest sequence.

* Parameters carry the published names, so that files go both ways. `post_layer_norm` is what the
  published code calls the norm in front of the feed-forward layer.
* Every batch is a `SequenceBatch`: padding is taken out before the first block and put back after
  the last (packing.py), which is why padded, packed and single sequences give the same numbers.
* Rotations are computed in fp32 whatever the dtype of the model. bf16 has 8 significant bits: as
  bf16, 4,096 positions collapse to 769.
"""

from collections.abc import Callable
from typing import Any, TypedDict, Unpack

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.activations import ACT2FN
from transformers.masking_utils import create_bidirectional_mask, packed_sequence_mask_function
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutput, MaskedLMOutput
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS, dynamic_rope_update
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.utils.generic import can_return_tuple, is_flash_attention_requested
from transformers.utils.output_capturing import capture_outputs

from .configuration_lucaone import LucaOneConfig
from .packing import PACKING_KEYS, SequenceBatch, attend_within_sequences
from .pooling import LucaOnePooling, draw_from


class LucaOneKwargs(TypedDict, total=False):
    """What the models take beside their inputs: what to return, and the bounds of a packed row."""

    output_hidden_states: bool | None
    output_attentions: bool | None
    return_dict: bool | None
    cu_seq_lens_q: Tensor | None
    cu_seq_lens_k: Tensor | None
    max_length_q: int | None
    max_length_k: int | None


class LucaOneLayerNorm(nn.LayerNorm):
    """A layer norm that keeps the dtype of its input, under autocast too."""

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Normalise the last dimension."""
        return super().forward(hidden_states).to(hidden_states.dtype)


class LucaOneRotaryEmbedding(nn.Module):
    """The angles by which queries and keys are turned, as cosines and sines in fp32.

    With rotary type `default` the frequencies are a stored buffer: published checkpoints carry
    them in every block, some rounded to fp16. Other types are computed from the configuration.
    """

    inv_freq: Tensor
    original_inv_freq: Tensor

    def __init__(self, config: LucaOneConfig):
        super().__init__()
        self.config = config
        self.max_seq_len_cached = config.max_position_embeddings
        self.original_max_seq_len = config.max_position_embeddings
        self.rope_type = (config.rope_parameters or {})["rope_type"]
        compute = self.compute_default_rope_parameters
        if self.rope_type != "default":
            compute = ROPE_INIT_FUNCTIONS[self.rope_type]
        inv_freq, self.attention_scaling = compute(config)
        self.register_buffer("inv_freq", inv_freq, persistent=self.rope_type == "default")
        self.register_buffer("original_inv_freq", inv_freq.clone(), persistent=False)

    @staticmethod
    def compute_default_rope_parameters(
        config: LucaOneConfig, *_: Any, **__: Any
    ) -> tuple[Tensor, float]:
        """Return the frequencies theta^(-2i / head_dim), (head_dim / 2,), and the scaling 1."""
        head_dim = config.hidden_size // config.num_attention_heads
        exponents = torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim
        return (config.rope_parameters or {})["rope_theta"] ** -exponents, 1.0

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> nn.Module:
        """Follow the model to another device, but never to another dtype."""
        kept = {name: buffer for name, buffer in self.named_buffers()}
        super()._apply(fn, recurse)
        for name, buffer in kept.items():
            moved = getattr(self, name)
            if moved.dtype != buffer.dtype:
                setattr(self, name, buffer.to(moved.device))
        return self

    @torch.no_grad()
    @dynamic_rope_update
    def forward(self, hidden_states: Tensor, position_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosine and sine, (rows, length, head_dim / 2) each, in fp32."""
        angles = position_ids[..., None].float() * self.inv_freq.to(hidden_states.device)
        return angles.cos() * self.attention_scaling, angles.sin() * self.attention_scaling


# Tokens that a CPU rotates at a time: 256 x 2560 numbers in fp32 stay in its cache. Measured on
# 9,266 tokens in bf16: 52 ms, against 845 ms in one piece.
CPU_ROTATION_TOKENS = 256


def rotate(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pairs (i, i + head_dim / 2) of each head by the angle of its position, in fp32.

    Args:
        states: (rows, length, heads, head_dim)
        cos: (rows, length, 1, head_dim / 2) in fp32.
        sin: (rows, length, 1, head_dim / 2) in fp32.

    Returns:
        As `states`, in its dtype.
    """

    def turn(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        first, second = states.float().chunk(2, dim=-1)
        turned = torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
        return turned.to(states.dtype)

    if states.is_cpu and not torch.compiler.is_compiling() and not torch.jit.is_tracing():
        pieces = zip(
            *(tensor.split(CPU_ROTATION_TOKENS, dim=1) for tensor in (states, cos, sin)),
            strict=True,
        )
        return torch.cat([turn(*piece) for piece in pieces], dim=1)
    return turn(states, cos, sin)


def eager_attention_forward(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, Tensor]:
    """Attention written out, the only form that returns its weights.

    Args:
        module: the attention module.
        query: (rows, heads, length, head_dim), as `key` and `value`.
        key: see `query`.
        value: see `query`.
        attention_mask: added to the scores, (rows, 1, length, length).
        scaling: factor of the scores.
        dropout: dropout of the weights in training.

    Returns:
        Mixed values, (rows, length, heads, head_dim), and weights, (rows, heads, length, length).
    """
    scores = torch.matmul(query, key.transpose(2, 3)) * scaling
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = F.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    weights = F.dropout(weights, p=dropout, training=module.training)
    return torch.matmul(weights, value).transpose(1, 2), weights


class LucaOneAttention(nn.Module):
    """Multi-head self-attention over the tokens of a sequence."""

    def __init__(self, config: LucaOneConfig):
        super().__init__()
        self.config = config
        self.head_dim = config.hidden_size // config.num_attention_heads
        self.scaling = self.head_dim**-0.5
        self.is_causal = False
        self.q_proj = nn.Linear(config.hidden_size, config.hidden_size)
        self.k_proj = nn.Linear(config.hidden_size, config.hidden_size)
        self.v_proj = nn.Linear(config.hidden_size, config.hidden_size)
        self.out_proj = nn.Linear(config.hidden_size, config.hidden_size)
        for projection in (self.q_proj, self.k_proj, self.v_proj):
            draw_from(projection, "xavier")
        draw_from(self.out_proj, "xavier, no bias")
        self.rot_emb = LucaOneRotaryEmbedding(config)

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None,
        rotation: tuple[Tensor, Tensor],
        batch: SequenceBatch | None = None,
        **kwargs: Any,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Args:
            hidden_states: (rows, length, hidden_size)
            attention_mask: what the attention function of the configuration takes as a mask.
            rotation: cosine and sine, (rows, length, 1, head_dim / 2).
            batch: a packed batch, for attention functions that know no boundaries.
            kwargs: handed on to the attention function.

        Returns:
            (rows, length, hidden_size), and the attention weights or None.
        """
        shape = (*hidden_states.shape[:-1], -1, self.head_dim)
        query = rotate(self.q_proj(hidden_states).view(shape), *rotation).transpose(1, 2)
        key = rotate(self.k_proj(hidden_states).view(shape), *rotation).transpose(1, 2)
        value = self.v_proj(hidden_states).view(shape).transpose(1, 2)
        dropout = self.config.attention_dropout if self.training else 0.0
        attention = ALL_ATTENTION_FUNCTIONS.get_interface(
            self.config._attn_implementation, eager_attention_forward
        )
        weights = None
        if batch is not None:
            mixed = attend_within_sequences(
                attention, self, query, key, value, batch, self.scaling, dropout
            )
        else:
            mixed, weights = attention(
                self,
                query,
                key,
                value,
                attention_mask,
                dropout=dropout,
                scaling=self.scaling,
                **kwargs,
            )
        return self.out_proj(mixed.reshape(*hidden_states.shape[:-1], -1)), weights


class LucaOneLayer(GradientCheckpointingLayer):
    """One block: attention and feed-forward layer, each behind its norm and added to the stream."""

    def __init__(self, config: LucaOneConfig):
        super().__init__()
        self.pre_layer_norm = LucaOneLayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.self_attn = LucaOneAttention(config)
        self.post_layer_norm = LucaOneLayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.act_fn = ACT2FN[config.hidden_act]
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden_states: Tensor, *attention_inputs: Any, **kwargs: Any) -> Tensor:
        """Transform (rows, length, hidden_size); further arguments go to the attention."""
        mixed, _ = self.self_attn(self.pre_layer_norm(hidden_states), *attention_inputs, **kwargs)
        hidden_states = hidden_states + mixed
        wide = self.act_fn(self.fc1(self.post_layer_norm(hidden_states)))
        return hidden_states + self.fc2(wide)


class LucaOneEmbeddings(nn.Module):
    """Token embeddings plus molecule-type embeddings."""

    def __init__(self, config: LucaOneConfig):
        super().__init__()
        self.embed_tokens = nn.Embedding(
            config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id
        )
        self.embed_type = nn.Embedding(config.type_vocab_size, config.hidden_size)

    def forward(
        self, input_ids: Tensor | None, token_type_ids: Tensor, inputs_embeds: Tensor | None = None
    ) -> Tensor:
        """Embed (rows, length) into (rows, length, hidden_size)."""
        if inputs_embeds is None:
            inputs_embeds = self.embed_tokens(input_ids)
        return inputs_embeds + self.embed_type(token_type_ids)


class LucaOneEncoder(nn.Module):
    """The blocks and the last norm."""

    def __init__(self, config: LucaOneConfig):
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(LucaOneLayer(config) for _ in range(config.num_hidden_layers))
        self.last_layer_norm = LucaOneLayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, hidden_states: Tensor, batch: SequenceBatch, **kwargs: Any) -> Tensor:
        """Run all blocks over (rows, length, hidden_size)."""
        kwargs = {name: value for name, value in kwargs.items() if name not in PACKING_KEYS}
        # Every block stores the same frequencies, so the angles are computed once.
        first: Any = self.layers[0]
        cos, sin = first.self_attn.rot_emb(hidden_states, batch.position_ids)
        rotation = cos.unsqueeze(2), sin.unsqueeze(2)
        attention_mask, in_attention = self._boundaries(hidden_states, batch, kwargs)
        for layer in self.layers:
            hidden_states = layer(hidden_states, attention_mask, rotation, **in_attention, **kwargs)
        return self.last_layer_norm(hidden_states)

    def _boundaries(
        self, hidden_states: Tensor, batch: SequenceBatch, kwargs: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """Return the mask and the arguments by which attention stays within sequences."""
        if batch.cu_seq_lens is None:
            mask = create_bidirectional_mask(self.config, hidden_states, batch.attention_mask)
            return mask, {}
        if is_flash_attention_requested(self.config):
            packing = batch.model_inputs()
            return None, {name: packing[name] for name in PACKING_KEYS}
        sequence_by_sequence = self.config._attn_implementation in ("eager", "sdpa")
        if sequence_by_sequence and batch.lengths and not kwargs.get("output_attentions"):
            return None, {"batch": batch}
        index = batch.sequence_index().view(batch.position_ids.shape)
        mask = create_bidirectional_mask(
            self.config,
            hidden_states,
            None,
            and_mask_function=packed_sequence_mask_function(index),
        )
        return mask, {}


class LucaOnePreTrainedModel(PreTrainedModel):
    """What all LucaOne models share: configuration, initialisation and checks of what is loaded."""

    config: LucaOneConfig
    config_class = LucaOneConfig
    base_model_prefix = "lucaone"
    supports_gradient_checkpointing = True
    _supports_flash_attn = True
    _supports_sdpa = True
    _supports_flex_attn = True
    _supports_attention_backend = True
    _can_record_outputs = {"hidden_states": LucaOneLayer, "attentions": LucaOneAttention}
    _no_split_modules = ["LucaOneLayer", "LucaOneEmbeddings"]
    _keep_in_fp32_modules_strict = ["rot_emb"]
    # What a checkpoint may hold beyond a model without surprise: heads that it does not have, and
    # frequencies where the rotary type computes its own.
    _keys_to_ignore_on_load_unexpected = [
        r"^lm_head\.",
        r"^annotation_heads\.",
        r"rot_emb\.inv_freq$",
    ]

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Initialise as the published model does (facts 1.4 and 6.1)."""
        if isinstance(module, nn.Linear):
            bound = module.in_features**-0.5
            rule = getattr(module, "drawn_from", "")
            if rule.startswith("xavier"):
                init.xavier_uniform_(module.weight, gain=2**0.5)
            elif rule == "normal":
                init.normal_(module.weight, std=self.config.initializer_range)
            else:
                init.uniform_(module.weight, -bound, bound)
            if module.bias is not None and rule in ("normal", "xavier, no bias"):
                init.zeros_(module.bias)
            elif module.bias is not None:
                init.uniform_(module.bias, -bound, bound)
        elif isinstance(module, LucaOnePooling):
            for parameter in module.parameters():
                init.trunc_normal_(parameter, std=0.01)
        elif isinstance(module, nn.Embedding):
            init.normal_(module.weight)
            if module.padding_idx is not None and not getattr(
                module.weight, "_is_hf_initialized", False
            ):
                init.zeros_(module.weight[module.padding_idx])
        elif isinstance(module, LucaOneLMHead):
            init.zeros_(module.bias)
        else:
            super()._init_weights(module)

    def tie_weights(self, missing_keys: set[str] | None = None, **kwargs: Any) -> None:
        """Tie the LM head to the token embeddings, and check a checkpoint that was just loaded.

        Raises:
            ValueError: a checkpoint stores two different matrices where the model has one, or
                rotary frequencies that differ between blocks.
        """
        tied = dict(self.all_tied_weights_keys)
        super().tie_weights(missing_keys=missing_keys, **kwargs)
        if missing_keys is None:
            return
        for name in tied.keys() - self.all_tied_weights_keys.keys():
            raise ValueError(
                f"checkpoint: {name} and {tied[name]} differ, but the LM head of LucaOne is its "
                "token embedding; one of the two tensors is wrong"
            )
        rotary = [m for m in self.modules() if isinstance(m, LucaOneRotaryEmbedding)]
        stored = [m.inv_freq for m in rotary if not m.inv_freq.is_meta]
        for block, inv_freq in enumerate(stored):
            if not torch.equal(inv_freq.cpu(), stored[0].cpu()):
                raise ValueError(
                    f"checkpoint: the rotary frequencies of block {block} (rot_emb.inv_freq) "
                    "differ from those of block 0"
                )

    def _batch(self, *inputs: Any, **kwargs: Any) -> SequenceBatch:
        """Complete the inputs; padding stays where recorded tensors must have the padded shape."""
        recorded = (
            kwargs.get(name, getattr(self.config, name, False))
            for name in ("output_hidden_states", "output_attentions")
        )
        kwargs["keep_padding"] = any(recorded)
        return SequenceBatch.from_inputs(self.config, *inputs, **kwargs)

    def _encode(
        self, *inputs: Tensor | None, **kwargs: Any
    ) -> tuple[SequenceBatch, BaseModelOutput]:
        """Run the encoder for a head, which works on the same tokens before padding is put back."""
        batch = self._batch(*inputs, **kwargs)
        kwargs = {name: value for name, value in kwargs.items() if name not in PACKING_KEYS}
        return batch, self.lucaone(**batch.model_inputs(), **kwargs, return_dict=True)


class LucaOneModel(LucaOnePreTrainedModel):
    """The encoder: tokens to hidden states.

    Example:
        >>> texts = ["ACGTTG", "ACG"]
        >>> inputs = tokenizer(texts, seq_type="gene", padding=True, return_tensors="pt")
        >>> model(**inputs).last_hidden_state.shape
        torch.Size([2, 8, 2560])
    """

    _keys_to_ignore_on_load_unexpected = [
        *(LucaOnePreTrainedModel._keys_to_ignore_on_load_unexpected or ()),
        r"^(summary|summaries|classifier)\.",
    ]

    def __init__(self, config: LucaOneConfig):
        super().__init__(config)
        self.embeddings = LucaOneEmbeddings(config)
        self.encoder = LucaOneEncoder(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Embedding:
        """Return the token embedding."""
        return self.embeddings.embed_tokens

    def set_input_embeddings(self, value: nn.Embedding) -> None:
        """Replace the token embedding."""
        self.embeddings.embed_tokens = value

    @capture_outputs
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **kwargs: Unpack[LucaOneKwargs],
    ) -> BaseModelOutput:
        """Encode a padded or packed batch.

        Args:
            input_ids: (rows, length)
            attention_mask: (rows, length), 1 for real tokens; found from `input_ids` if missing.
            token_type_ids: (rows, length), 0 for nucleic acids and 1 for proteins; the letters of
                each sequence decide if missing.
            position_ids: (rows, length); restarting in a packed row.
            inputs_embeds: (rows, length, hidden_size) in place of `input_ids`.
            kwargs: `output_hidden_states`, `output_attentions`, `return_dict`; for a packed row
                `cu_seq_lens_q`, `cu_seq_lens_k`, `max_length_q` and `max_length_k`.

        Returns:
            `last_hidden_state`, (rows, length, hidden_size), after the last norm; where padding
            was taken out its rows are zeros.

        Raises:
            ValueError: inputs that are missing, contradict one another, or leave the molecule
                type open.
        """
        batch = self._batch(
            input_ids, attention_mask, token_type_ids, position_ids, inputs_embeds, **kwargs
        )
        embedded = self.embeddings(batch.input_ids, batch.token_type_ids, batch.inputs_embeds)
        hidden_states = self.encoder(embedded, batch, **kwargs)
        return BaseModelOutput(last_hidden_state=batch.pad(hidden_states))


class LucaOneLMHead(nn.Module):
    """Hidden states to logits of tokens; the last matrix is the token embedding."""

    def __init__(self, config: LucaOneConfig):
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.act_fn = ACT2FN[config.hidden_act]
        self.layer_norm = LucaOneLayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.decoder = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden_states: Tensor) -> Tensor:
        """Map (..., hidden_size) to (..., vocab_size)."""
        return self.decoder(self.layer_norm(self.act_fn(self.dense(hidden_states)))) + self.bias


class LucaOneWithLMHead(LucaOnePreTrainedModel):
    """A model with the tied LM head."""

    _keys_to_ignore_on_load_unexpected = [r"^annotation_heads\.", r"rot_emb\.inv_freq$"]
    _tied_weights_keys = {"lm_head.decoder.weight": "lucaone.embeddings.embed_tokens.weight"}

    def __init__(self, config: LucaOneConfig):
        super().__init__(config)
        self.lucaone = LucaOneModel(config)
        self.lm_head = LucaOneLMHead(config)

    def get_output_embeddings(self) -> nn.Linear:
        """Return the last matrix of the LM head."""
        return self.lm_head.decoder

    def set_output_embeddings(self, new_embeddings: nn.Linear) -> None:
        """Replace the last matrix of the LM head; its bias follows the number of tokens."""
        self.lm_head.decoder = new_embeddings
        bias = self.lm_head.bias
        missing = len(new_embeddings.weight) - len(bias)
        if missing:
            self.lm_head.bias = nn.Parameter(F.pad(bias.detach(), (0, missing)))


class LucaOneForMaskedLM(LucaOneWithLMHead):
    """The encoder with the LM head that the two mask tasks share."""

    def __init__(self, config: LucaOneConfig):
        super().__init__(config)
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
        num_items_in_batch: Tensor | int | None = None,
        **kwargs: Unpack[LucaOneKwargs],
    ) -> MaskedLMOutput:
        """Predict tokens; inputs as of `LucaOneModel`.

        Args:
            labels: (rows, length), -100 where nothing is to be predicted.
            num_items_in_batch: what the summed loss is divided by, where the Trainer gives it.

        Returns:
            `logits`, (rows, length, vocab_size), and with labels the cross-entropy as `loss`.
        """
        batch, outputs = self._encode(
            input_ids, attention_mask, token_type_ids, position_ids, inputs_embeds, **kwargs
        )
        logits = self.lm_head(outputs.last_hidden_state)
        loss = None
        if labels is not None:
            loss = self.loss_function(
                logits,
                batch.token_labels(labels),
                vocab_size=self.config.vocab_size,
                num_items_in_batch=num_items_in_batch,
            )
        return MaskedLMOutput(
            loss=loss,
            logits=batch.pad(logits),
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


__all__ = ["LucaOneForMaskedLM", "LucaOneModel", "LucaOnePreTrainedModel"]
