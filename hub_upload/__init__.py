# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""From checkpoints to model folders, and from these to Hub repositories."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checkpoints.conversion import convert
    from .checkpoints.initialization import initialize
    from .checkpoints.model_files import ModelReport
    from .checkpoints.trained_heads import convert_head
    from .files import CheckpointError
    from .published.republishing import republish
    from .repository.exporting import export
    from .repository.verification import verify
    from .sentence_transformer_files import write_sentence_transformer_files
    from .spaces.writing import space
    from .transfer.pulling import pull
    from .transfer.pushing import push

_HOME = {
    "CheckpointError": "files",
    "ModelReport": "checkpoints.model_files",
    "convert": "checkpoints.conversion",
    "convert_head": "checkpoints.trained_heads",
    "export": "repository.exporting",
    "initialize": "checkpoints.initialization",
    "pull": "transfer.pulling",
    "push": "transfer.pushing",
    "republish": "published.republishing",
    "space": "spaces.writing",
    "verify": "repository.verification",
    "write_sentence_transformer_files": "sentence_transformer_files",
}
__all__ = [
    "CheckpointError",
    "ModelReport",
    "convert",
    "convert_head",
    "export",
    "initialize",
    "pull",
    "push",
    "republish",
    "space",
    "verify",
    "write_sentence_transformer_files",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for, so that the commands can be listed without loading PyTorch."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
