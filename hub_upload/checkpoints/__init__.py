# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Published checkpoints, ESM-2 and new weights to model folders."""
