# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Tries a repository as somebody would who does not have this package.

`verification.py` runs this folder in a process of its own, as `python -m probe FOLDER`. It stands
alone but for torch, transformers and safetensors, and does what a stranger's script would do.
"""

from .values import REFERENCE, Reference

__all__ = ["REFERENCE", "Reference"]
