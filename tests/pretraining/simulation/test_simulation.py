# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
import json
from collections import defaultdict

import numpy as np
import pyarrow.parquet as pq
import pytest
from Bio.Seq import Seq

from pretraining.data.records import SCHEMA
from pretraining.simulation import Settings, simulate, simulate_records
from pretraining.simulation.alphabet import DNA, PROTEIN, STOP, letters, numbers
from pretraining.simulation.families import (
    DOMAIN_LENGTH,
    LINKER,
    SITE_LENGTH,
    draw_families,
    evolve,
)
from pretraining.simulation.folds import DISORDERED, FOLDS, HYDROPATHY, draw_fold
from pretraining.simulation.genomes import (
    PROMOTER,
    REPEATED,
    TERMINATOR,
    write_codons,
    write_genome,
    write_spacers,
)
from pretraining.simulation.records import GENES
from pretraining.simulation.settings import LONGEST
from pretraining.simulation.species import draw_species

SMALL = {"records": 120, "proteins": 40, "species": 12, "orders": 4, "families": 20}


@pytest.fixture(scope="module")
def records():
    return list(simulate_records(Settings(**SMALL)))


@pytest.fixture
def random():
    return np.random.default_rng(7)


def test_the_numbers_of_records_are_those_asked_for(records):
    kinds = [record.seq_type for record in records]
    assert (kinds.count("gene"), kinds.count("prot")) == (120, 40)
    orders = {record.classes["gene_taxonomy"] for record in records if record.seq_type == "gene"}
    assert len(orders) == 4


def test_records_are_what_they_say(records):
    for record in records:
        record.check()
    lengths = [len(record.sequence) for record in records if record.seq_type == "gene"]
    assert min(lengths) >= 300
    assert max(lengths) <= 1278
    assert len({record.id for record in records}) == len(records)


def test_the_seed_decides_the_records(records):
    again = list(simulate_records(Settings(**SMALL)))
    assert [(r.id, r.sequence, r.spans) for r in again] == [
        (r.id, r.sequence, r.spans) for r in records
    ]
    other = simulate_records(Settings(**SMALL, seed=2))
    assert {r.sequence for r in other}.isdisjoint(r.sequence for r in records)


def test_no_dna_is_in_two_records(records):
    pieces = defaultdict(int)
    for record in records:
        if record.seq_type == "gene":
            for strand in (record.sequence, str(Seq(record.sequence).reverse_complement())):
                for piece in {strand[i : i + 100] for i in range(0, len(strand) - 99)}:
                    pieces[piece] += 1
    assert max(pieces.values()) == 1


def test_both_strands_are_there(records):
    # start codons at the first letter of a coding sequence, stop codons at its last one
    forward = backward = 0
    for record in records:
        for first, last, name in record.spans.get("gene_type", ()):
            if name == "CDS" and first and last + 1 < len(record.sequence):
                text = record.sequence[first : last + 1]
                forward += text.startswith("ATG")
                backward += text.endswith("CAT")
    assert forward > 5
    assert backward > 5


def test_genes_translate_to_their_proteins(random):
    species = draw_species(random, 3, 1)[0]
    families = draw_families(random, 4, 6)
    residues = [family.stretch.residues for family in families]
    joined = np.concatenate([np.append(one, STOP) for one in residues])
    gene = np.repeat(np.arange(4), [len(one) + 1 for one in residues])
    text = letters(write_codons(random, joined, gene, species), DNA)
    expected = "".join(letters(one, PROTEIN) + "*" for one in residues)
    assert str(Seq(text).translate(table=11)) == expected


@pytest.mark.parametrize("introns", [False, True])
def test_coding_spans_joined_are_whole_genes(random, introns):
    species = next(s for s in draw_species(random, 60, 60) if s.introns == introns)
    proteins = [family.stretch.residues for family in draw_families(random, 12, 9)]
    genome = write_genome(random, species, proteins)
    names = {name for *_, name in genome.spans}
    assert names == {"CDS", "regulatory"} | ({"intron"} if introns else set())
    text = letters(genome.bases, DNA)
    genes, coding = [], ""
    for first, last, name in genome.spans:
        if name == "CDS":
            coding += text[first : last + 1]
        elif name == "regulatory" and coding:
            genes.append(coding)
            coding = ""
    translated = []
    for gene, protein in zip(genes, proteins, strict=True):
        wanted = letters(protein, PROTEIN) + "*"
        strands = (Seq(gene), Seq(gene).reverse_complement())
        translated.append([str(strand.translate(table=11)) == wanted for strand in strands])
    assert all(sum(either) == 1 for either in translated)
    assert {either.index(True) for either in translated} == {0, 1}


