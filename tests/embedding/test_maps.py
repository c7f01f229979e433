# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Maps of embedding files: places, labels, figures of merit, baselines and figures."""

import argparse
import importlib.util
import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import silhouette_score

from embedding import embed_file
from embedding.commands import map as command
from embedding.mapping import panels as map_panels
from embedding.mapping.baselines import kmer_frequencies, multi_hot, plain_letters
from embedding.mapping.maps import map_embeddings
from sequence_io import SAMPLE_FASTA
from tests.helpers import GOLDEN

OPTIONS = {
    "pooling": "mean",
    "seq_type": "prot",
    "id_column": None,
    "sequence_column": None,
    "keep_gaps": False,
    "truncate": None,
}
CLANS = ("CL2", "CL10", "CL33")


def store(path, vectors, ids=None, lengths=None, **options):
    """Write a file of embeddings as `embed_file` does."""
    vectors = np.asarray(vectors, np.float32)
    columns = {
        "id": ids or [f"r{i}" for i in range(len(vectors))],
        "length": np.full(len(vectors), 8, np.int32) if lengths is None else np.int32(lengths),
        "embedding": pa.FixedSizeListArray.from_arrays(vectors.ravel(), vectors.shape[1]),
    }
    provenance = {
        "model": "toy",
        "made_from": {"pooling": "mean"},
        "options": OPTIONS | options,
    }
    table = pa.table(columns).replace_schema_metadata({"lucaone": json.dumps(provenance)})
    pq.write_table(table, path)
    return path


def clusters(count=30, width=6, seed=0):
    """Return vectors around three directions, in turn."""
    rows = np.random.default_rng(seed).normal(size=(count, width))
    rows[np.arange(count), np.arange(count) % 3] += 20
    return rows


@pytest.fixture
def clans(tmp_path):
    """A file whose ids begin with a clan, which the vectors keep apart."""
    ids = [f"{CLANS[i % 3]}#P{i}" for i in range(30)]
    return store(tmp_path / "clans.parquet", clusters(), ids)


@pytest.fixture
def plain(tmp_path):
    return store(tmp_path / "plain.parquet", clusters())


def write(path, text):
    path.write_text(text)
    return path


def by_clan(source, *outputs, **options):
    return map_embeddings(source, outputs, colour_from_id=r"^(?P<clan>CL\d+)#", **options)


def test_clusters_are_found_and_measured(clans):
    summary = by_clan(clans)
    (panel,) = summary.panels
    assert panel.name == "toy (mean)"
    assert panel.points.shape == (30, 2)
    assert summary.labels.values[:4] == ["CL2", "CL10", "CL33", "CL2"]
    vectors = np.stack(pq.read_table(clans).column("embedding").to_pylist())
    expected = silhouette_score(vectors, summary.labels.values, metric="cosine")
    assert panel.silhouette == pytest.approx(expected, abs=1e-5)
    expected = silhouette_score(panel.points, summary.labels.values)
    assert panel.map_silhouette == pytest.approx(expected, abs=1e-5)
    assert panel.map_silhouette > 0.5
    assert panel.adjusted_rand == 1
    lines = str(summary).splitlines()
    assert lines[0] == "t-SNE of 30 records, perplexity 9.67, cosine; 3 labels: clan"
    assert re.fullmatch(r"toy \(mean\) +0\.\d{3} +0\.\d{3} +1\.000", lines[-1])
    assert summary.notes == ["perplexity is 9.67, not 30: there are only 30 records"]


def test_labels_without_structure_score_nothing(tmp_path):
    rows = np.random.default_rng(0).normal(size=(60, 6))
    source = store(tmp_path / "noise.parquet", rows, [f"{CLANS[i % 3]}#{i}" for i in range(60)])
    (panel,) = by_clan(source).panels
    assert abs(panel.adjusted_rand) < 0.1
    assert abs(panel.silhouette) < 0.1


@pytest.mark.parametrize("pattern", ["(CL)", "(P.*)"])
def test_one_label_or_as_many_as_records_are_not_measured(clans, pattern):
    summary = map_embeddings(clans, [], colour_from_id=pattern, perplexity=5)
    (panel,) = summary.panels
    assert panel.silhouette is panel.map_silhouette is panel.adjusted_rand is None
    assert str(summary).endswith("  -         -")
    assert summary.notes == [
        "figures of merit need two labels at least, one of them more than once"
    ]


