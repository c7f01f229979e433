# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Tokenizer contract: ids, types, errors, library features, and the two readers in agreement."""

import copy
import json
import pickle
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset
from datasets.fingerprint import Hasher
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer
from transformers import (
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
)
from transformers.models.auto.tokenization_auto import tokenizer_class_from_name

import modeling_lucaone  # noqa: F401  (registers the tokenizer)
from tokenization import LucaOneTokenizerFast, normalize_seq_type
from tokenization.tokenization_lucaone import VOCABULARY

GOLDEN = Path(__file__).parent.parent / "golden"
RECORDS = json.loads((GOLDEN / "tokenization.json").read_text())
RAGGED = ["MKT", "MKTAYIAK", "M"]


@pytest.fixture
def tokenizer() -> LucaOneTokenizerFast:
    return LucaOneTokenizerFast()


@pytest.fixture
def protein_tokenizer() -> LucaOneTokenizerFast:
    return LucaOneTokenizerFast(seq_type="prot")


@pytest.fixture
def no_library(monkeypatch):
    """Let every call that leaves the table look-up fail."""

    def fail(*args, **kwargs):
        raise AssertionError("went to the library")

    monkeypatch.setattr(LucaOneTokenizerFast, "_encode_by_library", fail)


# Ids


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: f"{r['seq_type']}-{r['sequence'][:8]}")
def test_golden(tokenizer, record):
    expected = record["upper_ids"]
    if (record["seq_type"], record["sequence"]) == ("gene", "NNNN"):
        # The published tokenizer reads a nucleic acid of nothing but N as asparagines (23). That
        # is its defect: in a nucleic acid N is token 9, as it is next to any other letter.
        expected = [2, 9, 9, 9, 9, 3]
    encoded = tokenizer(record["sequence"], seq_type=record["seq_type"])
    assert encoded["input_ids"] == expected
    assert encoded["token_type_ids"] == [int(record["seq_type"] == "prot")] * len(expected)
    assert encoded["attention_mask"] == [1] * len(expected)
    by_library = tokenizer(
        record["sequence"], seq_type=record["seq_type"], return_offsets_mapping=True
    )
    assert by_library["input_ids"] == expected


def test_vocabulary(tokenizer):
    published = json.loads((GOLDEN / "hub-tiny" / "vocab.json").read_text())
    assert published == VOCABULARY == tokenizer.get_vocab()
    assert len(tokenizer) == tokenizer.vocab_size == 39
    assert tokenizer.all_special_ids == [1, 3, 0, 2, 4]


@pytest.mark.parametrize(
    ("text", "seq_type", "ids"),
    [
        ("", "gene", []),
        ("ACGTUNacgtun", "gene", [5, 7, 8, 6, 6, 9, 5, 7, 8, 6, 6, 9]),
        ("12345 -.*RYé", "gene", [9] * 12),
        ("A1é\n?", "prot", [11, 1, 1, 1, 1]),
        ("mßµK", "prot", [26, 1, 1, 21]),
        ("A[MASK]c[PAD][UNK]", "gene", [5, 4, 7, 0, 1]),
        ("A[MASK]c[CLS][SEP]", "prot", [11, 4, 29, 2, 3]),
        ("[mask]", "prot", [1, 26, 11, 14, 21, 1]),
        ("[A]", "gene", [9, 5, 9]),
    ],
)
def test_letters(tokenizer, text, seq_type, ids):
    assert tokenizer(text, seq_type=seq_type)["input_ids"] == [2, *ids, 3]
    assert tokenizer.encode(text, seq_type=seq_type, add_special_tokens=False) == ids
    by_library = tokenizer(text, seq_type=seq_type, return_offsets_mapping=True)
    assert by_library["input_ids"] == [2, *ids, 3]
    assert by_library["offset_mapping"][1:-1] == [
        (start, end) for start, end in by_library["offset_mapping"][1:-1] if start < end
    ]


# Molecule types


