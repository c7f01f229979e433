# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Fine-tuned models, found and loaded strictly: whole ones, and adapters with their base model."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors import safe_open

from embedding.models import ModelSource, find_model, load_model
from modeling_lucaone import (
    LucaOneConfig,
    LucaOneForPairClassification,
    LucaOneForSequenceClassification,
    LucaOneModel,
)

from .networks import FeatureClassifier, with_head

ADAPTER = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
# What peft puts before the name of every tensor.
ADAPTER_PREFIX = "base_model.model."
CLASSES = {
    one.__name__: one for one in (LucaOneForSequenceClassification, LucaOneForPairClassification)
}
HEAD = ("summary.", "summaries.", "classifier.")


@dataclass(frozen=True)
class ClassifierSource:
    """Where a classifier lies.

    Attributes:
        source: the model; of an adapter its base model, with the configuration of the classifier.
        model_class: `LucaOneForSequenceClassification` or `LucaOneForPairClassification`.
        tensors: names of the tensors that are stored, those of an adapter as in the model.
        adapter: the folder of the adapter, if it is one.
    """

    source: ModelSource
    model_class: type[Any]
    tensors: frozenset[str]
    adapter: Path | None = None

    @property
    def config(self) -> LucaOneConfig:
        """The configuration of the classifier."""
        return self.source.config

    @property
    def sides(self) -> int:
        """1 where it takes sequences, 2 where it takes pairs."""
        return 1 if self.model_class is LucaOneForSequenceClassification else 2

    @property
    def place(self) -> str:
        """What messages call it."""
        return str(self.adapter or self.source.place)


def find_classifier(
    model: str | os.PathLike[str],
    base_model: str | os.PathLike[str] | None = None,
    revision: str | None = None,
) -> ClassifierSource:
    """Find a classifier of sequences or pairs, or an adapter of one, without loading it.

    Args:
        model: folder or Hub repository, also of an adapter of peft, which should hold the
            `config.json` of the classifier if its base model is none.
        base_model: the model that an adapter is for; the one that it names, if not given.
        revision: branch, tag or commit of a Hub repository; with the folder of an adapter that of
            its base model.

    Raises:
        ValueError: there is no such model; one line that says why.
    """
    adapter = Path(model)
    if not (adapter / ADAPTER).is_file():
        found = find_model(model, revision)
        if not adapter.is_dir() and (found.folder / ADAPTER).is_file():  # an adapter on the Hub
            return find_classifier(found.folder, base_model)
        if base_model is not None:
            raise ValueError(f"{model}: is no adapter ({ADAPTER}), so it has no base model")
        tensors = frozenset().union(*map(_tensors, sorted(found.folder.glob("*.safetensors"))))
        return ClassifierSource(found, _class_of(found.config, tensors, found.place), tensors)
    stored = _tensors(adapter / ADAPTER_WEIGHTS)
    tensors = frozenset(name.removeprefix(ADAPTER_PREFIX) for name in stored)
    found = _find_base(adapter, base_model, revision)
    if (adapter / "config.json").is_file():
        found = replace(found, config=find_model(adapter).config)
    in_base = frozenset().union(*map(_tensors, sorted(found.folder.glob("*.safetensors"))))
    kind = _class_of(found.config, tensors | in_base, str(adapter))
    return ClassifierSource(found, kind, tensors, adapter)


def _find_base(
    adapter: Path, base_model: str | os.PathLike[str] | None, revision: str | None
) -> ModelSource:
    with _reading(adapter / ADAPTER):
        settings = json.loads((adapter / ADAPTER).read_text("utf-8"))
        base = base_model or settings.get("base_model_name_or_path")
    if not base:
        raise ValueError(f"{adapter}: {ADAPTER} names no base model; --base-model names it")
    try:
        return find_model(base, revision or settings.get("revision"))
    except ValueError as error:
        if base_model is not None:
            raise
        raise ValueError(f"{adapter}: its base model {error}; --base-model names another") from None


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Let whatever fails in reading be an error of one line that names the file or folder.

    Raises:
        ValueError: anything failed.
    """
    try:
        yield
    except Exception as error:  # a damaged file fails in any way
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise ValueError(f"{path}: cannot be read: {reason or type(error).__name__}") from error


def _tensors(file: Path) -> frozenset[str]:
    """Return the names of the tensors of a file."""
    with _reading(file), safe_open(file, "pt") as stored:
        return frozenset(stored.keys())


def _class_of(config: LucaOneConfig, tensors: frozenset[str], place: str) -> type[Any]:
    """Return the class that the configuration names, else the one that the tensors are of."""
    for name in config.architectures or ():
        if name in CLASSES:
            return CLASSES[name]
    if "classifier.out_proj.weight" not in tensors:
        what = " ".join(config.architectures or ())
        raise ValueError(
            f"{place}: has no classifier of sequences or pairs{f' ({what})' if what else ''}; "
            "`lucaone finetune` makes a model that has one"
        )
    pair = any(name.startswith("summaries.") for name in tensors) or len(config.seq_types or "") > 1
    return LucaOneForPairClassification if pair else LucaOneForSequenceClassification


def load_classifier(found: ClassifierSource, **options: Any) -> Any:
    """Load a classifier strictly; an adapter is merged into the weights of its base model.

    Args:
        found: of `find_classifier`.
        options: as of `load_model`.

    Raises:
        ValueError: see `load_model`; for the tensors of the head and of an adapter as well.
        ImportError: peft is not installed.
    """
    if found.adapter is not None:
        return _load_adapter(found, found.adapter, **options)
    model = load_model(found.source, found.model_class, **options)
    own = model.state_dict().keys()
    for name in sorted(found.tensors - own):
        if name.startswith(HEAD):
            raise ValueError(f"{found.place}: tensor {name} does not belong to the model")
    return model


def _load_adapter(found: ClassifierSource, folder: Path, **options: Any) -> Any:
    try:
        from peft import PeftModel, get_peft_model_state_dict
    except ImportError:
        raise ImportError("an adapter needs peft; pip install 'lucaone-hf[finetune]'") from None
    head = FeatureClassifier(found.config, [found.config.hidden_size] * found.sides)
    if found.tensors.issuperset(head.state_dict()):
        encoder = load_model(found.source, LucaOneModel, **options)
        model = with_head(encoder, head.to(encoder.dtype))
    else:
        model = load_model(found.source, found.model_class, config=found.config, **options)
    with _reading(folder):
        adapted = PeftModel.from_pretrained(model, folder, torch_device="cpu")
        wanted = {
            name.removeprefix(ADAPTER_PREFIX)
            for name in get_peft_model_state_dict(adapted, save_embedding_layers=False)
        }
    for name in sorted(wanted ^ found.tensors):
        problem = "is missing" if name in wanted else "does not belong to the adapter"
        raise ValueError(f"{folder}: tensor {name} {problem}")
    with _reading(folder):
        return adapted.merge_and_unload().to(model.dtype).eval()
