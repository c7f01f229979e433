# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Records on their way into shards."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embedding.outputs import writing

from .records import LabelledRecord
from .shards import write_shard
from .stored import read_shard


class ShardBuffers:
    """Collects the records of each split and molecule type until they fill a shard.

    `save` keeps what is not in a shard yet as files of its own, in the form of shards. So a killed
    job goes on where it saved last, however far from full the shard of a rare kind is.

    Args:
        data: the folder in which `SPLIT/TYPE-NUMBER.parquet` appear.
        waiting: the folder for what is saved of records that wait for their shard.
        records_per_shard: records of a shard.
    """

    def __init__(self, data: Path, waiting: Path, records_per_shard: int):
        self.data, self.waiting, self.records_per_shard = data, waiting, records_per_shard
        self.shards: Counter[str] = Counter()
        self._saves = 0
        self._records: dict[str, list[LabelledRecord]] = defaultdict(list)

    def add(self, split: str, record: LabelledRecord) -> None:
        """Add a record."""
        self._records[f"{split}/{record.seq_type}"].append(record)

    def write_full(self) -> bool:
        """Write the shards that are full; return whether there were any."""
        before = self.shards.total()
        for kind in self._records:
            while len(self._records[kind]) >= self.records_per_shard:
                self._write(kind)
        return self.shards.total() > before

    def write_rest(self) -> None:
        """Write the shards that did not become full."""
        for kind, records in self._records.items():
            if records:
                self._write(kind)

    def _write(self, kind: str) -> None:
        path = self._path(kind, self.shards[kind])
        with writing(path):
            path.parent.mkdir(exist_ok=True)
        write_shard(self._records[kind][: self.records_per_shard], path)
        del self._records[kind][: self.records_per_shard]
        self.shards[kind] += 1

    def _path(self, kind: str, number: int) -> Path:
        return self.data / f"{kind}-{number:05d}.parquet"

    def save(self) -> dict[str, Any]:
        """Save what waits, under names that no earlier state has; return what `restore` needs."""
        self._saves += 1
        files = {}
        for kind, records in self._records.items():
            if records:
                name = f"{self._saves}-{kind.replace('/', '-')}.parquet"
                write_shard(records, self.waiting / name)
                files[kind] = name
        return {"saves": self._saves, "shards": self.shards, "waiting": files}

    def files(self, state: Mapping[str, Any]) -> list[Path]:
        """Return the files of a saved state."""
        shards = (self._path(kind, i) for kind, n in state["shards"].items() for i in range(n))
        return [*shards, *(self.waiting / name for name in state["waiting"].values())]

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a saved state.

        Raises:
            ValueError: a file of it cannot be read.
        """
        self._saves = state["saves"]
        self.shards.update(state["shards"])
        for kind, name in state["waiting"].items():
            self._records[kind] = read_shard(self.waiting / name)

    def forget_all_but(self, state: Mapping[str, Any]) -> None:
        """Remove what was saved for earlier states."""
        for path in self.waiting.iterdir():
            if path.name not in state["waiting"].values():
                path.unlink()
