# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""UniProt entries, flat text and XML."""

from pathlib import Path

import pytest

from sequence_io.lines import read_lines
from sequence_io.uniprot import (
    EntryError,
    accessions,
    entry_name,
    parse_entry,
    split_flat,
    split_xml,
    uniprot_form,
)

DATA = Path(__file__).parents[3] / "shared" / "data" / "uniprot"
real = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real entries (../shared/data) are not beside the repository"
)

FLAT = """\
ID   TEST_HUMAN              Unreviewed;        12 AA.
AC   A0A001; A0A002;
DE   SubName: Full=Anything {ECO:0000313|EMBL:AEX14553.1};
OS   Homo sapiens (Human).
OC   Eukaryota; Metazoa; Chordata; Craniata; Vertebrata; Euteleostomi.
OX   NCBI_TaxID=9606 {ECO:0000313|Proteomes:UP000005640};
RN   [1]
RP   NUCLEOTIDE SEQUENCE.
RL   Not a journal that a parser can read
CC   -!- FUNCTION: none.
KW   Membrane {ECO:0000256|ARBA:ARBA00004}; Zinc {ECO:1}.
FT   NO SUCH FEATURE
SQ   SEQUENCE   12 AA;  1234 MW;  0123456789ABCDEF CRC64;
     MKTAYIAKQR QI
//
"""
XML_OF = """\
<?xml version="1.0" encoding="UTF-8"?>
<uniprot xmlns="https://uniprot.org/uniprot">
<entry dataset="TrEMBL" created="2020-01-01" modified="2020-01-01" version="1" {more}>
<accession>A0A001</accession><accession>A0A002</accession>
<name>TEST_HUMAN</name>
<organism><name type="scientific">Homo sapiens</name><dbReference type="NCBI Taxonomy" id="9606"/>
<lineage><taxon>Eukaryota</taxon><taxon>Metazoa</taxon><taxon>Chordata</taxon>
<taxon>Craniata</taxon><taxon>Vertebrata</taxon><taxon>Euteleostomi</taxon></lineage></organism>
<comment type="function"><text>Not a keyword</text></comment>
<dbReference type="GO" id="GO:1"><property type="term" value="x"/></dbReference>
<keyword id="KW-0472">Membrane</keyword><keyword id="KW-0862">Zinc</keyword>
<feature type="chain"><location><begin position="1"/><end position="12"/></location></feature>
<sequence length="12" mass="1" checksum="0" modified="2020-01-01" version="1">
MKTAYIAKQRQI</sequence>
</entry>
</uniprot>
"""
XML = XML_OF.format(more="")


def flat(text):
    return list(split_flat(text.splitlines(keepends=True)))


def xml(text):
    return list(split_xml(text.splitlines(keepends=True)))


def test_an_entry_of_flat_text():
    (text,) = flat(FLAT)
    entry = parse_entry(text)
    assert entry.accessions == ("A0A001", "A0A002")
    assert (entry.source, entry.sequence, entry.taxid) == ("trembl", "MKTAYIAKQRQI", "9606")
    assert entry.lineage[4] == "Vertebrata" and len(entry.lineage) == 6
    assert entry.keywords == ("Membrane", "Zinc")


WRAPPED = """\
KW   Nucleotide-binding {ECO:0000256|ARBA:ARBA00022741, ECO:0000256|PROSITE-
KW   ProRule:PRU10141}; Oxidoreductase {ECO:0000256|RuleBase:RU003880,
KW   ECO:0000313|EMBL:NGT57282.1}; Direct
KW   protein sequencing; Nucleotide-
KW   sugar;
KW   Zinc {ECO:0000256|ARBA:ARBA00022833}.
"""


def test_keywords_and_their_evidence_go_on_in_the_next_line():
    text = "".join(line for line in FLAT.splitlines(keepends=True) if line[:2] != "KW")
    (text,) = flat(text.replace("SQ ", f"{WRAPPED}SQ "))
    assert parse_entry(text).keywords == (
        "Nucleotide-binding",
        "Oxidoreductase",
        "Direct protein sequencing",
        "Nucleotide-sugar",
        "Zinc",
    )


def test_names_of_the_lineage_go_on_in_the_next_line():
    (text,) = flat(FLAT.replace("Chordata; Craniata", "Chordata incertae\nOC   sedis; Craniata"))
    assert parse_entry(text).lineage[2:5] == ("Chordata incertae sedis", "Craniata", "Vertebrata")


def test_keywords_without_a_name_are_none():
    (text,) = flat(FLAT.replace("Zinc {ECO:1}.", "{ECO:1}; ; Zinc."))
    assert parse_entry(text).keywords == ("Membrane", "Zinc")
    (text,) = xml(XML.replace(">Membrane<", "><").replace(">Zinc<", "> Zinc <"))
    assert parse_entry(text).keywords == ("Zinc",)