def test_metric_decides_what_is_near(tmp_path):
    rows = np.abs(np.random.default_rng(0).normal(size=(40, 2))) + [[0, 9], [9, 0]] * 20
    rows[20:] *= 100
    ids = [("short" if i < 20 else "long") + f"-{i}" for i in range(40)]
    source = store(tmp_path / "lengths.parquet", rows, ids)
    scores = {
        metric: map_embeddings(source, [], colour_from_id="^([a-z]+)", metric=metric).panels[0]
        for metric in ("cosine", "euclidean")
    }
    assert scores["cosine"].silhouette < 0.1 < scores["euclidean"].silhouette


def test_the_same_seed_gives_the_same_files(tmp_path, clans):
    names = ("map.svg", "map.png", "map.pdf", "map.html")
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        outputs = [tmp_path / folder / name for name in names]
        by_clan(clans, *outputs)
    for name in names:
        one, two = (tmp_path / folder / name for folder in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_the_sample_with_its_baselines(tmp_path):
    source = tmp_path / "sample.h5"
    embed_file(SAMPLE_FASTA, source, GOLDEN / "hub-tiny", "header", device="cpu")
    outputs = [tmp_path / name for name in ("map.png", "map.svg", "map.pdf", "map.html")]
    summary = map_embeddings(source, outputs, compare=SAMPLE_FASTA, colour_from_id="^([a-z]+)")
    names = ["hub-tiny (mean)", "multi-hot", "2 and 3-mer frequencies"]
    assert [panel.name for panel in summary.panels] == names
    assert all(np.isfinite(panel.points).all() for panel in summary.panels)
    heads = [output.read_bytes()[:5] for output in outputs]
    assert heads[:3] == [b"\x89PNG\r", b"<?xml", b"%PDF-"]
    assert heads[3] in (b"<html", b"<!doc")


def test_labels_come_from_a_table_by_id(tmp_path, plain):
    rows = [f"r{i},{CLANS[i % 3]},{i}" for i in reversed(range(2, 30))]
    table = write(tmp_path / "t.csv", "\n".join(["seq_id,clan,n", *rows, "r0,,1", "zz,CL2,7"]))
    summary = map_embeddings(plain, [], labels=table, colour="clan")
    assert summary.labels.values == ["", "", *(CLANS[i % 3] for i in range(2, 30))]
    assert summary.notes[0] == f"1 rows of {table} belong to no record"
    assert summary.notes[1] == "2 of 30 records have no label; they are grey and not measured"
    assert summary.panels[0].adjusted_rand == 1
    named = write(tmp_path / "named.tsv", table.read_text().replace(",", "\t").replace("seq_", ""))
    named = map_embeddings(plain, [], labels=named, colour="clan", label_id="id")
    assert named.labels == summary.labels


def test_repeated_ids_are_matched_in_order(tmp_path):
    source = store(tmp_path / "x.parquet", clusters(6), ["a", "b", "a", "c", "c", "a"])
    table = write(tmp_path / "t.csv", "id,kind\na,one\nc,once\na,two\n")
    summary = map_embeddings(source, [], labels=table, colour="kind")
    # c stands once, so it labels both; a twice, so the third a has no label
    assert summary.labels.values == ["one", "", "two", "once", "once", ""]


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        ("id,kind\nq7,x\n", {}, r"t.csv: no id .*'id'.*plain.parquet; .*'q7', there 'r0'"),
        ("name,kind\nr1,x\n", {}, "t.csv: cannot tell .*--label-id; the columns are 'name', 'k"),
        ("id,kind\nr1,x\n", {"colour": "sort"}, "t.csv: no column 'sort'; .*'id', 'kind'"),
        ("id,kind\nr1,x\n", {"label_id": "no"}, "t.csv: no column 'no'; .*'id', 'kind'"),
        ("id,kind\nr1,\n", {}, "t.csv: column 'kind' is empty for every record"),
        ("id,kind\n", {}, "t.csv: holds no records"),
        ("id,kind\nr1,x\n", {"colour_as": "numbers"}, "--colour-as numbers: 'x' in kind is not"),
    ],
)
def test_tables_that_do_not_fit(tmp_path, plain, table, options, message):
    path = write(tmp_path / "t.csv", table)
    with pytest.raises(ValueError, match=message):
        map_embeddings(plain, [], labels=path, **({"colour": "kind"} | options))


