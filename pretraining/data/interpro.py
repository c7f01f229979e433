# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""InterPro's tables to spans: `entry.list`, and `protein2ipr.dat` with its matches of proteins."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from sequence_io.lines import read_lines
from sequence_io.records import file_error

TASKS = {
    "Homologous_superfamily": "prot_homo",
    "Domain": "prot_domain",
    "Active_site": "prot_site",
    "Binding_site": "prot_site",
    "Conserved_site": "prot_site",
    "PTM": "prot_site",
}
"""The task of each type of entry; families and repeats have none."""

# How accessions of the source databases begin, the preferred ones first: CATH, SUPERFAMILY,
# PROSITE, Pfam, NCBIfam (TIGR is its older part), SMART, PRINTS, CDD. Others come last.
SIGNATURES = re.compile(r"(G3DSA:)|(SSF)|(PS)|(PF)|(NF|TIGR)|(SM)|(PR)|(cd)")
LAST = SIGNATURES.groups + 1

NOT_READ = "?"

Spans = dict[str, list[tuple[int, int, str]]]


class Matches(NamedTuple):
    """Rows of one protein that stand together in `protein2ipr.dat`.

    Attributes:
        accession: of the protein.
        text: a line for each row that is used: InterPro id, accession of the source database,
            first and last residue, with tabs between; `?` for one that cannot be read.
        problems: of rows that cannot be used, reason and detail.
    """

    accession: str
    text: str
    problems: tuple[tuple[str, str], ...]


def read_entry_tasks(path: Path) -> dict[str, str]:
    """Read the table of InterPro's entries, `entry.list`: id, type and name, with tabs between.

    Args:
        path: the table, plain or compressed, with or without its header.

    Returns:
        The task of each entry; empty for types that have none.

    Raises:
        SequenceFileError: the file cannot be read, a line is none of that form, or no entry has a
            task.
    """
    tasks: dict[str, str] = {}
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip() or line.startswith("ENTRY_AC\t"):
            continue
        entry, _, rest = line.partition("\t")
        kind, tab, _ = rest.partition("\t")
        if not (re.fullmatch(r"IPR\d+", entry) and tab):
            raise file_error(path, "not of the form IPR000001<TAB>TYPE<TAB>NAME", line=number)
        tasks[entry] = TASKS.get(kind, "")
    if not any(tasks.values()):
        raise file_error(path, f"holds no entry of the types {', '.join(TASKS)}")
    return tasks


def read_matches(path: Path, tasks: Mapping[str, str]) -> Iterator[Matches]:
    """Read `protein2ipr.dat`, one protein at a time; if it is not sorted, pieces of proteins.

    Args:
        path: the table, plain or compressed: accession, InterPro id, its name, accession of the
            source database, first and last residue (from 1), with tabs between.
        tasks: the task of each InterPro entry.

    Raises:
        SequenceFileError: the file cannot be read.
    """
    lines = enumerate(read_lines(path), start=1)
    for accession, rows in itertools.groupby(lines, lambda row: row[1].partition("\t")[0].strip()):
        kept, problems = [], []
        for number, line in rows:
            columns = line.rstrip("\n").split("\t")
            if len(columns) != 6 or not (columns[4].isdecimal() and columns[5].isdecimal()):
                if line.strip():
                    kept.append(NOT_READ)
                    problems.append(("row cannot be read", f"line {number:,}"))
            elif columns[1] not in tasks:
                problems.append(("entry of InterPro is not in the table of entries", columns[1]))
            elif tasks[columns[1]]:
                kept.append("\t".join((columns[1], *columns[3:])))
        yield Matches(accession, "".join(f"{row}\n" for row in kept), tuple(problems))


def choose_spans(text: str, tasks: Mapping[str, str], length: int) -> tuple[Spans, list[str]]:
    """Make spans of the rows of a protein.

    An InterPro entry joins signatures of several databases, which disagree about the ends: of each
    entry those of the most preferred database are taken.

    Args:
        text: as of `Matches`.
        tasks: the task of each InterPro entry.
        length: of the protein, in residues.

    Returns:
        For each task its spans (first residue, last residue, InterPro id), from 0; and what is
        wrong with the other rows. They are ordered by their first residue, then the longer first:
        where spans overlap, a trainer takes the later.
    """
    candidates: dict[str, dict[int, set[tuple[int, int]]]] = defaultdict(lambda: defaultdict(set))
    problems = []
    for row in text.splitlines():
        if row == NOT_READ:
            problems.append("row cannot be read")
            continue
        entry, signature, first, last = row.split("\t")
        if not 1 <= int(first) <= int(last) <= length:
            problems.append(f"{entry} {first} to {last} does not lie in {length:,} residues")
            continue
        known = SIGNATURES.match(signature)
        rank = (known.lastindex or LAST) if known else LAST
        candidates[entry][rank].add((int(first) - 1, int(last) - 1))
    spans: Spans = defaultdict(list)
    for entry, ranks in candidates.items():
        spans[tasks[entry]] += [(*span, entry) for span in ranks[min(ranks)]]
    for found in spans.values():
        found.sort(key=lambda span: (span[0], -span[1], span[2]))
    return spans, problems
