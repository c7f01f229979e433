# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Spearman's rank correlation, by SciPy."""

from collections.abc import Sequence

import evaluate
import numpy as np
from scipy.stats import spearmanr

from .shared import NUMBER, is_constant, metric_info


class Spearman(evaluate.Metric):
    """Correlation of the ranks of predictions and references; nan if one of them is constant."""

    def _info(self) -> "evaluate.MetricInfo":
        return metric_info(type(self), {"predictions": NUMBER, "references": NUMBER})

    def _compute(self, predictions: Sequence, references: Sequence) -> dict[str, float]:
        """Compare numbers."""
        values, truth = np.asarray(predictions, float), np.asarray(references, float)
        if is_constant(values) or is_constant(truth):
            return {"spearman": float("nan")}
        return {"spearman": float(spearmanr(values, truth).statistic)}
