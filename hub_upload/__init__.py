# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""From checkpoints to model folders and Hub repositories."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checkpoint_files import CheckpointError, ModelReport
    from .conversion import convert
    from .initialization import initialize
    from .sentence_transformer_files import write_sentence_transformer_files
    from .trained_heads import convert_head

_HOME = {
    "CheckpointError": "checkpoint_files",
    "ModelReport": "checkpoint_files",
    "convert": "conversion",
    "convert_head": "trained_heads",
    "initialize": "initialization",
    "write_sentence_transformer_files": "sentence_transformer_files",
}
__all__ = [
    "CheckpointError",
    "ModelReport",
    "convert",
    "convert_head",
    "initialize",
    "write_sentence_transformer_files",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for, so that the commands can be listed without loading PyTorch."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
