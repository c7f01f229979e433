# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Features of sequences by any encoder, each distinct sequence computed once and kept."""

from .backbones import open_backbone
from .base import ROWS, Backbone, Rows, TypedSequence
from .store import FeatureStore, FillReport

__all__ = [
    "ROWS",
    "Backbone",
    "FeatureStore",
    "FillReport",
    "Rows",
    "TypedSequence",
    "open_backbone",
]
