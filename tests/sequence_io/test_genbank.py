# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""GenBank files as they come: compressed, of many records, damaged."""

import gzip

import pytest

from sequence_io import SequenceFileError
from sequence_io.genbank import Damage, Genome, read_genomes
from tests.genomes import genome, write


@pytest.fixture
def text(tmp_path):
    """Three records of two genes each."""
    records = [genome(name, 2, f"Testus {name}") for name in "ABC"]
    return write(tmp_path / "three.gb", *records).read_text()


def read(path, text):
    path.write_text(text)
    return list(read_genomes(path))


def test_records_and_their_species(tmp_path, text):
    found = read(tmp_path / "x.gb", "a line of a release's header\n\n" + text)
    assert [(item.record, item.species) for item in found] == [
        (name, f"Testus {name}") for name in "ABC"
    ]
    assert [len(item.coding) for item in found] == [2, 2, 2]


def test_compressed(tmp_path, text):
    path = tmp_path / "three.gb.gz"
    path.write_bytes(gzip.compress(text.encode()))
    assert [item.record for item in read_genomes(path)] == ["A", "B", "C"]


def test_compressed_file_that_breaks_off(tmp_path, text):
    path = tmp_path / "three.gb.gz"
    noise = "".join(f"COMMENT     {number * 7919 % 10007}\n" for number in range(20000))
    whole = gzip.compress((text[: text.index("//") + 3] + noise + text).encode())
    path.write_bytes(whole[: len(whole) // 2])
    first, damage = read_genomes(path)
    assert isinstance(first, Genome) and isinstance(damage, Damage)
    assert "truncated or damaged gzip file" in damage.problem
    path.write_bytes(whole[:20])
    with pytest.raises(SequenceFileError, match=r"three\.gb\.gz: truncated or damaged gzip file"):
        list(read_genomes(path))


def test_bytes_of_another_encoding(tmp_path, text):
    path = tmp_path / "x.gb"
    path.write_bytes(text.replace("Testus B", "Testus M\xfc").encode("latin-1"))
    assert [item.species for item in read_genomes(path)] == [
        "Testus A",
        "Testus M\ufffd",
        "Testus C",
    ]


def damages(path, text):
    """Which of the three records are damaged, and how."""
    return [
        (item.record, item.problem if isinstance(item, Damage) else "") for item in read(path, text)
    ]


def test_text_that_breaks_off(tmp_path, text):
    end = text.rindex("//")
    for stop in (
        end,
        end - 40,
        text.rindex("ORIGIN"),
        text.rindex("CDS"),
        text.rindex("LOCUS") + 9,
    ):
        found = damages(tmp_path / "x.gb", text[:stop])
        assert found[:2] == [("A", ""), ("B", "")]
        assert found[2][1] == "the record does not end (//)"


def test_record_without_an_end(tmp_path, text):
    found = damages(tmp_path / "x.gb", text.replace("//\n", "", 1))
    assert found == [("A", "the record does not end (//)"), ("B", ""), ("C", "")]


def test_damage_within_a_record(tmp_path, text):
    first, second, third = (part + "//\n" for part in text.split("//\n")[:3])
    for wrong, problem in [
        (second.replace("ORIGIN", "ORIGEN"), "cannot be read"),
        ("\n".join(second.split("\n")[:-4]) + "\n//\n", "Expected sequence length"),
        (second.replace("ORIGIN", "CONTIG      join(X.1:1..500)\n//\nORIGIN"), "no sequence"),
        (second.replace("        1 ", "        1 e", 1), "cannot be read"),
    ]:
        assert wrong != second
        found = damages(tmp_path / "x.gb", first + wrong + third)
        assert (found[0], found[-1]) == (("A", ""), ("C", ""))
        assert found[1][0] == "B" and problem in found[1][1]
        assert "\n" not in found[1][1]


def test_rna_is_read_as_dna(tmp_path, text):
    start = text.index("        1 ") + 10
    (first, *_) = read(tmp_path / "x.gb", text[:start] + "ugcu" + text[start + 4 :])
    assert first.dna.startswith("TGCT")


def test_what_a_record_says_of_itself(tmp_path, text):
    head = """SOURCE      a plasmid
  ORGANISM  Testus A
            Bacteria; Testata; Testia;
            Testales.
"""
    start, end = text.index("SOURCE"), text.index("FEATURES")
    text = text[:start] + head + text[end:]
    source = """     source          1..614
                     /organism="Testus A"
                     /db_xref="BOLD:1"
                     /db_xref="taxon:77"
"""
    place = text.index("     CDS")
    text = text[:place] + source + text[place:]
    first, second, _ = read(tmp_path / "x.gb", text.replace("linear  ", "circular", 1))
    assert (first.taxon, first.lineage) == ("77", ("Bacteria", "Testata", "Testia", "Testales"))
    assert (first.molecule, first.circular, second.circular) == ("DNA", True, False)
    assert [feature.type for feature in first.features] == ["source", "CDS", "CDS"]
    assert (second.taxon, second.lineage) == ("", ())


def test_protein_keeps_its_letters(tmp_path):
    text = """LOCUS       P1                         8 aa            linear   BCT 01-JAN-2000
DEFINITION  a selenoprotein.
ACCESSION   P1
VERSION     P1.1
FEATURES             Location/Qualifiers
     Protein         1..8
ORIGIN
        1 mktuayia
//
"""
    (record,) = read(tmp_path / "x.gp", text)
    assert (record.record, record.molecule, record.dna) == ("P1.1", "protein", "MKTUAYIA")


@pytest.mark.parametrize("text", ["", ">a\nACGT\n", "nothing\n//\n"])
def test_no_genbank_file(tmp_path, text):
    with pytest.raises(SequenceFileError, match=r"x\.gb: no line begins with LOCUS"):
        read(tmp_path / "x.gb", text)
