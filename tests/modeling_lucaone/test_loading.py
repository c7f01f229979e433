# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The Auto classes, the tied head, and what a checkpoint may look like."""

import json
import subprocess
import sys

import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors.torch import load_file, save_file
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForPreTraining,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)

import modeling_lucaone
from modeling_lucaone import (
    AutoModelForPairClassification,
    LucaOneConfig,
    LucaOneForMaskedLM,
    LucaOneForPairClassification,
    LucaOneForPreTraining,
    LucaOneForSequenceClassification,
    LucaOneForTokenClassification,
    LucaOneModel,
)
from tests.helpers import GOLDEN, REPOSITORY, TASKS, random_batch, tiny_config
from tokenization import LucaOneTokenizerFast

HUB = GOLDEN / "hub-tiny"
DECODER, TOKENS = "lm_head.decoder.weight", "lucaone.embeddings.embed_tokens.weight"


def copy_of_hub(folder, change):
    """Write the published layout with some tensors changed."""
    tensors = load_file(HUB / "model.safetensors")
    change(tensors)
    (folder / "config.json").write_text((HUB / "config.json").read_text())
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.mark.parametrize(
    ("auto_class", "model_class"),
    [
        (AutoModel, LucaOneModel),
        (AutoModelForMaskedLM, LucaOneForMaskedLM),
        (AutoModelForPreTraining, LucaOneForPreTraining),
        (AutoModelForSequenceClassification, LucaOneForSequenceClassification),
        (AutoModelForTokenClassification, LucaOneForTokenClassification),
        (AutoModelForPairClassification, LucaOneForPairClassification),
    ],
)
def test_auto_classes_read_the_published_layout(auto_class, model_class, tmp_path):
    options = {"pretraining_tasks": TASKS} if model_class is LucaOneForPreTraining else {}
    model, report = auto_class.from_pretrained(HUB, output_loading_info=True, **options)
    assert type(model) is model_class
    assert not report["unexpected_keys"]
    heads = ("summar", "classifier.", "annotation_heads.")
    assert all(name.startswith(heads) for name in report["missing_keys"])
    if model_class in (LucaOneModel, LucaOneForMaskedLM):
        assert not report["missing_keys"]
    model.save_pretrained(tmp_path)
    again, report = auto_class.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    old, new = model.state_dict(), again.state_dict()
    assert old.keys() == new.keys()
    assert all(torch.equal(old[name], new[name]) for name in old)
    # Nothing of the published code is left for trust_remote_code to look for.
    assert "auto_map" not in json.loads((tmp_path / "config.json").read_text())


def test_auto_tokenizer_reads_the_published_layout():
    assert type(AutoTokenizer.from_pretrained(HUB)) is LucaOneTokenizerFast


def test_published_names_go_both_ways(tmp_path):
    LucaOneForMaskedLM.from_pretrained(HUB).save_pretrained(tmp_path)
    ours, theirs = (load_file(f / "model.safetensors") for f in (tmp_path, HUB))
    assert theirs.keys() - ours.keys() == {DECODER}  # stored once
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


