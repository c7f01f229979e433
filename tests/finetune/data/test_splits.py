# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Dividing records: what stays together, how large the parts are, and that nothing else decides."""

import random
import subprocess
import sys
from collections import Counter

import pytest

from finetune.data import DataSettings, read_data
from finetune.data.splits import divide, input_key
from tests.finetune.data.helpers import PAIR, error_of, gene, labelled, protein, write
from tests.helpers import REPOSITORY

SHARES = {"train": 0.8, "dev": 0.1, "test": 0.1}


def keys(count):
    return [("prot", protein(number)) for number in range(count)]


def counts(classes, shares=SHARES, seed=0):
    """Return the sizes of train, dev and test for each class."""
    splits = divide(keys(len(classes)), classes, shares, seed)
    of = Counter(zip(classes, splits, strict=True))
    return {
        label: tuple(of[label, split] for split in ("train", "dev", "test"))
        for label in set(classes)
    }


@pytest.mark.parametrize(
    ("size", "shares", "expected"),
    [
        (100, {"train": 0.6, "dev": 0.15, "test": 0.25}, (60, 15, 25)),
        (100, {"train": 0.7, "dev": 0.29, "test": 0.01}, (70, 29, 1)),
        (100, {"train": 4, "dev": 3, "test": 25}, (13, 9, 78)),
        (10, SHARES, (8, 1, 1)),
        (3, SHARES, (1, 1, 1)),
        (4, SHARES, (2, 1, 1)),
        (2, SHARES, (2, 0, 0)),
        (1, SHARES, (1, 0, 0)),
        (9, {"train": 2, "test": 1}, (6, 0, 3)),
        (5, {"train": 1, "dev": 0}, (5, 0, 0)),
    ],
)
def test_sizes_of_a_class(size, shares, expected):
    assert counts([1] * 7 + [0] * size, shares)[0] == expected


def test_shares_hold_to_within_one_record_of_every_class():
    number = random.Random(0)
    classes = [label for label in range(40) for _ in range(number.randint(3, 60))]
    for label, sizes in counts(classes, {"train": 0.6, "dev": 0.15, "test": 0.25}).items():
        size = classes.count(label)
        assert min(sizes) >= 1
        exact = (0.6 * size, 0.15 * size, 0.25 * size)
        # With few records something for everyone costs train more than one.
        limit = 1 if size > 6 else 2
        assert all(abs(a - b) < limit for a, b in zip(sizes, exact, strict=True))


def test_classes_of_few_records_are_divided_together():
    sizes = counts([*range(40), *range(20)])  # twenty classes of two, twenty of one
    parts = [sum(size[part] for size in sizes.values()) for part in range(3)]
    assert parts == [48, 6, 6]
    # Whatever is in dev or test occurs in train too.
    assert all(size[0] for size in sizes.values())


def test_neither_the_order_nor_the_process_decides_but_the_seed():
    inputs, classes = keys(200), [number % 4 for number in range(200)]
    splits = dict(zip(inputs, divide(inputs, classes, SHARES, 7), strict=True))
    both = list(zip(inputs, classes, strict=True))
    random.Random(1).shuffle(both)
    inputs, classes = zip(*both, strict=True)
    assert dict(zip(inputs, divide(inputs, classes, SHARES, 7), strict=True)) == splits
    assert dict(zip(inputs, divide(inputs, classes, SHARES, 8), strict=True)) != splits
    program = (
        "from finetune.data.splits import divide;"
        "print(*divide([('prot', 'M' * n) for n in range(1, 60)], [n % 3 for n in range(59)], "
        "{'train': 0.5, 'dev': 0.3, 'test': 0.2}, 1))"
    )
    other = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, check=True, capture_output=True, text=True
    ).stdout.split()
    inputs, shares = [("prot", "M" * n) for n in range(1, 60)], dict(train=0.5, dev=0.3, test=0.2)
    assert divide(inputs, [n % 3 for n in range(59)], shares, 1) == other


def test_the_input_is_what_a_model_reads():
    assert input_key(["ACGU"], ["gene"]) == input_key(["ACGT"], ["gene"])
    assert input_key(["ACGU"], ["prot"]) != input_key(["ACGT"], ["prot"])
    assert input_key(["ACGT"], ["gene"]) != input_key(["ACGT"], ["prot"])
    assert input_key(["MK", "MV"], ["prot"] * 2) == input_key(["MV", "MK"], ["prot"] * 2)
    assert input_key(["MK", "MV"], ["prot"] * 2) != input_key(["MKM", "V"], ["prot"] * 2)
    assert input_key(["AC", "AC"], ["gene", "prot"]) == input_key(["AC", "AC"], ["prot", "gene"])
    assert input_key(["AC", "AG"], ["gene", "prot"]) != input_key(["AG", "AC"], ["gene", "prot"])


@pytest.mark.parametrize("labels", ["classes", "values"])
def test_identical_inputs_get_into_one_split(tmp_path, labels):
    rows = []
    for n in range(300):
        one, other = gene(n % 60), protein(n % 60)
        one = one.lower() if n % 2 else one.replace("T", "U")
        rows.append(f"a{n},b{n},gene,prot,{one},{other},{n % 3 if labels == 'classes' else n / 7}")
    data = read_data(write(tmp_path / "x.csv", PAIR, *rows), DataSettings("pair"))
    splits = {}
    for split, examples in data.splits.items():
        for example in examples:
            splits.setdefault(example.sequences[1], set()).add(split)
    assert len(splits) == 60 and all(len(found) == 1 for found in splits.values())
    assert Counter(split for found in splits.values() for split in found) == {
        "train": 48,
        "dev": 6,
        "test": 6,
    }
    assert not [row for row in data.findings.rows if row.kind.startswith("also in")]


def test_a_pair_and_its_reverse_stay_together(tmp_path):
    rows = []
    for n in range(50):
        one, other = protein(n), protein(n + 100)
        rows.append(f"a{n},b{n},prot,prot,{one},{other},{n % 2}")
        rows.append(f"b{n},a{n},prot,prot,{other},{one},{n % 2}")
    data = read_data(write(tmp_path / "x.csv", PAIR, *rows), DataSettings("pair"))
    places = {e.ids: split for split, examples in data.splits.items() for e in examples}
    assert set(places.values()) == {"train", "dev", "test"}
    assert all(places[f"a{n}", f"b{n}"] == places[f"b{n}", f"a{n}"] for n in range(50))


def test_too_few_records_to_divide(tmp_path):
    settings = DataSettings("single", seq_types=("prot",))
    error = error_of(labelled(tmp_path / "x.csv", 0, 1), settings)
    assert str(error) == ("dev: too few distinct inputs to divide by train 0.8, dev 0.1, test 0.1")
