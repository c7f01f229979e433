# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The folder that is written: splits, negatives, report, and the same bytes every time."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pandas
import pytest

import finetune.central_dogma.builder as builder
from finetune.central_dogma import Settings, build_central_dogma
from tests.genomes import CHLOROPLAST, cds, coding, genome, needs_data, protein, record, write

COLUMNS = "seq_id_a,seq_id_b,seq_type_a,seq_type_b,seq_a,seq_b,label,species,gene,negative_kind"
SPLITS = ("train", "dev", "test")


def read(folder):
    """All rows, with their split."""
    tables = [
        pandas.read_csv(folder / split / f"{split}.csv", keep_default_na=False).assign(split=split)
        for split in SPLITS
    ]
    return pandas.concat(tables, ignore_index=True)


def report(folder):
    return pandas.read_csv(folder / "report.tsv", sep="\t", keep_default_na=False)


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def build(tmp_path, *records, **options):
    path = write(tmp_path / "genome.gb", *records)
    summary = build_central_dogma([path], tmp_path / "set", overwrite=True, **options)
    return summary, read(tmp_path / "set")


@pytest.fixture(scope="module")
def species(tmp_path_factory):
    """Files of 64 genes of one species and 32 of another, and the data set made of them."""
    folder = tmp_path_factory.mktemp("species")
    files = [
        write(folder / "a.gb", genome("A", 40), genome("B", 24)),
        write(folder / "b.gb", genome("C", 32, "Testus secundus")),
    ]
    summary = build_central_dogma(files, folder / "set")
    return files, folder / "set", summary


def test_form(species):
    _, folder, summary = species
    assert sorted(content(folder)) == sorted(
        ["label.txt", "report.tsv", "summary.json", *(f"{name}/{name}.csv" for name in SPLITS)]
    )
    for split in SPLITS:
        assert (folder / split / f"{split}.csv").read_text().startswith(COLUMNS + "\n")
    assert (folder / "label.txt").read_text() == "label\nnot_encoded\nencoded\n"
    rows = read(folder)
    assert set(rows.seq_type_a) == {"gene"} and set(rows.seq_type_b) == {"prot"}
    assert set(rows.label) == {0, 1}
    assert rows.seq_a.str.fullmatch("[ACGT]+").all() and rows.seq_b.str.fullmatch("M[A-Z]+").all()
    assert rows[rows.label == 1].gene.str.fullmatch(r"[ABC]gene\d+").all()
    assert str(summary).startswith(f"{folder}: 96 genes of 2 species, 192 negatives; train 36, ")
    for side in "ab":
        assert (rows.groupby(f"seq_id_{side}")[f"seq_{side}"].nunique() == 1).all()


def test_splits_have_their_shares(species):
    rows = read(species[1])
    positives = rows[rows.label == 1]
    assert Counter(positives.split) == {"train": 12, "dev": 9, "test": 75}
    for name, genes in (("Testus primus", 64), ("Testus secundus", 32)):
        counts = Counter(positives[positives.species == name].split)
        for split, share in zip(SPLITS, (4, 3, 25), strict=True):
            assert abs(counts[split] - genes * share / 32) <= 1
    kinds = Counter(zip(rows.split, rows.negative_kind, strict=True))
    for split in SPLITS:
        same = {kinds[split, kind] for kind in ("", "dna_edited", "protein_edited")}
        assert len(same) == 1


def test_negatives_stand_with_their_gene(species):
    rows = read(species[1])
    positives = rows[rows.label == 1].set_index("seq_id_a")
    for row in rows[rows.label == 0].itertuples():
        own = positives.loc[row.seq_id_a.partition("_edited")[0]]
        assert (row.split, row.species, row.gene) == (own.split, own.species, own.gene)
        assert (row.seq_a == own.seq_a) == (row.negative_kind == "protein_edited")
        assert (row.seq_b == own.seq_b) == (row.negative_kind == "dna_edited")
    assert not rows.duplicated(["seq_a", "seq_b"]).any()


