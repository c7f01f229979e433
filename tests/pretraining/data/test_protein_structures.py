# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Structures joined to proteins, and proteins that only a structure tells of."""

import gzip
import shutil

import numpy as np
import pytest

from pretraining.data.structure_alignment import LEAST_IDENTITY, fit_chain
from sequence_io.lines import read_lines
from sequence_io.structures import Chain, parse_structure

from .protein_files import DATA, SEQUENCE, entry, make, pdb, real_data, write
from .readers import contents
from .readers import records as stored

AF = "AF-P00001-F1-model_v4.pdb"


def positions(record):
    """Return the x of each residue; None where it is unknown."""
    if record.coordinates is None:
        return None
    return [None if np.isnan(x) else float(x) for x in record.coordinates[:, 0]]


def places(length=40, x=0.0, skip=()):
    return [None if place in skip else x + place for place in range(1, length + 1)]


@pytest.fixture
def joined(tmp_path):
    """Return what becomes of one protein and these structures, by name of the file."""

    def join(files, accession="P00001", sequence=SEQUENCE, **options):
        for name, text in files.items():
            write(tmp_path / "structures", name, text)
        source = write(tmp_path, "a.dat", entry(accession, sequence))
        options = {"structures": tmp_path / "structures", **options}
        records, findings = make(tmp_path / "out", [source], **options)
        return records[accession.partition(";")[0]], findings

    return join


def test_coordinates_of_the_structure_that_refers_to_the_protein(joined):
    files = {"x.pdb": pdb(SEQUENCE, "P00001", skip=(3, 4)), "y.pdb": pdb(SEQUENCE, "P00002", x=100)}
    record, findings = joined(files)
    assert positions(record) == places(skip=(3, 4))
    assert [(one.file, one.status) for one in findings] == [("y.pdb", "note")]


def test_secondary_accessions_count(joined):
    record, _ = joined({"x.pdb": pdb(SEQUENCE, "P77777")}, accession="P00001; P77777")
    assert positions(record) == places()


def test_the_name_tells_the_protein_of_a_prediction(joined):
    record, _ = joined({AF: pdb(SEQUENCE)})
    assert positions(record) == places()


def test_experiments_go_before_predictions_then_resolution_then_residues(joined, tmp_path):
    files = {
        AF: pdb(SEQUENCE, x=100),
        "a.pdb": pdb(SEQUENCE, "P00001", x=200),  # without a resolution
        "b.pdb": pdb(SEQUENCE, "P00001", resolution=2.5, x=300),
        "c.pdb": pdb(SEQUENCE[:30], "P00001", resolution=1.5, x=400),
        "d.pdb": pdb(SEQUENCE[:38], "P00001", resolution=1.5, x=500),
        "e.pdb": pdb(SEQUENCE[:9], "P00001", resolution=0.9, x=600),  # covers too little
    }
    expected = {
        "d.pdb": [*places(38, 500), None, None],
        "c.pdb": places(30, 400) + [None] * 10,
        "b.pdb": places(x=300),
        "a.pdb": places(x=200),
        AF: places(x=100),
    }
    for best, found in expected.items():
        record, _ = joined(files, building={"overwrite": True})
        assert positions(record) == found
        del files[best]
        (tmp_path / "structures" / best).unlink()


def test_structures_that_do_not_fit_are_told(joined):
    other = "GGGSGGGSGG" * 4
    files = {
        "a.pdb": pdb(SEQUENCE[:9], "P00001", resolution=1),
        "b.pdb": pdb(other, "P00001", resolution=2),
        "c.pdb": pdb(SEQUENCE, "P00001", resolution=3).replace("   1.000   0.000", "   1.00x   0"),
    }
    record, (finding,) = joined(files)
    assert record.coordinates is None
    assert (finding.entry, finding.status, finding.reason) == (
        "P00001",
        "partly",
        "no structure fits",
    )
    told = finding.detail.split("; ")
    assert told[0] == "a.pdb A: covers 22%" and told[1].startswith("b.pdb A: ")
    assert told[2].startswith("c.pdb A: cannot be read")


