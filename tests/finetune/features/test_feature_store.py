# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Features of LucaOne in a store: right, computed once, and not lost."""

import json
import os
import pickle
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from accelerate import PartialState
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer

from embedding import embed_file, files, models, read_embeddings, writers
from embedding.parts import PartFolder
from embedding.runner import ModelRunner
from finetune.features import FeatureStore, TypedSequence, open_backbone
from finetune.features import files as feature_files
from finetune.features.lucaone import LucaOneBackbone
from tests.helpers import GOLDEN, REPOSITORY, SAME_LIMIT, relative_l2

HUB = str(GOLDEN / "hub-tiny")
AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"


def random_sequences(count, seed=0):
    generator = random.Random(seed)
    return [
        TypedSequence(kind, "".join(generator.choices(letters, k=generator.randint(1, 60))))
        for kind, letters in generator.choices([("gene", "ACGTN"), ("prot", AMINO_ACIDS)], k=count)
    ]


SEQUENCES = random_sequences(20)


@pytest.fixture
def read(monkeypatch):
    """The texts that went through a model."""
    texts = []
    run = ModelRunner.run

    def run_and_note(self, new, *arguments, **options):
        texts.extend(new)
        return run(self, new, *arguments, **options)

    monkeypatch.setattr(ModelRunner, "run", run_and_note)
    return texts


def open_store(folder, rows="residues", name=HUB, **options):
    return FeatureStore(folder, open_backbone(name, rows=rows, device="cpu", **options))


def texts_of(sequences):
    return sorted(sequence.text for sequence in sequences)


def by_the_model(sequence, rows="residues"):
    """Features computed without a store."""
    model, tokenizer = AutoModel.from_pretrained(HUB), AutoTokenizer.from_pretrained(HUB)
    inputs = tokenizer(sequence.text, seq_type=sequence.seq_type, return_tensors="pt")
    with torch.inference_mode():
        hidden = model(**inputs).last_hidden_state[0]
    residues = hidden[1:-1]
    return {
        "residues": residues,
        "mean": residues.mean(0, keepdim=True),
        "max": residues.amax(0, keepdim=True),
        "cls": hidden[:1],
    }[rows]


@pytest.mark.parametrize("rows", ["residues", "mean", "max", "cls"])
def test_features_are_those_of_the_model_whatever_was_there_before(tmp_path, rows):
    store = open_store(tmp_path, rows)
    store.fill(SEQUENCES[:7])
    store.fill(reversed(SEQUENCES))
    for sequence in SEQUENCES:
        features = store[sequence]
        assert features.dtype == torch.float32
        assert features.shape == (len(sequence.text) if rows == "residues" else 1, store.width)
        assert relative_l2(features, by_the_model(sequence, rows)) < SAME_LIMIT


def test_each_distinct_sequence_is_computed_once(tmp_path, read):
    store = open_store(tmp_path)
    report = store.fill(SEQUENCES[:8] * 3)
    assert (report.distinct, report.computed, report.reused) == (8, 8, 0)
    assert report.residues == sum(len(sequence.text) for sequence in SEQUENCES[:8])
    assert sorted(read) == texts_of(SEQUENCES[:8])
    read.clear()
    report = store.fill(reversed(SEQUENCES))
    assert (report.distinct, report.computed, report.reused) == (20, 12, 8)
    assert sorted(read) == texts_of(SEQUENCES[8:])
    read.clear()
    again = open_store(tmp_path)
    assert all(sequence in again for sequence in SEQUENCES)
    assert again.fill(SEQUENCES).computed == 0
    assert read == []
    assert torch.equal(again[SEQUENCES[3]], store[SEQUENCES[3]])


def test_case_and_uracil_make_no_other_sequence_but_the_molecule_type_does(tmp_path, read):
    store = open_store(tmp_path)
    same = [TypedSequence("gene", text) for text in ("ACGUU", "acgtt", "ACGTT")]
    assert store.fill([*same, TypedSequence("prot", "ACGTT")]).computed == 2
    assert read == ["ACGTT"] * 2
    assert torch.equal(store[same[0]], store[same[1]])
    assert not torch.allclose(store[same[0]], store[TypedSequence("prot", "ACGTT")])
    assert TypedSequence("prot", "ACGUU") not in store