def test_ids_without_the_label(clans):
    with pytest.raises(
        ValueError, match=r"--colour-from-id \^PF\(\.\): found in no id; .*'CL2#P0'"
    ):
        map_embeddings(clans, [], colour_from_id="^PF(.)")


def test_many_numbers_have_a_scale_and_no_figures_of_merit(tmp_path, plain):
    rows = [f"r{i},{i / 2 if i else 'NA'}" for i in range(30)]
    table = write(tmp_path / "t.csv", "\n".join(["id,weight", *rows]))
    page = tmp_path / "map.html"
    summary = map_embeddings(
        plain, [page, tmp_path / "map.png"], labels=table, colour="weight", perplexity=5
    )
    assert np.isnan(summary.labels.numbers[0])
    assert summary.labels.numbers[29] == 14.5
    assert summary.panels[0].silhouette is None
    assert str(summary) == "t-SNE of 30 records, perplexity 5, cosine"
    assert '"colorbar"' in page.read_text() and "no label (1)" in page.read_text()
    names = map_embeddings(plain, [], labels=table, colour="weight", colour_as="categories")
    assert names.labels.numbers is None


def test_labels_that_only_python_takes_for_numbers(tmp_path, plain):
    table = write(tmp_path / "t.csv", "\n".join(["id,group", *(f"r{i},1_{i}" for i in range(30))]))
    assert map_embeddings(plain, [], labels=table, colour="group").labels.numbers is None


def legend(page):
    """Return the names of the traces that stand in the legend of a page."""
    names = re.findall(r'"name":"((?:[^"\\]|\\.)*)"[^{}]*?"showlegend":true', page.read_text())
    return [json.loads(f'"{name}"') for name in names]


def test_a_legend_holds_twenty_labels_and_the_rest(tmp_path):
    # 25 labels: 20 of two records, 5 of one, in a natural order
    labels = [i % 20 for i in range(40)] + list(range(20, 25))
    ids = [f"k{label}-{i}" for i, label in enumerate(labels)] + ["none"]
    source = store(tmp_path / "x.parquet", clusters(len(ids)), ids)
    page = tmp_path / "map.html"
    map_embeddings(source, [page], colour_from_id="^(k[0-9]+)-")
    expected = [f"k{label} (2)" for label in range(20)]
    assert legend(page) == [*expected, "5 other labels (5)", "no label (1)"]


def test_pages_need_no_network_and_show_ids_as_text(tmp_path):
    ids = [f"<b>{i}</script>|$x_{i % 2}$" for i in range(12)]
    source = store(tmp_path / "x.parquet", clusters(12), ids, lengths=[1234] * 12)
    page = tmp_path / "map.html"
    map_embeddings(source, [page, tmp_path / "map.svg"], colour_from_id=r"\|(.*)$")
    text = page.read_text()
    assert not re.search(r'<(script|link)[^>]*(src|href)="', text)
    assert text.count("</script>") == text.count("<script")
    assert "1,234 letters" in text
    # A formula between dollar signs would be in italics.
    assert "Oblique" not in (tmp_path / "map.svg").read_text()


def test_sequences_beside_the_embeddings(tmp_path):
    rng = np.random.default_rng(0)
    letters = ["".join(rng.choice(list("ACGT"), 40)) for _ in range(12)]
    fasta = "".join(f">s{i}\n{text}\n" for i, text in enumerate(letters))
    turned = "".join(f">s{i}\n{letters[i]}\n" for i in reversed(range(12))) + ">more\nACGT\n"
    ids = [f"s{i}" for i in range(12)]
    source = store(tmp_path / "x.parquet", clusters(12), ids, [40] * 12, seq_type="gene")
    one = map_embeddings(source, [], compare=write(tmp_path / "a.fasta", fasta))
    two = map_embeddings(source, [], compare=write(tmp_path / "b.fasta", turned))
    assert [panel.name for panel in one.panels] == ["toy (mean)", "multi-hot", "3-mer frequencies"]
    for a, b in zip(one.panels, two.panels, strict=True):
        assert np.array_equal(a.points, b.points)
    longer = map_embeddings(source, [], compare=tmp_path / "a.fasta", k=4, seq_type="prot")
    assert longer.panels[2].name == "4-mer frequencies"
    with pytest.raises(ValueError, match=r"b.fasta: lacks 1 of 12 records .*'s3'.* first is 's11'"):
        write(tmp_path / "b.fasta", turned.replace(">s3\n", ">s99\n"))
        map_embeddings(source, [], compare=tmp_path / "b.fasta")
    with pytest.raises(ValueError, match=r"a.fasta: record 's0': has 41 letters, .* is of 40"):
        write(tmp_path / "a.fasta", fasta.replace(">s0\n", ">s0\nA"))
        map_embeddings(source, [], compare=tmp_path / "a.fasta")


