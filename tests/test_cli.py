# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The command `lucaone` as a user meets it: what it prints, what it makes, and its errors."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer, BertConfig

import lucaone_cli
from embedding import Embedder, files, read_embeddings
from modeling_lucaone import LucaOneModel
from sequence_io import SAMPLE_FASTA, read_records
from tests.helpers import GOLDEN

HUB, ORIGINAL = GOLDEN / "hub-tiny", GOLDEN / "original-tiny"
SMALL = ["--hidden-size", "32", "--num-hidden-layers", "1", "--num-attention-heads", "4"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(*arguments):
    """Run the command in this process and return its exit status."""
    try:
        return lucaone_cli.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return stop.code


def run_alone(*arguments, **options):
    """Run the command as a process of its own."""
    command = [sys.executable, "-m", "lucaone_cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, **options)


def embed(source, output="out.parquet", model=HUB, seq_type="prot", *options):
    return run(
        *["embed", source, output, "--model", model, "--seq-type", seq_type, "--device", "cpu"],
        *options,
    )


def only_error(captured):
    """Return the message of an error, which must be all that was printed."""
    assert captured.out == ""
    assert captured.err.startswith("lucaone: error: ")
    assert captured.err.count("\n") == 1 and captured.err.endswith("\n")
    return captured.err.removeprefix("lucaone: error: ")


@pytest.mark.parametrize(
    ("name", "text", "seq_type", "options", "status", "parts"),
    [
        ("a.fasta", ">a\nMKT\n", "fish", [], 2, ["unknown seq_type 'fish'", "gene", "prot"]),
        ("a.fasta", ">a\n\n>b\nMKT\n", "prot", [], 1, ["a.fasta", "'a'", "empty sequence"]),
        ("a.fasta", "", "prot", [], 1, ["a.fasta", "no records"]),
        ("a.csv", "", "prot", [], 1, ["a.csv", "no records"]),
        ("a.fasta", "MKTAYI\n", "prot", [], 1, ["a.fasta", "line 1", "no header"]),
        ("a.fasta", ">a\nMKT\n>b\nMK7T\n", "prot", [], 1, ["a.fasta", "'b'", "position 3", "'7'"]),
        ("a.fasta", ">a\nMKT\n", "header", [], 1, ["a.fasta", "'a'", "seq_type="]),
        ("a.fasta", ">a seq_type=fish\nM\n", "header", [], 1, ["a.fasta", "'a'", "'fish'"]),
        ("a.fasta", ">a\nMKT\n", "column:kind", [], 1, ["a.fasta", "column:kind"]),
        ("a.csv", "id,seq\na,MKT\n", "column:kind", [], 1, ["a.csv", "'kind'", "'id', 'seq'"]),
        ("a.csv", "id,s\na,M\n", "prot", ["--sequence-column", "q"], 1, ["a.csv", "'q'", "'s'"]),
        ("a.csv", "name,s\na,M\n", "prot", [], 1, ["a.csv", "--id-column", "'name', 's'"]),
        ("a.pdb", "ATOM\n", "prot", [], 1, ["a.pdb", "unknown format"]),
    ],
)
def test_bad_input(tmp_path, capsys, name, text, seq_type, options, status, parts):
    Path(name).write_text(text)
    assert embed(name, "out.parquet", HUB, seq_type, *options) == status
    message = only_error(capsys.readouterr())
    assert all(part in message for part in parts), message
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_missing_input(capsys):
    assert embed("none.fasta") == 1
    assert only_error(capsys.readouterr()) == "none.fasta: no such file\n"


@pytest.mark.parametrize(
    ("output", "status", "problem"),
    [
        ("out.npz", 2, "unknown output format; known are .h5 .hdf5 .parquet .safetensors"),
        ("out", 2, "unknown output format; known are .h5 .hdf5 .parquet .safetensors"),
        ("none/out.parquet", 1, "cannot be written: No such file or directory"),
        ("/proc/out.parquet", 1, "cannot be written: No such file or directory"),
    ],
)
def test_an_output_that_cannot_be_written(capsys, output, status, problem):
    assert embed(SAMPLE_FASTA, output, HUB, "header") == status
    assert only_error(capsys.readouterr()) == f"{output}: {problem}\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written_to(capsys):
    Path("locked").mkdir(mode=0o500)
    assert embed(SAMPLE_FASTA, "locked/out.parquet", HUB, "header") == 1
    message = only_error(capsys.readouterr())
    assert message == "locked/out.parquet: cannot be written: Permission denied\n"


@pytest.mark.parametrize("case", ["another model", "missing tensor", "no model", "no folder"])
def test_a_bad_model(tmp_path, capsys, case):
    model = tmp_path / "model"
    if case == "another model":
        BertConfig().save_pretrained(model)
    elif case == "missing tensor":
        model.mkdir()
        shutil.copy(HUB / "config.json", model)
        tensors = load_file(HUB / "model.safetensors")
        del tensors["lucaone.encoder.layers.1.fc2.bias"]
        save_file(tensors, model / "model.safetensors", metadata={"format": "pt"})
    elif case == "no model":
        model.mkdir()
    problem = {
        "another model": "a model of type 'bert', not 'lucaone'",
        "missing tensor": "tensor encoder.layers.1.fc2.bias is missing",
        "no model": "holds no model, for it has no config.json",
        "no folder": "there is no such folder, and a Hub repository is called OWNER/NAME",
    }[case]
    assert embed(SAMPLE_FASTA, "out.parquet", model, "header") == 1
    assert only_error(capsys.readouterr()) == f"{model}: {problem}\n"
    assert not Path("out.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["COMMAND"]),
        (["embd"], ["embd", "embed", "convert", "init"]),
        (["embed", "a.fasta", "a.parquet", "--model", "m"], ["--seq-type", "lucaone embed --help"]),
        (["embed", "a.fasta", "a.parquet", "--seq-type", "prot"], ["--model"]),
        (["embed", "a", "a.parquet", "--model", "m", "--seq", "prot"], ["--seq-type"]),
        (["init", "d", "--hidden-size", "wide"], ["--hidden-size", "'wide'", "positive"]),
        (["init", "d", "--hidden-size", "0"], ["--hidden-size", "'0'"]),
        (["init", "d", "--hidden-size", "30", *SMALL[2:]], ["hidden_size 30", "4 attention heads"]),
        (["init", "d", "--seq-type", "fish", *SMALL], ["seq_type 'fish'"]),
        (["convert", str(ORIGINAL), "d", "--seq-type", "fish"], ["seq_type 'fish'"]),
        (["convert", "s", "d", "--dtype", "int8"], ["--dtype", "int8"]),
    ],
)
def test_bad_usage(tmp_path, capsys, arguments, parts):
    assert run(*arguments) == 2
    message = only_error(capsys.readouterr())
    assert all(part in message for part in parts), message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--pooling", "median"),
        ("--device", "gpu"),
        ("--dtype", "int8"),
        ("--tokens-per-batch", "-5"),
        ("--attn-implementation", "flashy"),
        ("--layers", "two"),
        ("--layers", "1,"),
        ("--save-dtype", "int8"),
        ("--merge", "average"),
        ("--window", "0"),
        ("--overlap", "-1"),
        ("--truncate", "0"),
        ("--save-every", "1.5"),
    ],
)
def test_bad_options_of_embed(capsys, option, value):
    assert embed(SAMPLE_FASTA, "out.parquet", HUB, "header", f"{option}={value}") == 2
    message = only_error(capsys.readouterr())
    assert option.removeprefix("--") in message and value in message


