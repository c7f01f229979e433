# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone hub pull`, by the real client of the Hub, from a server on the loopback address."""

import time

import pytest
import torch
from huggingface_hub import constants
from transformers import AutoModelForMaskedLM

import lucaone_cli
import modeling_lucaone
from hub_upload.repository.manifest import write_manifest
from hub_upload.transfer.pulling import pull
from hub_upload.transfer.pushing import push
from tests.helpers import GOLDEN
from tests.hub_upload.hub_server import contents, serve, write_repository

REPO = "someone/lucaone-test"


@pytest.fixture
def commit(hub, folder):
    """The commit of a repository with a manifest, private as a push makes it."""
    return push(folder, REPO, yes=True).commit


@pytest.fixture
def dest(tmp_path):
    return tmp_path / "made" / "lucaone"


def refused(*arguments, **options):
    """Return the message of the error that a pull ends with, which leaves nothing at its end."""
    with pytest.raises(ValueError) as error:
        pull(*arguments, **options)
    message = str(error.value)
    assert "\n" not in message
    assert not arguments[1].exists()
    return message


def lucaone(*arguments):
    """Run the command in this process and return its exit status."""
    try:
        return lucaone_cli.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return stop.code


def test_the_files_of_a_repository(hub, folder, commit, dest, capsys):
    assert lucaone("hub", "pull", REPO, dest) == 0
    assert contents(dest) == contents(folder)
    assert sorted(path.name for path in dest.parent.iterdir()) == [dest.name]
    table = capsys.readouterr().out
    assert f"commit      {commit}" in table
    assert "note" not in table
    assert not list((folder.parent / "home").rglob("*"))


def test_an_empty_folder_is_filled(commit, folder, dest):
    dest.mkdir(parents=True)
    pull(REPO, dest)
    assert contents(dest) == contents(folder)


def test_a_revision(hub, folder, commit, dest):
    first = contents(folder)
    write_repository(folder, **{"config.json": b'{"model_type": "lucaone", "more": 1}'})
    second = push(folder, REPO, tag="v2", yes=True)
    for i, (revision, found, expected) in enumerate(
        [
            (None, second.commit, contents(folder)),
            ("v2", second.commit, contents(folder)),
            (second.commit, second.commit, contents(folder)),
            ("v0.1.0", commit, first),
        ]
    ):
        report = pull(REPO, dest / str(i), revision=revision)
        assert report.commit == found
        assert contents(dest / str(i)) == expected


def test_what_is_pushed_meanwhile_is_not_mixed_in(hub, folder, commit, dest):
    theirs = {"config.json": b"{}", "model.safetensors": b"theirs", "theirs.txt": b"theirs"}
    hub.before["tree"] = lambda: hub.store.commit(REPO, theirs)
    assert pull(REPO, dest).commit == commit
    assert contents(dest) == contents(folder)


def test_a_repository_of_somebody_else(hub, dest):
    files = {
        "config.json": b'{"model_type": "lucaone"}',
        "model.safetensors": bytes(1000),
        "pytorch_model.bin": b"pickled",
        "last.ckpt": b"pickled",
        "all.pickle": b"pickled",
        "optimizer/state.pt": b"pickled",
    }
    hub.store.create(REPO)
    hub.store.commit(REPO, files)
    report = pull(REPO, dest)
    assert set(contents(dest)) == {"config.json", "model.safetensors"}
    assert (report.files, report.size) == (2, 1025)
    assert report.notes == [
        "the repository has no manifest.json of lucaone hub export: the files are compared with "
        "the Hub alone",
        "not fetched, since what is pickled can run code: all.pickle (and 3 more)",
    ]
    asked = [request.path for request in hub.steps("resolve", "download")]
    assert not [path for path in asked if path.endswith((".bin", ".ckpt", ".pickle", ".pt"))]


def test_a_manifest_of_another_program(hub, dest):
    files = {"config.json": b'{"model_type": "lucaone"}', "manifest.json": b'{"version": 3}'}
    hub.store.create(REPO)
    hub.store.commit(REPO, files)
    report = pull(REPO, dest)
    assert contents(dest) == files
    assert "has no manifest.json of lucaone hub export" in report.notes[0]


def test_what_is_no_part_of_a_repository_is_not_fetched(hub, folder, commit, dest):
    hub.store.commit(REPO, {".cache/theirs.txt": b"theirs", ".git/config": b"theirs"})
    pull(REPO, dest)
    assert contents(dest) == contents(folder)


def test_a_public_repository_needs_no_token(hub, folder, dest, monkeypatch):
    push(folder, REPO, public=True, yes=True)
    monkeypatch.delenv("HF_TOKEN")
    pull(REPO, dest)
    assert contents(dest) == contents(folder)


def test_what_was_pulled_loads(hub, dest):
    model = AutoModelForMaskedLM.from_pretrained(GOLDEN / "hub-tiny")
    folder = dest.parent / "model"
    model.save_pretrained(folder)
    write_manifest(folder, "model", {})
    push(folder, REPO, yes=True)
    pull(REPO, dest)
    loaded = AutoModelForMaskedLM.from_pretrained(dest)
    assert type(loaded) is modeling_lucaone.LucaOneForMaskedLM
    expected = model.state_dict()
    assert all(torch.equal(loaded.state_dict()[name], expected[name]) for name in expected)