class TestTiedHead:
    def assert_tied(self, model):
        assert model.lm_head.decoder.weight is model.get_input_embeddings().weight

    @pytest.mark.parametrize("model_class", [LucaOneForMaskedLM, LucaOneForPreTraining])
    def test_is_one_tensor(self, model_class, tmp_path):
        model = model_class.from_pretrained(HUB, pretraining_tasks=TASKS)
        assert model.config.tie_word_embeddings
        self.assert_tied(model)
        model.save_pretrained(tmp_path)
        model = model_class.from_pretrained(tmp_path)
        self.assert_tied(model)
        before = model.lm_head.decoder.weight.clone()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        batch = random_batch()
        labels = batch["input_ids"]
        if model_class is LucaOneForPreTraining:
            labels = {"prot_mask": labels}
        model(**batch, labels=labels).loss.backward()
        optimizer.step()
        self.assert_tied(model)
        assert not torch.equal(model.lm_head.decoder.weight, before)

    @pytest.mark.parametrize("missing", [DECODER, TOKENS])
    def test_may_be_stored_once(self, missing, tmp_path):
        folder = copy_of_hub(tmp_path, lambda tensors: tensors.pop(missing))
        model, report = LucaOneForMaskedLM.from_pretrained(folder, output_loading_info=True)
        assert not report["missing_keys"]
        self.assert_tied(model)
        expected = load_file(HUB / "model.safetensors")[TOKENS]
        assert torch.equal(model.lm_head.decoder.weight, expected)

    def test_two_different_matrices(self, tmp_path):
        folder = copy_of_hub(tmp_path, lambda tensors: tensors[DECODER].add_(1e-3))
        with pytest.raises(ValueError, match=rf"checkpoint: {DECODER} and {TOKENS} differ"):
            LucaOneForMaskedLM.from_pretrained(folder)

    def test_follows_a_resized_vocabulary(self):
        model = LucaOneForMaskedLM.from_pretrained(HUB)
        model.resize_token_embeddings(42)
        self.assert_tied(model)
        assert model(**random_batch()).logits.shape[-1] == 42


class TestConfiguration:
    def test_published_names_are_understood(self):
        config = AutoConfig.from_pretrained(HUB)
        assert type(config) is LucaOneConfig
        assert config.intermediate_size == 256
        assert config.layer_norm_eps == 1e-5
        assert config.tie_word_embeddings
        assert config.rope_parameters == {"rope_type": "default", "rope_theta": 10000.0}
        assert config.num_labels == 2
        assert config.pos_weight is None and config.class_weights is None
        assert not hasattr(config, "no_position_embeddings")

    def test_published_classifier_settings(self):
        fields = json.loads((HUB / "config.json").read_text())
        fields |= {
            "classifier_num_labels": 6,
            "classifier_weight": [2.0, 50.0, 1.0, 5.0, 8.0, 10.0],
            "classifier_pos_weight": 2.0,
            "classifier_pooling_type": "max",
        }
        config = LucaOneConfig(**fields)
        assert config.num_labels == 6
        assert config.class_weights == [2.0, 50.0, 1.0, 5.0, 8.0, 10.0]
        assert config.pos_weight == 2.0
        assert config.classifier_pooling == "max"

    def test_defaults_are_the_published_model(self):
        config = LucaOneConfig()
        with torch.device("meta"):
            model = LucaOneForPreTraining(config)
        # Facts 1.1: with all heads, the tied matrix counted once.
        assert sum(p.numel() for p in model.parameters()) == 1_799_902_586
        assert sum(p.numel() for p in model.lucaone.parameters()) == 1_573_639_680

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"hidden_size": 30, "num_attention_heads": 4}, "hidden_size 30"),
            ({"hidden_size": 36, "num_attention_heads": 4}, "even width"),
            ({"classifier_pooling": "median"}, "classifier_pooling"),
            ({"pair_kind": "mixed"}, "pair_kind"),
            ({"no_token_type_embeddings": True}, "no_token_type_embeddings must be False"),
            ({"token_dropout": True}, "token_dropout must be False"),
            ({"rope_parameters": {"partial_rotary_factor": 0.5}}, "partial_rotary_factor"),
            ({"pretraining_tasks": {"x": {"level": "word"}}}, "task 'x' has level 'word'"),
            (
                {"pretraining_tasks": TASKS, "label_names": {"gene_type": ["a"]}},
                "1 label names for the 8 labels of task 'gene_type'",
            ),
            (
                {"pooling_zero_special_rows": True, "classifier_pooling": "cls"},
                "leaves nothing",
            ),
            ({"seq_types": []}, r"seq_types \[\] must be gene or prot of one or two"),
            ({"seq_types": ["gene"] * 3}, "must be gene or prot of one or two sequences"),
            ({"seq_types": ["dna"]}, "must be gene or prot"),
            ({"max_residues": [0]}, r"max_residues \[0\] must be a positive number"),
            ({"max_residues": [1, 2, 3]}, "for each sequence of the classifier"),
            ({"seq_types": ["gene", "prot"], "max_residues": [9]}, "for each sequence"),
            ({"num_labels": 3, "label_names": {"classifier": ["a", "b"]}}, "2 label names for the"),
            ({"num_labels": 1, "label_names": {"classifier": ["a"]}}, "two for a single label"),
        ],
    )
    def test_wrong_fields(self, fields, message):
        with pytest.raises((ValueError, StrictDataclassError), match=message):
            LucaOneConfig(**fields)

    @pytest.mark.parametrize(
        "fields",
        [
            {"seq_types": ["gene", "prot"], "max_residues": [2460, 620]},
            {"max_residues": [62]},
            {"num_labels": 3, "label_names": {"classifier": ["a", "b", "c"]}},
            {
                "num_labels": 1,
                "problem_type": "multi_label_classification",
                "label_names": {"classifier": ["no", "yes"]},
                "id2label": {0: "yes"},
            },
        ],
    )
    def test_what_a_classifier_takes_and_gives_is_kept(self, fields, tmp_path):
        fields = fields | {"classifier_encoder_layers": 4, "classifier_encoder_heads": 2}
        LucaOneForSequenceClassification(
            tiny_config(classifier_encoder_size=24, **fields)
        ).save_pretrained(tmp_path)
        config = AutoConfig.from_pretrained(tmp_path)
        assert {name: getattr(config, name) for name in fields} == fields
        assert config.classifier_encoder_size == 24

    def test_published_configurations_say_nothing_of_a_classifier(self):
        config = AutoConfig.from_pretrained(HUB)
        assert config.seq_types is config.max_residues is config.label_names is None
        assert config.classifier_encoder_layers == 0


