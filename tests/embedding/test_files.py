# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Files of sequences to files of embeddings."""

import json
import resource
import stat

import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from embedding import Embedder, embed_file, files
from embedding.embedder import POOLINGS
from sequence_io import SAMPLE_FASTA, SequenceFileError, read_records
from tests.helpers import GOLDEN, REPOSITORY

HUB = GOLDEN / "hub-tiny"
DATA = REPOSITORY.parent / "shared" / "data"
MIXED = ">a\nMKTAYIAK\n>b\nMS\n>a\nMKT\n"


@pytest.fixture(scope="module")
def embedder():
    return Embedder(HUB, device="cpu")


def embed(source, output, seq_type="prot", **options):
    return embed_file(source, output, HUB, seq_type, device="cpu", **options)


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "mixed.fasta"
    path.write_text(MIXED)
    return path


def metadata(path):
    with safe_open(path, framework="numpy") as file:
        return file.metadata()


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("suffix", ["parquet", "safetensors"])
def test_the_sample_in_its_order(tmp_path, embedder, pooling, suffix):
    output = tmp_path / f"sample.{suffix}"
    summary = embed(SAMPLE_FASTA, output, "header", pooling=pooling)
    records = list(read_records(SAMPLE_FASTA, seq_type="header"))
    ids = [record.id for record in records]
    lengths = [len(record.sequence) for record in records]
    assert (summary.records, summary.residues, summary.hidden_size) == (10, sum(lengths), 64)
    assert summary.cleaning == ""
    if suffix == "parquet":
        table = pandas.read_parquet(output)
        assert table.id.tolist() == ids
        assert table.length.tolist() == lengths
        rows = [np.stack(list(row)) if pooling == "none" else row for row in table.embedding]
    else:
        stored = load_file(output)
        assert json.loads(metadata(output)["ids"]) == ids
        if pooling == "none":
            rows = [stored[str(number)] for number in range(10)]
        else:
            rows = stored["embedding"]
            assert stored["length"].tolist() == lengths
    expected = embedder.encode(
        [record.sequence for record in records],
        [record.seq_type for record in records],
        pooling=pooling,
    )
    assert len(rows) == 10
    for row, one in zip(rows, expected, strict=True):
        assert row.dtype == np.float32
        assert np.array_equal(row, one)


@pytest.mark.parametrize("pooling", ["mean", "none"])
def test_the_columns_of_parquet(tmp_path, fasta, pooling):
    embed(fasta, tmp_path / "out.parquet", pooling=pooling)
    schema = pq.read_schema(tmp_path / "out.parquet")
    vector = pa.list_(pa.float32(), 64)
    assert schema.names == ["id", "length", "embedding"]
    assert schema.types == [
        pa.string(),
        pa.int32(),
        vector if pooling == "mean" else schema.types[2],
    ]
    if pooling == "none":
        assert schema.types[2].value_type == vector
    assert schema.metadata[b"pooling"] == pooling.encode()
    assert schema.metadata[b"model"] == b"hub-tiny"


def test_ids_may_occur_twice(tmp_path, fasta):
    embed(fasta, tmp_path / "out.parquet")
    embed(fasta, tmp_path / "out.safetensors", pooling="none")
    assert pandas.read_parquet(tmp_path / "out.parquet").id.tolist() == ["a", "b", "a"]
    assert json.loads(metadata(tmp_path / "out.safetensors")["ids"]) == ["a", "b", "a"]
    shapes = {name: rows.shape for name, rows in load_file(tmp_path / "out.safetensors").items()}
    assert shapes == {"0": (8, 64), "1": (2, 64), "2": (3, 64)}


def test_a_table_that_names_its_molecule_types(tmp_path, embedder):
    source = tmp_path / "both.csv"
    source.write_text("kind,seq_id,seq\ndna,one,ACGT\nprot,two,MKT\n")
    embed(source, tmp_path / "out.parquet", "column:kind")
    table = pandas.read_parquet(tmp_path / "out.parquet")
    assert table.id.tolist() == ["one", "two"]
    expected = embedder.encode(["ACGT", "MKT"], ["gene", "prot"])
    assert np.array_equal(np.stack(table.embedding.tolist()), expected)


def test_columns_may_be_named(tmp_path):
    source = tmp_path / "named.tsv"
    source.write_text("protein\tname\nMKT\tone\n")
    columns = {"id_column": "name", "sequence_column": "protein"}
    embed(source, tmp_path / "out.parquet", **columns)
    assert pandas.read_parquet(tmp_path / "out.parquet").id.tolist() == ["one"]


def test_what_cleaning_removed_is_told(tmp_path):
    source = tmp_path / "gaps.fasta"
    source.write_text(">a\nMK--T*\n>b\nMKT\n")
    summary = embed(source, tmp_path / "out.parquet")
    assert summary.cleaning == "removed 2 gaps and 1 trailing '*' in 1 of 2 records"
    assert pandas.read_parquet(tmp_path / "out.parquet").length.tolist() == [3, 3]
    summary = embed(source, tmp_path / "out.parquet", keep_gaps=True)
    assert summary.cleaning == ""
    assert pandas.read_parquet(tmp_path / "out.parquet").length.tolist() == [6, 3]