def test_same_bytes_in_whatever_order(species, tmp_path):
    files, folder, _ = species
    build_central_dogma(reversed(files), tmp_path / "again")
    assert content(tmp_path / "again") == content(folder)
    build_central_dogma(files, tmp_path / "other", seed=2)
    ours, others = read(folder), read(tmp_path / "other")
    assert set(ours[ours.label == 1].seq_a) == set(others[others.label == 1].seq_a)
    assert set(ours[ours.split == "train"].seq_a) != set(others[others.split == "train"].seq_a)


def test_summary_tells_how_it_was_made(species):
    files, folder, summary = species
    facts = json.loads((folder / "summary.json").read_text())
    assert [item["name"] for item in facts["inputs"]] == ["a.gb", "b.gb"]
    assert all(len(item["sha256"]) == 64 for item in facts["inputs"])
    assert facts["settings"]["split"] == [4, 3, 25] and facts["settings"]["seed"] == 1221
    assert {"lucaone-hf", "biopython", "numpy"} == set(facts["versions"])
    assert facts["cds"] == 96 and facts["records"] == 3
    assert facts["pairs"]["Testus primus"] == {
        split: dict(summary.pairs["Testus primus"][split]) for split in SPLITS
    }
    assert str(files[0].parent) not in (folder / "summary.json").read_text()


def test_one_negative_each_is_half_of_either_kind(tmp_path):
    _, rows = build(tmp_path, genome("A", 32), negatives_per_positive=1)
    for split in SPLITS:
        counts = Counter(rows[(rows.split == split) & (rows.label == 0)].negative_kind)
        assert abs(counts["dna_edited"] - counts["protein_edited"]) <= 1
    _, rows = build(tmp_path, genome("A", 8), negatives_per_positive=0)
    assert set(rows.label) == {1}


def test_mismatched(tmp_path):
    records = genome("A", 64), genome("B", 64, "Testus secundus")
    summary, rows = build(tmp_path, *records, negatives="mismatched")
    positives, others = rows[rows.label == 1], rows[rows.label == 0]
    assert len(others) == 2 * len(positives) and not summary.notes
    owner = positives.set_index("seq_b")
    encoded = set(zip(positives.seq_a, positives.seq_b, strict=True))
    for row in others.itertuples():
        theirs = owner.loc[row.seq_b]
        assert (theirs.species, theirs.split) == (row.species, row.split)
        assert (row.seq_a, row.seq_b) not in encoded
    summary, rows = build(tmp_path, genome("A", 8), negatives="mismatched")
    assert len(rows[rows.label == 0]) < 16
    assert any("too few other proteins" in note for note in summary.notes)


def test_split_shares(tmp_path):
    summary, rows = build(tmp_path, genome("A", 20), split=(3, 0, 1))
    assert Counter(rows[rows.label == 1].split) == {"train": 15, "test": 5}
    assert not summary.notes and (tmp_path / "set" / "dev" / "dev.csv").is_file()
    summary, _ = build(tmp_path, genome("A", 2))
    assert "too few genes: dev is empty" in summary.notes


def test_copies_and_relatives_share_a_split(tmp_path):
    """Genes of the same DNA, and of the same protein in other words, in two species."""
    shared = [protein(25, number) for number in range(20)]
    slow = {"GCT": "GCA", "CTT": "CTA", "GGT": "GGA", "TTA": "TTG", "GTT": "GTA", "GGA": "GGC"}
    records = []
    for name in ("A", "B"):
        dna, features = "", []
        for residues in shared:
            bases = coding(residues)
            if name == "B":
                words = (bases[at : at + 3] for at in range(0, len(bases), 3))
                bases = "".join(slow.get(word, word) for word in words)
            dna += bases + "T" * 120
            features.append(cds(f"{len(dna) - 120 - len(bases) + 1}..{len(dna) - 120}", residues))
        records.append(record(name, dna, features, f"Testus {name}"))
    records.append(genome("C", 30))
    twin = genome("C", 30)
    twin.id = twin.name = "D"
    # Of one name, but a piece only.
    pieces = [genome(name, 12, seed=seed) for name, seed in (("E", 1), ("E", 2))]
    pieces[1].id = pieces[1].name = "F"
    _, rows = build(tmp_path, *records, twin, *pieces)
    positives = rows[rows.label == 1]
    assert len(positives) == 124
    pieces = positives[positives.gene.str.startswith("E")]
    assert (pieces.groupby("gene").split.nunique() == 1).all() and pieces.seq_b.nunique() == 24
    others = positives.drop(pieces.index)
    assert (others.groupby("seq_b").split.nunique() == 1).all()
    assert (others.groupby("seq_b").size() == 2).all()
    assert {"train", "dev", "test"} == set(positives.split)
    found = report(tmp_path / "set")
    assert Counter(found.reason)["copy"] == 30


