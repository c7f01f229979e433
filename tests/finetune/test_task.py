# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Tasks: the published ones hold what was published, and what cannot be is told in one line."""

import re

import pytest

from finetune.task import Task, published_tasks, read_task
from training_jobs.settings import as_dictionary

COLUMNS = (
    *("seq_types", "network", "encoder_layers", "encoder_heads", "pooling", "fc_size"),
    *("batch_size", "learning_rate", "warmup_steps", "problem", "max_lengths"),
)
G, P = "gene", "prot"
VALUE, MAX = "value_attention", "max"
CLASSES, VALUES, YES_NO = "multi_class", "regression", "binary"
# Facts 5.2 and 6.2. Batches are batch x accumulation, lengths the published less 2. Heads count
# only with an encoder.
PUBLISHED = {
    "GenusTax": ((G,), "single", 2, 4, MAX, None, 32, 1e-4, 100, CLASSES, (1500,)),
    "SupKTax": ((G,), "single", 4, 8, VALUE, None, 32, 1e-4, 100, CLASSES, (1500,)),
    "SpeciesTax": ((G,), "single", 2, 4, VALUE, None, 32, 1e-4, 100, CLASSES, (1500,)),
    "ProtLoc": ((P,), "single", 0, 8, VALUE, None, 8, 1e-4, 1000, CLASSES, (5627,)),
    "ProtStab": ((P,), "single", 4, 8, VALUE, None, 16, 1e-4, 1000, VALUES, (62,)),
    "ncRNAFam": ((G,), "single", 4, 8, MAX, None, 16, 1e-4, 1000, CLASSES, (200,)),
    "InfA": ((G, G), "homogeneous", 0, 8, VALUE, 128, 16, 2e-4, 100, YES_NO, (1690, 1690)),
    "PPI": ((P, P), "homogeneous", 0, 8, VALUE, 128, 16, 1e-4, 1000, YES_NO, (2046, 2046)),
    "ncRPI": ((G, P), "heterogeneous", 0, 8, VALUE, 128, 16, 2e-4, 100, YES_NO, (4094, 4094)),
    "CentralDogma": ((G, P), "heterogeneous", 0, 8, VALUE, 128, 16, 1e-4, 100, YES_NO, (2458, 618)),
}
# Facts 5.3 and 6.3; those of SupKTax and SpeciesTax are not known.
SCORES = {
    "GenusTax": ("LucaOne 36M", {"accuracy": 0.817}),
    "ProtLoc": ("LucaOne 36M", {"accuracy": 0.9452}),
    "ProtStab": ("LucaOne 36M", {"spearman": 0.7718}),
    "ncRNAFam": ("LucaOne 36M", {"accuracy": 0.9864}),
    "InfA": ("LucaOne 36M", {"accuracy": 1.0}),
    "PPI": ("LucaOne 36M", {"accuracy": 0.9774}),
    "ncRPI": ("LucaOne 36M", {"accuracy": 0.9479}),
    "CentralDogma": ("LucaOne 5.6M", {"accuracy": 0.8453, "f1": 0.7392, "roc_auc": 0.9101}),
}
WEIGHTS = {"ProtLoc": (2, 50, 1, 5, 8, 10)}
POSITIVES = {"InfA": 2.0, "PPI": 1.0, "ncRPI": 1.0, "CentralDogma": 2.0}
# The same in all of them (facts 6.1, 6.2).
COMMON = {
    "hidden_size": 128,
    "dropout": 0.1,
    "encoder_size": 1024,
    "pooling_zero_special_rows": False,
    "epochs": 50,
    "schedule": "linear",
    "weight_decay": 0.01,
    "adam_beta1": 0.9,
    "adam_beta2": 0.98,
    "adam_epsilon": 1e-8,
    "max_grad_norm": 1.0,
    "patience": None,
    "seed": 1221,
}


def test_every_published_task_has_a_file():
    assert set(published_tasks()) == set(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_task_is_as_published(name):
    task = read_task(name)
    values = dict(zip(COLUMNS, PUBLISHED[name], strict=True)) | COMMON
    assert {key: getattr(task, key) for key in values} == values
    assert task.name == name
    assert task.metric == ("spearman" if name == "ProtStab" else "accuracy")
    assert task.about.endswith("?")
    assert task.input == ("single" if task.network == "single" else "pair")
    assert task.dataset == f"LucaGroup/LucaOne-Downstream-Task-Datasets/{name}"
    assert task.class_weights == WEIGHTS.get(name)
    assert task.pos_weight == POSITIVES.get(name)
    model, scores = SCORES.get(name, (None, None))
    assert task.published == (scores and {"model": model, **scores})


def test_a_file_of_the_user_is_a_task_by_its_name(tmp_path):
    file = tmp_path / "Mine.yaml"
    file.write_text("input: pair\nmax_lengths: [10, 20]\nlearning_rate: 1e-3\nlabels: [no_, 1]\n")
    task = read_task(file)
    assert (task.name, task.input, task.max_lengths) == ("Mine", "pair", (10, 20))
    assert task.learning_rate == 1e-3  # YAML takes it for a text
    assert task.labels == ("no_", "1")


def test_without_a_file_there_are_the_defaults():
    assert read_task() == Task("own data")


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [
        ("epochs=5", "epochs", 5),
        ("learning_rate=3e-5", "learning_rate", 3e-5),
        ("learning_rate=1", "learning_rate", 1.0),
        ("patience=null", "patience", None),
        ("patience=3", "patience", 3),
        ("pooling=max", "pooling", "max"),
        ("class_weights=balanced", "class_weights", "balanced"),
        ("class_weights=[1, 2.5]", "class_weights", (1.0, 2.5)),
        ("split={train: 0.6, test: 0.4}", "split", {"train": 0.6, "test": 0.4}),
        ("columns.label=family", "columns", {"label": "family"}),
        ("columns.label='a=b'", "columns", {"label": "a=b"}),
        ("seq_types=[DNA]", "seq_types", ("gene",)),
        ("pooling_zero_special_rows=true", "pooling_zero_special_rows", True),
        (" epochs =5", "epochs", 5),
        ("about=one=two", "about", "one=two"),
    ],
)
def test_a_change_takes_the_place_of_what_stands_there(change, key, value):
    changed = read_task(changes=[change])
    assert getattr(changed, key) == value
    rest = as_dictionary(Task("own data")) | {key: as_dictionary(changed)[key]}
    assert as_dictionary(changed) == rest