@pytest.mark.parametrize("value", ["gene", "GENE", "dna", "Rna", "nucleic_acid"])
def test_spellings_of_gene(tokenizer, value):
    assert normalize_seq_type(value) == "gene"
    assert tokenizer("A", seq_type=value)["input_ids"] == [2, 5, 3]


@pytest.mark.parametrize("value", ["prot", "Protein"])
def test_spellings_of_prot(tokenizer, value):
    assert normalize_seq_type(value) == "prot"
    assert tokenizer("A", seq_type=value)["input_ids"] == [2, 11, 3]


def test_mixed_types(tokenizer):
    expected = {
        "input_ids": [[2, 5, 7, 3], [2, 11, 29, 3], [2, 8, 3]],
        "token_type_ids": [[0] * 4, [1] * 4, [0] * 3],
        "attention_mask": [[1] * 4, [1] * 4, [1] * 3],
    }
    arguments = (["AC", "AC", "G"],), {"seq_type": ["dna", "prot", "rna"]}
    assert dict(tokenizer(*arguments[0], **arguments[1])) == expected
    by_library = tokenizer(*arguments[0], **arguments[1], return_offsets_mapping=True)
    assert {name: by_library[name] for name in expected} == expected


def test_pairs_of_different_types(tokenizer):
    for offsets in (False, True):
        encoded = tokenizer(
            ["AC", "A"],
            ["M", "ACG"],
            seq_type="gene",
            seq_type_pair=["prot", "gene"],
            padding=True,
            return_special_tokens_mask=True,
            return_offsets_mapping=offsets,
        )
        assert encoded["input_ids"] == [[2, 5, 7, 3, 26, 3, 0], [2, 5, 3, 5, 7, 8, 3]]
        assert encoded["token_type_ids"] == [[0, 0, 0, 0, 1, 1, 0], [0] * 7]
        assert encoded["attention_mask"] == [[1] * 6 + [0], [1] * 7]
        assert encoded["special_tokens_mask"] == [[1, 0, 0, 1, 0, 1, 1], [1, 0, 1, 0, 0, 0, 1]]
        assert encoded.sequence_ids(0) == [None, 0, 0, None, 1, None, None]
        assert encoded.char_to_token(1, 2, sequence_index=1) == 5
    pairs = tokenizer([("AC", "M")], seq_type="gene", seq_type_pair="prot")
    assert pairs["input_ids"] == [[2, 5, 7, 3, 26, 3]]


def test_stored_default(tokenizer, protein_tokenizer):
    assert tokenizer.seq_type is None and protein_tokenizer.seq_type == "prot"
    assert protein_tokenizer("A")["input_ids"] == [2, 11, 3]
    assert protein_tokenizer("A", seq_type="dna")["input_ids"] == [2, 5, 3]
    assert protein_tokenizer("A", "C")["token_type_ids"] == [1] * 5
    assert protein_tokenizer("A", "C", seq_type_pair="dna")["input_ids"] == [2, 11, 3, 7, 3]
    protein_tokenizer.seq_type = "RNA"
    assert protein_tokenizer.seq_type == "gene"
    assert protein_tokenizer("A")["input_ids"] == [2, 5, 3]
    assert protein_tokenizer.backend_tokenizer.encode("A").ids == [2, 5, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"text": "A"}, r'seq_type is missing: choose "gene".*"prot".*from_pretrained'),
        ({"text": "A", "seq_type": "lipid"}, r"unknown seq_type 'lipid': choose \"gene\""),
        ({"text": "A", "seq_type": 1}, "unknown seq_type 1"),
        ({"text": ["A"], "seq_type": ["gene", "prot"]}, "2 molecule types for 1 sequences"),
        ({"text": ["A", "C"], "seq_type": ["gene", None]}, "unknown seq_type None"),
        ({"text": "A", "text_pair": "C", "seq_type": "gene"}, "no seq_type_pair"),
        ({"text": "A", "seq_type": "gene", "seq_type_pair": "gene"}, "no text_pair"),
        (
            {"text": ["A"], "text_pair": ["C"], "seq_type": "gene", "seq_type_pair": ["gene"] * 2},
            "seq_type_pair names 2",
        ),
        ({"text": [("A", "C"), "GT"], "seq_type": "gene", "seq_type_pair": "gene"}, "not a pair"),
        ({"text": ["A", None], "seq_type": "gene"}, "text must be"),
        ({"text": ["A"], "text_pair": [], "seq_type": "gene", "seq_type_pair": "gene"}, "batch"),
    ],
)
def test_contract_errors(tokenizer, arguments, message):
    with pytest.raises(ValueError, match=message):
        tokenizer(**arguments)


