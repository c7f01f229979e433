# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
import pytest
import torch


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Run tiny models on one thread: two that wait for each other are slower on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
