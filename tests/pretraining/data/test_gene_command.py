# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone data gene`."""

import gzip
import json
import subprocess
import sys

import pytest

import pretraining.commands
from lucaone_cli import main
from pretraining.commands import gene
from tests.genomes import CHLOROPLAST, flat_text, letters, needs_data

from .readers import contents, records, report, vocabulary


@pytest.fixture(autouse=True)
def only_this_command(monkeypatch):
    monkeypatch.setattr(pretraining.commands, "COMMANDS", (gene,))


def run(*arguments):
    return main(["data", "gene", *map(str, arguments)])


def genome(number):
    """A record with genes on both strands."""
    features = [
        ("CDS", "11..130", {"pseudo": None} if number == 3 else {}),
        ("tRNA", "complement(201..270)"),
        ("rRNA", "301..390"),
    ]
    lineage = ("Bacteria", "A", "B", "C", f"Order {number % 3}")
    dna = letters(400, f"command {number}")
    return flat_text(dna, *features, name=f"NZ_{number:06}.1", lineage=lineage, taxon=number + 1)


@pytest.fixture
def genomes(tmp_path):
    """Two files of eight records in all."""
    one, two = tmp_path / "one.gb", tmp_path / "two.gbff.gz"
    one.write_text("".join(map(genome, range(5))))
    two.write_bytes(gzip.compress("".join(map(genome, range(5, 8))).encode()))
    return one, two


def test_folder(tmp_path, genomes, capsys):
    output = tmp_path / "out"
    assert run(*genomes, "--output", output) == 0
    found = records(output)
    assert len(found) == 16 and {record.seq_type for record in found} == {"gene"}
    assert vocabulary(output, "gene_taxonomy") == ["Order 0", "Order 1", "Order 2"]
    names = vocabulary(output, "gene_type")
    assert names == [
        *("regulatory", "misc_RNA", "intron", "tmRNA", "ncRNA", "tRNA", "rRNA", "CDS"),
    ]
    first, reverse = found[:2]
    assert (first.id, reverse.id) == ("NZ_000000.1:1-400", "NZ_000000.1:1-400_r_")
    assert [names[label] for *_, label in first.spans["gene_type"]] == ["CDS", "rRNA"]
    assert [names[label] for *_, label in reverse.spans["gene_type"]] == ["tRNA"]
    assert {(row.entry, row.reason) for row in report(output)} == {
        ("NZ_000003.1", "pseudogene"),
        *((f"NZ_{n:06}.1", "CDS without /translation") for n in range(8) if n != 3),
    }
    assert "16 records of 6,400 letters, from 8 entries" in capsys.readouterr().out


def test_number_of_processes_does_not_change_the_result(tmp_path, genomes):
    folders = []
    for processes in (1, 2):
        folders.append(tmp_path / str(processes) / "out")
        folders[-1].parent.mkdir()
        options = ("--dev-fraction", 0.5, "--records-per-shard", 3, "--processes", processes)
        assert run(*genomes, "--output", folders[-1], *options) == 0
    one, two = map(contents, folders)
    assert one == two and "dev/gene-00000.parquet" in one
    # A record and its reverse complement are never in two splits.
    train, dev = (
        {record.id.split(":")[0] for record in records(folders[0], f"{split}/*.parquet")}
        for split in ("train", "dev")
    )
    assert train and dev and not train & dev


def test_options_arrive(tmp_path, genomes):
    (tmp_path / "orders.tsv").write_text("1\tRhizobiales\n")
    (tmp_path / "names").mkdir()
    (tmp_path / "names" / "gene_type.txt").write_text("tRNA\nCDS\n")
    (tmp_path / "names" / "gene_taxonomy.txt").write_text("Rhizobiales\nOrder 1\n")
    output = tmp_path / "out"
    options = ("--max-length", 150, "--intergenic", "drop", "--taxonomy", tmp_path / "orders.tsv")
    assert run(*genomes, "--output", output, *options, "--labels", tmp_path / "names") == 0
    made_from = json.loads((output / "summary.json").read_text())["made_from"]
    assert (made_from["max_length"], made_from["intergenic"]) == (150, "drop")
    found = records(output)
    assert max(len(record.sequence) for record in found) <= 150
    first, *_ = found
    assert first.classes == {"gene_taxonomy": 0} and first.spans["gene_type"] == [(10, 129, 1)]
    assert sum("not in the vocabulary" in row.reason for row in report(output)) > 8