def test_a_preferred_structure_that_does_not_fit_is_noted(joined):
    files = {"a.pdb": pdb(SEQUENCE[:9], "P00001", resolution=1), AF: pdb(SEQUENCE, x=100)}
    record, (finding,) = joined(files)
    assert positions(record) == places(x=100)
    assert (finding.status, finding.detail) == ("note", "a.pdb A: covers 22%")


def test_the_least_coverage_can_be_chosen(joined):
    files = {"a.pdb": pdb(SEQUENCE[10:20], "P00001", first=11), AF: pdb(SEQUENCE, x=100)}
    record, findings = joined(files, min_coverage=0.25)
    assert positions(record) == [None] * 10 + places()[10:20] + [None] * 20
    assert findings == []


def test_segments_have_their_part_of_the_coordinates(tmp_path):
    write(tmp_path / "s", AF, pdb(SEQUENCE))
    source = write(tmp_path, "a.dat", entry("P00001"))
    records, _ = make(tmp_path / "out", [source], structures=tmp_path / "s", max_length=20)
    assert positions(records["P00001#21-40"]) == places()[20:]


def test_files_that_are_of_no_use_are_in_the_report(tmp_path):
    folder = tmp_path / "s"
    write(folder, "README", "not a structure\n")
    write(folder, "of_nobody.pdb", pdb(SEQUENCE))
    write(folder, "AF-P00001-F2-model_v4.pdb", pdb(SEQUENCE))
    whole = gzip.compress(pdb(SEQUENCE, "P00001").encode())
    (folder / "cut.pdb.gz").write_bytes(whole[:-30])
    write(folder / "sub", "whole.pdb", pdb(SEQUENCE, "P00001"))
    source = write(tmp_path, "a.dat", entry("P00001"))
    records, findings = make(tmp_path / "out", [source], structures=folder)
    assert positions(records["P00001"]) == places()
    assert {(one.file, one.status, one.reason) for one in findings} == {
        ("README", "dropped", "structure cannot be read"),
        ("of_nobody.pdb", "note", "structure of no entry of UniProt here"),
        ("AF-P00001-F2-model_v4.pdb", "note", "further piece of a prediction"),
        ("cut.pdb.gz", "dropped", "structure cannot be read"),
    }


def test_without_entries_each_chain_is_a_record(tmp_path):
    pair = write(tmp_path, "x.pdb", pdb(SEQUENCE, "P00001", chains="AB", id="9XYZ"))
    predicted = write(tmp_path, "AF-P00002-F1-model_v4.pdb", pdb(SEQUENCE, x=5))
    records, findings = make(tmp_path / "out", [pair, predicted])
    assert {id: one.source for id, one in records.items()} == {
        "9XYZ_A": "pdb",
        "9XYZ_B": "pdb",
        "AF-P00002-F1-model_v4_A": "alphafold",
    }
    assert positions(records["9XYZ_B"]) == places()
    assert findings == []


def test_damaged_structures_do_not_stop_the_job(tmp_path):
    whole = write(tmp_path, "x.pdb", pdb(SEQUENCE, id="9XYZ"))
    empty = write(tmp_path, "empty.pdb", "HEADER    NOTHING\n")
    cut = tmp_path / "cut.pdb.gz"
    cut.write_bytes(gzip.compress(pdb(SEQUENCE * 9).encode())[:-30])
    records, findings = make(tmp_path / "out", [cut, empty, whole])
    assert list(records) == ["9XYZ_A"]
    assert [(one.file, one.status, one.reason) for one in findings] == [
        (name, "dropped", "structure cannot be read") for name in ("cut.pdb.gz", "empty.pdb")
    ]


def test_chains_of_given_entries_are_no_records_of_their_own(tmp_path):
    source = write(tmp_path, "a.dat", entry("P00001; P77777"))
    write(tmp_path / "s", "x.pdb", pdb(SEQUENCE, "P77777", id="9XYZ"))
    write(tmp_path / "s", "y.pdb", pdb(SEQUENCE, "P55555", id="8XYZ"))
    write(tmp_path / "s", "z.txt", "nothing")
    options = {"structures": tmp_path / "s"}
    records, findings = make(tmp_path / "joined", [source], **options)
    assert list(records) == ["P00001"]
    records, findings = make(tmp_path / "alone", [source], **options, structures_alone=True)
    assert sorted(records) == ["8XYZ_A", "P00001"]
    assert positions(records["P00001"]) == positions(records["8XYZ_A"]) == places()
    assert {(one.entry, one.status, one.reason) for one in findings} == {
        ("9XYZ_A", "note", "chain of a UniProt entry"),
        ("", "dropped", "structure cannot be read"),
    }