def test_init_with_unknown_type():
    with pytest.raises(ValueError, match="unknown seq_type 'lipid'"):
        LucaOneTokenizerFast(seq_type="lipid")


# Padding, truncation, tensors


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("kind", [None, "np", "pt"])
def test_padding(protein_tokenizer, no_library, side, kind):
    encoded = protein_tokenizer(
        RAGGED, padding=True, padding_side=side, pad_to_multiple_of=8, return_tensors=kind
    )
    reference = {"input_ids": [], "token_type_ids": [], "attention_mask": []}
    for text in RAGGED:
        ids = protein_tokenizer(text)["input_ids"]
        for name, row in zip(reference, (ids, [1] * len(ids), [1] * len(ids)), strict=True):
            fill = [0] * (16 - len(row))
            reference[name].append(row + fill if side == "right" else fill + row)
    for name, rows in reference.items():
        if kind is None:
            assert encoded[name] == rows
        else:
            assert encoded[name].dtype == (np.int64 if kind == "np" else torch.int64)
            assert encoded[name].tolist() == rows


def test_truncation(protein_tokenizer, no_library):
    def ids(**options):
        return protein_tokenizer("MKTAY", truncation=True, max_length=5, **options)["input_ids"]

    assert ids() == [2, 26, 21, 17, 3]
    assert ids(padding="max_length") == [2, 26, 21, 17, 3]
    protein_tokenizer.truncation_side = "left"
    assert ids() == [2, 17, 11, 25, 3]
    assert ids(add_special_tokens=False) == [26, 21, 17, 11, 25]


def test_ordinary_calls_stay_out_of_the_library(tokenizer, no_library):
    tokenizer("MKT", seq_type="prot")
    tokenizer(RAGGED, seq_type="prot", return_tensors="pt", padding="max_length", max_length=20)
    tokenizer(RAGGED, RAGGED, seq_type="gene", seq_type_pair="prot", return_length=True)
    tokenizer(["M[MASK]"] * 2, seq_type=["gene", "prot"], return_special_tokens_mask=True)
    tokenizer.encode("ACGT", seq_type="gene", add_special_tokens=False)
    with pytest.raises(ValueError, match="same length"):
        tokenizer(RAGGED, seq_type="prot", return_tensors="pt")
    assert tokenizer([], seq_type="prot")["input_ids"] == []


TEXTS = st.text(alphabet="ACGTUNacgtunMKLZmkl15.-*[é\n ", max_size=12)
PIECES = st.lists(st.one_of(TEXTS, st.sampled_from(["[MASK]", "[PAD]", "[CLS]", "[UNK]"])))
SEQUENCES = st.builds("".join, PIECES)
TYPES = st.sampled_from(["gene", "prot"])


