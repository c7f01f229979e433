# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Backbones by their names."""

from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import hf_hub_download
from torch import Tensor

from embedding.hub import asking_the_hub, is_repo_id
from embedding.models import find_device, find_model, read_config
from tokenization import LucaOneTokenizerFast

from .base import ROWS, Backbone, Rows, TypedSequence
from .hub_encoder import HubEncoder
from .lucaone import LucaOneBackbone, RandomLucaOne

ONE_HOT, RANDOM = "one-hot", "random:"


class OneHot(Backbone):
    """No encoder: 39 numbers for each residue, 1 for its token in LucaOne's vocabulary, else 0.

    The published baseline `one-hot`; computed when asked for, and not stored.
    """

    name, stored = ONE_HOT, False

    def __init__(self, rows: Rows):
        if rows == "cls":
            raise ValueError(f"{ONE_HOT}: has no row of [CLS]")
        self.rows = rows
        self.width = self._tokenizer.vocab_size

    @cached_property
    def _tokenizer(self) -> Any:
        return LucaOneTokenizerFast()

    def made_from(self) -> dict[str, Any]:
        """Return the name."""
        return {"name": self.name}

    def compute(self, sequence: TypedSequence) -> Tensor:
        """See `Backbone.compute`."""
        encoded = self._tokenizer(
            sequence.text, seq_type=sequence.seq_type, add_special_tokens=False
        )
        ids = torch.tensor(encoded["input_ids"])
        rows = torch.nn.functional.one_hot(ids, self.width).float()
        if self.rows == "mean":
            return rows.mean(0, keepdim=True)
        return rows.amax(0, keepdim=True) if self.rows == "max" else rows


def open_backbone(
    name: str,
    *,
    rows: Rows = "residues",
    dtype: str | None = None,
    device: str | None = None,
    tokens_per_batch: int | None = None,
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> Backbone:
    """Find an encoder; its weights are loaded when features are computed.

    Args:
        name: folder or Hub repository of a LucaOne model or of another encoder of transformers;
            `random:MODEL`, LucaOne with fresh weights; or `one-hot`.
        rows: see `Backbone`.
        dtype: of the computation, such as `bfloat16`; where not given as stored, of encoders other
            than LucaOne float32. Features are float32 in any case.
        device: as of PyTorch; the GPU where there is one, if not given.
        tokens_per_batch: tokens that go through the encoder at once; by the device if not given.
        revision: branch, tag or commit of a Hub repository.
        trust_remote_code: run the code of a Hub repository or folder that is no LucaOne model.

    Raises:
        ValueError: there is no such encoder, device or precision; one line that names it.
    """
    if rows not in ROWS:
        raise ValueError(f"unknown rows {rows!r}; known are {', '.join(ROWS)}")
    if dtype is not None and not isinstance(getattr(torch, dtype, None), torch.dtype):
        raise ValueError(f"unknown dtype {dtype!r}; float32, float16 and bfloat16 are known")
    if name == ONE_HOT:
        return OneHot(rows)
    if device is not None:
        find_device(device)
    options = (rows, dtype, device, tokens_per_batch)
    if name.startswith(RANDOM):
        return RandomLucaOne(find_model(name.removeprefix(RANDOM), revision), *options)
    if _model_type(name, revision) in ("lucaone", "lucaone_gplm"):
        return LucaOneBackbone(find_model(name, revision), *options)
    return HubEncoder(name, *options, revision, trust_remote_code)


def _model_type(name: str, revision: str | None) -> str:
    """Return the type of a model, `lucaone` also where there is no model to be found."""
    if not Path(name).is_dir() and not is_repo_id(name):
        return "lucaone"  # `find_model` says what is wrong with the name
    folder = Path(name)
    if not folder.is_dir():
        with asking_the_hub(f"{name} (no folder here, so looked for on the Hub)"):
            folder = Path(hf_hub_download(name, "config.json", revision=revision)).parent
    return str(read_config(folder, name).get("model_type", "lucaone"))