# What goes wrong


def test_a_destination_that_is_not_empty(hub, commit, folder, dest):
    before = len(hub.requests)
    with pytest.raises(ValueError, match="is not empty"):
        pull(REPO, folder)
    dest.parent.mkdir()
    dest.write_bytes(b"")
    with pytest.raises(ValueError, match="is a file"):
        pull(REPO, dest)
    link = dest.with_name("link")
    link.symlink_to(dest.parent / "nowhere")
    with pytest.raises(ValueError, match="is a symbolic link"):
        pull(REPO, link)
    assert len(hub.requests) == before


@pytest.mark.parametrize("name", ["../outside.json", "a/../../outside.json", "/outside.json"])
def test_a_name_that_leads_out_of_the_folder(hub, commit, dest, name):
    hub.store.commit(REPO, {name: b"{}"})
    assert refused(REPO, dest) == f"{REPO}: a file would come to lie elsewhere: {name}"
    assert hub.steps("resolve", "download") == [] and not dest.parent.exists()


def test_a_space(hub, tmp_path, dest):
    push(write_repository(tmp_path / "space", "space"), REPO, yes=True)
    message = refused(REPO, dest)
    assert message.startswith(f"{REPO}: a Space, and no model that this token may see")
    assert "sign in with `hf auth login`" in message


def test_no_such_repository(hub, dest):
    message = refused("someone/nothing", dest)
    assert message.startswith("someone/nothing: not there, or private and not for this token")


def test_a_private_repository_without_a_token(commit, dest, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    assert "sign in with `hf auth login`" in refused(REPO, dest)


def test_a_gated_repository(hub, commit, dest):
    hub.store.find(REPO).gated = True
    message = refused(REPO, dest)
    assert f"access is restricted; ask for it on its page at {hub.url}" in message


def test_a_token_that_is_not_valid(commit, dest, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_not_valid")
    message = refused(REPO, dest)
    assert "the token is not valid" in message
    assert "hf_not_valid" not in message


def test_no_such_revision(commit, dest):
    message = refused(REPO, dest, revision="v9")
    assert message == f"{REPO} at v9: there is no such revision"


def test_no_connection(hub, dest, monkeypatch):
    with serve(dest.parent / "another") as gone:
        monkeypatch.setattr(constants, "ENDPOINT", gone.url)
    assert f"no connection to {gone.url}" in refused(REPO, dest)


def test_a_file_that_is_damaged_on_the_way_is_fetched_again(hub, folder, commit, dest):
    hub.corrupt = {"download"}
    message = refused(REPO, dest)
    assert "did not arrive as on the Hub: README.md (and " in message
    assert "the same command fetches it again" in message
    hub.corrupt.clear()
    pull(REPO, dest)
    assert contents(dest) == contents(folder)


def test_a_repository_that_is_not_as_its_manifest_says(hub, commit, dest):
    hub.store.commit(REPO, {"config.json": b'{"model_type": "lucaone", "edited": 1}'})
    message = refused(REPO, dest)
    assert message.startswith(f"{REPO}: manifest.json and the files disagree: config.json: ")
    assert list(dest.parent.iterdir()) == []
    assert pull(REPO, dest, revision=commit).commit == commit


def test_an_interrupted_pull_goes_on(hub, folder, commit, dest):
    hub.fail["download"] = 503
    assert "the Hub failed (503: download fails)" in refused(REPO, dest)
    small = {path for path in contents(folder) if not path.endswith((".safetensors", ".png"))}
    hub.fail.clear()
    before = len(hub.requests)
    pull(REPO, dest)
    assert contents(dest) == contents(folder)
    again = [request for request in hub.requests[before:] if request.step == "resolve"]
    assert not small.intersection(request.path.rpartition("/")[2] for request in again)


def test_an_interrupted_pull_of_another_commit_leaves_no_trace(hub, folder, commit, dest):
    hub.store.commit(REPO, {"old.txt": b"old", "config.json": b"old", "model.safetensors": b"old"})
    hub.fail["download"] = 503
    refused(REPO, dest)
    hub.fail.clear()
    pull(REPO, dest, revision=commit)
    assert contents(dest) == contents(folder)


def test_a_connection_that_breaks_goes_on_at_the_byte(hub, folder, commit, dest, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 10_000)
    hub.cut["download"] = 100_000
    pull(REPO, dest)
    assert contents(dest) == contents(folder)
    asked = [file.name for file in hub.store.objects.iterdir() if file.stat().st_size == 300_000]
    ranges = [request for request in hub.steps("download") if request.path.endswith(asked[0])]
    assert len(ranges) >= 3


@pytest.mark.parametrize("repo_id", ["a/b/c", "someone/lucaone.git", "-x"])
def test_wrong_usage(hub, dest, capsys, repo_id):
    assert lucaone("hub", "pull", "--", repo_id, dest) == 2
    assert "is not the name of a repository" in capsys.readouterr().err
    assert hub.requests == []
