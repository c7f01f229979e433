# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Source files to a folder of labelled records.

    OUTPUT/train/gene-00000.parquet ...   shards of one molecule type; dev/ and others likewise
    OUTPUT/labels/TASK.txt                label names; the line number (from 0) is the id
    OUTPUT/report.tsv                     every dropped or noted entry, with the reason
    OUTPUT/summary.json                   settings, hashes, versions, counts

The same files and settings give the same bytes, with any number of processes and however often the
job was killed. The format of the source files is the business of a `Reader`.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedding.jobs import JobFolder, check_same

from .data_folder import check_place, read_facts
from .job import PROGRESS, WORK, BuildJob
from .named import Reader
from .summary import BuildSummary
from .vocabularies import Vocabularies, read_vocabularies
from .workers import Source

# Hashing whole archives would take hours; size, time and first bytes tell two files apart.
BYTES_HASHED = 2**20


@dataclass(frozen=True, kw_only=True)
class BuildOptions:
    """How a data folder is made.

    Attributes:
        dev_fraction: share of the groups that goes to `dev/`, from 0 to less than 1.
        labels: folder of given vocabularies; names that are not in them are left out and reported.
        processes: how many read at the same time; does not change the result.
        records_per_shard: records in a file; the last of a kind holds fewer.
        overwrite: replace a data folder that is there.
    """

    dev_fraction: float = 0.0
    labels: Path | None = None
    processes: int = 1
    records_per_shard: int = 65_536
    overwrite: bool = False

    def check(self) -> None:
        """Check what can be wrong whatever the files hold.

        Raises:
            ValueError: an option is wrong; the message names it.
        """
        if not 0 <= self.dev_fraction < 1:
            raise ValueError(f"--dev-fraction {self.dev_fraction}: must be from 0 to less than 1")
        for name in ("processes", "records_per_shard"):
            if (value := getattr(self, name)) < 1:
                raise ValueError(f"--{name.replace('_', '-')} {value}: must be at least 1")


def build(
    reader: Reader,
    settings: Mapping[str, Any],
    sources: Sequence[Path],
    output: Path,
    options: BuildOptions,
    tell: Callable[[str], object] = lambda note: None,
    splits: Mapping[Path, str] | None = None,
    names: Mapping[str, Sequence[str]] | None = None,
) -> BuildSummary:
    """Make a folder of labelled records.

    Names of labels get ids in the order in which they first appear, or those of given vocabularies.

    Args:
        reader: reads the files.
        settings: its options, as JSON can hold them; they decide the result.
        sources: the files, in the order in which they are read.
        output: the folder to write; it appears when it is whole. Until then the work is in
            `OUTPUT.partial`, and the same call goes on with it.
        options: how.
        tell: gets a line about what is worth telling meanwhile.
        splits: files whose records all go to one split; the groups of the others decide.
        names: label names of tasks whose ids are these, where no vocabulary is given for them; if
            none is given at all, other names follow them.

    Returns:
        What was made.

    Raises:
        ValueError: an option is wrong; a file cannot be read, has no entry or is named twice; no
            record is left; another job has begun or made the output; it cannot be written.
    """
    options.check()
    files = _sources(sources, splits or {})
    given = None if options.labels is None else read_vocabularies(options.labels)
    identities = [_identity(source) for source in files]
    made_from = {
        "reader": type(reader).__name__,
        **settings,
        "dev_fraction": options.dev_fraction,
        "records_per_shard": options.records_per_shard,
        "vocabularies_sha256": None if given is None else _sha256(given),
        "sources_sha256": _sha256(identities),
    }
    made_from = json.loads(json.dumps(made_from))
    head = {"made_from": made_from, "sources": identities}
    summary = None if options.overwrite else _complete(output, made_from)
    check_place(output)
    folder = JobFolder(output, WORK)
    folder.open()
    try:
        if summary is None:
            folder.begin(made_from, {}, options.overwrite)
            _check_entries(reader, files)
            vocabularies = Vocabularies(
                {**(names or {}), **(given or {})}, closed=given is not None
            )
            job = BuildJob(folder, vocabularies, options.dev_fraction, options.records_per_shard)
            summary = job.run(reader, files, options.processes, head, tell)
        return summary
    finally:
        if not (folder.path / PROGRESS).exists():  # there is nothing to go on with
            folder.discard()
        folder.close(finished=summary is not None)


def _sources(paths: Sequence[Path], splits: Mapping[Path, str]) -> list[Source]:
    """Give each file a name: its path from the folder that all of them are in."""
    if not paths:
        raise ValueError("no file is given to read")
    absolute = [path.absolute() for path in paths]
    if len(set(absolute)) < len(absolute):
        twice, _ = Counter(absolute).most_common(1)[0]
        raise ValueError(f"{twice}: is named twice")
    common = Path(os.path.commonpath([path.parent for path in absolute]))
    return [
        Source(path, whole.relative_to(common).as_posix(), splits.get(path))
        for path, whole in zip(paths, absolute, strict=True)
    ]


def _identity(source: Source) -> dict[str, Any]:
    """Return what tells a file from another one of its name."""
    try:
        stat = source.path.stat()
        with source.path.open("rb") as file:
            head = file.read(BYTES_HASHED)
    except OSError as error:
        raise ValueError(f"{source.path}: cannot be read: {error.strerror}") from None
    return {
        "name": source.name,
        "bytes": stat.st_size,
        "modified_ns": stat.st_mtime_ns,
        "first_megabyte_sha256": hashlib.sha256(head).hexdigest(),
    }


def _sha256(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _complete(output: Path, made_from: dict[str, Any]) -> BuildSummary | None:
    """Return the summary of what this job has made before; None if it has not.

    Raises:
        ValueError: another job has made it.
    """
    if (facts := read_facts(output)) is None:
        return None
    check_same(f"{output} was made", facts["made_from"], made_from)
    summary = BuildSummary(str(output), notes=[f"{output} is complete; nothing was done"])
    summary.restore(facts)
    return summary


def _check_entries(reader: Reader, files: Sequence[Source]) -> None:
    """Look into every file before the work begins."""
    for source in files:
        if next(iter(reader.entries(source.path)), None) is None:
            raise ValueError(f"{source.path}: there is no entry in it")