@settings(max_examples=300)
@given(data=st.data())
def test_both_readers_agree(data):
    """Any batch with any options: the same features by table look-up and by the library."""
    tokenizer = LucaOneTokenizerFast(
        truncation_side=data.draw(st.sampled_from(["left", "right"])),
        padding_side=data.draw(st.sampled_from(["left", "right"])),
    )
    count = data.draw(st.integers(1, 4))
    batch = st.lists(SEQUENCES, min_size=count, max_size=count)
    types = st.lists(TYPES, min_size=count, max_size=count)
    options = {
        "text": data.draw(batch),
        "seq_type": data.draw(types),
        "add_special_tokens": data.draw(st.booleans()),
        "padding": data.draw(st.sampled_from([False, "longest", "max_length"])),
        "truncation": data.draw(st.sampled_from([False, True, "only_first"])),
        "return_special_tokens_mask": data.draw(st.booleans()),
        "return_token_type_ids": data.draw(st.sampled_from([None, True, False])),
        "return_attention_mask": data.draw(st.sampled_from([None, True, False])),
        "return_length": data.draw(st.booleans()),
        "max_length": 4 * data.draw(st.integers(1, 5)),
        "pad_to_multiple_of": data.draw(st.sampled_from([None, 2, 4])),
        "padding_side": data.draw(st.sampled_from([None, "left", "right"])),
    }
    if not options["truncation"] and data.draw(st.booleans()):
        options |= {"text_pair": data.draw(batch), "seq_type_pair": data.draw(types)}
    if data.draw(st.booleans()):  # a single sequence
        for name in ("text", "seq_type", "text_pair", "seq_type_pair"):
            if name in options:
                options[name] = options[name][0]
        if not options.get("text_pair"):
            options.pop("text_pair", None)
            options.pop("seq_type_pair", None)
    looked_up = tokenizer(**options)
    by_library = tokenizer(**options, return_offsets_mapping=True)
    by_library.pop("offset_mapping")
    assert list(looked_up) == list(by_library)
    assert dict(looked_up) == dict(by_library)
    is_single = isinstance(options["text"], str)
    rows = [looked_up["input_ids"]] if is_single else looked_up["input_ids"]
    assert [encoding.ids for encoding in looked_up.encodings] == rows
    if "token_type_ids" in looked_up:
        rows = [looked_up["token_type_ids"]] if is_single else looked_up["token_type_ids"]
        assert [encoding.type_ids for encoding in looked_up.encodings] == rows
    if len(set(map(len, rows))) == 1:
        tensors = tokenizer(**options, return_tensors="np")
        for name in tensors.keys() - {"length"}:
            assert tensors[name].dtype == np.int64
            assert tensors[name].tolist() == ([looked_up[name]] if is_single else looked_up[name])


# What the library does


def test_offsets_and_alignment(tokenizer):
    encoded = tokenizer(
        ["aG[MASK]n", "MéK"], seq_type=["gene", "prot"], return_offsets_mapping=True
    )
    assert encoded["offset_mapping"][0] == [(0, 0), (0, 1), (1, 2), (2, 8), (8, 9), (0, 0)]
    assert encoded["offset_mapping"][1] == [(0, 0), (0, 1), (1, 2), (2, 3), (0, 0)]
    plain = tokenizer(["aG[MASK]n", "MéK"], seq_type=["gene", "prot"])
    assert plain.is_fast
    assert plain.tokens(0) == ["[CLS]", "1", "4", "[MASK]", "5", "[SEP]"]
    assert plain.tokens(1) == ["[CLS]", "M", "[UNK]", "K", "[SEP]"]
    assert plain.char_to_token(1, 2) == 3
    assert plain.token_to_chars(0, 3) == (2, 8)
    assert plain.word_ids(1) == [None, 0, 0, 0, None]
    assert plain.encodings[1].type_ids == [1] * 5
    assert plain[0].ids == plain["input_ids"][0]
    assert plain.n_sequences == 1


def test_a_batch_can_be_rebuilt(protein_tokenizer):
    """As `Trainer` and accelerate do when they move a batch."""
    encoded = protein_tokenizer(RAGGED)
    rebuilt = type(encoded)({name: value for name, value in encoded.items()})
    assert dict(rebuilt) == dict(encoded)
    assert not rebuilt.is_fast and rebuilt.encodings is None
    assert dict(encoded.to("cpu")) == dict(copy.copy(encoded)) == dict(encoded)


def test_per_token_objects_do_not_follow_the_callers_list(tokenizer):
    texts = ["ACG"]
    encoded = tokenizer(texts, seq_type="gene")
    texts[0] = "T"
    assert encoded.tokens() == ["[CLS]", "1", "3", "4", "[SEP]"]


