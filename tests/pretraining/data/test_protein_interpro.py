# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""InterPro's tables to spans, through the index."""

import gzip
import os
import sqlite3
from contextlib import closing

import pytest

from pretraining.data import protein_index
from pretraining.data.interpro import choose_spans, read_entry_tasks, read_matches
from pretraining.data.protein_index import IndexWriter, ProteinIndex
from pretraining.data.protein_sources import IndexSources
from sequence_io import SequenceFileError

from .protein_files import ENTRIES, entry, make, match, write
from .readers import contents, vocabulary

TASKS = {
    "IPR000001": "prot_domain",
    "IPR000002": "",
    "IPR000003": "prot_homo",
    "IPR000004": "prot_site",
    "IPR000005": "prot_site",
}


def rows(*columns):
    return "".join("\t".join(map(str, one)) + "\n" for one in columns)


def test_types_of_entries_decide_the_task(tmp_path):
    assert read_entry_tasks(write(tmp_path, "entry.list", ENTRIES)) == TASKS


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (ENTRIES + "IPR000009 Domain X\n", "line 7: not of the form"),
        ("PF00001\tDomain\tX\n", "line 1: not of the form"),
        ("ENTRY_AC\tENTRY_TYPE\tENTRY_NAME\nIPR000002\tFamily\tB\n", "holds no entry of the types"),
    ],
)
def test_a_wrong_table_of_entries_is_an_error(tmp_path, text, wrong):
    with pytest.raises(SequenceFileError, match=wrong) as error:
        read_entry_tasks(write(tmp_path, "entry.list", text))
    assert "entry.list" in str(error.value)


def test_of_an_entry_the_most_preferred_database_is_taken():
    order = ["G3DSA:1.10.1", "SSF1", "PS1", "PF1", "TIGR1", "SM1", "PR1", "cd1", "PTHR1"]
    for best in range(len(order)):
        table = [("IPR000001", name, 1 + k, 20) for k, name in enumerate(order)][best:]
        spans, problems = choose_spans(rows(*reversed(table)), TASKS, 40)
        assert spans == {"prot_domain": [(best, 19, "IPR000001")]}
        assert problems == []


def test_all_spans_of_the_database_are_taken_in_order():
    spans, _ = choose_spans(
        rows(
            ("IPR000005", "PS5", 30, 30),
            ("IPR000004", "PS4", 12, 13),
            ("IPR000004", "PS4", 2, 3),
            ("IPR000004", "PS9", 2, 3),
            ("IPR000004", "SM1", 1, 40),
        ),
        TASKS,
        40,
    )
    places = [(1, 2, "IPR000004"), (11, 12, "IPR000004"), (29, 29, "IPR000005")]
    assert spans == {"prot_site": places}


def test_of_spans_with_one_start_the_shorter_comes_later():
    """A trainer takes the later one where two overlap; the other order would hide the shorter."""
    ends = (("IPR000004", 20), ("IPR000005", 9), ("IPR000005", 20), ("IPR000004", 30))
    spans, _ = choose_spans(rows(*((entry, "PS1", 3, end) for entry, end in ends)), TASKS, 40)
    assert [(end + 1, entry) for _, end, entry in spans["prot_site"]] == [
        (30, "IPR000004"),
        (20, "IPR000004"),
        (20, "IPR000005"),
        (9, "IPR000005"),
    ]


def test_spans_beyond_the_protein_are_told():
    table = rows(
        ("IPR000001", "PF1", 1, 40), ("IPR000001", "PF1", 2, 41), ("IPR000003", "SSF", 0, 9)
    )
    spans, problems = choose_spans(table, TASKS, 40)
    assert spans == {"prot_domain": [(0, 39, "IPR000001")]}
    assert problems == [
        "IPR000001 2 to 41 does not lie in 40 residues",
        "IPR000003 0 to 9 does not lie in 40 residues",
    ]


