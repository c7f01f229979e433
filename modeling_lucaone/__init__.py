# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""LucaOne models; importing this package registers `lucaone` with the Auto classes."""

from transformers import AutoConfig, AutoTokenizer
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.pipelines import PIPELINE_REGISTRY

from tokenization import LucaGPLMTokenizer, LucaOneTokenizerFast

from .auto import MODEL_CLASSES, AutoModelForPairClassification
from .collator import LucaOnePackingCollator
from .configuration_lucaone import LucaOneConfig
from .heads import (
    LucaOneForPairClassification,
    LucaOneForPreTraining,
    LucaOneForSequenceClassification,
    LucaOneForTokenClassification,
)
from .modeling_lucaone import LucaOneForMaskedLM, LucaOneModel, LucaOnePreTrainedModel
from .pipelines import LucaOnePairClassificationPipeline, LucaOneTokenClassificationPipeline


def _register() -> None:
    """Make the Auto classes know `lucaone`, and the tokenizer by its published name as well.

    Raises:
        ImportError: another package, or transformers itself, has taken the name.
    """
    model_type = LucaOneConfig.model_type
    if model_type in CONFIG_MAPPING:
        raise ImportError(
            f"the model type {model_type!r} is already registered by "
            f"{CONFIG_MAPPING[model_type].__module__}; import modeling_lucaone without it"
        )
    AutoConfig.register(model_type, LucaOneConfig)
    AutoTokenizer.register(
        LucaOneConfig,
        slow_tokenizer_class=LucaGPLMTokenizer,
        fast_tokenizer_class=LucaOneTokenizerFast,
    )
    for auto_class, model_class in MODEL_CLASSES.items():
        auto_class.register(LucaOneConfig, model_class)
    PIPELINE_REGISTRY.register_pipeline(
        "pair-classification",
        pipeline_class=LucaOnePairClassificationPipeline,
        pt_model=AutoModelForPairClassification,
    )


_register()

__all__ = [
    "AutoModelForPairClassification",
    "LucaOneConfig",
    "LucaOneForMaskedLM",
    "LucaOneForPairClassification",
    "LucaOneForPreTraining",
    "LucaOneForSequenceClassification",
    "LucaOneForTokenClassification",
    "LucaOneModel",
    "LucaOnePackingCollator",
    "LucaOnePairClassificationPipeline",
    "LucaOnePreTrainedModel",
    "LucaOneTokenClassificationPipeline",
]
