# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone data simulate`."""

import json
import subprocess
import sys

import pytest

import pretraining.commands
from lucaone_cli import main
from pretraining.commands import simulate


@pytest.fixture(autouse=True)
def only_this_command(monkeypatch):
    monkeypatch.setattr(pretraining.commands, "COMMANDS", (simulate,))


def run(*arguments):
    return main(["data", "simulate", *map(str, arguments)])


def test_options_arrive(tmp_path, capsys):
    options = {"records": 30, "proteins": 6, "species": 5, "orders": 3, "families": 9, "seed": 4}
    options |= {"min_length": 50, "max_length": 90, "dev_fraction": 0.25}
    words = [w for k, v in options.items() for w in (f"--{k.replace('_', '-')}", v)]
    assert run(tmp_path / "out", *words) == 0
    facts = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert facts["made_from"] == {"reader": "simulation", **options}
    assert "36 records" in capsys.readouterr().out


def test_what_is_not_given_is_the_default_of_the_settings(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(
        "pretraining.simulation.simulate", lambda *arguments: given.append(arguments)
    )
    assert run(tmp_path / "out") == 0
    from pretraining.simulation import Settings

    assert given == [(Settings(), tmp_path / "out", False)]


def test_wrong_usage_is_one_line(tmp_path, capsys):
    assert run(tmp_path / "out", "--orders", 9, "--species", 3) == 2
    assert capsys.readouterr().err == "lucaone: error: --orders 9: more than the 3 species\n"


def test_help_imports_nothing_heavy():
    code = (
        "import sys, pretraining.commands.simulate\n"
        "print(sorted({'torch', 'transformers', 'Bio', 'pyarrow', 'numpy'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
