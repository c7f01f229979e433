# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Files of sequences to files of embeddings: what is read, and which work is whose."""

import bz2
import gzip
import io
import json
import os
import shutil
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pandas
import pytest
import torch
from safetensors.torch import load_file, save_file

from embedding import Embedder, embed_file, files, read_embeddings
from embedding.embedder import POOLINGS
from embedding.parts import PART_PIECES, PartFolder, plan_parts
from sequence_io import SAMPLE_FASTA, SequenceFileError, SequenceRecord, read_records
from tests.helpers import GOLDEN, REPOSITORY, SAME_LIMIT, relative_l2

HUB = GOLDEN / "hub-tiny"
DATA = REPOSITORY.parent / "shared" / "data"
RECORDS = {f"p{i}": "MKTAYIAKQRQISFVKSHFSRQ"[i:] * (1 + i % 3) for i in range(8)}
FASTA = "".join(f">{name}\n{letters}\n" for name, letters in RECORDS.items())
DNA = "".join(f">g{i}\n{'ACGTTGCAAT' * 5}\n" for i in range(4))


@pytest.fixture(scope="module")
def embedder():
    return Embedder(HUB, device="cpu")


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "in.fasta"
    path.write_text(FASTA)
    return path


@pytest.fixture
def no_model(monkeypatch):
    """Let it fail to load any model."""

    def refuse(*args, **kwargs):
        raise AssertionError("a model was loaded")

    monkeypatch.setattr(files, "Embedder", refuse)


def embed(source, output, seq_type="prot", model=HUB, **options):
    return embed_file(source, output, model, seq_type, device="cpu", **options)


def distance(result, expected):
    return relative_l2(torch.as_tensor(result), torch.as_tensor(expected))


def interrupted(monkeypatch, parts, *arguments, **options):
    """Embed a file and press Ctrl-C after so many parts."""
    write, count = PartFolder.write, 0

    def stop(self, *args):
        nonlocal count
        if count == parts:
            raise KeyboardInterrupt
        write(self, *args)
        count += 1

    with monkeypatch.context() as patch:
        patch.setattr(PartFolder, "write", stop)
        with pytest.raises(KeyboardInterrupt):
            embed(*arguments, **options)


def parts_of(output):
    return sorted(output.with_name(f"{output.name}.partial").glob("part-*.safetensors"))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_sample_in_its_order(tmp_path, embedder, pooling):
    output = tmp_path / "sample.safetensors"
    summary = embed(SAMPLE_FASTA, output, "header", pooling=pooling)
    records = list(read_records(SAMPLE_FASTA, seq_type="header"))
    assert (summary.output, summary.records, summary.letters) == (output, 10, 1467)
    each = "vectors for each residue" if pooling == "none" else "vectors"
    assert (summary.shape, summary.notes) == (f"{each} of 64 numbers", [])
    expected = embedder.encode(
        [record.sequence for record in records],
        [record.seq_type for record in records],
        pooling=pooling,
    )
    stored = load_file(output)
    rows = [stored[str(i)] for i in range(10)] if pooling == "none" else stored["embedding"]
    for row, one in zip(rows, expected, strict=True):
        assert distance(row, one) <= SAME_LIMIT
    assert [path.name for path in tmp_path.iterdir()] == ["sample.safetensors"]


def test_a_table_that_names_its_molecule_types(tmp_path, embedder):
    source = tmp_path / "both.csv"
    source.write_text("kind,seq_id,seq\ndna,one,ACGT\nProtein,two,MKT\nrna,three,ACGU\n")
    embed(source, tmp_path / "out.h5", "column:kind")
    stored = read_embeddings(tmp_path / "out.h5")
    assert stored.ids == ["one", "two", "three"]
    expected = embedder.encode(["ACGT", "MKT", "ACGT"], ["gene", "prot", "gene"])
    assert distance(stored.vectors, expected) <= SAME_LIMIT


