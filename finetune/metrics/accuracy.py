# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Accuracy, by scikit-learn."""

from collections.abc import Sequence

import evaluate
from sklearn.metrics import accuracy_score

from .shared import LABEL, LABELS, metric_info


class Accuracy(evaluate.Metric):
    """Share of the records whose prediction is right; of multi-label ones, right in every label."""

    def _info(self) -> "evaluate.MetricInfo":
        return metric_info(
            type(self),
            {"predictions": LABEL, "references": LABEL},
            {"predictions": LABELS, "references": LABELS},
        )

    def _compute(self, predictions: Sequence, references: Sequence) -> dict[str, float]:
        """Compare class ids, or rows with a 0 or 1 for each label."""
        return {"accuracy": float(accuracy_score(references, predictions))}