@pytest.mark.parametrize("types", ["prot", ["prot", "gene"]])
def test_overflow_and_stride(tokenizer, types):
    encoded = tokenizer(
        ["MKTAYIAK", "AC"],
        seq_type=types,
        truncation=True,
        max_length=6,
        stride=1,
        return_overflowing_tokens=True,
        padding=True,
    )
    mkt = [[2, 26, 21, 17, 11, 3], [2, 11, 25, 18, 11, 3], [2, 11, 21, 3, 0, 0]]
    last = [2, 11, 29, 3, 0, 0] if types == "prot" else [2, 5, 7, 3, 0, 0]
    kind = int(types == "prot")
    assert encoded["input_ids"] == [*mkt, last]
    assert encoded["token_type_ids"][2:] == [[1] * 4 + [0] * 2, [kind] * 4 + [0] * 2]
    assert encoded["overflow_to_sample_mapping"] == [0, 0, 0, 1]


def test_overflow_of_a_pair(tokenizer):
    arguments = {"text": "MKTAY", "text_pair": "ACGTA", "seq_type": "prot", "seq_type_pair": "gene"}
    for swapped in (False, True):
        if swapped:
            arguments = {"text": "ACGTA", "text_pair": "MKTAY"}
            arguments |= {"seq_type": "gene", "seq_type_pair": "prot"}
        encoded = tokenizer(
            **arguments, truncation=True, max_length=8, stride=1, return_overflowing_tokens=True
        )
        assert len(encoded["input_ids"]) > 4
        for window, types in enumerate(encoded["token_type_ids"]):
            first = [int(not swapped)] * 4
            assert types == first + [int(swapped)] * 4
            assert encoded.sequence_ids(window) == [None, 0, 0, None, 1, 1, 1, None]


def test_truncated_pair(tokenizer):
    arguments = {"text": "ACGTAC", "text_pair": "MKTA", "seq_type": "gene", "seq_type_pair": "prot"}
    longest_first = tokenizer(**arguments, truncation=True, max_length=9)
    assert longest_first["input_ids"] == [2, 5, 7, 8, 3, 26, 21, 17, 3]
    assert longest_first["token_type_ids"] == [0] * 5 + [1] * 4
    only_second = tokenizer(**arguments, truncation="only_second", max_length=10)
    assert only_second["input_ids"] == [2, 5, 7, 8, 6, 5, 7, 3, 26, 3]


def test_split_into_words(tokenizer):
    encoded = tokenizer(list("acg"), seq_type="gene", is_split_into_words=True)
    assert encoded["input_ids"] == [2, 5, 7, 8, 3]
    assert encoded.word_ids() == [None, 0, 1, 2, None]
    batch = tokenizer(
        [["AC", "G"], ["M"]], seq_type=["gene", "prot"], is_split_into_words=True, padding=True
    )
    assert batch["input_ids"] == [[2, 5, 7, 8, 3], [2, 26, 3, 0, 0]]
    assert batch["token_type_ids"] == [[0] * 5, [1, 1, 1, 0, 0]]


def test_tokenize_and_added_tokens(tokenizer):
    assert tokenizer.tokenize("acN", seq_type="gene") == ["1", "3", "5"]
    tokenizer.add_tokens([AddedToken("[T7]", special=True)])
    assert tokenizer("AC[T7]", seq_type="gene")["input_ids"] == [2, 5, 7, 39, 3]
    assert tokenizer.decode([2, 5, 7, 39, 3]) == "[CLS]AC[T7][SEP]"


def test_split_special_tokens(tokenizer):
    ids = tokenizer("[PAD]", seq_type="prot", split_special_tokens=True)["input_ids"]
    assert ids == [2, 1, 20, 11, 19, 1, 3]


