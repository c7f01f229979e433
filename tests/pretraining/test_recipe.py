# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Recipes: the published ones hold the published numbers, and mistakes are named in one line."""

import re

import pytest

from modeling_lucaone.configuration_lucaone import PUBLISHED_TASKS
from pretraining.data.records import TASKS
from pretraining.recipe import Recipe, published_recipes, read_recipe
from training_jobs.schedule import rising_steps

# Facts 2.1: weight, width of the head, labels. The mask tasks share the LM head over 39 tokens.
ANNOTATION_TASKS = {
    "gene_type": (0.2, 128, 8),
    "prot_homo": (0.2, 4096, 3443),
    "prot_site": (0.2, 1024, 946),
    "prot_domain": (0.2, 10240, 13717),
    "gene_taxonomy": (0.2, 2048, 735),
    "prot_taxonomy": (0.2, 2048, 2196),
    "prot_keyword": (1.0, 2048, 1179),
    "prot_structure": (1.0, 128, 3),
}
# Facts 3: the tasks of each variant, and the updates after which the learning rate would be 0.
GENE = {"gene_mask", "gene_type", "gene_taxonomy"}
VARIANTS = {
    "lucaone": (set(TASKS), 16_000_000),
    "lucaone-gene": (GENE, 12_000_000),
    "lucaone-prot": (set(TASKS) - GENE, 6_000_000),
    "lucaone-mask": ({"gene_mask", "prot_mask"}, 16_000_000),
}


def test_the_published_variants_are_among_the_recipes():
    assert VARIANTS.keys() < published_recipes().keys()


@pytest.mark.parametrize("name", VARIANTS)
def test_a_published_recipe_has_the_published_tasks(name):
    recipe = read_recipe(name)
    assert recipe.tasks.keys() == VARIANTS[name][0]
    for task, settings in recipe.tasks.items():
        if task in ANNOTATION_TASKS:
            weight, width, labels = ANNOTATION_TASKS[task]
            assert settings == {"weight": weight, "hidden_size": width, "num_labels": labels}
        else:
            assert settings == {"weight": 1.0}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_published_recipe_makes_the_published_heads(name):
    recipe = read_recipe(name)
    expected = {task: PUBLISHED_TASKS[task] for task in PUBLISHED_TASKS if task in recipe.tasks}
    made = recipe.pretraining_tasks({})
    assert made == expected
    assert list(made) == list(expected)  # the same order whatever that of the file


@pytest.mark.parametrize("name", VARIANTS)
def test_a_published_recipe_has_the_published_optimisation(name):
    recipe = read_recipe(name)
    assert recipe.decay_steps == VARIANTS[name][1]
    assert recipe.learning_rate == 2e-4
    assert (recipe.adam_beta1, recipe.adam_beta2, recipe.adam_epsilon) == (0.9, 0.98, 1e-8)
    assert recipe.weight_decay == 0.01
    assert recipe.max_grad_norm == 1.0
    assert rising_steps(recipe.warmup_steps, 10**9) == 64_000 // 32
    assert recipe.batch_size == 8 * 32
    assert recipe.max_length == 1280
    assert (recipe.epochs, recipe.steps) == (5, None)
    assert recipe.seed == 1111
    assert recipe.shuffle_buffer == 10_240
    interval = 100_000 if name == "lucaone-prot" else 200_000
    assert recipe.save_steps == interval // 32


@pytest.mark.parametrize("name", VARIANTS)
def test_a_published_recipe_has_the_published_model_and_masking(name):
    recipe = read_recipe(name)
    assert recipe.model == {
        "hidden_size": 2560,
        "num_hidden_layers": 20,
        "num_attention_heads": 40,
        "classifier_dropout": 0.0,
    }
    masking = recipe.mask_probability, recipe.mask_token_share, recipe.random_share
    assert masking == (0.15, 0.8, 0.1)
    assert recipe.random_letters == "all"


@pytest.mark.parametrize("name", published_recipes())
def test_every_recipe_says_what_it_is_for(name):
    recipe = read_recipe(name)
    assert recipe.name == name
    assert recipe.about.endswith(".")


def test_small_mask_is_small_but_for_the_other_tasks():
    small, mask = read_recipe("small"), read_recipe("small-mask")
    assert small.tasks.keys() == set(TASKS)
    assert mask.tasks.keys() == {"gene_mask", "prot_mask"}
    assert mask.model == small.model


def test_the_molecules_are_those_of_the_tasks():
    assert read_recipe("lucaone").seq_types == ("gene", "prot")
    assert read_recipe("lucaone-gene").seq_types == ("gene",)
    assert read_recipe("lucaone-prot").seq_types == ("prot",)


