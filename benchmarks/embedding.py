# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone embed`, the whole command, against the port's model called one sequence at a time.

Two blocks at full width. The port's tool embeds one record after the other, so its side is its
model on each sequence, tokenized beforehand, with nothing of its tool counted. The third side is
our own model on the batches of the command, with nothing around it. Memory: the peak of the command
on a file, and on the same file repeated 20 times, with a small model. "start" is the command on one
sequence, "rest" what it takes beyond that.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from modeling_lucaone import LucaOneConfig, LucaOneModel
from modeling_lucaone.packing import SequenceBatch
from sequence_io import read_records
from tokenization import LucaOneTokenizerFast

from .common import (
    AMINO_ACIDS,
    import_port,
    matrix_flops,
    matrix_rate,
    port_config,
    seconds,
)

# A file of real sequences; without it random ones of such lengths are taken.
FASTA = os.environ.get("LUCAONE_BENCHMARK_FASTA", "")
RECORDS = 48
TOKENS_PER_BATCH = 4_096
# VmHWM is the process's own peak; ru_maxrss of a child starts at what its parent had.
COMMAND = """
import sys
from lucaone_cli import main

status = main(sys.argv[1:])
with open("/proc/self/status") as lines:
    print(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
sys.exit(status)
"""
# The sides take turns; the best run of each counts.
REPEATS = 2


def _sequences() -> list[str]:
    """Return records spread evenly over the file, or random proteins of 12 to 1,882 residues."""
    if FASTA:
        sequences = [record.sequence for record in read_records(FASTA)]
        return [sequences[i] for i in np.linspace(0, len(sequences) - 1, RECORDS).astype(int)]
    random = np.random.default_rng(0)
    lengths = random.lognormal(4.95, 0.75, RECORDS).clip(12, 1882).astype(int)
    return ["".join(random.choice(list(AMINO_ACIDS), length)) for length in lengths]


def _command(folder: Path, source: Path, *options: str) -> dict[str, Any]:
    """Run the command; return its seconds, and the peak of its memory in bytes."""
    output = folder / "out.h5"
    output.unlink(missing_ok=True)
    arguments = ["embed", source, output, "--seq-type", "prot", "--device", "cpu", *options]
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    return {"seconds": time.perf_counter() - start, "peak": int(done.stdout.split()[-1]) * 1024}


def _write(path: Path, sequences: list[str]) -> Path:
    path.write_text("".join(f">{i}\n{sequence}\n" for i, sequence in enumerate(sequences)))
    return path


def _batches(ids: list[torch.Tensor], config: LucaOneConfig) -> Iterator[dict[str, Any]]:
    """Yield packed batches, longest first, as the command makes them."""
    waiting = sorted(ids, key=len, reverse=True)
    while waiting:
        sizes = np.cumsum([len(tokens) for tokens in waiting])
        count = max(1, int((sizes <= TOKENS_PER_BATCH).sum()))
        rows, waiting = waiting[:count], waiting[count:]
        row = torch.cat(rows)[None]
        boundaries = torch.tensor([0, *(len(tokens) for tokens in rows)]).cumsum(0).int()
        yield SequenceBatch.from_inputs(
            config, input_ids=row, token_type_ids=torch.ones_like(row), cu_seq_lens_q=boundaries
        ).model_inputs()