def test_introns_have_their_signals(random):
    species = next(s for s in draw_species(random, 60, 60) if s.introns)
    genome = write_genome(random, species, [numbers("M" * 1500, PROTEIN)] * 3)
    introns = [
        letters(genome.bases[a : b + 1], DNA) for a, b, name in genome.spans if name == "intron"
    ]
    assert introns
    for intron in introns:
        strands = (intron, str(Seq(intron).reverse_complement()))
        assert any(one.startswith("GT") and one.endswith("AG") for one in strands)


def test_spacers_follow_the_species(random):
    species = draw_species(random, 40, 40)
    for one in (min(species, key=lambda s: s.bases[1]), max(species, key=lambda s: s.bases[1])):
        spacers = np.concatenate(write_spacers(random, [2_000] * 20, one))
        share = np.isin(spacers, (1, 2)).mean()
        assert share == pytest.approx(2 * np.exp(one.bases[1]), abs=0.08)
    assert [len(part) for part in write_spacers(random, [3, 0, 7], species[0])] == [3, 0, 7]


def test_words_are_the_same_on_both_strands(random):
    words = draw_species(random, 1, 1)[0].words
    for word in ("AACG", "TTTC", "GATC"):
        other = str(Seq(word).reverse_complement())
        here, there = (words[tuple(numbers(text, DNA))] for text in (word, other))
        assert here == pytest.approx(there)


def test_species_of_an_order_resemble_one_another_but_for_the_dialect(random):
    species = draw_species(random, 40, 4)
    preferences = np.array([one.preference for one in species])
    resemblance = np.corrcoef(preferences)
    kin = [resemblance[i, j] for i in range(39) for j in range(i) if i % 4 == j % 4]
    strangers = [resemblance[i, j] for i in range(39) for j in range(i) if i % 4 != j % 4]
    assert min(kin) > max(strangers)
    assert np.abs(resemblance[39, :39]).max() < min(kin)


def test_sites_never_change(random):
    family = draw_families(random, 1, 1)[0]
    stretch = family.stretch
    changed = evolve(random, stretch.residues, stretch.rates, 50.0, np.zeros(20))
    assert (changed != stretch.residues).mean() > 0.5
    first, last, name = stretch.spans["prot_site"][-1]
    assert name == "site-000"
    assert SITE_LENGTH[0] <= last - first + 1 < SITE_LENGTH[1]
    assert (changed[first : last + 1] == stretch.residues[first : last + 1]).all()
    assert changed[0] == stretch.residues[0] == PROTEIN.index("M")


def test_a_fold_shows_in_composition_and_period(random):
    residues, spans = {}, {}
    for fold in (*FOLDS, DISORDERED):
        residues[fold], spans[fold] = draw_fold(random, fold, 20_000)
    shares = {fold: np.bincount(one, minlength=20) / len(one) for fold, one in residues.items()}
    glutamate, valine, leucine = (PROTEIN.index(letter) for letter in "EVL")
    assert shares["all-alpha"][glutamate] > 2 * shares["all-beta"][glutamate]
    assert shares["all-beta"][valine] > 1.5 * shares["all-alpha"][valine]
    assert shares["membrane"][leucine] > 1.3 * shares["all-alpha"][leucine]
    assert {name for *_, name in spans["alpha-beta"]} == {"helix", "strand"}
    assert not spans[DISORDERED]
    # of helices, 3.6 residues a turn, of strands two
    for fold, near, far in (("all-alpha", 4, 2), ("all-beta", 2, 1)):
        core = HYDROPATHY[residues[fold]] - HYDROPATHY[residues[fold]].mean()
        covariance = [
            np.mean(
                [
                    (core[a : b + 1 - lag] * core[a + lag : b + 1]).mean()
                    for a, b, _ in spans[fold]
                    if b - a >= 6
                ]
            )
            for lag in range(6)
        ]
        assert covariance[near] > covariance[far]


def test_repeats_are_told_from_other_spacers(random):
    species = draw_species(random, 1, 1)[0]
    spacers = write_spacers(random, [400] * 200, species)
    # the most frequent agreement with the letter one unit before
    agreement = [max((s[k:] == s[:-k]).mean() for k in range(1, 13)) for s in spacers]
    assert np.mean(np.array(agreement) > 0.6) == pytest.approx(REPEATED, abs=0.1)