def test_columns_may_be_named(tmp_path):
    source = tmp_path / "named.tsv"
    source.write_text("protein\tname\nMKT\tone\n")
    embed(source, tmp_path / "out.h5", id_column="name", sequence_column="protein")
    assert read_embeddings(tmp_path / "out.h5").ids == ["one"]


def test_gaps_and_stops_are_removed_or_kept(tmp_path):
    source = tmp_path / "gaps.fasta"
    source.write_text(">a\nMK--T*\n>b\nMKT\n")
    summary = embed(source, tmp_path / "out.h5")
    assert summary.notes == ["removed 2 gaps and 1 trailing '*' in 1 of 2 records"]
    assert read_embeddings(tmp_path / "out.h5").lengths.tolist() == [3, 3]
    summary = embed(source, tmp_path / "kept.h5", keep_gaps=True)
    assert summary.notes == []
    assert read_embeddings(tmp_path / "kept.h5").lengths.tolist() == [6, 3]


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress])
def test_standard_input_is_read(tmp_path, monkeypatch, fasta, compress):
    embed(fasta, tmp_path / "file.h5")
    stdin = SimpleNamespace(buffer=io.BytesIO(compress(FASTA.encode())))
    monkeypatch.setattr(sys, "stdin", stdin)
    embed("-", tmp_path / "stdin.h5")
    result, expected = (read_embeddings(tmp_path / name) for name in ("stdin.h5", "file.h5"))
    assert np.array_equal(result.vectors, expected.vectors)
    assert result.provenance["input"] == "standard input"
    assert result.provenance["made_from"] == expected.provenance["made_from"]
    assert {path.name for path in tmp_path.iterdir()} == {"in.fasta", "file.h5", "stdin.h5"}


def test_errors_of_standard_input_say_so(tmp_path, monkeypatch):
    for text, problem in ((">a\nMK7\n", "record 'a' (line 1), position 3"), (DNA, "4 of 4")):
        stdin = SimpleNamespace(buffer=io.BytesIO(text.encode()))
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(SequenceFileError) as error:
            embed("-", tmp_path / "out.h5")
        assert str(error.value).startswith(f"standard input: {problem}")
        assert not list(tmp_path.iterdir())


def test_a_pipe_is_read_once(tmp_path, fasta):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text(FASTA))
    writer.start()
    summary = embed(pipe, tmp_path / "out.h5")
    writer.join()
    assert summary.records == len(RECORDS)
    embed(fasta, tmp_path / "file.h5")
    result, expected = (read_embeddings(tmp_path / name) for name in ("out.h5", "file.h5"))
    assert np.array_equal(result.vectors, expected.vectors)


def another_container(folder, kind):
    """Write the same records in another way."""
    if kind == "gzip":
        path = folder / "same.fasta.gz"
        path.write_bytes(gzip.compress(FASTA.encode()))
    elif kind == "lower case, in lines":
        path = folder / "same.faa"
        lines = (f">{name} kinase\n{s[:9].lower()}\n{s[9:]}*\n" for name, s in RECORDS.items())
        path.write_text("".join(lines))
    else:
        path = folder / f"same.{kind}"
        table = pandas.DataFrame({"id": RECORDS.keys(), "seq": RECORDS.values()})
        table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    return path


@pytest.mark.parametrize("kind", ["gzip", "lower case, in lines", "csv", "parquet"])
def test_the_same_records_in_another_file_are_the_same_job(tmp_path, monkeypatch, fasta, kind):
    whole, output = tmp_path / "whole.h5", tmp_path / "out.h5"
    embed(fasta, whole, save_every=100)
    interrupted(monkeypatch, 2, fasta, output, save_every=100)
    other = another_container(tmp_path, kind)
    embed(other, output)
    assert output.read_bytes() == whole.read_bytes()
    assert embed(other, output).notes == [f"{output} is complete; nothing was done"]