def test_one_dna_read_by_two_codes(tmp_path):
    records = []
    for name, table, residue in (("A", 1, "I"), ("B", 2, "M")):
        dna, features = "", []
        for number in range(24):
            rest = protein(20, number)
            dna += "ATGATA" + coding(rest) + "T" * 150
            place = f"{len(dna) - 218}..{len(dna) - 150}"
            features.append(cds(place, "M" + residue + rest, transl_table=table))
        records.append(record(name, dna, features, f"Testus {name}"))
    _, rows = build(tmp_path, *records)
    positives = rows[rows.label == 1]
    assert len(positives) == 48 and positives.seq_b.nunique() == 48
    assert (positives.groupby("seq_a").split.nunique() == 1).all()
    assert (positives.groupby("seq_a").size() == 2).all()


def test_families_go_where_they_fit(tmp_path):
    base = genome("A", 32)
    for number, feature in enumerate(base.features[:12]):
        feature.qualifiers["gene"] = [f"family{number // 6}"]
    _, rows = build(tmp_path, base)
    positives = rows[rows.label == 1]
    assert Counter(positives.split) == {"train": 4, "dev": 3, "test": 25}
    assert (positives.groupby("gene").split.nunique() == 1).all()


def isoforms():
    """A gene with a long isoform, a short one, and the short one once more; and ten others."""
    base = genome("A", 10)
    start = len(base.seq)
    short, long = protein(30, "short"), protein(50, "long")
    base.seq = base.seq + coding(short) + "A" * 200 + coding(long) + "A" * 150
    places = [(start + 1, 93), (start + 294, 153), (start + 1, 93)]
    base.features += [
        cds(f"{at}..{at + size - 1}", residues, gene="many", locus_tag="A_many")
        for (at, size), residues in zip(places, (short, long, short), strict=True)
    ]
    return base, short, long


def test_isoforms(tmp_path):
    base, short, long = isoforms()
    summary, rows = build(tmp_path, base)
    assert list(rows[(rows.label == 1) & (rows.gene == "many")].seq_b) == [long]
    assert summary.left_out == {"isoform": 2}
    assert set(report(tmp_path / "set").detail) == {"30 residues; A_cds12 is kept"}
    summary, rows = build(tmp_path, base, one_per_gene=False)
    many = rows[(rows.label == 1) & (rows.gene == "many")]
    assert sorted(many.seq_b, key=len) == [short, long] and many.split.nunique() == 1
    assert summary.left_out == {"same pair": 1}


def test_gene_id_joins_isoforms_of_two_records(tmp_path):
    records = [genome(name, 3, seed=name) for name in "AB"]
    for item in records:
        item.features[2].qualifiers["db_xref"] = ["taxon:1", "GeneID:7"]
    summary, _ = build(tmp_path, *records)
    assert summary.left_out == {"isoform": 1}


