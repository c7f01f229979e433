# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The rooms import only what docs/architecture.md lets them."""

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from tests.helpers import REPOSITORY


def test_import_contracts(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    assert lint_imports(no_cache=True) == EXIT_STATUS_SUCCESS
