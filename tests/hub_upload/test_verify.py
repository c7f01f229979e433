# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone hub verify`: what is right with a repository, and that every damage is found."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from huggingface_hub import HfApi
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from finetune.networks import LORA_TARGETS
from hub_upload import export, verify
from hub_upload.repository import exporting, probe, verification
from hub_upload.repository.manifest import read_manifest, write_manifest
from hub_upload.repository.probe import REFERENCE, Reference
from hub_upload.repository.probe.__main__ import OURS
from hub_upload.repository.verification import Row, Verification
from hub_upload.transfer.pushing import push
from modeling_lucaone import (
    LucaOneForPairClassification,
    LucaOneForPreTraining,
    LucaOneForSequenceClassification,
    LucaOneForTokenClassification,
    LucaOneModel,
)
from tests.helpers import REPOSITORY, TASKS, tiny_config
from tests.hub_upload.hub_server import serve
from tokenization import LucaOneTokenizerFast

OLDEST = REPOSITORY / ".conformance" / "transformers-5.6.0"
FINE = Verification((Row("clean process", "ok", ""),))
THREE = {"num_labels": 3, "problem_type": "single_label_classification"}
SOURCES = {
    "tasks": (LucaOneForPreTraining, {"pretraining_tasks": TASKS}),
    "single": (LucaOneForSequenceClassification, THREE | {"seq_types": ["prot"]}),
    "tokens": (LucaOneForTokenClassification, THREE | {"seq_types": ["gene"]}),
    "pairs": (
        LucaOneForPairClassification,
        THREE | {"pair_kind": "heterogeneous", "seq_types": ["gene", "prot"]},
    ),
}
SINGLE, TOKENS = "AutoModelForSequenceClassification", "AutoModelForTokenClassification"
STOCK_PAIR, PAIR = "AutoModelForNextSentencePrediction", "pipeline pair-classification"
FILES = ["manifest", "card", "privacy", "pickles"]
LOADING = ["config.json", "AutoConfig", "AutoTokenizer"]
ENCODER = ["AutoModel", "pipeline feature-extraction", "SentenceTransformer"]
LETTERS = ["AutoModelForMaskedLM", "pipeline fill-mask"]
CHECKS = {
    "tasks": {*LOADING, *ENCODER, *LETTERS, "AutoModelForPreTraining"},
    "single": {*LOADING, *ENCODER, SINGLE, "pipeline text-classification"},
    "tokens": {*LOADING, *ENCODER, TOKENS, "pipeline token-classification"},
    "pairs": {*LOADING, "AutoModel", STOCK_PAIR, PAIR, "SentenceTransformer"},
    "adapter": {*LOADING, "PeftModel"},
}

# One process for many folders, each probed as if it were the only one.
DRIVER = """
import json, os, sys
from pathlib import Path
from probe.__main__ import isolate, probe

report = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
attempts = isolate()
for line in sys.stdin:
    folder, base = json.loads(line)
    attempts.clear()
    rows = probe(Path(folder), base and Path(base), attempts)
    print(json.dumps(rows), file=report, flush=True)
"""


def save(folder, model_class, **fields):
    torch.manual_seed(0)
    model = model_class(tiny_config(**fields))
    model.save_pretrained(folder)
    LucaOneTokenizerFast().save_pretrained(folder)
    return model


