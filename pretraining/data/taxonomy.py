# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The taxonomic order of an organism, which is the label of both taxonomy tasks."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from sequence_io.lines import read_lines
from sequence_io.records import file_error

ORDER_FIELD = 4
"""Where a lineage names the order, counted from 0; so the published records were made."""


def read_orders(path: Path) -> dict[str, str]:
    """Read a table of NCBI taxon ids and orders: `TAXID<TAB>ORDER`, without a header.

    Args:
        path: the table, plain or compressed.

    Returns:
        The order of each taxon id.

    Raises:
        SequenceFileError: the file cannot be read, or a line is none of that form.
    """
    orders: dict[str, str] = {}
    for number, line in enumerate(read_lines(path), start=1):
        taxid, tab, order = (part.strip() for part in line.partition("\t"))
        if not (tab or taxid):
            continue
        if not (taxid.isdecimal() and order) or "\t" in order:
            raise file_error(path, "not of the form TAXID<TAB>ORDER", line=number)
        orders[taxid] = order
    if not orders:
        raise file_error(path, "holds no taxon")
    return orders


def orders_sha256(path: Path | None) -> str | None:
    """Return the hash of a table of orders, which tells it from another one; None for none."""
    if path is None:
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def order_name(taxid: str, lineage: Sequence[str], orders: Mapping[str, str]) -> str:
    """Return the order of an organism: that of the table, else the fifth name of its lineage.

    Empty where neither tells.
    """
    fifth = lineage[ORDER_FIELD] if len(lineage) > ORDER_FIELD else ""
    return orders.get(taxid, fifth)
