# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What labels mean: the problem that is inferred, names and ids."""

import pytest

from finetune.data import DataSettings, read_data
from tests.finetune.data.helpers import PROT, error_of, found, labelled, write


def read(path, *labels, **settings):
    """Return the data of a table of these labels, and the labels by the numbers of their rows."""
    settings = DataSettings("single", seq_types=("prot",), **settings)
    data = read_data(labelled(path / "x.csv", *labels), settings)
    by_id = {int(e.ids[0][1:]): e.label for of in data.splits.values() for e in of}
    return data, [by_id[number] for number in range(len(labels))]


@pytest.mark.parametrize(
    ("labels", "problem", "names"),
    [
        ([0, 1] * 5, "binary", ("0", "1")),
        (["yes", "no"] * 5, "binary", ("no", "yes")),
        ([10, 9] * 5, "binary", ("9", "10")),
        ([0.5, 1.5] * 5, "regression", ()),
        ([-1, 0, 2e-3] * 4, "regression", ()),
        (range(21), "regression", ()),
        (range(20), "multi_class", tuple(map(str, range(20)))),
        ([2, 10, 1] * 4, "multi_class", ("1", "2", "10")),
        (["1.0", "2.0", "0.0"] * 4, "multi_class", ("0", "1", "2")),
        (["cat", "dog", "3"] * 4, "multi_class", ("3", "cat", "dog")),
        (["a;b", "b", "a;c", "c"] * 3, "multi_label", ("a", "b", "c")),
        (["a;b", "c", "d;e", "e"] * 1 + ["x"] * 8, "multi_class", ("a;b", "c", "d;e", "e", "x")),
    ],
)
def test_inferred_problem_and_names(tmp_path, labels, problem, names):
    data, _ = read(tmp_path, *labels)
    assert (data.problem, data.label_names) == (problem, names)
    text = found(data.findings, "note", "problem")["all"][1]
    assert text.startswith(f"{problem}: ")
    if problem == "binary":
        assert f"the positive is {names[1]!r}, the negative {names[0]!r}" in text


@pytest.mark.parametrize(
    ("labels", "settings", "expected"),
    [
        (["b", "a", "c"] * 4, {}, [1, 0, 2] * 4),
        (["b", "a", "c"] * 4, {"labels": ("c", "b", "a")}, [1, 2, 0] * 4),
        ([1, 2, 0] * 4, {"labels": ("c", "b", "a")}, [1, 2, 0] * 4),
        # Names that are numbers are names where all cells are, else ids.
        ([1, 0] * 6, {"labels": ("1", "0")}, [0, 1] * 6),
        ([1, 2, 3] * 4, {"labels": ("3", "2", "1")}, [2, 1, 0] * 4),
        ([0, 1, 2] * 4, {"labels": ("3", "2", "1")}, [0, 1, 2] * 4),
        ([0, 1, 0] * 4, {"labels": ("not", "encoded")}, [0, 1, 0] * 4),
        ([0, 1, 0] * 4, {"labels": ("x", "y", "z")}, [0, 1, 0] * 4),
        ([0, 0, 0] * 4, {"problem": "binary"}, [0] * 12),
        ([1, 2, 3] * 4, {"problem": "regression"}, [1.0, 2.0, 3.0] * 4),
        ([82, 172, 5] * 4, {"problem": "multi_class"}, [1, 2, 0] * 4),
        (["b|a", "", "a| "] * 4, {"label_separator": "|", "problem": "multi_label"},
         [(1, 1), (0, 0), (1, 0)] * 4),
        (["0;2", "1", "2;1"] * 4, {"labels": ("x", "y", "z")},
         [(1, 0, 1), (0, 1, 0), (0, 1, 1)] * 4),
        (["b; c", "b; c", "a"] * 4, {"labels": ("b; c", "a", "d")}, [0, 0, 1] * 4),
    ],
)  # fmt: skip
def test_labels(tmp_path, labels, settings, expected):
    data, found_labels = read(tmp_path, *labels, **settings)
    assert found_labels == expected
    assert all(type(label) is type(expected[0]) for label in found_labels)
    if "labels" in settings:
        assert data.label_names == settings["labels"]


