# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The baseline of k-mers: what it counts, what it learns, and how it is regularised."""

import numpy as np
import pytest

from finetune import Task, compare, kmers
from finetune.data import Example, Findings, TaskData
from finetune.kmers import train_on_kmers
from tests.finetune.helpers import DATA, letters, make_model, needs_data, read_table


def examples(texts, labels, kinds=("gene",)):
    """Return records; a text of a pair has a space between its sides."""
    return [
        Example(("x",) * len(kinds), tuple(text.split()), kinds, label)
        for text, label in zip(texts, labels, strict=True)
    ]


def data(problem, names=(), **splits):
    """Return labelled data."""
    empty = {"train": [], "dev": [], "test": []}
    return TaskData(empty | splits, problem, names, Findings(), {})


def single(**fields):
    return Task(name="k-mers", **fields)


def test_the_kmers_are_those_of_the_training_data():
    train = examples(["AAAAT", "aaaan", "UUUUA"], [0, 0, 1])
    # Only AAAA is known; what a test record adds changes nothing, U is T, and N stands in none.
    test = examples(["AAAA", "AAAACCCC", "TTTT", "uuuu", "CCCC", "AC"], [0] * 6)
    model = train_on_kmers(single(), data("binary", ("a", "b"), train=train, test=test), 4)
    assert model.width == 4  # AAAA, AAAT, TTTT, TTTA
    found = model.probabilities["test"][:, 0]
    assert found[0] < found[2] == found[3]
    assert found[0] == found[1]  # a share of those that are known
    assert found[0] < found[4] == found[5] < found[2]  # nothing that is known


@pytest.mark.parametrize(("kinds", "width"), [(("gene",), 4**4), (("prot",), 4**2)])
def test_length_by_molecule_type(kinds, width):
    train = examples([letters("gene", 5000, seed) for seed in range(4)], [0, 1, 0, 1], kinds)
    labelled = data("binary", ("a", "b"), train=train)
    assert train_on_kmers(single(), labelled).width == width
    assert train_on_kmers(single(), labelled, 1).width == 4


def test_each_side_of_a_pair_has_its_own():
    """Which side has the A decides, though each pair as a whole has the same letters."""
    kinds = ("prot", "prot")
    texts = ["AAA CCC", "CCC AAA"] * 8
    labelled = data("binary", ("a", "b"), train=examples(texts, [0, 1] * 8, kinds))
    model = train_on_kmers(single(input="pair"), labelled)
    assert model.width == 4
    assert ((model.probabilities["train"][:, 0] > 0.5) == np.tile([False, True], 8)).all()
    short = data("binary", ("a", "b"), train=examples(["AAA C", "CCC A"], [0, 1], kinds))
    with pytest.raises(ValueError, match="no sequence of side b of the training data has such"):
        train_on_kmers(single(input="pair"), short)


def test_classes_that_training_lacks_have_no_probability():
    train = examples(["AAAAA", "CCCCC"] * 4, [0, 2] * 4)
    dev = examples(["AAAAA", "CCCCC"], [0, 2])
    model = train_on_kmers(single(), data("multi_class", ("a", "b", "c"), train=train, dev=dev))
    found = model.probabilities["dev"]
    assert found.shape == (2, 3) and found.argmax(1).tolist() == [0, 2]
    assert found[:, 1].tolist() == [0, 0] and np.allclose(found.sum(1), 1)


def test_weights_of_classes_and_positives():
    """Of records that look the same, nine to one, weights make the rarer one likelier."""
    same = ["ACGTACGT"] * 10
    classes = data("multi_class", ("a", "b"), train=examples(same, [0] * 9 + [1]))
    plain = train_on_kmers(single(), classes).probabilities["train"][0]
    weighted = train_on_kmers(single(class_weights=(1.0, 90.0)), classes).probabilities["train"][0]
    balanced = train_on_kmers(single(class_weights="balanced"), classes).probabilities["train"][0]
    assert plain[1] == pytest.approx(1 / 10, abs=0.01)
    assert weighted[1] == pytest.approx(90 / 99, abs=0.01)
    assert balanced[1] == pytest.approx(1 / 2, abs=0.01)
    binary = data("binary", ("a", "b"), train=examples(same, [0] * 9 + [1]))
    found = train_on_kmers(single(pos_weight=9.0), binary).probabilities["train"]
    assert found.shape == (10, 1) and found[0, 0] == pytest.approx(1 / 2, abs=0.01)
    labels = data("multi_label", ("a", "b"), train=examples(same, [(0, 1)] * 9 + [(1, 0)]))
    found = train_on_kmers(single(pos_weight=9.0), labels).probabilities["train"]
    assert found[0] == pytest.approx([1 / 2, 81 / 82], abs=0.01)


