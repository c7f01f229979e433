# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What decides simulated records."""

from dataclasses import dataclass

# Records are cut from genomes of 24 genes, the shortest of which have a little more letters.
LONGEST = 6_000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a simulation; the same ones give the same records.

    Attributes:
        records: nucleic-acid records.
        proteins: protein records.
        species: how many.
        orders: how many, at most one for each species.
        families: families of proteins, of which every genome has genes.
        min_length: letters of the shortest nucleic-acid record.
        max_length: letters of the longest one, at most `LONGEST`.
        dev_fraction: share of the records that goes to `dev/`.
        seed: decides everything else.
    """

    records: int = 20_000
    proteins: int = 5_000
    species: int = 400
    orders: int = 100
    families: int = 300
    min_length: int = 300
    max_length: int = 1_278
    dev_fraction: float = 0.05
    seed: int = 1221

    def check(self) -> None:
        """Find a setting that cannot be right.

        Raises:
            ValueError: it names the option.
        """
        for name in ("records", "species", "orders", "families", "min_length"):
            if (value := getattr(self, name)) < 1:
                raise ValueError(f"--{name.replace('_', '-')} {value}: must be at least 1")
        for name in ("proteins", "seed"):
            if (value := getattr(self, name)) < 0:
                raise ValueError(f"--{name} {value}: must be at least 0")
        if self.orders > self.species:
            raise ValueError(f"--orders {self.orders}: more than the {self.species} species")
        if self.max_length < self.min_length:
            raise ValueError(f"--max-length {self.max_length}: below --min-length")
        if self.max_length > LONGEST:
            raise ValueError(f"--max-length {self.max_length}: must be at most {LONGEST}")
        if not 0 <= self.dev_fraction < 1:
            raise ValueError(f"--dev-fraction {self.dev_fraction}: must be from 0 to less than 1")
