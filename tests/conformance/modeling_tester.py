# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""transformers' common tests of models and configurations, on ours (run.py prepares and runs them).

Every override says why it is there; none takes a check away.
"""

import unittest
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import torch
from tests.test_configuration_common import ConfigTester
from tests.test_modeling_common import ModelTesterMixin, ids_tensor
from torch import Tensor, nn
from transformers import set_seed
from transformers.models.auto import modeling_auto
from transformers.testing_utils import torch_device

from modeling_lucaone import (
    LucaOneConfig,
    LucaOneForMaskedLM,
    LucaOneForPreTraining,
    LucaOneForSequenceClassification,
    LucaOneForTokenClassification,
    LucaOneModel,
)
from modeling_lucaone.pooling import LucaOneClassifier
from tests import test_modeling_common

# The common tests look up in these tables, by class name, which class is a base model and which
# labels a head takes; `AutoModel.register` does not fill them. A class they do not find gets no
# labels, or is left out in silence.
for mapping, model_class in {
    "MODEL_MAPPING_NAMES": LucaOneModel,
    "MODEL_FOR_PRETRAINING_MAPPING_NAMES": LucaOneForPreTraining,
    "MODEL_FOR_MASKED_LM_MAPPING_NAMES": LucaOneForMaskedLM,
    "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES": LucaOneForSequenceClassification,
    "MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES": LucaOneForTokenClassification,
}.items():
    getattr(modeling_auto, mapping)["lucaone"] = model_class.__name__

# One task of every level and every kind of label.
TASKS = {
    task: {
        "level": level,
        "seq_type": "prot",
        "num_labels": num_labels,
        "hidden_size": hidden_size,
        "problem_type": problem_type,
        "weight": weight,
    }
    for task, level, num_labels, hidden_size, problem_type, weight in [
        ("prot_mask", "token", 39, None, "single_label_classification", 1.0),
        ("prot_site", "span", 5, 16, "single_label_classification", 0.2),
        ("prot_taxonomy", "sequence", 4, 16, "single_label_classification", 0.2),
        ("prot_keyword", "sequence", 6, 16, "multi_label_classification", 1.0),
        ("prot_structure", "structure", 3, 16, "regression", 1.0),
    ]
}


class LucaOneModelTester:
    """A small model, and batches for it."""

    is_training = True
    batch_size = 13
    seq_length = 9
    num_labels = 3
    hidden_size = 32
    num_hidden_layers = 2
    num_attention_heads = 4
    max_position_embeddings = 512

    def __init__(self, parent: unittest.TestCase):
        self.parent = parent

    def get_config(self) -> LucaOneConfig:
        """Return a configuration with every kind of pre-training task."""
        return LucaOneConfig(
            hidden_size=self.hidden_size,
            num_hidden_layers=self.num_hidden_layers,
            num_attention_heads=self.num_attention_heads,
            max_position_embeddings=self.max_position_embeddings,
            classifier_hidden_size=16,
            num_labels=self.num_labels,
            pretraining_tasks=TASKS,
        )

    def prepare_config_and_inputs(self) -> tuple[LucaOneConfig, dict[str, Tensor]]:
        """Return a padded batch of proteins and nucleic acids of different lengths."""
        shape = [self.batch_size, self.seq_length]
        types = (torch.arange(self.batch_size) % 2).unsqueeze(1)
        letters = torch.where(types == 1, 10 + ids_tensor(shape, 26), 5 + ids_tensor(shape, 5))
        lengths = self.seq_length - torch.arange(self.batch_size).unsqueeze(1) % 4
        position = torch.arange(self.seq_length)
        letters[:, 0] = 2
        letters[position == lengths - 1] = 3
        attention_mask = (position < lengths).long()
        inputs = {
            "input_ids": letters * attention_mask,
            "attention_mask": attention_mask,
            "token_type_ids": types.expand(shape).contiguous(),
        }
        inputs = {name: value.to(torch_device) for name, value in inputs.items()}
        return self.get_config(), inputs

    prepare_config_and_inputs_for_common = prepare_config_and_inputs


class LucaOneModelTest(ModelTesterMixin, unittest.TestCase):
    """The common tests."""

    all_model_classes = (
        LucaOneModel,
        LucaOneForMaskedLM,
        LucaOneForPreTraining,
        LucaOneForSequenceClassification,
        LucaOneForTokenClassification,
    )

    def setUp(self) -> None:
        self.model_tester = LucaOneModelTester(self)
        self.config_tester = ConfigTester(
            self, config_class=LucaOneConfig, hidden_size=32, num_attention_heads=4
        )
        # The common tests draw ids from a generator of their own, weights from PyTorch's.
        test_modeling_common.global_rng.seed(0)
        set_seed(0)

    def test_config(self) -> None:
        self.config_tester.run_common_tests()

    def _prepare_for_class(
        self, inputs_dict: dict, model_class: type[nn.Module], return_labels: bool = False
    ) -> dict:
        """Add the labels of the pre-training model, one tensor per task: the tests know no such."""
        inputs = super()._prepare_for_class(inputs_dict, model_class, return_labels)
        if return_labels and model_class is LucaOneForPreTraining:
            rows, length = self.model_tester.batch_size, self.model_tester.seq_length
            inputs["labels"] = {
                "prot_mask": torch.zeros(rows, length, dtype=torch.long, device=torch_device),
                "prot_site": torch.zeros(rows, length, dtype=torch.long, device=torch_device),
                "prot_taxonomy": torch.zeros(rows, 1, dtype=torch.long, device=torch_device),
                "prot_keyword": torch.zeros(rows, 6, dtype=torch.long, device=torch_device),
                "prot_structure": torch.zeros(rows, length, 3, device=torch_device),
            }
        return inputs

    def test_determinism(self) -> None:
        """Show the pre-training model's logits as a tuple.

        The check compares the first output, a tensor or a tuple of them; here it is a dictionary.
        """
        forward = LucaOneForPreTraining.forward

        def logits(model: nn.Module, *args: Any, **kwargs: Any) -> tuple[tuple[Tensor, ...]]:
            return (tuple(forward(model, *args, **kwargs).logits.values()),)

        with patch.object(LucaOneForPreTraining, "forward", logits):
            super().test_determinism()

    def test_can_load_ignoring_mismatched_shapes(self) -> None:
        """Show the classifier under a class name by which the check finds its last layer."""
        self.addCleanup(setattr, LucaOneClassifier, "__name__", LucaOneClassifier.__name__)
        LucaOneClassifier.__name__ = "LucaOneClassificationHead"
        super().test_can_load_ignoring_mismatched_shapes()

    def _test_model_rope_scaling_frequencies(self) -> None:
        """Show the rotary module under the name by which the check finds one.

        It looks for `rotary_emb`; ours is called `rot_emb`, as in the published checkpoints.
        """
        named_modules = nn.Module.named_modules

        def renamed(model: nn.Module, *args: Any, **kwargs: Any) -> Iterator[tuple[str, nn.Module]]:
            for name, module in named_modules(model, *args, **kwargs):
                yield name.replace("rot_emb", "rotary_emb"), module

        with patch.object(LucaOneModel, "named_modules", renamed):
            super().test_model_rope_scaling_frequencies()

    if hasattr(ModelTesterMixin, "test_model_rope_scaling_frequencies"):  # not in 5.4.0
        test_model_rope_scaling_frequencies = _test_model_rope_scaling_frequencies


del ModelTesterMixin  # or pytest would collect it here as well
