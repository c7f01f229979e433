# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""From files to examples: everything is looked at before anything is raised."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from tqdm.auto import tqdm

from sequence_io import CleaningReport, SequenceFileError

from .checks import (
    Cuts,
    check_cuts,
    check_inputs,
    check_labels,
    check_molecules,
    note_sizes,
)
from .examples import Example, Label, TaskData
from .findings import DataError, Findings
from .labels import encode, find_names, infer_problem, plain, wrong_names
from .rows import Row, clean, read_file, read_labels
from .settings import SPLITS, DataSettings, Problem
from .sources import SPLIT_NAMES, DataFile, Source, find_source, read_label_names
from .splits import divide, input_key

Place = tuple[Row, DataFile]


def read_data(
    source: str | os.PathLike[str],
    settings: DataSettings,
    *,
    labels_file: str | os.PathLike[str] | None = None,
    revision: str | None = None,
) -> TaskData:
    """Read the labelled data of a task, all of them, and look through them.

    Args:
        source: a folder in the published form (`train/`, `dev/` or `valid/` or `validation/`, and
            `test/`, with tables in them; or `train.csv`, ...; `label.txt` with a header line and a
            name per line); a data set of the Hub, `OWNER/NAME` or `OWNER/NAME/FOLDER`, of that
            form; one table (CSV, TSV, Parquet); or FASTA.
        settings: how they are read.
        labels_file: for FASTA, a table of ids and labels.
        revision: branch, tag or commit of a data set of the Hub.

    Returns:
        The splits; where the data have none, or lack dev or test, they are divided by
        `settings.split`, see `finetune.data.splits.divide`.

    Raises:
        DataError: something is wrong with the data; has a table of everything that was found.
    """
    reading = _Reading(settings)
    try:
        files = find_source(source, labels_file, revision)
    except (OSError, ValueError) as error:
        what = str(error).removeprefix(f"{source}: ")
        reading.findings.add("error", "source", str(source), what)
        raise DataError(reading.findings) from error
    return reading.read(files)


def read_unlabelled(
    path: Path, settings: DataSettings, report: CleaningReport | None = None
) -> Iterator[Example]:
    """Read sequences or pairs to predict, one at a time; labels are not looked at, nothing is cut.

    Args:
        path: a table or FASTA; `-` is FASTA from standard input.
        settings: columns, molecule types and gaps as of `read_data`.
        report: counts what cleaning removes.

    Raises:
        SequenceFileError: while iterating, at the first record that cannot be read.
    """
    report = report or CleaningReport()

    def fail(_: str, error: SequenceFileError) -> NoReturn:
        raise error

    for row in read_file(path, settings, ()):
        clean(row, path, settings, report, fail)
        yield Example(row.ids, row.sequences, row.seq_types, None)


