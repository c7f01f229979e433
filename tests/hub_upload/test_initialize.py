# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForMaskedLM,
    AutoModelForPreTraining,
    AutoTokenizer,
    EsmConfig,
    EsmForMaskedLM,
)

from hub_upload import CheckpointError, initialize
from hub_upload.checkpoints.initialization import ESM2_ROWS
from tokenization import LucaOneTokenizerFast

# The order of ESM-2's vocabulary, as its vocab.txt has it.
ESM2_TOKENS = ["<cls>", "<pad>", "<eos>", "<unk>", *"LAGVSERTIDPKQNFYMHWCXBUZO.-"]
ESM2_TOKENS += ["<null_1>", "<mask>"]
WIDTHS = {"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2}
TASK = {
    "gene_type": {
        "level": "span",
        "seq_type": "gene",
        "num_labels": 8,
        "hidden_size": 16,
        "problem_type": "single_label_classification",
        "weight": 0.2,
    }
}


def make_esm2(**fields) -> EsmForMaskedLM:
    torch.manual_seed(1)
    settings = {
        "vocab_size": 33,
        "mask_token_id": 32,
        "pad_token_id": 1,
        "hidden_size": 48,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 120,
        "position_embedding_type": "rotary",
        "token_dropout": False,
        "emb_layer_norm_before": False,
        "layer_norm_eps": 1e-5,
        **fields,
    }
    model = EsmForMaskedLM(EsmConfig(**settings))
    with torch.no_grad():
        for parameter in model.parameters():  # norms and biases too, which start as ones and zeros
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def published_form(model: EsmForMaskedLM, inv_freq: torch.Tensor) -> dict[str, torch.Tensor]:
    """The tensors as the published ESM-2 files have them, with frequencies in every block."""
    tensors = {name: t.clone() for name, t in model.state_dict().items() if "rotary" not in name}
    for block in range(model.config.num_hidden_layers):
        name = f"esm.encoder.layer.{block}.attention.self.rotary_embeddings.inv_freq"
        tensors[name] = inv_freq.clone()
    tensors["esm.embeddings.position_ids"] = torch.arange(8)[None]
    return tensors


@pytest.fixture(scope="module")
def esm2():
    return make_esm2()


@pytest.fixture
def folder(esm2, tmp_path):
    """A folder as the published ones; a test may spoil it."""
    source = tmp_path / "esm2"
    esm2.config.save_pretrained(source)
    rounded = (10000.0 ** -(torch.arange(0, 12, 2) / 12)).half().float()
    torch.save(published_form(esm2, rounded), source / "pytorch_model.bin")
    return source


def load_whole(auto_class, folder: Path):
    model, info = auto_class.from_pretrained(folder, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    return model.eval()


# --- random -------------------------------------------------------------------------------------


def test_fresh_model(tmp_path):
    report = initialize(tmp_path / "dest", seq_type="protein", **WIDTHS)
    assert (report.layout, report.blocks, report.tasks) == ("new", 2, [])
    model = load_whole(AutoModelForMaskedLM, tmp_path / "dest")
    assert report.parameters == sum(p.numel() for p in model.parameters())
    assert model.lm_head.decoder.weight is model.lucaone.embeddings.embed_tokens.weight
    assert not model.lucaone.embeddings.embed_tokens.weight[0].any()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "dest")
    assert tokenizer.seq_type == "prot"
    logits = model(**tokenizer(["MKT", "AC"], padding=True, return_tensors="pt")).logits
    assert logits.shape == (2, 5, 39) and logits.isfinite().all()
    assert [path.name for path in tmp_path.iterdir()] == ["dest"]


def test_annotation_heads(tmp_path):
    report = initialize(tmp_path / "dest", pretraining_tasks=TASK, **WIDTHS)
    assert report.classes[0] == "LucaOneForPreTraining"
    assert AutoTokenizer.from_pretrained(tmp_path / "dest").seq_type == "gene"
    model = load_whole(AutoModelForPreTraining, tmp_path / "dest")
    assert list(model.annotation_heads) == ["gene_type"]


def test_seed(tmp_path):
    state = torch.get_rng_state()
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        initialize(tmp_path / name, seed=seed, **WIDTHS)
    assert torch.equal(state, torch.get_rng_state())
    a, b, c = (load_file(tmp_path / name / "model.safetensors") for name in "abc")
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["lm_head.dense.weight"], c["lm_head.dense.weight"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_layers": 2}, "unknown field of the configuration: num_layers"),
        ({"seq_type": "rRNA"}, "'rRNA'"),
        ({"hidden_size": 66, "num_attention_heads": 4}, "66 does not divide into 4"),
        ({"hidden_size": "wide"}, "hidden_size"),
    ],
)
def test_bad_options(tmp_path, options, message):
    with pytest.raises(ValueError, match=message) as caught:
        initialize(tmp_path / "dest", **options)
    assert "\n" not in str(caught.value)
    assert not any(tmp_path.iterdir())


