# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A small kind of source file, and what tests of jobs look at."""

import csv
import json
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pretraining.data.building import BuildOptions, build
from pretraining.data.findings import Finding
from pretraining.data.named import NamedRecord
from pretraining.data.stored import read_shard
from sequence_io.records import file_error


@dataclass(frozen=True)
class LineReader:
    """Lines of JSON: arguments of `NamedRecord`, a finding, or pieces of both.

    Attributes:
        processes: a file in which each process that reads leaves its id, and waits for a second.
    """

    processes: str | None = None

    def entries(self, path):
        with path.open(encoding="utf-8") as file:
            for line in file:
                if line.strip():
                    yield line

    def read(self, entry, file):
        if self.processes:
            with Path(self.processes).open("a") as ids:
                ids.write(f"{os.getpid()}\n")
            for _ in range(3_000):
                if len(set(Path(self.processes).read_text().split())) > 1:
                    break
                time.sleep(0.01)
        for fields in json.loads(entry):
            if "reason" in fields:
                yield Finding(file, **fields)
                continue
            if fields.get("coordinates") is not None:
                fields["coordinates"] = np.array(fields["coordinates"], dtype=float)
            yield NamedRecord(**fields)


class BreakingReader(LineReader):
    """Reads only so many entries of one file."""

    def __init__(self, broken, whole=1):
        super().__init__()
        vars(self).update(broken=broken, whole=whole)

    def entries(self, path):
        for number, entry in enumerate(super().entries(path)):
            if path == self.broken and number == self.whole:
                raise file_error(path, "broken", line=number + 1)
            yield entry


class PreparedReader(LineReader):
    """Leaves a line in a file when it gets ready, and tells of it."""

    def __init__(self, calls):
        super().__init__()
        vars(self).update(calls=calls)

    def prepare(self):
        with self.calls.open("a") as file:
            file.write("prepare\n")
        yield Finding("index", "x", "note", "prepared")


class CountingReader(LineReader):
    """Gives so many entries, and counts those that it gave in this process."""

    number = 60
    given = 0

    def entries(self, path):
        for number in range(self.number):
            type(self).given = number + 1
            yield json.dumps([named(f"r{number}")])


def named(id, sequence="ACGTACGT", seq_type="gene", group=None, **labels):
    """Return the fields of a record."""
    return {
        "id": id,
        "seq_type": seq_type,
        "sequence": sequence,
        "source": "test",
        "group": id if group is None else group,
        **labels,
    }


def write_lines(path, *entries):
    """Write entries, each a list of fields; return the path."""
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def some_entries(number, seed=0):
    """Return entries of both molecule types: of no, one or several records, and findings."""
    generator = random.Random(seed)
    entries = []
    for i in range(number):
        entry = []
        for j in range(generator.choice([0, 1, 1, 1, 4])):
            length = generator.randrange(5, 60)
            kind = generator.choice(["gene", "prot", "prot"])
            letters = "".join(generator.choices("ACGT" if kind == "gene" else "MKLVAG", k=length))
            labels = {}
            if kind == "gene":
                labels["spans"] = {"gene_type": [(0, 3, generator.choice("abcdef"))]}
                labels["classes"] = {"gene_taxonomy": f"order {generator.randrange(9)}"}
            else:
                labels["spans"] = {"prot_site": [(1, 2, f"IPR{generator.randrange(30)}")]}
                labels["keywords"] = generator.sample(["Zinc", "Metal", "Membrane"], k=2)
                if generator.random() < 0.3:
                    labels["coordinates"] = [[k, -k, 0.5] for k in range(length)]
            entry.append(named(f"r{i}.{j}", letters, kind, group=f"g{i}", **labels))
        if generator.random() < 0.2:
            entry.append({"entry": f"e{i}", "status": "note", "reason": "odd", "detail": f"{i}\t!"})
        entries.append(entry)
    return entries


def make(sources, output, reader=None, tell=lambda note: None, splits=None, **options):
    """Make a data folder of lines."""
    return build(reader or LineReader(), {}, sources, output, BuildOptions(**options), tell, splits)


def contents(folder):
    """Return the bytes of every file of a folder, by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def records(folder, pattern="*/*.parquet"):
    """Return the records of a data folder, shard by shard."""
    return [record for path in sorted(folder.glob(pattern)) for record in read_shard(path)]


def vocabulary(folder, task):
    """Return the names of a task."""
    return (folder / "labels" / f"{task}.txt").read_text().splitlines()


def report(folder):
    """Return the rows of the report."""
    with (folder / "report.tsv").open(newline="") as file:
        return [Finding(**row) for row in csv.DictReader(file, delimiter="\t")]