def test_a_tilt_changes_the_composition(random):
    residues, rates = np.zeros(20_000, np.int64), np.ones(20_000)
    tilt = np.zeros(20)
    tilt[PROTEIN.index("W")] = 4.0
    plain, tilted = (
        (evolve(random, residues, rates, 1.0, one) == PROTEIN.index("W")).mean()
        for one in (np.zeros(20), tilt)
    )
    assert tilted > 5 * plain


def test_a_folder_holds_all_records(tmp_path):
    settings = Settings(**SMALL, dev_fraction=0.2)
    summary = simulate(settings, tmp_path / "out")
    rows = {}
    for split in ("train", "dev"):
        for kind in ("gene", "prot"):
            table = pq.read_table(tmp_path / "out" / split / f"{kind}-00000.parquet")
            assert table.schema.equals(SCHEMA)
            rows[split, kind] = table.to_pylist()
    assert summary.count() == sum(map(len, rows.values())) == 160
    assert 10 < len(rows["dev", "gene"]) < 40
    names = {
        path.stem: path.read_text().splitlines() for path in (tmp_path / "out/labels").iterdir()
    }
    expected = {r.id: r for r in simulate_records(settings)}
    for row in (row for some in rows.values() for row in some):
        record = expected.pop(row["id"])
        assert row["sequence"] == record.sequence
        for task, name in record.classes.items():
            assert names[task][row[task]] == name
        for task, spans in record.spans.items():
            found = [(s["start"], s["end"], names[task][s["label"]]) for s in row[task]]
            assert found == spans
        assert [names["prot_keyword"][label] for label in row["prot_keyword"]] == record.keywords
    assert not expected
    facts = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert facts["made_from"]["seed"] == settings.seed
    assert facts["labelled"]["gene_taxonomy"] == 120


def test_the_same_settings_write_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        simulate(Settings(**SMALL), tmp_path / name)
    for path in (p for p in (tmp_path / "a").rglob("*") if p.is_file()):
        other = tmp_path / "b" / path.relative_to(tmp_path / "a")
        assert other.read_bytes() == path.read_bytes()


def test_a_single_species_of_a_single_family(tmp_path):
    few = {"records": 3, "proteins": 2, "species": 1, "orders": 1, "families": 1}
    assert simulate(Settings(**few), tmp_path / "out").count() == 5


def test_proteins_may_be_left_out(tmp_path):
    simulate(Settings(**{**SMALL, "proteins": 0}), tmp_path / "out")
    assert not list((tmp_path / "out").rglob("prot-*"))


def test_what_is_there_is_kept(tmp_path):
    settings = Settings(**{**SMALL, "records": 12, "proteins": 0})
    simulate(settings, tmp_path / "out")
    with pytest.raises(ValueError, match="out: is there already; --overwrite replaces it"):
        simulate(settings, tmp_path / "out")
    simulate(settings, tmp_path / "out", overwrite=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "summary.json").write_text('{"format": "of my own"}')
    with pytest.raises(ValueError, match="mine: holds other files"):
        simulate(settings, tmp_path / "mine", overwrite=True)
    assert (tmp_path / "mine" / "summary.json").exists()
    (tmp_path / "empty").mkdir()
    assert simulate(settings, tmp_path / "empty").count() == 12
    with pytest.raises(ValueError, match="there is no folder"):
        simulate(settings, tmp_path / "none" / "out")


def test_the_longest_record_fits_into_any_genome(tmp_path):
    codons = DOMAIN_LENGTH[0] + 2 * LINKER[0] + 1
    shortest = GENES * (PROMOTER[0] + 3 * codons + TERMINATOR[0])
    assert shortest >= LONGEST
    long = {"min_length": LONGEST, "max_length": LONGEST}
    few = {"records": 3, "proteins": 0, "species": 1, "orders": 1, "families": 1, "dev_fraction": 0}
    assert simulate(Settings(**few, **long), tmp_path / "out").letters["train"]["gene"] == 18_000


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"records": 0}, "--records 0: must be at least 1"),
        ({"proteins": -1}, "--proteins -1: must be at least 0"),
        ({"min_length": 500, "max_length": 400}, "--max-length 400: below --min-length"),
        ({"min_length": 6001, "max_length": 6001}, "--max-length 6001: must be at most 6000"),
        ({"species": 3, "orders": 4}, "--orders 4: more than the 3 species"),
        ({"dev_fraction": 1.0}, "--dev-fraction 1.0: must be from 0"),
    ],
)
def test_wrong_settings_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        Settings(**wrong).check()
