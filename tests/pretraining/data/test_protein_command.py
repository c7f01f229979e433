# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone data protein`."""

import json
import os
import signal
import subprocess
import sys

import pytest

import pretraining.commands
from lucaone_cli import main
from pretraining.commands import protein
from tests.helpers import REPOSITORY

from .protein_files import ENTRIES, SEQUENCE, entry, match, pdb, write
from .readers import contents, records

KILLED = """
import sys
from lucaone_cli import main
from pretraining.data.job import BuildJob
from pretraining.data.protein_index import IndexWriter
from pretraining.data.protein_records import ProteinReader
from tests.kills import die_at

die_at({call}, ({owner}, {name!r}))
main(sys.argv[1:])
"""


@pytest.fixture(autouse=True)
def only_this_command(monkeypatch):
    monkeypatch.setattr(pretraining.commands, "COMMANDS", (protein,))


def run(*arguments):
    return main(["data", "protein", *map(str, arguments)])


def run_killed(owner, name, call, *arguments):
    """Run the command in a process that is killed at a call, counted from 0, of a method."""
    script = KILLED.format(owner=owner, name=name, call=call)
    command = [sys.executable, "-c", script, "data", "protein", *map(str, arguments)]
    assert subprocess.run(command, cwd=REPOSITORY).returncode == -signal.SIGKILL


@pytest.fixture
def source(tmp_path):
    return write(tmp_path, "a.dat", entry("P00001") + entry("P00002", taxid=7))


@pytest.fixture
def tables(tmp_path):
    """Return options that name a table each, with something for P00001."""
    return (
        *("--interpro", write(tmp_path, "p.dat", match("P00001"))),
        *("--interpro-entries", write(tmp_path, "entry.list", ENTRIES)),
        *("--taxonomy", write(tmp_path, "orders.tsv", "7\tBacillales\n")),
        *("--structures", write(tmp_path / "s", "x.pdb", pdb(SEQUENCE, "P00001")).parent),
    )


def test_options_arrive(tmp_path, source, tables, capsys):
    write(tmp_path / "names", "prot_keyword.txt", "Zinc\n")
    options = ("--max-length", 30, "--min-coverage", 0.7, "--structures-alone")
    options += ("--dev-fraction", 0.1, "--records-per-shard", 3, "--processes", 2)
    output = tmp_path / "out"
    assert run(source, "--output", output, *tables, *options, "--labels", tmp_path / "names") == 0
    made_from = json.loads((output / "summary.json").read_text())["made_from"]
    wanted = {"max_length": 30, "min_coverage": 0.7, "structures_alone": True}
    wanted |= {"dev_fraction": 0.1, "records_per_shard": 3}
    assert {name: made_from[name] for name in wanted} == wanted
    segments = {one.id: one for one in records(output)}
    assert sorted(segments) == ["P00001#1-20", "P00001#21-40", "P00002#1-20", "P00002#21-40"]
    assert all(one.keywords == [0] for one in segments.values())
    assert "4 records of 80 letters" in capsys.readouterr().out
    assert run(source, "--output", output, *tables, "--overwrite") == 0
    assert sorted(one.id for one in records(output)) == ["P00001", "P00002"]


def test_other_tables_are_another_job(tmp_path, source, tables, capsys):
    output = ("--output", tmp_path / "out")
    assert run(source, *output, *tables) == 0
    before = contents(tmp_path / "out")
    assert run(source, *output, *tables) == 0
    assert contents(tmp_path / "out") == before
    assert "nothing was done" in capsys.readouterr().err
    write(tmp_path, "p.dat", match("P00001", last=20))
    assert run(source, *output, *tables) == 1
    assert "other interpro;" in capsys.readouterr().err
    write(tmp_path / "s", "y.pdb", pdb(SEQUENCE, "P00002"))
    assert run(source, *output, *tables) == 1
    assert "other structures and other interpro;" in capsys.readouterr().err


def test_a_table_of_orders_is_known_by_its_content(tmp_path, source, capsys):
    orders = write(tmp_path, "orders.tsv", "7\tBacillales\n")
    call = (source, "--output", tmp_path / "out", "--taxonomy", orders)
    assert run(*call) == 0
    capsys.readouterr()
    os.utime(orders, (1, 1))
    assert run(*call) == 0
    assert "nothing was done" in capsys.readouterr().err
    write(tmp_path, "orders.tsv", "7\tMicrococcal\n")
    os.utime(orders, (1, 1))
    assert run(*call) == 1
    assert "other taxonomy;" in capsys.readouterr().err


