# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Prints docs/checkpoints.md: `python -m hub_upload.published > docs/checkpoints.md`."""

import sys

from .page import render_page

if __name__ == "__main__":
    sys.stdout.write(render_page())
