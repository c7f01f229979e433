# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Configuration of LucaOne models, and the reading of the published configuration files."""

from typing import Any, Literal

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig

# The ten tasks of the published model: level, molecule, labels, width of the head's hidden layer,
# kind of labels and weight in the total loss. The two mask tasks share the LM head.
_CLASSES, _SEVERAL, _VALUES = (
    "single_label_classification",
    "multi_label_classification",
    "regression",
)
PUBLISHED_TASKS: dict[str, dict[str, Any]] = {
    task: {
        "level": level,
        "seq_type": seq_type,
        "num_labels": num_labels,
        "hidden_size": hidden_size,
        "problem_type": problem_type,
        "weight": weight,
    }
    for task, level, seq_type, num_labels, hidden_size, problem_type, weight in [
        ("gene_mask", "token", "gene", 39, None, _CLASSES, 1.0),
        ("prot_mask", "token", "prot", 39, None, _CLASSES, 1.0),
        ("gene_type", "span", "gene", 8, 128, _CLASSES, 0.2),
        ("prot_homo", "span", "prot", 3443, 4096, _CLASSES, 0.2),
        ("prot_site", "span", "prot", 946, 1024, _CLASSES, 0.2),
        ("prot_domain", "span", "prot", 13717, 10240, _CLASSES, 0.2),
        ("gene_taxonomy", "sequence", "gene", 735, 2048, _CLASSES, 0.2),
        ("prot_taxonomy", "sequence", "prot", 2196, 2048, _CLASSES, 0.2),
        ("prot_keyword", "sequence", "prot", 1179, 2048, _SEVERAL, 1.0),
        ("prot_structure", "structure", "prot", 3, 128, _VALUES, 1.0),
    ]
}
TASK_LEVELS = ("token", "span", "sequence", "structure")

# What the published files call our fields.
_PUBLISHED_NAMES = {
    "ffn_dim": "intermediate_size",
    "attention_probs_dropout_prob": "attention_dropout",
    "classifier_dropout_prob": "classifier_dropout",
    "classifier_pooling_type": "classifier_pooling",
    "classifier_weight": "class_weights",
    "classifier_pos_weight": "pos_weight",
}
# Switches of the published code that every published checkpoint sets like this; the network here
# has no other form.
_PUBLISHED_SWITCHES = {
    "alphabet": "gene_prot",
    "no_position_embeddings": True,
    "no_token_type_embeddings": False,
    "use_embed_layer_norm": False,
    "use_last_layer_norm": True,
    "token_dropout": False,
    "embed_scale": 1.0,
    "ignore_index": -100,
}
# Published fields without a meaning here: dropout modules the blocks do not have, and settings of
# the published fine-tuning code.
_PUBLISHED_LEFT_OUT = (
    "auto_map",
    "hidden_dropout_prob",
    "classifier_loss_type",
    "classifier_loss_reduction",
    "classifier_hidden_act",
    "has_contact_head",
    "task_level",
    "task_type",
    "unk_token_id",
)


