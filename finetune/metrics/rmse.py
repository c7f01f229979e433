# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Root of the mean squared error, by scikit-learn."""

from collections.abc import Sequence

import evaluate
from sklearn.metrics import root_mean_squared_error

from .shared import NUMBER, metric_info


class Rmse(evaluate.Metric):
    """Root of the mean squared difference between predictions and references, in their unit."""

    def _info(self) -> "evaluate.MetricInfo":
        return metric_info(type(self), {"predictions": NUMBER, "references": NUMBER})

    def _compute(self, predictions: Sequence, references: Sequence) -> dict[str, float]:
        """Compare numbers."""
        return {"rmse": float(root_mean_squared_error(references, predictions))}
