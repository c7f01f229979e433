# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Settings of all tests."""

import torch

# The models of the tests are so small that a second thread only waits for the first; on a busy
# machine it makes them five times slower.
torch.set_num_threads(1)
