# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Matthews' correlation coefficient, by scikit-learn."""

from collections.abc import Sequence

import evaluate
import numpy as np
from sklearn.metrics import matthews_corrcoef

from .shared import LABEL, metric_info


class Mcc(evaluate.Metric):
    """Matthews' correlation coefficient of two or more classes (Gorodkin 2004).

    0 if all predictions are the same class, as is the convention; nan if all references are.
    """

    def _info(self) -> "evaluate.MetricInfo":
        return metric_info(type(self), {"predictions": LABEL, "references": LABEL})

    def _compute(self, predictions: Sequence, references: Sequence) -> dict[str, float]:
        """Compare class ids."""
        if len(np.unique(references)) < 2:
            return {"mcc": float("nan")}
        return {"mcc": float(matthews_corrcoef(references, predictions))}
