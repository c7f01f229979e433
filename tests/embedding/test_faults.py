# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Jobs that are killed, that run out of disk, or meet another; and how much memory they take."""

import errno
import os
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lucaone_cli
from embedding import embed_file, files, jobs, outputs, read_embeddings, writers
from embedding.parts import PartFolder
from embedding.runner import ModelRunner
from modeling_lucaone import LucaOneModel
from tests.helpers import GOLDEN, REPOSITORY, tiny_config
from tests.kills import die_at
from tokenization import LucaOneTokenizerFast

HUB = GOLDEN / "hub-tiny"
# Each format, and each kind of content.
CASES = pytest.mark.parametrize(
    ("suffix", "pooling"), [("h5", "none"), ("parquet", "mean"), ("safetensors", "none")]
)
PROTEINS = 25
OPTIONS = {"save_every": 100, "window": 50}
KEPT = "what is done is kept, the same command goes on from there"


@pytest.fixture
def fasta(tmp_path):
    """Some proteins, of which the longer ones are read in several windows."""
    generator = random.Random(0)
    path = tmp_path / "in.fasta"
    with path.open("w") as file:
        for number in range(PROTEINS):
            length = generator.choice([5, 30, 70, 160])
            letters = "".join(generator.choices("ACDEFGHIKLMNPQRSTVWY", k=length))
            file.write(f">p{number}\n{letters}\n")
    return path


def embed(source, output, **options):
    return embed_file(source, output, HUB, "prot", device="cpu", **(OPTIONS | options))


def uninterrupted(source, suffix, **options):
    """Return the bytes of the output of a job that nothing happens to."""
    output = source.with_name(f"whole.{suffix}")
    embed(source, output, **options)
    content = output.read_bytes()
    output.unlink()
    return content


def slow_down(owner, name, seconds, begun):
    """Let a method take longer, and tell through the pipe `begun` when it is first called."""
    method, told = getattr(owner, name), False

    def slowly(*arguments, **options):
        nonlocal told
        if not told:
            os.write(begun, b".")
            told = True
        time.sleep(seconds)
        return method(*arguments, **options)

    setattr(owner, name, slowly)


class Child:
    """A process of its own that does some work and can be killed."""

    def __init__(self, work):
        self.begun, begun = os.pipe()
        self.id = os.fork()
        if self.id == 0:
            status = 1
            try:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                work(begun)
                status = 0
            finally:
                os._exit(status)
        os.close(begun)

    def wait_until_begun(self):
        """Wait for the first sign of life, or the end."""
        assert select.select([self.begun], [], [], 300)[0]

    def end(self, delay=0.0):
        """Kill it after so many seconds; return whether it was still at work."""
        time.sleep(delay)
        os.kill(self.id, signal.SIGKILL)
        return self.was_killed()

    def was_killed(self):
        """Wait for the end; return whether it was killed, and not done."""
        _, status = os.waitpid(self.id, 0)
        os.close(self.begun)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return True
        assert os.WEXITSTATUS(status) == 0
        return False


@pytest.mark.parametrize(
    ("suffix", "pooling", "kills"),
    [("h5", "mean", 20), ("safetensors", "none", 5), ("parquet", "cls", 5)],
)
def test_a_job_killed_at_random_moments_ends_as_if_nothing_had_been(
    tmp_path, fasta, suffix, pooling, kills
):
    expected = uninterrupted(fasta, suffix, pooling=pooling)
    output = tmp_path / f"out.{suffix}"
    folder = tmp_path / f"out.{suffix}.partial"

    def work(begun):
        slow_down(ModelRunner, "run", 0.02, begun)
        embed(fasta, output, pooling=pooling)

    moments = random.Random(1)
    killed = in_the_middle = made = 0
    # How long a start takes decides where a kill falls, so kills go on until enough fell there.
    while killed < kills or in_the_middle < kills / 2:
        assert killed < 5 * kills
        before = len(list(folder.glob("part-*.safetensors")))
        child = Child(work)
        if killed % 5 < 4:
            child.wait_until_begun()
        # Every fifth dies before or while the model is loaded.
        died = child.end(delay=moments.uniform(0, 0.2))
        killed += died
        if output.exists():  # finished before it died, or while it cleaned up
            assert output.read_bytes() == expected
            output.unlink()
            shutil.rmtree(folder, ignore_errors=True)
        else:
            assert died
            done = len(list(folder.glob("part-*.safetensors")))
            in_the_middle += done > 0
            made += done - before
            assert done >= before  # nothing is lost
    assert made > 0
    embed(fasta, output, pooling=pooling)
    assert output.read_bytes() == expected
    assert {path.name for path in tmp_path.iterdir()} == {"in.fasta", output.name}


