# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Features of encoders other than LucaOne."""

import json
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer, T5Config

from finetune.features import FeatureStore, TypedSequence, hub_encoder, open_backbone
from tests.helpers import SAME_LIMIT, relative_l2

PROTEINS = [
    TypedSequence("prot", text) for text in ("MKTAYIAKQR", "M", "MSKGEELFTGVVPILVELDGDVNG", "ACDW")
]
DNA = TypedSequence("gene", "ACGTTGCA")
K_MERS = ("A", "C", "G", "T", "AC", "GT", "TG", "CA", "ACG", "TTG")


def open_store(folder, encoder, rows="residues", **options):
    return FeatureStore(folder / "store", open_backbone(str(encoder), rows=rows, **options))


@pytest.fixture
def passes(monkeypatch):
    """The shape of each batch that goes through an encoder."""
    shapes = []
    load = hub_encoder.HubEncoder._load

    def load_and_watch(self):
        model, tokenizer = load(self)
        model.register_forward_pre_hook(
            lambda _, arguments, inputs: shapes.append(tuple(inputs["input_ids"].shape)),
            with_kwargs=True,
        )
        return model, tokenizer

    monkeypatch.setattr(hub_encoder.HubEncoder, "_load", load_and_watch)
    return shapes


def alone(folder, text, rows="residues"):
    """Features of a text that goes through the encoder alone; all tokens but the outer two."""
    model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        hidden = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
    inner = hidden[1:-1]
    return {
        "residues": inner,
        "mean": inner.mean(0, keepdim=True),
        "max": inner.amax(0, keepdim=True),
        "cls": hidden[:1],
    }[rows]


@pytest.mark.parametrize("rows", ["residues", "mean", "max", "cls"])
@pytest.mark.parametrize("kind", ["bert", "esm"])
def test_features_in_padded_batches(tmp_path, tiny_bert, tiny_esm, passes, kind, rows):
    folder = {"bert": tiny_bert, "esm": tiny_esm}[kind]()
    store = open_store(tmp_path, folder, rows)
    report = store.fill(PROTEINS * 2)
    assert (report.distinct, report.computed, report.notes) == (4, 4, [])
    assert passes == [(4, 26)]
    for sequence in PROTEINS:
        features = store[sequence]
        assert features.dtype == torch.float32
        assert features.shape == (len(sequence.text) if rows == "residues" else 1, 16)
        assert relative_l2(features, alone(folder, sequence.text, rows)) < SAME_LIMIT
    assert open_store(tmp_path, folder, rows).fill(reversed(PROTEINS)).reused == 4
    assert len(passes) == 1


def test_rows_are_tokens_and_not_letters(tmp_path, tiny_bert):
    folder = tiny_bert(K_MERS)
    store = open_store(tmp_path, folder)
    store.fill([DNA])
    assert store[DNA].shape == (3, 16)  # ACG TTG CA
    assert relative_l2(store[DNA], alone(folder, DNA.text)) < SAME_LIMIT


def test_letters_with_spaces_between_where_the_tokenizer_wants_them(tmp_path, tiny_bert):
    folder = tiny_bert(continued=False)
    store = open_store(tmp_path, folder)
    store.fill(PROTEINS)
    for sequence in PROTEINS:
        assert relative_l2(store[sequence], alone(folder, " ".join(sequence.text))) < SAME_LIMIT


@pytest.mark.parametrize(
    ("letters", "read"), [("ACGT", "ACGTTGCA"), ("ACGTU", "ACGTTGCA"), ("ACGU", "ACGUUGCA")]
)
def test_uracil_is_thymine_unless_only_uracil_is_known(tmp_path, tiny_bert, letters, read):
    folder = tiny_bert(tuple(letters))
    store = open_store(tmp_path, folder)
    for text in ("ACGUUGCA", "acgttgca"):
        sequence = TypedSequence("gene", text)
        store.fill([sequence])
        assert relative_l2(store[sequence], alone(folder, read)) < SAME_LIMIT


def test_uracil_of_a_protein_is_selenocysteine(tmp_path, tiny_bert):
    folder = tiny_bert((*"ACDEFGHIKLMNPQRSVWYU",), continued=False)
    store = open_store(tmp_path, folder)
    sequence = TypedSequence("prot", "MUTK")
    store.fill([sequence])  # T is unknown here, and stays it
    assert relative_l2(store[sequence], alone(folder, "M U T K")) < SAME_LIMIT


def test_words_that_are_too_long_for_the_tokenizer_are_spaced(tmp_path, tiny_bert):
    """WordPiece reads no word of more than 100 letters."""
    folder = tiny_bert(words_of=100)
    store = open_store(tmp_path, folder)
    long = TypedSequence("prot", "MKTAYIAKQR" * 11)
    assert store.fill([long, *PROTEINS]).notes == []
    assert store[long].shape == (110, 16)
    assert relative_l2(store[long], alone(folder, " ".join(long.text))) < SAME_LIMIT


