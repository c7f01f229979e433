# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The Auto class for pairs, which transformers does not have, and what each Auto class loads."""

from collections import OrderedDict

from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForPreTraining,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
)
from transformers.models.auto.auto_factory import _BaseAutoModelClass, _LazyAutoMapping
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

from .heads import (
    LucaOneForPairClassification,
    LucaOneForPreTraining,
    LucaOneForSequenceClassification,
    LucaOneForTokenClassification,
)
from .modeling_lucaone import LucaOneForMaskedLM, LucaOneModel


class AutoModelForPairClassification(_BaseAutoModelClass):
    """Loads the model of a pair of sequences that fits a checkpoint's configuration."""

    _model_mapping = _LazyAutoMapping(CONFIG_MAPPING_NAMES, OrderedDict())


MODEL_CLASSES = {
    AutoModel: LucaOneModel,
    AutoModelForMaskedLM: LucaOneForMaskedLM,
    AutoModelForPreTraining: LucaOneForPreTraining,
    AutoModelForSequenceClassification: LucaOneForSequenceClassification,
    AutoModelForTokenClassification: LucaOneForTokenClassification,
    AutoModelForPairClassification: LucaOneForPairClassification,
}