def test_fresh_weights_are_drawn_as_published():
    config = tiny_config(hidden_size=256, classifier_fc_size=64, classifier_hidden_size=512)
    torch.manual_seed(0)
    model = LucaOneForSequenceClassification(config)
    block = model.lucaone.encoder.layers[0]
    attention = block.self_attn
    for projection in (attention.q_proj, attention.k_proj, attention.v_proj, attention.out_proj):
        # Xavier uniform, gain sqrt(2): variance gain^2 * 2 / (fan_in + fan_out).
        assert projection.weight.std().item() == pytest.approx((2 * 2 / 512) ** 0.5, rel=0.02)
    assert not attention.out_proj.bias.any()
    assert attention.q_proj.bias.any()
    # PyTorch's default of a linear layer: uniform within 1 / sqrt(fan_in).
    assert block.fc1.weight.std().item() == pytest.approx(256**-0.5 / 3**0.5, rel=0.02)
    assert block.fc1.bias.any()
    tokens = model.get_input_embeddings().weight
    assert not tokens[0].any()
    assert tokens[1:].std().item() == pytest.approx(1.0, rel=0.05)
    assert model.summary.pooling.U.std().item() == pytest.approx(0.01, rel=0.05)
    for layer in (model.summary.fc, model.classifier.hidden):
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
        assert not layer.bias.any()


def test_meta_device_and_sharded_loading(tmp_path):
    model = LucaOneForMaskedLM.from_pretrained(HUB)
    model.save_pretrained(tmp_path, max_shard_size="100KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 2
    with torch.device("meta"):
        empty = LucaOneForMaskedLM(tiny_config())
    assert all(p.is_meta for p in empty.parameters())
    again, report = LucaOneForMaskedLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not report["missing_keys"]
    old, new = model.state_dict(), again.state_dict()
    assert old.keys() == new.keys()
    assert all(torch.equal(old[name], new[name]) for name in old)


def test_a_name_that_is_taken_gives_a_clear_message():
    code = """
from transformers import AutoConfig, PreTrainedConfig
class Other(PreTrainedConfig):
    model_type = "lucaone"
AutoConfig.register("lucaone", Other)
try:
    import modeling_lucaone
except ImportError as error:
    print(error)
"""
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert "'lucaone' is already registered by __main__" in result.stdout


def test_all_public_names_exist():
    for name in modeling_lucaone.__all__:
        assert getattr(modeling_lucaone, name)
