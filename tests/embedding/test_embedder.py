# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Sequences to vectors, compared with the model run on one sequence at a time."""

import json
import shutil
import socket

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from embedding import Embedder
from embedding.embedder import POOLINGS
from embedding.windows import plan_windows
from modeling_lucaone import LucaOneModel
from tests.helpers import BF16_LIMIT, GOLDEN, SAME_LIMIT, relative_l2
from tokenization import LucaOneTokenizerFast

HUB = GOLDEN / "hub-tiny"
TENSOR = "lucaone.encoder.layers.0.fc1.weight"
SEQUENCES = ["MKTAYIAKQR", "ACGUACGUNNAC", "M", "GATTACA" * 30, "MSPQTETKASVGFKAGVKDYKLTYYTPE"]
TYPES = ["prot", "rna", "protein", "gene", "prot"]


@pytest.fixture(scope="module")
def embedder():
    return Embedder(HUB, device="cpu")


@pytest.fixture(scope="module")
def alone():
    """The last hidden states, [CLS] and [SEP] included, of each sequence run alone."""
    model, tokenizer = LucaOneModel.from_pretrained(HUB).eval(), LucaOneTokenizerFast()
    states = []
    for sequence, seq_type in zip(SEQUENCES, TYPES, strict=True):
        inputs = tokenizer(sequence, seq_type=seq_type, return_tensors="pt")
        with torch.no_grad():
            states.append(model(**inputs).last_hidden_state[0])
    return states


def plainly(states, pooling):
    """Pool (tokens, hidden_size) of one sequence."""
    residues = states[1:-1]
    pooled = {
        "mean": residues.mean(dim=0),
        "max": residues.amax(dim=0),
        "cls": states[0],
        "none": residues,
    }
    return pooled[pooling]


def distance(result, expected):
    return relative_l2(torch.as_tensor(result), torch.as_tensor(expected))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_batch_gives_what_each_sequence_gives_alone_in_the_order_given(embedder, alone, pooling):
    result = embedder.encode(SEQUENCES, TYPES, pooling=pooling)
    assert len(result) == len(SEQUENCES)
    for row, states in zip(result, alone, strict=True):
        assert row.dtype == np.float32
        assert distance(row, plainly(states, pooling)) <= SAME_LIMIT


@pytest.mark.parametrize("pooling", POOLINGS)
def test_one_sequence_gives_one_array(embedder, alone, pooling):
    row = embedder.encode(SEQUENCES[0], "prot", pooling=pooling)
    assert row.shape == ((10, 64) if pooling == "none" else (64,))
    assert distance(row, plainly(alone[0], pooling)) <= SAME_LIMIT


def test_several_sequences_give_one_array_or_without_pooling_a_list(embedder):
    assert embedder.encode(SEQUENCES, TYPES).shape == (5, 64)
    assert embedder.encode(SEQUENCES[:1], "prot").shape == (1, 64)
    assert embedder.encode([], "prot").shape == (0, 64)
    rows = embedder.encode(SEQUENCES, TYPES, pooling="none")
    assert [row.shape for row in rows] == [(len(sequence), 64) for sequence in SEQUENCES]


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("tokens_per_batch", [1, 40, 10_000])
def test_how_sequences_are_batched_does_not_matter(embedder, pooling, tokens_per_batch):
    other = Embedder(HUB, device="cpu", tokens_per_batch=tokens_per_batch)
    expected = embedder.encode(SEQUENCES, TYPES, pooling=pooling)
    for row, one in zip(other.encode(SEQUENCES, TYPES, pooling=pooling), expected, strict=True):
        assert distance(row, one) <= SAME_LIMIT


def test_an_attention_back_end_can_be_chosen(embedder):
    eager = Embedder(HUB, device="cpu", attn_implementation="eager")
    assert eager.model.config._attn_implementation == "eager"
    expected = embedder.encode(SEQUENCES, TYPES)
    assert distance(eager.encode(SEQUENCES, TYPES), expected) <= SAME_LIMIT


