# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A coding sequence read by its genetic code, with what INSDC feature tables say beyond it."""

import re
import warnings
from collections.abc import Iterable, Mapping

from Bio import Seq
from Bio.Data.CodonTable import ambiguous_dna_by_id
from Bio.Data.IUPACData import protein_letters_3to1_extended
from Bio.SeqFeature import Location, SeqFeature, SimpleLocation

from .genbank import qualifier

TRANSL_EXCEPT = re.compile(r"\(\s*pos:\s*(.+?)\s*,\s*aa:\s*(\w+)\s*\)")
STOP, UNKNOWN = "*", "X"


def stated_protein(feature: SeqFeature) -> str:
    """Return the /translation of a CDS in upper case, empty where it has none."""
    return "".join(qualifier(feature, "translation").split()).upper()


def genetic_code(feature: SeqFeature) -> tuple[int, int]:
    """Return by which code a CDS is read, and how many letters stand before its first codon.

    Raises:
        ValueError: /transl_table or /codon_start is no such number.
    """
    table, frame = (
        qualifier(feature, "transl_table") or "1",
        qualifier(feature, "codon_start") or "1",
    )
    if not table.isdecimal() or frame not in ("1", "2", "3"):
        raise ValueError(f"/transl_table={table}, /codon_start={frame}")
    return int(table), int(frame) - 1


def read_codons(coding: str, table: int) -> str:
    """Translate whole codons by nothing but the table of that number; stop codons are `*`.

    In tables where a codon is both a stop and a residue (27, 28, 31) it is read as the residue.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(Seq.translate(coding[: len(coding) // 3 * 3], table=table))


def translate(
    coding: str,
    table: int,
    frame: int = 0,
    exceptions: Mapping[int, str] | None = None,
    starts: bool = True,
) -> str:
    """Translate a complete CDS as GenBank does; a stop at its end is `*`.

    Args:
        coding: the letters of the CDS without introns.
        table: number of the genetic code (/transl_table).
        frame: letters before the first codon (/codon_start less 1). With none, any start codon of
            the table at the first position is M.
        exceptions: residues of codons, counted from 0, that the table does not tell
            (/transl_except); at an unfinished codon at the end, the stop that poly-A completes.
        starts: whether the first codon is the start; otherwise the CDS begins before its location.

    Raises:
        ValueError: there is no such code, or the last codon is unfinished.
    """
    if table not in ambiguous_dna_by_id:
        raise ValueError(f"there is no genetic code {table}")
    code, exceptions = ambiguous_dna_by_id[table], exceptions or {}
    coding = coding[frame:]
    residues = list(read_codons(coding, table))
    if len(coding) % 3:
        if exceptions.get(len(residues)) != STOP:
            raise ValueError(f"{len(coding):,} letters are no whole number of codons")
        residues.append(STOP)
    elif coding[-3:] in code.stop_codons:
        residues[-1] = STOP
    if starts and frame == 0 and coding[:3] in code.start_codons:
        residues[0] = "M"
    for codon, residue in exceptions.items():
        if not 0 <= codon < len(residues):
            raise ValueError("/transl_except lies outside the CDS")
        residues[codon] = residue
    return "".join(residues)


def read_exceptions(
    qualifiers: Iterable[str],
    parts: Iterable[SimpleLocation],
    frame: int,
    length: int,
    circular: bool,
) -> dict[int, str]:
    """Read /transl_except, `(pos:LOCATION,aa:NAME)`.

    Args:
        qualifiers: the values.
        parts: the parts of the CDS in the order of translation.
        frame: letters before the first codon.
        length: letters of the record.
        circular: whether the record goes on at its origin.

    Returns:
        The residue of each codon, counted from 0.

    Raises:
        ValueError: a value cannot be read, or is no codon of the CDS.
    """
    parts, exceptions = list(parts), {}
    for value in qualifiers:
        match = TRANSL_EXCEPT.fullmatch("".join(value.split()))
        problem = f"/transl_except={value} cannot be read"
        if not match:
            raise ValueError(problem)
        names = protein_letters_3to1_extended | {"TERM": STOP, "OTHER": UNKNOWN}
        residue = names.get(match[2])
        try:
            place = Location.fromstring(match[1], length, circular)
        except (ValueError, AssertionError):
            place = None
        if residue is None or place is None:
            raise ValueError(problem)
        codon, offset = divmod(min(_offset(base, parts) for base in place) - frame, 3)
        if offset:
            raise ValueError(f"/transl_except={value} is no codon of the CDS")
        exceptions[codon] = residue
    return exceptions


def _offset(base: int, parts: list[SimpleLocation]) -> int:
    """Return which letter of the CDS a base of the record is, from 0."""
    offset = 0
    for part in parts:
        if base in part:
            return offset + (part.end - 1 - base if part.strand == -1 else base - part.start)
        offset += len(part)
    raise ValueError("/transl_except lies outside the CDS")


def first_difference(translated: str, stated: str, table: int) -> str:
    """Tell where a translation and the /translation of a record part."""
    for position, (ours, theirs) in enumerate(zip(translated, stated, strict=False), start=1):
        if ours != theirs:
            return f"residue {position} is {ours} by code {table} and {theirs} in /translation"
    return f"{len(translated):,} residues by code {table}, {len(stated):,} residues in /translation"