def _from_published(extra: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Translate what a published configuration file says beyond our own fields.

    Returns:
        The values of our fields, and what is left of `extra`.

    Raises:
        ValueError: a switch describes a network other than the published one.
    """
    for name, expected in _PUBLISHED_SWITCHES.items():
        if extra.pop(name, expected) != expected:
            raise ValueError(f"config: {name} must be {expected!r}, as in the published models")
    for name in _PUBLISHED_LEFT_OUT:
        extra.pop(name, None)
    # -1 stands for "not a classifier", 1.0 for "no weight".
    if (num_labels := extra.pop("classifier_num_labels", -1)) > 0:
        extra["num_labels"] = num_labels
    if extra.get("classifier_pos_weight") == 1.0:
        del extra["classifier_pos_weight"]
    # The published files say 1e-12 and "not tied"; the published code builds every norm with
    # PyTorch's default epsilon and trains with a tied matrix.
    fields = {"layer_norm_eps": 1e-5, "tie_word_embeddings": True}
    fields |= {
        ours: extra.pop(theirs) for theirs, ours in _PUBLISHED_NAMES.items() if theirs in extra
    }
    return fields, extra


@strict
class LucaOneConfig(PreTrainedConfig):
    """Configuration of a LucaOne model; the defaults are the published 1.8-billion-parameter model.

    Configuration files of the published Hub repositories are understood as they are.

    Args:
        hidden_size: width of the residual stream.
        num_hidden_layers: number of blocks.
        num_attention_heads: heads per block; `hidden_size / num_attention_heads` must be even.
        intermediate_size: width of the feed-forward layer; 4 x `hidden_size` where 0.
        hidden_act: activation of the feed-forward layer, the LM head and the classifiers.
        vocab_size: number of tokens.
        type_vocab_size: number of molecule types (0 nucleic acid, 1 protein).
        layer_norm_eps: epsilon of every layer norm.
        max_position_embeddings: longest input seen in training; only scaled rotary types use it.
        rope_parameters: rotary type and base, as in transformers. With type `default` the
            frequencies stored in a checkpoint are used, with any other they are computed.
        attention_dropout: dropout of the attention weights in training.
        unpad_inputs: run padded batches on their real tokens only.
        classifier_encoder_layers: blocks of a small encoder in front of the pooling of a sequence
            or pair classifier; 0 for none.
        classifier_encoder_heads: attention heads of each of these blocks;
            `classifier_encoder_size / classifier_encoder_heads` must be even.
        classifier_encoder_size: width of these blocks; their feed-forward layer is 4 times as wide.
        classifier_pooling: `value_attention`, `max`, `mean` or `cls`.
        classifier_fc_size: width of a layer between pooling and classifier; None for no such layer.
        classifier_hidden_size: width of the classifier's hidden layer.
        classifier_dropout: dropout in front of the classifiers and the annotation heads, and of the
            attention weights in the encoder in front of the pooling.
        pooling_zero_special_rows: pool [CLS] and [SEP] as rows of zeros, as the published
            downstream networks do, instead of leaving them out.
        pair_kind: `homogeneous` (both sequences of one kind, pooling shared) or `heterogeneous`
            (one pooling per side).
        class_weights: weight of each class in the cross-entropy.
        pos_weight: weight of the positives in the binary cross-entropy, one or one per label.
        seq_types: molecule type, `gene` or `prot`, of the sequence that a classifier takes, or of
            the two.
        max_residues: residues of each of them in training; `lucaone predict` cuts what lies beyond.
        pretraining_tasks: the tasks of `LucaOneForPreTraining`, in the form of `PUBLISHED_TASKS`,
            which None stands for.
        label_names: names of the labels of each task, in the order of their ids. Under the key
            `classifier` those of a sequence or pair classifier; for a binary one (`num_labels` 1,
            `problem_type` `multi_label_classification`) two, the negative first, and `id2label`
            holds the name of the positive.

    Raises:
        ValueError: fields that contradict one another or describe a network we do not have.
    """

    model_type = "lucaone"
    base_model_tp_plan = {
        "encoder.layers.*.self_attn.q_proj": "colwise",
        "encoder.layers.*.self_attn.k_proj": "colwise",
        "encoder.layers.*.self_attn.v_proj": "colwise",
        "encoder.layers.*.self_attn.out_proj": "rowwise",
        "encoder.layers.*.fc1": "colwise",
        "encoder.layers.*.fc2": "rowwise",
    }
    base_model_pp_plan = {
        "embeddings": (["input_ids", "token_type_ids"], ["inputs_embeds"]),
        "encoder.layers": (["hidden_states", "attention_mask"], ["hidden_states"]),
        "encoder.last_layer_norm": (["hidden_states"], ["hidden_states"]),
    }

    vocab_size: int = 39
    type_vocab_size: int = 2
    hidden_size: int = 2560
    num_hidden_layers: int = 20
    num_attention_heads: int = 40
    intermediate_size: int = 0
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-5
    initializer_range: float = 0.02
    max_position_embeddings: int = 4096
    rope_parameters: dict | None = None
    attention_dropout: float | int = 0.0
    pad_token_id: int | None = 0
    bos_token_id: int = 2
    eos_token_id: int | list[int] | None = 3
    sep_token_id: int = 3
    mask_token_id: int | None = 4
    tie_word_embeddings: bool = True
    unpad_inputs: bool = True

    classifier_encoder_layers: int = 0
    classifier_encoder_heads: int = 8
    classifier_encoder_size: int = 1024
    classifier_pooling: Literal["value_attention", "max", "mean", "cls"] = "value_attention"
    classifier_fc_size: int | None = None
    classifier_hidden_size: int = 128
    classifier_dropout: float | int = 0.1
    pooling_zero_special_rows: bool = False
    pair_kind: Literal["homogeneous", "heterogeneous"] = "homogeneous"
    class_weights: list[float] | None = None
    pos_weight: float | list[float] | None = None
    seq_types: list[str] | None = None
    max_residues: list[int] | None = None

    pretraining_tasks: dict[str, dict] | None = None
    label_names: dict[str, list[str]] | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        if not kwargs.keys().isdisjoint(_PUBLISHED_SWITCHES):
            fields, kwargs = _from_published(kwargs)
            for name, value in fields.items():
                setattr(self, name, value)
        if not self.intermediate_size:
            self.intermediate_size = 4 * self.hidden_size
        super().__post_init__(**kwargs)

    def validate_architecture(self) -> None:
        """Check the fields against one another."""
        if self.hidden_size % (2 * self.num_attention_heads):
            raise ValueError(
                f"config: hidden_size {self.hidden_size} does not divide into "
                f"{self.num_attention_heads} attention heads of an even width"
            )
        if (self.rope_parameters or {}).get("partial_rotary_factor", 1.0) != 1.0:
            raise ValueError("config: LucaOne turns whole heads; partial_rotary_factor must be 1.0")
        if self.pooling_zero_special_rows and self.classifier_pooling == "cls":
            raise ValueError("config: pooling_zero_special_rows leaves nothing to 'cls' pooling")
        self._validate_classifier()
        for task, settings in (self.pretraining_tasks or {}).items():
            if settings.get("level") not in TASK_LEVELS:
                raise ValueError(
                    f"config: task {task!r} has level {settings.get('level')!r}; "
                    f"known are {', '.join(TASK_LEVELS)}"
                )
            names = (self.label_names or {}).get(task)
            if names is not None and len(names) != settings["num_labels"]:
                raise ValueError(
                    f"config: {len(names)} label names for the {settings['num_labels']} "
                    f"labels of task {task!r}"
                )

    def _validate_classifier(self) -> None:
        """Check what describes a sequence or pair classifier: encoder, inputs, names of labels."""
        if self.classifier_encoder_layers < 0:
            raise ValueError(
                f"config: classifier_encoder_layers is {self.classifier_encoder_layers}, below 0"
            )
        if self.classifier_encoder_layers and self.classifier_pooling == "cls":
            raise ValueError("config: the encoder of a classifier leaves no row to 'cls' pooling")
        heads, size = self.classifier_encoder_heads, self.classifier_encoder_size
        if heads < 1 or size < 1 or size % (2 * heads):
            raise ValueError(
                f"config: classifier_encoder_size {size} does not divide into {heads} attention "
                "heads of an even width"
            )
        if self.seq_types is not None and (
            len(self.seq_types) not in (1, 2) or not {"gene", "prot"}.issuperset(self.seq_types)
        ):
            raise ValueError(
                f"config: seq_types {self.seq_types} must be gene or prot of one or two sequences"
            )
        sequences = (1, 2) if self.seq_types is None else (len(self.seq_types),)
        if self.max_residues is not None and (
            len(self.max_residues) not in sequences or min(self.max_residues) < 1
        ):
            raise ValueError(
                f"config: max_residues {self.max_residues} must be a positive number for each "
                "sequence of the classifier"
            )
        names = (self.label_names or {}).get("classifier")
        if names is not None and len(names) != max(self.num_labels, 2):
            raise ValueError(
                f"config: {len(names)} label names for the classifier of {self.num_labels} labels; "
                "it has one for each, or two for a single label"
            )


__all__ = ["PUBLISHED_TASKS", "LucaOneConfig"]
