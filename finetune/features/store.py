# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A store of features: each distinct sequence goes through an encoder once."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from filelock import FileLock, Timeout
from torch import Tensor

from embedding.outputs import writing

from .base import Backbone, TypedSequence
from .files import FeatureFile, feature_files


@dataclass(frozen=True)
class FillReport:
    """What `FeatureStore.fill` did.

    Attributes:
        distinct: sequences that were asked for, each counted once.
        computed: those of them that went through the encoder.
        reused: those that were there.
        residues: letters of the computed ones.
        notes: what a user should know; of several processes the main one has them.
        seconds: what it took.
    """

    distinct: int
    computed: int
    reused: int
    residues: int
    notes: list[str]
    seconds: float


class FeatureStore:
    """Features by sequence, in files that outlive the process.

    They lie under `folder` in a folder named by the backbone's key, so that encoders, and options
    that change the numbers, do not meet. Any number of tasks may share a store. A killed `fill`
    loses the part at work. While LucaOne's are computed, the new ones take twice their place.

    Args:
        folder: of all stores.
        backbone: the encoder.

    Attributes:
        path: the folder of this store.
        width: numbers in a row.

    Raises:
        ValueError: the encoder's weights, or a file of the store, cannot be read.
    """

    def __init__(self, folder: Path, backbone: Backbone):
        self.backbone, self.width = backbone, backbone.width
        self.path = Path(folder) / backbone.key
        self._files: dict[Path, FeatureFile] = {}
        self._places: dict[str, tuple[Path, int]] = {}
        self._open_new_files()

    def fill(
        self,
        sequences: Iterable[TypedSequence],
        tell: Callable[[str], object] = lambda _: None,
    ) -> FillReport:
        """Compute the features that are not there yet.

        Under `accelerate launch` every process calls this with the same sequences, and all must
        see the same folder: LucaOne's work is shared out, that of others the main process does. A
        second run on the same store waits for the first.

        Args:
            sequences: in any order, repeated or not.
            tell: called if another run is waited for.

        Raises:
            ValueError: a sequence without a molecule type or with what is no letter; the encoder
                cannot be loaded or does not read these; a file cannot be written, or is damaged.
                One line; what is done is kept.
        """
        begun = time.monotonic()
        wanted: dict[str, TypedSequence] = {}
        for sequence in dict.fromkeys(sequences):
            sequence.check()
            wanted.setdefault(sequence.digest, sequence)
        missing: list[TypedSequence] = []
        notes: list[str] = []
        if self.backbone.stored:
            # A process may have to wait for the others as long as the whole job takes.
            device = getattr(self.backbone, "device", None)
            processes = PartialState(
                cpu=device == "cpu" or not torch.cuda.is_available(), timeout=timedelta(days=30)
            )
            with self._locked(processes, tell):
                if processes.is_main_process:
                    self.backbone.recover(self.path)
                processes.wait_for_everyone()
                self._open_new_files()
                missing = [wanted[digest] for digest in wanted.keys() - self._places.keys()]
                missing.sort(key=lambda sequence: (-len(sequence.text), sequence))
                if missing and (self.backbone.shared or processes.is_main_process):
                    notes = self.backbone.write(missing, self.path, processes)
                processes.wait_for_everyone()
                self._open_new_files()
            if lost := wanted.keys() - self._places.keys():
                raise ValueError(
                    f"{self.path}: lacks {len(lost):,} features that were just computed; do all "
                    "processes see this folder?"
                )
        return FillReport(
            distinct=len(wanted),
            computed=len(missing),
            reused=len(wanted) - len(missing),
            residues=sum(len(sequence.text) for sequence in missing),
            notes=notes,
            seconds=time.monotonic() - begun,
        )

    def __getitem__(self, sequence: TypedSequence) -> Tensor:
        """Return the features of a sequence.

        Returns:
            (rows, width) fp32, one row unless the backbone's rows are `residues`. It lies in the
            file, from where memory is filled as it is read; clone it before writing into it.

        Raises:
            KeyError: it has none here.
        """
        if not self.backbone.stored:
            return self.backbone.compute(sequence)
        try:
            path, number = self._places[sequence.digest]
        except KeyError:
            start = sequence.text[:20]
            raise KeyError(f"{self.path}: no features of {sequence.seq_type} {start}...") from None
        return self._files[path][number]

    def __contains__(self, sequence: TypedSequence) -> bool:
        """Whether its features can be had without the encoder."""
        return not self.backbone.stored or sequence.digest in self._places

    def _open_new_files(self) -> None:
        for path in feature_files(self.path):
            if path not in self._files:
                file = self._files[path] = FeatureFile(path, self.width)
                for number, digest in enumerate(file.digests):
                    self._places.setdefault(digest, (path, number))

    @contextmanager
    def _locked(self, processes: Any, tell: Callable[[str], object]) -> Iterator[None]:
        """Keep other runs out; the main process does it for all."""
        if not processes.is_main_process:
            yield
            return
        about = {"name": self.backbone.name, "rows": self.backbone.rows}
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / "lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                tell(f"{self.path}: another run is at work on it; waiting for it")
                lock.acquire()
        try:
            with writing(self.path):
                text = json.dumps(about | self.backbone.made_from(), indent=1)
                (self.path / "about.json").write_text(text, "utf-8")
            yield
        finally:
            lock.release()
