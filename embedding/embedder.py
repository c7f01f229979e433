# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Sequences to vectors: one for each sequence, or one for each residue."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from modeling_lucaone.packing import SequenceBatch

from .inputs import texts_and_types
from .runner import TrainedModel
from .windows import DEFAULT_WINDOW, Window, check_windows, plan_windows

POOLINGS = ("mean", "cls", "max", "none")
# A text shorter than this that does not fit into memory is not divided any further.
SHORTEST_WINDOW = 256

Layers = int | str | Sequence[int]


class Piece(NamedTuple):
    """A stretch of a sequence that the model reads at once.

    `name` is what messages call the sequence; the letters kept are `text[keep_start:keep_stop]`.
    """

    name: str
    text: str
    seq_type: str | None
    keep_start: int
    keep_stop: int


def cut(name: str, text: str, seq_type: str | None, windows: Iterable[Window]) -> list[Piece]:
    """Return the pieces of a sequence, one for each window."""
    return [
        Piece(name, text[start:stop], seq_type, keep_start - start, keep_stop - start)
        for start, stop, keep_start, keep_stop in windows
    ]


def chosen_layers(layers: Layers, num_blocks: int) -> list[int]:
    """Return the numbers of layers, from 0 for the embeddings to `num_blocks` for the last.

    Args:
        layers: a number, several, or `all`; negative ones count from the end.
        num_blocks: blocks of the model.

    Raises:
        ValueError: there is no such layer, or none is chosen.
    """
    if layers == "all":
        return list(range(num_blocks + 1))
    if isinstance(layers, str):
        raise ValueError(f"layers {layers!r} are neither numbers nor 'all'")
    numbers = [layers] if isinstance(layers, int) else list(layers)
    for number in numbers:
        if not -num_blocks - 1 <= number <= num_blocks:
            raise ValueError(
                f"there is no layer {number}: the model has layers 0 (the embeddings) to "
                f"{num_blocks} (the last block and norm)"
            )
    if not numbers:
        raise ValueError("no layer is chosen")
    return [number % (num_blocks + 1) for number in numbers]


def row_shape(layers: Layers, config: Any) -> tuple[int, ...]:
    """Return (hidden_size,) for one layer given by its number, else (layers, hidden_size)."""
    numbers = chosen_layers(layers, config.num_hidden_layers)
    if isinstance(layers, int):
        return (config.hidden_size,)
    return (len(numbers), config.hidden_size)


def join_pieces(pooling: str, parts: Sequence[Tensor]) -> Tensor:
    """Make one of what `Embedder.embed_pieces` returned for the pieces of a sequence."""
    if len(parts) == 1 or pooling == "cls":
        return parts[0]
    if pooling == "none":
        return torch.cat(list(parts))
    stacked = torch.stack(list(parts))
    return stacked.sum(0) if pooling == "mean" else stacked.amax(0)


def finish(pooling: str, joined: Tensor, letters: int) -> Tensor:
    """Make the embedding of a sequence: of a sum over `letters` letters their mean."""
    return joined / letters if pooling == "mean" else joined


