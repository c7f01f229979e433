# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone hub space`: a Space that needs nothing of this repository."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from importlib.metadata import requires

import pytest
from huggingface_hub import RepoCard
from packaging.requirements import Requirement

import lucaone_nano
from hub_upload.repository.manifest import check_files, read_manifest
from hub_upload.spaces import writing
from hub_upload.spaces.writing import space
from tests.helpers import GOLDEN
from tests.lucaone_space.visitors import MASKED, PAIR, ask

# Runs app.py as the Hub does, but without the finder by which this repository is installed.
ALONE = """
import importlib.util, runpy, sys

def is_ours(finder):
    return "editable" in str(getattr(finder, "__module__", ""))

sys.meta_path = [finder for finder in sys.meta_path if not is_ours(finder)]
assert importlib.util.find_spec("finetune") is None
sys.modules |= dict.fromkeys(("accelerate", "datasets", "evaluate"))  # not in requirements.txt
runpy.run_path("app.py", run_name="__main__")
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory, pair_folder):
    dest = tmp_path_factory.mktemp("space") / "page"
    report = space(lucaone_nano.PATH, dest, pair_model=pair_folder, title='My "page": #1')
    return dest, report


def test_what_is_written(written):
    dest, report = written
    assert report.models == ["model/lucaone_nano", "pair_model/pairs"]
    assert str(report).startswith(f"{dest}: {report.files} files, ")
    assert report.files == sum(path.is_file() for path in dest.rglob("*"))
    assert check_files(dest) == [] and read_manifest(dest)["kind"] == "space"
    packages = {path.name for path in dest.iterdir() if path.is_dir()}
    assert packages == {*writing.PACKAGES, "model", "pair_model"}
    assert not list(dest.rglob("__pycache__"))
    assert "Apache License" in (dest / "LICENSE").read_text()


def test_what_the_hub_is_told(written):
    card = RepoCard.load(written[0] / "README.md", repo_type="space").data.to_dict()
    assert card["title"] == 'My "page": #1'
    assert (card["sdk"], card["app_file"], card["python_version"]) == ("gradio", "app.py", "3.11")
    assert re.fullmatch(r"6\.\d+\.\d+", card["sdk_version"])
    assert "models" not in card


def test_requirements_are_those_of_the_package(written):
    lines = (written[0] / "requirements.txt").read_text().splitlines()
    found = {Requirement(line).name: Requirement(line).specifier for line in lines}
    assert {"torch", "transformers", "gradio", "scikit-learn"} <= found.keys()
    unused = {"accelerate", "datasets", "evaluate"}
    assert not {"lucaone-hf", "peft", "pytest", *unused} & found.keys()
    for requirement in map(Requirement, requires("lucaone-hf")):
        if requirement.marker is None and requirement.name not in unused:
            assert found[requirement.name] == requirement.specifier


def test_names_on_the_hub_stay_names(tmp_path):
    report = space("someone/lucaone", tmp_path / "page", pair_model="someone/pairs")
    assert report.models == ["someone/lucaone", "someone/pairs"] and report.size < 2_000_000
    card = RepoCard.load(tmp_path / "page" / "README.md", repo_type="space").data.to_dict()
    assert card["models"] == ["someone/lucaone", "someone/pairs"]
    assert card["license"] == "apache-2.0"  # of the code, all that the Space holds
    assert [note.split()[0] for note in report.notes] == report.models
    app = (tmp_path / "page" / "app.py").read_text()
    assert "build_app('someone/lucaone', 'someone/pairs', title='LucaOne').launch()" in app


def test_what_is_wrong_leaves_nothing(tmp_path, monkeypatch):
    dest = tmp_path / "page"
    with pytest.raises(ValueError, match="nowhere: no folder here, and a Hub repository is called"):
        space("nowhere", dest)
    with pytest.raises(ValueError, match="not a model of pairs"):
        space(lucaone_nano.PATH, dest, pair_model=lucaone_nano.PATH)
    with pytest.raises(ValueError, match="a title is one line"):
        space(lucaone_nano.PATH, dest, title="one\ntwo")
    monkeypatch.setattr(writing, "LARGEST_MODEL", 1_000)
    with pytest.raises(ValueError, match="a Space carries 1,000 at most; `lucaone hub push` it"):
        space(lucaone_nano.PATH, dest)
    assert list(tmp_path.iterdir()) == []
    dest.mkdir()
    (dest / "mine").touch()
    with pytest.raises(ValueError, match="not empty"):
        space("someone/lucaone", dest)
    assert [path.name for path in dest.iterdir()] == ["mine"]


def copy_tiny(folder, card=None):
    """Copy a small model, beside a card that says so much of its licence."""
    shutil.copytree(GOLDEN / "hub-tiny", folder)
    if card is not None:
        (folder / "README.md").write_text(f"---\n{card}\n---\nA model.\n")
    return folder


@pytest.mark.parametrize(
    ("card", "stated"),
    [
        ("license: cc-by-nc-4.0", "cc-by-nc-4.0"),
        ("license: [mit, apache-2.0]", None),
        ("tags: [biology]", None),
        (None, None),
    ],
)
def test_the_licence_is_that_of_the_model(tmp_path, card, stated):
    model = copy_tiny(tmp_path / "tiny", card)
    space(model, tmp_path / "page")
    readme = tmp_path / "page" / "README.md"
    assert RepoCard.load(readme, repo_type="space").data.to_dict().get("license") == stated
    if stated:
        assert f"Its licence: {stated}." in readme.read_text()
    else:
        assert "no one licence can be stated" in readme.read_text()
        assert ("model/tiny/README.md may say more" in readme.read_text()) == (card is not None)
    copied = tmp_path / "page" / "model" / "tiny" / "README.md"
    assert copied.is_file() == (card is not None)


def test_two_licences_are_none(tmp_path, pair_folder):
    model = copy_tiny(tmp_path / "tiny", "license: mit")
    pairs = tmp_path / "pairs"
    shutil.copytree(pair_folder, pairs)
    (pairs / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n")
    space(model, tmp_path / "page", pair_model=pairs)
    readme = tmp_path / "page" / "README.md"
    assert "license" not in RepoCard.load(readme, repo_type="space").data.to_dict()
    assert "licence: mit." in readme.read_text() and "licence: cc-by-4.0." in readme.read_text()


def test_no_more_than_the_page_needs_is_copied(tmp_path):
    model = copy_tiny(tmp_path / "tiny", "license: mit")
    results = {"data": f"{model}/train.csv", "notes": ["For show.", f"Read {model}/train.csv."]}
    (model / "results.json").write_text(json.dumps(results))
    for name in ("trainer_state.json", "notes.txt", "reference.safetensors", "modeling.py"):
        (model / name).write_text(str(model))
    space(model, tmp_path / "page")
    copied = tmp_path / "page" / "model" / "tiny"
    assert {path.name for path in copied.iterdir()} == {
        "README.md",
        "config.json",
        "model.safetensors",
        "results.json",
        "tokenizer_config.json",
        "vocab.json",
    }
    notes = ["For show.", "Read train.csv."]
    assert json.loads((copied / "results.json").read_text()) == {"notes": notes}
    assert "For show." in (tmp_path / "page" / "README.md").read_text()


def test_what_names_a_folder_of_this_machine_is_not_written(tmp_path):
    model = copy_tiny(tmp_path / "tiny")
    with pytest.raises(ValueError, match=r"README\.md: names the folder"):
        space(model, tmp_path / "page", title=f"Of {model}")
    for folder in (model, tmp_path / "data"):
        (model / "README.md").write_text(f"Made from {folder}/train.csv")
        with pytest.raises(ValueError, match=r"README\.md: names the folder"):
            space(model, tmp_path / "page")
    assert not (tmp_path / "page").exists()


@pytest.mark.parametrize("role", ["model", "pair_model"])
def test_a_model_that_cannot_be_opened_is_not_written(tmp_path, pair_folder, role):
    whole = pair_folder if role == "pair_model" else GOLDEN / "hub-tiny"
    damaged = tmp_path / "damaged"
    shutil.copytree(whole, damaged)
    weights = damaged / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    models = {"model": GOLDEN / "hub-tiny"} | {role: damaged}
    with pytest.raises(ValueError, match=r"damaged: model\.safetensors cannot be read"):
        space(dest=tmp_path / "page", **models)
    shutil.copyfile(whole / "model.safetensors", weights)
    config = json.loads((damaged / "config.json").read_text())
    (damaged / "config.json").write_text(json.dumps(config | {"vocab_size": 41}))
    with pytest.raises(ValueError, match=r"damaged: tensor .* is \(39, "):
        space(dest=tmp_path / "page", **models)
    assert not (tmp_path / "page").exists()


def test_what_is_said_without_gradio(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'lucaone-hf\[space\]'"):
        space("someone/lucaone", tmp_path / "page")


def test_an_adapter_is_to_be_merged_first(tmp_path):
    adapter = copy_tiny(tmp_path / "adapter")
    (adapter / "adapter_config.json").write_text("{}")
    for models in ({"model": adapter}, {"model": "a/b", "pair_model": adapter}):
        with pytest.raises(ValueError, match="an adapter without its base model"):
            space(dest=tmp_path / "page", **models)
    assert not (tmp_path / "page").exists()


@pytest.mark.slow
def test_the_space_runs_alone(written):
    settings = {"PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", ALONE],
        cwd=written[0],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(300, process.kill)
    watchdog.start()
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"http://\S+:\d+", line):
                break
        else:
            pytest.fail("".join(said))
        url = f"{found[0]}/"
        assert "actual letter" in ask(url, MASKED, ["MKTAYIAK", "prot", 3])
        assert "encodes" in ask(url, PAIR, ["ATGAAA", "MK"])
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
