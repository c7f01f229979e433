# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Small files of labelled sequences."""

import random
from pathlib import Path

import pytest

from finetune.data import DataError, DataSettings, read_data
from tests.helpers import REPOSITORY

DATA = REPOSITORY.parent / "shared" / "data"
needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real sequences (../shared/data) are not beside the repository"
)

SINGLE = "seq_id,seq_type,seq,label"
PAIR = "seq_id_a,seq_id_b,seq_type_a,seq_type_b,seq_a,seq_b,label"
GENE = DataSettings("single", seq_types=("gene",))
PROT = DataSettings("single", seq_types=("prot",))


def protein(seed: object, length: int = 40) -> str:
    """Return a protein of its own for every seed."""
    return "".join(random.Random(str(seed)).choices("ACDEFGHIKLMNPQRSTVWY", k=length))


def gene(seed: object, length: int = 40) -> str:
    """Return a nucleic acid of its own for every seed."""
    return "".join(random.Random(str(seed)).choices("ACGT", k=length))


def write(path: Path, *lines: object) -> Path:
    """Write lines into a file, and make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def labelled(path: Path, *labels: object) -> Path:
    """Write a table of proteins with these labels."""
    rows = [f"p{n},{protein(f'{path.name}{n}')},{label}" for n, label in enumerate(labels)]
    return write(path, "id,sequence,label", *rows)


def error_of(source: object, settings: DataSettings, **options: object) -> DataError:
    """Return the error of reading, which must be one line."""
    with pytest.raises(DataError) as caught:
        read_data(source, settings, **options)
    assert "\n" not in str(caught.value)
    return caught.value


def found(findings: object, severity: str, kind: str) -> dict[str, tuple[int, str]]:
    """Return count and text of the findings of a kind, by their place."""
    return {
        where: (count, text)
        for level, about, where, count, text in findings.table()
        if (level, about) == (severity, kind)
    }
