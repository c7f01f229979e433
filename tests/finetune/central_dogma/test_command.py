# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone data central-dogma`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import finetune.commands
from finetune.commands import central_dogma
from lucaone_cli import main
from tests.genomes import genome, write


@pytest.fixture(autouse=True)
def only_this_command(monkeypatch):
    monkeypatch.setattr(finetune.commands, "COMMANDS", (central_dogma,))


@pytest.fixture
def file(tmp_path):
    return str(write(tmp_path / "a.gb", genome("A", 16)))


def run(*arguments):
    return main(["data", "central-dogma", *map(str, arguments)])


def test_options_arrive(tmp_path, file, capsys):
    options = ("--flank", 7, "--negatives", "mismatched", "--negatives-per-positive", 1)
    options += (
        "--edit-fraction",
        "0.2",
        "0.3",
        "--split",
        2,
        1,
        1,
        "--seed",
        5,
        "--species",
        "X y",
    )
    options += ("--max-dna", 400, "--max-protein", 60, "--max-genes-per-species", 12)
    assert run(file, "--output", tmp_path / "set", *options, "--no-one-per-gene") == 0
    settings = json.loads((tmp_path / "set" / "summary.json").read_text())["settings"]
    assert settings == {
        "flank": 7,
        "negatives": "mismatched",
        "negatives_per_positive": 1,
        "edit_fraction": [0.2, 0.3],
        "split": [2, 1, 1],
        "seed": 5,
        "species": "X y",
        "max_dna": 400,
        "max_protein": 60,
        "max_genes_per_species": 12,
        "one_per_gene": False,
    }
    out = capsys.readouterr().out
    assert out.startswith(f"{tmp_path / 'set'}: 12 genes of 1 species, ")
    assert "left out of 16 CDS: " in out


def test_wrong_usage_exits_with_2(tmp_path, file, capsys):
    output = ("--output", tmp_path / "set")
    assert run(file, *output, "--edit-fraction", "0.5", "0.1") == 2
    assert "--edit-fraction 0.5 0.1" in capsys.readouterr().err
    assert run(file, *output, "--split", 0, 0, 0) == 2
    for wrong in (
        [file],
        [*output],
        [file, *output, "--split", 4, 3],
        [file, *output, "--flank", -1],
    ):
        with pytest.raises(SystemExit) as exit:
            run(*wrong)
        assert exit.value.code == 2


def test_failed_job_is_one_line_and_exits_with_1(tmp_path, file, capsys):
    assert run(file, tmp_path / "no.gb", "--output", tmp_path / "set") == 1
    error = capsys.readouterr().err
    assert (
        error
        == f"lucaone: error: {tmp_path / 'no.gb'}: cannot be read: No such file or directory\n"
    )
    (tmp_path / "b.gb").write_text(">a\nACGT\n")
    assert run(tmp_path / "b.gb", "--output", tmp_path / "set") == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert run(file, "--output", tmp_path / "set") == 0
    assert run(file, "--output", tmp_path / "set") == 1
    assert "--overwrite" in capsys.readouterr().err
    assert run(file, "--output", tmp_path / "set", "--overwrite") == 0


def imports(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[3]
    )


def test_nothing_heavy_is_imported():
    code = "import sys, finetune.commands.central_dogma; print(*sys.modules)"
    assert not {"Bio", "numpy", "torch"} & set(imports(code).stdout.split())
    code = "import sys, finetune.central_dogma; print(*sys.modules)"
    assert not {"torch", "transformers"} & set(imports(code).stdout.split())


def test_missing_library_is_one_line():
    done = imports("import sys; sys.modules['Bio'] = None; import finetune.central_dogma")
    assert done.stderr.splitlines()[-1] == (
        "ImportError: the central dogma's data need Biopython; pip install 'lucaone-hf[finetune]'"
    )
