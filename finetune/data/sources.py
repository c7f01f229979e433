# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Where the data of a task lie: a folder in the published form, the Hub, or one file."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sequence_io.fasta import FASTA_SUFFIXES
from sequence_io.lines import COMPRESSION_SUFFIXES, content_suffix, read_lines
from sequence_io.records import file_error
from sequence_io.tables import TABLE_SUFFIXES

from .settings import SPLITS
from .tables import is_table

# The published names and those of other collections, of folders and of files.
SPLIT_NAMES = {**{name: name for name in SPLITS}, "valid": "dev", "validation": "dev"}
HUB_DATASET = re.compile(r"(\w[\w.-]*/\w[\w.-]*)((?:/\w[\w.-]*)*)")
HUB_FILES = (*TABLE_SUFFIXES, *(f".[ct]sv{suffix}" for suffix in COMPRESSION_SUFFIXES), ".txt")


@dataclass(frozen=True)
class DataFile:
    """A file of records.

    Attributes:
        path: where it lies.
        name: what messages call it: its place in the source.
        split: the split that its place tells, else None.
    """

    path: Path
    name: str
    split: str | None = None


@dataclass(frozen=True)
class Source:
    """The files of a task.

    Attributes:
        files: of records, in the order of the splits.
        labels: a table of labels for a FASTA file.
        label_names: `label.txt` of a folder.
    """

    files: tuple[DataFile, ...]
    labels: DataFile | None = None
    label_names: DataFile | None = None

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every file by its name, or its place where two have one name."""
        files = [file for file in (*self.files, self.labels, self.label_names) if file]
        names = Counter(file.path.name for file in files)
        return {
            file.path.name if names[file.path.name] == 1 else file.name: _sha256(file.path)
            for file in files
        }


def find_source(
    source: str | os.PathLike[str],
    labels_file: str | os.PathLike[str] | None = None,
    revision: str | None = None,
) -> Source:
    """Find the files of a task.

    Args:
        source: a folder, a file, or OWNER/NAME or OWNER/NAME/FOLDER of a data set on the Hub.
        labels_file: the table of labels, for FASTA.
        revision: branch, tag or commit of a data set on the Hub.

    Raises:
        ValueError: there are no such files, or it is not clear which they are; one line.
    """
    path = Path(source)
    if path.exists():
        if revision is not None:
            raise ValueError(f"{source}: is here and has no revision; that is for the Hub")
    else:
        path = _fetch(os.fspath(source), revision)
    if path.is_dir():
        if labels_file is not None:
            raise ValueError(f"{labels_file}: a table of labels goes with FASTA, not with a folder")
        return _of_folder(path, str(source))
    file = DataFile(path, path.name)
    if is_table(path):
        if labels_file is not None:
            raise ValueError(f"{labels_file}: a table of labels goes with FASTA, not with a table")
        return Source((file,))
    if labels_file is None:
        raise ValueError(
            f"{source}: by its name no table ({', '.join(TABLE_SUFFIXES)}) but FASTA, "
            "which needs a table of labels"
        )
    labels = Path(labels_file)
    if not labels.is_file():
        raise ValueError(f"{labels}: no such file")
    return Source((file,), labels=DataFile(labels, labels.name))


def read_label_names(file: DataFile) -> tuple[str, ...]:
    """Read `label.txt`: a header line, then a name per line, the id 0 first.

    Raises:
        ValueError: a name is missing or there twice.
    """
    names = [line.strip() for line in read_lines(file.path)][1:]
    while names and not names[-1]:
        names.pop()
    for line, name in enumerate(names, start=2):
        if not name:
            raise file_error(file.name, "no name", line=line)
        if name in names[: line - 2]:
            raise file_error(file.name, f"the name {name!r} is there twice", line=line)
    return tuple(names)


def _fetch(source: str, revision: str | None) -> Path:
    """Fetch the files of a data set from the Hub.

    Raises:
        ValueError: there is neither such a file here nor such a data set.
    """
    match = HUB_DATASET.fullmatch(source)
    if match is None or content_suffix(source) in (*FASTA_SUFFIXES, *TABLE_SUFFIXES):
        raise ValueError(
            f"{source}: no such file or folder; a data set of the Hub is called OWNER/NAME or "
            "OWNER/NAME/FOLDER"
        )
    from huggingface_hub import snapshot_download

    repository, folder = match.group(1), match.group(2).strip("/")
    prefix = f"{folder}/" if folder else ""
    try:
        root = snapshot_download(
            repository,
            repo_type="dataset",
            revision=revision,
            allow_patterns=[f"{prefix}*{suffix}" for suffix in HUB_FILES],
        )
    except (OSError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(f"{source}: not here, so looked for on the Hub: {reason}") from error
    path = Path(root, folder)
    if not path.is_dir():
        raise ValueError(f"{source}: the data set {repository} has no folder {folder!r} of tables")
    return path


def _of_folder(folder: Path, source: str) -> Source:
    """Find the splits of a folder.

    Raises:
        ValueError: it has no training data, or a split twice.
    """
    found: dict[str, list[DataFile]] = {}
    places: dict[str, str] = {}
    for entry in sorted(folder.iterdir()):
        split = SPLIT_NAMES.get(entry.name.split(".")[0].lower())
        tables = _tables(sorted(entry.iterdir()) if entry.is_dir() else [entry])
        if split is None or not tables:
            continue
        if split in found:
            raise ValueError(f"{source}: both {places[split]} and {entry.name} are {split} data")
        places[split] = entry.name
        found[split] = [
            DataFile(path, path.relative_to(folder).as_posix(), split) for path in tables
        ]
    if "train" not in found:
        raise ValueError(
            f"{source}: no training data; a folder has train/, dev/ and test/ with tables "
            f"({', '.join(TABLE_SUFFIXES)}), or train.csv, dev.csv and test.csv"
        )
    names = folder / "label.txt"
    return Source(
        tuple(file for split in SPLITS for file in found.get(split, ())),
        label_names=DataFile(names, names.name) if names.is_file() else None,
    )


def _tables(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if is_table(path) and path.name[0] != "." and path.is_file()]


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
