# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A trained model applied to sequences: embeddings, annotations, scores of variants, and maps."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .annotation import Annotator, annotate_file
    from .embedder import Embedder
    from .files import embed_file
    from .mapping import map_embeddings
    from .scoring import Scorer, score_file
    from .store import read_embeddings

_HOME = {
    "Annotator": "annotation",
    "Embedder": "embedder",
    "Scorer": "scoring",
    "annotate_file": "annotation",
    "embed_file": "files",
    "map_embeddings": "mapping",
    "read_embeddings": "store",
    "score_file": "scoring",
}
__all__ = [
    "Annotator",
    "Embedder",
    "Scorer",
    "annotate_file",
    "embed_file",
    "map_embeddings",
    "read_embeddings",
    "score_file",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for, so that the commands can be listed without loading PyTorch."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