@pytest.mark.parametrize(
    ("output", "options", "status", "message"),
    [
        ("out.h5", ["--window=3"], 2, "a window of 3 letters is too short; 4 are the least"),
        (
            "out.h5",
            ["--window=100", "--overlap=100"],
            2,
            "an overlap of 100 letters is not shorter than the window, 100",
        ),
        (
            "out.h5",
            ["--merge=published", "--overlap=9"],
            2,
            "merge published has its own overlap, half a window",
        ),
        (
            "out.h5",
            ["--save-dtype=bfloat16"],
            2,
            "out.h5: only .safetensors holds bfloat16; float16 goes anywhere",
        ),
        (
            "out.h5",
            ["--layers=0,9"],
            1,
            "there is no layer 9: the model has layers 0 (the embeddings) to 3 (the last block "
            "and norm)",
        ),
    ],
)
def test_options_of_embed_that_do_not_go_together(
    tmp_path, capsys, output, options, status, message
):
    assert embed(SAMPLE_FASTA, output, HUB, "header", *options) == status
    assert only_error(capsys.readouterr()) == f"{message}\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("layers", "shape"), [("1", (64,)), ("-2", (64,)), ("0,-1", (2, 64)), ("all", (4, 64))]
)
def test_layers_on_the_command_line(layers, shape):
    assert embed(SAMPLE_FASTA, "out.h5", HUB, "header", f"--layers={layers}") == 0
    vectors = read_embeddings("out.h5").vectors
    assert vectors.shape == (10, *shape)


