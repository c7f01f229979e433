# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Trained heads put on an encoder. Their golden numbers are in tests/modeling_lucaone."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import lucaone_cli
from hub_upload import CheckpointError, convert, convert_head, initialize
from modeling_lucaone import (
    AutoModelForPairClassification,
    LucaOneForSequenceClassification,
    LucaOneModel,
)
from tests.helpers import GOLDEN, GOLDEN_LIMIT, relative_l2

HEADS = GOLDEN / "downstream-heads"
SINGLE = ("single-multiclass-max", "single-regression-value_attention")
PAIRS = ("homogeneous-pair-value_attention", "heterogeneous-pair-value_attention")
DNA = ["ATGGCGTTTAGC", "ACG", "TTGACGNNACGTACGATCGA"]
PROTEINS = ["MKTAYIAKQRQISFVK", "MX", "MSKGEELFTGVV"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    dest = tmp_path_factory.mktemp("encoder") / "lucaone"
    convert(GOLDEN / "hub-tiny", dest)
    return dest


@pytest.fixture
def head(tmp_path):
    """A copy of a head that a test may spoil."""
    return Path(shutil.copytree(HEADS / PAIRS[1], tmp_path / "head"))


def edit_config(folder, **fields):
    file = folder / "config.json"
    content = json.loads(file.read_text()) | fields
    file.write_text(json.dumps({k: v for k, v in content.items() if v != "gone"}))


def edit_tensors(folder, change):
    tensors = dict(torch.load(folder / "pytorch.pth", weights_only=True))
    change(tensors)
    torch.save(tensors, folder / "pytorch.pth")


def label_file(folder, names, header="label"):
    file = folder / "label.txt"
    file.write_text("".join(f"{line}\n" for line in (header, *names)))
    return file


def load(folder):
    """Load a converted head with its tokenizer; nothing may be missing or left over."""
    pair = "Pair" in json.loads((folder / "config.json").read_text())["architectures"][0]
    auto_class = AutoModelForPairClassification if pair else AutoModelForSequenceClassification
    model, report = auto_class.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values())
    return model.eval(), AutoTokenizer.from_pretrained(folder)


# --- from sequence to probability -------------------------------------------------------------


def summary_by_hand(weights, pooling, side, rows):
    """Pool rows and apply the layer behind it, by the formulas of facts 6.1."""
    if pooling == "max":
        pooled = rows.max(dim=0).values
    else:
        U, V, W = (weights[f"matrix_pooler{side}.{name}"] for name in "UVW")
        attention = (torch.tanh(rows @ U + rows @ V) @ W).softmax(dim=0)
        pooled = (attention * rows).sum(dim=0)
    layer = f"linear{side}.0.0"
    return F.gelu(pooled @ weights[f"{layer}.weight"].T + weights[f"{layer}.bias"])


@pytest.mark.parametrize("name", [*SINGLE, *PAIRS])
def test_from_sequences_to_logits(encoder, tmp_path, name):
    convert_head(HEADS / name, tmp_path / "model", encoder=encoder)
    model, tokenizer = load(tmp_path / "model")
    stored = torch.load(HEADS / name / "pytorch.pth", weights_only=True)
    weights = {key: tensor.double() for key, tensor in stored.items()}
    pooling = json.loads((HEADS / name / "config.json").read_text())["pooling"]
    sides = {"": (PROTEINS, "prot")}
    if name in PAIRS:
        sides = {"_a": (DNA, "gene"), "_b": (PROTEINS, "prot")}

    inputs, summaries = {}, []
    for side, (sequences, seq_type) in sides.items():
        tokens = tokenizer(sequences, seq_type=seq_type, padding=True, return_tensors="pt")
        inputs |= {f"{key}{side}": tensor for key, tensor in tokens.items()}
        published_side = side if name == PAIRS[1] else ""
        with torch.no_grad():
            hidden = model.lucaone(**tokens).last_hidden_state.double()
        rows = [matrix[1 : len(text) + 1] for matrix, text in zip(hidden, sequences, strict=True)]
        summaries.append(
            torch.stack(
                [
                    # The published pipeline puts two rows of zeros around a sequence.
                    summary_by_hand(weights, pooling, published_side, F.pad(r, (0, 0, 1, 1)))
                    for r in rows
                ]
            )
        )
    wide = torch.cat(summaries, dim=-1) @ weights["hidden_layer.weight"].T
    expected = F.gelu(wide + weights["hidden_layer.bias"]) @ weights["classifier.weight"].T
    expected = expected + weights["classifier.bias"]
    with torch.no_grad():
        assert relative_l2(model(**inputs).logits, expected) < GOLDEN_LIMIT


