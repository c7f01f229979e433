# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Sequences to vectors, in batches of similar lengths."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import AutoTokenizer

from modeling_lucaone import LucaOneConfig, LucaOneModel
from modeling_lucaone.packing import SequenceBatch
from modeling_lucaone.pooling import LucaOnePooling

POOLINGS = ("mean", "cls", "max", "none")
# Real tokens per batch. A GPU needs some ten thousand to be busy; a CPU is at its full rate with
# one long protein, and more only costs memory.
TOKENS_PER_BATCH = {"cpu": 4_096, "cuda": 32_768}
HUB_REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*")


def find_device(name: str | torch.device | None = None) -> torch.device:
    """Return a device by its name; with none, the GPU if there is one, else the CPU.

    Raises:
        ValueError: there is no such device here.
    """
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device {name}: {_first_line(error)}") from error
    return device


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextmanager
def _loading(name: str) -> Iterator[None]:
    """Let whatever fails in loading be an error of one line that names the model.

    Raises:
        ValueError: nothing can be loaded under that name, or loading failed.
    """
    if not Path(name).is_dir():
        # The library would ask the Hub for anything, also for a misspelt folder.
        if not HUB_REPOSITORY.fullmatch(name):
            raise ValueError(
                f"{name}: there is no such folder, and a Hub repository is called OWNER/NAME"
            )
        name = f"{name} (no folder here, so looked for on the Hub)"
    try:
        yield
    except StrictDataclassError as error:
        raise ValueError(f"{name}: config.json: {_first_line(error.__cause__ or error)}") from error
    except Exception as error:  # a damaged file fails in any way
        raise ValueError(f"{name}: {_first_line(error)}") from error


def load_encoder(path: str | os.PathLike[str], **options: Any) -> LucaOneModel:
    """Load the encoder of a checkpoint, whatever heads stand beside it.

    Args:
        path: folder or Hub repository of a LucaOne model, ours or published.
        options: as of `from_pretrained`, such as `dtype` and `attn_implementation`.

    Raises:
        ValueError: there is no LucaOne model, it cannot be loaded, or a tensor of the encoder is
            missing, superfluous or misshapen; one line that names it.
    """
    name = os.fspath(path)
    with _loading(name):
        config, _ = LucaOneConfig.get_config_dict(name)
    model_type = config.get("model_type")
    if not config:
        raise ValueError(f"{name}: holds no model, for it has no config.json")
    if model_type == "lucaone_gplm":
        raise ValueError(f"{name}: a checkpoint in the original layout; `lucaone convert` it first")
    if model_type != LucaOneConfig.model_type:
        raise ValueError(f"{name}: a model of type {model_type!r}, not 'lucaone'")
    with _loading(name):
        model, report = LucaOneModel.from_pretrained(
            name, output_loading_info=True, ignore_mismatched_sizes=True, **options
        )
    for key, stored, expected in sorted(report["mismatched_keys"]):
        raise ValueError(f"{name}: tensor {key} is {tuple(stored)}, not {tuple(expected)}")
    for key in sorted(report["missing_keys"]):
        raise ValueError(f"{name}: tensor {key} is missing")
    for key in sorted(report["unexpected_keys"]):
        if key.startswith(("lucaone.", "embeddings.", "encoder.")):
            raise ValueError(f"{name}: tensor {key} does not belong to the encoder")
    return model.eval()


