# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A step of pre-training at full width, with padding taken out and without; the data pipeline."""

import random
import tempfile
from pathlib import Path
from typing import Any

import torch

from modeling_lucaone import LucaOneConfig, LucaOneForPreTraining
from pretraining.corpus import find_groups, find_shards
from pretraining.data.records import LabelledRecord
from pretraining.data.shards import write_shard
from pretraining.examples import ExampleMaker
from pretraining.order import Mixture
from pretraining.recipe import read_recipe
from pretraining.steps import Packer, PretrainingSteps
from tokenization import LucaOneTokenizerFast

from .common import AMINO_ACIDS, matrix_flops, matrix_rate, protein_batch, relative_l2, seconds

# Letters; with [CLS] and [SEP] 1,024 to 32 tokens.
LENGTHS = [length - 2 for length in (1024, 512, 256, 128, 64, 64, 32, 32)]
BLOCKS = 2
REPEATS = 3
# Records of the pipeline, half of them genes.
RECORDS = 8_192


def measure() -> dict[str, Any]:
    """Measure both."""
    return {"step": measure_step(), "pipeline": measure_pipeline()}


def measure_step() -> dict[str, Any]:
    """Time forward, backward and AdamW of masked letters on one padded batch, taking turns."""
    batch = protein_batch(LENGTHS)
    tokens, padded = int(batch["attention_mask"].sum()), batch["input_ids"].numel()
    generator = torch.Generator().manual_seed(0)
    asked = (torch.rand(batch["input_ids"].shape, generator=generator) < 0.15).logical_and(
        batch["input_ids"] > 4
    )
    labels = {"prot_mask": batch["input_ids"].masked_fill(~asked, -100)}
    tasks = read_recipe("lucaone-mask").pretraining_tasks({})
    models, passes, steps = {}, {}, {}
    for unpad in (True, False):
        torch.manual_seed(0)
        config = LucaOneConfig(
            num_hidden_layers=BLOCKS, unpad_inputs=unpad, pretraining_tasks=tasks
        )
        models[unpad] = LucaOneForPreTraining(config).train()
        optimizer = torch.optim.AdamW(models[unpad].parameters(), lr=1e-5)

        def forward_and_backward(unpad: bool = unpad) -> None:
            models[unpad](**batch, labels=labels, labelled_only=True).loss.backward()

        def step(unpad: bool = unpad, optimizer: torch.optim.Optimizer = optimizer) -> None:
            passes[unpad]()
            optimizer.step()
            optimizer.zero_grad()

        passes[unpad], steps[unpad] = forward_and_backward, step
        step()
    first = dict(models[True].named_parameters())
    moved = max(relative_l2(p, first[name]) for name, p in models[False].named_parameters())
    rate = matrix_rate(torch.float32)
    times: dict[bool, list[float]] = {True: [], False: []}
    shares = []
    for _ in range(REPEATS):
        for unpad in (False, True):
            times[unpad].append(seconds(steps[unpad]))
        before, taken = rate(), seconds(passes[True])
        models[True].zero_grad()
        shares.append(3 * matrix_flops(config, tokens) / taken / max(before, rate()))
    ratio = min(times[False]) / min(times[True])
    print(
        f"{BLOCKS} blocks, {tokens:,} real and {padded:,} padded tokens ({padded / tokens:.2f}): "
        f"{min(times[True]):.2f} s against {min(times[False]):.2f} s a step, {ratio:.2f} times as "
        f"fast, {ratio / (padded / tokens):.2f} of the padding; forward and backward at "
        f"{max(shares):.0%} of the matrix rate"
    )
    return {
        "real_tokens": tokens,
        "padded_tokens": padded,
        "seconds_unpadded": times[True],
        "seconds_padded": times[False],
        "times_as_fast": ratio,
        "share_of_padding": ratio / (padded / tokens),
        "shares_of_matrix_rate": shares,
        "weights_apart_after_a_step": moved,
    }


def measure_pipeline() -> dict[str, Any]:
    """Time records of all tasks from Parquet to packed batches, in one process."""
    with tempfile.TemporaryDirectory() as folder:
        for seq_type in ("gene", "prot"):
            write_shard(_records(seq_type), Path(folder) / f"{seq_type}.parquet")
        recipe = read_recipe("lucaone")
        groups = find_groups(find_shards([folder]))
        make = ExampleMaker(recipe, recipe.pretraining_tasks({}), LucaOneTokenizerFast())
        mixture = Mixture({name: RECORDS // 2 for name in groups}, recipe.batch_size)
        tokens, rates = 0, []
        for repeat in range(REPEATS):
            steps = PretrainingSteps(
                groups, mixture, Packer(make, 0), {}, recipe.shuffle_buffer, repeat, 16_384
            )

            def run(steps: PretrainingSteps = steps) -> None:
                nonlocal tokens
                tokens = sum(b["tokens"] for i in range(len(steps)) for b in steps[i])

            rates.append(seconds(run))
            rates[-1] = tokens / rates[-1]
    print(f"pipeline: {RECORDS:,} records, {tokens:,} tokens, {max(rates):,.0f} tokens/s")
    return {"records": RECORDS, "tokens": tokens, "tokens_per_second": rates}


def _records(seq_type: str) -> list[LabelledRecord]:
    """Return random records with labels of every task, proteins of 50 to 550 residues."""
    source, records = random.Random(seq_type), []
    for number in range(RECORDS // 2):
        gene = seq_type == "gene"
        length = source.randint(200, 1278) if gene else source.randint(50, 550)
        letters = "".join(source.choices("ACGT" if gene else AMINO_ACIDS, k=length))
        middle = length // 2
        span = [(middle // 2, middle, 3)]
        record = LabelledRecord(str(number), "gene" if gene else "prot", letters)
        if gene:
            record.spans, record.classes = {"gene_type": span}, {"gene_taxonomy": 5}
        else:
            record.spans = dict.fromkeys(("prot_homo", "prot_site", "prot_domain"), span)
            record.classes, record.keywords = {"prot_taxonomy": 7}, [1, 5, 9]
            if number % 4 == 0:
                record.coordinates = torch.randn(length, 3).numpy()
        records.append(record)
    return records
