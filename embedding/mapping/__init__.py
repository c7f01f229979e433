# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Pictures of files of embeddings."""

from .maps import MapSummary, map_embeddings

__all__ = ["MapSummary", "map_embeddings"]