@pytest.mark.parametrize("pooling", ["mean", "max", "cls"])
def test_bfloat16_is_close(embedder, pooling):
    half = Embedder(HUB, device="cpu", dtype="bfloat16")
    assert half.model.dtype == torch.bfloat16
    result = half.encode(SEQUENCES, TYPES, pooling=pooling)
    assert result.dtype == np.float32
    assert distance(result, embedder.encode(SEQUENCES, TYPES, pooling=pooling)) <= BF16_LIMIT


@pytest.mark.parametrize(
    ("sequences", "seq_type"),
    [
        (SEQUENCES, TYPES),
        (iter(SEQUENCES), iter(TYPES)),
        (tuple(SEQUENCES), np.array(TYPES)),
        ((f" {sequence[:3]}\n{sequence[3:].lower()}\t" for sequence in SEQUENCES), TYPES),
        ([f"-{sequence[:1]}.{sequence[1:]}*-" for sequence in SEQUENCES], TYPES),
    ],
    ids=["lists", "generators", "other sequences", "white space and case", "gaps and a stop"],
)
def test_sequences_come_in_any_form_and_are_cleaned_as_in_files(embedder, sequences, seq_type):
    expected = embedder.encode(SEQUENCES, TYPES)
    assert np.array_equal(embedder.encode(sequences, seq_type), expected)


def test_gaps_may_be_kept(embedder):
    rows = embedder.encode("M-KT*", "prot", pooling="none", keep_gaps=True)
    assert rows.shape == (5, 64)
    assert embedder.encode("M-KT*", "prot", pooling="none").shape == (3, 64)


@pytest.mark.parametrize(
    ("layers", "numbers"),
    [(-1, 3), (3, 3), (0, 0), (1, 1), (-2, 2), ([-1], [3]), ([2, 0, -1], [2, 0, 3]), ("all", None)],
)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_layers(embedder, layers, numbers, pooling):
    """Layer 0 is the embeddings, the last one has the norm."""
    inputs = embedder.tokenizer(SEQUENCES[0], seq_type="prot", return_tensors="pt")
    with torch.no_grad():
        states = embedder.model(**inputs, output_hidden_states=True).hidden_states
        last = embedder.model(**inputs).last_hidden_state
    assert len(states) == 4
    assert torch.equal(states[-1], last)
    chosen = [*range(4)] if numbers is None else numbers
    if isinstance(chosen, int):
        expected = plainly(states[chosen][0], pooling)
    else:
        expected = torch.stack([plainly(states[i][0], pooling) for i in chosen], dim=-2)
    result = embedder.encode(SEQUENCES[:1], "prot", pooling=pooling, layers=layers)
    assert distance(result[0], expected) <= SAME_LIMIT


def alone_in(embedder, text, seq_type):
    """The rows of the letters of a text that the model reads alone."""
    inputs = embedder.tokenizer(text, seq_type=seq_type, return_tensors="pt")
    with torch.no_grad():
        return embedder.model(**inputs).last_hidden_state[0, 1:-1]


def published_merge(embedder, text, seq_type, first):
    """The rows of a long sequence as the published tool makes them (overlap mode).

    The first pass covers `first` letters, w is half of that. For p = first, first + w, ... while
    p < N - w the letters from p - w to p + w are embedded and the rows after the first w kept; of
    the last 2w letters as many rows as are still missing.
    """
    w = first // 2
    rows = list(alone_in(embedder, text[:first], seq_type))
    p = first
    while p < len(text) - w:
        rows += alone_in(embedder, text[p - w : p + w], seq_type)[w:]
        p += w
    missing = len(text) - len(rows)
    rows += alone_in(embedder, text[-2 * w :], seq_type)[-missing:] if missing else []
    return torch.stack(rows)


