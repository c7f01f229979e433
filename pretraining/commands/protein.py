# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone data protein`: UniProt, InterPro and structures to labelled records."""

import argparse
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from embedding.commands.options import check_usage, print_notes

from .options import add_build_options

MORE = """\
FILEs are entries of UniProt (flat text or XML, any number of them) and structure
files (PDB or mmCIF), plain or compressed; their content tells what they are.

A record is a protein, with what is known of it:
  keywords          of the entry, by name
  taxonomic order   by --taxonomy, else the fifth name of the lineage, as published
  spans             of InterPro: homologous superfamilies, domains, sites. Of each
                    InterPro entry those of one source database: CATH, SUPERFAMILY,
                    PROSITE, Pfam, NCBIfam, SMART, PRINTS, CDD, in this order
  coordinates       of C-alpha atoms, of the experimental structure with the best
                    resolution and then the most residues, else of AlphaFold. A
                    structure belongs to the proteins that it refers to, one that is
                    named AF-ACCESSION-F1-model... to that one. Each atom lies on a
                    residue of its letter; 90% of the letters must agree
Proteins longer than --max-length become consecutive segments of like length, with
ids such as P12345#1-1200, all in one split.

OUTPUT gets train/prot-00000.parquet and so on, dev/ (with --dev-fraction), labels/,
report.tsv (everything that was left out, and why) and summary.json. Killed at any
moment, the same command goes on where it was and ends with the same files. Until
then OUTPUT.index holds the tables of InterPro and the list of structures, sorted
by protein; it takes about as much place as the matches of the used entries.
"""


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = add(
        "data protein",
        run,
        "make labelled protein records of UniProt, InterPro and structures",
        "lucaone data protein uniprot_sprot.dat.gz --output proteins "
        "--interpro protein2ipr.dat.gz --interpro-entries entry.list --structures pdb",
        MORE,
    )
    parser.add_argument(
        "sources",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="UniProt entries; or a structure, as in --structures",
    )
    parser.add_argument(
        "--output", required=True, type=Path, metavar="DIR", help="the folder to write"
    )
    parser.add_argument(
        "--interpro",
        type=Path,
        metavar="TABLE",
        help="InterPro's matches, protein2ipr.dat; needs --interpro-entries",
    )
    parser.add_argument(
        "--interpro-entries",
        type=Path,
        metavar="TABLE",
        help="InterPro's entries and their types, entry.list",
    )
    parser.add_argument(
        "--taxonomy", type=Path, metavar="TABLE", help="lines of TAXID<TAB>ORDER, without a header"
    )
    parser.add_argument(
        "--structures", type=Path, metavar="DIR", help="folder of PDB and mmCIF files"
    )
    parser.add_argument(
        "--structures-alone",
        action="store_true",
        help="each protein chain of a structure that is of none of the entries becomes a record "
        "(without entries they do anyway)",
    )
    parser.add_argument(
        "--min-coverage",
        type=float,
        metavar="SHARE",
        help="share of a protein that a structure must locate to be taken (default: 0.5)",
    )
    parser.add_argument(
        "--max-length",
        type="positive",
        metavar="N",
        help="most residues of a record (default: 1278)",
    )
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="DIR",
        help="the label names, TASK.txt or published files; others are left out and reported "
        "(default: all names that occur)",
    )
    parser.add_argument(
        "--dev-fraction",
        type=float,
        metavar="SHARE",
        help="share of the proteins that goes to dev/ (default: 0)",
    )
    add_build_options(parser)


def run(options: dict[str, Any]) -> None:
    """Make the records."""
    from pretraining.data.building import BuildOptions
    from pretraining.data.proteins import ProteinOptions, build_proteins

    def some(kind: type[Any]) -> Any:
        names = {field.name for field in fields(kind)}
        chosen = kind(**{name: value for name, value in options.items() if name in names})
        check_usage(chosen.check, {})
        return chosen

    summary = build_proteins(
        options["sources"],
        options["output"],
        some(ProteinOptions),
        some(BuildOptions),
        tell=lambda note: print_notes([note]),
    )
    print_notes(summary.notes)
    print(summary)
