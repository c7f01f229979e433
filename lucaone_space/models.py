# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The models behind the page: one in memory, whatever it is asked; and one of pairs."""

import json
import os
from typing import Any

from transformers import pipeline

from embedding.annotation import Annotator
from embedding.embedder import Embedder
from embedding.models import (
    ModelSource,
    find_device,
    find_model,
    load_model,
    load_tokenizer,
    tensor_shapes,
)
from embedding.runner import ModelRunner, TrainedModel
from embedding.scoring import Scorer
from modeling_lucaone import LucaOneForPairClassification
from tokenization import normalize_seq_type

RESULTS = "results.json"


class _Sharing(TrainedModel):
    """Works with weights that are in memory already.

    Args:
        owner: whose they are.
        model: all of its model, or the encoder.
    """

    def __init__(self, owner: TrainedModel, model: Any):
        self.device, self.model, self.tokenizer = owner.device, model, owner.tokenizer
        self.runner = ModelRunner(model, owner.tokenizer)
        self.notes = self.runner.notes


class _SharingScorer(_Sharing, Scorer):
    pass


class _SharingEmbedder(_Sharing, Embedder):
    pass


class ShownModel:
    """A model and all that the page asks of it.

    Args:
        model: folder or Hub repository.
        device: as of `TrainedModel`.

    Attributes:
        name: what the page calls it.
        notes: what its training left to be known about it, one sentence or more each.
        parameters: number of parameters.
        seq_types: the molecule types it was trained on, of `gene` and `prot`.
        embedder: for maps.
        scorer: for masked letters; None without an LM head.
        annotator: None without annotation heads.

    Raises:
        ValueError: there is no such model, or a part of it that is there cannot be loaded.
    """

    def __init__(self, model: str | os.PathLike[str], device: str | None = None):
        source = find_model(model)
        self.name, self.notes = source.name, find_notes(source)
        predicts, annotates = _find_heads(source)
        self.annotator = Annotator(source, device=device) if annotates else None
        self.scorer: Scorer | None = None
        if self.annotator is not None:
            self.scorer = _SharingScorer(self.annotator, self.annotator.model)
        elif predicts:
            self.scorer = Scorer(source, device=device)
        self.embedder: Embedder
        if self.scorer is None:
            self.embedder = Embedder(source, device=device)
        else:
            self.embedder = _SharingEmbedder(self.scorer, self.scorer.model.lucaone)
        whole = (self.scorer or self.embedder).model
        self.parameters = sum(parameter.numel() for parameter in whole.parameters())
        tasks = (source.config.pretraining_tasks or {}).values()
        types = {normalize_seq_type(task["seq_type"]) for task in tasks}
        self.seq_types = sorted(types) or ["gene", "prot"]


def _find_heads(source: ModelSource) -> tuple[bool, bool]:
    """Say whether a model has an LM head, and annotation heads, by its configuration or tensors.

    Raises:
        ValueError: a file of weights cannot be read.
    """
    stored = {name.partition(".")[0] for name in tensor_shapes(source)}
    names = source.config.architectures or ()
    trained = any(name.endswith("ForPreTraining") for name in names)
    tasks = (source.config.pretraining_tasks or {}).values()
    predicts = trained or any(name.endswith("ForMaskedLM") for name in names)
    annotates = trained and any(task["level"] != "token" for task in tasks)
    return predicts or "lm_head" in stored, annotates or "annotation_heads" in stored


def find_notes(source: ModelSource) -> list[str]:
    """Return what the training of a model left to be known about it; nothing if it left nothing."""
    try:
        results = json.loads((source.folder / RESULTS).read_text("utf-8"))
    except (OSError, ValueError):  # the file is no part of a model
        return []
    notes = results.get("notes") if isinstance(results, dict) else None
    return [note for note in notes if isinstance(note, str)] if isinstance(notes, list) else []


class PairModel:
    """A model that says yes or no to a nucleic acid and a protein.

    Args:
        model: folder or Hub repository.
        device: as of `find_device`.

    Attributes:
        name: what the page calls it.
        notes: see `ShownModel`.
        label: the label that `yes` stands for.
        max_residues: letters that it reads of the nucleic acid and of the protein; None for all.

    Raises:
        ValueError: see `find_pair_model`, or it cannot be loaded.
    """

    def __init__(self, model: str | os.PathLike[str], device: str | None = None):
        source = find_pair_model(model)
        config = source.config
        self.name, self.notes = source.name, find_notes(source)
        self.label = config.id2label[config.num_labels - 1]
        self._gene_first = config.seq_types != ["prot", "gene"]
        limits = list(config.max_residues or (None, None))
        self.max_residues = limits if self._gene_first else limits[::-1]
        self._classify: Any = pipeline(
            "pair-classification",
            model=load_model(source, LucaOneForPairClassification).to(find_device(device)),
            tokenizer=load_tokenizer(source),
        )

    def probability(self, gene: str, protein: str) -> float:
        """Return the probability of `label`; letters beyond `max_residues` are not read."""
        texts = {"gene": gene[: self.max_residues[0]], "prot": protein[: self.max_residues[1]]}
        first, second = ("gene", "prot") if self._gene_first else ("prot", "gene")
        pair = {
            "text": texts[first],
            "text_pair": texts[second],
            "seq_type": first,
            "seq_type_pair": second,
        }
        found = self._classify(pair, top_k=None)
        return next(one["score"] for one in found if one["label"] == self.label)


def find_pair_model(model: str | os.PathLike[str]) -> ModelSource:
    """Find a model of pairs, before it is loaded.

    Raises:
        ValueError: see `find_model`; or it has no binary head for a nucleic acid and a protein.
    """
    source = find_model(model)
    config = source.config
    if "LucaOneForPairClassification" not in (config.architectures or []):
        raise ValueError(f"{source.place}: not a model of pairs, but {config.architectures}")
    if config.problem_type == "regression" or config.num_labels > 2:
        outputs = f"{config.num_labels} outputs, {config.problem_type or 'no problem_type'}"
        raise ValueError(f"{source.place}: says neither yes nor no: {outputs}")
    if config.seq_types is None and config.pair_kind == "homogeneous":
        raise ValueError(f"{source.place}: reads two sequences of one kind, not gene and prot")
    if config.seq_types not in (None, ["gene", "prot"], ["prot", "gene"]):
        raise ValueError(
            f"{source.place}: reads {' and '.join(config.seq_types)}, not gene and prot"
        )
    return source
