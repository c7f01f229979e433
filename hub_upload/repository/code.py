# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The code that a repository carries, and the entries by which the Auto classes find it."""

import inspect
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

from transformers.dynamic_module_utils import get_relative_import_files

from modeling_lucaone import (
    LucaOneConfig,
    LucaOneForMaskedLM,
    LucaOneForPairClassification,
    LucaOneForPreTraining,
    LucaOneModel,
    LucaOnePreTrainedModel,
    configuration_lucaone,
    pipelines,
    sentence_transformer,
)
from modeling_lucaone.auto import MODEL_CLASSES
from modeling_lucaone.pipelines import HUB_AUTO_CLASS, HUB_PIPELINES
from tokenization import LucaOneTokenizerFast, tokenization_lucaone

LICENSE = "LICENSE-CODE"
# What a slow and a fast tokenizer are called; we have only the fast one.
TOKENIZER_AUTO_MAP = {
    "AutoTokenizer": [
        None,
        f"{tokenization_lucaone.__name__.rpartition('.')[2]}.{LucaOneTokenizerFast.__name__}",
    ]
}


def auto_map(
    stored: type[LucaOnePreTrainedModel], config: LucaOneConfig, *, adapter: bool = False
) -> dict[str, str]:
    """Return which Auto class loads which class from a folder with the weights of `stored`.

    A pair model is given to the stock `AutoModel`, for transformers knows no Auto class of pairs,
    and to the one that its pipeline is looked up by.

    Args:
        stored: class of the weights.
        config: its configuration.
        adapter: whether the weights are those of an adapter, which fits no class but its own.
    """
    classes: dict[str, type] = {"AutoConfig": LucaOneConfig}
    if stored is LucaOneForPairClassification:
        classes["AutoModel"] = stored
        if not adapter:
            classes[HUB_AUTO_CLASS] = stored
    else:
        loadable = {stored} if adapter else {stored, LucaOneModel}
        if stored is LucaOneForPreTraining:
            loadable.add(LucaOneForMaskedLM)
        if stored is LucaOneForMaskedLM and config.pretraining_tasks is not None:
            loadable.add(LucaOneForPreTraining)  # its tasks are all on the LM head
        for auto_class, model_class in MODEL_CLASSES.items():
            if model_class in loadable:
                classes[auto_class.__name__] = model_class
    return {name: _reference(cls) for name, cls in classes.items()}


def _reference(cls: type) -> str:
    return f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}"


def custom_pipelines(
    stored: type[LucaOnePreTrainedModel], *, adapter: bool = False
) -> dict[str, Any] | None:
    """Return what `config.json` says of pipelines that transformers does not have.

    Args:
        stored: class of the weights.
        adapter: whether the weights are those of an adapter, which has no pipelines.
    """
    return HUB_PIPELINES if stored is LucaOneForPairClassification and not adapter else None


def copy_code(stored: type[LucaOnePreTrainedModel], folder: Path, *, adapter: bool = False) -> None:
    """Copy, flat, the files of code that a model of class `stored` needs, and their licence.

    Args:
        stored: class of the weights.
        folder: the repository.
        adapter: whether the weights are those of an adapter.
    """
    modules: list[ModuleType] = [
        configuration_lucaone,
        sentence_transformer,
        tokenization_lucaone,
        inspect.getmodule(stored),  # type: ignore[list-item]
    ]
    if custom_pipelines(stored, adapter=adapter):
        modules.append(pipelines)
    files = {inspect.getfile(module) for module in modules}
    for file in files.union(*map(get_relative_import_files, files)):
        shutil.copyfile(file, folder / Path(file).name)
    shutil.copyfile(Path(__file__).with_name(LICENSE), folder / LICENSE)
