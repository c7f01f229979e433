# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What decides a data set of the central dogma, beside the genomes."""

from dataclasses import dataclass
from typing import Literal

SPLITS = ("train", "dev", "test")
NEGATIVES = ("edited", "mismatched")


@dataclass(frozen=True)
class Settings:
    """The settings of a data set.

    Published are: whole genes with introns and 100 bases on each side, two negatives per positive
    of two kinds (DNA with insertions, replacements and deletions; proteins with replaced residues),
    and splits of 4:3:25. How strong the edits were is not known: `edit_fraction` is our choice.

    Attributes:
        flank: bases on each side of a gene.
        negatives: `edited` (both published kinds, half of them each), or `mismatched`: the protein
            of another gene of the same species and split, of the most similar length.
        negatives_per_positive: how many of them.
        edit_fraction: least and greatest share of the letters that an edit touches; the share of
            each negative is drawn evenly between them.
        split: shares of train, dev and test.
        seed: decides samples, splits and edits.
        species: the species of all records; without it the organism that each record states.
        max_dna: letters of the longest DNA, flanks included; genes beyond it are left out.
        max_protein: residues of the longest protein.
        max_genes_per_species: a sample of so many genes of each species.
        one_per_gene: keep of several isoforms of a gene the longest protein.
    """

    flank: int = 100
    negatives: Literal["edited", "mismatched"] = "edited"
    negatives_per_positive: int = 2
    edit_fraction: tuple[float, float] = (0.1, 0.5)
    split: tuple[int, int, int] = (4, 3, 25)
    seed: int = 1221
    species: str | None = None
    max_dna: int | None = None
    max_protein: int | None = None
    max_genes_per_species: int | None = None
    one_per_gene: bool = True

    def check(self) -> None:
        """Find a setting that cannot be right.

        Raises:
            ValueError: it names the option.
        """
        least, greatest = self.edit_fraction
        if not 0 < least <= greatest <= 1:
            raise ValueError(f"--edit-fraction {least} {greatest}: must be 0 < MIN <= MAX <= 1")
        if len(self.split) != len(SPLITS) or min(self.split) < 0 or not sum(self.split):
            shares = " ".join(map(str, self.split))
            raise ValueError(
                f"--split {shares}: must be three numbers from 0 on, not all of them 0"
            )
        if self.negatives not in NEGATIVES:
            raise ValueError(f"--negatives {self.negatives}: must be {' or '.join(NEGATIVES)}")
        if self.species is not None and not self.species.strip():
            raise ValueError("--species: an empty name")
        for name in ("flank", "negatives_per_positive", "seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"--{name.replace('_', '-')}: must be 0 or more")
        for name in ("max_dna", "max_protein", "max_genes_per_species"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"--{name.replace('_', '-')}: must be 1 or more")