@torch.inference_mode()
def _rates(folder: Path) -> dict[str, Any]:
    sequences = _sequences()
    source = _write(folder / "sample.fasta", sequences)
    torch.manual_seed(0)
    config = LucaOneConfig(num_hidden_layers=2)
    ours = LucaOneModel(config).eval()
    ours.save_pretrained(folder / "model")
    LucaOneTokenizerFast().save_pretrained(folder / "model")
    port = import_port()
    theirs = port.modeling.LucaGPLMModel(port_config(port, config)).eval()
    theirs.load_state_dict(ours.state_dict())
    half = LucaOneModel.from_pretrained(folder / "model", dtype=torch.bfloat16).eval()
    encoded = LucaOneTokenizerFast()(sequences, seq_type="prot")["input_ids"]
    ids = [torch.tensor(tokens) for tokens in encoded]
    tokens = sum(map(len, ids))
    rates = {"fp32": matrix_rate(torch.float32), "bf16": matrix_rate(torch.bfloat16)}

    def run_port() -> None:
        for row in ids:
            whole = row[None]
            ones = torch.ones_like(whole)
            theirs(input_ids=whole, attention_mask=ones, token_type_ids=ones)

    def run_model(model: LucaOneModel) -> None:
        for batch in _batches(ids, config):
            model(**batch)

    model_option = ("--model", str(folder / "model"))
    bf16 = (*model_option, "--dtype", "bfloat16")
    one = _write(folder / "one.fasta", sequences[:1])
    sides: dict[str, Callable[[], float]] = {
        "port fp32": lambda: seconds(run_port),
        "model fp32": lambda: seconds(lambda: run_model(ours)),
        "command fp32": lambda: _command(folder, source, *model_option)["seconds"],
        "model bf16": lambda: seconds(lambda: run_model(half)),
        "command bf16": lambda: _command(folder, source, *bf16)["seconds"],
        "start fp32": lambda: _command(folder, one, *model_option)["seconds"],
        "start bf16": lambda: _command(folder, one, *bf16)["seconds"],
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    measured: dict[str, list[float]] = {name: [] for name in rates}
    for _ in range(REPEATS):
        for name, side in sides.items():
            times[name].append(side())
            if name.startswith("model"):
                measured[name[-4:]].append(rates[name[-4:]]())
    best = {name: min(runs) for name, runs in times.items()}
    # A whole file of thousands of sequences starts once as well.
    for dtype in rates:
        best[f"rest {dtype}"] = best[f"command {dtype}"] - best[f"start {dtype}"]
    print(f"  {len(sequences)} sequences, {tokens:,} tokens, {'real' if FASTA else 'random'}")
    print(f"  {'':14}{'seconds':>9}{'tokens/s':>10}{'x port':>8}{'x model':>9}{'matrix rate':>13}")
    for name, elapsed in best.items():
        if name.startswith("start"):
            print(f"  {name:14}{elapsed:>9.1f}")
            continue
        dtype = name[-4:]
        share = matrix_flops(config, tokens) / elapsed / max(measured[dtype])
        print(
            f"  {name:14}{elapsed:>9.1f}{tokens / elapsed:>10,.0f}"
            f"{best['port fp32'] / elapsed:>8.2f}{best[f'model {dtype}'] / elapsed:>9.2f}"
            f"{share:>12.0%}"
        )
    return {"sequences": len(sequences), "tokens": tokens, "seconds": times, "rates": measured}


def _memory(folder: Path) -> dict[str, Any]:
    config = LucaOneConfig(hidden_size=64, num_hidden_layers=2, num_attention_heads=4)
    LucaOneModel(config).save_pretrained(folder / "small")
    LucaOneTokenizerFast().save_pretrained(folder / "small")
    sequences = _sequences() * 10
    peaks = [
        _command(
            folder, _write(folder / f"{times}.fasta", sequences * times), "--model",
            str(folder / "small"),
        )["peak"]
        for times in (1, 20)
    ]  # fmt: skip
    print(
        f"  peak memory, {len(sequences):,} sequences: {peaks[0] / 2**20:,.0f} MiB; "
        f"20 times as many: {peaks[1] / 2**20:,.0f} MiB"
    )
    return {"once": peaks[0], "twenty_times": peaks[1]}


def measure() -> dict[str, Any]:
    """Time the command, the port and the bare model on the same sequences; measure memory."""
    with tempfile.TemporaryDirectory() as name:
        return {"rates": _rates(Path(name)), "memory": _memory(Path(name))}