def test_a_complete_output_is_left_as_it_is(tmp_path, monkeypatch, fasta):
    output = tmp_path / "out.h5"
    first = embed(fasta, output)
    before = output.stat()
    monkeypatch.setattr(files, "Embedder", None)
    summary = embed(fasta, output)
    assert summary.notes == [f"{output} is complete; nothing was done"]
    assert (summary.records, summary.letters) == (first.records, first.letters)
    assert (output.stat().st_ino, output.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert {path.name for path in tmp_path.iterdir()} == {"in.fasta", "out.h5"}


@pytest.fixture
def other_model(tmp_path):
    """A model in which one tensor is another."""
    folder = tmp_path / "model"
    shutil.copytree(HUB, folder)
    tensors = load_file(folder / "model.safetensors")
    tensors["lucaone.encoder.layers.2.fc2.bias"][0] += 1e-3
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.fixture
def other_config(tmp_path):
    """A model of another configuration, with the same weights."""
    folder = tmp_path / "model"
    shutil.copytree(HUB, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"layer_norm_eps": 1e-5}))
    return folder


OTHER_OPTIONS = [
    ({"pooling": "max"}, "pooling 'mean', not 'max'"),
    ({"layers": [0, -1]}, r"layers -1, not \[0, -1\]"),
    ({"window": 30}, "window 16384, not 30 and overlap 4096, not 7"),
    ({"overlap": 5}, "overlap 4096, not 5"),
    ({"merge": "published"}, "overlap 4096, not 8192 and merge 'centre', not 'published'"),
    ({"dtype": "bfloat16"}, "dtype 'as stored', not 'bfloat16'"),
    ({"save_dtype": "float16"}, "save_dtype 'float32', not 'float16'"),
    ({"attn_implementation": "eager"}, "attn_implementation 'sdpa', not 'eager'"),
    ({"truncate": 10}, "truncate None, not 10"),
]
MORE_RECORD = FASTA + ">another\nMK\n"
OTHER_INPUTS = [
    (MORE_RECORD, "prot"),
    (FASTA.replace(">p3", ">q3"), "prot"),
    (FASTA.replace("MKTAYI", "MKTAYV", 1), "prot"),
    ("".join(f">{name}\n{letters}\n" for name, letters in reversed(RECORDS.items())), "prot"),
    (FASTA, "gene"),
]


@pytest.mark.parametrize(("options", "difference"), OTHER_OPTIONS)
def test_other_options_are_another_job(tmp_path, monkeypatch, no_model, fasta, options, difference):
    check_refusal(tmp_path, monkeypatch, "begun", fasta, (fasta, options), difference)


@pytest.mark.parametrize("state", ["begun", "complete"])
@pytest.mark.parametrize(("text", "seq_type"), OTHER_INPUTS)
def test_other_sequences_are_another_job(
    tmp_path, monkeypatch, no_model, fasta, state, text, seq_type
):
    other = tmp_path / "other.fasta"
    other.write_text(text)
    options = {"seq_type": seq_type, "force": True}
    check_refusal(tmp_path, monkeypatch, state, fasta, (other, options), "other input")


@pytest.mark.parametrize("state", ["begun", "complete"])
@pytest.mark.parametrize("what", ["weights", "config"])
def test_another_model_is_another_job(tmp_path, monkeypatch, no_model, fasta, state, what, request):
    model = request.getfixturevalue({"weights": "other_model", "config": "other_config"}[what])
    check_refusal(tmp_path, monkeypatch, state, fasta, (fasta, {"model": model}), f"other {what}")