def test_gaps_keep_their_rows(tmp_path):
    gapped = TypedSequence("prot", "MK--T.A*")
    store = open_store(tmp_path)
    store.fill([gapped])
    assert relative_l2(store[gapped], by_the_model(gapped)) < SAME_LIMIT


def test_molecule_types_are_not_questioned_here(tmp_path):
    store = open_store(tmp_path)
    assert store.fill([TypedSequence("gene", "MKTAYIAKQRQISFVKSHFSRQLEERLGLI")]).computed == 1


@pytest.mark.parametrize(
    ("sequence", "message"),
    [
        (TypedSequence("dna", "ACGT"), "the molecule type 'dna' is neither gene nor prot"),
        (TypedSequence("gene", ""), "an empty sequence has no features"),
        (TypedSequence("prot", "MK>T"), r"sequence 'MK>T'\.\.\.: '>' is not a letter A to Z"),
        (TypedSequence("prot", "MK\nT"), "is not a letter A to Z"),
    ],
)
def test_what_is_no_sequence_stops_before_anything_is_computed(tmp_path, read, sequence, message):
    store = open_store(tmp_path)
    with pytest.raises(ValueError, match=message):
        store.fill([SEQUENCES[0], sequence])
    assert read == [] and list(tmp_path.iterdir()) == []


def test_without_features_there_is_an_error(tmp_path):
    with pytest.raises(KeyError, match="no features of prot MKT"):
        open_store(tmp_path)[TypedSequence("prot", "MKT")]


def test_whatever_changes_the_numbers_has_a_folder_of_its_own(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(HUB, folder)
    keys = [open_backbone(HUB, rows=rows).key for rows in ("residues", "mean")]
    keys.append(open_backbone(HUB, dtype="bfloat16").key)
    assert open_backbone(str(folder)).key == keys[0]  # the name of the folder decides nothing
    weights = load_file(folder / "model.safetensors")
    weights["lm_head.bias"] = torch.ones_like(next(iter(weights.values()))[0])
    save_file(weights, folder / "model.safetensors")
    keys.append(open_backbone(str(folder)).key)
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 16 and set(key) <= set("0123456789abcdef") for key in keys)


def test_weights_are_hashed_once(tmp_path, monkeypatch):
    models._digest.cache_clear()
    hashed = []
    file_digest = models.hashlib.file_digest

    def digest_and_note(stream, kind):
        hashed.append(stream.name)
        return file_digest(stream, kind)

    monkeypatch.setattr(models.hashlib, "file_digest", digest_and_note)
    store = open_store(tmp_path)
    store.fill(SEQUENCES[:2])
    store.fill(SEQUENCES[:4])
    assert sum(name.endswith(".safetensors") for name in hashed) == 1


def interrupt_after(monkeypatch, parts):
    """Let a job stop when so many parts are on disk."""
    write, written = PartFolder.write, []

    def write_or_stop(self, *arguments):
        if len(written) == parts:
            raise KeyboardInterrupt
        written.append(arguments)
        write(self, *arguments)

    monkeypatch.setattr(files, "SAVE_EVERY", {"cpu": 100})
    monkeypatch.setattr(PartFolder, "write", write_or_stop)


@pytest.mark.parametrize("rows", ["residues", "mean", "cls"])
@pytest.mark.parametrize("wanted", [slice(None), slice(3, 14)])
def test_what_a_killed_job_had_done_is_kept(tmp_path, monkeypatch, read, rows, wanted):
    """The next one may want the same sequences, or others."""
    store = open_store(tmp_path, rows)
    with monkeypatch.context() as patch:
        interrupt_after(patch, 3)
        with pytest.raises(KeyboardInterrupt):
            store.fill(SEQUENCES)
        folder = PartFolder(store.path / "work.safetensors")
        done = {info.id for number in range(3) for info in folder.read(number)[1]}
    assert 0 < len(done) < len(SEQUENCES)
    read.clear()
    store = open_store(tmp_path, rows)
    new = [*SEQUENCES[wanted], TypedSequence("prot", "MKTAYIAK")]
    report = store.fill(new)
    assert sorted(read) == texts_of(s for s in new if s.digest not in done)
    assert report.computed == len(read)
    for sequence in [*new, *(s for s in SEQUENCES if s.digest in done)]:
        assert relative_l2(store[sequence], by_the_model(sequence, rows)) < SAME_LIMIT
    left = {path.name for path in store.path.iterdir()}
    assert left == {"about.json", "lock", "part-0001.safetensors", "part-0002.safetensors"}