def test_rows_are_read_protein_by_protein(tmp_path):
    table = write(
        tmp_path,
        "protein2ipr.dat",
        match("A1")
        + match("A1", "IPR000002")
        + "A1\tIPR000001\n"
        + match("B1", last="x")
        + match("A1"),
    )
    found = list(read_matches(table, TASKS))
    assert [one.accession for one in found] == ["A1", "B1", "A1"]
    unreadable = [[detail for _, detail in one.problems] for one in found]
    assert unreadable == [["line 3"], ["line 4"], []]
    assert found[0].text == "IPR000001\tPF00001\t1\t10\n?\n"


@pytest.fixture
def tables(tmp_path):
    entries = write(tmp_path, "entry.list", ENTRIES)

    def options(*lines):
        path = tmp_path / "protein2ipr.dat.gz"
        path.write_bytes(gzip.compress("".join(lines).encode()))
        return {"interpro": path, "interpro_entries": entries}

    return options


def test_spans_arrive_in_the_records_in_whatever_order(tmp_path, tables):
    source = write(tmp_path, "a.dat", entry("P2") + entry("P1") + entry("P3"))
    table = [
        match("P1", first=3, last=9),
        match("P2", "IPR000002"),
        match("P2", "IPR000003", "SSF1", 1, 40),
        match("P9"),
        match("P1", "IPR000001", "G3DSA:1", 2, 8),
    ]
    records, findings = make(tmp_path / "out", [source], **tables(*table))
    assert records["P1"].spans == {"prot_domain": [(1, 7, 0)]}
    assert records["P2"].spans == {"prot_homo": [(0, 39, 0)]}
    assert records["P3"].spans == {}
    assert vocabulary(tmp_path / "out", "prot_domain") == ["IPR000001"]
    assert findings == []
    assert not (tmp_path / "out.index").exists()


def test_only_matches_of_the_entries_are_stored(tmp_path):
    table = write(tmp_path, "p.dat", match("P1") + match("P2") + match("P9") + match("P1", last=7))
    sources = IndexSources(
        uniprot=[write(tmp_path, "a.dat", entry("P1")), write(tmp_path, "b.dat", entry("P3; P2"))],
        interpro=table,
        tasks=TASKS,
        structures=[],
        alone=False,
    )
    sources.fill(tmp_path / "index")
    lookup = ProteinIndex(tmp_path / "index")
    stored = [lookup.matches(name).count("\n") for name in ("P1", "P2", "P3", "P9")]
    assert stored == [2, 1, 0, 0]


def test_a_damaged_file_of_entries_does_not_stop_the_job(tmp_path, tables):
    """One has a byte that is no UTF-8, the other one ends too early."""
    latin = tmp_path / "a.dat"
    text = entry("P1") + entry("P2").replace("_TEST", "_T\xe9ST") + entry("P3")
    latin.write_bytes(text.encode("latin-1"))
    cut = tmp_path / "b.dat.gz"
    numbers = range(10, 1000)
    text = "".join(entry(f"P{number}") for number in numbers)
    cut.write_bytes(gzip.compress(text.encode())[:-400])
    options = tables(*(match(f"P{number}") for number in (1, 2, 3, *numbers)))
    records, findings = make(tmp_path / "out", [latin, cut], **options)
    assert {"P1", "P2", "P3", "P10"} <= set(records) and "P999" not in records
    assert all(record.spans for record in records.values())
    told = [(one.file, one.entry, one.status) for one in findings if one.reason != "damaged entry"]
    assert told == [("a.dat", "P2", "note"), ("b.dat.gz", "", "dropped")]


def test_bad_rows_and_spans_are_in_the_report(tmp_path, tables):
    source = write(tmp_path, "a.dat", entry("P1"))
    table = tables(match("P0", first="x"), match("P1"), "P1\tno columns\n", match("P1", last=99))
    records, findings = make(tmp_path / "out", [source], **table)
    assert records["P1"].spans == {"prot_domain": [(0, 9, 0)]}
    told = [(one.file, one.entry, one.status, one.reason, one.detail) for one in findings]
    assert told == [
        ("protein2ipr.dat.gz", "", "dropped", "row cannot be read", "line 1"),
        ("protein2ipr.dat.gz", "", "dropped", "row cannot be read", "line 3"),
        ("a.dat", "P1", "partly", "InterPro match left out", "row cannot be read"),
        (
            "a.dat",
            "P1",
            "partly",
            "InterPro match left out",
            "IPR000001 1 to 99 does not lie in 40 residues",
        ),
    ]


