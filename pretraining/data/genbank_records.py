# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Annotated genomes and transcripts (GenBank flat files) to gene records.

`gene_features.py` labels the letters, `gene_segments.py` cuts a record into segments,
`coding_check.py` reads its CDS. A segment is a record, `ACCESSION.VERSION:FIRST-LAST` (letters of
the source record, from 1; across the origin of a circle, FIRST is after LAST), with the labels of
the forward strand. Its reverse complement is another one, `..._r_`, if the reverse strand has
labels there: without any it would say nothing that the forward one does not.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

try:
    from Bio.Seq import reverse_complement
except ImportError:
    raise ImportError(
        "reading GenBank files needs Biopython; pip install 'lucaone-hf[pretraining]'"
    ) from None

from sequence_io.genbank import Damage, Genome, parse_genbank, split_genbank

from .building import BuildOptions, build
from .coding_check import check_coding
from .findings import Finding
from .gene_features import GENE_TYPES, NOTHING, Annotation, annotate
from .gene_segments import cut_segments, open_circle
from .named import NamedRecord
from .summary import BuildSummary
from .taxonomy import order_name, orders_sha256, read_orders

MAX_LENGTH = 1278
"""Letters of the longest published record: 1280 tokens with [CLS] and [SEP]."""

INTERGENIC = ("keep", "drop")
NOT_A_LETTER = re.compile("[^A-Z]")
REFSEQ = re.compile("[A-Z]{2}_")


@dataclass(frozen=True, slots=True)
class GenBankReader:
    """Makes records of GenBank flat files.

    Attributes:
        max_length: letters of the longest record.
        intergenic: `keep` segments without a label on either strand, which masking learns from, or
            `drop` them.
        orders: taxonomic order by taxon id; for other ids the fifth name of the lineage counts.
    """

    max_length: int = MAX_LENGTH
    intergenic: str = INTERGENIC[0]
    orders: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Check the options.

        Raises:
            ValueError: it names the option.
        """
        if self.max_length < 1:
            raise ValueError("--max-length: must be 1 or more")
        if self.intergenic not in INTERGENIC:
            raise ValueError(f"--intergenic {self.intergenic}: must be {' or '.join(INTERGENIC)}")

    def entries(self, path: Path) -> Iterator[str]:
        """Split a file into the texts of its records.

        Raises:
            SequenceFileError: there is no GenBank record in the file, or it cannot be read.
        """
        return split_genbank(path)

    def read(self, entry: str, file: str) -> Iterator[NamedRecord | Finding]:
        """Make records of one GenBank record, and tell what of it is lost or special.

        Args:
            entry: its text.
            file: the name of its file, for findings.
        """
        genome = parse_genbank(entry, file)
        if isinstance(genome, Damage):
            yield Finding(file, genome.record, "dropped", "damaged record", genome.problem)
            return
        if genome.molecule == "protein":
            yield Finding(file, genome.record, "dropped", "a protein, neither DNA nor RNA")
            return
        if others := len(NOT_A_LETTER.findall(genome.dna)):
            # They stay as N, so that the features' positions hold.
            genome = genome._replace(dna=NOT_A_LETTER.sub("N", genome.dna))
            reason = "characters other than A to Z are read as N"
            yield Finding(file, genome.record, "note", reason, f"{others:,}")
        annotation = annotate(genome)
        for reason, detail in annotation.remarks:
            yield Finding(file, genome.record, "partly", reason, detail)
        for feature in genome.coding:
            if mismatch := check_coding(genome, feature):
                yield Finding(file, genome.record, "note", *mismatch)
        order = order_name(genome.taxon, genome.lineage, self.orders)
        if not order:
            detail = f"taxon {genome.taxon or 'unknown'}, {len(genome.lineage)} names of lineage"
            yield Finding(file, genome.record, "note", "taxonomic order unknown", detail)
        yield from self._segments(genome, annotation, {"gene_taxonomy": order} if order else {})

    def _segments(
        self, genome: Genome, annotation: Annotation, classes: dict[str, str]
    ) -> Iterator[NamedRecord | Finding]:
        dna, labels, length = genome.dna, annotation.labels, len(genome.dna)
        opening = open_circle(length, annotation.genes) if genome.circular else 0
        if opening:
            dna = dna[opening:] + dna[:opening]
            labels = np.roll(labels, -opening, axis=1)
        empty: list[int] = []
        dropped: list[int] = []
        cuts = cut_segments(length, annotation.genes, annotation.parts, self.max_length, opening)
        for start, end in cuts:
            letters, (forward, reverse) = dna[start:end], labels[:, start:end]
            labelled = [bool((row != NOTHING).any()) for row in (forward, reverse)]
            if not letters.strip("N"):
                empty.append(end - start)
                continue
            if self.intergenic == "drop" and not any(labelled):
                dropped.append(end - start)
                continue
            first, last = (start + opening) % length + 1, (end - 1 + opening) % length + 1
            strands = [("", letters, forward)]
            if labelled[1]:
                strands.append(("_r_", reverse_complement(letters), reverse[::-1]))
            for suffix, sequence, row in strands:
                yield NamedRecord(
                    f"{genome.record}:{first}-{last}{suffix}",
                    "gene",
                    sequence,
                    "refseq" if REFSEQ.match(genome.record) else "genbank",
                    genome.record,
                    {"gene_type": label_spans(row)},
                    dict(classes),
                )
        for sizes, reason in (
            (empty, "segments of nothing but N"),
            (dropped, "segments without a label (--intergenic drop)"),
        ):
            if sizes:
                detail = f"{len(sizes):,} segments, {sum(sizes):,} letters"
                yield Finding(genome.file, genome.record, "partly", reason, detail)


def label_spans(row: np.ndarray) -> list[tuple[int, int, str]]:
    """Return the runs of a label, (first letter, last letter, name), in the order of the letters.

    Args:
        row: index in `GENE_TYPES` for each letter, or `NOTHING`.
    """
    starts = np.flatnonzero(np.diff(row, prepend=NOTHING - 1))
    lasts = np.append(starts[1:], len(row)) - 1
    return [
        (int(start), int(last), GENE_TYPES[row[start]])
        for start, last in zip(starts, lasts, strict=True)
        if row[start] != NOTHING
    ]


def build_gene_records(
    genomes: Sequence[Path],
    output: Path,
    *,
    max_length: int = MAX_LENGTH,
    intergenic: str = INTERGENIC[0],
    taxonomy: Path | None = None,
    tell: Callable[[str], object] = lambda note: None,
    **options: Any,
) -> BuildSummary:
    """Make gene records of GenBank flat files.

    Args:
        genomes: the files, plain or compressed.
        output: the folder to write.
        max_length: letters of the longest record.
        intergenic: `keep` or `drop` segments without a label on either strand.
        taxonomy: table `TAXID<TAB>ORDER`, without a header.
        tell: gets a line about what is worth telling meanwhile.
        options: the fields of `BuildOptions`.

    Raises:
        ValueError: an option is wrong or a file cannot be read; see `build` as well.
    """
    orders = {} if taxonomy is None else read_orders(taxonomy)
    reader = GenBankReader(max_length, intergenic, orders)
    reader.check()
    settings = {
        "max_length": max_length,
        "intergenic": intergenic,
        "taxonomy_sha256": orders_sha256(taxonomy),
    }
    names = {"gene_type": GENE_TYPES}
    return build(reader, settings, genomes, output, BuildOptions(**options), tell, names=names)