def save_adapter(folder, base):
    """Write an adapter of a classifier as `lucaone finetune` does, with random matrices."""
    model = LucaOneForSequenceClassification(tiny_config(**SOURCES["single"][1]))
    model.lucaone.load_state_dict(LucaOneModel.from_pretrained(base).state_dict())
    lora = LoraConfig(
        r=2,
        target_modules=LORA_TARGETS,
        modules_to_save=["summary", "classifier"],
        init_lora_weights=False,
    )
    adapted = get_peft_model(model, lora)
    adapted.save_pretrained(folder, save_embedding_layers=False)
    adapted.config.save_pretrained(folder)


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    """A good repository of each kind, and `base`, the base model of the adapter."""
    root = tmp_path_factory.mktemp("repositories")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "verify", lambda *_, **__: FINE)
        for kind, (model_class, fields) in SOURCES.items():
            save(root / "sources" / kind, model_class, **fields)
            export(root / "sources" / kind, root / kind, license="apache-2.0")
        save(root / "base", LucaOneModel)
        save_adapter(root / "sources" / "adapter", root / "base")
        export(
            root / "sources" / "adapter",
            root / "adapter",
            adapter="keep",
            base_model=root / "base",
            base_id="someone/base",
        )
    return root


@pytest.fixture
def repository(repositories, tmp_path):
    return shutil.copytree(repositories / "tasks", tmp_path / "tasks")


def relist(folder):
    """Write the manifest anew, as whoever damages a repository on purpose would."""
    manifest = read_manifest(folder)
    write_manifest(folder, manifest["kind"], manifest["card"])


def failed(rows):
    return {row.check: row.detail for row in rows if row.status == "failed"}


