# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""One file embedded by several processes: the same output as by one."""

import os
import subprocess
import sys
from dataclasses import dataclass, field

import pytest
import torch

from embedding import embed_file, files
from embedding.parts import PartFolder
from sequence_io import SAMPLE_FASTA
from tests.helpers import GOLDEN, REPOSITORY

HUB = GOLDEN / "hub-tiny"
OPTIONS = {"save_every": 120, "window": 100}


@dataclass
class StandIn:
    """A process of several, which run one after the other: the others while the first waits."""

    num_processes: int
    process_index: int = 0
    others: object = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def is_main_process(self):
        return self.process_index == 0

    def wait_for_everyone(self):
        others, self.others = self.others, None
        if others is not None:
            others()


def embed(output, **options):
    options = OPTIONS | {"device": "cpu"} | options
    return embed_file(SAMPLE_FASTA, output, HUB, "header", **options)


def embed_together(monkeypatch, count, output, stop_after=None, **options):
    """Embed as `count` processes; return what each returned, and the parts that each wrote.

    Each is interrupted after so many parts, if that is asked for.
    """
    write = PartFolder.write
    written = {index: [] for index in range(count)}
    summaries = {}

    def run(index, others=None):
        def write_and_note(self, number, *arguments):
            if len(written[index]) == stop_after:
                raise KeyboardInterrupt
            written[index].append(number)
            write(self, number, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(files, "PartialState", lambda **_: StandIn(count, index, others))
            patch.setattr(PartFolder, "write", write_and_note)
            try:
                summaries[index] = embed(output, **options)
            except KeyboardInterrupt:
                summaries[index] = None

    run(0, lambda: [run(index) for index in range(1, count)])
    return summaries, written


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The bytes of the output of one process, by suffix and pooling."""
    folder = tmp_path_factory.mktemp("expected")

    def of(suffix, pooling):
        output = folder / f"{pooling}.{suffix}"
        if not output.exists():
            embed(output, pooling=pooling)
        return output.read_bytes()

    return of


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize(
    ("suffix", "pooling"),
    [("h5", "mean"), ("h5", "none"), ("parquet", "cls"), ("safetensors", "none")],
)
def test_processes_share_the_parts(tmp_path, monkeypatch, expected, count, suffix, pooling):
    output = tmp_path / f"out.{suffix}"
    summaries, written = embed_together(monkeypatch, count, output, pooling=pooling)
    for index in range(count):
        assert written[index] and all(number % count == index for number in written[index])
    numbers = sorted(number for parts in written.values() for number in parts)
    assert numbers == list(range(len(numbers)))
    assert [summaries[index].records for index in range(count)] == [10] + [0] * (count - 1)
    assert output.read_bytes() == expected(suffix, pooling)
    assert [path.name for path in tmp_path.iterdir()] == [output.name]


@pytest.mark.parametrize("counts", [(4, 1), (1, 4), (4, 2, 3)])
def test_any_number_of_processes_goes_on_with_a_job(tmp_path, monkeypatch, expected, counts):
    output = tmp_path / "out.h5"
    done = []
    for count in counts[:-1]:
        summaries, written = embed_together(monkeypatch, count, output, stop_after=1)
        assert not any(summaries.values())
        done += [number for parts in written.values() for number in parts]
    _, written = embed_together(monkeypatch, counts[-1], output)
    done += [number for parts in written.values() for number in parts]
    assert sorted(done) == list(range(len(done)))  # no part was made twice
    assert output.read_bytes() == expected("h5", "mean")


def test_nobody_works_on_a_complete_output(tmp_path, monkeypatch):
    output = tmp_path / "out.h5"
    embed(output)
    summaries, written = embed_together(monkeypatch, 2, output)
    assert summaries[0].notes == [f"{output} is complete; nothing was done"]
    assert (summaries[1].records, summaries[1].notes) == (0, [])
    assert not any(written.values())


def test_each_process_takes_its_own_device_unless_one_is_named(tmp_path, monkeypatch):
    devices = []

    class Embedder(files.Embedder):
        def __init__(self, *arguments, device=None, **options):
            devices.append(device)
            super().__init__(*arguments, device="cpu", **options)

    monkeypatch.setattr(files, "Embedder", Embedder)
    embed_together(monkeypatch, 2, tmp_path / "out.h5", device=None)
    embed_together(monkeypatch, 2, tmp_path / "named.h5", device="cpu")
    assert devices == [torch.device("cpu")] * 2 + ["cpu"] * 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "device"), [(str(SAMPLE_FASTA), ["--device=cpu"]), ("-", [])], ids=["file", "stdin"]
)
def test_real_processes(tmp_path, source, device):
    """For a CPU, `accelerate launch` starts one process only; PyTorch's own launcher all."""
    options = ["--model", HUB, "--seq-type=header", "--save-every=120", "--window=100", *device]
    outputs = []
    for launcher in (
        [],
        ["-m", "accelerate.commands.launch", "--cpu", "--num_processes=2"],
        ["-m", "torch.distributed.run", "--nproc_per_node=2", "--redirects=3", "--log_dir=logs"],
    ):
        output = tmp_path / f"out{len(outputs)}.h5"
        with SAMPLE_FASTA.open("rb") as stdin:
            subprocess.run(
                [sys.executable, *launcher, "-m", "embedding", source, output, *options],
                stdin=stdin,
                cwd=tmp_path,
                env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
                check=True,
                timeout=200,
            )
        outputs.append(output.read_bytes())
    assert outputs[0] == outputs[1] == outputs[2]
    said = {path.parent.name: path.read_text() for path in (tmp_path / "logs").rglob("stdout.log")}
    assert said == {"0": f"{output}: 10 records, 1,467 letters, vectors of 64 numbers\n", "1": ""}