# --- what is stored ---------------------------------------------------------------------------


def test_a_single_network(encoder, tmp_path):
    names = ["cytoplasm", "membrane", "periplasm", "wall", "outside"]
    report = convert_head(
        HEADS / SINGLE[0],
        tmp_path / "model",
        encoder=encoder,
        labels=label_file(tmp_path, names),
        seq_type="protein",
    )
    assert report.classes == ["LucaOneForSequenceClassification", "LucaOneModel"]
    assert report.layout == "head"
    assert report.notes == [
        "config.json says classifier_size 16, but hidden_layer is 1024 wide, which counts"
    ]
    model, tokenizer = load(tmp_path / "model")
    config = model.config
    assert config.problem_type == "single_label_classification"
    assert config.classifier_pooling == "max" and config.pooling_zero_special_rows
    assert config.classifier_hidden_size == 1024 and config.classifier_fc_size == 16
    assert config.seq_types == ["prot"] and config.pos_weight is None
    assert config.label_names == {"classifier": names}
    assert config.id2label == dict(enumerate(names))
    assert config.label2id["wall"] == 3
    assert tokenizer("MK")["input_ids"] == tokenizer("MK", seq_type="prot")["input_ids"]
    body = LucaOneModel.from_pretrained(encoder).state_dict()
    assert all(torch.equal(t, body[name]) for name, t in model.lucaone.state_dict().items())


@pytest.mark.parametrize("name", PAIRS)
def test_pairs(encoder, tmp_path, name):
    labels = label_file(tmp_path, ["not_encoded", "encoded"])
    seq_type = "prot" if name == PAIRS[0] else None
    report = convert_head(
        HEADS / name, tmp_path / "model", encoder=encoder, labels=labels, seq_type=seq_type
    )
    assert report.classes[0] == "LucaOneForPairClassification" and not report.notes
    model, _ = load(tmp_path / "model")
    config = model.config
    assert config.pair_kind == name.partition("-")[0]
    assert (config.num_labels, config.pos_weight) == (1, 2.0)
    assert config.problem_type == "multi_label_classification"
    assert config.label_names == {"classifier": ["not_encoded", "encoded"]}
    assert config.id2label == {0: "encoded"}
    assert config.seq_types == (["prot", "prot"] if seq_type else None)


def test_a_regression_has_no_label_names(encoder, tmp_path):
    report = convert_head(HEADS / SINGLE[1], tmp_path / "model", encoder=encoder)
    assert not any("label" in note for note in report.notes)
    assert load(tmp_path / "model")[0].config.problem_type == "regression"
    labels = label_file(tmp_path, ["stability"])
    with pytest.raises(CheckpointError, match=r"label.txt: label names are given, but the head"):
        convert_head(HEADS / SINGLE[1], tmp_path / "again", encoder=encoder, labels=labels)


def test_labels_of_a_csv_and_its_header(encoder, tmp_path):
    file = tmp_path / "label.csv"
    file.write_text("label\nno\nyes\n")
    convert_head(HEADS / PAIRS[0], tmp_path / "model", encoder=encoder, labels=file)
    assert load(tmp_path / "model")[0].config.label_names == {"classifier": ["no", "yes"]}


def test_the_encoder_of_a_model_with_another_head(encoder, tmp_path):
    other = LucaOneForSequenceClassification.from_pretrained(
        encoder, num_labels=3, seq_types=["gene"], class_weights=[1.0, 2.0, 3.0], max_residues=[9]
    )
    other.save_pretrained(tmp_path / "other")
    convert_head(HEADS / SINGLE[0], tmp_path / "model", encoder=tmp_path / "other")
    convert_head(HEADS / SINGLE[0], tmp_path / "plain", encoder=encoder)
    (ours, _), (plain, _) = load(tmp_path / "model"), load(tmp_path / "plain")
    configs = [(tmp_path / name / "config.json").read_text() for name in ("model", "plain")]
    assert configs[0] == configs[1]
    state, expected = ours.state_dict(), plain.state_dict()
    assert all(torch.equal(state[name], expected[name]) for name in expected)


