# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What the masked language model says of variants of sequences, without training."""

from .files import ScoreSummary, score_file
from .scorer import Scorer

__all__ = ["ScoreSummary", "Scorer", "score_file"]
