# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""LucaOne-nano, a small trained model, and one of pairs: folders for `from_pretrained`."""

from pathlib import Path

PATH = Path(__file__).parent
# Says whether a coding sequence and a protein belong together (AutoModelForPairClassification).
PAIR = PATH / "pair"
