# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A web page that shows what a model does with sequences.

from lucaone_space import build_app

build_app("lucaone").launch()
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .inputs import Limits
    from .page import build_app

_HOME = {"Limits": "inputs", "build_app": "page"}
__all__ = ["Limits", "build_app"]


def __getattr__(name: str) -> Any:
    """Import what is asked for, so that the commands can be listed without loading PyTorch."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
