# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The rows of a comparison: what each source of features comes to on one task."""

import json
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from accelerate import PartialState

from embedding.outputs import replace_durably, writing
from modeling_lucaone import LucaOneConfig
from training_jobs.hardware import Hardware

from .comparison_sources import Source
from .data import TaskData
from .evaluation import METRICS, intervals, majority_probabilities, score
from .features import FillReport
from .frozen import compute_features, train_on_features
from .kmers import train_on_kmers
from .task import Task
from .trainer import probabilities
from .training import main_metric


@dataclass(frozen=True)
class Row:
    """A row of a comparison.

    Attributes:
        name: in the table.
        kind: `features`, `k-mers`, `majority` or `published`.
        metrics: of each split that nothing was trained on, every metric; None where it has no
            value.
        intervals: lower and upper bound of the main metric, 95%, of the split that is judged.
        source: the encoder as it was asked for.
        width: numbers in a row of features, of each encoder; or k-mers.
        sequences: `distinct` ones of the data, and those of them that were `computed` by the call
            that finished the row; the others lay in the store.
        steps: updates of the head.
        best_step: after which the head was judged; None where there is no dev split.
        trained_parameters: numbers in the head.
        regularisation: 1 / C of a logistic regression, alpha of a ridge regression.
        seconds: of the call that finished the row.
        notes: what a user should know.
    """

    name: str
    kind: str
    metrics: dict[str, dict[str, float | None]]
    intervals: dict[str, dict[str, list[float | None]]] = field(default_factory=dict)
    source: str | None = None
    width: list[int] = field(default_factory=list)
    sequences: dict[str, int] = field(default_factory=dict)
    steps: int | None = None
    best_step: int | None = None
    trained_parameters: int | None = None
    regularisation: float | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Bench:
    """One task, on which sources of features are tried one after the other.

    Attributes:
        task: the task.
        data: its data.
        store: folder in which features are kept.
        hardware: where heads are trained.
        tell: called with how it goes.
    """

    task: Task
    data: TaskData
    store: Path
    hardware: Hardware
    tell: Callable[[str], object]

    @property
    def metric(self) -> str:
        """By which the task is judged."""
        return main_metric(self.task, self.data.problem)

    def try_all(
        self,
        sources: Sequence[Source],
        configs: Mapping[str, LucaOneConfig],
        folder: Path,
        processes: PartialState,
    ) -> list[Row]:
        """Make the rows that an earlier call did not make.

        Args:
            sources: the same as of that call.
            configs: of the heads by the names of the sources.
            folder: of the finished rows, `row-01.json`, and of checkpoints.
            processes: of which the main one makes the rows of k-mers, and keeps all.

        Returns:
            All rows, to the main process.

        Raises:
            ValueError: an encoder cannot be loaded or does not read these sequences, or a file
                cannot be written; one line that names it.
            RuntimeError: see `TaskTrainer`.
        """
        files = {one.name: folder / f"row-{i:02}.json" for i, one in enumerate(sources, start=1)}
        waiting = [one for one in sources if not files[one.name].exists()]
        processes.wait_for_everyone()
        # First what takes no time, then where an encoder may fail, last the training.
        for one in waiting:
            if not one.backbones and processes.is_main_process:
                self._keep(self._by_kmers(one), files[one.name])
        waiting = [one for one in waiting if one.backbones]
        reports = [
            compute_features(self.task, self.data, one.backbones, self.store, self.tell)[1]
            for one in waiting
        ]
        for one, filled in zip(waiting, reports, strict=True):
            checkpoints = files[one.name].with_suffix("")
            row = self._by_features(one, configs[one.name], filled, checkpoints)
            if processes.is_main_process:
                self._keep(row, files[one.name])
                shutil.rmtree(checkpoints, ignore_errors=True)
        if not processes.is_main_process:
            return []
        return [Row(**json.loads(file.read_text("utf-8"))) for file in files.values()]

    def majority(self) -> Row:
        """Return the row of what knows no sequence."""
        train = self.data.labels("train")
        found = {
            split: majority_probabilities(self.data.problem, train, self.data.labels(split))
            for split in self.data.judged
        }
        return Row("majority", "majority", *self._scores(found))

    def published(self) -> Row | None:
        """Return the row of the task's published score, if it has one."""
        values = self.task.published
        if not values:
            return None
        name = f"published ({values['model']})" if "model" in values else "published"
        known = METRICS[self.data.problem]
        scores = {metric: value for metric, value in values.items() if metric in known}
        return Row(name, "published", {self.data.judged[0]: scores})

    def _by_kmers(self, source: Source) -> Row:
        begun = time.monotonic()
        try:
            model = train_on_kmers(self.task, self.data, source.k)
        except ValueError as error:
            raise ValueError(f"{source.given}: {str(error).splitlines()[0]}") from error
        return Row(
            source.name,
            "k-mers",
            *self._scores(model.probabilities),
            source=source.given,
            width=[model.width],
            regularisation=1 / model.strength,
            seconds={"training": round(time.monotonic() - begun, 1)},
        )

    def _by_features(
        self, source: Source, config: LucaOneConfig, filled: Sequence[FillReport], folder: Path
    ) -> Row:
        begun = time.monotonic()
        trained = train_on_features(
            self.task,
            self.data,
            config,
            source.backbones,
            self.store,
            folder,
            self.hardware,
            lambda _: None,  # the features are there
        )
        found = {name: probabilities(self.data.problem, of) for name, of in trained.logits.items()}
        return Row(
            source.name,
            "features",
            *self._scores(found),
            source=source.given,
            width=[one.width for one in source.backbones],
            sequences={
                "distinct": sum(report.distinct for report in filled),
                "computed": sum(report.computed for report in filled),
            },
            steps=trained.steps,
            best_step=trained.best_step,
            trained_parameters=trained.trained_parameters,
            seconds={
                "features": round(sum(report.seconds for report in filled), 1),
                "training": round(time.monotonic() - begun, 1),
            },
            notes=[*(note for report in filled for note in report.notes), *trained.notes],
        )

    def _scores(self, probabilities: Mapping[str, np.ndarray]) -> tuple[dict, dict]:
        """Return the metrics and intervals of a row."""
        problem, first = self.data.problem, self.data.judged[0]
        metrics = {}
        for split in self.data.judged:
            labels, groups = self.data.labels(split), self.data.groups(split)
            scores = score(problem, probabilities[split], labels, groups)
            metrics[split] = {name: _number(value) for name, value in scores.items()}
        bounds = intervals(problem, probabilities[first], self.data.labels(first), [self.metric])
        return metrics, {first: {name: list(map(_number, of)) for name, of in bounds.items()}}

    def _keep(self, row: Row, file: Path) -> None:
        """Write a row; after a power failure it is there whole or not at all."""
        temporary = file.with_suffix(".tmp")
        with writing(file):
            temporary.write_text(json.dumps(asdict(row)), "utf-8")
            replace_durably(temporary, file)
        split = self.data.judged[0]
        self.tell(f"{row.name}: {split} {self.metric} {row.metrics[split][self.metric]}")


def _number(value: float) -> float | None:
    """Return a number as JSON has it, None for none."""
    return float(value) if math.isfinite(value) else None
