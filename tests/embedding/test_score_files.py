# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone score`: tables of scores, their comparison with measurements, and heat-maps."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas
import pytest

import lucaone_cli
from embedding.scoring import files as score_files
from embedding.scoring.files import score_file
from embedding.scoring.heatmaps import draw_heatmap
from embedding.scoring.jobs import spearman
from embedding.scoring.scorer import Scorer
from embedding.scoring.variants import LETTERS, as_matrix, single_substitutions
from tests.helpers import GOLDEN

HUB = GOLDEN / "hub-tiny"
PROTEIN = "MKTAYIAKXRQISFVKSHFS"
LONG = "MSPQTETKASVGFKAGVKDYKLTYYTPEWHNCRILMAAKQ"


@pytest.fixture(scope="module")
def scorer():
    return Scorer(HUB, device="cpu")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def fasta(records, name="in.fasta"):
    text = "".join(f">{record_id}\n{sequence}\n" for record_id, sequence in records)
    Path(name).write_text(text)
    return name


def table(rows, name="variants.csv"):
    with Path(name).open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return name


def score(source, output="out.csv", seq_type="prot", **options):
    return score_file(source, output, HUB, seq_type, device="cpu", **options)


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "out.parquet"])
def test_every_substitution_of_every_record_in_order(scorer, name):
    records = [("b", "MKTA"), ("a", "MSX"), ("b", "GAVL")]
    summary = score(fasta(records), name, method="wt-marginal")
    readers = {"csv": pandas.read_csv, "tsv": pandas.read_table, "parquet": pandas.read_parquet}
    result = readers[name.split(".")[1]](name)
    assert list(result) == ["id", "position", "wild_type", "mutant", "score"]
    done = 0
    for record_id, sequence in records:
        matrix = scorer.scan(sequence, "prot", method="wt-marginal")
        for (one,) in single_substitutions(sequence, "prot"):
            row = result.iloc[done]
            assert (row.id, row.wild_type, row.position, row.mutant) == (record_id, *one)
            expected = matrix[one.position - 1, LETTERS["prot"].index(one.mutant)]
            assert row.score == pytest.approx(expected, abs=2e-5)
            done += 1
    assert len(result) == done
    assert (
        str(summary) == f"{name}: 210 substitutions of 3 sequences; the model read 11 letters in "
        "3 passes"
    )


def test_a_table_of_variants_keeps_its_rows_and_columns(scorer):
    sequences = {"a": PROTEIN, "b": LONG}
    rows = [
        ["note", "id", "variant", "DMS"],
        ["x,y", "b", "M1A", "0.5"],
        ["", "a", "A4V:k2r", "NA"],
        ["", ">b", "K14L", "0.1"],
        ["", "b", "M1A", "0.5"],
    ]
    source = fasta([("a", PROTEIN), ("unused", "MKT"), ("b", LONG)])
    summary = score(source, variants=table(rows), compare="DMS")
    with Path("out.csv").open(newline="") as file:
        header, *result = csv.reader(file)
    assert header == [*rows[0], "score"]
    assert [row[:4] for row in result] == rows[1:]
    expected = [scorer.score(sequences[row[1].strip(">")], [row[2]], "prot")[0] for row in rows[1:]]
    assert [float(row[4]) for row in result] == pytest.approx(expected, abs=2e-5)
    assert summary.content == "4 variants of 2 sequences" and summary.passes == 3
    sign = 1 if expected[0] > expected[2] else -1
    assert summary.spearman == pytest.approx((sign, 3))


def test_columns_of_the_table_can_have_other_names_and_one_record_needs_no_id():
    rows = [["mutant", "score"], ["A4V", "1"]]
    score(
        fasta([("a", PROTEIN)]),
        variants=table(rows),
        variant_column="mutant",
        score_column="lucaone",
    )
    assert list(pandas.read_csv("out.csv")) == ["mutant", "score", "lucaone"]
    rows = [["protein", "variant"], ["b", "M1A"]]
    source = fasta([("a", PROTEIN), ("b", LONG)])
    score(source, "b.csv", variants=table(rows), variant_id_column="protein")
    assert len(pandas.read_csv("b.csv")) == 1


