# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`accelerate launch -m embedding ...` is `lucaone embed ...` on several devices."""

import sys

from lucaone_cli import main

sys.exit(main(["embed", *sys.argv[1:]]))