def test_sequences_are_cut_where_the_embeddings_were(tmp_path):
    rng = np.random.default_rng(0)
    starts = ["".join(rng.choice(list("MKLV"), 20)) for _ in range(8)]
    ids = [f"s{i}" for i in range(8)]
    points = []
    for end in ("WWW", "CHW"):
        records = "".join(f">{i}\n{text}{end}\n" for i, text in zip(ids, starts, strict=True))
        source = store(tmp_path / "x.parquet", clusters(8), ids, [23] * 8, truncate=20)
        fasta = write(tmp_path / "x.fasta", records)
        points.append(map_embeddings(source, [], compare=fasta).panels[2].points)
    assert np.array_equal(*points)


def test_multi_hot_is_letters_by_position():
    sequences = [(plain_letters(text, kind), kind) for text, kind in
                 [("ac-u", "gene"), ("ACT", "prot"), ("A" * 3000, "gene")]]  # fmt: skip
    rows = multi_hot(sequences).toarray().reshape(3, -1, 2, 26)
    letters = [[(p, k, chr(65 + x)) for p, k, x in zip(*np.nonzero(r), strict=True)] for r in rows]
    assert letters[0] == [(0, 0, "A"), (1, 0, "C"), (2, 0, "N"), (3, 0, "T")]
    assert letters[1] == [(0, 1, "A"), (1, 1, "C"), (2, 1, "T")]
    assert rows[2].sum() == rows.shape[1] == 2048
    gaps = multi_hot([("-A.*", "prot")]).toarray().reshape(-1, 2, 26)
    assert list(zip(*np.nonzero(gaps), strict=True)) == [(1, 1, 0)]


def test_kmer_frequencies_are_shares():
    sequences = [("AAAACN", "gene"), ("AAC", "gene"), ("AAN", "prot"), ("M", "prot")]
    rows = kmer_frequencies(sequences).toarray()
    # gene AAA and AAC, protein AA and AN
    expected = [[2 / 3, 1 / 3, 0, 0], [0, 1, 0, 0], [0, 0, 0.5, 0.5], [0, 0, 0, 0]]
    assert np.allclose(rows, expected)
    assert kmer_frequencies(sequences, 1).shape == (4, 5)
    with pytest.raises(ValueError, match="7-mer frequencies: no sequence has such a k-mer"):
        kmer_frequencies(sequences, 7)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.eye(3), "x.parquet: holds 3 records; a map needs 4"),
        (
            np.array([[1, 2], [3, np.nan], [1, 1], [np.inf, 0]]),
            "x.parquet: record 'r1': NaN or .* 2",
        ),
        (np.ones((9, 4)), r"toy \(mean\): all records have the same vector"),
    ],
)
def test_vectors_that_make_no_map(tmp_path, vectors, message):
    source = store(tmp_path / "x.parquet", vectors)
    with pytest.raises(ValueError, match=message):
        map_embeddings(source, [])


def test_four_records_are_enough(tmp_path):
    source = store(tmp_path / "x.parquet", clusters(4))
    summary = map_embeddings(source, [tmp_path / "x.png"])
    assert summary.notes == ["perplexity is 1, not 30: there are only 4 records"]
    assert str(summary) == "t-SNE of 4 records, perplexity 1, cosine"