@pytest.mark.filterwarnings("ignore:Label")
def test_several_labels():
    texts = ["AAAAAA", "CCCCCC", "AAAACCCC", "GGGGGG"] * 4
    flags = [(1, 0, 0), (0, 1, 0), (1, 1, 0), (0, 0, 0)] * 4
    train, dev = examples(texts, flags), examples(texts[:4], flags[:4])
    labelled = data("multi_label", ("a", "c", "never"), train=train, dev=dev)
    model = train_on_kmers(single(), labelled, 2)
    assert (model.probabilities["dev"] > 0.5).astype(int).tolist() == list(map(list, flags[:4]))
    one = data("multi_label", ("a",), train=examples(texts, [flag[:1] for flag in flags]))
    assert train_on_kmers(single(), one, 2).probabilities["train"].shape == (16, 1)


def test_regularisation_is_chosen_on_dev_by_the_metric_of_the_task():
    texts = [letters("gene", 100, seed) for seed in range(60)]
    values = [float(text.count("A")) for text in texts]
    splits = {"train": examples(texts[:40], values[:40]), "dev": examples(texts[40:], values[40:])}
    model = train_on_kmers(single(metric="rmse"), data("regression", **splits), 1)
    assert model.strength == kmers.STRENGTHS[-1]
    assert model.probabilities["dev"][:, 0] == pytest.approx(values[40:], abs=1)
    # The order of the values is the same for all; of equals the strictest is chosen.
    model = train_on_kmers(single(metric="spearman"), data("regression", **splits), 1)
    assert model.strength == kmers.STRENGTHS[0]
    # Where the training data mislead, the error is least for the strictest.
    splits["dev"] = examples(texts[40:], [50 - value for value in values[40:]])
    model = train_on_kmers(single(metric="rmse"), data("regression", **splits), 1)
    assert model.strength == kmers.STRENGTHS[0]
    alone = train_on_kmers(single(), data("regression", train=splits["train"]), 1)
    assert alone.strength == kmers.WITHOUT_DEV


def test_one_label_cannot_be_learnt():
    with pytest.raises(ValueError):
        train_on_kmers(single(), data("binary", ("a", "b"), train=examples(["AAAAA"] * 3, [1] * 3)))


@needs_data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "seq_type", "columns", "least"),
    [
        ("s1-species/species.csv", "gene", {"sequence": "seq", "label": "label_name"}, 0.5),
        (
            "s2-pfam-clans/clans.csv",
            "prot",
            {"id": "protein_id", "sequence": "protein_seq", "label": "clan_id"},
            0.38,
        ),
    ],
)
def test_real_sequences(tmp_path, file, seq_type, columns, least):
    """4-mers come to an accuracy of 0.58 on species, dipeptides to 0.45 on clans."""
    model = make_model(tmp_path / "small", hidden_size=64)
    task = single(
        seq_types=(seq_type,),
        columns=columns,
        split={"train": 0.6, "dev": 0.15, "test": 0.25},
        pooling="mean",
        epochs=20,
        learning_rate=1e-2,
    )
    names = ["kmer", f"random:{model}", "one-hot"]
    compare(task, backbones=names, data=DATA / file, output=tmp_path / "out")
    table = {row["name"]: row for row in read_table(tmp_path / "out" / "comparison.csv")}
    best = float(table["majority"]["high"])
    assert float(table["kmer"]["accuracy"]) > least
    assert float(table["kmer"]["low"]) > best
    assert float(table["random:small"]["low"]) > best