def edit(name, old, new):
    def damage(folder):
        text = (folder / name).read_text("utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), "utf-8")

    return damage


def prepend(name, line):
    def damage(folder):
        (folder / name).write_text(f"{line}\n{(folder / name).read_text('utf-8')}", "utf-8")

    return damage


def remove(name):
    return lambda folder: (folder / name).unlink()


def change_tensors(change, name="model.safetensors"):
    def damage(folder):
        tensors = load_file(folder / name)
        change(tensors)
        save_file(tensors, folder / name, metadata={"format": "pt"})

    return damage


def swap_ids(folder):
    content = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = content["model"]["vocab"]
    vocabulary["L"], vocabulary["A"] = vocabulary["A"], vocabulary["L"]
    (folder / "tokenizer.json").write_text(json.dumps(content))


def flip_sign(name):
    return lambda tensors: tensors[name].neg_()


def rename(name):
    return lambda tensors: tensors.update({f"{name}_": tensors.pop(name)})


def halve(name):
    return lambda tensors: tensors.update({name: tensors[name][:1].clone()})


class Damage(NamedTuple):
    """A damage to a repository of some kind, all the checks it fails, and what one of them says."""

    kind: str
    do: Callable[[Path], object]
    fails: Collection[str]
    says: str


TASKS_ONLY = ["AutoModelForPreTraining"]
WITH_LM_HEAD = ["AutoModelForMaskedLM", "AutoModelForPreTraining"]
ADAPTER = "adapter_model.safetensors"
LM_HEAD, BLOCK = "lm_head.dense.weight", "lucaone.encoder.layers.1.fc2.weight"
ANNOTATION, LAST = "annotation_heads.gene_type.out_proj.weight", "classifier.out_proj.weight"
EXTRA = "annotation_heads.other.dense.weight"
IMPORT = "import tokenization"
ASK = "import socket; socket.create_connection(('127.0.0.1', 9))"
HIDE = """
import socket
try:
    socket.create_connection(('127.0.0.1', 9))
except OSError:
    pass
"""
DAMAGES = {
    "an epsilon": Damage(
        "single",
        edit("config.json", '"layer_norm_eps": 1e-05', '"layer_norm_eps": 1e-12'),
        ["AutoConfig"],
        "layer_norm_eps is 1e-12, not 1e-05",
    ),
    "a weight of an annotation head": Damage(
        "tasks",
        change_tensors(flip_sign(ANNOTATION)),
        TASKS_ONLY,
        "padded batch: logits.gene_type differs by",
    ),
    "a weight of the LM head": Damage(
        "tasks", change_tensors(flip_sign(LM_HEAD)), WITH_LM_HEAD, "logits differs by"
    ),
    "a weight of the encoder": Damage(
        "single", change_tensors(flip_sign(BLOCK)), CHECKS["single"] - {*LOADING}, "differs by"
    ),
    "a renamed tensor": Damage(
        "tasks", change_tensors(rename(LM_HEAD)), WITH_LM_HEAD, f"tensor {LM_HEAD} is missing"
    ),
    "a superfluous tensor": Damage(
        "tasks",
        change_tensors(lambda tensors: tensors.update({EXTRA: torch.ones(2)})),
        TASKS_ONLY,
        f"tensor {EXTRA} has no place in the model",
    ),
    "a misshapen tensor": Damage(
        "single",
        change_tensors(halve(LAST)),
        [SINGLE, "pipeline text-classification"],
        f"tensor {LAST} is (1, 128), not (3, 128)",
    ),
    "no weights": Damage(
        "tokens",
        remove("model.safetensors"),
        CHECKS["tokens"] - {*LOADING},
        "model.safetensors",
    ),
    "no configuration": Damage("tokens", remove("config.json"), ["config.json"], "No such file"),
    "no file of the heads": Damage("tasks", remove("heads.py"), TASKS_ONLY, "heads.py"),
    "no file of the pipelines": Damage("pairs", remove("pipelines.py"), [PAIR], "pipelines.py"),
    "an id in tokenizer.json": Damage(
        "tasks",
        swap_ids,
        CHECKS["tasks"] - {"AutoConfig", "AutoModel", *WITH_LM_HEAD, "config.json"},
        "not the LucaOne vocabulary",
    ),
    "a tokenizer that reads otherwise": Damage(
        "tasks",
        edit("tokenization_lucaone.py", '"12234"', '"12243"'),
        ["AutoTokenizer", *ENCODER[1:]],
        "input_ids [[",
    ),
    "a tokenizer that guesses": Damage(
        "tasks",
        edit("tokenization_lucaone.py", "value = self.seq_type", 'value = self.seq_type or "prot"'),
        ["AutoTokenizer"],
        "instead of refusing it",
    ),
    "code that needs this package": Damage(
        "tasks", prepend("heads.py", IMPORT), TASKS_ONLY, "tokenization"
    ),
    "code that asks the network": Damage(
        "tasks", prepend("heads.py", ASK), [*TASKS_ONLY, "network"], "('127.0.0.1', 9)"
    ),
    "code that hides that it asks the network": Damage(
        "tasks", prepend("heads.py", HIDE), ["network"], "('127.0.0.1', 9)"
    ),
    "code that ends the process": Damage(
        "tasks", prepend("heads.py", "raise SystemExit(0)"), TASKS_ONLY, "SystemExit"
    ),
    "another pooling": Damage(
        "pairs",
        edit("sentence_lucaone_config.json", "mean", "cls"),
        ["SentenceTransformer"],
        "vectors differs by",
    ),
    "no reference": Damage(
        "tokens",
        remove(REFERENCE),
        CHECKS["tokens"] - {"config.json"},
        f"{REFERENCE} is missing",
    ),
    "a damaged reference": Damage(
        "tokens",
        lambda folder: (folder / REFERENCE).write_bytes(b"?" * 100),
        CHECKS["tokens"] - {"config.json"},
        "SafetensorError",
    ),
    "a matrix of the adapter": Damage(
        "adapter",
        change_tensors(
            flip_sign(f"base_model.model.{BLOCK.replace('weight', 'lora_B.weight')}"), ADAPTER
        ),
        ["PeftModel"],
        "logits differs by",
    ),
    "a tensor too many in the adapter": Damage(
        "adapter",
        change_tensors(lambda tensors: tensors.update({EXTRA: torch.ones(2)}), ADAPTER),
        ["PeftModel"],
        f"tensor {EXTRA} has no place in the model",
    ),
    "a head that the adapter lacks": Damage(
        "adapter",
        change_tensors(rename(f"base_model.model.{LAST}"), ADAPTER),
        ["PeftModel"],
        f"tensor {LAST} is missing",
    ),
}


QUICK = {
    "an epsilon",
    "a weight of an annotation head",
    "a renamed tensor",
    "no file of the heads",
    "an id in tokenizer.json",
    "code that needs this package",
    "code that asks the network",
    "a matrix of the adapter",
}


@pytest.fixture(scope="module", params=["newest", pytest.param("oldest", marks=pytest.mark.slow)])
def probing(request, tmp_path_factory):
    """A function that gives what the probe says of a folder, with one version of transformers."""
    work = tmp_path_factory.mktemp(request.param)
    (work / "probe").symlink_to(Path(probe.__file__).parent)
    environment = verification._environment(work)
    if request.param == "oldest":
        if not OLDEST.is_dir():
            pytest.skip("the oldest transformers is not there; make conformance fetches it")
        environment["PYTHONPATH"] += f"{os.pathsep}{OLDEST}"
    with subprocess.Popen(
        [sys.executable, "-P", "-c", DRIVER],
        cwd=work,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:

        def ask(folder, base=None):
            print(json.dumps([str(folder), base and str(base)]), file=process.stdin, flush=True)
            return [Row(**row) for row in json.loads(process.stdout.readline())]

        yield ask
        process.stdin.close()


def base_of(kind, repositories):
    return repositories / "base" if kind == "adapter" else None


@pytest.mark.parametrize("kind", CHECKS)
def test_a_good_repository(kind, probing, repositories):
    rows = probing(repositories / kind, base_of(kind, repositories))
    assert failed(rows) == {}
    assert {row.check for row in rows} == CHECKS[kind] | {"network"}
    assert {row.check for row in rows if row.status == "skipped"} <= {"SentenceTransformer"}


@pytest.mark.parametrize("row", [0, 1])
def test_a_logit_that_happens_to_be_near_0(row, probing, tmp_path, monkeypatch):
    """Compared with what it is the sum of: its rounding may be larger than itself."""
    monkeypatch.setattr(exporting, "verify", lambda *_, **__: FINE)
    source, repository = tmp_path / "source", tmp_path / f"undecided-{row}"
    save(source, LucaOneForSequenceClassification, num_labels=1, seq_types=["prot"])
    export(source, tmp_path / "first", license="apache-2.0")
    logits = Reference.read(tmp_path / "first").outputs[LucaOneForSequenceClassification.__name__]
    shift = logits["logits"][row] - 1e-8
    change_tensors(lambda tensors: tensors["classifier.out_proj.bias"].sub_(shift))(source)
    export(source, repository, license="apache-2.0")
    assert failed(probing(repository)) == {}
    change_tensors(lambda tensors: tensors[LAST].neg_())(repository)
    assert failed(probing(repository)).keys() == {SINGLE, "pipeline text-classification"}


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in DAMAGES],
)
def test_damage_fails_the_checks_that_it_concerns_and_no_other(
    name, probing, repositories, tmp_path
):
    damage = DAMAGES[name]
    # The library keeps the code of a folder by its last name.
    folder = shutil.copytree(repositories / damage.kind, tmp_path / tmp_path.name)
    damage.do(folder)
    found = failed(probing(folder, base_of(damage.kind, repositories)))
    assert found.keys() == set(damage.fails)
    assert any(damage.says in detail for detail in found.values()), found
    assert not any("\n" in detail for detail in found.values())


