# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone map`: a picture of a file of embeddings."""

import argparse
from collections.abc import Callable
from typing import Any

from .options import check_usage, print_notes

MORE = """\
OUTPUT is a picture (.png, .svg, .pdf) or a page for the browser that needs no
network (.html); there may be several. With labels, figures of merit are printed:
the silhouette of the labels among the vectors and on the map (-1 to 1), and how
well k-means finds them again (adjusted Rand index: 1 at best, 0 by chance).

With --compare, maps of two baselines stand beside that of the embeddings: the
letters of the sequences by position (multi-hot), and how often each k-mer occurs.

Labels may be a piece of the ids, as in CL0023#PF00004#Q20755_CAEEL#246-375:
  lucaone map clans.h5 clans.html --colour-from-id '^(?P<clan>CL[0-9]+)#'
"""


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = add(
        "map",
        run,
        "draw a map of a file of embeddings",
        "lucaone map species.h5 species.png --labels species.csv --colour label_name",
        MORE,
    )
    parser.add_argument(
        "embeddings", metavar="EMBEDDINGS", help="a file that lucaone embed wrote, not per residue"
    )
    parser.add_argument(
        "outputs", metavar="OUTPUT", nargs="+", help=".png, .svg, .pdf or .html file"
    )
    parser.add_argument("--labels", metavar="TABLE", help="CSV or TSV table to colour by")
    parser.add_argument(
        "--colour",
        "--color",
        metavar="COLUMN",
        help="its column to colour by: names, or numbers (more than 20 different ones)",
    )
    parser.add_argument(
        "--label-id",
        metavar="COLUMN",
        help="its column of ids (default: obj_id, seq_id or id, whichever there is)",
    )
    parser.add_argument(
        "--colour-from-id",
        "--color-from-id",
        metavar="REGEX",
        help="colour by a piece of the ids: what the one group of this regular expression matches",
    )
    parser.add_argument(
        "--colour-as",
        "--color-as",
        choices=("categories", "numbers"),
        help="a colour for each label, or a colour scale (default: by the labels)",
    )
    parser.add_argument(
        "--method", choices=("tsne", "umap"), help="how the map is made (default: tsne)"
    )
    parser.add_argument(
        "--perplexity",
        type=float,
        metavar="F",
        help="of t-SNE, about how many neighbours a record has (default: 30)",
    )
    parser.add_argument(
        "--neighbours",
        "--neighbors",
        type="positive",
        metavar="N",
        help="of UMAP, how many neighbours a record has (default: 15)",
    )
    parser.add_argument(
        "--metric",
        choices=("cosine", "euclidean"),
        help="how far two vectors are from each other (default: cosine)",
    )
    parser.add_argument(
        "--seed",
        type="count",
        metavar="N",
        help="number that fixes all that is random (default: 0)",
    )
    parser.add_argument(
        "--max-records",
        type="positive",
        metavar="N",
        help="draw a random sample if there are more records (default: 10000)",
    )
    parser.add_argument(
        "--compare",
        metavar="INPUT",
        help="the file of sequences that was embedded: adds maps of two baselines",
    )
    parser.add_argument(
        "--seq-type",
        metavar="TYPE",
        help="molecule type of these: gene, prot, header or column:NAME (default: as given to "
        "lucaone embed)",
    )
    parser.add_argument(
        "--k",
        type="positive",
        metavar="K",
        help="letters of a k-mer (default: 3 in nucleic acids, 2 in proteins)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace figures that are there")


def run(options: dict[str, Any]) -> None:
    """Draw the map and print its figures of merit."""
    from embedding.mapping.maps import check_options, map_embeddings

    drawing = {name: value for name, value in options.items() if name != "embeddings"}
    check_usage(check_options, drawing)
    summary = map_embeddings(**options)
    print_notes(summary.notes)
    print(summary)
