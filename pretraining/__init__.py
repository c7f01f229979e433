# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Pre-training: labelled records to the ten tasks, and what makes such records."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .recipe import Recipe, read_recipe
    from .runs import pretrain

_HOME = {"Recipe": "recipe", "pretrain": "runs", "read_recipe": "recipe"}
__all__ = ["Recipe", "pretrain", "read_recipe"]


def __getattr__(name: str) -> Any:
    """Import what is asked for, so that the commands can be listed without loading PyTorch."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