def embed_all_parts(monkeypatch, source, output, **options):
    """Embed everything, and stop before the parts become the output."""

    def stop(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(files, "_merge", stop)
        embed(source, output, **options)


@CASES
def test_a_job_killed_while_its_parts_become_the_output(
    tmp_path, monkeypatch, fasta, suffix, pooling
):
    expected = uninterrupted(fasta, suffix, pooling=pooling)
    output = tmp_path / f"out.{suffix}"
    embed_all_parts(monkeypatch, fasta, output, pooling=pooling)
    monkeypatch.setattr(files, "Embedder", None)  # no part is made again

    for read in (0, 3, 7):

        def work(begun, read=read):
            die_at(read, (PartFolder, "read"))
            embed(fasta, output, pooling=pooling)

        assert Child(work).was_killed()
        assert list(tmp_path.glob("out.*.partial/merged*"))
        assert not output.exists()
    embed(fasta, output, pooling=pooling)
    assert output.read_bytes() == expected
    assert {path.name for path in tmp_path.iterdir()} == {"in.fasta", output.name}


@pytest.mark.parametrize("step", range(7))
def test_a_job_killed_while_its_files_get_their_names(tmp_path, monkeypatch, fasta, step):
    """Three safetensors files and their index take the place of two."""
    options = {"pooling": "max", "save_every": 1_000, "overwrite": True}
    output = tmp_path / "out.safetensors"
    monkeypatch.setattr(writers, "SHARD_RECORDS", 13)
    embed(fasta, output)
    monkeypatch.setattr(writers, "SHARD_RECORDS", 10)
    expected = tmp_path / "expected"
    expected.mkdir()
    embed(fasta, expected / output.name, **options)
    embed_all_parts(monkeypatch, fasta, output, **options)

    def work(begun):
        changes = (files, "remove_output"), (files, "replace_durably"), (jobs.shutil, "rmtree")
        die_at(step, *changes)
        embed(fasta, output, **options)

    assert Child(work).was_killed() == (step < 6)  # it takes six steps
    embed(fasta, output, **options)
    result = {path.name: path.read_bytes() for path in tmp_path.glob("out.*")}
    result |= {path.name: path.read_bytes() for path in tmp_path.glob("out-*")}
    assert result == {path.name: path.read_bytes() for path in expected.iterdir()}


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_job_that_is_told_to_stop_can_go_on(tmp_path, fasta, signal_number):
    expected = uninterrupted(fasta, "h5")
    output = tmp_path / "out.h5"

    def work(begun):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        write = PartFolder.write

        def write_and_wait(*arguments):
            write(*arguments)
            os.write(begun, b".")
            time.sleep(60)

        PartFolder.write = write_and_wait
        arguments = ["embed", fasta, output, "--model", HUB, "--seq-type", "prot", "--device=cpu"]
        options = ["--save-every=100", "--window=50"]
        os._exit(lucaone_cli.main([*map(str, arguments), *options]))

    child = Child(work)
    child.wait_until_begun()
    os.kill(child.id, signal_number)
    _, status = os.waitpid(child.id, 0)
    if signal_number == signal.SIGTERM:
        assert os.WTERMSIG(status) == signal.SIGTERM
    else:
        assert os.WEXITSTATUS(status) == 130
    assert not output.exists()
    assert list(tmp_path.glob("out.h5.partial/part-*.safetensors"))
    embed(fasta, output)
    assert output.read_bytes() == expected


def test_two_jobs_do_not_work_on_one_output(tmp_path, fasta):
    output = tmp_path / "out.h5"

    def work(begun):
        slow_down(ModelRunner, "run", 60, begun)
        embed(fasta, output)

    child = Child(work)
    child.wait_until_begun()
    with pytest.raises(ValueError) as error:
        embed(fasta, output)
    assert str(error.value) == f"{output}: another process is at work on it"
    assert child.end()
    embed(fasta, output)  # the lock died with the process
    assert read_embeddings(output).ids == [f"p{number}" for number in range(PROTEINS)]


def test_who_has_left_a_folder_does_not_remove_that_of_the_next(tmp_path):
    first, second = PartFolder(tmp_path / "out.h5"), PartFolder(tmp_path / "out.h5")
    first.open()
    first.close(finished=True)
    second.open()
    first.close(finished=True)
    assert second.path.is_dir()
    second.close(finished=True)
    assert not second.path.exists()


@CASES
def test_a_failure_to_write_a_part(tmp_path, monkeypatch, fasta, suffix, pooling):
    expected = uninterrupted(fasta, suffix, pooling=pooling)
    output = tmp_path / f"out.{suffix}"
    fsync, calls = os.fsync, 0

    def full(descriptor):
        nonlocal calls
        calls += 1
        if calls > 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    with monkeypatch.context() as patch, pytest.raises(ValueError) as error:
        patch.setattr(outputs.os, "fsync", full)
        embed(fasta, output, pooling=pooling)
    done = sorted(tmp_path.glob("out.*.partial/part-*.safetensors"))
    assert len(done) == 4  # two calls for job.json, two for each part
    failed = done[0].with_name("part-00000004.safetensors")
    assert str(error.value) == f"{failed}: cannot be written: No space left on device; {KEPT}"
    embed(fasta, output, pooling=pooling)
    assert output.read_bytes() == expected


@pytest.fixture
def largest_file():
    """Set how large a file may become; what is beyond fails as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def set_largest(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size or limits[0], limits[1]))

    yield set_largest
    set_largest(None)


@CASES
def test_a_failure_to_write_the_output(tmp_path, monkeypatch, fasta, suffix, pooling, largest_file):
    expected = uninterrupted(fasta, suffix, pooling=pooling)
    output = tmp_path / f"out.{suffix}"
    embed_all_parts(monkeypatch, fasta, output, pooling=pooling)
    monkeypatch.setattr(files, "Embedder", None)  # no part is made again
    errors = []
    for share in (0.02, 0.5, 0.95):
        largest_file(int(len(expected) * share))
        with pytest.raises(ValueError) as error:
            embed(fasta, output, pooling=pooling)
        errors.append(error)  # and with it all that the job held open, as a notebook does
        assert str(error.value).startswith(f"{output}: cannot be written: ")
        assert "File too large" in str(error.value)
        assert str(error.value).endswith(f"; {KEPT}")
        assert len(str(error.value).splitlines()) == 1
        assert not output.exists()
    largest_file(None)
    embed(fasta, output, pooling=pooling)
    errors.clear()
    assert output.read_bytes() == expected


def test_a_process_that_could_not_write_hdf5_ends_quietly(tmp_path):
    """The library crashes at the end of a process if it could not write."""
    script = """
import resource, torch
from pathlib import Path
from embedding.layout import Layout, StoredRecord
from embedding.writers import open_writer
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.RLIM_INFINITY))
try:
    layout = Layout((64,), False, torch.float32, False, "")
    with open_writer(Path("out.h5"), Path(), layout) as writer:
        for i in range(1000):
            writer.add(StoredRecord(i, str(i), 3, 3), 0, torch.ones(64))
        writer.close()
