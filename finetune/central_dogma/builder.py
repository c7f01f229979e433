# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Annotated genomes to a folder in the published form of a pair task.

    OUTPUT/train/train.csv, dev/dev.csv, test/test.csv   the columns of `negatives.Pair`
    OUTPUT/label.txt       a header line, then the names of labels 0 and 1
    OUTPUT/report.tsv      every CDS that was left out or is special, every damaged record
    OUTPUT/summary.json    settings, hashes of the inputs, versions, counts

The same genomes and settings give the same bytes, in whatever order the files are named.
"""

import csv
import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

from Bio.Data.IUPACData import ambiguous_dna_letters
from tqdm import tqdm

from embedding.outputs import writing_folder
from sequence_io.genbank import Damage, Genome, read_genomes

from .genes import Finding, Gene, LeftOut, Place, place_of, read_gene
from .negatives import Pair, ProteinPool, edited_pair, positive
from .output import check_output
from .selection import assign_splits, choose_isoforms, sample_genes
from .settings import SPLITS, Settings

LABELS = ("not_encoded", "encoded")
EDITS = ("dna_edited", "protein_edited")
NOT_DNA = re.compile(f"[^{ambiguous_dna_letters}]")
LIBRARIES = ("lucaone-hf", "biopython", "numpy")


@dataclass
class Summary:
    """What was made; `str()` tells it in a few lines.

    `pairs` counts rows by species, split and kind (`positive` and the kinds of negatives);
    `left_out` and `special` count CDS by reason, `lengths` holds the least, mean and greatest
    length of DNA and protein of the positives.
    """

    output: str
    records: int = 0
    cds: int = 0
    damaged_records: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    special: Counter[str] = field(default_factory=Counter)
    pairs: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    lengths: dict[str, list[float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def count(self, split: str | None = None, kind: str | None = None) -> int:
        """Count rows, of a split and of a kind where they are given."""
        return sum(
            number
            for splits in self.pairs.values()
            for name, kinds in splits.items()
            for which, number in kinds.items()
            if split in (None, name) and kind in (None, which)
        )

    def __str__(self) -> str:
        genes = self.count(kind="positive")
        lines = [
            f"{self.output}: {genes:,} genes of {len(self.pairs):,} species, "
            f"{self.count() - genes:,} negatives; "
            + ", ".join(f"{split} {self.count(split):,}" for split in SPLITS)
        ]
        if self.left_out:
            lines.append(f"left out of {self.cds:,} CDS: {_tell(self.left_out)}")
        if self.special:
            lines.append(f"special: {_tell(self.special)}")
        return "\n".join(lines)


def _tell(reasons: Counter[str]) -> str:
    return ", ".join(f"{number:,} {reason}" for reason, number in sorted(reasons.items()))


def build_central_dogma(
    genomes: Iterable[str | Path], output: str | Path, *, overwrite: bool = False, **options: Any
) -> Summary:
    """Make a data set of the central dogma.

    Args:
        genomes: GenBank flat files, plain or compressed.
        output: the folder to write; it appears when it is whole.
        overwrite: replace a data set that is there.
        options: the fields of `Settings`.

    Raises:
        ValueError: a setting is wrong, a file cannot be read or is named twice, no gene is usable,
            or the folder cannot be written.
    """
    settings, target = Settings(**options), Path(output)
    settings.check()
    check_output(target, overwrite)
    inputs = _hash_files([Path(path) for path in genomes])
    summary = Summary(str(output))
    genes, findings = _read(list(inputs), settings, summary)
    genes, others = choose_isoforms(genes, settings.one_per_gene)
    findings += others
    if settings.max_genes_per_species:
        genes, others = sample_genes(genes, settings.max_genes_per_species, settings.seed)
        findings += others
    summary.left_out.update(row.reason for row in findings if row.status == "left out")
    if not genes:
        files = ", ".join(str(path) for path in inputs)
        reasons = _tell(summary.left_out + Counter({"damaged record": summary.damaged_records}))
        raise ValueError(
            f"{files}: no usable gene among {summary.cds:,} CDS of {summary.records:,} records"
            + f" ({reasons})" * bool(reasons)
        )
    special = list(_special(genes))
    summary.special.update(row.reason for row in special)
    splits = assign_splits(genes, settings.split, settings.seed)
    with writing_folder(target) as folder:
        for split in SPLITS:
            members = [gene for gene in genes if splits[gene.id] == split]
            _write_split(folder / split / f"{split}.csv", members, genes, settings, summary)
        (folder / "label.txt").write_text("\n".join(("label", *LABELS, "")))
        _write_rows(folder / "report.tsv", Finding._fields, sorted(findings + special), "\t")
        for name, texts in (
            ("dna", [gene.dna for gene in genes]),
            ("protein", [gene.protein for gene in genes]),
        ):
            sizes = [len(text) for text in texts]
            summary.lengths[name] = [min(sizes), round(sum(sizes) / len(sizes), 1), max(sizes)]
        facts = {
            "settings": asdict(settings),
            "inputs": [{"name": path.name, "sha256": hash} for path, hash in inputs.items()],
            "versions": {name: version(name) for name in LIBRARIES},
            **{name: value for name, value in vars(summary).items() if name != "output"},
        }
        (folder / "summary.json").write_text(json.dumps(facts, indent=2, sort_keys=True) + "\n")
    return summary


def _hash_files(paths: Sequence[Path]) -> dict[Path, str]:
    """Return the SHA-256 of each file, in an order that does not depend on how they are named."""
    hashes: dict[str, Path] = {}
    for path in paths:
        try:
            with path.open("rb") as file:
                value = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from None
        if value in hashes:
            raise ValueError(f"{path}: the same file as {hashes[value]}")
        hashes[value] = path
    ordered = sorted(hashes.items(), key=lambda item: (item[1].name, item[0]))
    return {path: value for value, path in ordered}


def _read(
    paths: Sequence[Path], settings: Settings, summary: Summary
) -> tuple[list[Gene], list[Finding]]:
    """Read the genes of all files, and why the other CDS are none."""
    genes: list[Gene] = []
    findings: list[Finding] = []
    seen: set[str] = set()
    progress = tqdm(desc="reading", unit=" records", disable=None, delay=2)
    for path in paths:
        for genome in read_genomes(path):
            progress.update()
            genome = _usable(genome, settings.species)
            summary.records += bool(genome.record)
            if not isinstance(genome, Damage) and genome.record in seen:
                genome = Damage(genome.file, genome.record, "a record of this name came before")
            if isinstance(genome, Damage):
                place = Place(genome.file, genome.record, 0, "", "", "", "")
                findings.append(place.finding("damaged", "damaged record", genome.problem))
                summary.damaged_records += 1
                continue
            seen.add(genome.record)
            for number, feature in enumerate(genome.coding, start=1):
                summary.cds += 1
                place = place_of(genome, number, feature)
                try:
                    gene = read_gene(genome, place, feature, settings.flank)
                    _check_lengths(gene, settings)
                    genes.append(gene)
                except LeftOut as reason:
                    findings.append(place.finding("left out", *reason.args))
    progress.close()
    if summary.damaged_records:
        summary.notes.append(f"damaged records: {summary.damaged_records:,}, see report.tsv")
    return genes, findings


def _usable(genome: Genome | Damage, species: str | None) -> Genome | Damage:
    """Return a record with its species; one without, or not of DNA, is damaged."""
    if isinstance(genome, Damage):
        return genome
    if wrong := NOT_DNA.search(genome.dna):
        problem = f"{wrong.group()!a} at position {wrong.start() + 1:,} is no letter of DNA"
        return Damage(genome.file, genome.record, problem)
    if not (species or genome.species):
        problem = "no organism is stated; --species NAME tells it"
        return Damage(genome.file, genome.record, problem)
    return genome._replace(species=species or genome.species)


def _check_lengths(gene: Gene, settings: Settings) -> None:
    for what, size, most in (
        ("DNA", len(gene.dna), settings.max_dna),
        ("protein", len(gene.protein), settings.max_protein),
    ):
        if most and size > most:
            raise LeftOut(f"{what} too long", f"{size:,} letters")


def _special(genes: Iterable[Gene]) -> Iterator[Finding]:
    pairs: dict[tuple[str, str], Gene] = {}
    for gene in genes:
        for reason in gene.special:
            yield gene.place.finding("kept", *reason.split(": ", 1))
        first = pairs.setdefault((gene.dna, gene.protein), gene)
        if first is not gene:
            yield gene.place.finding("kept", "copy", f"the DNA and protein of {first.id}")


def _write_split(
    path: Path, members: list[Gene], genes: list[Gene], settings: Settings, summary: Summary
) -> None:
    """Write the genes of a split, each followed by its negatives."""
    path.parent.mkdir()
    if not members and settings.split[SPLITS.index(path.stem)]:
        summary.notes.append(f"too few genes: {path.stem} is empty")
    pools = defaultdict(list)
    for gene in members:
        pools[gene.species].append(gene)
    proteins = {species: ProteinPool(pool) for species, pool in pools.items()}
    taken = {(gene.dna, gene.protein) for gene in genes}
    missing = 0

    def rows() -> Iterator[Pair]:
        nonlocal missing
        wanted = settings.negatives_per_positive
        for index, gene in enumerate(tqdm(members, desc=path.stem, disable=None, delay=2)):
            pairs = [positive(gene)]
            if settings.negatives == "mismatched":
                pairs += islice(proteins[gene.species].mismatched(gene), wanted)
                missing += wanted + 1 - len(pairs)
            else:
                for number in range(wanted):
                    kind = EDITS[(index * wanted + number) % len(EDITS)]
                    pairs.append(edited_pair(gene, number + 1, kind, settings, taken))
                    taken.add((pairs[-1].seq_a, pairs[-1].seq_b))
                taken.difference_update((pair.seq_a, pair.seq_b) for pair in pairs[1:])
            counts = summary.pairs.setdefault(gene.species, {}).setdefault(path.stem, Counter())
            counts.update(pair.negative_kind or "positive" for pair in pairs)
            yield from pairs

    _write_rows(path, Pair._fields, rows(), ",")
    if missing:
        summary.notes.append(
            f"{path.stem}: {missing:,} negatives fewer, for a species has too few other proteins"
        )


def _write_rows(
    path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]], separator: str
) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