def test_sequences_of_which_nothing_is_known_are_counted(tmp_path, tiny_bert):
    """One unknown letter makes a word unknown."""
    store = open_store(tmp_path, tiny_bert())
    report = store.fill([*PROTEINS, TypedSequence("prot", "MKJ")])
    assert report.notes == ["1 of 5 sequences are nothing but unknown tokens to bert"]


@pytest.mark.parametrize(
    ("tokens", "sequence", "what"),
    [
        (K_MERS, PROTEINS[0], r"proteins \(prot\)"),
        ("MKLY", DNA, r"nucleic acids \(gene\)"),
        (("MKTAY", "##IAKQR"), PROTEINS[0], r"proteins \(prot\)"),
    ],
)
def test_a_molecule_type_that_the_tokenizer_does_not_read(
    tmp_path, tiny_bert, passes, tokens, sequence, what
):
    store = open_store(tmp_path, tiny_bert(tuple(tokens)))
    with pytest.raises(ValueError, match=f"bert: its tokenizer does not know most .* {what}"):
        store.fill([sequence])
    assert passes == []


@pytest.mark.parametrize(
    ("make", "longest"),
    [
        (lambda bert, esm: bert(positions=12), 12),
        (lambda bert, esm: bert(positions=512, limit=10), 10),
        (lambda bert, esm: esm(positions=14, kind="absolute"), 12),  # 2 rows are of padding
    ],
)
def test_what_is_longer_than_the_positions_is_cut(tmp_path, tiny_bert, tiny_esm, make, longest):
    folder = make(tiny_bert, tiny_esm)
    store = open_store(tmp_path, folder)
    report = store.fill(PROTEINS)
    cut = sum(len(sequence.text) + 2 > longest for sequence in PROTEINS)
    assert report.notes == [
        f"{cut} of 4 sequences are longer than the {longest} tokens that {folder.name} reads, "
        "and were cut"
    ]
    for sequence in PROTEINS:
        text = sequence.text[: longest - 2]
        assert relative_l2(store[sequence], alone(folder, text)) < SAME_LIMIT


def test_batches_keep_to_the_budget_of_tokens(tmp_path, tiny_bert, passes):
    store = open_store(tmp_path, tiny_bert(), tokens_per_batch=30)
    store.fill(PROTEINS)
    assert passes == [(1, 26), (2, 12), (1, 3)]


def test_a_batch_that_does_not_fit_is_halved(tmp_path, tiny_bert, monkeypatch, passes):
    forward = hub_encoder.AutoModel.from_pretrained(tiny_bert()).__class__.forward

    def small(self, input_ids, attention_mask):
        if input_ids.numel() > 60:
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, input_ids=input_ids, attention_mask=attention_mask)

    monkeypatch.setattr("transformers.BertModel.forward", small)
    folder = tmp_path / "bert"
    store = open_store(tmp_path, folder, device="cpu")
    report = store.fill(PROTEINS)
    assert passes == [(4, 26), (2, 26), (2, 6)]
    assert report.notes == [
        "out of memory on cpu with 104 tokens per batch; went on with 52",
    ]
    for sequence in PROTEINS:
        monkeypatch.undo()
        assert relative_l2(store[sequence], alone(folder, sequence.text)) < SAME_LIMIT


def test_a_sequence_that_does_not_fit_alone(tmp_path, tiny_bert, monkeypatch):
    def full(self, input_ids, attention_mask):
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr("transformers.BertModel.forward", full)
    store = open_store(tmp_path, tiny_bert(), device="cpu")
    with pytest.raises(ValueError, match="bert: a sequence of 26 tokens does not fit into the mem"):
        store.fill(PROTEINS)


@pytest.mark.parametrize("rows", ["residues", "mean"])
def test_a_kill_loses_one_part(tmp_path, tiny_bert, monkeypatch, passes, rows):
    monkeypatch.setattr(hub_encoder, "PART_LETTERS", 12)
    folder = tiny_bert()
    store = open_store(tmp_path, folder, rows)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        run = hub_encoder._Run.run

        def run_or_stop(self, batch):
            if len(passes) == 2:
                raise KeyboardInterrupt
            return run(self, batch)

        patch.setattr(hub_encoder._Run, "run", run_or_stop)
        store.fill(PROTEINS)
    assert passes == [(1, 26), (1, 12)]
    store = open_store(tmp_path, folder, rows)
    assert [sequence in store for sequence in PROTEINS] == [True, False, True, False]
    assert store.fill(PROTEINS).computed == 2
    assert passes[2:] == [(2, 6)]
    for sequence in PROTEINS:
        assert relative_l2(store[sequence], alone(folder, sequence.text, rows)) < SAME_LIMIT


