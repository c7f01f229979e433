# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Settings of all tests."""

import logging
import warnings

import pytest
import torch
from hypothesis import HealthCheck, settings
from transformers.utils import logging as transformers_logging

# The same examples in every run, and no limit on their time: another machine is slower, or busy.
settings.register_profile(
    "tests",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tests")

# The models of the tests are so small that a second thread only waits for the first; on a busy
# machine it makes them five times slower.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def as_loud_as_before():
    """Undo what a command does to the libraries of its process."""
    bars = transformers_logging.is_progress_bar_enabled()
    with warnings.catch_warnings():
        yield
    logging.disable(logging.NOTSET)
    if bars:
        transformers_logging.enable_progress_bar()