def test_a_molecule_type_that_looks_wrong_is_questioned_before_a_model_is_loaded(
    capsys, monkeypatch
):
    Path("dna.fasta").write_text(f">gene\n{'ACGTTGCAGT' * 5}\n")
    with monkeypatch.context() as patch:
        patch.setattr(files, "Embedder", None)
        assert embed("dna.fasta", "out.h5") == 1
    assert only_error(capsys.readouterr()) == (
        "dna.fasta: 1 of 1 sequences read as prot looks like a nucleic acid, 100% of the letters "
        "(record 'gene'); --seq-type tells the type, --force goes on\n"
    )
    assert embed("dna.fasta", "out.h5", HUB, "prot", "--force") == 0


def test_an_output_of_another_run_is_refused_and_a_complete_one_left(capsys):
    assert embed(SAMPLE_FASTA, "out.h5", HUB, "header") == 0
    before = Path("out.h5").read_bytes()
    first = capsys.readouterr()
    assert embed(SAMPLE_FASTA, "out.h5", HUB, "header") == 0
    again = capsys.readouterr()
    assert again.err == "note: out.h5 is complete; nothing was done\n"
    assert again.out == first.out
    assert embed(SAMPLE_FASTA, "out.h5", HUB, "header", "--pooling=max") == 1
    assert only_error(capsys.readouterr()) == (
        "out.h5 was made with pooling 'mean', not 'max'; --overwrite replaces it, another output "
        "keeps both\n"
    )
    assert Path("out.h5").read_bytes() == before
    assert embed(SAMPLE_FASTA, "out.h5", HUB, "header", "--pooling=max", "--overwrite") == 0
    assert read_embeddings("out.h5").provenance["made_from"]["pooling"] == "max"


def test_truncated_records_are_named(capsys):
    assert embed(SAMPLE_FASTA, "out.h5", HUB, "header", "--truncate=400") == 0
    captured = capsys.readouterr()
    long = [r for r in read_records(SAMPLE_FASTA) if len(r.sequence) > 400]
    assert captured.err.splitlines() == [
        f"note: record {r.id!r}: {len(r.sequence)} letters, embedded are the first 400"
        for r in long
    ]