def check_refusal(tmp_path, monkeypatch, state, fasta, other, difference):
    """A begun or complete output of one job refuses the other, and is as it was."""
    output = tmp_path / "out.h5"
    with monkeypatch.context() as patch:
        patch.setattr(files, "Embedder", Embedder)
        if state == "begun":
            interrupted(monkeypatch, 2, fasta, output, save_every=100)
        else:
            embed(fasta, output)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    source, options = other
    begin = f"{output}.partial was begun" if state == "begun" else f"{output} was made"
    with pytest.raises(ValueError, match=f"{difference}; --overwrite replaces it, an") as error:
        embed(source, output, **options)
    assert str(error.value).startswith(f"{begin} with ")
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("state", ["begun", "complete"])
def test_overwriting_starts_anew(tmp_path, monkeypatch, fasta, state):
    output, expected = tmp_path / "out.h5", tmp_path / "expected.h5"
    embed(fasta, expected, pooling="max", save_every=50)
    if state == "begun":
        interrupted(monkeypatch, 3, fasta, output, save_every=100)
    else:
        embed(fasta, output)
    embed(fasta, output, pooling="max", overwrite=True, save_every=50)
    assert output.read_bytes() == expected.read_bytes()
    assert not parts_of(output)


def test_what_an_output_held_stays_until_the_other_is_whole(tmp_path, monkeypatch, fasta):
    output = tmp_path / "out.h5"
    embed(fasta, output)
    before = output.read_bytes()
    options = {"pooling": "max", "save_every": 100}
    interrupted(monkeypatch, 3, fasta, output, overwrite=True, **options)
    assert output.read_bytes() == before
    # The command that made it does not throw the begun replacement away.
    with pytest.raises(ValueError, match=r"out\.h5\.partial was begun with pooling 'max', not 'm"):
        embed(fasta, output)
    assert len(parts_of(output)) == 3
    embed(fasta, output, overwrite=True, **options)
    assert read_embeddings(output).provenance["made_from"]["pooling"] == "max"


@pytest.mark.parametrize("suffix", ["h5", "parquet", "safetensors"])
@pytest.mark.parametrize("pooling", ["mean", "none"])
def test_an_interrupted_job_goes_on_where_it_stopped(tmp_path, monkeypatch, fasta, suffix, pooling):
    whole, output = tmp_path / f"whole.{suffix}", tmp_path / f"out.{suffix}"
    options = {"pooling": pooling, "window": 20, "truncate": 40}
    embed(fasta, whole, save_every=60, **options)
    for parts in (1, 0, 2):
        before = len(parts_of(output))
        interrupted(monkeypatch, parts, fasta, output, save_every=60, **options)
        assert len(parts_of(output)) == before + parts
        assert not output.exists()
    done = {path: path.stat().st_mtime_ns for path in parts_of(output)}
    # Parts stay as they were begun, whatever is asked for now; none is made again.
    interrupted(monkeypatch, 1, fasta, output, save_every=7, **options)
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert embed(fasta, output, save_every=1000, **options).records == len(RECORDS)
    assert output.read_bytes() == whole.read_bytes()
    assert not output.with_name(f"{output.name}.partial").exists()


def test_a_part_that_is_not_whole_is_made_again(tmp_path, monkeypatch, fasta):
    whole, output = tmp_path / "whole.h5", tmp_path / "out.h5"
    embed(fasta, whole, save_every=60)
    interrupted(monkeypatch, 3, fasta, output, save_every=60)
    part = parts_of(output)[1]
    part.write_bytes(part.read_bytes()[:-1])
    embed(fasta, output)
    assert output.read_bytes() == whole.read_bytes()


def test_sequences_that_change_while_they_are_read(tmp_path, monkeypatch, fasta):
    interrupted(monkeypatch, 2, fasta, tmp_path / "out.h5", save_every=60)
    begin = files._begin

    def begin_and_change(*arguments):
        begin(*arguments)
        fasta.write_text(MORE_RECORD)

    with monkeypatch.context() as patch, pytest.raises(ValueError, match=r"in\.fasta: changed wh"):
        patch.setattr(files, "_begin", begin_and_change)
        embed(fasta, tmp_path / "out.h5")
    assert {path.name for path in tmp_path.iterdir()} == {"in.fasta"}


