# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Accuracy in each group of records, such as each species."""

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import numpy as np

from .shared import LABEL, metric_info


class GroupAccuracy(evaluate.Metric):
    """Mean over the groups of the share of right predictions in each, so that small ones count.

    Beside it, in `groups`, the accuracy and the number of records of each group.
    """

    def _info(self) -> "evaluate.MetricInfo":
        group = datasets.Value("string")
        return metric_info(type(self), {"predictions": LABEL, "references": LABEL, "groups": group})

    def _compute(
        self, predictions: Sequence, references: Sequence, groups: Sequence[str]
    ) -> dict[str, Any]:
        """Compare class ids; `groups` names the group of each record."""
        right = np.equal(predictions, references)
        names, members = np.unique(groups, return_inverse=True)
        counts = np.bincount(members)
        values = np.bincount(members, weights=right) / counts
        return {
            "group_accuracy": float(values.mean()) if len(values) else float("nan"),
            "groups": {
                str(name): {"accuracy": float(value), "n": int(count)}
                for name, value, count in zip(names, values, counts, strict=True)
            },
        }
