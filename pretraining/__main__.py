# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`python -m pretraining ...`, which `accelerate launch` runs too, is `lucaone pretrain ...`."""

import sys

from lucaone_cli import main

sys.exit(main(["pretrain", *sys.argv[1:]]))