@pytest.mark.parametrize("pooling", ["mean", "none"])
@pytest.mark.parametrize("suffix", ["parquet", "safetensors"])
def test_a_file_larger_than_a_group(tmp_path, monkeypatch, pooling, suffix):
    def contents(path):
        if suffix == "safetensors":
            tensors = load_file(path)
            return [metadata(path)["ids"], *(tensors[name] for name in sorted(tensors))]
        table = pandas.read_parquet(path)
        rows = [np.stack(list(row)) if pooling == "none" else row for row in table.embedding]
        return [table.id.tolist(), table.length.tolist(), *rows]

    whole, parts = tmp_path / f"whole.{suffix}", tmp_path / f"parts.{suffix}"
    embed(SAMPLE_FASTA, whole, "header", pooling=pooling)
    monkeypatch.setattr(files, "GROUP_RECORDS", 4)
    monkeypatch.setattr(files, "GROUP_RESIDUES", 200)
    summary = embed(SAMPLE_FASTA, parts, "header", pooling=pooling)
    assert summary.records == 10
    if suffix == "parquet":
        assert pq.ParquetFile(parts).num_row_groups > pq.ParquetFile(whole).num_row_groups
    for part, one in zip(contents(parts), contents(whole), strict=True):
        if isinstance(one, np.ndarray):
            assert np.linalg.norm(part - one) <= 2e-5 * np.linalg.norm(one)
        else:
            assert part == one


@pytest.mark.parametrize(
    ("text", "seq_type", "message"),
    [
        (">a\nMKT\n>b\nMK7\n", "prot", r"record 'b' \(line 3\), position 3: '7'"),
        (">a seq_type=prot\nMKT\n>b seq_type=fish\nM\n", "header", "record 'b': unknown .* 'fish'"),
        (">a seq_type=prot\nMKT\n>b\nM\n", "header", r"record 'b' \(line 3\): no seq_type"),
        ("", "prot", "holds no records"),
    ],
)
def test_a_failure_leaves_nothing_behind_and_the_earlier_output_alone(
    tmp_path, monkeypatch, text, seq_type, message
):
    monkeypatch.setattr(files, "GROUP_RECORDS", 1)  # so that a part is written before the failure
    source, folder = tmp_path / "in.fasta", tmp_path / "out"
    source.write_text(text)
    folder.mkdir()
    for name in ("out.parquet", "out.safetensors"):
        (folder / name).write_text("earlier")
        with pytest.raises(SequenceFileError, match=message) as error:
            embed(source, folder / name, seq_type)
        assert str(error.value).startswith(f"{source}: ")
        assert (folder / name).read_text() == "earlier"
    assert len(list(folder.iterdir())) == 2


def test_a_full_disk(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for suffix in ("parquet", "safetensors"):
        output = tmp_path / f"out.{suffix}"
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
        try:
            with pytest.raises(ValueError, match="cannot be written") as error:
                embed(SAMPLE_FASTA, output, "header", pooling="none")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert str(error.value).startswith(f"{output}: ")
        assert not list(tmp_path.iterdir())


def test_permissions_are_those_of_any_new_file(tmp_path, fasta):
    (tmp_path / "any").touch()
    for suffix in ("parquet", "safetensors"):
        embed(fasta, tmp_path / f"out.{suffix}")
        mode = stat.S_IMODE((tmp_path / f"out.{suffix}").stat().st_mode)
        assert mode == stat.S_IMODE((tmp_path / "any").stat().st_mode)


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        ("out.h5", {}, "unknown output format; known are .parquet .safetensors"),
        ("none/out.parquet", {}, "cannot be written: No such file or directory"),
        ("file/out.parquet", {}, "cannot be written: Not a directory"),
        ("folder.parquet", {}, "cannot be written: there is a folder of this name"),
        ("out.parquet", {"pooling": "median"}, "unknown pooling 'median'"),
        ("out.parquet", {"seq_type": "fish"}, "unknown seq_type 'fish'.*header.*column:NAME"),
    ],
)
def test_bad_outputs_and_options_show_before_any_work(
    tmp_path, monkeypatch, fasta, output, options, message
):
    monkeypatch.setattr(files, "Embedder", None)
    (tmp_path / "file").touch()
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(ValueError, match=message):
        embed(fasta, tmp_path / output, **options)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "seq_type", "records"),
    [("s1-species/species.fasta", "gene", 1200), ("s2-pfam-clans/clans.fasta", "prot", 2738)],
)
def test_real_files(tmp_path, name, seq_type, records):
    source = DATA / name
    if not source.exists():
        pytest.skip(f"{source} is not here")
    summary = embed(source, tmp_path / "out.parquet", seq_type)
    assert summary.records == records
    table = pandas.read_parquet(tmp_path / "out.parquet")
    assert table.id.tolist() == [record.id for record in read_records(source)]
    vectors = np.stack(table.embedding.tolist())
    assert vectors.shape == (records, 64)
    assert np.isfinite(vectors).all()
