# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Pearson's correlation, by SciPy."""

from collections.abc import Sequence

import evaluate
import numpy as np
from scipy.stats import pearsonr

from .shared import NUMBER, is_constant, metric_info


class Pearson(evaluate.Metric):
    """Linear correlation of predictions and references; nan if one of them is constant."""

    def _info(self) -> "evaluate.MetricInfo":
        return metric_info(type(self), {"predictions": NUMBER, "references": NUMBER})

    def _compute(self, predictions: Sequence, references: Sequence) -> dict[str, float]:
        """Compare numbers."""
        values, truth = np.asarray(predictions, float), np.asarray(references, float)
        if is_constant(values) or is_constant(truth):
            return {"pearson": float("nan")}
        return {"pearson": float(pearsonr(values, truth).statistic)}