def centre_merge(embedder, text, seq_type, window):
    """The rows of a long sequence, each from its window; where those lie: test_windows.py."""
    return torch.cat(
        [
            alone_in(embedder, text[w.start : w.stop], seq_type)[
                w.keep_start - w.start : w.keep_stop - w.start
            ]
            for w in plan_windows(len(text), window)
        ]
    )


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("tokens_per_batch", [20, 10_000])
@pytest.mark.parametrize("window", [40, 41, 100, 209])
@pytest.mark.parametrize(
    ("merge", "plain_merge"), [("centre", centre_merge), ("published", published_merge)]
)
def test_a_long_sequence_in_windows(
    embedder, monkeypatch, merge, plain_merge, window, tokens_per_batch, pooling
):
    monkeypatch.setattr(embedder.runner, "tokens_per_batch", tokens_per_batch)
    text, seq_type = "GATTACA" * 30, "gene"
    rows = plain_merge(embedder, text, seq_type, window)
    assert rows.shape == (210, 64)
    inputs = embedder.tokenizer(text[:window], seq_type=seq_type, return_tensors="pt")
    with torch.no_grad():
        start = embedder.model(**inputs).last_hidden_state[0, :1]
    # The start token is that of the first window.
    expected = plainly(torch.cat([start, rows, start]), pooling)
    batch = [SEQUENCES[0], text, SEQUENCES[4]]
    options = {"pooling": pooling, "window": window, "merge": merge}
    result = embedder.encode(batch, ["prot", "gene", "prot"], **options)
    assert distance(result[1], expected) <= SAME_LIMIT
    assert distance(result[0], embedder.encode(batch[0], "prot", pooling=pooling)) <= SAME_LIMIT


@pytest.mark.parametrize("pooling", POOLINGS)
def test_windows_as_long_as_the_sequence_change_nothing(embedder, alone, pooling):
    result = embedder.encode(SEQUENCES[3], "gene", pooling=pooling, window=len(SEQUENCES[3]))
    assert distance(result, plainly(alone[3], pooling)) <= SAME_LIMIT


def test_layers_of_a_long_sequence(embedder):
    options = {"layers": [1, -1], "window": 100}
    rows = embedder.encode(SEQUENCES[3], "gene", pooling="none", **options)
    assert rows.shape == (210, 2, 64)
    mean = embedder.encode(SEQUENCES[3], "gene", **options)
    assert distance(mean, rows.mean(axis=0)) <= SAME_LIMIT
    last = embedder.encode(SEQUENCES[3], "gene", pooling="none", window=100)
    assert distance(rows[:, 1], last) <= SAME_LIMIT


def test_a_molecule_type_stored_with_the_model_serves(embedder, tmp_path):
    LucaOneModel.from_pretrained(HUB).save_pretrained(tmp_path)
    LucaOneTokenizerFast(seq_type="prot").save_pretrained(tmp_path)
    row = Embedder(tmp_path, device="cpu").encode("MKT")
    assert np.array_equal(row, embedder.encode("MKT", "prot"))


@pytest.mark.parametrize(
    ("sequences", "seq_type", "options", "message"),
    [
        ("MKT", "prot", {"pooling": "median"}, "unknown pooling 'median'.*mean, cls, max, none"),
        ("", "prot", {}, "sequences: record '0': empty sequence"),
        (["MKT", " \n"], "prot", {}, "sequences: record '1': empty sequence"),
        (["MKT", "M K\n7T"], "prot", {}, "sequences: record '1', position 3: '7' is not a letter"),
        ("MKT", None, {}, "seq_type is missing"),
        (["MKT"], ["proteome"], {}, "unknown seq_type 'proteome'"),
        (["MKT", "ACGT"], ["prot"], {}, "1 molecule types for 2 sequences"),
        ("MKT", "prot", {"layers": 4}, "no layer 4: .* layers 0 .* to 3"),
        ("MKT", "prot", {"layers": [0, -5]}, "no layer -5"),
        ("MKT", "prot", {"layers": []}, "no layer is chosen"),
        ("MKT", "prot", {"layers": "last"}, "layers 'last' are neither numbers nor 'all'"),
        ("MKT", "prot", {"window": 10, "overlap": 10}, "overlap of 10 letters is not shorter"),
        ("MKT", "prot", {"merge": "mean"}, "unknown merge 'mean'"),
    ],
)
def test_bad_sequences_and_options(embedder, sequences, seq_type, options, message):
    with pytest.raises(ValueError, match=message):
        embedder.encode(sequences, seq_type, **options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.pop(TENSOR), "fc1.weight is missing"),
        (
            lambda tensors: tensors.update({TENSOR.replace("s.0", "s.9"): torch.ones(3)}),
            r"layers.9.fc1.weight does not belong to the encoder",
        ),
        (
            lambda tensors: tensors.update({TENSOR: torch.ones(3, 64)}),
            r"fc1.weight is \(3, 64\), not \(256, 64\)",
        ),
    ],
)
def test_the_encoder_must_be_whole(tmp_path, change, message):
    tensors = load_file(HUB / "model.safetensors")
    change(tensors)
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    shutil.copy(HUB / "config.json", tmp_path)
    with pytest.raises(ValueError, match=message) as error:
        Embedder(tmp_path, device="cpu")
    assert str(error.value).startswith(f"{tmp_path}: tensor ")


