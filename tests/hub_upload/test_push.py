# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone hub push`, by the real client of the Hub, to a server on the loopback address."""

import json
import os
import subprocess
import sys
import time

import pytest
import torch
from huggingface_hub import constants
from transformers import AutoModel, AutoTokenizer

import lucaone_cli
from hub_upload import convert, export, pull, push, verify
from hub_upload.repository.manifest import check_files, read_manifest
from tests.helpers import GOLDEN, REPOSITORY
from tests.hub_upload.hub_protocol import WRITING
from tests.hub_upload.hub_server import contents, serve, weights, write_repository

REPO = "someone/lucaone-test"
LARGE = {"model.safetensors": 300_000, "pictures/curves.png": 20_000}


@pytest.fixture
def at_once(monkeypatch):
    """Let the client not wait before it tries again."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def edit(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def main_is(hub, expected, kind="models"):
    """Whether the latest revision has these contents, read back whole from the server."""
    return hub.store.files(REPO, kind=kind) == expected


def refused(*arguments, **options):
    """Return the message of the error that a push ends with."""
    with pytest.raises(ValueError) as error:
        push(*arguments, **options)
    message = str(error.value)
    assert "\n" not in message
    return message


def lucaone(*arguments):
    """Run the command in this process and return its exit status."""
    try:
        return lucaone_cli.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return stop.code


# The plan


def test_without_yes_nothing_is_sent(hub, folder, capsys):
    assert lucaone("hub", "push", folder, REPO) == 0
    table = capsys.readouterr().out
    assert f"{REPO} (model, private, to be made)" in table
    assert "300,000  model.safetensors" in table
    assert "dry run     nothing was sent; --yes does it" in table
    assert hub.steps(*WRITING) == []
    assert hub.store.repositories == {}


def test_the_plan_shows_what_changes_against_what_is_there(hub, folder):
    push(folder, REPO, yes=True)
    hub.store.commit(
        REPO, {"old.txt": b"old", "config.json": b"{}"}, delete=["tokenizer_config.json"]
    )
    before = len(hub.requests)
    report = push(folder, REPO)
    assert report.names("new") == ["tokenizer_config.json"]
    assert report.names("changed") == ["config.json"]
    assert report.names("deleted") == ["old.txt"]
    assert set(report.names("unchanged")) == {"README.md", "manifest.json", *LARGE}
    sizes = [(folder / name).stat().st_size for name in ("tokenizer_config.json", "config.json")]
    assert report.upload_bytes == sum(sizes)
    assert report.commit is None
    assert not WRITING.intersection(request.step for request in hub.requests[before:])


@pytest.mark.parametrize("public", [True, False])
def test_a_repository_that_is_there_stays_private_or_public(hub, folder, public):
    hub.store.create(REPO, private=public)
    report = push(folder, REPO, public=public)
    assert report.private is public
    assert f"the repository is {'private' if public else 'public'} and stays so" in report.notes


def test_a_card_without_a_license_is_noted(hub, folder):
    write_repository(folder, license=None)
    assert "README.md names no license" in push(folder, REPO).notes


def test_a_card_that_is_not_yaml_is_an_error(hub, folder):
    (folder / "README.md").write_text("---\nlicense: [\n---\n# A model\n")
    assert "README.md: what stands between the lines of --- is not YAML" in refused(folder, REPO)


def test_the_prose_of_a_card_may_be_edited(hub, folder, tmp_path):
    edit(folder / "README.md", "# A model", "# A model of ours\n\nSee also our paper.")
    push(folder, REPO, yes=True)
    pulled = pull(REPO, tmp_path / "pulled")
    assert not pulled.notes
    assert contents(pulled.dest) == contents(folder)
    assert check_files(pulled.dest) == []
    edit(folder / "README.md", "our paper", "our second paper")
    report = push(folder, REPO, yes=True)
    assert report.names("new", "changed", "deleted") == ["README.md"]


def test_a_claim_of_the_card_that_the_files_contradict(hub, folder):
    edit(folder / "README.md", "| parameters | ", "| parameters | 1")
    message = refused(folder, REPO, yes=True)
    assert message.startswith(f"{folder}: README.md: Model: parameters is 1299,912, but")
    assert hub.requests == []


def test_a_card_that_was_edited_on_the_hub_is_replaced_with_a_note(hub, folder):
    note = "README.md on the Hub has another text, which is replaced"
    assert note not in push(folder, REPO, yes=True).notes
    hub.store.commit(REPO, {"README.md": b"# Theirs"})
    assert note in push(folder, REPO).notes


def test_a_folder_without_a_card(hub, folder):
    (folder / "README.md").unlink()
    assert "there is no README.md" in push(folder, REPO, yes=True).notes
    assert main_is(hub, contents(folder))


def test_a_card_that_the_hub_does_not_accept(hub, folder):
    hub.fail["validate"] = 400
    assert refused(folder, REPO, yes=True) == f"{REPO}: Invalid metadata in README.md."
    assert main_is(hub, {})


# The push


def test_a_new_repository_is_private_and_holds_the_files(hub, folder, capsys):
    command = ("hub", "push", folder, REPO, "--yes", "--message", "The first")
    assert lucaone(*command) == 0
    repository = hub.store.find(REPO)
    assert repository.private
    assert main_is(hub, contents(folder))
    head = repository.resolve("main")
    assert repository.messages[head] == "The first"
    assert f"commit      {head} at {hub.url}/{REPO}" in capsys.readouterr().out
    assert ".gitattributes" in repository.commits[head]


def test_a_new_repository_is_public_if_asked(hub, folder):
    push(folder, REPO, yes=True, public=True)
    assert not hub.store.find(REPO).private


def test_what_is_no_part_of_a_repository_is_left_alone(hub, folder):
    expected = contents(folder)
    for name in (".cache/note.txt", ".git/config", ".gitattributes"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("of a tool")
    theirs = {".cache/theirs.txt": b"theirs"}
    hub.store.create(REPO)
    hub.store.commit(REPO, theirs)
    report = push(folder, REPO, yes=True)
    assert set(report.names("new")) == set(expected)
    assert main_is(hub, expected | theirs)
    assert not push(folder, REPO).changed


def test_everything_is_one_commit(hub, folder):
    hub.store.create(REPO)
    hub.store.commit(REPO, {"old.txt": b"old", "config.json": b"{}"})
    commits = set(hub.store.find(REPO).commits)
    report = push(folder, REPO, yes=True)
    assert set(hub.store.find(REPO).commits) == commits | {report.commit}
    assert main_is(hub, contents(folder))


def test_only_what_changed_is_sent(hub, folder):
    push(folder, REPO, yes=True)
    before = len(hub.requests)
    write_repository(folder, license="mit")
    report = push(folder, REPO, yes=True, tag="v2")
    assert report.names("new", "changed") == ["README.md", "manifest.json"]
    sent = {request.step: request.size for request in hub.requests[before:]}
    assert "upload" not in sent
    assert sent["commit"] < 10_000
    assert main_is(hub, contents(folder))


def test_what_is_there_already_is_not_committed_again(hub, folder):
    first = push(folder, REPO, yes=True)
    before = len(hub.requests)
    again = push(folder, REPO, yes=True)
    assert again.commit == first.commit
    assert "the Hub holds these files already; there is nothing to commit" in again.notes
    steps = {request.step for request in hub.requests[before:]}
    assert not steps & {"batch", "upload", "commit"}


def test_large_files_go_in_parts_where_the_hub_asks_for_them(hub, folder):
    hub.part_size = 120_000
    push(folder, REPO, yes=True)
    sizes = sorted(request.size for request in hub.steps("upload"))
    assert sizes == [20_000, 60_000, 120_000, 120_000]
    assert main_is(hub, contents(folder))


def test_a_space(hub, tmp_path):
    folder = write_repository(tmp_path / "space", "space", **{"app.py": b"print()\n"})
    report = push(folder, REPO, yes=True)
    assert report.repo_type == "space"
    assert report.url == f"{hub.url}/spaces/{REPO}"
    assert hub.store.find(REPO, "spaces").sdk == "gradio"
    assert main_is(hub, contents(folder), kind="spaces")


# Where it goes


def test_a_branch_that_is_not_there_begins_at_main(hub, folder):
    hub.store.create(REPO)
    head = hub.store.commit(REPO, {"old.txt": b"old"})
    assert "branch trial (to be made)" in str(push(folder, REPO, branch="trial"))
    report = push(folder, REPO, branch="trial", yes=True)
    assert hub.store.find(REPO).resolve("main") == head
    assert hub.store.find(REPO).resolve("trial") == report.commit
    assert hub.store.files(REPO, "trial") == contents(folder)
    assert report.tag is None


def test_a_branch_that_is_there_is_compared_with(hub, folder):
    push(folder, REPO, branch="trial", yes=True)
    assert hub.store.files(REPO) == {}
    assert not push(folder, REPO, branch="trial").changed


def test_a_pull_request_leaves_main_alone(hub, folder):
    hub.store.create(REPO)
    head = hub.store.commit(REPO, {"old.txt": b"old"})
    report = push(folder, REPO, pull_request=True, yes=True)
    assert report.url == f"{hub.url}/{REPO}/discussions/1"
    assert hub.store.find(REPO).resolve("main") == head
    assert hub.store.files(REPO, "refs/pr/1") == contents(folder)


def test_a_pull_request_needs_a_repository(hub, folder):
    assert "not there" in refused(folder, REPO, pull_request=True)


def test_the_commit_gets_a_tag(hub, folder):
    report = push(folder, REPO, tag="v1.0", yes=True)
    assert hub.store.find(REPO).refs["refs/tags/v1.0"] == report.commit


def test_a_tag_never_moves(hub, folder):
    first = push(folder, REPO, tag="v1.0", yes=True)
    write_repository(folder, **{"config.json": b'{"model_type": "lucaone", "more": 1}'})
    uploads = len(hub.steps(*WRITING))
    message = refused(folder, REPO, tag="v1.0", yes=True)
    assert f"the tag v1.0 is there already, for commit {first.commit}" in message
    assert len(hub.steps(*WRITING)) == uploads
    assert hub.store.find(REPO).resolve("main") == first.commit


def test_main_gets_the_version_where_it_is_free(hub, folder):
    first = push(folder, REPO, yes=True)
    assert first.tag == "v0.1.0"
    write_repository(folder, **{"config.json": b'{"model_type": "lucaone", "more": 1}'})
    second = push(folder, REPO, yes=True)
    assert second.tag is None
    assert any(f"the tag v0.1.0 stays at commit {first.commit}" in note for note in second.notes)
    assert hub.store.find(REPO).refs["refs/tags/v0.1.0"] == first.commit


def test_the_same_command_sets_a_tag_that_failed(hub, folder):
    hub.fail["tag"] = 500
    message = refused(folder, REPO, tag="v1.0", yes=True)
    head = hub.store.find(REPO).resolve("main")
    assert f"commit {head} is made, but" in message
    hub.fail.clear()
    assert push(folder, REPO, tag="v1.0", yes=True).commit == head
    assert hub.store.find(REPO).refs["refs/tags/v1.0"] == head
    assert push(folder, REPO, tag="v1.0", yes=True).tag == "v1.0"


def test_a_collection(hub, folder):
    slug = "someone/models-64f9a55bb3115b4f513ec026"
    hub.store.collections[slug] = []
    for _ in range(2):
        assert push(folder, REPO, collection=slug, yes=True).collection == slug
    assert hub.store.collections[slug] == [{"id": REPO, "type": "model"}]


def test_a_collection_that_is_not_there(hub, folder):
    assert refused(folder, REPO, collection="someone/none", yes=True).startswith(
        "collection someone/none: not there"
    )
    assert hub.store.repositories == {}


# What goes wrong


@pytest.fixture
def pushed(hub, folder):
    """What is on the Hub from before; the folder has other weights now, and a new file."""
    push(folder, REPO, yes=True)
    before = contents(folder)
    changed = {"model.safetensors": weights(2), "more.png": b"0" * 50_000}
    write_repository(folder, **changed)
    return before


@pytest.mark.parametrize("spoil", ["change", "add", "remove"])
def test_a_folder_that_is_not_as_its_manifest_says(hub, folder, spoil):
    if spoil == "change":
        (folder / "config.json").write_bytes(b'{"model_type": "lucaons"}\n')
    elif spoil == "add":
        (folder / "config.json.orig").write_bytes(b"")
    else:
        (folder / "config.json").unlink()
    message = refused(folder, REPO, yes=True)
    assert "not as manifest.json says: config.json" in message
    assert hub.requests == []


def test_a_folder_without_a_manifest(hub, folder):
    (folder / "manifest.json").unlink()
    assert "has no manifest.json" in refused(folder, REPO, yes=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"made_with": "lucaone-hf"},
        {"made_with": {"lucaone-hf": 1}},
        {"kind": "dataset"},
        {"files": {"config.json": {"sha256": 0, "size": 1}}},
        {"files": {"config.json": {"sha256": "0" * 63, "size": 1}}},
        {"files": {"config.json": {"sha256": "0" * 64, "size": "1"}}},
        {"files": {"../config.json": {"sha256": "0" * 64, "size": 1}}},
        {"files": {"C:\\config.json": {"sha256": "0" * 64, "size": 1}}},
    ],
)
def test_a_manifest_that_is_none(hub, folder, wrong):
    path = folder / "manifest.json"
    path.write_text(json.dumps(read_manifest(folder) | wrong))
    assert refused(folder, REPO, yes=True) == f"{path}: not a manifest of format 1"


@pytest.mark.parametrize(
    "card",
    [{"title": "x"}, {"name": 5}, {"name": "x", "published": "y"}, {"name": "x", "license": []}],
)
def test_a_card_in_the_manifest_that_is_none(hub, folder, card):
    path = folder / "manifest.json"
    path.write_text(json.dumps(read_manifest(folder) | {"card": card}))
    assert refused(folder, REPO).startswith(f"{path}: its card is not as export writes it (")


@pytest.mark.parametrize("kind", ["model", "space"])
@pytest.mark.parametrize("private", ["/home/jane/data", "hf_" + "a" * 34, "FOLDER"])
def test_a_card_that_tells_what_nobody_should_know(hub, tmp_path, kind, private):
    folder = write_repository(tmp_path / "run", kind)
    edit(folder / "README.md", "# A ", f"From {private.replace('FOLDER', str(tmp_path))}.\n\n# A ")
    message = refused(folder, REPO, yes=True)
    assert message.startswith(f"{folder}: README.md: ") and "hf_" not in message
    assert hub.requests == []


def test_a_token_that_is_not_valid(hub, folder, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_not_valid")
    message = refused(folder, REPO)
    assert "the token is not valid" in message and "hf auth login" in message
    assert "hf_not_valid" not in message


def test_nobody_is_signed_in(hub, folder, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    assert "nobody is signed in; sign in with `hf auth login`" in refused(folder, REPO)


def test_a_token_that_may_only_read(hub, folder, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", hub.read_token)
    assert "the token may only read" in refused(folder, REPO)


def test_a_token_without_the_right_to_this_repository(hub, folder):
    hub.fail["create"] = 403
    assert "the Hub refuses (403: create fails)" in refused(folder, REPO, yes=True)


def test_no_connection(hub, folder, monkeypatch):
    with serve(folder.parent / "another") as gone:
        monkeypatch.setattr(constants, "ENDPOINT", gone.url)
    message = refused(folder, REPO)
    assert f"no connection to {gone.url}" in message and "same command again" in message


def test_offline(hub, folder, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in refused(folder, REPO)


@pytest.mark.parametrize(("step", "status"), [("batch", 413), ("upload", 507)])
def test_a_full_server_keeps_what_it_has(hub, folder, pushed, step, status):
    hub.fail[step] = status
    message = refused(folder, REPO, yes=True)
    assert f"there is no room for it on the Hub ({status}" in message
    assert main_is(hub, pushed)


def test_a_commit_that_fails_keeps_what_is_there(hub, folder, pushed):
    hub.fail["commit"] = 500
    assert "the Hub failed (500: commit fails)" in refused(folder, REPO, yes=True)
    assert main_is(hub, pushed)
    hub.fail.clear()
    uploads = len(hub.steps("upload"))
    push(folder, REPO, yes=True)
    assert main_is(hub, contents(folder))
    assert len(hub.steps("upload")) == uploads


def test_an_upload_that_breaks_goes_on_with_what_is_missing(hub, folder, pushed, at_once):
    hub.cut["upload"] = 100_000
    assert "no connection" in refused(folder, REPO, yes=True)
    assert main_is(hub, pushed)
    hub.cut.clear()
    arrived = {file.name for file in hub.store.objects.iterdir()}
    before = len(hub.steps("upload"))
    push(folder, REPO, yes=True)
    assert main_is(hub, contents(folder))
    again = hub.steps("upload")[before:]
    assert 300_000 in {request.size for request in again}
    assert not arrived & {request.path.split("/")[-1] for request in again}


def test_a_process_that_is_killed_leaves_what_is_there(hub, folder, pushed, tmp_path):
    program = (
        "import sys; from hub_upload.transfer.pushing import push; push(*sys.argv[1:], yes=True)"
    )
    environment = {**os.environ, **hub.environment(tmp_path / "home")}
    environment["PYTHONPATH"] = str(REPOSITORY)
    before = len(hub.steps("verify"))
    process = subprocess.Popen([sys.executable, "-c", program, folder, REPO], env=environment)

    def kill_at_the_last_file():
        if len(hub.steps("verify")) == before + 2:
            process.kill()
            process.wait()

    hub.before["verify"] = kill_at_the_last_file
    assert process.wait(timeout=100) < 0
    assert main_is(hub, pushed)
    hub.before.clear()
    uploads = len(hub.steps("upload"))
    push(folder, REPO, yes=True)
    assert main_is(hub, contents(folder))
    assert len(hub.steps("upload")) == uploads


def test_content_that_changes_on_the_way_is_not_committed(hub, folder, pushed):
    hub.corrupt = {"upload"}
    assert "has another SHA-256" in refused(folder, REPO, yes=True)
    assert main_is(hub, pushed)


def test_content_that_the_hub_changes_is_noticed(hub, folder):
    hub.corrupt = {"commit"}
    message = refused(folder, REPO, yes=True)
    assert "on the Hub this is not what was sent: config.json" in message


def test_a_push_of_somebody_else_in_between_is_not_overwritten(hub, folder, pushed):
    theirs = []
    hub.before["commit"] = lambda: theirs.append(hub.store.commit(REPO, {"theirs.txt": b"theirs"}))
    assert "somebody else has committed meanwhile" in refused(folder, REPO, yes=True)
    assert hub.store.find(REPO).resolve("main") == theirs[0]
    assert main_is(hub, pushed | {"theirs.txt": b"theirs"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["lucaone"], "give the repository as OWNER/NAME"),
        (["a/b/c"], "is not the name of a repository"),
        ([REPO, "--branch", "x", "--pull-request"], "exclude each other"),
        ([REPO, "--tag", "v1", "--pull-request"], "--tag has no meaning"),
        ([REPO, "--branch", "refs/pr/1"], "--branch 'refs/pr/1': not a name"),
        ([REPO, "--tag", ""], "--tag '': not a name"),
    ],
)
def test_wrong_usage(hub, folder, capsys, options, message):
    assert lucaone("hub", "push", folder, *options) == 2
    assert message in capsys.readouterr().err
    assert hub.requests == []


# The token


def test_the_token_is_written_nowhere(hub, folder, tmp_path, capfd):
    hub.fail["commit"] = 500
    assert lucaone("hub", "push", folder, REPO, "--yes") == 1
    hub.fail.clear()
    assert lucaone("hub", "push", folder, REPO, "--yes") == 0
    assert lucaone("hub", "pull", REPO, tmp_path / "pulled") == 0
    printed = capfd.readouterr()
    assert hub.token not in printed.out + printed.err
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or hub.token.encode() not in path.read_bytes()


def test_the_storage_of_large_files_is_not_told_the_token(hub, folder):
    push(folder, REPO, yes=True)
    uploads = hub.steps("upload")
    assert len(uploads) == len(LARGE)
    assert not any(request.authorized for request in uploads)
    assert all(request.authorized for request in hub.steps("create", "batch", "commit"))


# Together


@pytest.mark.slow
def test_from_a_model_to_a_stranger_and_back(hub, tmp_path):
    source = convert(GOLDEN / "hub-tiny", tmp_path / "model", seq_type="prot")
    export(tmp_path / "model", tmp_path / "exported", license="mit")
    edit(tmp_path / "exported" / "README.md", "# exported", "# A model\n\nIn our own words.")
    push(tmp_path / "exported", REPO, yes=True)
    program = """
import sys, torch
from transformers import AutoModel, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1], trust_remote_code=True)
model = AutoModel.from_pretrained(sys.argv[1], trust_remote_code=True).eval()
with torch.no_grad():
    states = model(**tokenizer("MKTAYIAK", return_tensors="pt")).last_hidden_state
assert "modeling_lucaone" not in sys.modules
torch.save(states, sys.argv[2])
"""
    environment = {**os.environ, **hub.environment(tmp_path / "home")}
    states = tmp_path / "states.pt"
    subprocess.run(
        [sys.executable, "-c", program, REPO, states],
        env=environment,
        check=True,
        timeout=200,
        cwd=tmp_path,
    )
    assert verify(REPO).ok
    pulled = pull(REPO, tmp_path / "pulled").dest
    assert check_files(pulled) == []
    model, tokenizer = AutoModel.from_pretrained(pulled), AutoTokenizer.from_pretrained(pulled)
    assert source.classes[-1] == type(model).__name__
    with torch.no_grad():
        expected = model(**tokenizer("MKTAYIAK", return_tensors="pt")).last_hidden_state
    assert torch.equal(torch.load(states, weights_only=True), expected)
