# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The entries of UniProt files, flat text or XML, one at a time. Needs Biopython."""

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from Bio import SeqIO, SwissProt

XML = re.compile(r"<entry(?=[\s>])|</entry>")
NAMESPACE = "http://uniprot.org/uniprot"
"""The one that Biopython reads; UniProt's files say https as well."""
SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"

# What is read of a flat entry, and what is not of XML: references, comments and features take nine
# tenths of the time that Biopython needs for a flat entry, and for XML two thirds.
USED_LINES = ("ID", "AC", "OC", "OX", "KW", "SQ", "  ", "//")
UNUSED = re.compile(r"<(reference|comment|feature|dbReference)(\s[^>]*[^/>])?>.*?</\1>", re.DOTALL)
DATA_SETS = {"Reviewed": "swissprot", "Swiss-Prot": "swissprot"}
DATA_SETS |= {"Unreviewed": "trembl", "TrEMBL": "trembl"}


class EntryError(ValueError):
    """What is wrong with one entry; the message does not name it."""


@dataclass(frozen=True, slots=True)
class UniProtEntry:
    """One protein.

    Attributes:
        accessions: the primary accession, then the secondary ones.
        source: `swissprot` or `trembl`.
        sequence: in upper case.
        taxid: of the organism at NCBI.
        lineage: names of its taxa, from the root.
        keywords: names.
    """

    accessions: tuple[str, ...]
    source: str
    sequence: str
    taxid: str
    lineage: tuple[str, ...]
    keywords: tuple[str, ...]


def uniprot_form(text: str) -> str | None:
    """Tell by its beginning what a text is: `flat`, `xml`, or None where it is not of UniProt."""
    text = text.lstrip("\ufeff \n")
    if re.match(r"ID   .* AA\.\s*$", text, re.MULTILINE):
        return "flat"
    # Behind the declaration of the XML stands the root; an entry on its own has none.
    if re.match(r"(<[?!].*>\s*)*<(uniprot|entry)[\s>]", text):
        return "xml"
    return None


def split_flat(lines: Iterable[str]) -> Iterator[str]:
    """Split flat text into entries, less the lines that are not used.

    An entry that ends too early is handed on as it is, and so is what is none.
    """
    entry: list[str] = []
    for line in lines:
        if line.startswith("ID   ") and entry:
            yield "".join(entry)
            entry = []
        if line[:2] in USED_LINES if entry else line.strip():
            entry.append(line)
        if line.startswith("//"):
            yield "".join(entry)
            entry = []
    if entry:
        yield "".join(entry)


def split_xml(lines: Iterable[str]) -> Iterator[str]:
    """Split XML into its `entry` elements; one that ends too early is handed on as it is."""
    entry: list[str] = []
    for line in lines:
        start = 0
        for mark in XML.finditer(line):
            opens = mark.group() != "</entry>"
            end = mark.start() if opens else mark.end()
            if entry:
                entry.append(line[start:end])
                yield "".join(entry)
            entry, start = ["<entry"] if opens else [], mark.end()
        if entry:
            entry.append(line[start:])
    if entry:
        yield "".join(entry)


def parse_entry(text: str) -> UniProtEntry:
    """Read one entry as `split_flat` or `split_xml` makes them.

    Raises:
        EntryError: it is damaged: cut off, of another length than it says, or without what every
            entry has.
    """
    try:
        entry, length = _xml_entry(text) if text.startswith("<") else _flat_entry(text)
    except MemoryError:
        raise
    # A damaged entry makes Biopython's parsers stumble in many ways.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise EntryError(f"cannot be read: {reason}") from error
    if not entry.accessions:
        raise EntryError("it has no accession")
    if not length:
        raise EntryError("it has no sequence")
    if len(entry.sequence) != length:
        raise EntryError(f"{len(entry.sequence):,} residues where it states {length:,}")
    return entry


def entry_name(text: str) -> str:
    """Return the accession of an entry that need not be whole; empty where there is none."""
    found = re.search(r"^AC   (\w+)|<accession>\s*(\w+)", text, re.MULTILINE)
    return (found[1] or found[2]) if found else ""


def accessions(lines: Iterable[str]) -> Iterator[str]:
    """Find the accessions, secondary ones too, of all entries of a file, flat or XML."""
    for line in lines:
        if line.startswith("AC   "):
            yield from line[5:].replace(";", " ").split()
        elif "<accession>" in line:
            yield from re.findall(r"<accession>\s*(\w+)", line)


def _flat_entry(text: str) -> tuple[UniProtEntry, int]:
    record = SwissProt.read(io.StringIO(text))
    stated = {record.sequence_length, record.seqinfo[0]}
    if len(stated) > 1:
        raise ValueError(f"ID and SQ state {' and '.join(map(str, sorted(stated)))} residues")
    entry = UniProtEntry(
        tuple(record.accessions),
        DATA_SETS[record.data_class],
        record.sequence.upper(),
        (record.taxonomy_id or [""])[0],
        _names(text, "OC"),
        _names(text, "KW"),
    )
    return entry, record.sequence_length


def _names(text: str, code: str) -> tuple[str, ...]:
    """Return the names that stand in the lines of a code, between semicolons, less their evidence.

    Biopython takes each line by itself, but names and evidence go on in the next one; where a line
    ends with a hyphen, without a blank.
    """
    lines = re.findall(rf"^{code}   (.*)", text, re.MULTILINE)
    joined = "".join(line if line.endswith("-") else f"{line} " for line in map(str.strip, lines))
    names = re.sub(r"\{[^}]*\}", "", joined).strip().removesuffix(".").split(";")
    return tuple(name.strip() for name in names if name.strip())


def _xml_entry(text: str) -> tuple[UniProtEntry, int]:
    start, _, rest = text.partition(">")
    start = re.sub(r"""\sxmlns=("[^"]*"|'[^']*')""", "", start)
    # Wrapped anew, an entry cannot bring declarations of its own, as entities that expand.
    root = f'<uniprot xmlns="{NAMESPACE}" xmlns:xsi="{SCHEMA}">'
    whole = f"{root}{start}>{UNUSED.sub('', rest)}</uniprot>"
    record = SeqIO.read(io.BytesIO(whole.encode()), "uniprot-xml")
    notes = record.annotations
    taxids = [name.split(":")[1] for name in record.dbxrefs if name.startswith("NCBI Taxonomy:")]
    entry = UniProtEntry(
        tuple(notes.get("accessions", ())),
        DATA_SETS[notes["dataset"]],
        str(record.seq).upper(),
        (taxids or [""])[0],
        tuple(notes.get("taxonomy", ())),
        tuple(name.strip() for name in notes.get("keywords", ()) if name and name.strip()),
    )
    return entry, int(notes["sequence_length"])
