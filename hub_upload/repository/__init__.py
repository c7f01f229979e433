# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A model folder to a Hub repository on disk, and the proof that it works."""