def test_decode(tokenizer):
    batch = tokenizer(["acguNR", "MK.-*1"], seq_type=["gene", "prot"])["input_ids"]
    assert tokenizer.decode(batch[0]) == "[CLS]ACGTNN[SEP]"
    assert tokenizer.batch_decode(batch, skip_special_tokens=True) == ["ACGTNN", "MK.-*"]
    assert tokenizer.decode(torch.tensor(batch[0]), skip_special_tokens=True) == "ACGTNN"
    assert tokenizer.convert_tokens_to_string(["1", "4"]) == "AG"


# State


def test_use_leaves_no_trace(protein_tokenizer):
    before = Hasher.hash(protein_tokenizer), protein_tokenizer.backend_tokenizer.to_str()
    protein_tokenizer(RAGGED, padding=True, truncation=True, max_length=4).tokens()
    protein_tokenizer("ACGT", "MKT", seq_type="gene", seq_type_pair="prot", padding="max_length",
                      max_length=20, truncation=True, return_offsets_mapping=True)  # fmt: skip
    protein_tokenizer("[MASK]", split_special_tokens=True)
    protein_tokenizer.pad({"input_ids": [[1, 2], [3]]}, return_tensors="pt")
    assert before == (Hasher.hash(protein_tokenizer), protein_tokenizer.backend_tokenizer.to_str())


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies(protein_tokenizer, duplicate):
    other = duplicate(protein_tokenizer)
    assert other.seq_type == "prot"
    encoded = other(RAGGED)
    assert encoded["input_ids"] == protein_tokenizer(RAGGED)["input_ids"]
    assert duplicate(encoded).tokens(0) == ["[CLS]", "M", "K", "T", "[SEP]"]
    other.seq_type = "gene"
    assert protein_tokenizer("A")["input_ids"] == [2, 11, 3]


# With the rest of the ecosystem


@pytest.mark.parametrize("num_proc", [None, 2])
def test_dataset_map(tokenizer, num_proc):
    dataset = Dataset.from_dict({"seq": ["ACG", "MKT", "GU"], "kind": ["gene", "prot", "gene"]})
    mapped = dataset.map(
        lambda batch: tokenizer(batch["seq"], seq_type=batch["kind"]),
        batched=True,
        num_proc=num_proc,
    )
    assert mapped["input_ids"][:] == [[2, 5, 7, 8, 3], [2, 26, 21, 17, 3], [2, 8, 6, 3]]
    assert mapped["token_type_ids"][:] == [[0] * 5, [1] * 5, [0] * 4]


def test_pad(protein_tokenizer):
    features = [protein_tokenizer(text, return_special_tokens_mask=True) for text in RAGGED]
    features = [dict(feature, labels=index) for index, feature in enumerate(features)]
    batch = protein_tokenizer.pad(features, pad_to_multiple_of=4, return_tensors="pt")
    expected = protein_tokenizer(
        RAGGED, padding=True, pad_to_multiple_of=4, return_special_tokens_mask=True
    )
    for name, rows in expected.items():
        assert batch[name].tolist() == rows and batch[name].dtype == torch.int64
    assert batch["labels"].tolist() == [0, 1, 2]
    lists = protein_tokenizer.pad([dict(f, labels=0) for f in features])
    assert lists["input_ids"] == protein_tokenizer(RAGGED, padding=True)["input_ids"]
    assert protein_tokenizer.pad({"input_ids": []}, return_tensors="pt")["input_ids"] == []
    arrays = protein_tokenizer.pad({"input_ids": [np.array([2, 3]), np.array([2])]})
    assert arrays["input_ids"].tolist() == [[2, 3], [2, 0]]


def test_collators(protein_tokenizer):
    features = [dict(protein_tokenizer(text)) for text in RAGGED]
    batch = DataCollatorWithPadding(protein_tokenizer)(features)
    assert torch.equal(
        batch["input_ids"],
        protein_tokenizer(RAGGED, padding=True, return_tensors="pt")["input_ids"],
    )
    torch.manual_seed(0)
    masked = DataCollatorForLanguageModeling(protein_tokenizer, mlm_probability=0.5)(features)
    special = (batch["input_ids"] < 4) & (batch["input_ids"] != 1)
    assert (masked["labels"][special] == -100).all()
    assert (masked["labels"] != -100).any()
    labelled = [dict(f, labels=[0] * len(f["input_ids"])) for f in features]
    labels = DataCollatorForTokenClassification(protein_tokenizer)(labelled)["labels"]
    assert ((labels == -100) == (batch["attention_mask"] == 0)).all()