@pytest.mark.parametrize("rows", ["residues", "mean", "max"])
def test_sequences_in_windows_are_kept_when_they_are_whole(tmp_path, monkeypatch, rows):
    """Windows of a sequence may lie in several parts, and other processes' parts be missing."""
    store = open_store(tmp_path, rows)
    store.fill([])
    pooling = "none" if rows == "residues" else rows
    fasta, whole = tmp_path / "in.fasta", tmp_path / "whole.safetensors"
    fasta.write_text("".join(f">{s.digest} seq_type={s.seq_type}\n{s.text}\n" for s in SEQUENCES))
    options = {"window": 20, "pooling": pooling, "device": "cpu"}
    embed_file(fasta, whole, HUB, "header", **options)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_after(patch, 9)
        embed_file(fasta, store.path / "work.safetensors", HUB, "header", **options)
    parts = PartFolder(store.path / "work.safetensors")
    (parts.path / "part-00000004.safetensors").unlink()
    kept, pieces = dict.fromkeys(range(len(SEQUENCES)), 0), dict.fromkeys(range(20), 0)
    for number in (0, 1, 2, 3, 5, 6, 7, 8):
        for info in parts.read(number)[1]:
            kept[info.record] += info.kept
            pieces[info.record] += 1
    expected = load_file(whole)
    store.fill([])
    finished = [n for n, s in enumerate(SEQUENCES) if kept[n] == len(s.text)]
    assert any(pieces[n] > 1 for n in finished)
    assert any(0 < kept[n] < len(s.text) for n, s in enumerate(SEQUENCES))
    for number, sequence in enumerate(SEQUENCES):
        assert (sequence in store) == (number in finished)
        if number in finished:
            rows_expected = (
                expected[str(number)] if rows == "residues" else expected["embedding"][[number]]
            )
            assert torch.allclose(store[sequence], rows_expected, rtol=1e-6, atol=1e-7)


def test_parts_of_a_killed_job_become_files_of_bounded_size(tmp_path, monkeypatch, read):
    store = open_store(tmp_path)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_after(patch, 5)
        store.fill(SEQUENCES)
    monkeypatch.setattr("finetune.features.lucaone.PART_BYTES", 150 * 64 * 4)
    store.fill([])
    assert len(list(store.path.glob("part-*"))) >= 2
    assert not list(store.path.glob("work*.partial"))


def test_killed_while_the_output_gets_its_name(tmp_path, monkeypatch, read):
    """It is whole, its parts are still there: nothing is computed, and nothing stored, twice."""
    store = open_store(tmp_path)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):

        def stop(*_):
            raise KeyboardInterrupt

        patch.setattr(PartFolder, "close", stop)
        store.fill(SEQUENCES)
    assert {"work.safetensors", "work.safetensors.partial"} <= {
        path.name for path in store.path.iterdir()
    }
    read.clear()
    store = open_store(tmp_path)
    assert store.fill(SEQUENCES).computed == 0
    assert read == []
    assert [path.name for path in store.path.glob("part-*")] == ["part-0001.safetensors"]
    assert not list(store.path.glob("work*.partial"))


def test_an_output_of_several_files(tmp_path, monkeypatch, read):
    monkeypatch.setattr(writers, "SHARD_RECORDS", 6)
    store = open_store(tmp_path)
    store.fill(SEQUENCES)
    assert len(list(store.path.glob("part-*.safetensors"))) == 4
    assert not list(store.path.glob("work*.index.json"))
    for sequence in SEQUENCES:
        assert relative_l2(store[sequence], by_the_model(sequence)) < SAME_LIMIT
    assert open_store(tmp_path).fill(SEQUENCES).computed == 0