def test_entries_of_another_release_of_interpro_are_told_once(tmp_path, tables):
    source = write(tmp_path, "a.dat", entry("P1"))
    table = tables(match("P0", "IPR999999"), match("P1"), match("P1", "IPR999999"))
    records, (finding,) = make(tmp_path / "out", [source], **table)
    assert records["P1"].spans == {"prot_domain": [(0, 9, 0)]}
    assert (finding.entry, finding.status, finding.detail) == ("", "dropped", "IPR999999")


def test_the_number_of_processes_does_not_matter(tmp_path, tables):
    proteins = [f"P{number:05}" for number in range(300)]
    source = write(tmp_path, "a.dat", "".join(map(entry, reversed(proteins))))
    options = tables(*(match(name, last=9 + k % 30) for k, name in enumerate(proteins)))
    building = {"records_per_shard": 64, "dev_fraction": 0.2}
    make(tmp_path / "one", [source], **options, building=building)
    make(tmp_path / "two", [source], **options, building=building | {"processes": 2})
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_filling_goes_on_where_it_was_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(protein_index, "COMMIT_SECONDS", 0)
    table = write(tmp_path, "p.dat", "".join(match(f"P{k % 20}", last=k + 1) for k in range(95)))
    stored = []

    def fill(path, die_at=None):
        def store(found):
            if die_at is not None and len(stored) == die_at:
                os._exit(9)
            stored.append(found)
            index.add_matches(found.accession, found.text)

        stored.clear()
        with closing(IndexWriter(path, "key")) as index:
            index.fill("accessions", [f"P{k}" for k in range(20)], index.add_given)
            index.fill("matches", read_matches(table, TASKS), store)
        lookup = ProteinIndex(path)
        return [lookup.matches(f"P{k}") for k in range(21)]

    whole = fill(tmp_path / "whole")
    assert len(stored) == 95 and whole[20] == "" and whole[0].count("\n") == 5
    child = os.fork()
    if child == 0:
        fill(tmp_path / "killed", die_at=57)
        os._exit(0)
    assert os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 9
    assert fill(tmp_path / "killed") == whole
    assert len(stored) == 95 - 57
    assert fill(tmp_path / "killed") == whole and stored == []


def test_an_index_of_other_files_is_begun_anew(tmp_path):
    for key in ("one", "other"):
        with closing(IndexWriter(tmp_path / "index", key)) as index:
            index.fill("accessions", [key], index.add_given)
    lookup = ProteinIndex(tmp_path / "index")
    assert (lookup.is_given("one"), lookup.is_given("other")) == (False, True)


def test_an_index_that_cannot_be_written_is_one_line(tmp_path):
    path = write(
        tmp_path, "index", "no data base, but more than a few bytes of something else\n" * 9
    )
    with pytest.raises(ValueError, match=r"index: cannot be written: file is not a database"):
        IndexWriter(path, "key")
    with (
        closing(IndexWriter(tmp_path / "busy", "key")),
        pytest.raises(ValueError, match="busy: cannot be written: database is locked"),
    ):
        IndexWriter(tmp_path / "busy", "key")


def test_a_data_base_of_another_kind_is_left_alone(tmp_path):
    path = tmp_path / "index"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE precious (value TEXT)")
    with pytest.raises(ValueError, match="index: cannot be written: a data base of another kind"):
        IndexWriter(path, "key")
    assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("precious",)]


def test_looking_up_does_not_write(tmp_path):
    IndexWriter(tmp_path / "index", "key").close()
    lookup = ProteinIndex(tmp_path / "index")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        lookup._rows("INSERT INTO given VALUES ('x')")