def test_molecule_types_can_differ_between_records(scorer):
    fasta([("p seq_type=prot", "MKTAY"), ("g seq_type=gene", "ACGUA")])
    rows = [["id", "variant"], ["g", "U4G"], ["p", "A4V"]]
    score("in.fasta", seq_type="header", variants=table(rows))
    expected = [scorer.score("ACGTA", ["T4G"], "dna")[0], scorer.score("MKTAY", ["A4V"], "prot")[0]]
    assert pandas.read_csv("out.csv").score.tolist() == pytest.approx(expected, abs=2e-5)


def test_whole_sequences(scorer):
    source = fasta([("a", PROTEIN), ("b", "MKT"), ("a", "GAVL")])
    score(source, whole_sequences=True, method="pseudo-log-likelihood")
    result = pandas.read_csv("out.csv")
    assert result.id.tolist() == ["a", "b", "a"] and result.length.tolist() == [20, 3, 4]
    for sequence, row in zip((PROTEIN, "MKT", "GAVL"), result.itertuples(), strict=True):
        likelihood = scorer.log_likelihoods(sequence, "prot").sum()
        assert row.pseudo_log_likelihood == pytest.approx(likelihood, rel=1e-5)
        perplexity = np.exp(-likelihood / len(sequence))
        assert row.pseudo_perplexity == pytest.approx(perplexity, rel=1e-5)


def test_positions_count_what_cleaning_leaves_and_a_note_says_what_it_took():
    summary = score(fasta([("a", "MK-TA*")]), variants=table([["variant"], ["T3A"]]))
    assert summary.notes == ["removed 1 gap and 1 trailing '*' in 1 of 1 records"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["id", "variant"], ["a", "V4A"]], r"record 'a' \(line 2\): variant 'V4A': the sequence"),
        ([["id", "variant"], ["c", "A4V"]], r"record 'c' \(line 2\): no such record"),
        ([["id", "variant"], ["b", "M1A"]], r"record 'b' \(line 2\): more than one record has"),
        ([["id", "mutant"], ["a", "A4V"]], r"no column 'variant' \(--variant-column\); the col"),
        ([["variant"], ["A4V"]], r"no column 'id' \(--variant-id-column\)"),
        ([["id", "variant", "variant"], ["a", "A4V", ""]], "more than one column 'variant'"),
        ([["id", "variant", "score"], ["a", "A4V", ""]], "column 'score' already; --score-column"),
        ([["id", "variant"]], "holds no variants"),
        ([["id", "variant"], ["a", ""]], r"line 2\): variant '': '' is no substitution"),
        ([["id", "variant"], ["a", "M1A:A4V:S20P"]], "span 20 letters"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_before_the_model_is_loaded(
    monkeypatch, rows, message
):
    monkeypatch.setattr(score_files, "find_model", lambda *_: pytest.fail("looked for a model"))
    source = fasta([("a", PROTEIN), ("b", "MKT"), ("b", "MST")])
    with pytest.raises(ValueError, match=message) as error:
        score(source, variants=table(rows), window=16)
    assert str(error.value).startswith("variants.csv: ")
    assert len(str(error.value).splitlines()) == 1


def test_a_compared_cell_that_is_no_number():
    variants = table([["variant", "DMS"], ["A4V", ""], ["A4C", "high"]])
    with pytest.raises(ValueError, match=r"variants.csv: line 3: 'high' in column 'DMS' is no n"):
        score(fasta([("a", PROTEIN)]), variants=variants, compare="DMS")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output": "out.txt"}, "out.txt: unknown output format; known are .csv .tsv .parquet"),
        ({"output": "no/out.csv"}, "no/out.csv: cannot be written: No such file"),
        ({"output": "there.csv"}, "there.csv: is there already; --overwrite replaces it"),
        ({"heatmap": "map.jpg"}, "map.jpg: unknown format of heat-maps; known are .png"),
        ({"heatmap": "there.png"}, "there-1.png: is there already; --overwrite"),
        ({"seq_type": "gene"}, "in.fasta: 1 of 1 sequences read as gene look.*--force goes on"),
        ({"compare": "DMS"}, "--compare needs --variants"),
        ({"variant_column": "v"}, "--variant-column needs --variants"),
        ({"whole_sequences": True}, "--whole-sequences needs --method pseudo-log-likelihood"),
        ({"heatmap": "a.png", "variants": "v.csv"}, "--heatmap is for every substitution"),
        ({"whole_sequences": True, "variants": "v.csv"}, "exclude one another"),
        ({"variants": "v.csv"}, "v.csv: cannot be read"),
    ],
)
def test_options_that_cannot_be_right_show_before_the_model_is_loaded(
    monkeypatch, options, message
):
    monkeypatch.setattr(score_files, "find_model", lambda *_: pytest.fail("looked for a model"))
    for name in ("there.csv", "there-1.png"):
        Path(name).touch()
    with pytest.raises(ValueError, match=message):
        score(fasta([("a", LONG), ("b", "MKT")]), **options)


