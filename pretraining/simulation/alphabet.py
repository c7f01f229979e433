# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Bases, codons and amino acids as numbers, and what is publicly known of them.

Bases are numbered A, C, G, T, so that the complement of `b` is `3 - b`; codons as numbers of three
digits to the base 4; amino acids in the alphabetical order of their letters, stop comes last.
"""

import numpy as np

try:
    from Bio.Align import substitution_matrices
    from Bio.Data.CodonTable import unambiguous_dna_by_id
except ImportError:
    raise ImportError(
        "simulated records need Biopython; pip install 'lucaone-hf[pretraining]'"
    ) from None

DNA = "ACGT"
PROTEIN = "ACDEFGHIKLMNPQRSTVWY"
BASES, AMINO_ACIDS, CODONS = len(DNA), len(PROTEIN), 4**3
METHIONINE, STOP = PROTEIN.index("M"), AMINO_ACIDS
MOST_SYNONYMS = 6

# The composition of UniProtKB/Swiss-Prot, in percent, in the order of PROTEIN.
COMPOSITION = np.array(
    [
        *(8.25, 1.38, 5.46, 6.72, 3.86, 7.07, 2.27, 5.91, 5.80, 9.65),  # A C D E F G H I K L
        *(2.41, 4.06, 4.74, 3.93, 5.53, 6.65, 5.36, 6.86, 1.10, 2.92),  # M N P Q R S T V W Y
    ]
)
COMPOSITION /= COMPOSITION.sum()


def _synonyms() -> np.ndarray:
    """Return the codons of each amino acid and of stop, (21, 6), -1 where there are fewer."""
    code = unambiguous_dna_by_id[11]
    codons: list[list[int]] = [[] for _ in range(AMINO_ACIDS + 1)]
    for number in range(CODONS):
        word = "".join(DNA[number // 4**place % 4] for place in (2, 1, 0))
        codons[PROTEIN.index(code.forward_table[word]) if word in code.forward_table else STOP] += [
            number
        ]
    return np.array([each + [-1] * (MOST_SYNONYMS - len(each)) for each in codons])


def _substitutions() -> np.ndarray:
    """Return how probable each change of a residue is, (20, 20), 0 for none, by BLOSUM62."""
    matrix = substitution_matrices.load("BLOSUM62")
    scores = np.array([[matrix[a][b] for b in PROTEIN] for a in PROTEIN])
    # Scores are in half bits: log2 of observed over expected frequencies, times 2.
    rates = COMPOSITION * 2 ** (scores / 2)
    np.fill_diagonal(rates, 0)
    return rates / rates.sum(axis=1, keepdims=True)


SYNONYMS = _synonyms()
SUBSTITUTIONS = _substitutions()
# (64, 3) the bases of each codon.
CODON_BASES = np.arange(CODONS)[:, None] // np.array([16, 4, 1]) % 4


def _gc_of_amino_acids() -> np.ndarray:
    """Return how many of the first two bases of codons are G or C, (20,), less the mean."""
    strong = ((CODON_BASES == 1) | (CODON_BASES == 2))[:, :2].sum(1)
    counts = np.array([strong[row[row >= 0]].mean() for row in SYNONYMS[:AMINO_ACIDS]])
    return counts - counts @ COMPOSITION


GC_OF_AMINO_ACIDS = _gc_of_amino_acids()


def reverse_complement(bases: np.ndarray) -> np.ndarray:
    """Return the other strand of numbered bases."""
    return 3 - bases[::-1]


def numbers(text: str, alphabet: str) -> np.ndarray:
    """Return the numbers of letters."""
    return np.array([alphabet.index(letter) for letter in text])


def letters(numbered: np.ndarray, alphabet: str) -> str:
    """Return the letters of numbered bases or residues."""
    return np.frombuffer(alphabet.encode(), np.uint8)[numbered].tobytes().decode()
