# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The work of `building.build`: from entries to shards, going on where it was killed.

There is a checkpoint after each shard, behind the entry that filled it: the position in the
sources, the vocabularies, what was counted and told, and the records that are not in a shard yet.
What a killed job wrote after it is written again, the same.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tqdm import tqdm

from embedding.jobs import JobFolder
from embedding.outputs import replace_durably, writing

from .buffers import ShardBuffers
from .findings import Finding, Report
from .named import NamedRecord, Reader
from .records import LabelledRecord
from .summary import BuildSummary
from .vocabularies import Vocabularies
from .workers import EntryReader, Outcome, Position, Source, read_entries

# In the folder of the job: what is done, and its last checkpoint.
WORK = "work"
PROGRESS = f"{WORK}/progress.json"


class BuildJob:
    """A job that has begun: `OUTPUT.partial/work/data` becomes the output.

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
            head: what `summary.json` says first.
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
            for number, outcome in entries:
                with writing(self.output):
                    bar.update(self._take(outcome, number, sources[number]))
            with writing(self.output):
                self._finish(head)
        return self.summary

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
        if self.buffers.write_full():
            self._save()
        return records

    def _report(self, finding: Finding) -> None:
        self.summary.add_finding(finding)
        self.report.add(finding)

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
        self._write(self.progress, json.dumps(state))
        self.buffers.forget_all_but(buffers)

    def _write(self, path: Path, text: str) -> None:
        temporary = self.waiting / "text"
        temporary.write_text(text, encoding="utf-8")
        replace_durably(temporary, path)

    def _finish(self, head: Mapping[str, Any]) -> None:
        """Write what is left, and let the output appear."""
        summary = self.summary
        if not summary.count():
            reasons = ", ".join(f"{n:,} {why}" for why, n in summary.findings["dropped"].items())
            raise ValueError(
                f"{self.output}: no record is left of {summary.entries:,} entries"
                + f" ({reasons})" * bool(reasons)
            )
        self.buffers.write_rest()
        if repeated := _repeated_ids(self.data):
            text = f"{repeated:,} records have the id of an earlier one"
            self._report(Finding("", "", "note", "ids are not unique", text))
        self.report.save()
        names = self.vocabularies.names()
        summary.name_labels(names)
        for task, lines in names.items():
            (self.data / "labels").mkdir(exist_ok=True)
            self._write(self.data / "labels" / f"{task}.txt", "\n".join((*lines, "")))
        content = json.dumps({**head, **summary.counted()}, indent=1, ensure_ascii=False)
        self._write(self.data / "summary.json", f"{content}\n")
        if self.output.exists():
            replaced = self.folder.path / "replaced"
            shutil.rmtree(replaced, ignore_errors=True)
            self.output.rename(replaced)
        self.data.rename(self.output)


def _repeated_ids(data: Path) -> int:
    """Return how many records have an id that another one had before."""
    tables = [pq.read_table(shard, columns=["id"]) for shard in sorted(data.rglob("*.parquet"))]
    ids = pa.concat_tables(tables)["id"]
    return len(ids) - int(pc.count_distinct(ids).as_py())
