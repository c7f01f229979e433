# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What the annotation heads of a model say of sequences: labels, spans and values.

* `labels` of a whole sequence: a single-label task gives its best labels by softmax, a multi-label
  task all whose sigmoid reaches a threshold.
* `spans`: the longest stretches in which every letter has the same best label (multi-label: has the
  label) with a probability that reaches the threshold.
* `values`: the numbers of a regression, as the head gives them.

A sequence longer than a window is read in several. Spans run across them; labels of the whole are
told from the first window; values stay apart by window, for what they are relative to (in
`prot_structure` the extent of what was read, facts 2.2) differs between windows.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from modeling_lucaone import LucaOneForPreTraining
from modeling_lucaone.packing import SequenceBatch
from tokenization import normalize_seq_type

from ..inputs import texts_and_types
from ..models import ModelSource
from ..runner import TrainedModel
from ..windows import DEFAULT_WINDOW, Window, check_windows, plan_windows
from .tasks import Annotation, Label, Task, Values, find_tasks

DEFAULT_THRESHOLD = 0.5
# Labels of a sequence that a single-label task gives where nothing else is asked for.
BEST_LABELS = 3
# Rows that a head reads at once: with the 13,717 labels of prot_domain 56 MB of logits.
HEAD_ROWS = 1_024

# Stretches of a sequence with a label: letters from `start` to before `stop`, and the sum of their
# probabilities.
STRETCHES = np.dtype([("label", "i4"), ("start", "i8"), ("stop", "i8"), ("total", "f8")])


class _Piece(NamedTuple):
    """A window of one of the sequences."""

    number: int
    seq_type: str
    window: Window


def check_annotation_options(
    top_k: int | None = None,
    threshold: float = DEFAULT_THRESHOLD,
    min_length: int = 1,
    window: int = DEFAULT_WINDOW,
    overlap: int | None = None,
) -> None:
    """Check what is asked of annotations, see `Annotator.annotate`.

    Raises:
        ValueError: a number that cannot be right.
    """
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k {top_k} leaves no label")
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold {threshold} is no probability, 0 to 1")
    if min_length < 1:
        raise ValueError(f"min_length {min_length} is not a number of letters")
    check_windows(window, overlap)


def join_stretches(stretches: np.ndarray) -> np.ndarray:
    """Join what touches and has the same label, and sort by label and start.

    Args:
        stretches: (n,) of `STRETCHES`, those of a label not overlapping; single letters to begin
            with, later what was joined in each window.
    """
    stretches = stretches[np.lexsort((stretches["start"], stretches["label"]))]
    begins = np.ones(len(stretches), dtype=bool)
    label, start, stop = stretches["label"], stretches["start"], stretches["stop"]
    begins[1:] = (label[1:] != label[:-1]) | (start[1:] != stop[:-1])
    first = np.flatnonzero(begins)
    joined = stretches[first]
    if len(first):
        joined["stop"] = stop[np.append(first[1:], len(stretches)) - 1]
        joined["total"] = np.add.reduceat(stretches["total"], first)
    return joined


