# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Sequence text to token ids and back."""

from .tokenization_lucaone import LucaGPLMTokenizer, LucaOneTokenizerFast, normalize_seq_type

__all__ = ["LucaGPLMTokenizer", "LucaOneTokenizerFast", "normalize_seq_type"]
