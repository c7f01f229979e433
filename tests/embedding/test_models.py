# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Models that are found on the Hub, or are not: what is said then."""

import pytest
from huggingface_hub import constants

from embedding.hub import check_repo_id, is_repo_id
from embedding.models import find_model, load_model
from tests.helpers import GOLDEN
from tests.hub_upload.hub_server import serve

REPO = "someone/lucaone-test"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub on the loopback address with a model."""
    with serve(tmp_path / "hub") as server:
        server.connect(monkeypatch, tmp_path / "home")
        server.store.create(REPO)
        files = (GOLDEN / "hub-tiny").iterdir()
        server.store.commit(REPO, {file.name: file.read_bytes() for file in files})
        yield server


def refused(work, *arguments):
    with pytest.raises(ValueError) as error:
        work(*arguments)
    message = str(error.value)
    assert "\n" not in message
    return message


def test_a_model_on_the_hub(hub):
    source = find_model(REPO)
    assert (source.name, source.place) == (REPO, REPO)
    assert source.revision == hub.store.find(REPO).resolve("main")
    assert load_model(source).config.hidden_size == source.config.hidden_size


def test_no_such_repository(hub):
    assert refused(find_model, "someone/missing").startswith(
        "someone/missing (no folder here, so looked for on the Hub): not there, or private and not "
        "for this token; check the name, or sign in"
    )


def test_no_such_revision(hub):
    assert refused(find_model, REPO, "v9").startswith(f"{REPO} at v9 (no folder here")
    assert refused(find_model, REPO, "v9").endswith(": there is no such revision")


def test_no_connection(hub, tmp_path, monkeypatch):
    with serve(tmp_path / "another") as gone:
        monkeypatch.setattr(constants, "ENDPOINT", gone.url)
    assert f": no connection to {gone.url} (" in refused(find_model, REPO)


def test_offline(hub, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "the Hub is not asked while HF_HUB_OFFLINE" in refused(find_model, REPO)


def test_what_is_fetched_is_found_again_without_a_connection(hub, monkeypatch):
    folder = find_model(REPO).folder
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert find_model(REPO).folder == folder


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"model_type": "bert"}'])
def test_what_is_wrong_on_the_hub_is_said_of_the_repository(hub, tmp_path, content):
    hub.store.commit(REPO, {"config.json": content})
    message = refused(find_model, REPO)
    assert message.startswith(f"{REPO}: ")
    assert str(tmp_path) not in message


def test_damaged_weights_on_the_hub_are_said_of_the_repository(hub, tmp_path):
    hub.store.commit(REPO, {"model.safetensors": b"damaged"})
    message = refused(load_model, find_model(REPO))
    assert message.startswith(f"{REPO}: ")
    assert str(tmp_path) not in message


@pytest.mark.parametrize("name", ["lucaone", "a/b/c", "a/b--c", "a/b..c", "a/b.git", "-a/b", ""])
def test_what_is_no_name_of_a_repository(name):
    assert not is_repo_id(name)
    message = refused(check_repo_id, name)
    assert "is not the name of a repository" in message or "as OWNER/NAME" in message


@pytest.mark.parametrize("name", [REPO, "a/b", "A_1/b.c-d"])
def test_names_of_repositories(name):
    check_repo_id(name)
    assert is_repo_id(name)


def test_a_damaged_folder_given_with_a_slash(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "config.json").write_text("{")
    assert refused(find_model, "a/").startswith("a/: config.json cannot be read: ")


def test_a_configuration_that_is_a_list(tmp_path):
    (tmp_path / "config.json").write_text("[]")
    assert refused(find_model, tmp_path) == f"{tmp_path}: config.json holds no JSON object"


def test_weights_that_are_cut_short_are_named(tmp_path):
    for file in (GOLDEN / "hub-tiny").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[:20_000])
    message = refused(load_model, find_model(tmp_path))
    assert message.startswith(f"{tmp_path}: model.safetensors cannot be read: ")
