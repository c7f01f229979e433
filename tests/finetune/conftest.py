# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What tests of runs share."""

import functools

import pytest

import lucaone_cli
from finetune import evaluation, results
from tests.finetune.helpers import make_model
from tests.finetune.trained_models import (
    GENES,
    PROTEINS,
    save_pair,
    save_single,
    write_fasta,
    write_pairs,
)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """The folder of a model that runs in milliseconds."""
    return make_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def lucaone(capsys):
    """A function that runs a command and returns its exit status, and what it printed."""

    def run(*arguments):
        try:
            status = lucaone_cli.main([str(argument) for argument in arguments])
        except SystemExit as leaving:  # wrong arguments
            status = leaving.code
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture
def few_resamples(monkeypatch):
    """Draw the intervals from few resamples, for a thousand take longer than the training."""
    quick = functools.partial(evaluation.intervals, resamples=20)
    monkeypatch.setattr(results, "intervals", quick)


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    return save_single(tmp_path_factory.mktemp("single") / "model")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    return save_pair(tmp_path_factory.mktemp("pairs") / "model", "heterogeneous")


@pytest.fixture
def fasta(tmp_path):
    return write_fasta(tmp_path / "proteins.fasta", PROTEINS)


@pytest.fixture
def pair_table(tmp_path):
    return write_pairs(tmp_path / "pairs.csv", GENES, PROTEINS)
