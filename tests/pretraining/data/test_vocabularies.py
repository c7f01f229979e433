# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Names of labels and their ids."""

import gzip

import pytest

from pretraining.data.records import LABEL_TASKS
from pretraining.data.vocabularies import Vocabularies, read_vocabularies
from tests.finetune.helpers import DATA, needs_data


def test_open_vocabularies_grow():
    vocabularies = Vocabularies({}, closed=False)
    names = ["CDS", "tRNA", "CDS", " tRNA ", "rRNA"]
    assert [vocabularies.number("gene_type", name) for name in names] == [0, 1, 0, 1, 2]
    assert vocabularies.number("prot_keyword", "Metal\u2028binding") == 0
    assert vocabularies.names() == {
        "gene_type": ["CDS", "tRNA", "rRNA"],
        "prot_keyword": ["Metal binding"],
    }
    assert vocabularies.sizes() == {}
    again = Vocabularies(vocabularies.names(), closed=False)
    assert again.number("gene_type", "intron") == 3


def test_closed_vocabularies_do_not_grow():
    vocabularies = Vocabularies({"gene_type": ["CDS", "tRNA"]}, closed=True)
    assert vocabularies.number("gene_type", "tRNA") == 1
    assert vocabularies.number("gene_type", "rRNA") is None
    assert vocabularies.number("prot_keyword", "Zinc") is None
    assert vocabularies.sizes() == {"gene_type": 2}
    assert vocabularies.names() == {"gene_type": ["CDS", "tRNA"]}


def test_files_are_found_by_their_task(tmp_path):
    (tmp_path / "gene_type.txt").write_bytes(b"\xef\xbb\xbfCDS\r\ntRNA")
    (tmp_path / "prot_site_span_level_label_v2.txt").write_text("IPR000001\n")
    with gzip.open(tmp_path / "prot_homo_packed.txt", "wt") as file:
        file.write("IPR000002\n")
    for other in ("gene_types.txt", "prot_binding_span_level_label_v2.txt", "prot_domain.csv"):
        (tmp_path / other).write_text("x\n")
    assert read_vocabularies(tmp_path) == {
        "gene_type": ["CDS", "tRNA"],
        "prot_homo": ["IPR000002"],
        "prot_site": ["IPR000001"],
    }


@needs_data
def test_the_published_vocabularies_are_read():
    names = read_vocabularies(DATA / "labels")
    assert [len(names[task]) for task in LABEL_TASKS] == [8, 3443, 946, 13717, 735, 2196, 1179]
    assert names["gene_type"][0] == "regulatory"
    assert names["gene_type"][7] == "CDS"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "there is no vocabulary in it, such as gene_type.txt"),
        ({"other.txt": "x\n"}, "there is no vocabulary in it, such as gene_type.txt"),
        ({"gene_type.txt": ""}, "gene_type.txt: there is no name in it"),
        ({"gene_type.txt": "a\n\nb\n"}, "gene_type.txt: line 2: there is no name"),
        ({"gene_type.txt": "a\nb\na \n"}, "gene_type.txt: line 3: 'a' is on line 1 already"),
        (
            {"gene_type.txt": "a\n", "gene_type_v2.txt": "a\n"},
            "gene_type.txt and gene_type_v2.txt are both of gene_type",
        ),
        ({"gene_type.txt": "\udcff"}, "line 1: not UTF-8 text"),
    ],
)
def test_wrong_vocabularies_are_one_line(tmp_path, files, message):
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=message) as error:
        read_vocabularies(tmp_path)
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)