class Embedder(TrainedModel):
    """A model and its tokenizer, ready to embed sequences; arguments as of `TrainedModel`.

    Example:
        >>> embedder = Embedder("lucaone")
        >>> embedder.encode("MKTAYIAK", seq_type="prot").shape
        (2560,)
    """

    def encode(
        self,
        sequences: str | Iterable[str],
        seq_type: str | Iterable[str] | None = None,
        *,
        pooling: str = "mean",
        layers: Layers = -1,
        window: int = DEFAULT_WINDOW,
        overlap: int | None = None,
        merge: str = "centre",
        keep_gaps: bool = False,
    ) -> Any:
        """Embed one sequence or several, in the order given.

        Args:
            sequences: letters of a molecule, or several; cleaned as those of a file are, see
                `sequence_io.clean_sequence`.
            seq_type: `gene` or `prot` for all, or one for each; the tokenizer's default if any.
            pooling: `mean` or `max` over the residues, `cls` for the row of [CLS], `none` for a
                row per residue.
            layers: a layer, several or `all`, see `chosen_layers`.
            window: longest piece that is read at once, in letters, see `plan_windows`.
            overlap: of windows, see `plan_windows`.
            merge: of windows, see `plan_windows`.
            keep_gaps: keep gap and stop characters.

        Returns:
            fp32 arrays: (hidden_size,) for one sequence, (n, hidden_size) for several; with
            `none` (residues, hidden_size) for one and a list of those for several. Where `layers`
            is not a single number, (layers, hidden_size) in place of (hidden_size).

        Raises:
            ValueError: an unknown pooling, layer or molecule type, none at all, not one for each
                sequence, or a sequence that is empty or holds what is no letter.
        """
        if pooling not in POOLINGS:
            raise ValueError(f"unknown pooling {pooling!r}; known are {', '.join(POOLINGS)}")
        check_windows(window, overlap, merge)
        single = isinstance(sequences, str)
        texts, types = texts_and_types(sequences, seq_type, keep_gaps)
        counts, pieces = [], []
        for number, (text, kind) in enumerate(zip(texts, types, strict=True)):
            windows = plan_windows(len(text), window, overlap, merge)
            counts.append(1 if pooling == "cls" else len(windows))
            pieces += cut(f"sequence {number}", text, kind, windows[: counts[-1]])
        parts = iter(self.embed_pieces(pieces, pooling, layers))
        results = []
        for text, count in zip(texts, counts, strict=True):
            joined = join_pieces(pooling, [next(parts) for _ in range(count)])
            results.append(finish(pooling, joined, len(text)).float().numpy())
        if single:
            return results[0]
        if pooling == "none":
            return results
        shape = row_shape(layers, self.model.config)
        return np.stack(results) if results else np.empty((0, *shape), np.float32)

    def embed_pieces(
        self,
        pieces: Sequence[Piece],
        pooling: str,
        layers: Layers = -1,
        progress: Callable[[list[int]], object] | None = None,
    ) -> list[Tensor]:
        """Embed pieces of sequences; `join_pieces` and `finish` make embeddings of them.

        Args:
            pieces: the pieces.
            pooling: as of `encode`.
            layers: as of `encode`.
            progress: called with the numbers of the pieces of each finished batch.

        Returns:
            On the CPU, for each piece over the letters it keeps: their sum (`mean`) or their
            largest values (`max`) in fp32; the row of [CLS] in fp32 (`cls`); their rows in the
            dtype of the model, (letters, ...) (`none`).

        Raises:
            ValueError: there is no such layer.
            torch.OutOfMemoryError: not even a short window fits.
        """
        numbers = chosen_layers(layers, self.model.config.num_hidden_layers)
        last = self.model.config.num_hidden_layers
        shape = row_shape(layers, self.model.config)

        def embed(batch: SequenceBatch, which: list[int]) -> list[Tensor]:
            outputs = self.model(**batch.model_inputs(), output_hidden_states=numbers != [last])
            if numbers == [last]:
                hidden = outputs.last_hidden_state[0]
            else:
                hidden = torch.stack([outputs.hidden_states[i][0] for i in numbers], dim=1)
            hidden = hidden.view(-1, *shape)
            results = []
            for i, rows in zip(which, hidden.split(batch.lengths), strict=True):
                kept = rows[1 + pieces[i].keep_start : 1 + pieces[i].keep_stop]
                if pooling == "none":
                    results.append(kept.cpu())
                elif pooling == "cls":
                    results.append(rows[0].float())
                else:
                    kept = kept.float()
                    results.append(kept.sum(0) if pooling == "mean" else kept.amax(0))
            if pooling == "none":
                return results
            return list(torch.stack(results).cpu())

        return self.runner.run(
            [piece.text for piece in pieces],
            [piece.seq_type for piece in pieces],
            embed,
            alone=lambda i: self._in_windows(pieces[i], pooling, layers),
            progress=progress,
        )

    def _in_windows(self, piece: Piece, pooling: str, layers: Layers) -> Tensor:
        """Embed a piece that does not fit into memory in windows of half its length."""
        window = len(piece.text) // 2
        if window < SHORTEST_WINDOW:
            raise torch.OutOfMemoryError(
                f"{piece.name}: {len(piece.text):,} letters do not fit into the memory of "
                f"{self.device}"
            )
        self.notes.append(
            f"{piece.name}: {len(piece.text):,} letters did not fit into the memory of "
            f"{self.device} and were read in windows of {window:,}"
        )
        windows = plan_windows(len(piece.text), window)
        if pooling == "cls":
            windows = windows[:1]
        kept = [
            w._replace(
                keep_start=max(w.keep_start, piece.keep_start),
                keep_stop=min(w.keep_stop, piece.keep_stop),
            )
            for w in windows
            if pooling == "cls"
            or (w.keep_start < piece.keep_stop and piece.keep_start < w.keep_stop)
        ]
        parts = cut(piece.name, piece.text, piece.seq_type, kept)
        return join_pieces(pooling, self.embed_pieces(parts, pooling, layers))
