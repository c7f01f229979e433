# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The rooms import only what docs/architecture.md lets them, and export what stays what it is."""

import importlib
from importlib.util import find_spec
from types import ModuleType

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from tests.helpers import REPOSITORY

ROOMS = [path.parent.name for path in REPOSITORY.glob("*/__init__.py")]


def test_import_contracts(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    assert lint_imports(no_cache=True) == EXIT_STATUS_SUCCESS


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_takes_the_place_of_an_exported_name(room):
    module = importlib.import_module(room)
    for name in getattr(module, "__all__", ()):
        if find_spec(f"{room}.{name}"):
            importlib.import_module(f"{room}.{name}")
        assert not isinstance(getattr(module, name), ModuleType), name
