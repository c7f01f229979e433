# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""F1, by scikit-learn."""

from collections.abc import Sequence

import evaluate
from sklearn.metrics import f1_score

from .shared import LABEL, LABELS, metric_info


class F1(evaluate.Metric):
    """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN).

    `average="binary"` is that of the class 1. `average="macro"` is the mean over the classes that
    occur among references or predictions, or over the labels of multi-label records that do;
    `average="micro"` counts over all labels together. nan where nothing occurs.
    """

    def _info(self) -> "evaluate.MetricInfo":
        return metric_info(
            type(self),
            {"predictions": LABEL, "references": LABEL},
            {"predictions": LABELS, "references": LABELS},
        )

    def _compute(
        self, predictions: Sequence, references: Sequence, average: str = "binary"
    ) -> dict[str, float]:
        """Compare class ids, or rows with a 0 or 1 for each label."""
        value = f1_score(references, predictions, average=average, zero_division=float("nan"))
        return {"f1": float(value)}
