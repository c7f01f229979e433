# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Real tasks, learnt by a small model that has seen nothing before: species, clans, genes."""

import pytest

from finetune import finetune
from finetune.central_dogma import build_central_dogma
from tests.finetune.helpers import DATA, make_model, needs_data, read_table

pytestmark = [needs_data, pytest.mark.slow]
TASKS = {
    "species": ("s1-species/species.csv", ["seq_types=[gene]", "columns.label=label_name"]),
    "clans": (
        "s2-pfam-clans/clans.csv",
        [
            *("seq_types=[prot]", "columns.id=protein_id"),
            *("columns.sequence=protein_seq", "columns.label=clan_id"),
        ],
    ),
}
# What is learnt in a minute or two; docs/log.md has more. Beginning is slow, so rates are high.
MODES = {
    "frozen": ["epochs=20", "batch_size=32", "learning_rate=1e-2"],
    "full": ["epochs=4", "batch_size=16", "learning_rate=3e-3", "encoder_learning_rate=3e-3"],
    "lora": ["epochs=6", "batch_size=32", "learning_rate=1e-2"],
}


@pytest.fixture(scope="module")
def small_model(tmp_path_factory):
    """A model of 107,000 parameters."""
    return make_model(tmp_path_factory.mktemp("models") / "small", hidden_size=64)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", TASKS)
def test_a_small_model_learns_a_real_task(tmp_path, small_model, name, mode):
    data, columns = TASKS[name]
    changes = ["pooling=mean", "dropout=0.0", "warmup_steps=0.1", "max_lengths=[300]"]
    changes += ["split={train: 0.6, dev: 0.15, test: 0.25}", *columns, *MODES[mode]]
    results = finetune(
        model=small_model,
        output=tmp_path / "output",
        data=DATA / data,
        mode=mode,
        changes=changes,
        device="cpu",
    ).results
    low, _ = results["intervals"]["test"]["accuracy"]
    assert low > results["majority"]["accuracy"] + 0.05
    assert results["metrics"]["test"]["accuracy"] > 1.5 * results["majority"]["accuracy"]


def test_the_central_dogma_runs_on_the_genes_of_a_chloroplast(tmp_path, small_model):
    data, output = tmp_path / "data", tmp_path / "output"
    summary = build_central_dogma([DATA / "genbank" / "NC_000932.gb"], data, negatives="mismatched")
    assert summary.count(kind="positive") == 84
    told = []
    results = finetune(
        "CentralDogma",
        model=small_model,
        output=output,
        data=data,
        changes=[
            *("columns.group=species", "epochs=40", "batch_size=4", "dropout=0.0"),
            *("learning_rate=3e-3", "warmup_steps=10"),
        ],
        device="cpu",
        tell=told.append,
    ).results
    assert results["data"]["splits"] == {
        split: summary.count(split) for split in ("train", "dev", "test")
    }
    losses = [entry["loss"] for entry in results["history"] if "loss" in entry]
    assert sum(losses[-5:]) < 0.95 * sum(losses[:5])
    assert list(results["by_group"]) == ["Arabidopsis thaliana"]
    assert results["by_group"]["Arabidopsis thaliana"]["n"] == summary.count("test")
    # Each gene and each protein once: a protein is in a positive and in negatives.
    rows = [
        row
        for split in ("train", "dev", "test")
        for row in read_table(data / split / f"{split}.csv")
    ]
    distinct = len({row["seq_a"] for row in rows}) + len({row["seq_b"] for row in rows})
    assert f"{distinct:,} distinct sequences, {distinct:,} computed" in told[-1]
    assert distinct < len(rows)