class Embedder:
    """A model and its tokenizer, ready to embed sequences.

    Example:
        >>> embedder = Embedder("lucaone")
        >>> embedder.encode("MKTAYIAK", seq_type="prot").shape
        (2560,)

    Args:
        model: folder or Hub repository.
        device: as of PyTorch; the GPU where there is one, if not given.
        dtype: of the computation, such as `bfloat16`; as stored where not given.
        tokens_per_batch: real tokens, [CLS] and [SEP] counted, that go through the model at once;
            a longer sequence goes alone.
        attn_implementation: attention back-end; `sdpa` where not given.

    Raises:
        ValueError: see `find_device` and `load_encoder`.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        device: str | torch.device | None = None,
        dtype: str | torch.dtype | None = None,
        tokens_per_batch: int | None = None,
        attn_implementation: str | None = None,
    ):
        self.device = find_device(device)
        self.model = load_encoder(
            model, dtype=dtype or "auto", attn_implementation=attn_implementation
        ).to(self.device)
        with _loading(os.fspath(model)):
            self.tokenizer = AutoTokenizer.from_pretrained(os.fspath(model))
        self.name = Path(model).resolve().name if Path(model).is_dir() else os.fspath(model)
        self.hidden_size = self.model.config.hidden_size
        self.tokens_per_batch = tokens_per_batch or TOKENS_PER_BATCH.get(self.device.type, 4_096)

    def encode(
        self,
        sequences: str | Sequence[str],
        seq_type: str | Sequence[str] | None = None,
        *,
        pooling: str = "mean",
        progress: Callable[[int], object] | None = None,
    ) -> Any:
        """Embed one sequence or several, in the order given.

        Args:
            sequences: letters of a molecule, or several.
            seq_type: `gene` or `prot` for all, or one for each; the tokenizer's default if any.
            pooling: `mean` or `max` over the residues, `cls` for the row of [CLS], `none` for a
                row per residue.
            progress: called with the number of sequences of each finished batch.

        Returns:
            fp32 arrays: (hidden_size,) for one sequence, (n, hidden_size) for several; with
            `none` (residues, hidden_size) for one and a list of those for several.

        Raises:
            ValueError: an unknown pooling or molecule type, none at all, not one for each
                sequence, or an empty sequence.
        """
        if pooling not in POOLINGS:
            raise ValueError(f"unknown pooling {pooling!r}; known are {', '.join(POOLINGS)}")
        single = isinstance(sequences, str)
        texts = [sequences] if isinstance(sequences, str) else list(sequences)
        for number, text in enumerate(texts):
            if not text:
                raise ValueError(f"sequence {number} is empty")
        types = seq_type if seq_type is None or isinstance(seq_type, str) else list(seq_type)
        if isinstance(types, list) and len(types) != len(texts):
            raise ValueError(f"{len(types)} molecule types for {len(texts)} sequences")
        results: list[Any] = [None] * len(texts)
        for batch in self._batches([len(text) for text in texts]):
            batch_types = [types[i] for i in batch] if isinstance(types, list) else types
            rows = self._encode_batch([texts[i] for i in batch], batch_types, pooling)
            for i, row in zip(batch, rows, strict=True):
                results[i] = row
            if progress is not None:
                progress(len(batch))
        if single:
            return results[0]
        if pooling == "none":
            return results
        return np.stack(results) if results else np.empty((0, self.hidden_size), np.float32)

    def _batches(self, lengths: list[int]) -> Iterator[list[int]]:
        """Divide sequences, longest first, into batches within the token budget."""
        batch: list[int] = []
        tokens = 0
        for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
            size = lengths[i] + 2
            if batch and tokens + size > self.tokens_per_batch:
                yield batch
                batch, tokens = [], 0
            batch.append(i)
            tokens += size
        if batch:
            yield batch

    @torch.inference_mode()
    def _encode_batch(
        self, texts: list[str], seq_type: str | list[str] | None, pooling: str
    ) -> list[np.ndarray]:
        inputs = self.tokenizer(texts, seq_type=seq_type, padding=True, return_tensors="pt")
        batch = SequenceBatch.from_inputs(self.model.config, **inputs.to(self.device))
        hidden = self.model(**batch.model_inputs()).last_hidden_state
        if pooling != "none":
            pooled = LucaOnePooling(pooling, self.hidden_size)(hidden.float(), batch)
            return list(pooled.cpu().numpy())
        kept = batch.real_tokens() & ~batch.special_tokens()
        counts = torch.bincount(batch.sequence_index()[kept], minlength=batch.num_sequences)
        rows = hidden.flatten(0, 1)[kept].float().cpu()
        return [part.numpy() for part in rows.split(counts.tolist())]
