# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Whether a CDS translates to the protein that its record states.

The label does not depend on it: the annotation is what is learned, and RNA may be edited.
"""

from typing import NamedTuple

from Bio.Data.CodonTable import TranslationError
from Bio.SeqFeature import ExactPosition, SeqFeature

from sequence_io.genbank import Genome, qualifier
from sequence_io.translation import (
    STOP,
    first_difference,
    genetic_code,
    read_exceptions,
    stated_protein,
    translate,
)

from .gene_features import Unlabelled, feature_text, label_parts


class Mismatch(NamedTuple):
    """What is to tell of a CDS: a reason, the same for all of a kind, and what is special."""

    reason: str
    detail: str


def check_coding(genome: Genome, feature: SeqFeature) -> Mismatch | None:
    """Compare a CDS with its /translation.

    It is read by the code of the record, with /codon_start and /transl_except. Of one that is
    partial, an unfinished codon at its end may stand for a residue or not.

    Returns:
        What is wrong; None if nothing is, or if the CDS gets no label or lies partly in another
        record.
    """
    length = len(genome.dna)
    try:
        parts = label_parts(feature, length)
    except Unlabelled:
        return None
    if any(part.ref for part in parts):
        return None
    stated = stated_protein(feature)
    if not stated:
        return Mismatch("CDS without /translation", feature_text(feature))
    first, last = parts[0], parts[-1]
    starts = isinstance(first.end if first.strand == -1 else first.start, ExactPosition)
    ends = isinstance(last.start if last.strand == -1 else last.end, ExactPosition)
    try:
        table, frame = genetic_code(feature)
        exceptions = read_exceptions(
            feature.qualifiers.get("transl_except", []), parts, frame, length, genome.circular
        )
        coding = feature.extract(genome.dna)
        unfinished = 0 if ends else (len(coding) - frame) % 3
        whole = coding[: len(coding) - unfinished]
        translated = translate(whole, table, frame, exceptions, starts).removesuffix(STOP)
    except (ValueError, TranslationError) as error:
        return Mismatch("CDS does not translate", f"{feature_text(feature)}: {error}")
    if translated == stated or (unfinished and translated == stated[:-1]):
        return None
    detail = f"{feature_text(feature)}: {first_difference(translated, stated, table)}"
    exception = qualifier(feature, "exception")
    return Mismatch(
        "CDS translates to another protein", detail + f" (/exception={exception})" * bool(exception)
    )
