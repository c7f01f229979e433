# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The published port, random batches, and timing."""

import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

PORT = Path(__file__).resolve().parent.parent / ".bench"
AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"


def import_port() -> Any:
    """Import the modules of the published port (lucaone 1.1.1) without running its registration.

    Returns:
        A namespace with `config`, `modeling` and `tokenization`.
    """
    if not (PORT / "lucaone").is_dir():
        sys.exit(
            "the published port is not there: pip install --no-deps --target .bench lucaone==1.1.1"
        )
    package = types.ModuleType("lucaone")
    package.__path__ = [str(PORT / "lucaone")]
    sys.modules.setdefault("lucaone", package)
    from lucaone import configuration_lucaone, modeling_lucaone, tokenization_lucaone

    return types.SimpleNamespace(
        config=configuration_lucaone, modeling=modeling_lucaone, tokenization=tokenization_lucaone
    )


def port_config(port: Any, config: Any) -> Any:
    """Return the port's configuration of the network that `config` describes."""
    return port.config.LucaGPLMConfig(
        hidden_size=config.hidden_size,
        num_hidden_layers=config.num_hidden_layers,
        num_attention_heads=config.num_attention_heads,
        ffn_dim=config.intermediate_size,
        no_position_embeddings=True,
        no_token_type_embeddings=False,
        use_embed_layer_norm=False,
        use_last_layer_norm=True,
        token_dropout=False,
        vocab_size=39,
        alphabet="gene_prot",
    )


def protein_batch(lengths: list[int]) -> dict[str, torch.Tensor]:
    """Return a padded batch of random proteins, [CLS] and [SEP] included."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.zeros(len(lengths), max(lengths) + 2, dtype=torch.long)
    for row, length in enumerate(lengths):
        ids[row, 1 : length + 1] = torch.randint(10, 30, (length,), generator=generator)
        ids[row, 0], ids[row, length + 1] = 2, 3
    mask = ids.ne(0).long()
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": mask.clone()}


def matrix_flops(config: Any, tokens: int) -> int:
    """Return the FLOPs of the blocks' matrices for this many tokens."""
    per_block = 4 * config.hidden_size**2 + 2 * config.hidden_size * config.intermediate_size
    return 2 * config.num_hidden_layers * per_block * tokens


def seconds(run: Callable[[], Any]) -> float:
    """Time one run, on a GPU until it is done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    start = time.perf_counter()
    run()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def matrix_rate(dtype: torch.dtype, device: str = "cpu") -> Callable[[], float]:
    """Return a measurement of FLOP/s of a 2,048 x 2,560 by 2,560 x 10,240 product."""
    a = torch.randn(2048, 2560, dtype=dtype, device=device)
    b = torch.randn(2560, 10240, dtype=dtype, device=device)

    def rate() -> float:
        return 2 * 2048 * 2560 * 10240 / min(seconds(lambda: a @ b) for _ in range(3))

    rate()
    return rate


def relative_l2(result: torch.Tensor, expected: torch.Tensor) -> float:
    """Return |result - expected| / |expected|."""
    result, expected = result.double(), expected.double()
    return ((result - expected).norm() / expected.norm()).item()