@pytest.mark.parametrize("name", ["out.h5", "out.parquet", "out.safetensors"])
def test_a_file_of_somebody_else_is_not_overwritten_unasked(tmp_path, no_model, fasta, name):
    output = tmp_path / name
    output.write_bytes(b"months of work" * 99)
    with pytest.raises(ValueError, match=r"cannot be read: .*; --overwrite replaces") as error:
        embed(fasta, output)
    assert str(error.value).startswith(f"{output}: ")
    assert output.read_bytes() == b"months of work" * 99


def test_the_input_is_never_the_output(tmp_path, no_model):
    table = pandas.DataFrame({"id": RECORDS.keys(), "seq": RECORDS.values()})
    table.to_parquet(tmp_path / "in.parquet")
    with pytest.raises(ValueError, match=r"in\.parquet: is the input"):
        embed(tmp_path / "in.parquet", tmp_path / "in.parquet", overwrite=True)
    assert pandas.read_parquet(tmp_path / "in.parquet").id.tolist() == list(RECORDS)


@pytest.mark.parametrize(
    ("text", "seq_type", "message"),
    [
        (">a\nMKT\n>b\nMK7\n", "prot", r"record 'b' \(line 3\), position 3: '7'"),
        (">a seq_type=prot\nMKT\n>b seq_type=fish\nM\n", "header", "record 'b': unknown .* 'fish'"),
        (">a seq_type=prot\nMKT\n>b\nM\n", "header", r"record 'b' \(line 3\): no seq_type"),
        ("", "prot", "holds no records"),
        (DNA, "prot", "4 of 4 sequences read as prot look like nucleic acids.*; .*--force goes on"),
        (FASTA, "gene", "read as gene look like proteins"),
    ],
)
def test_bad_input_shows_before_a_model_is_loaded_and_leaves_nothing(
    tmp_path, no_model, text, seq_type, message
):
    source = tmp_path / "in.fasta"
    source.write_text(text)
    with pytest.raises(SequenceFileError, match=message) as error:
        embed(source, tmp_path / "out.h5", seq_type)
    assert str(error.value).startswith(f"{source}: ")
    assert [path.name for path in tmp_path.iterdir()] == ["in.fasta"]


def test_a_molecule_type_that_looks_wrong_can_be_forced(tmp_path, embedder):
    (tmp_path / "in.fasta").write_text(DNA)
    embed(tmp_path / "in.fasta", tmp_path / "out.h5", "prot", force=True)
    expected = embedder.encode("ACGTTGCAAT" * 5, "prot")
    assert distance(read_embeddings(tmp_path / "out.h5").vectors[0], expected) <= SAME_LIMIT


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        ("out.txt", {}, r"unknown output format; known are \.h5 \.hdf5 \.parquet \.safetensors"),
        ("none/out.h5", {}, "cannot be written: No such file or directory"),
        ("file/out.h5", {}, "cannot be written: Not a directory"),
        ("folder.h5", {}, "cannot be written: there is a folder of this name"),
        ("out.h5", {"pooling": "median"}, "unknown pooling 'median'"),
        ("out.h5", {"seq_type": "fish"}, "unknown seq_type 'fish'.*header.*column:NAME"),
        ("out.h5", {"save_dtype": "int8"}, "unknown save_dtype 'int8'"),
        ("out.h5", {"save_dtype": "bfloat16"}, r"only \.safetensors holds bfloat16"),
        ("out.h5", {"layers": 9}, "there is no layer 9: the model has layers 0 .* to 3"),
        ("out.h5", {"window": 3}, "window of 3 letters is too short"),
        ("out.h5", {"window": 8, "overlap": 8}, "overlap of 8 letters is not shorter"),
        ("out.h5", {"overlap": 8, "merge": "published"}, "merge published has its own overlap"),
        ("out.h5", {"truncate": 0}, "nothing is left of a sequence truncated to 0 letters"),
        ("out.h5", {"model": "nowhere"}, "nowhere: there is no such folder"),
    ],
)
def test_bad_outputs_and_options_show_before_a_model_is_loaded(
    tmp_path, no_model, fasta, output, options, message
):
    (tmp_path / "file").touch()
    (tmp_path / "folder.h5").mkdir()
    before = set(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match=message):
        embed(fasta, tmp_path / output, **options)
    assert set(tmp_path.rglob("*")) == before


