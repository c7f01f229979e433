# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A fine-tuned model at work: sequences or pairs to probabilities, or values.

Every distinct sequence goes once through the encoder and what stands in front of the classifier,
in packed batches under a budget of tokens. The classifier then reads the vectors, of a pair two
side by side. So a protein that is in a thousand pairs is read once.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from embedding.inputs import texts_and_types
from embedding.models import ModelSource
from embedding.runner import TrainedModel
from modeling_lucaone.packing import SequenceBatch
from tokenization import normalize_seq_type

from .classifiers import ClassifierSource, find_classifier, load_classifier
from .data import Example
from .features import TypedSequence
from .predictions import problem_of
from .trainer import probabilities


class Predictor(TrainedModel):
    """A classifier and its tokenizer, ready to predict.

    Example:
        >>> predictor = Predictor("protloc")
        >>> predictor.predict(["MKTAYIAKQR", "MSKGEELF"], seq_type="prot").shape
        (2, 6)

    Args:
        model: folder or Hub repository, or the folder of an adapter of peft.
        base_model: see `find_classifier`.
        revision: see `find_classifier`.
        options: as of `TrainedModel`.

    Attributes:
        sides: 1 where it takes sequences, 2 where it takes pairs.
        problem: `binary`, `multi_class`, `multi_label` or `regression`.
        label_names: names of the labels, of a binary problem the negative first; of a regression
            those of the values where there are several.

    Raises:
        ValueError: see `TrainedModel`, `find_classifier` and `load_classifier`.
        ImportError: an adapter is given, and peft is not installed.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | ClassifierSource,
        *,
        base_model: str | os.PathLike[str] | None = None,
        revision: str | None = None,
        **options: Any,
    ):
        if not isinstance(model, ClassifierSource):
            model = find_classifier(model, base_model, revision)
        self._found, self.sides = model, model.sides
        self.problem, self.label_names = problem_of(model.config)
        super().__init__(model.source, **options)
        if model.config.problem_type is None:
            kind = "value" if self.problem == "regression" else "class"
            self.notes.append(f"{model.place}: no problem_type; every output is taken for a {kind}")

    def _load(self, source: ModelSource, **options: Any) -> Any:
        return load_classifier(self._found, **options)

    def predict(
        self,
        sequences: Iterable[Any],
        seq_type: Any = None,
        *,
        keep_gaps: bool = False,
    ) -> np.ndarray:
        """Predict, in the order given.

        Letters beyond `config.max_residues` are cut, as in training.

        Args:
            sequences: letters of molecules; for a model of pairs tuples of two. Cleaned as those of
                a file are, see `sequence_io.clean_sequence`.
            seq_type: `gene` or `prot` for all, or one for each; for pairs a tuple of this for the
                first and for the second sequences. What the model was trained on, if not given.
            keep_gaps: keep gap and stop characters.

        Returns:
            (n, num_labels), as of `probabilities`.

        Raises:
            ValueError: an unknown molecule type, none at all, not one for each sequence, something
                that is no pair, or a sequence that is empty or holds what is no letter.
            torch.OutOfMemoryError: a sequence does not fit into memory, not even alone.
        """
        given = [sequences] if isinstance(sequences, str) else list(sequences)
        if self.sides == 1:
            columns, kinds = [given], [seq_type]
        else:
            for number, pair in enumerate(given):
                if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                    raise ValueError(f"sequence {number} (from 0): the model takes pairs")
            columns = [[pair[side] for pair in given] for side in range(2)]
            kinds = [None, None] if seq_type is None else list(seq_type)
            if isinstance(seq_type, str) or len(kinds) != 2:
                raise ValueError(f"seq_type {seq_type!r}: a pair has two molecule types")
        texts, types = [], []
        for side, (column, kind) in enumerate(zip(columns, kinds, strict=True)):
            if kind is None:
                trained = self.model.config.seq_types
                if trained is None:
                    raise ValueError("no seq_type is given, and the model does not name one")
                kind = trained[side]
            letters, stated = texts_and_types(column, kind, keep_gaps)
            texts.append(letters)
            types.append([normalize_seq_type(one) for one in stated])
        names = map(str, range(len(given)))
        examples = [
            Example((name,) * self.sides, letters, stated, None)
            for name, letters, stated in zip(
                names, zip(*texts, strict=True), zip(*types, strict=True), strict=True
            )
        ]
        return self.probabilities(examples)

    @torch.inference_mode()
    def probabilities(
        self, examples: Sequence[Example], progress: Callable[[int], object] | None = None
    ) -> np.ndarray:
        """Predict the examples of a file, in their order.

        Args:
            examples: with letters of A to Z, and `gene` or `prot` as their types.
            progress: called with the number of letters that each finished batch read.

        Returns:
            (n, num_labels): the probability of each class (`multi_class`), of the positive
            (`binary`, one column), of each label (`multi_label`), or values (`regression`).

        Raises:
            ValueError: numbers that are not finite; names the first record.
            torch.OutOfMemoryError: a sequence does not fit into memory, not even alone.
        """
        sides = [self._inputs(examples, side) for side in range(self.sides)]
        summaries = [self.model.summary] if self.sides == 1 else list(self.model.summaries)
        found: list[dict[TypedSequence, Tensor]] = []
        for number, summary in enumerate(summaries):
            # The sides of a homogeneous pair have one summary, and are read together.
            distinct: dict[TypedSequence, str] = {}
            for side in range(number, self.sides, len(summaries)):
                for one, example in zip(sides[side], examples, strict=True):
                    distinct.setdefault(one, example.ids[side])
            found.append(self._summarize(summary, distinct, progress))
        if not examples:
            return np.zeros((0, self.model.config.num_labels), np.float32)
        vectors = [
            torch.stack([found[side % len(found)][one] for one in inputs])
            for side, inputs in enumerate(sides)
        ]
        logits = self.model.classifier(torch.cat(vectors, dim=-1)).float().cpu()
        finite = logits.isfinite().all(dim=1)
        if not finite.all():
            record = examples[int(finite.int().argmin())]
            raise ValueError(
                f"record {', '.join(record.ids)!r}: a prediction that is no finite number; is "
                f"dtype {self.model.dtype} too narrow for this model?".replace("torch.", "")
            )
        return probabilities(self.problem, logits)

    def _inputs(self, examples: Sequence[Example], side: int) -> list[TypedSequence]:
        """Return what the model reads of one side."""
        limits = self.model.config.max_residues
        end = None if limits is None else limits[side]
        return [
            TypedSequence(one.seq_types[side], one.sequences[side][:end].upper())
            for one in examples
        ]

    def _summarize(
        self,
        summary: nn.Module,
        distinct: dict[TypedSequence, str],
        progress: Callable[[int], object] | None,
    ) -> dict[TypedSequence, Tensor]:
        """Return the vector in front of the classifier for each sequence, given with its id."""
        inputs = list(distinct)

        def read(batch: SequenceBatch, which: list[int]) -> list[Tensor]:
            tokens = self.model.lucaone(**batch.model_inputs()).last_hidden_state
            vectors = summary(tokens, batch)
            if progress is not None:
                progress(sum(len(inputs[i].text) for i in which))
            return list(vectors.unbind())

        def too_long(number: int) -> Tensor:
            raise torch.OutOfMemoryError(
                f"record {distinct[inputs[number]]!r}: {len(inputs[number].text):,} letters do not "
                f"fit into the memory of {self.device}, not even alone"
            )

        vectors = self.runner.run(
            [one.text for one in inputs],
            [one.seq_type for one in inputs],
            read,
            alone=too_long,
        )
        return dict(zip(inputs, vectors, strict=True))