def test_label_txt_means_classes(tmp_path):
    labelled(tmp_path / "train.csv", *range(25), *range(25))
    write(tmp_path / "label.txt", "label", *(f"n{number}" for number in range(25)))
    data = read_data(tmp_path, DataSettings("single", seq_types=("prot",), split={"train": 1}))
    assert (data.problem, data.label_names[24]) == ("multi_class", "n24")
    assert [example.label for example in data.splits["train"]] == [*range(25), *range(25)]
    # Names in the settings go before it; measurements have no names.
    names = tuple(f"m{number}" for number in range(25))
    settings = DataSettings("single", seq_types=("prot",), labels=names, split={"train": 1})
    assert read_data(tmp_path, settings).label_names == names
    settings = DataSettings("single", seq_types=("prot",), problem="regression")
    assert read_data(tmp_path, settings).label_names == ()


def test_label_index_where_there_is_no_label(tmp_path):
    rows = [f"r{n},{'ACDEF'[n % 5] * (n + 3)},{n % 2},{n % 3}" for n in range(12)]
    path = write(tmp_path / "x.csv", "id,seq,label_index,other", *rows)
    assert read_data(path, PROT).problem == "binary"
    path = write(tmp_path / "x.csv", "id,seq,label_index,label", *rows)
    assert read_data(path, PROT).problem == "multi_class"


@pytest.mark.parametrize(
    ("labels", "settings", "message"),
    [
        (["a", "b", "c"] * 3, {"problem": "binary"},
         "a binary problem has two labels, here are 3: 'a', 'b', 'c'"),
        (["a"] * 9, {}, "there is nothing to tell apart, for the only label is 'a'"),
        (["a"] * 8 + ["q"], {"labels": ("a", "b")},
         "x.csv: record 'p8' (line 10): the label 'q' is none of 'a', 'b'"),
        ([0] * 8 + [2], {"labels": ("a", "b")},
         "x.csv: record 'p8' (line 10): the label '2' is none of 'a', 'b'"),
        (["a", "b"] * 4 + ["1"], {"labels": ("a", "b")},
         "x.csv: record 'p8' (line 10): the label '1' is none of 'a', 'b'"),
        ([1, 2, 3] * 3 + [0], {"labels": ("1", "2", "3")},
         "x.csv: record 'p9' (line 11): the label '0' is none of '1', '2', '3'"),
        (["a"] * 8 + ["b;q"], {"labels": ("a", "b"), "problem": "multi_label"},
         "x.csv: record 'p8' (line 10): the label 'q' is none of 'a', 'b'"),
        (["a", ""] * 4 + ["b"], {}, "x.csv: record 'p1' (line 3): the label is empty (one of 4)"),
        ([0.5] * 8 + ["high"], {"problem": "regression"},
         "x.csv: record 'p8' (line 10): the label 'high' is not a finite number"),
        ([0.5, 1.5] * 4 + ["NaN"], {},
         "x.csv: record 'p8' (line 10): the label 'NaN' is not a finite number"),
        ([0.5, 1.5] * 4 + ["-inf"], {},
         "x.csv: record 'p8' (line 10): the label '-inf' is not a finite number"),
        ([0.5, 1.5] * 4 + ["1e999"], {},
         "x.csv: record 'p8' (line 10): the label '1e999' is not a finite number"),
        ([0.5] * 8 + [""], {}, "x.csv: record 'p8' (line 10): the label is empty"),
    ],
)  # fmt: skip
def test_labels_that_cannot_be(tmp_path, labels, settings, message):
    path = labelled(tmp_path / "x.csv", *labels)
    settings = DataSettings("single", seq_types=("prot",), **settings)
    assert str(error_of(path, settings)) == message
