# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
r"""What lucaone_nano/pair was trained on, and how well it tells real pairs from mismatched ones.

    python -m benchmarks.nano_pairs simulate FOLDER
    python -m benchmarks.nano_pairs judge MODEL GENBANK...

`simulate` writes coding sequences of species that never lived, ATG to stop: to `FOLDER/codons` with
the amino acid of every codon, for `lucaone pretrain`; to `FOLDER/pairs` with proteins, for `lucaone
finetune`. Genes come in groups of one length, and each stands beside all proteins of its group, its
own and the others, so that neither lengths nor a sequence alone tell which pair is which. No part
shares a species or a family with another.

`judge` takes the genes of annotated genomes, introns taken out, each beside its own protein and
beside those of other genes of the most similar lengths; and with changes to one side or the other.
"""

import argparse
import csv
from collections.abc import Iterator, Sequence
from itertools import islice, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from Bio.Seq import reverse_complement
from numpy.random import Generator
from sklearn.metrics import roc_auc_score

from embedding.outputs import writing_folder
from finetune import Predictor
from finetune.central_dogma.genes import Gene, LeftOut, place_of, read_gene
from finetune.central_dogma.negatives import ProteinPool, edit_protein
from finetune.evaluation import LEVEL, RESAMPLES, THRESHOLD
from pretraining.data.records import LabelledRecord
from pretraining.data.shards import write_shard
from pretraining.simulation.alphabet import DNA, METHIONINE, PROTEIN, STOP, letters
from pretraining.simulation.families import ORDER_TIME, SPECIES_TIME, Family, draw_families, evolve
from pretraining.simulation.genomes import write_codons
from pretraining.simulation.records import DRIFT, FAMILIES_PER_DOMAIN
from pretraining.simulation.species import Species, draw_species
from sequence_io.genbank import Damage, read_genomes

# Residues of proteins; lengths are even on a logarithmic scale.
SHORTEST, LONGEST = 30, 300
# A family gives so many proteins, a species writes so many genes.
PER_FAMILY, PER_SPECIES = 10, 20
# Share of the groups that are of one species; in others the composition of the DNA tells more.
ONE_SPECIES = 0.5
# Genes of a group: four give more pairs to learn from, two as many right as wrong ones.
GROUP = {"train": 4, "dev": 2, "test": 2}
# Genes of each part.
CODONS = {"train": 16_000, "dev": 400}
PAIRS = {"train": 8_000, "dev": 500, "test": 1_000}
LABELS = ("does not encode", "encodes")
SCORES = ("own", "others", "accuracy", "roc_auc")


class Coding(NamedTuple):
    """A coding sequence, stop codon included, its protein, and who writes like that."""

    dna: str
    protein: str
    species: str


