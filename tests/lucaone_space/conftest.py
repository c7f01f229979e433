# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""One page for all tests of this room, with the small model and an untrained one of pairs."""

import pytest
import torch
from transformers import AutoTokenizer

import lucaone_nano
from lucaone_space import build_app
from modeling_lucaone import LucaOneForPairClassification


@pytest.fixture(scope="session")
def pair_folder(tmp_path_factory):
    """Return the folder of a model of pairs; its head is random."""
    folder = tmp_path_factory.mktemp("models") / "pairs"
    torch.manual_seed(0)
    model = LucaOneForPairClassification.from_pretrained(
        lucaone_nano.PATH,
        num_labels=1,
        id2label={0: "encodes"},
        problem_type="multi_label_classification",
        pair_kind="heterogeneous",
        seq_types=["gene", "prot"],
        max_residues=[600, 200],
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(lucaone_nano.PATH).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def url(pair_folder):
    """Serve the page and return its address."""
    app = build_app(lucaone_nano.PATH, pair_folder)
    app.launch(server_name="127.0.0.1", quiet=True, prevent_thread_lock=True)
    yield app.local_url
    app.close(verbose=False)
