# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Records of species that never lived, to train small models without any real sequence.

from pretraining.simulation import Settings, simulate
simulate(Settings(records=20_000, seed=1), Path("simulated"))
"""

from .building import simulate
from .records import simulate_records
from .settings import Settings

__all__ = ["Settings", "simulate", "simulate_records"]