def test_another_table_is_another_job(tmp_path, genomes, capsys):
    output, orders = tmp_path / "out", tmp_path / "orders.tsv"
    orders.write_text("1\tRhizobiales\n")
    assert run(*genomes, "--output", output, "--taxonomy", orders) == 0
    orders.write_text("1\tBacillales\n")
    assert run(*genomes, "--output", output, "--taxonomy", orders) == 1
    assert "was made with other taxonomy" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("1\tA\nx\tB\n", "line 2: not of the form TAXID<TAB>ORDER"),
        ("1 A\n", "line 1: not of the form TAXID<TAB>ORDER"),
        ("1\t\n", "line 1: not of the form TAXID<TAB>ORDER"),
        ("1\tA\tB\n", "line 1: not of the form TAXID<TAB>ORDER"),
        ("", "holds no taxon"),
        (None, "cannot be read"),
    ],
)
def test_wrong_table(tmp_path, genomes, capsys, table, message):
    orders = tmp_path / "orders.tsv"
    if table is not None:
        orders.write_text(table)
    assert run(*genomes, "--output", tmp_path / "out", "--taxonomy", orders) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"lucaone: error: {orders}: ") and message in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--dev-fraction", 1, "--dev-fraction 1.0"),
        ("--max-length", 0, "--max-length"),
        ("--intergenic", "some", "--intergenic"),
    ],
)
def test_bad_usage(tmp_path, genomes, capsys, option, value, message):
    try:
        status = run(*genomes, "--output", tmp_path / "out", option, value)
    except SystemExit as leaving:
        status = leaving.code
    assert status == 2 and message in capsys.readouterr().err


def test_files_that_are_no_genbank(tmp_path, genomes, capsys):
    wrong = tmp_path / "wrong.gb"
    wrong.write_text(">a\nACGT\n")
    assert run(*genomes, wrong, "--output", tmp_path / "out") == 1
    assert f"{wrong}: no line begins with LOCUS" in capsys.readouterr().err
    protein = flat_text("MKTAYIAK").replace(" bp    DNA   ", " aa          ")
    wrong.write_text(protein)
    assert run(wrong, "--output", tmp_path / "out") == 1
    assert "1 a protein, neither DNA nor RNA" in capsys.readouterr().err


def test_damaged_record_does_not_stop(tmp_path, genomes):
    damaged = tmp_path / "damaged.gb"
    damaged.write_text(genome(0).replace("ORIGIN", "ORIGEN") + genome(1) + genome(2)[:-3])
    assert run(damaged, "--output", tmp_path / "out") == 0
    assert {record.id for record in records(tmp_path / "out")} == {
        "NZ_000001.1:1-400",
        "NZ_000001.1:1-400_r_",
    }
    found = [row.entry for row in report(tmp_path / "out") if row.status == "dropped"]
    assert found == ["NZ_000000", "NZ_000002"]


def test_bytes_of_another_encoding(tmp_path):
    wrong = tmp_path / "latin.gb"
    texts = [genome(number).encode() for number in range(3)]
    texts[1] = texts[1].replace(b"FEATURES ", b"COMMENT     M\xfcller\nFEATURES ")
    wrong.write_bytes(b"".join(texts))
    assert run(wrong, "--output", tmp_path / "out") == 0
    assert {record.id.split(":")[0] for record in records(tmp_path / "out")} == {
        f"NZ_{number:06}.1" for number in range(3)
    }
    notes = [row for row in report(tmp_path / "out") if "UTF-8" in row.reason]
    assert [(row.entry, row.status, row.detail) for row in notes] == [("NZ_000001.1", "note", "1")]


@pytest.mark.parametrize("processes", [1, 2])
def test_file_that_breaks_off_does_not_stop(tmp_path, genomes, processes):
    broken = tmp_path / "broken.gbff.gz"
    noise = "".join(f"COMMENT     {number * 7919 % 10007}\n" for number in range(20000))
    whole = gzip.compress((genome(8) + noise + genome(9)).encode())
    broken.write_bytes(whole[: len(whole) // 2])
    one, two = genomes
    output = tmp_path / "out"
    assert run(one, broken, two, "--output", output, "--processes", processes) == 0
    found = {record.id.split(":")[0] for record in records(output)}
    assert found == {f"NZ_{number:06}.1" for number in range(9)}
    (row,) = (row for row in report(output) if row.status == "dropped")
    assert (row.file, row.reason) == ("broken.gbff.gz", "the rest of the file cannot be read")
    assert row.detail.startswith("truncated or damaged gzip file")


def test_without_biopython():
    text = "import sys; sys.modules['Bio'] = None; import sequence_io, pretraining.commands\n"
    text += "import pretraining.data.genbank_records"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1].endswith("pip install 'lucaone-hf[pretraining]'")


@needs_data
def test_chloroplast(tmp_path):
    output = tmp_path / "out"
    assert run(CHLOROPLAST, "--output", output) == 0
    found, names = records(output), vocabulary(output, "gene_type")
    assert len(found) == 222
    assert {
        names[label] for record in found for *_, label in record.spans.get("gene_type", ())
    } == {
        "CDS",
        "intron",
        "rRNA",
        "tRNA",
    }
    (row,) = report(output)
    assert row.reason == "CDS translates to another protein" and "ndhD" in row.detail
