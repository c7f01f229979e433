# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Labelled records: their form on disk, and what makes them of public files."""
