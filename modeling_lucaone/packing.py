# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Batches of sequences: padded or packed, what each token belongs to, attention within sequences.

A batch reaches the blocks in one of two forms. *Padded*: one row per sequence, a mask marks the
real tokens. *Packed*: a single row in which the sequences follow one another, with `cu_seq_lens`
marking where each begins and ends. Linear layers and norms treat every token alike, so a packed row
costs what its real tokens cost; only attention has to know the boundaries.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from .configuration_lucaone import LucaOneConfig

try:  # PyTorch 2.10 and newer
    from torch.nn.attention.varlen import varlen_attn
except ImportError:
    varlen_attn = None  # type: ignore[assignment]

# First and last token id of the letters that tell a molecule type: 1 to 5, and L to J.
NUCLEOTIDE_IDS = (5, 9)
RESIDUE_IDS = (10, 35)

# The label of what has no label, as everywhere in PyTorch and transformers.
IGNORE = -100

PACKING_KEYS = ("cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k")


@dataclass(frozen=True)
class SequenceBatch:
    """A batch in the form in which the blocks see it.

    Attributes:
        input_ids: (rows, length) or None, then `inputs_embeds`: (rows, length, hidden_size).
        token_type_ids: (rows, length), 0 for nucleic acids and 1 for proteins; None only until
            `from_inputs` has inferred them.
        position_ids: (rows, length), counted from 0 in every sequence of a packed row.
        attention_mask: (rows, length) of a padded batch, or a ready 4-dimensional mask.
        cu_seq_lens: (num_sequences + 1,) int32 boundaries of a packed row, else None.
        lengths: tokens of each sequence of a packed row; None where shapes must stay symbolic.
        padded_shape: rows and length before this batch was unpadded, else None.
        token_indices: (tokens,) where each token stood in the flattened padded batch.
        special_ids: ids of the tokens that frame a sequence.
    """

    input_ids: Tensor | None
    inputs_embeds: Tensor | None
    token_type_ids: Tensor | None
    position_ids: Tensor
    attention_mask: Tensor | None
    special_ids: tuple[int, ...]
    cu_seq_lens: Tensor | None = None
    lengths: list[int] | None = None
    padded_shape: tuple[int, int] | None = None
    token_indices: Tensor | None = None

    @classmethod
    def from_inputs(
        cls,
        config: LucaOneConfig,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        keep_padding: bool = False,
        cu_seq_lens_q: Tensor | None = None,
        cu_seq_lens_k: Tensor | None = None,
        **_: Any,
    ) -> "SequenceBatch":
        """Complete the inputs of a model, and take the padding out where that is possible.

        Under `torch.compile`, export and tracing nothing may depend on values: padding stays, and
        what would have to be inferred from values must be given.

        Raises:
            ValueError: inputs that are missing, contradict one another, or leave the molecule type
                of a sequence open.
        """
        symbolic = torch.compiler.is_compiling() or torch.jit.is_tracing()
        tokens = input_ids if inputs_embeds is None else inputs_embeds[..., 0]
        if tokens is None or (input_ids is not None and inputs_embeds is not None):
            raise ValueError("give either input_ids or inputs_embeds")
        rows, length = tokens.shape
        positions = torch.arange(length, device=tokens.device).expand(rows, length)
        cu_seq_lens = _boundaries(
            cu_seq_lens_q, cu_seq_lens_k, position_ids, positions, attention_mask, symbolic
        )
        if cu_seq_lens is None and attention_mask is None:
            padding = config.pad_token_id if input_ids is not None else None
            attention_mask = torch.ones_like(positions) if padding is None else tokens.ne(padding)
        batch = cls(
            input_ids=input_ids,
            inputs_embeds=inputs_embeds,
            token_type_ids=token_type_ids,
            position_ids=positions if position_ids is None else position_ids.expand(rows, length),
            attention_mask=None if cu_seq_lens is not None else attention_mask,
            special_ids=(config.bos_token_id, config.sep_token_id),
            cu_seq_lens=cu_seq_lens,
        )
        if cu_seq_lens is not None and not symbolic:
            batch = replace(batch, lengths=cu_seq_lens.diff().tolist())
        if cu_seq_lens is not None and position_ids is None:
            starts = cu_seq_lens[batch.sequence_index()].long()
            batch = replace(batch, position_ids=positions - starts)
        if token_type_ids is None:
            batch = replace(batch, token_type_ids=batch._infer_token_types(symbolic))
        if config.unpad_inputs and not keep_padding and not symbolic:
            batch = batch._unpad()
        return batch

    def _infer_token_types(self, symbolic: bool) -> Tensor:
        """Let the letters of each sequence decide its molecule type.

        Raises:
            ValueError: the letters leave it open, or cannot be looked at.
        """
        if self.input_ids is None or symbolic:
            raise ValueError(
                "token_type_ids are missing (0 nucleic acid, 1 protein); they cannot be inferred "
                "from inputs_embeds, nor under compilation or export"
            )
        ids = self.input_ids.flatten()
        nucleotides = (ids >= NUCLEOTIDE_IDS[0]) & (ids <= NUCLEOTIDE_IDS[1])
        residues = (ids >= RESIDUE_IDS[0]) & (ids <= RESIDUE_IDS[1])
        index = self.sequence_index()
        letters = (residues.long() - nucleotides.long()) * self.real_tokens()
        votes = index.new_zeros(self.num_sequences).index_add_(0, index, letters)
        if undecided := (votes == 0).nonzero().flatten().tolist():
            raise ValueError(
                f"token_type_ids are missing and the letters of sequence {undecided[0]} of the "
                "batch do not tell whether it is a nucleic acid (0) or a protein (1)"
            )
        return (votes > 0).long()[index].view(self.input_ids.shape)

    def _unpad(self) -> "SequenceBatch":
        """Put the real tokens of a padded batch into one packed row.

        Raises:
            ValueError: a row holds no real token.
        """
        if self.attention_mask is None or self.attention_mask.dim() != 2:
            return self
        mask = self.attention_mask.bool()
        if mask.all():
            return self
        lengths = mask.sum(dim=1)
        if not lengths.all():
            raise ValueError(f"row {lengths.argmin().item()} of the batch holds no token")
        indices = mask.flatten().nonzero().flatten()
        cu_seq_lens = nn.functional.pad(lengths.cumsum(0), (1, 0)).to(torch.int32)

        def take(tensor: Tensor) -> Tensor:
            return tensor.expand(*mask.shape, *tensor.shape[2:]).flatten(0, 1)[indices][None]

        # Rotary attention only sees differences, so every sequence may count from its first token.
        positions = self.position_ids
        first = positions.gather(1, mask.int().argmax(dim=1, keepdim=True))
        return SequenceBatch(
            input_ids=None if self.input_ids is None else take(self.input_ids),
            inputs_embeds=None if self.inputs_embeds is None else take(self.inputs_embeds),
            token_type_ids=None if self.token_type_ids is None else take(self.token_type_ids),
            position_ids=take(positions - first),
            attention_mask=None,
            special_ids=self.special_ids,
            cu_seq_lens=cu_seq_lens,
            lengths=lengths.tolist(),
            padded_shape=(mask.shape[0], mask.shape[1]),
            token_indices=indices,
        )

    @property
    def num_sequences(self) -> int:
        """Sequences in the batch."""
        if self.cu_seq_lens is not None:
            return self.cu_seq_lens.shape[0] - 1
        return self.position_ids.shape[0]

    def sequence_index(self) -> Tensor:
        """Return for each token of the flattened rows the number of its sequence, (tokens,)."""
        rows, length = self.position_ids.shape
        device = self.position_ids.device
        if self.cu_seq_lens is None:
            return torch.arange(rows, device=device).repeat_interleave(length)
        tokens = torch.arange(length, device=device)
        return torch.searchsorted(self.cu_seq_lens[1:].long(), tokens, right=True)

    def real_tokens(self) -> Tensor:
        """Return for each token of the flattened rows whether it is no padding, (tokens,)."""
        if self.attention_mask is not None and self.attention_mask.dim() == 2:
            return self.attention_mask.bool().flatten()
        return torch.ones_like(self.position_ids, dtype=torch.bool).flatten()

    def _row_starts(self) -> Tensor:
        rows, length = self.position_ids.shape
        return torch.arange(0, rows * length, length, device=self.position_ids.device)

    def first_tokens(self) -> Tensor:
        """Return where in the flattened rows each sequence begins, (num_sequences,)."""
        if self.cu_seq_lens is not None:
            return self.cu_seq_lens[:-1].long()
        mask = self.real_tokens().view(self.position_ids.shape).int()
        return self._row_starts() + mask.argmax(dim=1)

    def last_tokens(self) -> Tensor:
        """Return where in the flattened rows each sequence ends, (num_sequences,)."""
        if self.cu_seq_lens is not None:
            return self.cu_seq_lens[1:].long() - 1
        mask = self.real_tokens().view(self.position_ids.shape).int()
        return self._row_starts() + mask.shape[1] - 1 - mask.flip(1).argmax(dim=1)

    def special_tokens(self) -> Tensor:
        """Return for each token of the flattened rows whether it is [CLS] or [SEP], (tokens,).

        Without `input_ids` the first and the last token of a sequence are taken for them.
        """
        if self.input_ids is not None:
            special = torch.zeros_like(self.input_ids, dtype=torch.bool)
            for token_id in self.special_ids:
                special |= self.input_ids == token_id
            return special.flatten()
        special = torch.zeros_like(self.real_tokens())
        special[self.first_tokens()] = True
        special[self.last_tokens()] = True
        return special

    def model_inputs(self) -> dict[str, Any]:
        """Return the arguments with which a model takes the batch as it is."""
        longest = max(self.lengths) if self.lengths else None
        return {
            "input_ids": self.input_ids,
            "inputs_embeds": self.inputs_embeds,
            "token_type_ids": self.token_type_ids,
            "position_ids": self.position_ids,
            "attention_mask": self.attention_mask,
            "cu_seq_lens_q": self.cu_seq_lens,
            "cu_seq_lens_k": self.cu_seq_lens,
            "max_length_q": longest,
            "max_length_k": longest,
        }

    def pad(self, packed: Tensor) -> Tensor:
        """Bring a result, (rows, length, ...), into the padded shape; zeros where padding is."""
        if self.attention_mask is not None and self.attention_mask.dim() == 2:
            return packed.masked_fill(~self.attention_mask.bool()[..., None], 0.0)
        if self.padded_shape is None or self.token_indices is None:
            return packed
        rows, length = self.padded_shape
        padded = packed.new_zeros(rows * length, *packed.shape[2:])
        return padded.index_copy(0, self.token_indices, packed[0]).unflatten(0, (rows, length))

    def token_labels(self, labels: Tensor) -> Tensor:
        """Bring labels, (rows, length, ...), into the form of the batch; padding has none."""
        if self.attention_mask is not None and self.attention_mask.dim() == 2:
            padding = ~self.attention_mask.bool()
            return labels.masked_fill(
                padding.view(*padding.shape, *[1] * (labels.dim() - 2)), IGNORE
            )
        if self.padded_shape is None:
            return labels
        return labels.flatten(0, 1)[self.token_indices].unsqueeze(0)


