# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Area under the precision-recall curve, by scikit-learn."""

from collections.abc import Sequence

import evaluate
from sklearn.metrics import average_precision_score

from .shared import LABEL, LABELS, NUMBER, NUMBERS, mean_over_labels, metric_info


class PrAuc(evaluate.Metric):
    """Average precision: the precision at each threshold, weighted with the gain of recall.

    Of several classes, the mean over each against the rest; of several labels, the mean over them.
    Classes and labels without a positive or without a negative are left out; nan if all are.
    """

    def _info(self) -> "evaluate.MetricInfo":
        return metric_info(
            type(self),
            {"prediction_scores": NUMBER, "references": LABEL},
            {"prediction_scores": NUMBERS, "references": LABEL},
            {"prediction_scores": NUMBERS, "references": LABELS},
        )

    def _compute(self, prediction_scores: Sequence, references: Sequence) -> dict[str, float]:
        """Compare scores of the class 1, of each class or of each label with the truth."""
        return {"pr_auc": mean_over_labels(average_precision_score, prediction_scores, references)}