def test_sample_and_limits(tmp_path):
    records = genome("A", 20), genome("B", 5, "Testus secundus")
    _, rows = build(tmp_path, *records, max_genes_per_species=8)
    first = rows[rows.label == 1]
    assert Counter(first.species) == {"Testus primus": 8, "Testus secundus": 5}
    _, rows = build(tmp_path, *records, max_genes_per_species=8, seed=5)
    assert set(rows[rows.label == 1].seq_a) != set(first.seq_a)
    summary, rows = build(tmp_path, *records, max_protein=40)
    assert rows[rows.label == 1].seq_b.str.len().max() <= 40
    assert summary.left_out == {"protein too long": 13}
    summary, rows = build(tmp_path, *records, max_dna=400)
    assert rows.seq_a.str.len().max() <= 400 and summary.left_out["DNA too long"]
    # A longer isoform that is too long leaves the gene to a shorter one.
    base, short, _ = isoforms()
    _, rows = build(tmp_path, base, max_protein=49)
    assert short in set(rows.seq_b)


def test_damage_is_reported_and_does_not_stop(tmp_path):
    text = write(tmp_path / "x.gb", genome("A", 8), genome("B", 8)).read_text()
    (tmp_path / "x.gb").write_text(text[: text.rindex("ORIGIN") + 200])
    summary = build_central_dogma([tmp_path / "x.gb"], tmp_path / "set")
    assert summary.count(kind="positive") == 8 and summary.damaged_records == 1
    assert summary.notes[0] == "damaged records: 1, see report.tsv"
    (row,) = report(tmp_path / "set").itertuples()
    assert (row.record, row.status, row.cds) == ("B", "damaged", 0)


def test_records_of_no_species_and_of_other_letters(tmp_path):
    text = write(
        tmp_path / "x.gb", genome("A", 8), genome("B", 8, organism=""), genome("C", 8)
    ).read_text()
    place = text.rindex("        1 ") + 14
    (tmp_path / "x.gb").write_text(text[:place] + "f" + text[place + 1 :])
    build_central_dogma([tmp_path / "x.gb"], tmp_path / "set")
    assert list(report(tmp_path / "set").detail) == [
        "no organism is stated; --species NAME tells it",
        "'F' at position 5 is no letter of DNA",
    ]
    build_central_dogma([tmp_path / "x.gb"], tmp_path / "named", species="Testus alius")
    assert set(read(tmp_path / "named").species) == {"Testus alius"}
    assert list(report(tmp_path / "named").record) == ["C"]


def test_record_that_comes_twice(tmp_path):
    write(tmp_path / "one.gb", genome("A", 8))
    write(tmp_path / "two.gb", genome("A", 8), genome("B", 8))
    summary = build_central_dogma([tmp_path / "two.gb", tmp_path / "one.gb"], tmp_path / "set")
    assert summary.count(kind="positive") == 16 and summary.damaged_records == 1