class Annotator(TrainedModel):
    """A model with annotation heads and its tokenizer, ready to annotate sequences.

    Probabilities are as good as what the heads were trained on. Positions without an annotation
    were left out of training, so there is no label for "nothing": every letter has a best label,
    and only its probability tells whether to believe it. The published keyword head was trained on
    the keywords that a protein has, never on those that it has not; nothing kept its probabilities
    low, and they are not calibrated (facts 2.2).

    Example:
        >>> annotator = Annotator("lucaone", tasks=["prot_domain"])
        >>> annotator.annotate("MKTAYIAKQR...", seq_type="prot").spans["prot_domain"]
        [Label(id=17, name='IPR000001', start=3, stop=82, score=0.93)]

    Args:
        model: folder or Hub repository.
        tasks: the tasks to run; all where not given.
        options: as of `TrainedModel`.

    Attributes:
        tasks: the tasks that are run.

    Raises:
        ValueError: see `TrainedModel` and `find_tasks`.
    """

    model_class = LucaOneForPreTraining

    def __init__(
        self,
        model: str | os.PathLike[str] | ModelSource,
        *,
        tasks: Iterable[str] | None = None,
        **options: Any,
    ):
        self._wanted = tasks
        super().__init__(model, **options)

    def _load(self, source: ModelSource, **options: Any) -> Any:
        self.tasks = find_tasks(source, self._wanted)
        model = super()._load(source, **options)
        # The head of prot_domain alone is a tenth of the model.
        for name in model.annotation_heads.keys() - {task.name for task in self.tasks}:
            del model.annotation_heads[name]
        return model

    def annotate(
        self,
        sequences: str | Iterable[str],
        seq_type: str | Iterable[str] | None = None,
        *,
        top_k: int | None = None,
        threshold: float = DEFAULT_THRESHOLD,
        min_length: int = 1,
        window: int = DEFAULT_WINDOW,
        overlap: int | None = None,
        keep_gaps: bool = False,
        progress: Callable[[int], object] | None = None,
    ) -> Any:
        """Annotate one sequence or several, in the order given.

        Args:
            sequences: letters of a molecule, or several; cleaned as those of a file are, see
                `sequence_io.clean_sequence`. Positions count the letters that are left.
            seq_type: `gene` or `prot` for all, or one for each; the tokenizer's default if any.
            top_k: labels of a sequence at most, best first; where not given 3 of a single-label
                task, and of a multi-label task all that reach the threshold.
            threshold: least probability of the labels of a multi-label task, and of the label of
                every letter of a span. The best labels of a single-label task have none.
            min_length: letters of the shortest span that is told.
            window: longest piece that is read at once, in letters, see `plan_windows`.
            overlap: of windows, see `plan_windows`.
            keep_gaps: keep gap and stop characters.
            progress: called with the number of letters of each finished batch.

        Returns:
            An `Annotation` for one sequence, a list of them for several.

        Raises:
            ValueError: an unknown molecule type, none at all, not one for each sequence, a number
                that cannot be right, or a sequence that is empty or holds what is no letter.
            torch.OutOfMemoryError: a window does not fit into memory, not even alone.
        """
        check_annotation_options(top_k, threshold, min_length, window, overlap)
        single = isinstance(sequences, str)
        texts, given = texts_and_types(sequences, seq_type, keep_gaps)
        types = [normalize_seq_type(kind or self.tokenizer.seq_type) for kind in given]
        wanted = {task.seq_type for task in self.tasks}
        by_letter = {task.seq_type for task in self.tasks if task.per_letter}
        pieces = [
            _Piece(number, kind, part)
            for number, (text, kind) in enumerate(zip(texts, types, strict=True))
            if kind in wanted
            for part in plan_windows(len(text), window, overlap)[: None if kind in by_letter else 1]
        ]

        def read(batch: SequenceBatch, which: list[int]) -> list[dict[str, Any]]:
            results = self._read(batch, [pieces[i] for i in which], top_k, threshold)
            if progress is not None:
                kept = [pieces[i].window for i in which]
                progress(sum(part.keep_stop - part.keep_start for part in kept))
            return results

        read_pieces = self.runner.run(
            [texts[piece.number][piece.window.start : piece.window.stop] for piece in pieces],
            [piece.seq_type for piece in pieces],
            read,
        )
        by_sequence: list[list[dict[str, Any]]] = [[] for _ in texts]
        for piece, results in zip(pieces, read_pieces, strict=True):
            by_sequence[piece.number].append(results)
        annotations = [
            self._assemble(kind, len(text), parts, min_length)
            for text, kind, parts in zip(texts, types, by_sequence, strict=True)
        ]
        return annotations[0] if single else annotations

    def _read(
        self, batch: SequenceBatch, pieces: list[_Piece], top_k: int | None, threshold: float
    ) -> list[dict[str, Any]]:
        """Run the model on a packed batch, and return what each task gives for each piece."""
        tokens = self.model.lucaone(**batch.model_inputs()).last_hidden_state[0]
        rows_of = tokens.split(batch.lengths)
        results: list[dict[str, Any]] = [{} for _ in pieces]
        for task in self.tasks:
            which, rows = [], []
            for i, (_, seq_type, (start, _, keep_start, keep_stop)) in enumerate(pieces):
                if seq_type != task.seq_type or not (task.per_letter or start == 0):
                    continue
                which.append(i)
                # Token 0 is [CLS], so that letter n of the window is token n + 1.
                kept = slice(keep_start - start + 1, keep_stop - start + 1)
                rows.append(rows_of[i][kept if task.per_letter else slice(1)])
            if not which:
                continue
            windows = [pieces[i].window for i in which]
            found: Sequence[Any]
            if task.gives == "values":
                found = self._values(task, rows, windows)
            elif task.gives == "spans":
                found = self._stretches(task, rows, windows, threshold)
            else:
                found = self._labels(task, rows, windows, top_k, threshold)
            for i, result in zip(which, found, strict=True):
                results[i][task.name] = result
        return results

    def _logits(self, task: Task, rows: list[Tensor]) -> Iterator[Tensor]:
        """Yield the logits of all rows in fp32, some rows at a time."""
        for some in torch.cat(rows).split(HEAD_ROWS):
            logits = self.model.annotation_heads[task.name](some).float()
            if not logits.isfinite().all():
                raise ValueError(
                    f"task {task.name}: logits that are not finite; is dtype {some.dtype} too "
                    "narrow for this model?".replace("torch.", "")
                )
            yield logits

    def _values(self, task: Task, rows: list[Tensor], windows: list[Window]) -> list[Values]:
        values = torch.cat([logits.cpu() for logits in self._logits(task, rows)]).numpy()
        if not task.per_letter:
            return [
                Values(task.label_names, 0, window.stop, row)
                for window, row in zip(windows, values, strict=True)
            ]
        parts = np.split(values, np.cumsum([len(part) for part in rows])[:-1])
        return [
            Values(task.label_names, window.keep_start, window.keep_stop, part)
            for window, part in zip(windows, parts, strict=True)
        ]

    def _labels(
        self,
        task: Task,
        rows: list[Tensor],
        windows: list[Window],
        top_k: int | None,
        threshold: float,
    ) -> list[list[Label]]:
        limit = top_k or (len(task.label_names) if task.several else BEST_LABELS)
        ids, scores = [], []
        for logits in self._logits(task, rows):
            probabilities = logits.sigmoid() if task.several else logits.softmax(-1)
            best, order = probabilities.sort(dim=-1, descending=True, stable=True)
            ids += order[:, :limit].tolist()
            scores += best[:, :limit].tolist()
        least = threshold if task.several else 0.0
        return [
            [
                Label(i, task.label_names[i], 0, window.stop, score)
                for i, score in zip(*best_labels, strict=True)
                if score >= least
            ]
            for window, *best_labels in zip(windows, ids, scores, strict=True)
        ]

    def _stretches(
        self, task: Task, rows: list[Tensor], windows: list[Window], threshold: float
    ) -> list[np.ndarray]:
        """Return for each window the `STRETCHES` in what it keeps."""
        starts = np.concatenate([np.arange(w.keep_start, w.keep_stop) for w in windows])
        letters, row_numbers, done = [], [], 0
        for logits in self._logits(task, rows):
            if task.several:
                probabilities = logits.sigmoid()
                row, label = (probabilities >= threshold).nonzero(as_tuple=True)
                score = probabilities[row, label]
            else:
                score, label = logits.softmax(-1).max(-1)
                row = (score >= threshold).nonzero().flatten()
                score, label = score[row], label[row]
            row_numbers.append(done + row.cpu().numpy())
            letters.append(np.empty(len(row), STRETCHES))
            letters[-1]["start"] = starts[row_numbers[-1]]
            letters[-1]["stop"] = letters[-1]["start"] + 1
            letters[-1]["label"], letters[-1]["total"] = label.cpu(), score.cpu()
            done += len(logits)
        ends = np.cumsum([len(part) for part in rows])
        cuts = np.searchsorted(np.concatenate(row_numbers), ends[:-1])
        return [join_stretches(part) for part in np.split(np.concatenate(letters), cuts)]

    def _assemble(
        self, seq_type: str, length: int, parts: list[dict[str, Any]], min_length: int
    ) -> Annotation:
        """Put together what the tasks gave for the windows of a sequence."""
        annotation = Annotation(seq_type, length)
        for task in self.tasks:
            if task.seq_type != seq_type:
                continue
            found = [part[task.name] for part in parts if task.name in part]
            if task.gives == "labels":
                annotation.labels[task.name] = found[0]
            elif task.gives == "values":
                annotation.values[task.name] = found
            else:
                spans = join_stretches(np.concatenate(found))
                spans = spans[spans["stop"] - spans["start"] >= min_length]
                annotation.spans[task.name] = [
                    Label(label, task.label_names[label], start, stop, total / (stop - start))
                    for label, start, stop, total in np.sort(spans, order="start").tolist()
                ]
        return annotation