@pytest.mark.parametrize("more", ["", 'xmlns="https://uniprot.org/uniprot"', "xmlns='http://x'"])
def test_xml_says_the_same_in_whatever_namespace(more):
    (text,) = xml(XML_OF.format(more=more))
    assert parse_entry(text) == parse_entry(flat(FLAT)[0])


def test_xml_is_split_wherever_its_lines_end():
    text = XML.replace("</entry>", "</entry><entry\nid='2'>x</entry> <!-- between -->")
    first, second = xml(text)
    assert first == xml(XML)[0] and second == "<entry\nid='2'>x</entry>"
    assert xml(text.replace("\n", " ")) == [part.replace("\n", " ") for part in (first, second)]
    assert xml("<uniprot>\n<entryish>\n</uniprot>\n") == []


def test_declarations_of_xml_are_not_expanded():
    bomb = '<entry><!DOCTYPE a [<!ENTITY b "bbbb">]><accession>&b;</accession></entry>'
    with pytest.raises(EntryError, match="cannot be read"):
        parse_entry(bomb)
    with pytest.raises(EntryError, match="undefined entity"):
        parse_entry(xml(XML.replace("Zinc", "&b;"))[0])


def test_the_content_tells_the_form():
    assert uniprot_form(FLAT) == "flat"
    assert uniprot_form("\n\n" + FLAT) == "flat"
    assert uniprot_form(XML) == "xml"
    assert uniprot_form(xml(XML)[0]) == "xml"
    assert uniprot_form("<?xml version='1.0'?><PDBx:datablock>") is None
    assert uniprot_form("ID   X56734; SV 1; linear; mRNA; STD; PLN; 1859 BP.\n") is None
    assert uniprot_form("HEADER    VIRAL PROTEIN") is None


def test_damage_stays_in_its_entry():
    cut = FLAT[: FLAT.index("SQ ")]
    first, second, third = flat(FLAT + cut + FLAT)
    assert parse_entry(first) == parse_entry(third)
    with pytest.raises(EntryError, match="cannot be read"):
        parse_entry(second)
    assert entry_name(second) == "A0A001"
    (text,) = xml(XML)
    cut = XML[: XML.index("<feature")]
    entries = xml(cut + text)
    assert len(entries) == 2 and parse_entry(entries[1]) == parse_entry(text)
    with pytest.raises(EntryError, match="cannot be read"):
        parse_entry(entries[0])
    assert entry_name(entries[0]) == "A0A001"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (FLAT.replace("MKTAYIAKQR QI", "MKTAYIAKQR"), "10 residues where it states 12"),
        (FLAT.replace("SEQUENCE   12", "SEQUENCE   13"), "ID and SQ state 12 and 13 residues"),
        (FLAT.replace("12 AA", "0 AA").replace("MKTAYIAKQR QI", ""), "it has no sequence"),
        (FLAT.replace("AC   A0A001; A0A002;\n", ""), "it has no accession"),
        (FLAT.replace("Unreviewed", "Doubtful"), "cannot be read"),
        (FLAT[:-3], "cannot be read"),
        ("", "cannot be read"),
        ("nothing\n", "cannot be read"),
        ("<entry>", "cannot be read"),
    ],
)
def test_what_is_wrong_with_an_entry_is_told(text, wrong):
    (text,) = flat(text) or [text]
    with pytest.raises(EntryError, match=wrong) as error:
        parse_entry(text)
    assert "\n" not in str(error.value)


def test_length_of_xml_is_checked():
    (text,) = xml(XML)
    with pytest.raises(EntryError, match="11 residues where it states 12"):
        parse_entry(text.replace("QRQI", "QRQ"))


def test_accessions_of_a_file():
    expected = ["A0A001", "A0A002"]
    assert list(accessions(FLAT.splitlines())) == expected
    assert list(accessions(XML.splitlines())) == expected


@real
def test_real_entries():
    entries = {}
    for path in DATA.iterdir():
        split = split_flat if path.suffix == ".txt" else split_xml
        (text,) = split(read_lines(path))
        entries[path.name] = parse_entry(text)
    assert entries["Q13639.txt"] == entries["Q13639.xml"]
    serotonin = entries["Q13639.txt"]
    assert len(serotonin.keywords) == 14
    assert serotonin.keywords[:2] == ("Alternative splicing", "Cell membrane")
    assert serotonin.keywords[-1] == "Transmembrane"
    assert {name: len(entry.sequence) for name, entry in entries.items()} == {
        "P04439.txt": 365,
        "P62258.txt": 255,
        "P62330.xml": 175,
        "Q13639.txt": 388,
        "Q13639.xml": 388,
    }
    for entry in entries.values():
        assert (entry.source, entry.taxid) == ("swissprot", "9606")
        assert entry.lineage[4] == "Vertebrata" and entry.lineage[-1] == "Homo"
