# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Entries of UniProt to protein records."""

import numpy as np
import pytest

from pretraining.data.named import NamedRecord
from pretraining.data.protein_records import cut_protein
from sequence_io.uniprot import EntryError, parse_entry, split_flat

from .protein_files import DATA, SEQUENCE, entry, make, real_data, write
from .readers import records as stored
from .readers import vocabulary


def test_a_record_has_what_its_entry_says(tmp_path):
    source = write(tmp_path, "a.dat", entry("P00001; P99999"))
    records, findings = make(tmp_path / "out", [source])
    record = records["P00001"]
    assert (record.seq_type, record.sequence, record.source) == ("prot", SEQUENCE, "swissprot")
    assert record.coordinates is None and record.spans == {}
    assert vocabulary(tmp_path / "out", "prot_keyword") == ["Membrane", "Zinc"]
    assert list(record.keywords) == [0, 1]
    assert vocabulary(tmp_path / "out", "prot_taxonomy") == ["Vertebrata"]
    assert findings == []


def test_the_table_of_orders_goes_before_the_lineage(tmp_path):
    table = write(tmp_path, "orders.tsv", "9606\tPrimates\n")
    source = write(
        tmp_path,
        "a.dat",
        entry("P1") + entry("P2", taxid=1) + entry("P3", taxid=2, lineage="Viruses; Riboviria"),
    )
    records, findings = make(tmp_path / "out", [source], taxonomy=table)
    names = vocabulary(tmp_path / "out", "prot_taxonomy")
    orders = {id: [names[label] for label in one.classes.values()] for id, one in records.items()}
    assert orders == {"P1": ["Primates"], "P2": ["Vertebrata"], "P3": []}
    assert [(one.entry, one.status, one.reason) for one in findings] == [
        ("P3", "note", "no taxonomic order")
    ]


def test_long_proteins_become_segments(tmp_path):
    coordinates = np.arange(30, dtype=np.float32).reshape(10, 3)
    coordinates[7:] = np.nan
    record = NamedRecord(
        "P1",
        "prot",
        "ABCDEFGHIJ",
        "swissprot",
        "P1",
        spans={"prot_domain": [(0, 9, "all"), (2, 4, "middle"), (9, 9, "last")]},
        classes={"prot_taxonomy": "Primates"},
        keywords=["Zinc"],
        coordinates=coordinates,
    )
    assert list(cut_protein(record, 10)) == [record]
    first, second, third = cut_protein(record, 4)
    assert [one.id for one in (first, second, third)] == ["P1#1-3", "P1#4-6", "P1#7-10"]
    assert [one.sequence for one in (first, second, third)] == ["ABC", "DEF", "GHIJ"]
    assert first.spans == {"prot_domain": [(0, 2, "all"), (2, 2, "middle")]}
    assert second.spans == {"prot_domain": [(0, 2, "all"), (0, 1, "middle")]}
    assert third.spans == {"prot_domain": [(0, 3, "all"), (3, 3, "last")]}
    for one in (first, second, third):
        one.check()
        assert (one.group, one.keywords, one.classes) == ("P1", ["Zinc"], record.classes)
    np.testing.assert_array_equal(third.coordinates, coordinates[6:])
    assert [one.coordinates is None for one in cut_protein(record, 3)] == [
        False,
        False,
        False,
        True,
    ]


def test_segments_of_one_protein_are_in_one_split(tmp_path):
    source = write(tmp_path, "a.dat", "".join(entry(f"P{i}") for i in range(40)))
    building = {"dev_fraction": 0.4}
    make(tmp_path / "out", [source], max_length=9, building=building)
    train, dev = (
        {one.id.partition("#")[0] for one in stored(tmp_path / "out", f"{split}/*")}
        for split in ("train", "dev")
    )
    assert train and dev and not train & dev and len(train | dev) == 40


DAMAGE = {
    "cut": entry("P00002")[:-40] + "\n",
    "length": entry("P00002").replace(SEQUENCE, SEQUENCE[:-1]),
    "no id": entry("P00002").partition("\n")[2],
    "noise": "%PDF-1.4\n//\n",
    "zeros": "\0\0\0\n//\n",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_one_damaged_entry_does_not_stop_the_job(tmp_path, damage):
    source = write(tmp_path, "a.dat", entry("P00001") + DAMAGE[damage] + entry("P00003"))
    records, (finding,) = make(tmp_path / "out", [source])
    assert sorted(records) == ["P00001", "P00003"]
    assert (finding.file, finding.status, finding.reason) == ("a.dat", "dropped", "damaged entry")
    assert finding.entry == ("" if damage in ("noise", "zeros") else "P00002")
    assert finding.detail


def test_a_sequence_of_other_letters_is_dropped(tmp_path):
    source = write(tmp_path, "a.dat", entry("P00001", "MKT*AY") + entry("P00002"))
    records, (finding,) = make(tmp_path / "out", [source])
    assert list(records) == ["P00002"]
    assert (finding.entry, finding.status) == ("P00001", "dropped")


@real_data
def test_real_entries(tmp_path):
    sources = [*sorted((DATA / "uniprot").glob("*.txt")), DATA / "uniprot" / "P62330.xml"]
    records, findings = make(tmp_path / "out", sources)
    assert sorted(records) == ["P04439", "P62258", "P62330", "Q13639"]
    assert findings == []
    assert {id: len(one.keywords) for id, one in records.items()} == {
        "P04439": 21,
        "P62258": 11,
        "P62330": 20,
        "Q13639": 14,
    }
    assert vocabulary(tmp_path / "out", "prot_taxonomy") == ["Vertebrata"]


@real_data
def test_both_forms_of_a_real_entry_give_one_record(tmp_path):
    made = [
        make(tmp_path / form, [DATA / "uniprot" / f"Q13639.{form}"])[0]["Q13639"]
        for form in ("txt", "xml")
    ]
    assert made[0] == made[1]
    assert made[0].sequence.startswith("MDKLDANVSSEEGFGSVEKVVLLTFLSTVILMAILGNLLVMVAVCWDRQLRKIKTNY")


@real_data
def test_a_real_file_that_ends_too_early(tmp_path):
    whole = (DATA / "uniprot" / "P62330.xml").read_text()
    start = whole.index("<entry")
    end = whole.index("</entry>") + len("</entry>")
    for size in (100, 20_000, end - start - 9):
        cut = write(tmp_path, "cut.xml", whole[:end] + whole[start : start + size])
        records, (finding,) = make(tmp_path / f"out{size}", [cut])
        assert list(records) == ["P62330"]
        assert (finding.status, finding.reason) == ("dropped", "damaged entry")
    flat = (DATA / "uniprot" / "Q13639.txt").read_text()
    for size in range(1_000, len(flat) - 3, 2_000):
        (cut,) = split_flat(flat[:size].splitlines(keepends=True))
        with pytest.raises(EntryError):
            parse_entry(cut)