def test_heads_beside_the_encoder_do_not_matter(embedder, tmp_path):
    tensors = load_file(HUB / "model.safetensors") | {"classifier.weight": torch.ones(2, 64)}
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    shutil.copy(HUB / "config.json", tmp_path)
    row = Embedder(tmp_path, device="cpu").encode("MKT", "prot")
    assert np.array_equal(row, embedder.encode("MKT", "prot"))


def damage(folder, case):
    shutil.copy(HUB / "config.json", folder)
    config = json.loads((HUB / "config.json").read_text())
    if case == "another model":
        BertModel(
            BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, vocab_size=9)
        ).save_pretrained(folder)
    elif case == "original layout":
        shutil.copy(GOLDEN / "original-tiny" / "config.json", folder)
    elif case == "no config":
        (folder / "config.json").unlink()
    elif case == "config that is no JSON":
        (folder / "config.json").write_text("{")
    elif case == "impossible config":
        (folder / "config.json").write_text(json.dumps(config | {"num_attention_heads": 7}))
    elif case == "damaged safetensors":
        (folder / "model.safetensors").write_bytes(b"not tensors" * 10)
    elif case == "damaged pytorch_model.bin":
        (folder / "pytorch_model.bin").write_bytes(b"abc" * 100)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("another model", "a model of type 'bert', not 'lucaone'"),
        ("original layout", "`lucaone convert`"),
        ("no config", "no config.json"),
        ("config that is no JSON", "config.json cannot be read: Expecting"),
        ("impossible config", "hidden_size 64 does not divide into 7 attention heads"),
        ("no weights", "holds no weights|no file named model.safetensors"),
        ("damaged safetensors", ": ."),
        ("damaged pytorch_model.bin", ": ."),
    ],
)
def test_a_folder_that_holds_no_usable_model(tmp_path, case, message):
    damage(tmp_path, case)
    with pytest.raises(ValueError, match=message) as error:
        Embedder(tmp_path, device="cpu")
    assert str(error.value).startswith(f"{tmp_path}: ")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "name", ["lucaone", "./lucaone", "../a/lucaone", "a/b/c", "/no/such/folder", __file__]
)
def test_what_is_no_folder_and_no_repository_is_not_looked_for_on_the_hub(monkeypatch, name):
    def refuse(*args, **kwargs):
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(ValueError, match=r"there is no such folder") as error:
        Embedder(name, device="cpu")
    assert str(error.value).startswith(f"{name}: ")


def test_a_repository_that_the_hub_does_not_give(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match=r"^someone/lucaone \(no folder here.*\): ") as error:
        Embedder("someone/lucaone", device="cpu")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("device", ["gpu", "cuda:99"])
def test_a_device_that_is_not_here(device):
    with pytest.raises(ValueError, match=f"^device {device}: "):
        Embedder(HUB, device=device)