def test_destination_is_kept(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="is not empty"):
        initialize(tmp_path, **WIDTHS)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# --- from ESM-2 ---------------------------------------------------------------------------------


def test_rows_by_letter(esm2, folder, tmp_path):
    initialize(tmp_path / "dest", from_esm2=folder)
    initialize(tmp_path / "other", from_esm2=folder, seed=1)
    rows, other = (
        load_whole(AutoModelForMaskedLM, tmp_path / name).get_input_embeddings().weight
        for name in ("dest", "other")
    )
    theirs = esm2.esm.embeddings.word_embeddings.weight
    vocabulary = LucaOneTokenizerFast().get_vocab()
    names = {"<cls>": "[CLS]", "<pad>": "[PAD]", "<eos>": "[SEP]", "<unk>": "[UNK]"}
    names |= {"<mask>": "[MASK]", "<null_1>": "*"}
    for row, token in enumerate(ESM2_TOKENS):
        assert ESM2_ROWS[row] == vocabulary[names.get(token, token)]
        assert torch.equal(rows[ESM2_ROWS[row]], theirs[row]), token
    fresh = [5, 6, 7, 8, 9, vocabulary["J"]]
    assert sorted([*fresh, *ESM2_ROWS.values()]) == list(range(39))
    for row in fresh:
        assert not torch.equal(rows[row], other[row])


def test_blocks_and_head(esm2, folder, tmp_path):
    report = initialize(
        tmp_path / "dest", from_esm2=folder, num_hidden_layers=2, pretraining_tasks=TASK
    )
    assert (report.layout, report.blocks) == ("esm2", 2)
    model = load_whole(AutoModelForPreTraining, tmp_path / "dest")
    assert model.config.intermediate_size == 120
    pairs = [
        (model.lucaone.encoder.last_layer_norm, esm2.esm.encoder.emb_layer_norm_after),
        (model.lm_head.dense, esm2.lm_head.dense),
        (model.lm_head.layer_norm, esm2.lm_head.layer_norm),
    ]
    for ours, theirs in zip(model.lucaone.encoder.layers, esm2.esm.encoder.layer, strict=False):
        pairs += [
            (ours.pre_layer_norm, theirs.attention.LayerNorm),
            (ours.self_attn.q_proj, theirs.attention.self.query),
            (ours.self_attn.k_proj, theirs.attention.self.key),
            (ours.self_attn.v_proj, theirs.attention.self.value),
            (ours.self_attn.out_proj, theirs.attention.output.dense),
            (ours.post_layer_norm, theirs.LayerNorm),
            (ours.fc1, theirs.intermediate.dense),
            (ours.fc2, theirs.output.dense),
        ]
    assert len(pairs) == 3 + 2 * 8
    for ours, theirs in pairs:
        assert torch.equal(ours.weight, theirs.weight) and torch.equal(ours.bias, theirs.bias)
    assert not model.lm_head.bias.any()


def test_same_numbers_as_esm2(esm2, tmp_path):
    source = tmp_path / "esm2"
    esm2.save_pretrained(source)  # in whatever form the installed library writes
    initialize(tmp_path / "dest", from_esm2=source)
    model = load_whole(AutoModelForMaskedLM, tmp_path / "dest")
    assert model.config.layer_norm_eps == 1e-5
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "dest")
    proteins = ["MKTAYIAKQRQISFVKSHFSRQ[MASK]EERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQ", "ACDEFGHIKLMNPQ"]
    batch = tokenizer(proteins, seq_type="prot", padding=True, return_tensors="pt")
    to_esm2 = torch.zeros(39, dtype=torch.long)
    to_esm2[list(ESM2_ROWS.values())] = torch.tensor(list(ESM2_ROWS))
    mask = batch["attention_mask"]
    with torch.no_grad():
        model.lucaone.embeddings.embed_type.weight[1] = 0
        ours = model(**batch, output_hidden_states=True)
        hidden = model.lucaone(**batch).last_hidden_state
        ids = to_esm2[batch["input_ids"]]
        theirs = esm2.esm(ids, attention_mask=mask).last_hidden_state
        logits = esm2(ids, attention_mask=mask).logits - esm2.lm_head.bias
    for actual, expected in (
        (hidden, theirs),
        (ours.logits[..., list(ESM2_ROWS.values())], logits[..., list(ESM2_ROWS)]),
    ):
        actual, expected = actual[mask.bool()], expected[mask.bool()]
        assert (actual - expected).norm() / expected.norm() <= 2e-6


