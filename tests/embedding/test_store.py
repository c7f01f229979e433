# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What stands in files of embeddings, opened with plain libraries and with our reader."""

import hashlib
import json
import stat

import h5py
import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from embedding import Embedder, embed_file, read_embeddings, writers
from embedding.layout import Layout, StoredRecord
from embedding.store import read_provenance
from embedding.writers import open_writer
from sequence_io import read_records, survey
from tests.helpers import GOLDEN, SAME_LIMIT, relative_l2

HUB = GOLDEN / "hub-tiny"
FORMATS = ["h5", "parquet", "safetensors"]
# Not in the order of the alphabet, nor of their lengths.
RECORDS = {"P62330": "MGKVLSKIFGNK", "A0": "MK", "Q9Z": "MTEYKLVVVGAGGVGKSALTIQ"}
ODD_IDS = [
    *["a", "a/b", "a%2Fb", "a", "a#2", "a", "b#2", "b", "b"],
    *["sp|P12345|X/../../etc", "/etc/passwd", "../../up", "..", ".", "./", "/", "#2", "%2E"],
    *[
        "chr1:10-20",
        "with two  words",
        "'quoted\"",
        "x" * 300,
        "蛋白质-β",
        "a\\b",
        "nan",
        "None",
        "0",
    ],
]


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "proteins.fasta"
    path.write_text("".join(f">{name}\n{letters}\n" for name, letters in RECORDS.items()))
    return path


@pytest.fixture(scope="module")
def embedder():
    return Embedder(HUB, device="cpu")


def embed(source, output, **options):
    return embed_file(source, output, HUB, "prot", device="cpu", **options)


def distance(result, expected):
    return relative_l2(torch.as_tensor(result), torch.as_tensor(expected))


def matrices(path):
    """Read the rows per residue of each record, with plain libraries."""
    if path.suffix == ".parquet":
        table = pandas.read_parquet(path)
        return [
            np.array(rows.embedding.map(np.stack).tolist())
            if rows.embedding.iloc[0].dtype == object
            else np.stack(rows.embedding)
            for _, rows in table.groupby("record")
        ]
    if path.suffix == ".safetensors":
        tensors = load_file(path)
        return [tensors[str(i)].float().numpy() for i in range(len(tensors) - 1)]
    with h5py.File(path) as file:
        return [data[:] for data in file.values()]


def test_vectors_in_hdf5(tmp_path, fasta, embedder):
    embed(fasta, tmp_path / "out.h5")
    with h5py.File(tmp_path / "out.h5") as file:
        vector = file["P62330"][:]
        assert list(file) == list(RECORDS)
        assert {name: data.attrs["length"] for name, data in file.items()} == {
            name: len(letters) for name, letters in RECORDS.items()
        }
    assert vector.dtype == np.float32
    assert distance(vector, embedder.encode(RECORDS["P62330"], "prot")) <= SAME_LIMIT


def test_matrices_in_hdf5(tmp_path, fasta, embedder):
    embed(fasta, tmp_path / "out.h5", pooling="none")
    with h5py.File(tmp_path / "out.h5") as file:
        matrix = file["P62330"][:]
        assert list(file) == list(RECORDS)
    expected = embedder.encode(RECORDS["P62330"], "prot", pooling="none")
    assert distance(matrix, expected) <= SAME_LIMIT


def test_vectors_in_parquet(tmp_path, fasta, embedder):
    embed(fasta, tmp_path / "out.parquet")
    table = pandas.read_parquet(tmp_path / "out.parquet")
    vectors = np.stack(table["embedding"])
    assert table.columns.tolist() == ["id", "length", "embedding"]
    assert table.id.tolist() == list(RECORDS)
    assert table.length.tolist() == [len(letters) for letters in RECORDS.values()]
    assert vectors.dtype == np.float32
    assert distance(vectors, embedder.encode(RECORDS.values(), "prot")) <= SAME_LIMIT
    types = pq.read_schema(tmp_path / "out.parquet").types
    assert types == [pa.string(), pa.int32(), pa.list_(pa.float32(), 64)]


