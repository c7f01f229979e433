# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone predict`: a fine-tuned model applied to a file."""

import argparse
from collections.abc import Callable
from typing import Any

from embedding.commands.options import add_model, check_usage, print_notes

MORE = """\
MODEL is what lucaone finetune made, or any model of LucaOne with a classifier
of sequences or pairs; or a folder with an adapter of peft, for which the base
model is found by the name in it, or given with --base-model.

INPUT is for a model of pairs a table, with columns as in the published data sets:
seq_id_a, seq_a, seq_id_b, seq_b, and seq_type_a and seq_type_b if they are there.

OUTPUT has a row for each record, in the order of INPUT: its id or ids, prediction
(the label, or the number; of several labels those of 0.5 and more, with ; between),
and the probability of each label. What lies beyond the lengths of the training is
cut as there; the column residues_used, which is there for such models, tells it.
"""


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = add(
        "predict",
        run,
        "apply a fine-tuned model to a file of sequences or pairs",
        "lucaone predict proteins.fasta locations.csv --model protloc",
        MORE,
    )
    parser.add_argument(
        "source",
        metavar="INPUT",
        help="FASTA, CSV, TSV or Parquet, plain or compressed; - for FASTA from standard input",
    )
    parser.add_argument("output", metavar="OUTPUT", help=".csv, .tsv or .parquet file")
    add_model(parser)
    parser.add_argument(
        "--base-model", metavar="MODEL", help="the model that an adapter is for, see above"
    )
    parser.add_argument(
        "--seq-type",
        metavar="TYPE",
        help="molecule type: gene (DNA, RNA) or prot; header or column:NAME, where each record "
        "says it; for pairs two with a comma between (default: the column seq_type, else what the "
        "model was trained on)",
    )
    parser.add_argument(
        "--id-column",
        metavar="NAME",
        help="the column of a table that holds the ids, for pairs two with a comma between",
    )
    parser.add_argument(
        "--sequence-column", metavar="NAME", help="the column of the sequences, likewise"
    )
    parser.add_argument(
        "--keep-gaps",
        action="store_true",
        help="keep gaps (- and .) and stops (*); otherwise gaps and a stop at the end are removed",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an OUTPUT that is there")
    parser.add_argument(
        "--force",
        action="store_true",
        help="go on even if sequences are of another molecule type than the model was trained on, "
        "or most look like the other one",
    )


def run(options: dict[str, Any]) -> None:
    """Predict, and say what was done."""
    from finetune.prediction import check_options, predict_file

    check_usage(check_options, options)
    told: list[str] = []

    def tell(note: str) -> None:
        print_notes([note])
        told.append(note)

    summary = predict_file(**options, tell=tell)
    print_notes(summary.notes[len(told) :])
    print(summary)