def test_rotary_frequencies(esm2, folder, tmp_path):
    report = initialize(tmp_path / "stored", from_esm2=folder)
    assert "stored" in report.notes[-1]
    tensors = torch.load(folder / "pytorch_model.bin", weights_only=True)
    names = [name for name in tensors if name.endswith("inv_freq")]
    stored = load_file(tmp_path / "stored" / "model.safetensors")
    for block in range(3):
        frequencies = stored[f"lucaone.encoder.layers.{block}.self_attn.rot_emb.inv_freq"]
        assert torch.equal(frequencies, tensors[names[0]])

    without = {name: tensor for name, tensor in tensors.items() if name not in names}
    torch.save(without, folder / "pytorch_model.bin")
    report = initialize(tmp_path / "computed", from_esm2=folder)
    assert "computed" in report.notes[-1]
    computed = load_file(tmp_path / "computed" / "model.safetensors")
    name = "lucaone.encoder.layers.0.self_attn.rot_emb.inv_freq"
    assert not torch.equal(computed[name], stored[name])
    torch.testing.assert_close(computed[name], stored[name], rtol=1e-3, atol=0.0)


def test_twenty_blocks_at_most(tmp_path):
    sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8}
    make_esm2(num_hidden_layers=22, **sizes).save_pretrained(tmp_path / "esm2")
    assert initialize(tmp_path / "a", from_esm2=tmp_path / "esm2").blocks == 20
    assert (
        initialize(tmp_path / "b", from_esm2=tmp_path / "esm2", num_hidden_layers=22).blocks == 22
    )


def test_shards(esm2, folder, tmp_path):
    tensors = torch.load(folder / "pytorch_model.bin", weights_only=True)
    initialize(tmp_path / "whole", from_esm2=folder)
    (folder / "pytorch_model.bin").unlink()
    tensors.pop("lm_head.decoder.weight")  # tied
    weight_map = {}
    for shard, names in enumerate((list(tensors)[:20], list(tensors)[20:]), 1):
        file = f"model-0000{shard}-of-00002.safetensors"
        save_file({name: tensors[name] for name in names}, folder / file)
        weight_map |= dict.fromkeys(names, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    initialize(tmp_path / "shards", from_esm2=folder)
    a, b = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "shards"))
    assert all(torch.equal(a[name], b[name]) for name in a)


def config(**fields):
    def change(source):
        content = json.loads((source / "config.json").read_text())
        (source / "config.json").write_text(json.dumps(content | fields))

    return change


def tensors(change):
    def spoil(source):
        stored = torch.load(source / "pytorch_model.bin", weights_only=True)
        torch.save(change(stored), source / "pytorch_model.bin")

    return spoil


NORM = "esm.encoder.emb_layer_norm_after.weight"
FREQUENCIES = "esm.encoder.layer.1.attention.self.rotary_embeddings.inv_freq"
ERRORS = {
    "no folder": (lambda source: (source / "config.json").unlink(), {}, "has no config.json"),
    "another model": (config(model_type="bert"), {}, r"config\.json: model_type is 'bert'"),
    "ESM-1b": (
        config(position_embedding_type="absolute"),
        {},
        r"config\.json: position_embedding_type is 'absolute'; ESM-2 has 'rotary'",
    ),
    "norm before": (config(emb_layer_norm_before=True), {}, r"config\.json: emb_layer_norm_before"),
    "vocabulary": (config(vocab_size=64), {}, r"config\.json: vocab_size is 64"),
    "too many blocks": (config(), {"num_hidden_layers": 4}, "ESM-2 has 3 blocks here, not the 4"),
    "width given": (config(), {"hidden_size": 64}, "hidden_size comes from the ESM-2"),
    "width": (config(hidden_size=96), {}, r"pytorch_model\.bin: tensor esm\.\S+ is \(48"),
    "no weights": (
        lambda source: (source / "pytorch_model.bin").unlink(),
        {},
        r"has no model\.safetensors or pytorch_model\.bin",
    ),
    "missing tensor": (
        tensors(lambda stored: {n: t for n, t in stored.items() if n != NORM}),
        {},
        rf"pytorch_model\.bin: tensor {NORM} is missing",
    ),
    "no LM head": (
        tensors(lambda stored: {n: t for n, t in stored.items() if "lm_head" not in n}),
        {},
        r"pytorch_model\.bin: tensor lm_head\.\S+ is missing",
    ),
    "frequencies": (
        tensors(lambda stored: {**stored, FREQUENCIES: stored[FREQUENCIES] * 2}),
        {},
        r"rotary frequencies \S+ and \S+ differ",
    ),
    "objects": (
        tensors(lambda stored: {**stored, "path": Path()}),
        {},
        r"pytorch_model\.bin: damaged, or it holds pickled objects",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_esm2_errors(folder, tmp_path, case):
    spoil, options, message = ERRORS[case]
    spoil(folder)
    with pytest.raises(ValueError, match=message) as caught:
        initialize(tmp_path / "dest", from_esm2=folder, **options)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["esm2"]
