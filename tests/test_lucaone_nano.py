# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The small trained model that ships with the package."""

import pandas
import torch
from transformers import AutoModel, AutoModelForPreTraining, AutoTokenizer

import lucaone_cli
import lucaone_nano
from pretraining import Recipe
from pretraining.corpus import find_groups, find_shards
from pretraining.evaluation import ConstantModel, Evaluation
from pretraining.examples import ExampleMaker
from pretraining.simulation import Settings, simulate
from pretraining.steps import Packer
from pretraining.survey import constant_logits, look_through
from tests.helpers import REPOSITORY


def test_it_is_small():
    assert (lucaone_nano.PATH / "model.safetensors").stat().st_size <= 10_000_000


def test_the_auto_classes_load_it():
    model = AutoModel.from_pretrained(lucaone_nano.PATH)
    tokenizer = AutoTokenizer.from_pretrained(lucaone_nano.PATH)
    inputs = tokenizer(
        ["ACGT", "MKV"], seq_type=["gene", "prot"], padding=True, return_tensors="pt"
    )
    hidden = model(**inputs).last_hidden_state
    assert hidden.shape == (2, 6, model.config.hidden_size)


def test_it_knows_species_and_families_that_it_has_not_seen(tmp_path):
    """Masked letters, better than by how frequent letters are in these very records."""
    settings = Settings(records=40, proteins=40, species=5, orders=5, families=5, seed=7)
    simulate(settings, tmp_path / "records")
    model = AutoModelForPreTraining.from_pretrained(lucaone_nano.PATH).eval()
    recipe = Recipe("masks", tasks={"gene_mask": {}, "prot_mask": {}})
    make = ExampleMaker(
        recipe, recipe.pretraining_tasks({}), AutoTokenizer.from_pretrained(lucaone_nano.PATH)
    )
    groups = find_groups(find_shards([tmp_path / "records" / "train"]))
    logits = constant_logits(look_through(groups, {}), make.tasks, make.tokens)
    evaluation = Evaluation(groups, Packer(make, seed=0))
    with torch.no_grad():
        found, simple = (
            evaluation.score(one, lambda inputs: inputs, 4_096).metrics()
            for one in (model, ConstantModel(make.tasks, logits))
        )
    for task in make.tasks:
        assert found[f"{task}_loss"] < simple[f"{task}_loss"] - 0.02, task


def test_the_command_line_takes_it(tmp_path):
    source, output = REPOSITORY / "sequence_io" / "sample.fasta", tmp_path / "out.parquet"
    given = [str(source), str(output), "--model", str(lucaone_nano.PATH), "--seq-type", "header"]
    assert lucaone_cli.main(["embed", *given, "--device", "cpu"]) == 0
    assert len(pandas.read_parquet(output)) == source.read_text().count(">")