def test_a_job_that_is_refused_leaves_the_index_of_the_other_alone(
    tmp_path, source, tables, capsys
):
    """The other one was killed while it read: its index is whole, and it goes on with it."""
    output, index = ("--output", tmp_path / "out"), tmp_path / "out.index"
    bad = write(tmp_path, "p2.dat", match("P00002"))
    run_killed("ProteinReader", "read", 0, source, *output, *tables)
    before = index.read_bytes()
    assert run(source, *output, *tables, "--interpro", bad) == 1
    assert "other interpro;" in capsys.readouterr().err
    assert index.read_bytes() == before
    assert run(source, *output, *tables) == 0
    assert not index.exists()


def test_wrong_usage_exits_with_2(tmp_path, source, capsys):
    output = ("--output", tmp_path / "out")
    for wrong, message in (
        (("--interpro", "x"), "--interpro and --interpro-entries: one does not go without"),
        (("--min-coverage", 2), "--min-coverage 2.0: must be from 0 to 1"),
        (("--dev-fraction", 1), "--dev-fraction 1.0"),
    ):
        assert run(source, *output, *wrong) == 2
        assert message in capsys.readouterr().err
    for wrong in ([source], [*output], [source, *output, "--max-length", 0]):
        with pytest.raises(SystemExit) as exit:
            run(*wrong)
        assert exit.value.code == 2


def test_a_failed_job_is_one_line_and_exits_with_1(tmp_path, source, tables, capsys):
    output = ("--output", tmp_path / "out")
    structure = write(tmp_path, "x.pdb", pdb(SEQUENCE))
    fasta = write(tmp_path, "x.fasta", ">a\nMKT\n")
    orders = write(tmp_path, "bad.tsv", "9606 Primates\n")
    for wrong, message in (
        ([tmp_path / "no.dat"], "no.dat"),
        ([fasta], f"{fasta}: neither UniProt (flat text or XML) nor a structure (PDB, mmCIF)"),
        ([source, "--structures", tmp_path / "no"], "no: --structures: there is no such folder"),
        ([source, "--structures-alone"], "--structures-alone: there is no structure"),
        ([source, "--taxonomy", orders], f"{orders}: line 1: "),
        ([source, "--labels", tmp_path / "no"], str(tmp_path / "no")),
        ([structure, *tables[:4]], "--interpro is of use to entries of UniProt"),
        ([source, *tables, "--interpro", tmp_path / "no"], str(tmp_path / "no")),
    ):
        assert run(*wrong, *output) == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and message in error
        assert not (tmp_path / "out").exists()


def test_a_job_that_is_killed_goes_on(tmp_path, capsys):
    proteins = [f"P{number:05}" for number in range(2_000)]
    source = write(tmp_path, "a.dat", "".join(map(entry, proteins)))
    tables = (
        *("--interpro", write(tmp_path, "p.dat", "".join(map(match, proteins)))),
        *("--interpro-entries", write(tmp_path, "entry.list", ENTRIES)),
    )
    for number in range(40):
        write(tmp_path / "s", f"{number}.pdb", pdb(SEQUENCE, f"P{number:05}"))
    options = (*tables, "--structures", tmp_path / "s", "--records-per-shard", 100)
    assert run(source, *options, "--output", tmp_path / "whole") == 0
    options += ("--output", tmp_path / "killed")
    run_killed("IndexWriter", "add_matches", 700, source, *options)
    assert (tmp_path / "killed.index").exists()
    run_killed("BuildJob", "_take", 450, source, *options)
    assert not (tmp_path / "killed").exists()
    capsys.readouterr()
    assert run(source, *options) == 0
    assert "400 entries were read by an earlier run" in capsys.readouterr().err
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    assert not (tmp_path / "killed.index").exists()


def imported(code):
    run = [sys.executable, "-c", code]
    return subprocess.run(run, capture_output=True, text=True, cwd=REPOSITORY)


def test_nothing_heavy_is_imported():
    code = "import sys, pretraining.commands.protein; print(*sys.modules)"
    assert not {"torch", "transformers", "Bio", "pyarrow"} & set(imported(code).stdout.split())
    code = "import sys, pretraining.data.proteins; print(*sys.modules)"
    assert not {"torch", "transformers"} & set(imported(code).stdout.split())


def test_a_missing_library_is_one_line():
    done = imported("import sys; sys.modules['Bio'] = None; import pretraining.data.proteins")
    assert done.stderr.splitlines()[-1] == (
        "ImportError: records of proteins need Biopython; pip install 'lucaone-hf[pretraining]'"
    )