def test_known_numbers_of_labels_replace_those_of_the_recipe():
    recipe = Recipe("x", tasks={"gene_type": {"num_labels": None}, "prot_site": {"weight": 2}})
    tasks = recipe.pretraining_tasks({"gene_type": 3, "prot_site": 4, "prot_homo": 5})
    assert {task: settings["num_labels"] for task, settings in tasks.items()} == {
        "gene_type": 3,
        "prot_site": 4,
    }
    assert tasks["prot_site"]["weight"] == 2
    assert tasks["prot_site"]["hidden_size"] == 1024


def test_set_changes_fields_and_what_is_inside_them():
    changes = ["epochs=2", "learning_rate=1e-4", "tasks.prot_site.weight=3", "model.hidden_size=64"]
    recipe, plain = read_recipe("small", changes), read_recipe("small")
    assert (recipe.epochs, recipe.learning_rate) == (2, 1e-4)
    assert recipe.tasks["prot_site"] == {**plain.tasks["prot_site"], "weight": 3}
    assert recipe.tasks["prot_homo"] == plain.tasks["prot_homo"]
    assert recipe.model == {**plain.model, "hidden_size": 64}
    assert not read_recipe("lucaone", ["keyword_negatives=false"]).keyword_negatives


def test_a_file_is_a_recipe_too(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("tasks: {gene_mask: {weight: 2}}\nbatch_size: 3\n")
    recipe = read_recipe(file, steps=7)
    assert (recipe.name, recipe.batch_size, recipe.steps) == ("mine", 3, 7)
    assert recipe.tasks == {"gene_mask": {"weight": 2}}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("epoch=5", "unknown key 'epoch'; did you mean 'epochs'"),
        ("tasks.gene_masks.weight=1", "unknown task 'gene_masks'"),
        ("tasks.gene_type.wieght=1", "unknown key 'wieght' of gene_type"),
        ("tasks.gene_type.weight=heavy", "weight of gene_type is 'heavy'"),
        ("tasks.gene_type.weight=0", "weight of gene_type is 0"),
        ("tasks.gene_type.hidden_size=0", "hidden_size of gene_type is 0"),
        ("tasks.gene_type.num_labels=2.5", "num_labels of gene_type is 2.5"),
        ("tasks.gene_type.weight.x=1", "weight has no entries"),
        ("tasks={}", "tasks"),
        ("tasks=gene_mask", "tasks"),
        ("model.hidden=64", "model: unknown key 'hidden'"),
        ("batch_size=0", "batch_size"),
        ("batch_size=1.5", "batch_size"),
        ("epochs=true", "epochs"),
        ("learning_rate=fast", "learning_rate"),
        ("learning_rate=.nan", "learning_rate"),
        ("learning_rate=-1", "learning_rate"),
        ("max_length=2", "max_length"),
        ("mask_probability=1.1", "mask_probability"),
        ("mask_probability=.nan", "mask_probability"),
        ("mask_token_share=0.95", "mask_token_share and random_share"),
        ("random_letters=some", "random_letters"),
        ("gene_fraction=2", "gene_fraction"),
        ("gene_fraction=0", "gene_fraction: 0.0 leaves one molecule type out"),
        ("shuffle_buffer=0", "shuffle_buffer"),
        ("eval_records=0", "eval_records"),
        ("batch_size", "batch_size"),
        ("warmup_steps=-1", "warmup_steps"),
        ("warmup_steps=.nan", "warmup_steps"),
        ("weight_decay=-1", "weight_decay"),
        ("adam_beta1=1", "adam_beta1"),
        ("adam_beta2=2", "adam_beta2"),
        ("adam_epsilon=-1", "adam_epsilon"),
        ("learning_rate=.inf", "learning_rate"),
        ("seed=-1", "seed"),
        ("tasks.gene_type.weight=.inf", "weight of gene_type"),
        ("tasks.gene_type.weight=true", "weight of gene_type"),
        ("tasks.gene_mask.num_labels=20", "num_labels of gene_mask"),
        ("tasks.prot_structure.num_labels=5", "num_labels of"),
        ("model.pretraining_tasks={}", "pretraining_tasks"),
        ("model.label_names={}", "label_names"),
    ],
)
def test_a_mistake_is_named_in_one_line(change, named):
    with pytest.raises(ValueError, match=re.escape(named)) as caught:
        read_recipe("small", [change])
    assert "\n" not in str(caught.value)


def test_an_unknown_recipe_is_told_which_there_are():
    with pytest.raises(ValueError, match=r"there is no such file.*lucaone-gene"):
        read_recipe("lucaone-genes")