def _boundaries(
    cu_seq_lens_q: Tensor | None,
    cu_seq_lens_k: Tensor | None,
    position_ids: Tensor | None,
    positions: Tensor,
    attention_mask: Tensor | None,
    symbolic: bool,
) -> Tensor | None:
    """Return the boundaries of a packed row, or None if the batch is not packed.

    Raises:
        ValueError: the signs of a packed row contradict one another.
    """
    rows, length = positions.shape
    cu_seq_lens = cu_seq_lens_q if cu_seq_lens_q is not None else cu_seq_lens_k
    if symbolic:
        if cu_seq_lens is None and position_ids is not None:
            torch._assert_async(
                (position_ids.diff() > 0).all(),
                "position_ids restart: under compilation and export a packed row needs cu_seq_lens",
            )
        return cu_seq_lens
    from_positions = None
    if position_ids is not None and rows == 1:
        restarts = (position_ids[0].diff() <= 0).nonzero().flatten() + 1
        from_positions = nn.functional.pad(restarts, (1, 0)).to(torch.int32)
        from_positions = nn.functional.pad(from_positions, (0, 1), value=length)
    if cu_seq_lens is None:
        if from_positions is None or len(from_positions) == 2:
            return None
        cu_seq_lens = from_positions
    elif cu_seq_lens_k is not None and not torch.equal(cu_seq_lens, cu_seq_lens_k):
        raise ValueError("cu_seq_lens_q and cu_seq_lens_k differ; an encoder needs them equal")
    elif rows != 1:
        raise ValueError(f"a packed batch is one row, these are {rows}")
    elif cu_seq_lens[0] != 0 or cu_seq_lens[-1] != length or (cu_seq_lens.diff() < 1).any():
        raise ValueError(
            f"cu_seq_lens must rise from 0 to the {length} tokens of the row, "
            f"not {cu_seq_lens.tolist()}"
        )
    elif from_positions is not None and not torch.equal(
        cu_seq_lens, from_positions.to(cu_seq_lens)
    ):
        raise ValueError(
            "position_ids do not restart where cu_seq_lens says that a sequence begins"
        )
    if attention_mask is not None and not attention_mask.bool().all():
        raise ValueError("a packed batch holds no padding, but its attention_mask has zeros")
    return cu_seq_lens.to(positions.device, torch.int32)


