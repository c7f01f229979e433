# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""From checkpoints to model folders and Hub repositories."""

from .checkpoint_files import CheckpointError, ModelReport
from .convert import convert
from .initialize import initialize

__all__ = ["CheckpointError", "ModelReport", "convert", "initialize"]