def simulate_groups(random: Generator, genes: int, size: int) -> Iterator[list[Coding]]:
    """Give genes by groups of `size`, which have one length and are of different families."""
    number = max(size, genes // PER_FAMILY)
    families = draw_families(random, number, 1 + number // FAMILIES_PER_DOMAIN)
    number = max(size, genes // PER_SPECIES)
    species = draw_species(random, number, number)
    for _ in range(genes // size):
        length = int(np.exp(random.uniform(*np.log((SHORTEST, LONGEST + 1)))))
        chosen = random.choice(len(families), size, replace=False)
        writers = random.choice(len(species), size, replace=False)
        if random.random() < ONE_SPECIES:
            writers[:] = writers[0]
        yield [
            _write(random, families[family], species[writer], length)
            for family, writer in zip(chosen, writers, strict=True)
        ]


def _write(random: Generator, family: Family, species: Species, length: int) -> Coding:
    """Let a species write a stretch of a family's protein, which begins anew if it is shorter."""
    stretch, time = family.stretch, ORDER_TIME + SPECIES_TIME
    tilt = DRIFT * species.amino_acids
    protein = evolve(random, stretch.residues, stretch.rates, time, tilt)
    first = random.integers(len(protein))
    protein = np.take(protein, range(first, first + length), mode="wrap")
    protein[0] = METHIONINE
    codons = np.append(protein, STOP)
    bases = write_codons(random, codons, np.zeros(len(codons), int), species)
    return Coding(letters(bases, DNA), letters(protein, PROTEIN), species.name)


def write_codon_records(random: Generator, genes: int, folder: Path) -> None:
    """Write a shard of genes whose `gene_type` is the amino acid of each codon."""
    names = f"{PROTEIN}*"
    records = [
        LabelledRecord(
            id=gene.species,
            seq_type="gene",
            sequence=gene.dna,
            spans={
                "gene_type": [
                    (3 * codon, 3 * codon + 2, names.index(residue))
                    for codon, residue in enumerate(f"{gene.protein}*")
                ]
            },
        )
        for group in simulate_groups(random, genes, 2)
        for gene in group
    ]
    folder.mkdir(parents=True)
    write_shard(records, folder / "gene-00000.parquet")
    labels = folder.parent / "labels"
    labels.mkdir(exist_ok=True)
    (labels / "gene_type.txt").write_text("\n".join((*names, "")))


def write_pairs(random: Generator, genes: int, size: int, path: Path) -> None:
    """Write a table of the pairs of groups of `size`."""
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("seq_id_a", "seq_id_b", "seq_a", "seq_b", "label", "group"))
        for number, group in enumerate(simulate_groups(random, genes, size)):
            one = len({gene.species for gene in group}) == 1
            kind = "of one species" if one else "of different species"
            for (a, gene), (b, other) in product(enumerate(group), repeat=2):
                names = (f"gene-{number}-{a}", f"protein-{number}-{b}")
                writer.writerow((*names, gene.dna, other.protein, LABELS[a == b], kind))


def simulate(output: Path, seed: int) -> None:
    """Write the folder.

    Args:
        output: to be made.
        seed: decides everything.

    Raises:
        ValueError: the folder cannot be written.
    """
    with writing_folder(output) as folder:
        for number, (split, genes) in enumerate(CODONS.items()):
            random = np.random.default_rng([seed, 0, number])
            write_codon_records(random, genes, folder / "codons" / split)
        for number, (split, genes) in enumerate(PAIRS.items()):
            random = np.random.default_rng([seed, 1, number])
            path = folder / "pairs" / split / f"{split}.csv"
            write_pairs(random, genes, GROUP[split], path)
        (folder / "pairs" / "label.txt").write_text("\n".join(("label", *LABELS, "")))


def real_genes(paths: Sequence[Path]) -> list[Gene]:
    """Read the genes of GenBank files that translate to their protein."""
    genes = []
    for path in paths:
        for genome in read_genomes(path):
            if isinstance(genome, Damage):
                raise ValueError(f"{path}: record {genome.record!r}: {genome.problem}")
            for number, feature in enumerate(genome.coding, start=1):
                try:
                    genes.append(read_gene(genome, place_of(genome, number, feature), feature, 0))
                except LeftOut:
                    continue
    return genes


def judge(model: str, genes: Sequence[Gene], draws: int = 10) -> dict[str, tuple[float, ...]]:
    """Score real genes beside their own and beside other proteins of similar length.

    Args:
        model: folder.
        genes: of any species; other proteins are of the same list.
        draws: how many other proteins each gene is put beside.

    Returns:
        Value, lower and upper bound (95%, bootstrap over genes) of `own`, the share of own proteins
        that are recognised, `others`, the share of others that are refused, `accuracy`, the mean of
        the two, and `roc_auc`.
    """
    pool = ProteinPool(genes)
    others = [[pair.seq_b for pair in islice(pool.mismatched(gene), draws)] for gene in genes]
    pairs = [
        (gene.coding, protein)
        for gene, some in zip(genes, others, strict=True)
        for protein in (gene.protein, *some)
    ]
    predicted = Predictor(model, device="cpu").predict(pairs)[:, 0].reshape(len(genes), -1)

    def scores(values: np.ndarray) -> tuple[float, ...]:
        own, rest = (values[:, 0] >= THRESHOLD).mean(), (values[:, 1:] < THRESHOLD).mean()
        truth = np.zeros(values.shape)
        truth[:, 0] = 1
        return own, rest, (own + rest) / 2, roc_auc_score(truth.ravel(), values.ravel())

    random = np.random.default_rng(0)
    drawn = [
        scores(predicted[random.integers(len(genes), size=len(genes))]) for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(drawn, ((1 - LEVEL) / 2, (1 + LEVEL) / 2), axis=0)
    return {
        name: tuple(map(float, values))
        for name, *values in zip(SCORES, scores(predicted), low, high, strict=True)
    }


def judge_changed(model: str, genes: Sequence[Gene]) -> dict[str, tuple[int, float]]:
    """Score real genes beside their own protein, with changes to one or the other.

    Returns:
        For each change the number of pairs, and the share of them that the model says encode.
    """
    random = np.random.default_rng(0)
    changed = {"none": [(gene.coding, gene.protein) for gene in genes]}
    for name, low, high in (("at most 300 residues", 0, 300), ("more residues", 301, 10**9)):
        changed[name] = [pair for pair in changed["none"] if low <= len(pair[1]) <= high]
    changed["residues shuffled"] = [
        (gene.coding, gene.protein[0] + "".join(random.permutation(list(gene.protein[1:]))))
        for gene in genes
    ]
    for percent in (10, 20, 30, 50):
        changed[f"{percent}% of the residues replaced"] = [
            (gene.coding, edit_protein(gene.protein, len(gene.protein) * percent // 100, random))
            for gene in genes
        ]
    changed["the first half of the protein"] = [
        (gene.coding, gene.protein[: len(gene.protein) // 2]) for gene in genes
    ]
    changed["the other strand of the gene"] = [
        (reverse_complement(gene.coding), gene.protein) for gene in genes
    ]
    changed["the first letter left out"] = [(gene.coding[1:], gene.protein) for gene in genes]
    changed["introns left in"] = [
        (gene.core, gene.protein) for gene in genes if gene.core != gene.coding
    ]
    predictor = Predictor(model, device="cpu")
    return {
        name: (len(pairs), float((predictor.predict(pairs) >= THRESHOLD).mean()))
        for name, pairs in changed.items()
        if pairs
    }


def main() -> None:
    """Simulate, or judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nano_pairs", description="Pairs.")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("simulate", help="write what the model is trained on")
    one.add_argument("folder", type=Path, help="folder to be made")
    one.add_argument("--seed", type=int, default=1, help="decides everything (default: 1)")
    one = commands.add_parser("judge", help="score real pairs")
    one.add_argument("model", help="folder of a model")
    one.add_argument("genomes", type=Path, nargs="+", help="GenBank files")
    options = parser.parse_args()
    if options.command == "simulate":
        simulate(options.folder, options.seed)
        return
    genes = real_genes(options.genomes)
    print(f"{len(genes):,} genes")
    for name, (value, low, high) in judge(options.model, genes).items():
        print(f"| {name} | {value:.3f} | {low:.3f} to {high:.3f} |")
    for name, (number, share) in judge_changed(options.model, genes).items():
        print(f"| {name} | {number} | {share:.3f} |")


if __name__ == "__main__":
    main()
