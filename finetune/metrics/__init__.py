# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Metrics as modules of `evaluate`, a file for each, which work without a network.

`evaluate.load("accuracy")` downloads a script; `evaluate.load` of the path of a file of this folder
does not. What has no value, such as an area under a curve where one class is missing, is nan.
"""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import evaluate

# Of the file, of the module, and of its value in what `compute` returns.
NAMES = (
    "accuracy",
    "f1",
    "mcc",
    "roc_auc",
    "pr_auc",
    "spearman",
    "pearson",
    "rmse",
    "group_accuracy",
)


def load_metric(name: str) -> "evaluate.Metric":
    """Return a metric: `load_metric("f1").compute(predictions=..., references=..., average=...)`.

    Each call returns an object of its own, which keeps what it is given in memory, so that
    processes that compute at once do not meet in a cache file.

    Args:
        name: one of `NAMES`.

    Raises:
        ValueError: there is no such metric.
        ImportError: scikit-learn is missing.
    """
    if name not in NAMES:
        raise ValueError(f"{name}: no such metric; there are {', '.join(NAMES)}")
    if importlib.util.find_spec("sklearn") is None:
        raise ImportError("metrics need scikit-learn; pip install 'lucaone-hf[finetune]'")
    import evaluate

    path = Path(__file__).with_name(f"{name}.py")
    return evaluate.load(str(path), module_type="metric", keep_in_memory=True)