class Child:
    """A process of its own that fills a store, slowly, and can be killed."""

    def __init__(self, folder, monkeypatch, delay):
        self.begun, begun = os.pipe()
        self.id = os.fork()
        if self.id:
            os.close(begun)
            return
        try:
            write = PartFolder.write

            def write_slowly(self, *arguments):
                write(self, *arguments)
                os.write(begun, b".")
                time.sleep(delay)

            monkeypatch.setattr(PartFolder, "write", write_slowly)
            monkeypatch.setattr(files, "SAVE_EVERY", {"cpu": 100})
            open_store(folder).fill(SEQUENCES)
        finally:
            os._exit(0)

    def wait_for_part(self):
        assert select.select([self.begun], [], [], 300)[0]
        os.read(self.begun, 1)


def test_a_job_that_is_killed(tmp_path, monkeypatch, read):
    child = Child(tmp_path, monkeypatch, delay=600)
    child.wait_for_part()
    os.kill(child.id, signal.SIGKILL)
    os.waitpid(child.id, 0)
    report = open_store(tmp_path).fill(SEQUENCES)
    assert 0 < report.computed == len(read) < len(SEQUENCES)
    store = open_store(tmp_path)
    for sequence in SEQUENCES:
        assert relative_l2(store[sequence], by_the_model(sequence)) < SAME_LIMIT