def test_matrices_in_parquet(tmp_path, fasta, embedder):
    embed(fasta, tmp_path / "out.parquet", pooling="none")
    table = pandas.read_parquet(tmp_path / "out.parquet")
    matrix = np.stack(table[table.id == "Q9Z"].embedding)
    assert table.columns.tolist() == ["record", "id", "position", "embedding"]
    places = [
        (i, name, at + 1) for i, name in enumerate(RECORDS) for at in range(len(RECORDS[name]))
    ]
    assert list(zip(table.record, table.id, table.position, strict=True)) == places
    assert distance(matrix, embedder.encode(RECORDS["Q9Z"], "prot", pooling="none")) <= SAME_LIMIT


def test_vectors_in_safetensors(tmp_path, fasta, embedder):
    embed(fasta, tmp_path / "out.safetensors")
    with safe_open(tmp_path / "out.safetensors", "np") as file:
        vectors, ids = file.get_tensor("embedding"), json.loads(file.metadata()["ids"])
        assert file.get_tensor("length").tolist() == [len(s) for s in RECORDS.values()]
        start = 8 + int.from_bytes((tmp_path / "out.safetensors").read_bytes()[:8], "little")
        assert start % 8 == 0  # the numbers are aligned, as the library aligns them
    assert ids == list(RECORDS)
    assert distance(vectors, embedder.encode(RECORDS.values(), "prot")) <= SAME_LIMIT


def test_matrices_in_safetensors(tmp_path, fasta, embedder):
    embed(fasta, tmp_path / "out.safetensors", pooling="none")
    with safe_open(tmp_path / "out.safetensors", "np") as file:
        matrix, ids = file.get_tensor("2"), json.loads(file.metadata()["ids"])
        assert file.get_tensor("length").tolist() == [len(s) for s in RECORDS.values()]
    assert ids == list(RECORDS)
    assert distance(matrix, embedder.encode(RECORDS["Q9Z"], "prot", pooling="none")) <= SAME_LIMIT


@pytest.mark.parametrize("suffix", FORMATS)
def test_vectors_are_read_back(tmp_path, fasta, embedder, suffix):
    embed(fasta, tmp_path / f"out.{suffix}", pooling="max")
    stored = read_embeddings(tmp_path / f"out.{suffix}")
    assert stored.ids == list(RECORDS)
    assert stored.lengths.tolist() == [len(letters) for letters in RECORDS.values()]
    assert stored.vectors.dtype == np.float32
    expected = embedder.encode(RECORDS.values(), "prot", pooling="max")
    assert distance(stored.vectors, expected) <= SAME_LIMIT
    stored.vectors[0] = 0  # the array is the reader's own


@pytest.mark.parametrize(
    ("suffix", "layers"),
    [("h5", 1), ("h5", [1]), ("h5", "all"), ("parquet", [0, 2, -1]), ("safetensors", [0, 2, -1])],
)
def test_layers(tmp_path, fasta, embedder, suffix, layers):
    output = tmp_path / f"out.{suffix}"
    embed(fasta, output, layers=layers)
    expected = embedder.encode(RECORDS.values(), "prot", layers=layers)
    assert distance(read_embeddings(output).vectors, expected) <= SAME_LIMIT
    embed(fasta, output, layers=layers, pooling="none", overwrite=True)
    expected = embedder.encode(RECORDS.values(), "prot", layers=layers, pooling="none")
    for rows, one in zip(matrices(output), expected, strict=True):
        assert distance(rows, one) <= SAME_LIMIT


