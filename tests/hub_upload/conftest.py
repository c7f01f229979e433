# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A Hub on the loopback address, and a repository to push to it."""

import pytest

from tests.hub_upload.hub_server import serve, write_repository


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The Hub of this process while the test runs."""
    with serve(tmp_path / "hub") as server:
        server.connect(monkeypatch, tmp_path / "home")
        yield server


@pytest.fixture
def folder(tmp_path):
    """A repository on disk."""
    return write_repository(tmp_path / "repository")
