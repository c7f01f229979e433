# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The records of GenBank flat files, one at a time; a damaged one does not end the reading."""

import io
import itertools
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from Bio import SeqIO
from Bio.Data.IUPACData import ambiguous_dna_letters
from Bio.SeqFeature import SeqFeature
from Bio.SeqRecord import SeqRecord

from sequence_io import SequenceFileError
from sequence_io.lines import read_lines
from sequence_io.records import file_error

NO_ID = ("", ".", "<unknown id>")
LOCUS = "LOCUS "
NOT_DNA = re.compile(f"[^{ambiguous_dna_letters}]")


class Genome(NamedTuple):
    """One record of a file.

    `dna` is in upper case, U read as T; `coding` are its CDS features in the order of the file.
    """

    file: str
    record: str
    species: str
    dna: str
    circular: bool
    coding: list[SeqFeature]


class Damage(NamedTuple):
    """A record that cannot be used; `record` is empty where its name is not known."""

    file: str
    record: str
    problem: str


def read_genomes(path: Path, species: str | None = None) -> Iterator[Genome | Damage]:
    """Read a GenBank flat file, plain or compressed, record by record.

    Args:
        path: the file.
        species: the species of all records; without it the organism that each states.

    Raises:
        SequenceFileError: there is no GenBank record in the file, or it cannot be read at all.
    """
    lines = read_lines(path)
    # What stands before a LOCUS line belongs to no record.
    line = next((line for line in lines if line.startswith(LOCUS)), "")
    if not line:
        raise file_error(path, "no line begins with LOCUS: not a GenBank flat file")
    while line:
        text = _RecordText(line, lines)
        yield _parse(path.name, text, species)
        try:
            line = text.following or next((line for line in lines if line.startswith(LOCUS)), "")
        except SequenceFileError as error:
            yield Damage(path.name, "", str(error))
            return


class _RecordText(io.TextIOBase):
    """The text of one record, handed on line by line, for a chromosome's is long.

    `problem` tells what is wrong with its end; `following` is a LOCUS line that came too early.
    """

    def __init__(self, first: str, lines: Iterator[str]):
        self.name = "".join(first.split()[1:2])
        self.lines = itertools.chain([first], lines)
        self.started = self.ended = False
        self.problem = self.following = ""

    def read(self, size: int | None = -1) -> str:
        """Return nothing; Biopython asks for nothing to see that this is text."""
        return ""

    def readline(self, size: int = -1) -> str:  # type: ignore[override]
        """Return the next line of this record, nothing behind its last."""
        if self.ended:
            return ""
        try:
            line = next(self.lines, "")
        except SequenceFileError as error:
            line, self.problem = "", str(error)
        self.ended = not line or line.startswith("//")
        if not line:
            self.problem = self.problem or "the file ends before the record does (//)"
        if line.startswith(LOCUS) and self.started:
            self.ended, self.following, line = True, line, ""
            self.problem = "the next record begins before this one ends (//)"
        self.started = True
        return line


def _parse(file: str, text: _RecordText, species: str | None) -> Genome | Damage:
    name, problem = text.name, ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Biopython goes on with what there is of a sequence.
            warnings.filterwarnings("error", message="Expected sequence length|Premature end")
            record = SeqIO.read(text, "genbank")
        dna = str(record.seq).upper().replace("U", "T")
    except MemoryError:
        raise
    # A damaged record makes Biopython's parser stumble in many ways.
    except Exception as error:
        problem = f"cannot be read: {' '.join(str(error).split()) or type(error).__name__}"
    if text.problem or problem:
        return Damage(file, name, text.problem or problem)
    name = record.name if record.id in NO_ID else record.id
    if not dna:
        return Damage(file, name, "there is no sequence in it")
    if wrong := NOT_DNA.search(dna):
        position = f"position {wrong.start() + 1:,}"
        return Damage(file, name, f"{wrong.group()!a} at {position} is no letter of DNA")
    species = species or _organism(record)
    if not species:
        return Damage(file, name, "no organism is stated; --species NAME tells it")
    circular = record.annotations.get("topology") == "circular"
    coding = [feature for feature in record.features if feature.type == "CDS"]
    return Genome(file, name, species, dna, circular, coding)


def _organism(record: SeqRecord) -> str:
    names = [str(record.annotations.get("organism", ""))]
    for feature in record.features:
        if feature.type == "source":
            names += feature.qualifiers.get("organism", [])
    return next((" ".join(name.split()) for name in names if name.strip(" .")), "")
