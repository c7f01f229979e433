# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The models behind the page: one in memory, whatever it is asked; and one of pairs."""

import os
from typing import Any, TypeVar

from transformers import pipeline

from embedding.annotation import Annotator
from embedding.embedder import Embedder
from embedding.models import ModelSource, find_device, find_model, load_model, load_tokenizer
from embedding.runner import TrainedModel
from embedding.scoring import Scorer
from modeling_lucaone import LucaOneForPairClassification
from tokenization import normalize_seq_type

Kind = TypeVar("Kind", bound=TrainedModel)


def _with_weights(kind: type[Kind], source: ModelSource, model: Any) -> Kind:
    """Make an embedder or a scorer of weights that are in memory already."""
    borrower = type(kind.__name__, (kind,), {"_load": lambda self, source, **options: model})
    return borrower(source, device=model.device)


class ShownModel:
    """A model and all that the page asks of it.

    Args:
        model: folder or Hub repository.
        device: as of `TrainedModel`.

    Attributes:
        name: what the page calls it.
        parameters: number of parameters.
        seq_types: the molecule types it was trained on, of `gene` and `prot`.
        embedder: for maps.
        scorer: for masked letters; None without a trained LM head.
        annotator: None without annotation heads.
        missing: why there is no `Annotator` or `Scorer`, by these names.

    Raises:
        ValueError: there is no such model, or its encoder cannot be loaded.
    """

    def __init__(self, model: str | os.PathLike[str], device: str | None = None):
        source = find_model(model)
        self.name = source.name
        self.missing: dict[str, str] = {}
        self.annotator = self._try(Annotator, source, device)
        if self.annotator is None:
            self.scorer = self._try(Scorer, source, device)
        else:
            self.scorer = _with_weights(Scorer, source, self.annotator.model)
        owner = self.annotator or self.scorer
        if owner is None:
            self.embedder = Embedder(source, device=device)
        else:
            self.embedder = _with_weights(Embedder, source, owner.model.lucaone)
        whole = (owner or self.embedder).model
        self.parameters = sum(parameter.numel() for parameter in whole.parameters())
        tasks = (source.config.pretraining_tasks or {}).values()
        types = {normalize_seq_type(task["seq_type"]) for task in tasks}
        self.seq_types = sorted(types) or ["gene", "prot"]

    def _try(self, kind: type[Kind], source: ModelSource, device: str | None) -> Kind | None:
        """Load the model with some heads, or note why it has not got them."""
        try:
            return kind(source, device=device)
        except ValueError as error:
            # Visitors read it, and need not know where the folder lies.
            self.missing[kind.__name__] = str(error).replace(source.place, source.name)
            return None


class PairModel:
    """A model that says yes or no to a nucleic acid and a protein.

    Args:
        model: folder or Hub repository.
        device: as of `find_device`.

    Attributes:
        name: what the page calls it.
        label: the label that `yes` stands for.
        max_residues: letters that it reads of the nucleic acid and of the protein; None for all.

    Raises:
        ValueError: see `find_pair_model`, or it cannot be loaded.
    """

    def __init__(self, model: str | os.PathLike[str], device: str | None = None):
        source = find_pair_model(model)
        config = source.config
        self.name = source.name
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
    if config.seq_types not in (None, ["gene", "prot"], ["prot", "gene"]):
        raise ValueError(
            f"{source.place}: reads {' and '.join(config.seq_types)}, not gene and prot"
        )
    return source
