# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""LucaOne-nano, a small trained model: `AutoModel.from_pretrained(lucaone_nano.PATH)`."""

from pathlib import Path

PATH = Path(__file__).parent
