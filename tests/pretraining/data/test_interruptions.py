# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Jobs that are killed, at every step and at random moments, and go on."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from pretraining.data import job
from tests.helpers import REPOSITORY
from tests.kills import die_at

from .readers import PreparedReader, contents, make, report, some_entries, write_lines

OPTIONS = {"records_per_shard": 6, "dev_fraction": 0.3}
STEPS = ("mkdir", "rename", "replace", "unlink", "rmdir", "truncate", "fsync")


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch):
    """Do not wait for the disk, which only a power failure would ask for."""
    monkeypatch.setattr(os, "fsync", lambda file: None)


def crash_at(step, work):
    """Run `work` in a process of its own that dies before so many-th change on disk.

    Returns:
        Whether there were as many.
    """
    child = os.fork()
    if child == 0:
        die_at(step, *((os, name) for name in STEPS))
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL)
    return status == signal.SIGKILL


@pytest.mark.parametrize(
    ("overwrite", "seconds"),
    [
        (False, job.SAVE_SECONDS),
        pytest.param(True, job.SAVE_SECONDS, marks=pytest.mark.slow),
        pytest.param(False, 0, marks=pytest.mark.slow),
    ],
)
def test_a_job_that_dies_at_any_step_goes_on(tmp_path, monkeypatch, overwrite, seconds):
    source = write_lines(tmp_path / "a.jsonl", *some_entries(14))
    make([source], tmp_path / "whole", **OPTIONS)
    monkeypatch.setattr(job, "SAVE_SECONDS", seconds)
    expected = contents(tmp_path / "whole")
    output = tmp_path / "out"
    steps = went_on = 0
    crashed = True
    while crashed:
        if overwrite:
            make([source], output, overwrite=True)
        told = []

        def work(tell=told.append):
            make([source], output, overwrite=overwrite, tell=tell, **OPTIONS)

        crashed = crash_at(steps, work)
        assert not output.exists() or "summary.json" in contents(output)
        work()
        went_on += bool(told)
        assert contents(output) == expected
        assert {path.name for path in tmp_path.iterdir()} == {"a.jsonl", "whole", "out"}
        if not overwrite:
            for path in sorted(output.rglob("*"), reverse=True):
                path.unlink() if path.is_file() else path.rmdir()
            output.rmdir()
        steps += 1
    assert steps > 50
    assert went_on > 10


def test_a_job_that_fills_no_shard_goes_on_too(tmp_path, monkeypatch):
    entries = some_entries(20)
    source = write_lines(tmp_path / "a.jsonl", *entries)
    make([source], tmp_path / "whole")
    monkeypatch.setattr(job, "SAVE_SECONDS", 0)
    reader = PreparedReader(tmp_path / "calls")
    assert crash_at(100, lambda: make([source], tmp_path / "out", reader))
    told = []
    make([source], tmp_path / "out", reader, tell=told.append)
    assert len(told) == 1
    assert reader.calls.read_text() == "prepare\nprepare\n"
    found = contents(tmp_path / "out")
    expected = contents(tmp_path / "whole")
    assert found.keys() == expected.keys()
    assert all(found[name] == expected[name] for name in expected if name.endswith(".parquet"))
    assert [row.reason for row in report(tmp_path / "out")].count("prepared") == 1


def test_work_that_was_being_thrown_away_is_not_gone_on_with(tmp_path):
    source = write_lines(tmp_path / "a.jsonl", *some_entries(60))
    make([source], tmp_path / "whole", **OPTIONS)
    output = tmp_path / "out"
    assert crash_at(40, lambda: make([source], output, **OPTIONS))
    work = tmp_path / "out.partial" / "work"
    kind = next(iter(json.loads((work / "progress.json").read_text())["buffers"]["shards"]))
    (work / "data" / f"{kind}-00000.parquet").unlink()
    told = []
    make([source], output, tell=told.append, **OPTIONS)
    assert not told
    assert contents(output) == contents(tmp_path / "whole")


SCRIPT = """
import os, sys
from pathlib import Path
from pretraining.data import workers
from pretraining.data.job import BuildJob
from tests.kills import die_at
from tests.pretraining.data.readers import make
if __name__ == "__main__":
    os.fsync = lambda file: None
    workers.LETTERS_AT_ONCE = 3_000
    die_at(int(sys.argv[3]), (BuildJob, "_take"))
    make([Path(sys.argv[1])], Path(sys.argv[2]), processes=2, **OPTIONS)
"""


@pytest.mark.slow
def test_a_job_killed_at_random_moments_ends_with_the_same_bytes(tmp_path):
    source = write_lines(tmp_path / "a.jsonl", *some_entries(700))
    make([source], tmp_path / "whole", **OPTIONS)
    script, output = tmp_path / "job.py", tmp_path / "out"
    script.write_text(SCRIPT.replace("OPTIONS", repr(OPTIONS)))
    progress = tmp_path / "out.partial" / "work" / "progress.json"
    moments = random.Random(0)
    reached = [0]
    for _ in range(4):
        command = [sys.executable, script, source, output, str(moments.randrange(50, 150))]
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        process = subprocess.Popen(command, env=environment, start_new_session=True)
        assert process.wait() == -signal.SIGKILL
        assert no_process_is_left(process.pid)
        reached.append(json.loads(progress.read_text())["counted"]["entries"])
    assert reached == sorted(set(reached))  # each run went on where the one before it was killed
    told = []
    make([source], output, tell=told.append, **OPTIONS)
    assert told == [f"{reached[-1]:,} entries were read by an earlier run"]
    assert contents(output) == contents(tmp_path / "whole")


def no_process_is_left(group):
    """Wait until the processes of a group have ended; return whether they have."""
    for _ in range(3_000):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_two_jobs_do_not_work_on_one_output(tmp_path):
    source = write_lines(tmp_path / "a.jsonl", *some_entries(30))
    output = tmp_path / "out"

    def meet(note):
        with pytest.raises(ValueError, match="out: another process is at work on it"):
            make([source], output, **OPTIONS)
        met.append(note)

    met = []
    assert crash_at(60, lambda: make([source], output, **OPTIONS))
    make([source], output, tell=meet, **OPTIONS)
    assert len(met) == 1


def test_changed_sources_are_not_gone_on_with(tmp_path):
    source = write_lines(tmp_path / "a.jsonl", *some_entries(30))
    output = tmp_path / "out"
    assert crash_at(60, lambda: make([source], output, **OPTIONS))
    write_lines(source, *some_entries(30, seed=1))
    with pytest.raises(ValueError, match=r"out\.partial was begun with other sources; --overwrite"):
        make([source], output, **OPTIONS)
    told = []
    make([source], output, overwrite=True, tell=told.append, **OPTIONS)
    assert not told
