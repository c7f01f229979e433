# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`python -m finetune ...`, which `accelerate launch` runs too, is `lucaone finetune ...`."""

import sys

from lucaone_cli import main

sys.exit(main(["finetune", *sys.argv[1:]]))
