# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The model a pre-training begins with: a new one, or one that goes on."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError

from embedding.models import ModelSource
from modeling_lucaone import LucaOneConfig, LucaOneForPreTraining
from training_jobs.jobs import Tell

from .recipe import Recipe


def new_config(
    recipe: Recipe,
    tasks: Mapping[str, dict[str, Any]],
    label_names: Mapping[str, Sequence[str]],
    source: ModelSource | None,
) -> LucaOneConfig:
    """Return the configuration of the model that is trained.

    Args:
        recipe: its `model` counts where there is no `source`.
        tasks: as in a configuration.
        label_names: of the tasks whose vocabularies are known.
        source: a model that goes on.

    Raises:
        ValueError: fields that contradict one another.
    """
    names = {task: list(names) for task, names in label_names.items() if task in tasks}
    fields = {"pretraining_tasks": dict(tasks), "label_names": names or None}
    try:
        if source is None:
            return LucaOneConfig(**recipe.model, **fields)
        return LucaOneConfig(**(source.config.to_dict() | fields))
    except StrictDataclassError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise ValueError(f"model: {reason}") from None


def first_model(
    config: LucaOneConfig,
    source: ModelSource | None,
    seed: int,
    attn_implementation: str | None,
    tell: Tell,
) -> LucaOneForPreTraining:
    """Return the model before its first step.

    Of a model that goes on, heads are kept whose sizes are the same, unless both models name their
    labels and the names differ; other heads begin anew, which is told.

    Args:
        config: of `new_config`.
        source: a model that goes on; None for a new one.
        seed: of what is random.
        attn_implementation: attention back-end; that of the library where None.
        tell: called with what is new.

    Raises:
        ValueError: the model of `source` cannot be loaded.
    """
    torch.manual_seed(seed)
    options = {"attn_implementation": attn_implementation} if attn_implementation else {}
    if source is None:
        return LucaOneForPreTraining._from_config(config, dtype=torch.float32, **options)
    try:
        model, report = LucaOneForPreTraining.from_pretrained(
            source.folder,
            config=config,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            **options,
        )
    except Exception as error:  # a damaged file fails in any way
        raise ValueError(f"{source.place}: {str(error).strip().splitlines()[0]}") from None
    missing = {*report["missing_keys"], *(name for name, *_ in report["mismatched_keys"])}
    if outside := sorted(name for name in missing if not name.startswith("annotation_heads.")):
        raise ValueError(f"{source.place}: {outside[0]} is missing, or of another shape")
    anew = {name.split(".")[1] for name in missing}
    before, now = source.config.label_names or {}, config.label_names or {}
    for task in model.annotation_heads.keys() - anew:
        if task in before and task in now and before[task] != now[task]:
            model.annotation_heads[task].apply(model._init_weights)
            anew.add(task)
    if anew:
        tell(f"heads that begin anew, their labels being others: {', '.join(sorted(anew))}")
    return model
