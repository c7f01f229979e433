# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Random labelled records, their shards, and a recipe and model that train in seconds."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from modeling_lucaone import LucaOneForPreTraining
from pretraining.corpus import Group, Rows, find_groups, find_shards
from pretraining.data.records import (
    CLASS_TASKS,
    KEYWORD_TASK,
    MASK_TASKS,
    SCHEMA,
    SPAN_TASKS,
    TASKS,
)
from pretraining.data.records import LabelledRecord as Record
from pretraining.data.shards import write_shard
from pretraining.examples import ExampleMaker
from pretraining.order import Mixture
from pretraining.recipe import Recipe
from pretraining.steps import Packer, PretrainingSteps
from tests.helpers import tiny_config
from tokenization import LucaOneTokenizerFast

TOKENIZER = LucaOneTokenizerFast()
LETTERS = {"gene": "ACGTN", "prot": "ACDEFGHIKLMNPQRSTVWYX"}
NUM_LABELS = {
    "gene_type": 8,
    "prot_homo": 6,
    "prot_site": 5,
    "prot_domain": 9,
    "gene_taxonomy": 4,
    "prot_taxonomy": 7,
    "prot_keyword": 10,
}


def random_record(
    seq_type: str, number: int, generator: np.random.Generator, largest: bool = False
) -> Record:
    """Return a record of 10 to 40 letters that lacks about a third of its labels.

    With `largest` it lacks none, and has the last label of each vocabulary.
    """
    length = int(generator.integers(10, 41))
    lacking = {task: not largest and generator.random() < 1 / 3 for task in TASKS}

    def label(task: str) -> int:
        return NUM_LABELS[task] - 1 if largest else int(generator.integers(NUM_LABELS[task]))

    def span(task: str) -> tuple[int, int, int]:
        start, end = sorted(generator.integers(length, size=2).tolist())
        return start, end, label(task)

    own = [task for task in TASKS if task.startswith(seq_type) and not lacking[task]]
    coordinates = None
    if "prot_structure" in own:
        coordinates = generator.normal(scale=20, size=(length, 3)).astype(np.float32)
        coordinates[generator.random(length) < 0.2] = np.nan
    return Record(
        id=f"{seq_type}-{number}",
        seq_type=seq_type,
        sequence="".join(generator.choice(list(LETTERS[seq_type]), length)),
        source="random",
        spans={
            task: [span(task) for _ in range(generator.integers(1, 4))]
            for task in SPAN_TASKS
            if task in own
        },
        classes={task: label(task) for task in CLASS_TASKS if task in own},
        keywords=sorted({label(KEYWORD_TASK) for _ in range(3)}) if KEYWORD_TASK in own else [],
        coordinates=coordinates,
    )


def random_records(genes: int, proteins: int, seed: int = 0) -> list[Record]:
    """Return random records, nucleic acids first; the first of each kind has the largest labels."""
    generator = np.random.default_rng(seed)
    return [
        random_record(seq_type, number, generator, largest=number == 0)
        for seq_type, count in (("gene", genes), ("prot", proteins))
        for number in range(count)
    ]


def write_folder(
    folder: Path, records: Sequence[Record], per_shard: int | Sequence[int] = (5, 2, 9)
) -> Path:
    """Write records as shards of one molecule type each; return their folder.

    `per_shard` is how many records a shard holds, or how many each holds in turn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for seq_type in ("gene", "prot"):
        left = [record for record in records if record.seq_type == seq_type]
        sizes = cycle([per_shard] if isinstance(per_shard, int) else per_shard)
        for number, size in enumerate(sizes):
            if not left:
                break
            write_shard(left[:size], folder / f"{seq_type}-{number:05d}.parquet")
            left = left[size:]
    return folder


def tiny_recipe(**fields: Any) -> Recipe:
    """Return a recipe of the ten tasks that takes seconds."""
    tasks = {
        task: {} if task in MASK_TASKS else {"num_labels": None, "hidden_size": 16}
        for task in TASKS
    }
    model = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "classifier_dropout": 0.0,
    }
    small = {
        "name": "tiny",
        "tasks": tasks,
        "model": model,
        "batch_size": 6,
        "steps": 8,
        "warmup_steps": 2,
        "log_steps": 1,
        "shuffle_buffer": 16,
    }
    return Recipe(**{**small, **fields})


def tiny_tasks(recipe: Recipe | None = None) -> dict[str, dict[str, Any]]:
    """Return the tasks of a recipe as a model's configuration holds them."""
    return (recipe or tiny_recipe()).pretraining_tasks(NUM_LABELS)


def tiny_model(recipe: Recipe | None = None) -> LucaOneForPreTraining:
    """Return a model with random weights, large enough that the tasks' logits differ."""
    torch.manual_seed(0)
    tasks = tiny_tasks(recipe)
    return LucaOneForPreTraining(tiny_config(pretraining_tasks=tasks, initializer_range=0.2)).eval()


def example_maker(recipe: Recipe | None = None) -> ExampleMaker:
    """Return what makes examples of records."""
    recipe = recipe or tiny_recipe()
    return ExampleMaker(recipe, tiny_tasks(recipe), TOKENIZER)


def packer(recipe: Recipe | None = None, seed: int = 7) -> Packer:
    """Return what packs records."""
    return Packer(example_maker(recipe), seed)


def rows_of(records: Sequence[Record]) -> Rows:
    """Return records of one molecule type as a group of rows that no file holds."""
    table = pa.Table.from_pylist([record.row() for record in records], SCHEMA)
    return Rows(Group(Path("no.parquet"), 0, len(records)), table)


def pretraining_steps(
    folder: Path,
    tokens_per_batch: int = 100,
    recipe: Recipe | None = None,
    process: int = 0,
    processes: int = 1,
    num_labels: Mapping[str, int] = NUM_LABELS,
) -> PretrainingSteps:
    """Return the steps of a training on the shards of a folder."""
    recipe = recipe or tiny_recipe()
    groups = find_groups(find_shards([folder]))
    mixture = Mixture(
        {name: sum(group.records for group in found) for name, found in groups.items()},
        recipe.batch_size,
        recipe.gene_fraction,
    )
    return PretrainingSteps(
        groups,
        mixture,
        packer(recipe),
        num_labels,
        recipe.shuffle_buffer,
        recipe.seed,
        tokens_per_batch,
        process,
        processes,
    )