def _has_varlen_kernel(query: Tensor) -> bool:
    """Whether PyTorch's flash kernel for sequences of different lengths takes these queries."""
    return (
        varlen_attn is not None
        and query.is_cuda
        and query.dtype in (torch.float16, torch.bfloat16)
        and query.shape[-1] % 8 == 0
        and query.shape[-1] <= 256
        and torch.cuda.get_device_capability(query.device) >= (8, 0)
    )


def attend_within_sequences(
    attention: Callable[..., tuple[Tensor, Tensor | None]],
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    batch: SequenceBatch,
    scaling: float,
    dropout: float,
) -> Tensor:
    """Attention within each sequence of a packed row, for functions that know no boundaries.

    On a GPU in half precision SDPA's flash kernel takes the boundaries itself; elsewhere the
    sequences go one by one, which needs no mask and wastes nothing.

    Args:
        attention: a function of transformers' attention interface.
        module: the attention module, handed on to it.
        query: (1, heads, tokens, head_dim)
        key: (1, heads, tokens, head_dim)
        value: (1, heads, tokens, head_dim)
        batch: the packed batch.
        scaling: factor of the scores.
        dropout: dropout of the weights.

    Returns:
        (1, tokens, heads, head_dim)
    """
    assert batch.lengths is not None
    if module.config._attn_implementation == "sdpa" and not dropout and _has_varlen_kernel(query):
        longest = max(batch.lengths)
        rows = [states[0].transpose(0, 1) for states in (query, key, value)]
        packing = [batch.cu_seq_lens, batch.cu_seq_lens, longest, longest]
        # Its own scaling, 1 / sqrt(head_dim), is ours.
        return varlen_attn(*rows, *packing)[None]  # type: ignore
    parts = zip(
        *(states.split(batch.lengths, dim=2) for states in (query, key, value)), strict=True
    )
    results = [
        attention(module, *part, attention_mask=None, dropout=dropout, scaling=scaling)[0]
        for part in parts
    ]
    return torch.cat(results, dim=1)