def test_the_encoder_of_a_model_without_a_head(encoder, tmp_path):
    LucaOneModel.from_pretrained(encoder).save_pretrained(tmp_path / "bare", max_shard_size="100KB")
    assert (tmp_path / "bare" / "model.safetensors.index.json").exists()
    convert_head(HEADS / SINGLE[0], tmp_path / "model", encoder=tmp_path / "bare")
    body = LucaOneModel.from_pretrained(encoder).state_dict()
    model, _ = load(tmp_path / "model")
    assert all(torch.equal(t, body[name]) for name, t in model.lucaone.state_dict().items())


def test_the_head_follows_the_dtype_of_its_encoder(tmp_path):
    convert(GOLDEN / "hub-tiny", tmp_path / "encoder", dtype="bfloat16")
    report = convert_head(HEADS / SINGLE[0], tmp_path / "model", encoder=tmp_path / "encoder")
    assert "the head was torch.float32 and is torch.bfloat16 now, as its encoder" in report.notes
    stored = load_file(tmp_path / "model" / "model.safetensors")
    kinds = {t.dtype for name, t in stored.items() if not name.endswith("rot_emb.inv_freq")}
    assert kinds == {torch.bfloat16}


def test_saved_from_several_gpus(head, encoder, tmp_path):
    def prefixed(tensors):
        for name in list(tensors):
            tensors[f"module.{name}"] = tensors.pop(name)

    edit_tensors(head, prefixed)
    convert_head(head, tmp_path / "model", encoder=encoder)
    convert_head(HEADS / PAIRS[1], tmp_path / "plain", encoder=encoder)
    (ours, _), (plain, _) = load(tmp_path / "model"), load(tmp_path / "plain")
    state, expected = ours.state_dict(), plain.state_dict()
    assert all(torch.equal(state[name], expected[name]) for name in expected)


# --- what cannot be right ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"network": "LucaX"}, "network is 'LucaX'; known: LucaBase, LucaPPI, LucaPPI2"),
        ({"network": "gone"}, "there is no network"),
        ({"network": "LucaPPI"}, "tensor linear.0.0.bias (and 4 more) is missing"),
        ({"pooling": "avg"}, "pooling is 'avg'"),
        ({"pooling": "max"}, "tensor matrix_pooler_a.U (and 5 more) has no place in the model"),
        ({"activation": "tanh"}, "activation is 'tanh'; known: gelu"),
        ({"output_mode": "ranking"}, "output_mode 'ranking' with loss 'bce' is not known"),
        ({"loss": "focal_loss"}, "output_mode 'binary_class' with loss 'focal_loss'"),
        ({"num_labels": 3}, "num_labels is 3 of a binary_class"),
        ({"num_labels": 0}, "num_labels is 0, not a positive whole number"),
        ({"fc_size": None}, "tensor linear_a.0.0.bias (and 3 more) has no place in the model"),
        ({"fc_size": 8}, "tensor linear_a.0.0.weight is (16, 64), but by the configuration"),
        ({"embedding_size": 32}, "embedding_size is 32, but "),
        ({"embedding_size": "64"}, "embedding_size is '64', not a positive whole number"),
        ({"pos_weight": 3.0}, "pos_weight is [2.0], but config.json says 3.0"),
        ({"pos_weight": None}, "pos_weight is [2.0], but config.json says None"),
        ({"pos_weight": "2"}, "pos_weight is '2', not a number"),
    ],
)
def test_configurations_of_no_such_head(head, encoder, tmp_path, fields, message):
    edit_config(head, **fields)
    with pytest.raises(CheckpointError) as error:
        convert_head(head, tmp_path / "model", encoder=encoder)
    assert message in str(error.value) and "\n" not in str(error.value)
    assert str(head) in str(error.value)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("linear_b.0.0.bias"), "tensor linear_b.0.0.bias is missing"),
        (lambda t: t.pop("hidden_layer.weight"), "tensor hidden_layer.weight is missing"),
        (lambda t: t.update(extra=torch.ones(1)), "tensor extra has no place"),
        (lambda t: t.update({"classifier.bias": torch.ones(2)}), "tensor classifier.bias is (2,)"),
        (
            lambda t: t.update({"hidden_layer.weight": torch.ones(16)}),
            "hidden_layer.weight is (16,)",
        ),
        (lambda t: t.update({"classifier.bias": torch.ones(1).long()}), "is of dtype torch.int64"),
        (
            lambda t: t.update({"encoder_a.layers.0.fc1.weight": torch.ones(1)}),
            "there is an encoder in the head (tensor encoder_a.layers.0.fc1.weight)",
        ),
    ],
)
def test_tensors_of_no_such_head(head, encoder, tmp_path, change, message):
    edit_tensors(head, change)
    with pytest.raises(CheckpointError) as error:
        convert_head(head, tmp_path / "model", encoder=encoder)
    assert message in str(error.value) and str(head / "pytorch.pth") in str(error.value)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["yes"], "1 label names below the header, but the head has 2 labels"),
        (["no", "yes", "maybe"], "3 label names"),
        (["yes", "yes"], "empty or there twice"),
        (["", "yes"], "empty or there twice"),
    ],
)
def test_label_names_that_do_not_fit(head, encoder, tmp_path, names, message):
    with pytest.raises(CheckpointError, match=message):
        convert_head(head, tmp_path / "model", encoder=encoder, labels=label_file(tmp_path, names))