def test_an_adapter_without_its_base_model_is_not_tried(probing, repositories):
    rows = {row.check: row for row in probing(repositories / "adapter")}
    assert rows["PeftModel"].status == "skipped"
    assert "base model" in rows["PeftModel"].detail


def with_code(folder):
    """Let a base model carry code, which an adapter neither needs nor runs."""
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {
        name: "heads.LucaOneModel" for name in ("AutoConfig", "AutoModel", SINGLE)
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "heads.py").write_text("raise SystemExit('the code of the base model was run')")


def with_heads(folder):
    """Let a base model be one of pre-training, whose heads an adapter does not need."""
    torch.manual_seed(1)
    model = LucaOneForPreTraining(tiny_config(pretraining_tasks=TASKS))
    model.lucaone.load_state_dict(LucaOneModel.from_pretrained(folder).state_dict())
    model.save_pretrained(folder)


@pytest.mark.parametrize("change", [with_code, with_heads])
def test_an_adapter_on_other_base_models(change, probing, repositories, tmp_path):
    base = shutil.copytree(repositories / "base", tmp_path / "base")
    change(base)
    assert failed(probing(repositories / "adapter", base)) == {}


def test_an_adapter_on_the_wrong_base_model(probing, repositories, tmp_path):
    base = shutil.copytree(repositories / "base", tmp_path / "base")
    change_tensors(flip_sign(BLOCK.removeprefix("lucaone.")))(base)
    assert failed(probing(repositories / "adapter", base)).keys() == {"PeftModel"}