def test_an_option_that_there_is_not(tmp_path, fasta):
    with pytest.raises(TypeError, match="embed_file has no option poolng"):
        embed(fasta, tmp_path / "out.h5", poolng="max")


def test_hdf5_without_its_library(tmp_path, monkeypatch, no_model, fasta):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"h5py: pip install 'lucaone-hf\[hdf5\]'"):
        embed(fasta, tmp_path / "out.h5")
    monkeypatch.setattr(files, "Embedder", Embedder)
    assert embed(fasta, tmp_path / "out.parquet").records == len(RECORDS)


def plan(records, **options):
    """Plan the parts of records of a protein."""
    defaults = {"first_window_only": False, "truncate": None}
    defaults |= {"window": 100, "overlap": None, "merge": "centre", "save_every": 100}
    return plan_parts(records, **(defaults | options))


def test_parts_are_planned_as_a_stream():
    """What has been read when a part is ready is what it holds, and one record more."""
    read = 0

    def records():
        nonlocal read
        for read in range(1, 1_000_000):
            yield SequenceRecord(f"r{read}", "M" * 30, "prot")

    for number, part in enumerate(plan(records()), start=1):
        assert len(part) == 3
        assert read == 3 * number + 1
        if number == 5:
            break


@pytest.mark.parametrize("save_every", [1, 7, 100, 10_000])
def test_parts_hold_everything_once_and_keep_to_their_size(save_every):
    records = [SequenceRecord(f"r{i}", "MKTAY" * (i * 7 % 50 + 1), "prot") for i in range(40)]
    parts = list(plan(records, save_every=save_every))
    sizes = [sum(len(planned.piece.text) for planned in part) for part in parts]
    assert all(
        size <= save_every or len(part) == 1 for size, part in zip(sizes, parts, strict=True)
    )
    kept = {}
    for planned in (planned for part in parts for planned in part):
        piece, info = planned
        kept[info.record] = (
            kept.get(info.record, "") + piece.text[piece.keep_start : piece.keep_stop]
        )
        assert info.kept == piece.keep_stop - piece.keep_start
    assert kept == {i: record.sequence for i, record in enumerate(records)}


def test_a_part_of_many_short_records_is_bounded():
    records = (SequenceRecord("r", "M", "prot") for _ in range(2 * PART_PIECES + 1))
    parts = [len(part) for part in plan(records, save_every=10**9)]
    assert parts == [PART_PIECES, PART_PIECES, 1]


def test_only_the_first_window_is_read_for_its_start_token():
    [[planned]] = plan([SequenceRecord("r", "M" * 950, "prot")], first_window_only=True)
    assert len(planned.piece.text) == 100
    assert planned.info.embedded == 950


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "seq_type", "records"),
    [("s1-species/species.fasta", "gene", 1200), ("s2-pfam-clans/clans.fasta", "prot", 2738)],
)
def test_real_files(tmp_path, name, seq_type, records):
    source = DATA / name
    if not source.exists():
        pytest.skip(f"{source} is not here")
    summary = embed(source, tmp_path / "out.h5", seq_type)
    assert summary.records == records
    stored = read_embeddings(tmp_path / "out.h5")
    assert stored.ids == [record.id for record in read_records(source)]
    assert stored.vectors.shape == (records, 64)
    assert np.isfinite(stored.vectors).all()
