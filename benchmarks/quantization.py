# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""8-bit weights beside bf16 and fp32: how far the results move, how fast it runs, what it takes."""

import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers.utils.logging import disable_progress_bar

from modeling_lucaone import LucaOneConfig, LucaOneModel
from modeling_lucaone.packing import SequenceBatch
from modeling_lucaone.pooling import LucaOnePooling
from modeling_lucaone.quantization import int8_config
from sequence_io import read_records
from tokenization import LucaOneTokenizerFast

from .common import AMINO_ACIDS, protein_batch, relative_l2, seconds
from .forward import LENGTHS

# The dtype of everything else, and whether 8 bits go for products as well; None where for nothing.
FORMS: dict[str, tuple[torch.dtype, bool | None]] = {
    "fp32": (torch.float32, None),
    "bf16": (torch.bfloat16, None),
    "int8 weights, bf16": (torch.bfloat16, False),
    "int8 products, fp32": (torch.float32, True),
}
# A file of real sequences; without it random ones are taken.
FASTA = os.environ.get("LUCAONE_BENCHMARK_FASTA", "")
RECORDS = 16
REPEATS = 2
RESIDENT = """
import sys, torch
from modeling_lucaone import LucaOneModel

def resident():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024

ids = torch.arange(64)[None] % 20 + 10
with torch.inference_mode():
    LucaOneModel.from_pretrained(sys.argv[2])(ids)
    before = resident()
    model = LucaOneModel.from_pretrained(sys.argv[1])
    model(ids)
print(resident() - before)
"""


def _sequences() -> list[str]:
    """Return proteins spread evenly over the file, or random ones of 60 to 1,000 residues."""
    if FASTA:
        sequences = [record.sequence for record in read_records(FASTA)]
        return [sequences[i] for i in np.linspace(0, len(sequences) - 1, RECORDS).astype(int)]
    random = np.random.default_rng(0)
    return ["".join(random.choice(list(AMINO_ACIDS), length)) for length in LENGTHS]


def _load(folder: Path, form: str) -> LucaOneModel:
    dtype, activations = FORMS[form]
    options = {} if activations is None else {"quantization_config": int8_config(activations)}
    return LucaOneModel.from_pretrained(folder, dtype=dtype, **options)


def _quality(folder: Path) -> dict[str, Any]:
    """Compare hidden states and mean vectors with fp32, on the weights of the drift benchmark."""
    config = LucaOneConfig(hidden_size=640, num_hidden_layers=4, num_attention_heads=10)
    torch.manual_seed(0)
    source = LucaOneModel(config)
    for module in source.modules():
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.02 * 2.5)
            nn.init.zeros_(module.bias)
    source.save_pretrained(folder)
    sequences = _sequences()
    inputs = LucaOneTokenizerFast()(sequences, seq_type="prot", padding=True, return_tensors="pt")
    batch = SequenceBatch.from_inputs(config, **inputs)
    pool = LucaOnePooling("mean", config.hidden_size)

    def run(form: str) -> tuple[Tensor, Tensor]:
        hidden = _load(folder, form)(**batch.model_inputs()).last_hidden_state.float()
        return hidden, pool(hidden, batch)

    hidden, vectors = run("fp32")
    report: dict[str, Any] = {"real": bool(FASTA), "residues": sum(map(len, sequences))}
    for name in FORMS:
        other_hidden, other_vectors = run(name)
        report[name] = {
            "hidden_states": relative_l2(other_hidden, hidden),
            "mean_vectors": relative_l2(other_vectors, vectors),
            "lowest_cosine": torch.cosine_similarity(other_vectors, vectors).min().item(),
        }
    return report


def _resident(folder: Path, other: Path) -> int:
    """Return by how much loading a model and running 64 tokens raises memory, in bytes."""
    result = subprocess.run(
        [sys.executable, "-c", RESIDENT, str(folder), str(other)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(result.stdout.splitlines()[-1])


def _speed(folder: Path, small: Path) -> dict[str, Any]:
    """Time two blocks at full width on half the batch of the forward benchmark, in turns."""
    torch.manual_seed(0)
    LucaOneModel(LucaOneConfig(num_hidden_layers=2)).save_pretrained(folder)
    batch, warm_up = protein_batch(LENGTHS[::2]), protein_batch([60])
    tokens = int(batch["attention_mask"].sum())
    models = {name: _load(folder, name) for name in FORMS}
    times: dict[str, list[float]] = {name: [] for name in models}
    for model in models.values():
        model(**warm_up)
    for _ in range(REPEATS):
        for name, model in models.items():
            times[name].append(seconds(lambda model=model: model(**batch)))
    report: dict[str, Any] = {"tokens": tokens}
    for name, model in models.items():
        saved = folder / "saved"
        model.save_pretrained(saved)
        report[name] = {
            "seconds": times[name],
            "tokens_per_second": tokens / min(times[name]),
            "file": (saved / "model.safetensors").stat().st_size,
            "resident": _resident(saved, small),
        }
    return report


@torch.inference_mode()
def measure() -> dict[str, Any]:
    """Measure quality at width 640, speed and memory at full width."""
    if find_spec("torchao") is None:
        print("  torchao is not installed")
        return {"torchao": None}
    disable_progress_bar()
    with tempfile.TemporaryDirectory() as name:
        small, wide = Path(name, "small"), Path(name, "wide")
        quality, speed = _quality(small), _speed(wide, small)
    print(
        f"  quality: {RECORDS} {'real' if FASTA else 'random'} proteins, "
        f"{quality['residues']:,} residues; speed: {speed['tokens']:,} tokens"
    )
    print(
        f"  {'':20}{'hidden':>8}{'vectors':>9}{'cosine':>10}{'tokens/s':>10}{'x fp32':>8}"
        f"{'file':>10}{'in memory':>11}"
    )
    for form in FORMS:
        near, fast = quality[form], speed[form]
        times = fast["tokens_per_second"] / speed["fp32"]["tokens_per_second"]
        print(
            f"  {form:20}{near['hidden_states']:>8.2%}{near['mean_vectors']:>9.2%}"
            f"{near['lowest_cosine']:>10.6f}{fast['tokens_per_second']:>10,.0f}{times:>8.2f}"
            f"{fast['file'] / 2**20:>6,.0f} MiB{fast['resident'] / 2**20:>7,.0f} MiB"
        )
    return {"quality": quality, "speed": speed}