# The process itself.


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tasks", "adapter"])
def test_all_of_it(kind, repositories, tmp_path):
    folder = shutil.copytree(repositories / kind, tmp_path / "a--strange.name")
    prepend("configuration_lucaone.py", "print('[]')")(folder)
    relist(folder)
    base = repositories / "base" if kind == "adapter" else None
    result = verify(folder, base_model=base)
    assert failed(result.rows) == {}
    expected = {*FILES, *CHECKS[kind], "network"} | ({"base model"} if base else set())
    assert {row.check for row in result.rows} == expected
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert read_manifest(folder)["files"].keys() == files - {"manifest.json", "README.md"}


@pytest.mark.slow
def test_a_process_that_ends_without_a_word(repository):
    prepend("configuration_lucaone.py", "import os; os._exit(0)")(repository)
    relist(repository)
    assert failed(verify(repository).rows) == {
        "clean process": "ended with status 0 and no result (nothing was said)"
    }


def test_a_process_that_hangs(repository, monkeypatch):
    monkeypatch.setattr(verification, "_TIME_LIMIT", 0.1)
    found = failed(verify(repository).rows)
    assert found == {"clean process": "did not end within 0.1 seconds"}


def test_the_process_has_nothing_that_a_stranger_has_not(monkeypatch, tmp_path):
    (tmp_path / "modeling_lucaone").mkdir()
    paths = [str(tmp_path), str(REPOSITORY), str(tmp_path / "other"), ""]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setenv("HF_TOKEN", "a secret")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    work = tmp_path / "work"
    environment = verification._environment(work)
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(work), str(tmp_path / "other")]
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert Path(environment["HF_HOME"]).parent == work
    assert environment["OMP_NUM_THREADS"] == "1"
    assert "a secret" not in environment.values()
    assert "HF_ENDPOINT" not in environment


def test_every_package_of_ours_is_hidden():
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]
    ours = {name.partition(".")[0] for name in settings["packages"]} | {*settings["py-modules"]}
    assert set(OURS) == ours


# What needs no process.


@pytest.fixture
def no_process(monkeypatch):
    monkeypatch.setattr(verification, "_in_clean_process", lambda *_: [])


def change_a_byte(folder):
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)


def add_archive(folder):
    """A pickled archive as torch writes it, under a harmless name."""
    torch.save({"weight": torch.ones(2)}, folder / "vectors.dat")
    assert zipfile.is_zipfile(folder / "vectors.dat")


def write(name, content):
    return lambda folder: (folder / name).write_bytes(content)


