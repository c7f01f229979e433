# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone data convert-records`."""

import csv
import json
import subprocess
import sys

import pytest

import pretraining.commands
from lucaone_cli import main
from pretraining.commands import convert_records
from tests.helpers import REPOSITORY


@pytest.fixture(autouse=True)
def only_this_command(monkeypatch):
    monkeypatch.setattr(pretraining.commands, "COMMANDS", (convert_records,))


@pytest.fixture
def source(tmp_path):
    rows = [
        ["obj_id", "obj_type", "obj_seq", "obj_label", "obj_source"],
        ["a", "gene", "ACGT", "{'span_level': {'gene_type': [[0, 3, 1]]}}", "refseq"],
        ["b", "gene", "ACGTACGT", "", "refseq"],
        ["c", "prot", "MK", "", "uniprot"],
        ["d", "prot", "MK", "{", "uniprot"],
    ]
    path = tmp_path / "records.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def run(*arguments):
    return main(["data", "convert-records", *map(str, arguments)])


def test_options_arrive(tmp_path, source, capsys):
    labels, output = tmp_path / "labels", tmp_path / "out"
    labels.mkdir()
    (labels / "gene_type.txt").write_text("CDS\ntRNA\n")
    options = ("--labels", labels, "--max-length", 5, "--records-per-shard", 9, "--processes", 2)
    assert run(source, output, *options) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{output}: 2 records of 6 letters, from 4 entries\n")
    assert "dropped: 2\n  1 longer than N letters\n" in out
    assert "gene_type" in out
    assert "tRNA 1" in out
    assert err == ""
    made_from = json.loads((output / "summary.json").read_text())["made_from"]
    assert (made_from["max_length"], made_from["records_per_shard"]) == (5, 9)
    assert run(source, output, *options) == 0
    assert capsys.readouterr().err == f"note: {output} is complete; nothing was done\n"
    assert run(source, output) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"lucaone: error: {output} was made with max_length 5, not None and ")
    assert error.count("\n") == 1
    assert run(source, output, "--overwrite") == 0
    assert "3 records of 14 letters" in capsys.readouterr().out


def test_wrong_usage_exits_with_2(tmp_path, source):
    for wrong in ([source], [source, tmp_path / "out", "--processes", 0], []):
        with pytest.raises(SystemExit) as exit:
            run(*wrong)
        assert exit.value.code == 2


def test_a_failed_job_is_one_line_and_exits_with_1(tmp_path, source, capsys):
    assert run(tmp_path / "no.csv", tmp_path / "out") == 1
    assert capsys.readouterr().err == (
        f"lucaone: error: {tmp_path / 'no.csv'}: there is no such file\n"
    )
    assert run(source, tmp_path / "out", "--labels", tmp_path) == 1
    assert "there is no vocabulary in it" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_nothing_heavy_is_imported():
    def imported(module):
        code = f"import sys, {module}; print(*sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY
        )
        return set(done.stdout.split())

    heavy = {"torch", "transformers", "Bio", "datasets"}
    command = imported("pretraining.commands.convert_records")
    assert "pretraining.commands.convert_records" in command
    assert not (heavy | {"pyarrow", "numpy"}) & command
    # Each process that reads imports this.
    assert not heavy & imported("pretraining.data.published")