def test_of_many_records_a_sample_is_drawn(tmp_path, clans, monkeypatch):
    summary = by_clan(clans, max_records=12)
    assert summary.notes[0] == "a random sample of 12 of 30 records (--max-records)"
    assert summary.ids == [name for name in (f"{CLANS[i % 3]}#P{i}" for i in range(30))
                           if name in set(summary.ids)]  # fmt: skip
    assert len(summary.ids) == len(summary.labels.values) == len(summary.panels[0].points) == 12
    assert all(name.startswith(label) for name, label in
               zip(summary.ids, summary.labels.values, strict=True))  # fmt: skip
    assert by_clan(clans, max_records=12, seed=1).ids != summary.ids
    monkeypatch.setattr(map_panels, "SILHOUETTE_RECORDS", 20)
    assert by_clan(clans).panels[0].silhouette != by_clan(clans, seed=1).panels[0].silhouette


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"outputs": ["map.jpg"]}, "map.jpg: unknown format of figures; known are .png .svg .pdf"),
        ({"labels": "t.csv"}, "--labels needs --colour"),
        ({"colour": "x"}, "--colour needs --labels"),
        ({"label_id": "x"}, "--label-id needs --labels"),
        ({"labels": "t.csv", "colour": "x", "colour_from_id": "(.)"}, "come from one of them"),
        ({"colour_from_id": "(CL"}, r"--colour-from-id \(CL: .*unterminated"),
        ({"colour_from_id": "^CL"}, r"--colour-from-id \^CL: has 0 groups"),
        ({"colour_from_id": "(a)|(b)"}, "has 2 groups"),
        ({"colour_as": "numbers"}, "--colour-as needs labels"),
        ({"seq_type": "gene"}, "--seq-type needs --compare"),
        ({"k": 3}, "--k needs --compare"),
        ({"compare": "x.fasta", "seq_type": "genes"}, "unknown seq_type 'genes'"),
        ({"perplexity": 0.5}, "--perplexity 0.5"),
        ({"perplexity": float("nan")}, "--perplexity nan"),
        ({"perplexity": 5.0, "method": "umap"}, "--perplexity is for t-SNE"),
        ({"neighbours": 5}, "--neighbours is for UMAP"),
        ({"neighbours": 1, "method": "umap"}, "--neighbours 1"),
        ({"max_records": 3}, "--max-records 3"),
        ({"seed": 2**32}, "--seed"),
    ],
)
def test_options_that_cannot_be_right_are_wrong_usage(options, message):
    options = {"embeddings": "no.parquet", "outputs": ["map.png"]} | options
    with pytest.raises(argparse.ArgumentError, match=message):
        command.run(options)


def test_what_the_command_prints(tmp_path, clans, capsys):
    parser = argparse.ArgumentParser(argument_default=argparse.SUPPRESS)
    parser.register("type", "positive", int)
    parser.register("type", "count", int)
    command.add_to(lambda *_: parser)
    arguments = [clans, tmp_path / "a.png", tmp_path / "a.html", "--color-from-id", "^(CL.*)#"]
    command.run(vars(parser.parse_args([*map(str, arguments), "--seed", "3"])))
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "t-SNE of 30 records, perplexity 9.67, cosine; 3 labels: id"
    assert err == "note: perplexity is 9.67, not 30: there are only 30 records\n"
    assert (tmp_path / "a.png").exists() and (tmp_path / "a.html").exists()


def test_a_missing_library_is_named(monkeypatch, clans, tmp_path):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "plotly" else found(name)
    )
    with pytest.raises(ImportError, match=r"maps need plotly: pip install 'lucaone-hf\[map\]'"):
        by_clan(clans, tmp_path / "map.html")
    by_clan(clans, tmp_path / "map.png")


def test_outputs_are_checked_before_the_work(tmp_path, clans):
    with pytest.raises(ValueError, match="cannot be written: there is no folder"):
        by_clan(clans, tmp_path / "no" / "map.png")
    (tmp_path / "map.png").touch()
    with pytest.raises(ValueError, match=r"map.png: is there already; --overwrite replaces it"):
        by_clan(clans, tmp_path / "map.png")
    by_clan(clans, tmp_path / "map.png", overwrite=True)
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ValueError, match=r"folder.png: cannot be written: Is a directory"):
        by_clan(clans, tmp_path / "folder.png", overwrite=True)


@pytest.mark.slow
def test_umap(tmp_path, clans):
    first, second = (
        by_clan(clans, tmp_path / "map.png", method="umap", overwrite=True) for _ in range(2)
    )
    assert str(first).startswith("UMAP of 30 records, neighbours 15, cosine; 3 labels")
    assert np.array_equal(first.panels[0].points, second.panels[0].points)
    assert first.panels[0].map_silhouette > 0.5
    few = store(tmp_path / "few.parquet", clusters(4))
    assert map_embeddings(few, [], method="umap").notes == [
        "neighbours is 3, not 15: there are only 4 records"
    ]