def test_a_second_run_waits_for_the_first(tmp_path, monkeypatch, read):
    child = Child(tmp_path, monkeypatch, delay=0.1)
    child.wait_for_part()
    told = []
    report = open_store(tmp_path).fill(SEQUENCES, told.append)
    os.waitpid(child.id, 0)
    assert [text.rpartition(": ")[2] for text in told] == [
        "another run is at work on it; waiting for it"
    ]
    assert (report.computed, report.reused) == (0, 20)
    assert read == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: path.write_bytes(b"not safetensors"),
        lambda path: save_file({"a": torch.ones(1)}, path),
        lambda path: save_file({"0": torch.ones(3, 64)}, path, {"ids": json.dumps(["a", "b"])}),
        lambda path: save_file({"0": torch.ones(3, 32)}, path, {"ids": json.dumps(["a"])}),
        lambda path: save_file({}, path, {"ids": "[]"}),
        lambda path: save_file({"embedding": torch.ones(3, 64)}, path, {"ids": "no JSON"}),
    ],
)
def test_a_damaged_or_foreign_file_is_named(tmp_path, damage, read):
    store = open_store(tmp_path)
    store.fill(SEQUENCES[:3])
    path = store.path / "part-0001.safetensors"
    damage(path)
    with pytest.raises(ValueError, match="damaged, or no file of these features") as error:
        open_store(tmp_path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    path.unlink()
    read.clear()
    assert open_store(tmp_path).fill(SEQUENCES[:3]).computed == 3


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be written"):
        open_store(tmp_path / "file").fill(SEQUENCES[:1])


def test_a_file_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(feature_files, "save_file", fail)
    with pytest.raises(ValueError, match=r"part-0001\.safetensors: cannot be written: No space"):
        feature_files.save_features(tmp_path, ["a"], [torch.ones(1, 2)], one=True)


def test_no_file_stays_open(tmp_path):
    store = open_store(tmp_path)
    opened = Path("/proc/self/fd")
    before = len(list(opened.iterdir())) if opened.exists() else None
    for sequence in SEQUENCES[:6]:
        store.fill([sequence])
    assert len(store._files) == 6
    assert [len(store[sequence]) for sequence in SEQUENCES[:6]] == [
        len(sequence.text) for sequence in SEQUENCES[:6]
    ]
    if before is not None:
        assert len(list(opened.iterdir())) <= before + 1


@pytest.mark.parametrize("rows", ["residues", "mean"])
def test_a_store_goes_to_another_process(tmp_path, rows):
    store = open_store(tmp_path, rows)
    store.fill(SEQUENCES)
    other = pickle.loads(pickle.dumps(store))
    assert all(torch.equal(other[sequence], store[sequence]) for sequence in SEQUENCES)


def test_features_are_files_of_embeddings(tmp_path):
    store = open_store(tmp_path, "mean")
    store.fill(SEQUENCES)
    stored = read_embeddings(store.path / "part-0001.safetensors")
    assert set(stored.ids) == {sequence.digest for sequence in SEQUENCES}
    assert json.loads((store.path / "about.json").read_text())["name"] == "hub-tiny"


class StandIn:
    """The second of two processes; the first does its work while this one waits at the end."""

    is_main_process = False
    num_processes, process_index = 2, 1

    def __init__(self, first):
        self.waits = [lambda: None, first]

    def wait_for_everyone(self):
        self.waits.pop(0)()


def test_one_process_works_and_the_others_find_the_features(tmp_path, monkeypatch):
    backbone = open_backbone(HUB, device="cpu")
    write, writing = LucaOneBackbone.write, []

    def write_and_note(self, sequences, folder, processes):
        writing.append(processes.process_index)
        return write(self, sequences, folder, processes)

    monkeypatch.setattr(LucaOneBackbone, "shared", False)
    monkeypatch.setattr(LucaOneBackbone, "write", write_and_note)
    first, second = FeatureStore(tmp_path, backbone), FeatureStore(tmp_path, backbone)
    reports = []
    states = [StandIn(lambda: reports.append(first.fill(SEQUENCES))), PartialState(cpu=True)]
    monkeypatch.setattr("finetune.features.store.PartialState", lambda **_: states.pop(0))
    reports.append(second.fill(SEQUENCES))
    assert writing == [0]
    assert [(report.computed, report.reused) for report in reports] == [(20, 0)] * 2
    assert torch.equal(first[SEQUENCES[0]], second[SEQUENCES[0]])


def test_processes_that_do_not_see_the_same_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("finetune.features.store.PartialState", lambda **_: StandIn(lambda: None))
    monkeypatch.setattr(LucaOneBackbone, "shared", False)
    with pytest.raises(ValueError, match=r"lacks 20 features .* do all processes see"):
        open_store(tmp_path).fill(SEQUENCES)


SCRIPT = """
import json, sys
from embedding import files
from embedding.runner import ModelRunner
from finetune.features import FeatureStore, TypedSequence, open_backbone
from finetune.features.hub_encoder import HubEncoder
from accelerate import PartialState

files.SAVE_EVERY = {"cpu": 100}
texts, run, write = [], ModelRunner.run, HubEncoder.write
ModelRunner.run = lambda self, new, *a, **o: (texts.extend(new), run(self, new, *a, **o))[1]
HubEncoder.write = lambda self, new, *a: (texts.extend(new), write(self, new, *a))[1]
folder, out, *names = sys.argv[1:]
sequences = [TypedSequence(*pair) for pair in json.load(open(f"{folder}/sequences.json"))]
seen = []
for name in names:
    store = FeatureStore(folder, open_backbone(name, device="cpu"))
    store.fill(sequences[:5])
    reports = [store.fill(sequences), store.fill(sequences)]
    rows = sum(len(store[sequence]) for sequence in sequences)
    seen.append([len(texts), [report.computed for report in reports], rows])
    texts.clear()
json.dump(seen, open(f"{out}/{PartialState().process_index}.json", "w"))
"""


@pytest.mark.slow
def test_real_processes(tmp_path, tiny_bert):
    script = tmp_path / "fill.py"
    script.write_text(SCRIPT)
    (tmp_path / "sequences.json").write_text(json.dumps(SEQUENCES))
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2"]
    names = [HUB, f"random:{HUB}", str(tiny_bert())]
    subprocess.run(
        [*launcher, str(script), str(tmp_path), str(tmp_path), *names],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        check=True,
        timeout=300,
    )
    first, second = (json.loads((tmp_path / f"{i}.json").read_text()) for i in (0, 1))
    for (texts, computed, rows), (texts_2, computed_2, rows_2) in zip(first, second, strict=True):
        assert computed == computed_2 == [15, 0]
        assert texts + texts_2 == 20  # each once
        assert rows == rows_2 == sum(len(sequence.text) for sequence in SEQUENCES)
    assert [texts > 0 for texts, *_ in second] == [True, True, False]
    store = open_store(tmp_path)
    for sequence in SEQUENCES:
        assert relative_l2(store[sequence], by_the_model(sequence)) < SAME_LIMIT