def test_a_missing_library_names_the_extra(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert embed(SAMPLE_FASTA, "out.h5", HUB, "header") == 1
    assert only_error(capsys.readouterr()) == (
        "HDF5 files need h5py: pip install 'lucaone-hf[hdf5]'; .parquet needs nothing more\n"
    )


def test_a_sequence_too_long_for_the_device(capsys, monkeypatch):
    def run_out(self, **inputs):
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate 2.00 GiB")

    monkeypatch.setattr(LucaOneModel, "forward", run_out)
    Path("in.fasta").write_text(">a b\nMKTAYIAKQR\n")
    assert embed("in.fasta", "out.h5") == 1
    message = only_error(capsys.readouterr())
    assert message == "record 'a': 10 letters do not fit into the memory of cpu\n"
    assert not Path("out.h5.partial").exists()


def test_bad_sources_and_destinations_of_models(capsys):
    Path("full").mkdir()
    Path("full/file").touch()
    for arguments, part in (
        (["convert", ORIGINAL, "full"], "full is not empty"),
        (["convert", "none", "dest"], "none is not a folder"),
        (["init", "full", *SMALL], "full is not empty"),
        (["init", "dest", "--from-esm2", "full"], "full has no config.json"),
    ):
        assert run(*arguments) == 1
        assert part in only_error(capsys.readouterr())


def test_the_folder_lucaone_is_what_auto_model_takes(capsys):
    assert run("convert", ORIGINAL, "lucaone") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.startswith("layout      original\nclasses     LucaOneForPreTraining")
    model = AutoModel.from_pretrained("lucaone")
    tokenizer = AutoTokenizer.from_pretrained("lucaone")
    states = model(**tokenizer("MKT", seq_type="prot", return_tensors="pt")).last_hidden_state
    assert states.shape == (1, 5, model.config.hidden_size)

    assert embed(SAMPLE_FASTA, "out.parquet", "lucaone", "header") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out == "out.parquet: 10 records, 1,467 letters, vectors of 64 numbers\n"
    table = pandas.read_parquet("out.parquet")
    assert table.id[1] == "NP_051075.1"
    protein = "MTIDRTYPIFTVRWLAVHGLAVPTVSFLGSISAMQFIQR"
    expected = Embedder("lucaone", device="cpu").encode(protein, "prot")
    assert np.linalg.norm(table.embedding[1] - expected) <= 2e-5 * np.linalg.norm(expected)


def test_a_new_model_embeds(capsys):
    assert run("init", "small", *SMALL, "--seed", "3", "--seq-type", "prot") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "blocks      1\n" in captured.out and "random weights of seed 3" in captured.out
    assert json.loads(Path("small/config.json").read_text())["hidden_size"] == 32
    assert AutoTokenizer.from_pretrained("small").seq_type == "prot"

    Path("gaps.fasta").write_text(">a\nM-KT*\n")
    options = ["--pooling", "none", "--dtype", "bfloat16", "--tokens-per-batch", "64"]
    assert embed("gaps.fasta", "out.safetensors", "small", "prot", *options) == 0
    captured = capsys.readouterr()
    assert captured.err == "note: removed 1 gap and 1 trailing '*' in 1 of 1 records\n"
    what = "1 records, 3 letters, vectors for each residue of 32 numbers"
    assert captured.out == f"out.safetensors: {what}\n"
    assert load_file("out.safetensors")["0"].shape == (3, 32)


def test_an_interrupted_command_says_so_in_one_line(capsys, monkeypatch):
    def interrupt(**options):
        raise KeyboardInterrupt

    monkeypatch.setattr("hub_upload.checkpoints.initialization.initialize", interrupt)
    assert run("init", "dest") == 130
    assert only_error(capsys.readouterr()) == "interrupted\n"


COMMANDS = {
    "embed": ["lucaone embed proteins.fasta", "--seq-type", "accelerate launch -m embedding"],
    "annotate": ["lucaone annotate proteins.fasta", "NOT\n    calibrated"],
    "score": ["lucaone score protein.fasta", "Meier et al. 2021"],
    "map": ["lucaone map ", "--compare"],
    "finetune": ["lucaone finetune ProtLoc", "CentralDogma", "accelerate launch -m finetune"],
    "finetune compare": ["lucaone finetune compare ", "--backbones"],
    "predict": ["lucaone predict ", "--base-model"],
    "data central-dogma": ["lucaone data central-dogma ", "--negatives"],
    "convert": ["lucaone convert ", "--labels", "--encoder"],
    "init": ["lucaone init ", "--from-esm2"],
    "pretrain": ["lucaone pretrain "],
    "data gene": ["lucaone data gene "],
    "data protein": ["lucaone data protein "],
    "hub export": ["lucaone hub export ", "--adapter"],
    "hub verify": ["lucaone hub verify ", "trust_remote_code"],
    "hub push": ["lucaone hub push ", "--yes"],
    "hub pull": ["lucaone hub pull ", "--revision"],
    "hub republish": ["lucaone hub republish ", "--reference"],
    "hub space": ["lucaone hub space ", "--pair-model"],
    "demo": ["lucaone demo", "--port"],
}


def test_help_shows_examples_and_answers_without_the_libraries():
    check = (
        "import sys, lucaone_cli\n"
        f"for command in {[[], *(name.split() for name in COMMANDS)]}:\n"
        "    try: lucaone_cli.main([*command, '--help'])\n"
        "    except SystemExit as stop: assert stop.code == 0\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    modules = done.stdout.splitlines()[-1].split()
    assert "lucaone_cli" in modules
    assert not {"torch", "transformers", "numpy", "pyarrow", "matplotlib"} & {*modules}
    for words in COMMANDS.values():
        for word in words:
            assert word in done.stdout, word
    assert done.stdout.count("example:\n") == len(COMMANDS)


def test_the_first_of_two_words_alone(capsys):
    for arguments, status in (["hub"], 2), (["hub", "fly"], 2), (["hub", "--help"], 0):
        with pytest.raises(SystemExit) as stop:
            lucaone_cli.main(arguments)
        assert stop.value.code == status
        out, err = capsys.readouterr()
        for name in ("export", "verify", "push", "pull", "republish", "space"):
            assert name in out + err
        assert (out + err).count("\n") == (6 if status == 0 else 1)


def test_nothing_but_our_own_words_reach_the_terminal():
    arguments = ["embed", SAMPLE_FASTA, "out.parquet", "--seq-type", "header", "--model"]
    done = run_alone(*arguments, HUB)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "out.parquet: 10 records, 1,467 letters, vectors of 64 numbers\n"
    done = run_alone(*arguments, GOLDEN / "original-tiny")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("lucaone: error: ") and done.stderr.count("\n") == 1


def test_a_reader_that_leaves_early_causes_no_traceback():
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "lucaone_cli", "init", "small", *SMALL]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=100)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
    assert Path("small/config.json").exists()