@needs_data
def test_chloroplast(tmp_path):
    packed = tmp_path / "NC_000932.gb.gz"
    packed.write_bytes(gzip.compress(CHLOROPLAST.read_bytes()))
    summary = build_central_dogma([packed], tmp_path / "set")
    rows = read(tmp_path / "set")
    positives = rows[rows.label == 1]
    assert (summary.cds, len(positives), len(rows)) == (85, 84, 252)
    # Six genes lie twice in it; more of a split would have to be cut in two.
    assert Counter(positives.split) == pytest.approx(
        {"train": 10.5, "dev": 7.9, "test": 65.6}, abs=1
    )
    for column in ("gene", "seq_a", "seq_b"):
        assert (positives.groupby(column).split.nunique() == 1).all()
    left_out = report(tmp_path / "set").query("status == 'left out'")
    assert list(left_out.gene) == ["ndhD"] and list(left_out.location) == [
        "complement(115665..117167)"
    ]


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"edit_fraction": (0.5, 0.1)}, "--edit-fraction 0.5 0.1"),
            ({"edit_fraction": (0.0, 0.1)}, "--edit-fraction"),
            ({"edit_fraction": (0.5, 1.1)}, "--edit-fraction"),
            ({"edit_fraction": (float("nan"), 1.0)}, "--edit-fraction"),
            ({"split": (0, 0, 0)}, "--split 0 0 0"),
            ({"split": (1, -1, 1)}, "--split"),
            ({"negatives": "none"}, "--negatives none"),
            ({"species": " "}, "--species"),
            ({"flank": -1}, "--flank"),
            ({"max_dna": 0}, "--max-dna"),
        ],
    )
    def test_settings(self, tmp_path, options, message):
        with pytest.raises(ValueError, match=message):
            Settings(**options).check()
        with pytest.raises(ValueError, match=message):
            build_central_dogma([tmp_path / "missing.gb"], tmp_path / "set", **options)

    def test_no_usable_gene(self, tmp_path):
        pseudo = genome("A", 2)
        for feature in pseudo.features:
            feature.qualifiers["pseudo"] = [""]
        message = r"genome\.gb: no usable gene among 2 CDS of 1 records \(2 pseudogene\)"
        with pytest.raises(ValueError, match=message):
            build(tmp_path, pseudo)
        with pytest.raises(ValueError, match=r"no usable gene among 0 CDS of 1 records$"):
            build(tmp_path, record("A", "ACGT" * 50, []))
        assert not (tmp_path / "set").exists()

    def test_inputs(self, tmp_path):
        file = write(tmp_path / "a.gb", genome("A", 8))
        (tmp_path / "b.gb").write_bytes(file.read_bytes())
        with pytest.raises(ValueError, match=r"b\.gb: the same file as .*a\.gb"):
            build_central_dogma([file, tmp_path / "b.gb"], tmp_path / "set")
        with pytest.raises(ValueError, match=r"c\.gb: cannot be read: No such file"):
            build_central_dogma([file, tmp_path / "c.gb"], tmp_path / "set")
        assert not (tmp_path / "set").exists()

    def test_output(self, tmp_path):
        file = write(tmp_path / "a.gb", genome("A", 8))
        build_central_dogma([file], tmp_path / "set")
        before = content(tmp_path / "set")
        with pytest.raises(ValueError, match="set: is there already; --overwrite"):
            build_central_dogma([file], tmp_path / "set", seed=3)
        assert content(tmp_path / "set") == before
        build_central_dogma([file], tmp_path / "set", seed=3, overwrite=True)
        assert content(tmp_path / "set") != before
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "thesis.txt").write_text("precious")
        for target, message in (
            ("mine", "holds other files"),
            ("a.gb", "a file of this name"),
            ("no/set", "there is no folder"),
        ):
            with pytest.raises(ValueError, match=message):
                build_central_dogma([file], tmp_path / target, overwrite=True)
        assert (tmp_path / "mine" / "thesis.txt").read_text() == "precious"
        (tmp_path / "empty").mkdir()
        build_central_dogma([file], tmp_path / "empty")

    @pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
    def test_nothing_is_left_of_a_failure(self, tmp_path, monkeypatch, error):
        file = write(tmp_path / "a.gb", genome("A", 8))
        build_central_dogma([file], tmp_path / "set")
        before = content(tmp_path)

        def fail(*_):
            raise error

        monkeypatch.setattr(builder, "edited_pair", fail)
        with pytest.raises((ValueError, KeyboardInterrupt), match=r"No space left|^$"):
            build_central_dogma([file], tmp_path / "set", overwrite=True)
        assert content(tmp_path) == before

    def test_data_set_that_is_there_survives_a_failed_replacement(self, tmp_path, monkeypatch):
        file = write(tmp_path / "a.gb", genome("A", 8))
        build_central_dogma([file], tmp_path / "set")
        before = content(tmp_path)
        rename = Path.rename

        def fail(path, target):
            if (path / "train").exists() and path.name != "set" and not fail.failed:
                fail.failed = True
                raise OSError(13, "Permission denied")
            return rename(path, target)

        fail.failed = False
        monkeypatch.setattr(Path, "rename", fail)
        with pytest.raises(ValueError, match="set: cannot be written: Permission denied"):
            build_central_dogma([file], tmp_path / "set", overwrite=True, seed=2)
        assert content(tmp_path) == before
