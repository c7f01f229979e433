# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A trained model applied to sequences: embeddings of strings and of whole files."""

from .embedder import Embedder
from .files import embed_file

__all__ = ["Embedder", "embed_file"]