def test_what_decides_the_numbers_has_a_key_of_its_own(tmp_path, tiny_bert):
    first = tiny_bert()
    keys = [open_backbone(str(first), **options).key for options in ({}, {"dtype": "bfloat16"})]
    keys += [open_backbone(str(first), rows="mean").key]
    assert open_backbone(str(first), dtype="float32", device="cpu").key == keys[0]
    assert open_backbone(str(tiny_bert(name="same"))).key == keys[0]
    keys += [open_backbone(str(tiny_bert(name="other", positions=99))).key]
    keys += [open_backbone(str(tiny_bert(name="tokens", limit=99))).key]
    weights = load_file(first / "model.safetensors")
    weights["embeddings.LayerNorm.weight"] *= 2
    save_file(weights, first / "model.safetensors", {"format": "pt"})
    keys += [open_backbone(str(first)).key]
    assert len(set(keys)) == len(keys)


def test_half_precision_is_stored_as_fp32(tmp_path, tiny_bert):
    folder = tiny_bert()
    store = open_store(tmp_path, folder, dtype="bfloat16")
    store.fill(PROTEINS)
    expected = alone(folder, PROTEINS[0].text)
    assert store[PROTEINS[0]].dtype == torch.float32
    assert 1e-4 < relative_l2(store[PROTEINS[0]], expected) < 0.05


@pytest.mark.parametrize("missing", ["embeddings.LayerNorm.weight", "pooler.dense.bias"])
def test_a_tensor_is_missing(tmp_path, tiny_bert, missing):
    folder = tiny_bert()
    weights = load_file(folder / "model.safetensors")
    del weights[missing]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    store = open_store(tmp_path, folder)
    if missing.startswith("pooler"):  # it is no part of what is used
        assert store.fill(PROTEINS).computed == 4
        return
    with pytest.raises(ValueError, match=f"bert: tensor {missing} is missing"):
        store.fill(PROTEINS)


def test_what_is_no_encoder(tmp_path):
    folder = tmp_path / "t5"
    T5Config(d_model=16).save_pretrained(folder)
    with pytest.raises(ValueError, match="t5: a model of type 't5' is no encoder"):
        open_backbone(str(folder))


def test_a_folder_without_weights_or_with_damaged_ones(tmp_path, tiny_bert):
    folder = tiny_bert()
    (folder / "model.safetensors").write_bytes(b"nothing")
    store = open_store(tmp_path, folder)
    with pytest.raises(ValueError, match="bert: ") as error:
        store.fill(PROTEINS)
    assert "\n" not in str(error.value)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="bert: holds no weights"):
        open_store(tmp_path, folder)


def test_without_a_row_of_cls(tmp_path, tiny_bert):
    folder = tiny_bert()
    stored = json.loads((folder / "tokenizer.json").read_text())
    stored["post_processor"] = None
    (folder / "tokenizer.json").write_text(json.dumps(stored))
    with pytest.raises(ValueError, match=r"bert: no sequence of it begins with \[CLS\]"):
        open_store(tmp_path, folder, "cls").fill(PROTEINS)


def test_code_of_a_repository_runs_only_where_it_is_trusted(tmp_path, tiny_bert, monkeypatch):
    # The library copies such code into a cache, from where it is imported.
    cache = "transformers.dynamic_module_utils.HF_MODULES_CACHE"
    monkeypatch.setattr(cache, str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    folder = tiny_bert()
    (folder / "own.py").write_text(
        "from transformers import BertConfig, BertModel\n"
        "class OwnConfig(BertConfig):\n    model_type = 'own'\n"
        "class OwnModel(BertModel):\n    config_class = OwnConfig\n"
        "    def forward(self, input_ids=None, attention_mask=None):\n"
        "        return (super().forward(input_ids, attention_mask).last_hidden_state + 1, None)\n"
    )
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "own",
        "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="bert: ") as error:
        open_store(tmp_path, folder)
    assert "\n" not in str(error.value)
    plain = tiny_bert(name="plain")
    store = open_store(tmp_path, folder, trust_remote_code=True)
    store.fill(PROTEINS[:1])
    expected = alone(plain, PROTEINS[0].text) + 1
    assert relative_l2(store[PROTEINS[0]], expected) < SAME_LIMIT


def test_from_the_hub(tmp_path, tiny_bert, monkeypatch):
    """Weights as safetensors where there are such; code only where it is trusted."""
    folder, asked = tiny_bert(), []

    def fetch(name, revision, allow_patterns):
        asked.append((name, revision, allow_patterns))
        return str(folder)

    monkeypatch.setattr(hub_encoder, "snapshot_download", fetch)
    monkeypatch.setattr("finetune.features.backbones._model_type", lambda *_: "bert")
    backbone = open_backbone("someone/bert", revision="v1")
    assert backbone.name == "someone/bert"
    assert asked == [("someone/bert", "v1", ["*.json", "*.txt", "*.model", "*.safetensors"])]
    assert backbone.key == open_backbone(str(folder)).key
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    open_backbone("someone/bert", trust_remote_code=True)
    assert [patterns[-2:] for *_, patterns in asked[1:]] == [
        ["*.py", "*.safetensors"],
        ["*.py", "*.bin"],
    ]