@pytest.mark.parametrize("suffix", FORMATS)
def test_long_sequences_are_put_together(tmp_path, fasta, embedder, suffix):
    output, options = tmp_path / f"out.{suffix}", {"window": 8, "overlap": 3}
    embed(fasta, output, **options)
    expected = embedder.encode(RECORDS.values(), "prot", **options)
    assert distance(read_embeddings(output).vectors, expected) <= SAME_LIMIT
    # Windows of one sequence in several parts, too.
    embed(fasta, output, pooling="none", overwrite=True, save_every=8, **options)
    expected = embedder.encode(RECORDS.values(), "prot", pooling="none", **options)
    for rows, one in zip(matrices(output), expected, strict=True):
        assert distance(rows, one) <= SAME_LIMIT


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("pooling", ["mean", "none"])
def test_ids_of_any_kind_come_back_in_order(tmp_path, embedder, suffix, pooling):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    source, output = folder / "odd.csv", folder / f"out.{suffix}"
    sequences = ["M" + "ACDEFGHIKL"[i // 10] + "ACDEFGHIKL"[i % 10] for i in range(len(ODD_IDS))]
    pandas.DataFrame({"id": ODD_IDS, "seq": sequences}).to_csv(source, index=False)
    embed(source, output, pooling=pooling)
    if pooling == "mean":
        stored = read_embeddings(output)
        assert stored.ids == ODD_IDS
        assert distance(stored.vectors, embedder.encode(sequences, "prot")) <= SAME_LIMIT
    else:
        rows = np.concatenate(matrices(output))
        expected = np.concatenate(embedder.encode(sequences, "prot", pooling="none"))
        assert distance(rows, expected) <= SAME_LIMIT
    # Nothing was written anywhere else.
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == {source, output}


def test_names_in_hdf5(tmp_path):
    source = tmp_path / "in.csv"
    ids = ["a/b", "a%2Fb", "a", "a", "a#2", ".", "P1"]
    source.write_text("id,seq\n" + "".join(f"{name},MK\n" for name in ids))
    embed(source, tmp_path / "out.h5")
    with h5py.File(tmp_path / "out.h5") as file:
        names = {name: data.attrs.get("original_id") for name, data in file.items()}
    assert names == {
        "a%2Fb": "a/b",
        "a%2Fb#2": "a%2Fb",
        "a": None,
        "a#2": "a",
        "a#2#2": "a#2",
        "%2E": ".",
        "P1": None,
    }


def test_hdf5_holds_no_nul(tmp_path):
    (tmp_path / "in.fasta").write_bytes(b">a\0b\nMK\n>c\nMK\n")
    embed(tmp_path / "in.fasta", tmp_path / "out.h5")
    assert read_embeddings(tmp_path / "out.h5").ids == ["a%00b", "c"]


def test_many_records_of_one_id(tmp_path, monkeypatch):
    """The search for a free name does not begin anew for each."""
    layout = Layout((4,), False, torch.float32, False, "{}")
    contains, asked = h5py.File.__contains__, []
    monkeypatch.setattr(
        h5py.File, "__contains__", lambda file, name: (asked.append(name), contains(file, name))[1]
    )
    with open_writer(tmp_path / "out.h5", tmp_path, layout) as writer:
        for number in range(1500):
            writer.add(StoredRecord(number, "same", 3, 3), 0, torch.full((4,), float(number)))
        [(path, _)] = writer.close()
    assert len(asked) < 2 * 1500
    with h5py.File(path) as file:
        assert [data[0] for data in file.values()] == list(range(1500))


@pytest.mark.parametrize(
    ("suffix", "dtype", "limit"),
    [
        ("h5", "float16", 1e-3),
        ("parquet", "float16", 1e-3),
        ("safetensors", "float16", 1e-3),
        ("safetensors", "bfloat16", 1e-2),
    ],
)
def test_precisions_on_disk(tmp_path, fasta, embedder, suffix, dtype, limit):
    output = tmp_path / f"out.{suffix}"
    embed(fasta, output, save_dtype=dtype)
    stored = read_embeddings(output).vectors
    expected = embedder.encode(RECORDS.values(), "prot")
    assert stored.dtype == np.float32
    assert 0 < distance(stored, expected) <= limit
    if suffix == "h5":
        with h5py.File(output) as file:
            assert file["A0"].dtype == np.float16
    elif suffix == "parquet":
        assert np.stack(pandas.read_parquet(output).embedding).dtype == np.float16
    else:
        assert load_file(output)["embedding"].dtype == getattr(torch, dtype)
    embed(fasta, output, save_dtype=dtype, pooling="none", overwrite=True)
    expected = embedder.encode(RECORDS.values(), "prot", pooling="none")
    for rows, one in zip(matrices(output), expected, strict=True):
        assert distance(rows.astype(np.float32), one) <= limit


@pytest.mark.parametrize("suffix", ["h5", "parquet"])
def test_only_safetensors_holds_bfloat16(tmp_path, fasta, suffix):
    with pytest.raises(ValueError, match=r"only \.safetensors holds bfloat16; float16 goes any"):
        embed(fasta, tmp_path / f"out.{suffix}", save_dtype="bfloat16")


@pytest.mark.parametrize("pooling", ["mean", "max", "cls", "none"])
@pytest.mark.parametrize(
    ("factor", "problem"), [(1e6, "too large for float16"), (float("nan"), "not finite")]
)
def test_numbers_that_cannot_be_saved_name_their_record(
    tmp_path, fasta, monkeypatch, pooling, factor, problem
):
    embed_pieces = Embedder.embed_pieces

    def second_too_large(self, pieces, *options):
        rows = embed_pieces(self, pieces, *options)
        return [row * factor if i == 1 else row for i, row in enumerate(rows)]

    monkeypatch.setattr(Embedder, "embed_pieces", second_too_large)
    with pytest.raises(ValueError) as error:
        embed(fasta, tmp_path / "out.h5", pooling=pooling, save_dtype="float16")
    assert str(error.value) == f"record 'A0': its embedding holds numbers that are {problem}"
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("pooling", ["mean", "cls", "none"])
def test_truncation_is_reported_and_stored(tmp_path, fasta, embedder, suffix, pooling):
    output = tmp_path / f"out.{suffix}"
    summary = embed(fasta, output, pooling=pooling, truncate=10)
    assert summary.notes == [
        "record 'P62330': 12 letters, embedded are the first 10",
        "record 'Q9Z': 22 letters, embedded are the first 10",
    ]
    expected = embedder.encode([s[:10] for s in RECORDS.values()], "prot", pooling=pooling)
    if pooling == "none":
        results = matrices_of_truncated(output)
    else:
        results = read_embeddings(output).vectors
        assert read_embeddings(output).lengths.tolist() == [12, 2, 22]
    for rows, one in zip(results, expected, strict=True):
        assert distance(rows, one) <= SAME_LIMIT
    assert embedded_letters(output) == [10, 2, 10]


def matrices_of_truncated(path):
    if path.suffix != ".safetensors":
        return matrices(path)
    tensors = load_file(path)
    return [tensors[str(i)] for i in range(3)]


def embedded_letters(path):
    """Read how many letters of each record are embedded; of matrices in Parquet, count."""
    if path.suffix == ".parquet":
        table = pandas.read_parquet(path)
        return (table.embedded if "embedded" in table else table.groupby("record").size()).tolist()
    if path.suffix == ".safetensors":
        return load_file(path)["embedded"].tolist()
    with h5py.File(path) as file:
        return [data.attrs["embedded"] for data in file.values()]


def test_many_truncated_records_are_counted(tmp_path):
    (tmp_path / "in.fasta").write_text("".join(f">r{i}\nMKTAY\n" for i in range(30)))
    notes = embed(tmp_path / "in.fasta", tmp_path / "out.h5", truncate=3).notes
    assert len(notes) == 21
    assert notes[-1] == "truncated were 30 records; 'embedded' in the output says which"


@pytest.mark.parametrize("suffix", FORMATS)
def test_how_a_file_was_made_stands_in_it(tmp_path, fasta, suffix):
    output = tmp_path / f"out.{suffix}"
    embed(fasta, output, layers=[0, -1], window=100, truncate=50)
    weights = hashlib.sha256((HUB / "model.safetensors").read_bytes()).hexdigest()
    config = hashlib.sha256((HUB / "config.json").read_bytes()).hexdigest()
    provenance = read_provenance(output)
    versions = provenance.pop("versions")
    assert versions.keys() == {"lucaone-hf", "torch", "transformers"}
    assert versions["torch"] == torch.__version__
    decisive = {
        "pooling": "mean",
        "layers": [0, -1],
        "dtype": "as stored",
        "save_dtype": "float32",
        "attn_implementation": "sdpa",
        "window": 100,
        "overlap": 25,
        "merge": "centre",
        "truncate": 50,
    }
    records = survey(read_records(fasta, seq_type="prot"))
    assert provenance == {
        "format": "lucaone-embeddings 1",
        "model": "hub-tiny",
        "revision": None,
        "input": "proteins.fasta",
        "records": 3,
        "letters": 36,
        "made_from": {
            "input_sha256": records.sha256,
            "weights_sha256": weights,
            "config_sha256": config,
            **decisive,
        },
        "options": {
            "seq_type": "prot",
            **decisive,
            "dtype": None,
            "attn_implementation": None,
            "overlap": None,
            "id_column": None,
            "sequence_column": None,
            "keep_gaps": False,
        },
        "notes": [],
    }
    assert str(tmp_path) not in json.dumps(provenance)


def test_provenance_in_plain_libraries(tmp_path, fasta):
    for suffix in ("hdf5", "parquet", "safetensors"):
        embed(fasta, tmp_path / f"out.{suffix}")
    with h5py.File(tmp_path / "out.hdf5") as file:
        texts = [file.attrs["lucaone"]]
    texts.append(pq.read_schema(tmp_path / "out.parquet").metadata[b"lucaone"])
    with safe_open(tmp_path / "out.safetensors", "np") as file:
        texts.append(file.metadata()["lucaone"])
    for text in texts:
        assert json.loads(text)["model"] == "hub-tiny"


def test_what_cleaning_removed_is_kept_with_the_output(tmp_path):
    (tmp_path / "in.fasta").write_text(">a\nMK--T*\n>b\nMKT\n")
    summary = embed(tmp_path / "in.fasta", tmp_path / "out.parquet")
    notes = ["removed 2 gaps and 1 trailing '*' in 1 of 2 records"]
    assert summary.notes == read_provenance(tmp_path / "out.parquet")["notes"] == notes


def test_long_notes_fit_into_hdf5(tmp_path):
    layout = Layout((4,), False, torch.float32, False, json.dumps({"notes": ["n" * 300_000]}))
    with open_writer(tmp_path / "out.h5", tmp_path, layout) as writer:
        writer.add(StoredRecord(0, "a", 3, 3), 0, torch.ones(4))
        writer.close()[0][0].rename(tmp_path / "out.h5")
    assert len(read_provenance(tmp_path / "out.h5")["notes"][0]) == 300_000


@pytest.mark.parametrize("pooling", ["mean", "none"])
def test_parquet_is_written_in_row_groups(tmp_path, fasta, monkeypatch, pooling):
    embed(fasta, tmp_path / "whole.parquet", pooling=pooling)
    monkeypatch.setattr(writers, "ROW_GROUP_BYTES", 256)
    embed(fasta, tmp_path / "groups.parquet", pooling=pooling)
    assert pq.ParquetFile(tmp_path / "whole.parquet").num_row_groups == 1
    assert pq.ParquetFile(tmp_path / "groups.parquet").num_row_groups == 3
    assert pq.read_table(tmp_path / "groups.parquet") == pq.read_table(tmp_path / "whole.parquet")


@pytest.mark.parametrize(
    ("limit", "value", "records"), [("SHARD_BYTES", 300, [2, 1]), ("SHARD_RECORDS", 1, [1, 1, 1])]
)
def test_several_safetensors_files(tmp_path, fasta, monkeypatch, limit, value, records):
    output = tmp_path / "out.safetensors"
    embed(fasta, output)
    whole = read_embeddings(output)
    output.unlink()
    monkeypatch.setattr(writers, limit, value)
    embed(fasta, output)
    files = [f"out-{i:05}-of-{len(records):05}.safetensors" for i in range(1, len(records) + 1)]
    names = {"proteins.fasta", "out.safetensors.index.json", *files}
    assert {path.name for path in tmp_path.iterdir()} == names
    index = json.loads((tmp_path / "out.safetensors.index.json").read_text())
    assert index["shards"] == [
        {"file": file, "records": count} for file, count in zip(files, records, strict=True)
    ]
    assert index["lucaone"] == read_provenance(output) == whole.provenance
    stored = read_embeddings(output)
    assert stored.ids == whole.ids
    assert stored.lengths.tolist() == whole.lengths.tolist()
    assert np.array_equal(stored.vectors, whole.vectors)

    assert "is complete; nothing was done" in embed(fasta, output).notes[0]
    with pytest.raises(ValueError, match="was made with pooling 'mean', not 'max'"):
        embed(fasta, output, pooling="max")
    # Matrices take more; their tensors are numbered through all files.
    embed(fasta, output, pooling="none", overwrite=True)
    shards = sorted(tmp_path.glob("out-*"))
    assert sorted(name for shard in shards for name in load_file(shard) if name != "length") == [
        "0",
        "1",
        "2",
    ]
    # One file in place of several leaves none of them.
    monkeypatch.undo()
    embed(fasta, output, overwrite=True)
    assert {path.name for path in tmp_path.iterdir()} == {"proteins.fasta", "out.safetensors"}
    assert np.array_equal(read_embeddings(output).vectors, whole.vectors)


@pytest.mark.parametrize("suffix", FORMATS)
def test_permissions_are_those_of_any_new_file(tmp_path, fasta, suffix):
    (tmp_path / "any").touch()
    embed(fasta, tmp_path / f"out.{suffix}")
    mode = stat.S_IMODE((tmp_path / f"out.{suffix}").stat().st_mode)
    assert mode == stat.S_IMODE((tmp_path / "any").stat().st_mode)


@pytest.mark.parametrize("suffix", FORMATS)
def test_files_that_are_no_vectors(tmp_path, fasta, suffix):
    path = tmp_path / f"out.{suffix}"
    with pytest.raises(ValueError) as error:
        read_embeddings(path)
    assert str(error.value) == f"{path}: no such file"
    path.write_bytes(b"no such format" * 100)
    with pytest.raises(ValueError, match="cannot be read: ") as error:
        read_embeddings(path)
    assert str(error.value).startswith(f"{path}: ")
    assert len(str(error.value).splitlines()) == 1
    embed(fasta, path, pooling="none", overwrite=True)
    with pytest.raises(ValueError) as error:
        read_embeddings(path)
    assert str(error.value) == f"{path}: holds a vector per residue, not one per sequence"


def test_files_of_others(tmp_path):
    pandas.DataFrame({"id": ["a"]}).to_parquet(tmp_path / "x.parquet")
    h5py.File(tmp_path / "x.h5", "w").close()
    for path in (tmp_path / "x.parquet", tmp_path / "x.h5", HUB / "model.safetensors"):
        with pytest.raises(ValueError) as error:
            read_embeddings(path)
        assert str(error.value) == f"{path}: not a file of `lucaone embed`"
    with pytest.raises(ValueError, match=r"no embedding file; those end in \.h5"):
        read_embeddings(tmp_path / "x.csv")