def test_save_and_load(tmp_path, protein_tokenizer):
    files = protein_tokenizer.save_pretrained(tmp_path)
    assert {Path(file).name for file in files} == {"tokenizer.json", "tokenizer_config.json"}
    shutil.copy(GOLDEN / "hub-tiny" / "config.json", tmp_path)
    for expected, kwargs in (("prot", {}), ("gene", {"seq_type": "RNA"})):
        loaded = AutoTokenizer.from_pretrained(tmp_path, **kwargs)
        assert type(loaded) is LucaOneTokenizerFast
        assert loaded.seq_type == expected
    with pytest.raises(ValueError, match="unknown seq_type 'lipid'"):
        AutoTokenizer.from_pretrained(tmp_path, seq_type="lipid")


def test_saved_default_follows_the_attribute(tmp_path, protein_tokenizer):
    protein_tokenizer.seq_type = "dna"
    protein_tokenizer.save_pretrained(tmp_path)
    assert LucaOneTokenizerFast.from_pretrained(tmp_path).seq_type == "gene"


@pytest.mark.parametrize("seq_type", ["gene", "prot", None])
def test_tokenizer_json_alone(tmp_path, tokenizer, seq_type):
    tokenizer.seq_type = seq_type
    tokenizer.save_pretrained(tmp_path)
    bare = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    generator = random.Random(0)
    letters = "ACGTUNacgtunMKLzq12345.-*é \n"
    texts = ["".join(generator.choices(letters, k=50)) + "[MASK]a[PAD]" for _ in range(20)]
    for text in texts:
        encoding = bare.encode(text)
        if seq_type is None:
            assert set(encoding.ids) <= {0, 1, 2, 3, 4}
            continue
        expected = tokenizer(text)
        assert encoding.ids == expected["input_ids"]
        assert encoding.type_ids == expected["token_type_ids"]
    if seq_type == "gene":
        assert bare.decode(bare.encode("acgu").ids) == "ACGT"


def test_published_layout(tmp_path):
    loaded = AutoTokenizer.from_pretrained(GOLDEN / "hub-tiny")
    assert type(loaded) is LucaOneTokenizerFast
    assert tokenizer_class_from_name("LucaGPLMTokenizer") is LucaOneTokenizerFast
    assert loaded("ACGU", seq_type="rna")["input_ids"] == [2, 5, 7, 8, 6, 3]
    loaded.save_pretrained(tmp_path)
    assert "auto_map" not in json.loads((tmp_path / "tokenizer_config.json").read_text())


@pytest.mark.parametrize("name", ["vocab.json", "tokenizer.json"])
def test_another_vocabulary(tmp_path, tokenizer, name):
    other = VOCABULARY | {"A": VOCABULARY["C"], "C": VOCABULARY["A"]}
    stored = other
    if name == "tokenizer.json":
        stored = json.loads(tokenizer.backend_tokenizer.to_str())
        stored["model"]["vocab"] = other
    (tmp_path / name).write_text(json.dumps(stored))
    with pytest.raises(ValueError, match=f"{name} is not the LucaOne vocabulary"):
        LucaOneTokenizerFast.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match="not the LucaOne vocabulary"):
        LucaOneTokenizerFast(vocab=other)


def test_works_copied_flat(tmp_path, monkeypatch):
    shutil.copy(Path(__file__).parents[2] / "tokenization" / "tokenization_lucaone.py", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    import tokenization_lucaone

    ids = tokenization_lucaone.LucaGPLMTokenizer(seq_type="prot")("MK")["input_ids"]
    assert ids == [2, 26, 21, 3]
