# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Pre-training: labelled records to the ten tasks, and what makes such records."""
