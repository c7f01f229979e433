# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The records of GenBank flat files, one at a time; a damaged one does not end the reading.

This module needs Biopython, so `sequence_io` itself does not import it.
"""

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from Bio import SeqIO
from Bio.SeqFeature import SeqFeature
from Bio.SeqRecord import SeqRecord

from .lines import read_lines
from .records import SequenceFileError, file_error

NO_ID = ("", ".", "<unknown id>")
LOCUS, END = "LOCUS ", "//"


class Genome(NamedTuple):
    """One record of a file.

    `dna` is in upper case, U read as T, whatever its letters are. `features` are in the order of
    the file. `molecule` is as in the LOCUS line, `protein` for GenPept; `taxon` is the id in NCBI's
    taxonomy, `lineage` the names from the root on; empty where the record does not tell.
    """

    file: str
    record: str
    species: str
    dna: str
    circular: bool
    features: list[SeqFeature]
    molecule: str = ""
    taxon: str = ""
    lineage: tuple[str, ...] = ()

    @property
    def coding(self) -> list[SeqFeature]:
        """The CDS features."""
        return [feature for feature in self.features if feature.type == "CDS"]


class Damage(NamedTuple):
    """A record that cannot be used; `record` is empty where its name is not known."""

    file: str
    record: str
    problem: str


def read_genomes(path: Path) -> Iterator[Genome | Damage]:
    """Read a GenBank flat file, plain or compressed, record by record.

    Raises:
        SequenceFileError: there is no GenBank record in the file, or it cannot be read at all.
    """
    entries, first = split_genbank(path), True
    while True:
        try:
            entry = next(entries, "")
        except SequenceFileError as error:
            if first:
                raise
            yield Damage(path.name, "", str(error))
            return
        if not entry:
            return
        first = False
        yield parse_genbank(entry, path.name)


def split_genbank(path: Path) -> Iterator[str]:
    """Split a GenBank flat file, plain or compressed, into the texts of its records.

    What stands between records belongs to none of them. A record that has no end ends before the
    next, or with the file. Bytes that are not UTF-8, as in names of authors, are read as U+FFFD.

    Raises:
        SequenceFileError: there is no GenBank record in the file, or it cannot be read.
    """
    text, found = io.StringIO(), False
    for line in read_lines(path, undecodable="replace"):
        if line.startswith(LOCUS):
            if text.tell():
                yield text.getvalue()
            text, found = io.StringIO(), True
            text.write(line)
        elif text.tell():
            text.write(line)
            if line.startswith(END):
                yield text.getvalue()
                text = io.StringIO()
    if text.tell():
        yield text.getvalue()
    if not found:
        raise file_error(path, "no line begins with LOCUS: not a GenBank flat file")


def parse_genbank(text: str, file: str) -> Genome | Damage:
    """Read one record, from its LOCUS line to its end (`//`).

    Args:
        text: the lines of the record.
        file: the name of its file.
    """
    name = "".join(text[: text.find("\n")].split()[1:2])
    if not text[text.rstrip("\n").rfind("\n") + 1 :].startswith(END):
        return Damage(file, name, "the record does not end (//)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Biopython goes on with what there is of a sequence.
            warnings.filterwarnings("error", message="Expected sequence length|Premature end")
            record = SeqIO.read(io.StringIO(text), "genbank")
        # Of a record that only refers to others (CONTIG) the letters are not known.
        dna = str(record.seq).upper() if record.seq.defined else ""
    except MemoryError:
        raise
    # A damaged record makes Biopython's parser stumble in many ways.
    except Exception as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        return Damage(file, name, f"cannot be read: {problem}")
    name = record.name if record.id in NO_ID else record.id
    if not dna:
        return Damage(file, name, "there is no sequence in it")
    molecule = str(record.annotations.get("molecule_type", ""))
    if molecule != "protein":
        dna = dna.replace("U", "T")
    references = _source_values(record, "db_xref")
    taxa = [value.removeprefix("taxon:") for value in references if value.startswith("taxon:")]
    return Genome(
        file,
        name,
        _organism(record),
        dna,
        record.annotations.get("topology") == "circular",
        record.features,
        molecule,
        taxa[0] if taxa else "",
        tuple(record.annotations.get("taxonomy", ())),
    )


def _source_values(record: SeqRecord, qualifier: str) -> list[str]:
    sources = (feature for feature in record.features if feature.type == "source")
    return [value for source in sources for value in source.qualifiers.get(qualifier, [])]


def _organism(record: SeqRecord) -> str:
    names = [str(record.annotations.get("organism", "")), *_source_values(record, "organism")]
    return next((" ".join(name.split()) for name in names if name.strip(" .")), "")


def qualifier(feature: SeqFeature, name: str) -> str:
    """Return the first value of a qualifier on one line, empty where there is none."""
    return " ".join(feature.qualifiers.get(name, [""])[0].split())


def is_pseudogene(feature: SeqFeature) -> bool:
    """Tell whether a feature says that it does not work."""
    return "pseudo" in feature.qualifiers or "pseudogene" in feature.qualifiers