def test_chains_of_one_protein_are_in_one_split(tmp_path):
    for number in range(36):
        text = pdb(SEQUENCE, f"P{number % 12:05}", id=f"{number:04}")
        write(tmp_path / "s", f"{number}.pdb", text)
    files = sorted((tmp_path / "s").iterdir())
    building = {"dev_fraction": 0.5}
    make(tmp_path / "out", files, building=building)
    train, dev = (
        {int(one.id[:4]) % 12 for one in stored(tmp_path / "out", f"{split}/*")}
        for split in ("train", "dev")
    )
    assert train and dev and not train & dev


def test_the_number_of_processes_does_not_matter(tmp_path):
    for number in range(12):
        text = pdb(SEQUENCE, f"P{number % 4:05}", resolution=1 + number)
        write(tmp_path / "s", f"{number}.pdb", text)
    source = write(tmp_path, "a.dat", "".join(entry(f"P{k:05}") for k in range(9)))
    options = {"structures": tmp_path / "s", "structures_alone": True}
    make(tmp_path / "one", [source], **options)
    make(tmp_path / "two", [source], **options, building={"processes": 2})
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_an_unlike_chain_has_low_identity():
    located = np.zeros((len(SEQUENCE), 3), np.float32)
    changed = "".join("G" if k % 4 == 0 else letter for k, letter in enumerate(SEQUENCE))
    assert fit_chain(Chain("A", changed, located), SEQUENCE).identity < LEAST_IDENTITY
    fit = fit_chain(Chain("A", SEQUENCE[:20] + "W" + SEQUENCE[21:], located), SEQUENCE)
    assert fit.identity == pytest.approx(39 / 40)
    assert np.flatnonzero(np.isnan(fit.coordinates[:, 0])).tolist() == [20]
    assert fit.coverage == pytest.approx(39 / 40)


@real_data
@pytest.mark.parametrize("name", ["1A8O.pdb", "1A8O.cif"])
def test_a_real_structure_on_its_protein(tmp_path, name):
    """The chain is residues 283 to 351 of P12497, behind a methionine (MSE) that is not of it."""
    (chain,) = parse_structure(read_lines(DATA / "pdb" / name)).chains
    protein = "A" * 282 + chain.sequence[1:] + "A" * 100
    source = write(tmp_path, "a.dat", entry("P12497", protein))
    (tmp_path / "s").mkdir()
    shutil.copy(DATA / "pdb" / name, tmp_path / "s")
    records, (finding,) = make(tmp_path / "out", [source], structures=tmp_path / "s")
    assert records["P12497"].coordinates is None
    assert finding.detail == f"{name} A: covers 15%"
    options = {"structures": tmp_path / "s", "min_coverage": 0.1}
    records, findings = make(tmp_path / "less", [source], **options)
    coordinates = records["P12497"].coordinates
    assert np.flatnonzero(np.isfinite(coordinates[:, 0])).tolist() == list(range(282, 351))
    np.testing.assert_array_equal(coordinates[282:351], chain.coordinates[1:])
    assert findings == []


@real_data
def test_real_structures_alone(tmp_path):
    files = [DATA / "pdb" / name for name in ("1A8O.cif", "2BEG.pdb")]
    records, findings = make(tmp_path / "out", files)
    assert sorted(records) == ["1A8O_A", *(f"2BEG_{chain}" for chain in "ABCDE")]
    known = {id: np.isfinite(one.coordinates[:, 0]).sum() for id, one in records.items()}
    assert known == {"1A8O_A": 70} | {f"2BEG_{chain}": 26 for chain in "ABCDE"}
    assert findings == []
