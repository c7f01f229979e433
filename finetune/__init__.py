# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Trained models for a biological question: from labelled sequences to predictions."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .comparison import compare
    from .prediction import predict_file
    from .predictor import Predictor
    from .runs import finetune
    from .task import Task, read_task

_HOME = {
    "Predictor": "predictor",
    "Task": "task",
    "compare": "comparison",
    "finetune": "runs",
    "predict_file": "prediction",
    "read_task": "task",
}
__all__ = ["Predictor", "Task", "compare", "finetune", "predict_file", "read_task"]


def __getattr__(name: str) -> Any:
    """Import what is asked for, so that the commands can be listed without loading PyTorch."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