def test_encoders_that_are_none(head, tmp_path):
    def message(encoder):
        with pytest.raises(CheckpointError) as error:
            convert_head(head, tmp_path / "model", encoder=encoder)
        assert "\n" not in str(error.value)
        return str(error.value)

    assert "has no config.json" in message(tmp_path / "none")
    assert "lucaone convert makes such a folder" in message(GOLDEN / "original-tiny")
    small = tmp_path / "small"
    initialize(small, hidden_size=32, num_hidden_layers=1, num_attention_heads=4)
    assert "embedding_size is 64, but" in message(small)
    edit_config(small, hidden_size=64)
    assert "embed_tokens.weight is (39, 32), but by the configuration" in message(small)
    (small / "model.safetensors").write_bytes(b"damaged")
    assert "model.safetensors: damaged" in message(small)
    (small / "config.json").write_text('{"model_type": "lucaone", "hidden_size": 30}')
    assert "hidden_size 30 does not divide" in message(small)
    assert not (tmp_path / "model").exists()


def test_an_incomplete_encoder(head, encoder, tmp_path):
    shutil.copytree(encoder, tmp_path / "encoder")
    edit_config(tmp_path / "encoder", num_hidden_layers=4)
    with pytest.raises(
        CheckpointError, match=r"tensor lucaone\.encoder\.layers\.3\.\S+ .*is missing"
    ):
        convert_head(head, tmp_path / "model", encoder=tmp_path / "encoder")
    edit_config(tmp_path / "encoder", num_hidden_layers=3, hidden_act="relu")
    with pytest.raises(CheckpointError, match="hidden_act is 'relu', not 'gelu'"):
        convert_head(head, tmp_path / "model", encoder=tmp_path / "encoder")
    edit_config(tmp_path / "encoder", num_hidden_layers=2)
    with pytest.raises(CheckpointError, match=r"layers\.2\.\S+ .*has no place in the model"):
        convert_head(head, tmp_path / "model", encoder=tmp_path / "encoder")


def test_options_that_cannot_be_right(encoder, tmp_path):
    with pytest.raises(ValueError, match="fish"):
        convert_head(HEADS / SINGLE[0], tmp_path / "model", encoder=encoder, seq_type="fish")
    with pytest.raises(CheckpointError, match="pairs of two kinds"):
        convert_head(HEADS / PAIRS[1], tmp_path / "model", encoder=encoder, seq_type="gene")
    with pytest.raises(CheckpointError, match="holds a trained head; give its encoder"):
        convert(HEADS / PAIRS[1], tmp_path / "model")
    with pytest.raises(CheckpointError, match="is not empty"):
        convert_head(HEADS / PAIRS[1], encoder, encoder=encoder)


def test_on_the_command_line(encoder, tmp_path, capsys):
    head, dest = str(HEADS / PAIRS[1]), str(tmp_path / "model")
    arguments = ["convert", head, dest, "--encoder", str(encoder)]
    assert lucaone_cli.main([*arguments, "--dtype", "bfloat16"]) == 2
    assert "--dtype has no meaning with --encoder" in capsys.readouterr().err
    assert lucaone_cli.main(arguments) == 0
    assert "LucaOneForPairClassification" in capsys.readouterr().out
    load(tmp_path / "model")
    assert lucaone_cli.main(arguments) == 1
    assert capsys.readouterr().err.count("\n") == 1