# The damage, the check that fails, and what it says; and whether the manifest is written anew.
FILE_DAMAGES = {
    "a byte": (change_a_byte, "manifest", "model.safetensors: SHA-256", False),
    "a file more": (write("notes.txt", b"x"), "manifest", "notes.txt: not listed", False),
    "a file less": (remove("LICENSE-CODE"), "manifest", "LICENSE-CODE: missing", False),
    "a pickle by name": (write("model.bin", b"cos\n"), "pickles", "model.bin: pickled", True),
    "a pickle by content": (write("state", b"\x80\x04N."), "pickles", "state: pickled", True),
    "a pickled archive": (add_archive, "pickles", "vectors.dat: pickled", True),
    "a number on the card": (
        edit("README.md", "| blocks | 2 |", "| blocks | 3 |"),
        "card",
        "blocks",
        True,
    ),
    "a folder of a person": (
        edit("LICENSE-CODE", "Apache", "/home/somebody/Apache"),
        "privacy",
        "/home/somebody",
        True,
    ),
}


@pytest.mark.parametrize("name", FILE_DAMAGES)
def test_damaged_files(name, repository, no_process):
    damage, check, said, listed = FILE_DAMAGES[name]
    damage(repository)
    if listed:
        relist(repository)
    result = verify(repository)
    assert [row.check for row in result.failed] == [check]
    assert said in result.failed[0].detail
    assert not result.ok


def test_several_damaged_files_are_counted(repository, no_process):
    remove("heads.py")(repository)
    remove("packing.py")(repository)
    assert failed(verify(repository).rows)["manifest"] == "heads.py: missing (and 1 more)"


def test_a_manifest_whose_card_is_of_another_form(repository, no_process):
    write_manifest(repository, "model", {"colour": "green"})
    assert "colour" in failed(verify(repository).rows)["card"]


def test_a_base_model_that_is_not_there(repositories, tmp_path, no_process):
    rows = verify(repositories / "adapter", base_model=tmp_path / "nowhere").rows
    assert "nowhere" in failed(rows)["base model"]


def test_from_the_hub(repositories, tmp_path, monkeypatch, no_process):
    with serve(tmp_path / "hub") as server:
        server.connect(monkeypatch, tmp_path / "home")
        push(repositories / "single", "someone/single", yes=True)
        assert verify("someone/single").ok
        assert verify("someone/single", revision="main").ok
        with pytest.raises(ValueError, match=r"^someone/nothing \(no folder here.*not there"):
            verify("someone/nothing")
        with pytest.raises(ValueError, match="no such revision"):
            verify("someone/single", revision="other")
        HfApi().delete_file("manifest.json", "someone/single")
        with pytest.raises(ValueError, match=r"^someone/single: has no manifest\.json"):
            verify("someone/single")


def as_space(folder):
    write_manifest(folder, "space", {})


@pytest.mark.parametrize(
    ("damage", "options", "said"),
    [
        (remove("manifest.json"), {}, "has no manifest.json"),
        (edit("manifest.json", '"format": 1', '"format": 2'), {}, "not a manifest of format 1"),
        (as_space, {}, "a Space; only the repository of a model can be verified"),
        (lambda folder: None, {"revision": "main"}, "a folder has no revision 'main'"),
        (lambda folder: None, {"base_model": "base"}, "is no adapter, so it has no base model"),
        (shutil.rmtree, {}, "there is no such folder"),
    ],
)
def test_what_cannot_be_verified(damage, options, said, repository, no_process):
    damage(repository)
    with pytest.raises(ValueError, match=said) as error:
        verify(repository, **options)
    assert str(repository) in str(error.value) and "\n" not in str(error.value)


def test_as_a_table():
    rows = Row("card", "ok", "fine"), Row("AutoModel", "failed", "x is 1, not 2")
    result = Verification((*rows, Row("network", "skipped", "why")))
    assert str(result).splitlines() == [
        "ok       card       fine",
        "failed   AutoModel  x is 1, not 2",
        "skipped  network    why",
    ]
    assert not result.ok and result.failed == (rows[1],)
    assert str(rows[1]) == "AutoModel: x is 1, not 2"