def test_an_entry_of_what_has_none_is_told_in_one_line():
    message = "--set epochs.train=5: epochs has no entries, it is 50"
    with pytest.raises(ValueError, match=re.escape(message)):
        read_task("PPI", ["epochs.train=5"])


def test_the_last_change_of_a_key_counts_and_entries_of_a_mapping_add_up():
    task = read_task(changes=["epochs=5", "columns.id=a", "epochs=6", "columns.label=b"])
    assert task.epochs == 6
    assert task.columns == {"id": "a", "label": "b"}


def test_a_change_of_a_published_task_leaves_the_rest():
    task = read_task("PPI", ["epochs=1"])
    assert as_dictionary(task) == as_dictionary(read_task("PPI")) | {"epochs": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("epochs", "--set epochs: not of the form key=value"),
        ("epochs=[", "--set epochs=[: the value is not YAML"),
        ("epoch=5", "task: unknown key 'epoch'; did you mean 'epochs'?"),
        ("epochs=five", "task: epochs is 'five', not a whole number"),
        ("epochs=2.5", "task: epochs is 2.5, not a whole number"),
        ("epochs=true", "task: epochs is True, not a whole number"),
        ("epochs=0", "task: epochs: 0 is not above 0"),
        ("learning_rate=fast", "task: learning_rate is 'fast', not a number"),
        ("learning_rate=-1", "task: learning_rate: -1.0 is not above 0"),
        ("learning_rate=.nan", "task: learning_rate: nan is not above 0"),
        ("pooling=sum", "task: pooling is 'sum', not value_attention or max or mean or cls"),
        ("pooling=[max]", "task: pooling is ['max'], not value_attention or max or mean or cls"),
        ("patience=soon", "task: patience is 'soon', not a whole number or null"),
        ("split=0.5", "task: split is 0.5, not keys and values"),
        ("columns=label", "task: columns is 'label', not keys and values"),
        ("epochs.train=5", "task: epochs is {'train': 5}, not a whole number"),
        ("labels=a", "task: labels is 'a', not a list in brackets, as [1, 2] or null"),
        ("seq_types=[dust]", "task: unknown seq_type 'dust': choose"),
        ("seq_types=[gene, prot]", "task: seq_types: 2 for 1 sequence"),
        ("max_lengths=[1, 2]", "task: max_lengths: 2 for 1 sequence"),
        ("network=homogeneous", "task: network: 'homogeneous' does not take the input 'single'"),
        ("pooling_zero_special_rows=1", "task: pooling_zero_special_rows is 1, not true or false"),
    ],
)
def test_a_change_that_cannot_be_is_told_in_one_line(change, message):
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        read_task(changes=[change])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epochz: 5\n", "unknown key 'epochz'"),
        ("5: 5\n", "unknown key 5"),
        ("epochs: many\n", "epochs is 'many', not a whole number"),
        ("columns: 5\n", "columns is 5, not keys and values"),
        ("input: triple\n", "input is 'triple', not single or pair"),
        ("network: single\ninput: pair\n", "network: 'single' does not take the input 'pair'"),
        ("class_weights: [1, 2]\nlabels: [a, b, c]\n", "class_weights: 2 for 3 labels"),
        ("epochs: [1\nlabels: x\n", "cannot be read"),
        ("just a text\n", "holds no keys and values"),
        ("", "holds no keys and values"),
        ("!!python/object/apply:os.getcwd []\n", "cannot be read"),
        ("name: \x00\n", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_is_named_in_one_line(tmp_path, text, message):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        read_task(file)
    assert str(error.value).startswith(f"task {file}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x80"])
def test_a_file_that_is_no_text_is_named(tmp_path, content):
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"mine\.yaml: ") as error:
        read_task(file)
    assert "\n" not in str(error.value)


def test_without_such_a_file_the_published_tasks_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"there is no such file, .* CentralDogma, GenusTax"):
        read_task(tmp_path / "none.yaml")
    with pytest.raises(ValueError, match="ProtLok: there is no such file"):
        read_task("ProtLok")
    with pytest.raises(ValueError, match="cannot be read"):
        read_task(tmp_path)
