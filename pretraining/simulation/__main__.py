# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`python -m pretraining.simulation ...` is `lucaone data simulate ...`."""

import sys

from lucaone_cli import main

sys.exit(main(["data", "simulate", *sys.argv[1:]]))
