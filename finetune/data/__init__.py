# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Labelled data of a fine-tuning task, looked through before anything is trained on them.

    from finetune.data import DataSettings, read_data

    data = read_data("proteins.csv", DataSettings("single", seq_types=("prot",)))
    print(data.findings)                      # what is in them, and what looks wrong
    data.splits["train"][0].sequences         # ("MKTAYIAKQR",)

`read_data` takes a folder in the published form, a data set on the Hub, a table or FASTA with a
table of labels. It finds the splits or makes them, numbers the labels, and raises one `DataError`
with everything that is wrong. `read_unlabelled` streams sequences for prediction.
"""

from .examples import Example, Label, TaskData
from .findings import DataError, Finding, Findings
from .reading import read_data, read_unlabelled
from .settings import SPLITS, DataSettings

__all__ = [
    "SPLITS",
    "DataError",
    "DataSettings",
    "Example",
    "Finding",
    "Findings",
    "Label",
    "TaskData",
    "read_data",
    "read_unlabelled",
]
