# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The work of `building.build`: from entries to shards, going on where it was killed.

There is a checkpoint behind each entry that filled a shard, and about once a minute: the position
in the sources, the vocabularies, what was counted and told, and the records that are not in a shard
yet. What a killed job wrote after it is written again, the same.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

from tqdm import tqdm

from embedding.jobs import JobFolder
from embedding.outputs import writing

from .buffers import ShardBuffers
from .data_folder import write_facts, write_text
from .findings import Finding, Report
from .named import NamedRecord, Reader
from .records import LabelledRecord
from .summary import BuildSummary
from .vocabularies import Vocabularies
from .workers import BROKEN_OFF, EntryReader, Outcome, Position, Source, read_entries

# In the folder of the job: what is done, and its last checkpoint.
WORK = "work"
PROGRESS = f"{WORK}/progress.json"
# Seconds of work that a killed job may lose, if an entry does not take longer.
SAVE_SECONDS = 60


class BuildJob:
    """A job that has begun; in the end `data` in `WORK` of its folder becomes the output.

    Args:
        folder: of the job; what is done is in `WORK`.
        vocabularies: with which it began.
        dev_fraction: share of the groups that goes to `dev/`.
        records_per_shard: records in a file.

    Raises:
        ValueError: its files cannot be written, or what it saved cannot be read.
    """

    def __init__(
        self,
        folder: JobFolder,
        vocabularies: Vocabularies,
        dev_fraction: float,
        records_per_shard: int,
    ):
        self.folder, self.output = folder, folder.output
        self.vocabularies, self.dev_fraction = vocabularies, dev_fraction
        self.progress = folder.path / PROGRESS
        self.data, self.waiting = (folder.path / WORK / name for name in ("data", "waiting"))
        self.buffers = ShardBuffers(self.data, self.waiting, records_per_shard)
        self.summary = BuildSummary(str(self.output))
        self.saved_at = time.monotonic()
        self.position = Position()
        report_size = 0
        if (state := self._saved()) is None:
            folder.discard()
        else:
            self.position = Position(**state["position"])
            self.vocabularies = Vocabularies(state["names"], vocabularies.closed)
            self.summary.restore(state["counted"])
            self.buffers.restore(state["buffers"])
            report_size = state["report"]
        with writing(self.output):
            for path in (self.data, self.waiting):
                path.mkdir(parents=True, exist_ok=True)
            self.report = Report(self.data / "report.tsv", report_size)

    def _saved(self) -> dict[str, Any] | None:
        """Return the last checkpoint; None where none is whole.

        Its files are gone when they have become an output, or when removing them was interrupted.
        """
        if not self.progress.exists():
            return None
        state: dict[str, Any] = json.loads(self.progress.read_text("utf-8"))
        files = [self.data / "report.tsv", *self.buffers.files(state["buffers"])]
        return state if all(path.exists() for path in files) else None

    def run(
        self,
        reader: Reader,
        sources: Sequence[Source],
        processes: int,
        head: Mapping[str, Any],
        tell: Callable[[str], object],
    ) -> BuildSummary:
        """Read what is not read yet, and let the output appear.

        Args:
            reader: reads the files.
            sources: the files.
            processes: how many read at the same time.
            head: what `summary.json` says first, behind format and versions.
            tell: gets a line about what was done before.

        Raises:
            ValueError: a file cannot be read, no record is left, or the output cannot be written.
        """
        if self.summary.entries:
            tell(f"{self.summary.entries:,} entries were read by an earlier run")
        entry_reader = EntryReader(reader, self.vocabularies.sizes())
        entries = read_entries(entry_reader, sources, self.position, processes)
        bar = tqdm(
            desc="reading",
            unit=" records",
            unit_scale=True,
            initial=self.summary.count(),
            disable=None,
            delay=2,
        )
        with closing(self.report), closing(entries), bar:
            self._prepare(reader)
            for number, outcome in entries:
                with writing(self.output):
                    bar.update(self._take(outcome, number, sources[number]))
            with writing(self.output):
                self._finish(head)
        return self.summary

    def _prepare(self, reader: Reader) -> None:
        """Let a reader get ready, if it has to; an earlier run may have told of it already."""
        if (prepare := getattr(reader, "prepare", None)) is None:
            return
        for finding in prepare():
            if not self.summary.entries:
                with writing(self.output):
                    self._report(finding)

    def _take(self, outcome: Outcome, number: int, source: Source) -> int:
        """Take what became of the next entry; return how many records that were."""
        records = 0
        for one in outcome:
            if isinstance(one, Finding):
                self._report(one)
                continue
            split = source.split or self._split(one)
            record = self._numbered(one, source.name) if isinstance(one, NamedRecord) else one
            self.summary.add(split, record)
            self.buffers.add(split, record)
            records += 1
        self.summary.entries += 1
        if number != self.position.source:
            self.position = Position(number)
        self.position.entries += 1
        if self.buffers.write_full() or time.monotonic() - self.saved_at >= SAVE_SECONDS:
            self._save()
        return records

    def _report(self, finding: Finding) -> None:
        self.summary.add_finding(finding)
        self.report.add(finding)
        if finding.reason == BROKEN_OFF:
            self.summary.notes.append(f"{finding.file}: {finding.reason}: {finding.detail}")

    def _split(self, record: NamedRecord | LabelledRecord) -> str:
        """Return the split of a record's group; one that has ids is a group of its own."""
        group = record.group if isinstance(record, NamedRecord) else record.id
        digest = hashlib.sha256(group.encode()).digest()
        return "dev" if int.from_bytes(digest[:8], "big") / 2**64 < self.dev_fraction else "train"

    def _numbered(self, record: NamedRecord, file: str) -> LabelledRecord:
        def number(task: str, name: str) -> int | None:
            if (label := self.vocabularies.number(task, name)) is None:
                reason = f"{task}: a name that is not in the vocabulary"
                self._report(Finding(file, record.id, "partly", reason, name))
            return label

        return record.numbered(number)

    def _save(self) -> None:
        """Make a checkpoint."""
        buffers = self.buffers.save()
        state = {
            "position": asdict(self.position),
            "names": self.vocabularies.names(),
            "report": self.report.save(),
            "counted": self.summary.counted(),
            "buffers": buffers,
        }
        write_text(self.progress, json.dumps(state))
        self.buffers.forget_all_but(buffers)
        self.saved_at = time.monotonic()

    def _finish(self, head: Mapping[str, Any]) -> None:
        """Write what is left, and let the output appear."""
        summary = self.summary
        if not summary.count():
            reasons = ", ".join(f"{n:,} {why}" for why, n in summary.findings["dropped"].items())
            raise ValueError(
                f"{self.output}: no record is left of {summary.entries:,} entries"
                + f" ({reasons})" * bool(reasons)
            )
        if self.dev_fraction and not summary.count("dev"):
            summary.notes.append("dev/ is empty: whole entries go there, and there are few of them")
        self.buffers.write_rest()
        self.report.save()
        write_facts(self.data, head, self.vocabularies, summary)
        if self.output.exists():
            replaced = self.folder.path / "replaced"
            shutil.rmtree(replaced, ignore_errors=True)
            self.output.rename(replaced)
        self.data.rename(self.output)
