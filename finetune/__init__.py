# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Trained models for a biological question: from labelled sequences to predictions."""