except OSError as error:
    print("File too large" in str(error), i < 500)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True True\n", "")


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system and return how to set its size."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(kilobytes, *options):
        command = ["mount", "-t", "tmpfs", "-o", ",".join([f"size={kilobytes}k", *options])]
        return subprocess.run([*command, "tmpfs", disk], capture_output=True, text=True)

    try:
        done = mount(64)
    except FileNotFoundError:
        pytest.skip("there is no program to mount a disk of a known size")
    if done.returncode:
        pytest.skip(f"no disk of a known size can be mounted: {done.stderr.strip()}")
    yield disk, lambda kilobytes: mount(kilobytes, "remount").check_returncode()
    subprocess.run(["umount", disk], check=True)


@CASES
def test_a_full_disk(tmp_path, monkeypatch, fasta, small_disk, capsys, suffix, pooling):
    monkeypatch.setattr(lucaone_cli, "_quiet", lambda: None)
    expected = uninterrupted(fasta, suffix, pooling=pooling)
    disk, resize = small_disk
    output = disk / f"out.{suffix}"
    arguments = ["embed", fasta, output, "--model", HUB, "--seq-type=prot", "--device=cpu"]
    arguments += [f"--pooling={pooling}", "--save-every=100", "--window=50"]
    failed = set()
    kilobytes = 64
    while lucaone_cli.main(list(map(str, arguments))) == 1:
        error = capsys.readouterr().err.splitlines()[-1]
        assert "No space left on device" in error and error.endswith(KEPT)
        name = error.removeprefix(f"lucaone: error: {disk}/").partition(":")[0]
        failed.add(name.partition("/part-")[0])
        kilobytes += 16 if pooling == "mean" else 200
        resize(kilobytes)
    assert failed == {output.name, f"{output.name}.partial"}  # it failed in both phases
    assert output.read_bytes() == expected
    assert [path.name for path in disk.iterdir()] == [output.name]


PEAK = """
import sys, torch
torch.set_num_threads(1)
from embedding import embed_file, writers
writers.ROW_GROUP_BYTES = 2**22
source, output, model, pooling = sys.argv[1:]
embed_file(source, output, model, "prot", device="cpu", pooling=pooling, window=500)
[line] = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(int(line.split()[1]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system tells no peak")
@CASES
def test_memory_depends_neither_on_the_file_nor_on_its_longest_sequence(tmp_path, suffix, pooling):
    LucaOneModel(tiny_config(hidden_size=64, num_hidden_layers=1)).save_pretrained(tmp_path)
    LucaOneTokenizerFast().save_pretrained(tmp_path)

    def peak(records):
        """Return the megabytes that a process held at most which embedded some proteins."""
        source, output = tmp_path / "in.fasta", tmp_path / f"out.{suffix}"
        source.write_text("".join(f">p{i}\n{letters}\n" for i, letters in enumerate(records)))
        output.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-c", PEAK, source, output, tmp_path, pooling],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        )
        return int(done.stdout)

    protein = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ"
    few = peak([protein * 6] * 300)
    # Of these the matrices are 300 MB, and of a chromosome of a million letters 256 MB.
    assert peak([protein * 6] * 6_000) < few + 64
    assert peak([protein * 30_000]) < few + 64
