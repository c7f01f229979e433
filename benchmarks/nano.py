# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
r"""What a linear model reads off the embeddings of a model, beside k-mers of the same sequences.

    python -m benchmarks.nano MODEL --table species.csv --seq-type gene \\
        --sequence-column seq --label-column label_name

Logistic regression on standardised features, four stratified folds, the same ones in every row; the
share of right answers, averaged over folds and over several divisions into folds. A column for each
strength of the regularisation (C of scikit-learn, 1 is its default): wide features need a strong
one, and each row may be judged by its best column.
"""

import argparse
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from embedding import Embedder
from embedding.mapping.baselines import kmer_frequencies, kmer_name

STRENGTHS = (1.0, 0.1, 0.01, 0.001)
FOLDS = 4
KMERS = {"gene": (3, 4, 5), "prot": (1, 2)}


def probe(features: np.ndarray, labels: Sequence[str], strength: float, divisions: int) -> float:
    """Return the share of right answers of a linear model on held-out sequences.

    Args:
        features: (sequences, width)
        labels: of each sequence.
        strength: C of the logistic regression.
        divisions: into folds, with seeds from 0 on.
    """
    model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))
    scores = [
        cross_val_score(
            model, features, labels, cv=StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        )
        for seed in range(divisions)
    ]
    return float(np.mean(scores))


def features(model: str, sequences: list[str], seq_type: str) -> Iterator[tuple[str, np.ndarray]]:
    """Give the rows of the table: names and features, (sequences, width)."""
    letters = [(sequence, seq_type) for sequence in sequences]
    for size in KMERS[seq_type]:
        yield kmer_name(letters, size), kmer_frequencies(letters, size).toarray()
    embedder = Embedder(model)
    for pooling in ("mean", "cls"):
        yield (
            f"{Path(model).name}, {pooling}",
            embedder.encode(sequences, seq_type, pooling=pooling),
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nano", description="Linear probe.")
    parser.add_argument("model", help="folder of a model")
    parser.add_argument("--table", required=True, help="CSV of sequences and their classes")
    parser.add_argument("--seq-type", required=True, choices=tuple(KMERS))
    parser.add_argument("--sequence-column", required=True)
    parser.add_argument("--label-column", required=True)
    parser.add_argument("--divisions", type=int, default=3, help="into folds (default: 3)")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    table = pd.read_csv(options.table)
    sequences, labels = list(table[options.sequence_column]), list(table[options.label_column])
    print(f"{'':32}width  " + "  ".join(f"C={strength:<5g}" for strength in STRENGTHS))
    for name, values in features(options.model, sequences, options.seq_type):
        scores = [probe(values, labels, strength, options.divisions) for strength in STRENGTHS]
        row = "  ".join(f"{score:<7.3f}" for score in scores)
        print(f"{name:32}{values.shape[1]:<7}{row}", flush=True)


if __name__ == "__main__":
    main()