class _Reading:
    """The state of `read_data`: the findings and the rows so far."""

    def __init__(self, settings: DataSettings):
        self.settings = settings
        self.findings = Findings()
        self.rows: list[tuple[Row, DataFile]] = []
        limits = settings.max_lengths or (sys.maxsize,) * len(settings.sides)
        self.cuts = [Cuts(limit) for limit in limits]
        # A protein that is in a thousand pairs is one string.
        self.texts: dict[str, str] = {}
        self.kinds: dict[tuple[str, ...], tuple[str, ...]] = {}

    def read(self, source: Source) -> TaskData:
        """Do the work of `read_data` on files that were found.

        Raises:
            DataError: see `read_data`.
        """
        given = self._given_names(source)
        for file in source.files:
            self._read_file(file, source.labels)
        if not self.rows:
            raise DataError(self.findings)  # no file without records is without an error
        problem, names, labels = self._number_labels(given)
        self._find_splits(problem, labels)
        splits: dict[str, list[Example]] = {split: [] for split in SPLITS}
        for row, _ in self.rows:
            label = labels.get(row.label or "")
            if row.sequences and row.split and label is not None:
                example = Example(row.ids, row.sequences, row.seq_types, label, row.group)
                splits[row.split].append(example)
        self.rows.clear()
        self.texts.clear()
        note_sizes(splits, self.settings, self.findings)
        check_labels(splits, problem, names, self.findings)
        check_inputs(splits, self.findings)
        check_cuts(self.cuts, self.settings, self.findings)
        check_molecules(splits, self.settings, self.findings)
        if self.findings.of("error"):
            raise DataError(self.findings)
        return TaskData(splits, problem, names, self.findings, source.hashes())

    def _fail(self, file: DataFile, kind: str, text: str, error: ValueError) -> None:
        """Keep an error, less the path of the file that it begins with."""
        what = str(error).removeprefix(str(file.path)).removeprefix(file.name).lstrip(": ")
        self.findings.add("error", kind, file.name, text, examples=(what,))

    def _given_names(self, source: Source) -> tuple[str, ...]:
        """Return the names of the labels that the settings or label.txt give, if any."""
        if self.settings.problem == "regression":
            return ()
        if self.settings.labels or source.label_names is None:
            return tuple(map(plain, self.settings.labels or ()))
        try:
            return tuple(map(plain, read_label_names(source.label_names)))
        except ValueError as error:
            self._fail(source.label_names, "label names", "the file cannot be read", error)
            return ()

    def _read_file(self, file: DataFile, labels: DataFile | None) -> None:
        """Read, clean and cut the rows of a file."""
        report = CleaningReport()

        def fail(kind: str, error: SequenceFileError) -> None:
            self._fail(file, kind, "records that cannot be read", error)

        rows = self._labelled_fasta(file, labels) if labels else self._labelled_table(file)
        try:
            for row in tqdm(rows, file.name, unit=" records", disable=None, delay=2, leave=False):
                if clean(row, file.path, self.settings, report, fail):
                    cut = map(Cuts.cut_off, self.cuts, row.sequences)
                    row.sequences = tuple(self.texts.setdefault(text, text) for text in cut)
                    row.seq_types = self.kinds.setdefault(row.seq_types, row.seq_types)
                    row.ids = tuple(map(sys.intern, row.ids))
                row.label = sys.intern(plain(row.label or ""))
                row.group = sys.intern((row.group or "").strip()) or None
                self.rows.append((row, file))
        except SequenceFileError as error:
            self._fail(file, "file", "the file cannot be read", error)
        if summary := report.summary():
            self.findings.add("note", "cleaning", file.name, summary, count=report.records_changed)

    def _labelled_table(self, file: DataFile) -> Iterator[Row]:
        """Read a table; the place of a file tells its split, else a column may.

        Raises:
            SequenceFileError: see `read_file`.
        """
        keys = ("label", "group") if file.split else ("label", "group", "split")
        for row in read_file(file.path, self.settings, keys):
            self._set_split(row, file, row.split)
            yield row

    def _labelled_fasta(self, file: DataFile, labels: DataFile) -> Iterator[Row]:
        """Read FASTA, and give each record what the table of labels says of its id.

        Raises:
            SequenceFileError: see `read_file`.
        """
        table: dict[str, Row] = {}

        def fail(where: DataFile, kind: str, text: str, row: Row, problem: str) -> None:
            self._fail(where, kind, text, row.error(where.name, problem))

        twice = "repeated id", "ids that are there twice"
        try:
            for row in read_labels(labels.path, self.settings):
                if table.setdefault(row.ids[0], row) is not row:
                    fail(labels, *twice, row, "the id is there twice")
        except SequenceFileError as error:
            self._fail(labels, "file", "the file cannot be read", error)
            return
        seen: set[str] = set()
        for row in read_file(file.path, self.settings, ()):
            entry = table.get(row.ids[0])
            if row.ids[0] in seen:
                fail(file, *twice, row, "the id is there twice")
            seen.add(row.ids[0])
            if entry is None:
                problem = f"the id is not in {labels.name}"
                fail(file, "no label", "records without a label", row, problem)
            else:
                row.label, row.group = entry.label, entry.group
                self._set_split(row, file, entry.split)
                yield row
        for name, entry in table.items():
            if name not in seen:
                text = "labels without a sequence"
                fail(labels, "no sequence", text, entry, f"the id is not in {file.name}")

    def _set_split(self, row: Row, file: DataFile, stated: str | None) -> None:
        """Give a row its split, None if nothing tells one."""
        row.split = file.split
        if stated is not None:
            row.split = SPLIT_NAMES.get(stated.strip().lower(), "")
        if row.split == "":
            problem = f"the split {stated!r} is none of {', '.join(SPLIT_NAMES)}"
            self._fail(file, "split", "records of no known split", row.error(file.name, problem))

    def _number_labels(
        self, given: tuple[str, ...]
    ) -> tuple[Problem, tuple[str, ...], dict[str, Label]]:
        """Find out what the labels are, and return the label of every cell that has one."""
        settings, separator = self.settings, self.settings.label_separator
        cells = Counter(row.label or "" for row, _ in self.rows)
        if settings.problem is None:
            problem, reason = infer_problem(cells, given, separator)
        else:
            problem, reason = settings.problem, "as the settings say"
        names = given or find_names(problem, cells, separator)
        text = f"{problem}: {reason}"
        if problem == "binary" and len(names) == 2:
            text += f"; the positive is {names[1]!r}, the negative {names[0]!r}"
        if problem != "regression":
            origin = "the data" if not given else "the settings" if settings.labels else "label.txt"
            text += f"; {len(names):,} names of labels from {origin}"
        self.findings.add("note", "problem", "all", text, count=len(self.rows))
        if wrong := wrong_names(problem, names):
            self.findings.add("error", "label names", "all", wrong)
        labels, problems = encode(problem, cells, names, separator)
        for row, file in self.rows if problems else ():
            if what := problems.get(row.label or ""):
                kind = "label" if row.label else "empty label"
                text = "labels that cannot be" if row.label else "records without a label"
                self._fail(file, kind, text, row.error(file.name, what))
        return problem, names, labels

    def _find_splits(self, problem: Problem, labels: dict[str, Label]) -> None:
        """Divide what is not divided, and say what was taken from where."""
        present = {row.split for row, _ in self.rows}
        if not present & {None, "train"}:
            text = "there is no training record"
            self.findings.add("error", "no training data", "train", text)
            return
        shares = {
            split: self.settings.split.get(split, 0.0)
            for split in SPLITS
            if split == "train" or split not in present
        }
        whole = [
            row
            for row, _ in self.rows
            if row.split in (None, "train") and row.sequences and row.label in labels
        ]
        by_class = problem in ("binary", "multi_class")
        keys = (input_key(row.sequences, row.seq_types) for row in whole)
        numbers = (labels[row.label or ""] for row in whole)
        classes = (n if by_class and isinstance(n, int) else None for n in numbers)
        for row, split in zip(
            whole, divide(keys, classes, shares, self.settings.seed), strict=True
        ):
            row.split = split
        self._tell_origins({split: share for split, share in shares.items() if share})

    def _tell_origins(self, shares: dict[str, float]) -> None:
        """Say which files a split is from, and what it was divided by."""
        by = ", ".join(f"{split} {share:g}" for split, share in shares.items())
        for split in SPLITS:
            files = Counter(file.name for row, file in self.rows if row.split == split)
            text = f"from {', '.join(files)}"
            if split in shares and len(shares) > 1:
                text += f", distinct inputs divided by {by} (seed {self.settings.seed})"
            if files:
                self.findings.add("note", "origin", split, text, count=files.total())
            elif split not in shares:
                self.findings.add("note", "origin", split, "none, as its share is 0", count=0)
            elif not self.findings.of("error"):
                text = f"too few distinct inputs to divide by {by}"
                self.findings.add("error", "too few records", split, text, count=0)
