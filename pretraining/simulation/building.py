# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Simulated records to a folder of the form that `pretraining.data.building` makes."""

from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from embedding.outputs import writing_folder
from pretraining.data.data_folder import check_place, read_facts, write_facts
from pretraining.data.records import LabelledRecord
from pretraining.data.shards import write_shard
from pretraining.data.summary import BuildSummary
from pretraining.data.vocabularies import Vocabularies

from .records import SOURCE, simulate_records
from .settings import Settings

RECORDS_PER_SHARD = 65_536
# Beside the seed, so that the order of records and their splits do not follow the simulation.
ORDER = 1


def simulate(settings: Settings, output: Path, overwrite: bool = False) -> BuildSummary:
    """Write a folder of simulated records; the same settings give the same records.

    All of them are in memory at once, about 3 KB for each.

    Args:
        settings: what is simulated.
        output: the folder to write; it appears when it is whole.
        overwrite: replace a data folder that is there.

    Raises:
        ValueError: a setting is wrong, something is there that is not to be replaced, or the
            folder cannot be written.
    """
    settings.check()
    check_place(output)
    if not overwrite and read_facts(output) is not None:
        raise ValueError(f"{output}: is there already; --overwrite replaces it")
    vocabularies, summary = Vocabularies({}, closed=False), BuildSummary(str(output))
    random = np.random.default_rng([settings.seed, ORDER])
    records: dict[str, list[LabelledRecord]] = defaultdict(list)
    total = settings.records + settings.proteins
    for named in tqdm(simulate_records(settings), "simulating", total, disable=None, delay=2):
        split = "dev" if random.random() < settings.dev_fraction else "train"
        record = named.numbered(vocabularies.number)
        summary.add(split, record)
        records[f"{split}/{record.seq_type}"].append(record)
    summary.entries = settings.species
    with writing_folder(output) as folder:
        for kind, some in records.items():
            (folder / kind).parent.mkdir(exist_ok=True)
            order = random.permutation(len(some))
            for shard, start in enumerate(range(0, len(some), RECORDS_PER_SHARD)):
                chosen = [some[i] for i in order[start : start + RECORDS_PER_SHARD]]
                write_shard(chosen, folder / f"{kind}-{shard:05d}.parquet")
        head = {"made_from": {"reader": SOURCE, **asdict(settings)}}
        write_facts(folder, head, vocabularies, summary)
    return summary