def test_an_output_that_is_there_stays_unless_it_is_to_be_replaced(monkeypatch, tmp_path):
    source = fasta([("a", "MKT")])
    (tmp_path / "out.csv").write_text("before")
    with monkeypatch.context() as broken:
        broken.setattr(Scorer, "log_probabilities", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            score(source, overwrite=True, heatmap="map.png")
    assert (tmp_path / "out.csv").read_text() == "before"
    score(source, overwrite=True)
    assert len(pandas.read_csv("out.csv")) == 3 * 19
    assert {path.name for path in tmp_path.iterdir()} == {"in.fasta", "out.csv"}


def test_each_record_has_its_heat_map_whatever_its_id(tmp_path):
    source = fasta([("../$evil$/a", "MKTX"), ("b", "GAVL")])
    summary = score(source, heatmap="map.png", method="wt-marginal")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"in.fasta", "out.csv", "map-1.png", "map-2.png"}
    assert [path.name for path in summary.heatmaps] == ["map-1.png", "map-2.png"]
    for path in summary.heatmaps:
        assert path.read_bytes().startswith(b"\x89PNG")
    score(source, "b.csv", heatmap="one.svg", method="wt-marginal")
    assert "../$evil$/a" in (tmp_path / "one-1.svg").read_text()


def test_a_heat_map_shows_the_scores_and_is_the_same_again():
    sequence = "MKTX" + "ACDEF" * 25
    count = len(single_substitutions(sequence, "prot"))
    matrix = as_matrix(sequence, "prot", np.linspace(-3, 1, count))

    def draw(scores):
        return draw_heatmap(scores, sequence, "prot", "name", "score", ".png")

    assert draw(matrix) == draw(matrix) != draw(-matrix)


def test_too_long_for_a_heat_map(monkeypatch):
    monkeypatch.setattr(score_files, "LONGEST_SEQUENCE", 10)
    with pytest.raises(ValueError, match=r"in.fasta: record 'a': 20 letters are too many for a"):
        score(fasta([("a", PROTEIN)]), heatmap="map.png")


def test_spearman_agrees_with_scipy():
    stats = pytest.importorskip("scipy.stats")
    generator = np.random.default_rng(0)
    scores, measured = generator.normal(size=50), generator.integers(0, 6, 50).astype(float)
    measured[[3, 8]] = np.nan
    known = ~np.isnan(measured)
    expected = stats.spearmanr(scores[known], measured[known]).statistic
    assert spearman(scores, measured) == pytest.approx((expected, 48))
    rho, count = spearman(scores, np.full(50, 2.0))
    assert np.isnan(rho) and count == 50


# The command


def command(*arguments):
    try:
        return lucaone_cli.main([*map(str, arguments)])
    except SystemExit as stop:
        return stop.code


def test_the_command(capsys):
    source, model = fasta([("a", PROTEIN)]), ["--model", HUB, "--seq-type", "prot"]
    variants = table([["variant", "DMS"], ["A4V", "1"], ["A4C", "2"]])
    options = ["--variants", variants, "--compare", "DMS", "--method", "wt-marginal"]
    assert command("score", source, "out.csv", *model, *options, "--device", "cpu") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "out.csv: 2 variants of 1 sequence; the model read 20 letters in 1 pass"
    assert re.fullmatch(r"Spearman's rho -?1\.0000, 2 variants", lines[1])


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--whole-sequences"], 2, "--whole-sequences needs --method pseudo-log-likelihood"),
        (["--method", "entropy"], 2, "invalid choice: 'entropy'"),
        (["--window", "3"], 2, "a window of 3 letters is too short"),
        (["--variants", "none.csv"], 1, "none.csv: cannot be read"),
    ],
)
def test_errors_of_the_command(capsys, options, status, message):
    source = fasta([("a", PROTEIN)])
    model = ["--model", HUB, "--seq-type", "prot", "--device", "cpu"]
    assert command("score", source, "out.csv", *model, *options) == status
    error = capsys.readouterr().err
    assert error.startswith("lucaone: error: ") and message in error and error.count("\n") == 1
