# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A repository on disk to the Hub: looked through, planned, and sent as one commit.

Files are uploaded before the commit that names them. So whatever fails or is interrupted leaves the
latest revision as it was, and the next run finds on the Hub what has arrived and sends the rest.
"""

from os import PathLike
from pathlib import Path
from typing import Any, Literal

import yaml
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, metadata_load
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

from embedding.hub import HubError, asking_the_hub, check_repo_id

from ..files import some_of
from ..repository.manifest import (
    CARD,
    MANIFEST,
    check_files,
    is_ours,
    read_manifest,
    repository_files,
)
from ..repository.privacy import find_private
from .report import UPLOADED, FileChange, PushReport

MAIN = "main"


def check_options(
    repo_id: str,
    *,
    branch: str | None = None,
    pull_request: bool = False,
    tag: str | None = None,
    **_: Any,
) -> None:
    """Check the options of `push`, all but what depends on the folder and the Hub.

    Raises:
        ValueError: an option that cannot be right.
    """
    check_repo_id(repo_id)
    if pull_request and branch is not None:
        raise ValueError("--pull-request and --branch exclude each other")
    if pull_request and tag is not None:
        raise ValueError("--tag has no meaning with --pull-request: nothing is merged yet")
    for option, name in (("--branch", branch), ("--tag", tag)):
        if name is not None and (not name or name.startswith("refs/") or " " in name):
            raise ValueError(f"{option} {name!r}: not a name")


def push(
    folder: str | PathLike[str],
    repo_id: str,
    *,
    yes: bool = False,
    public: bool = False,
    branch: str | None = None,
    pull_request: bool = False,
    tag: str | None = None,
    collection: str | None = None,
    message: str | None = None,
) -> PushReport:
    """Make a repository of the Hub hold the files of a folder, and no others, by one commit.

    Args:
        folder: a repository with a manifest whose hashes hold, as `export` writes it, and with a
            card whose claims do; one of kind `space` becomes a Space.
        repo_id: `owner/name`; a repository that is not there is made.
        yes: do it; otherwise nothing on the Hub changes.
        public: make a new repository a public one.
        branch: the branch that is committed to (default: main); one that is not there begins at
            main.
        pull_request: open a pull request with the commit.
        tag: name for the commit. Without it, what is pushed to main gets the version of this
            package that made the folder, if no commit has that name.
        collection: slug of a collection to put the repository into.
        message: of the commit.

    Returns:
        What was done, or would be.

    Raises:
        ValueError: an option cannot be right; the folder has no manifest, is not as it says, names
            a folder of this machine, holds a token, or has a card that its files contradict.
        HubError: the Hub cannot be reached or refuses, the tag belongs to another commit, or the
            Hub does not hold afterwards what was sent.
    """
    check_options(repo_id, branch=branch, pull_request=pull_request, tag=tag)
    folder = Path(folder)
    manifest = read_manifest(folder)
    if faults := check_files(folder):
        raise ValueError(f"{folder}: not as {MANIFEST} says: {some_of(faults)}; export it again")
    # The card may have been edited since it was looked through.
    if private := find_private(folder, [folder.parent, Path.cwd()]):
        raise ValueError(f"{folder}: {some_of(private)}, which is not sent")
    api = HfApi()
    repo_type: Literal["model", "space"] = "space" if manifest["kind"] == "space" else "model"
    report = PushReport(
        repo_id=repo_id,
        repo_type=repo_type,
        url=f"{api.endpoint}/{'spaces/' if repo_type == 'space' else ''}{repo_id}",
        branch=None if pull_request else branch or MAIN,
        private=not public,
        notes=_check_card(folder, manifest["kind"]),
    )
    with asking_the_hub(repo_id):
        _find_repository(api, report)
        report.files = _compare(api, folder, report)
        if CARD in report.names("changed"):
            report.notes.append(f"{CARD} on the Hub has another text, which is replaced")
        if not report.changed:
            report.notes.append("the Hub holds these files already; there is nothing to commit")
        _choose_tag(api, manifest, report, tag)
    if collection is not None:
        with asking_the_hub(f"collection {collection}"):
            report.collection = api.get_collection(collection).slug
    if yes:
        _send(api, folder, report, message or "Upload with lucaone hub push")
    return report


def _check_card(folder: Path, kind: str) -> list[str]:
    """Refuse a card that the files contradict, and return what one should know of it."""
    card = folder / CARD
    if not card.is_file():
        return [f"there is no {CARD}"]
    try:
        metadata = metadata_load(card)
    except (ValueError, yaml.YAMLError):
        raise ValueError(f"{card}: what stands between the lines of --- is not YAML") from None
    if kind != "space":
        from ..repository.card import CardFacts, check_card

        if wrong := check_card(folder, CardFacts.read(folder)):
            raise ValueError(f"{folder}: {some_of(wrong)}")
    return [] if metadata and metadata.get("license") else [f"{CARD} names no license"]


def _find_repository(api: HfApi, report: PushReport) -> None:
    account = api.whoami()
    report.account = account["name"]
    if account.get("auth", {}).get("accessToken", {}).get("role") == "read":
        raise HubError(f"{report.repo_id}: the token may only read; use one that may write")
    try:
        info = api.repo_info(report.repo_id, repo_type=report.repo_type)
    except GatedRepoError:
        raise
    except RepositoryNotFoundError:
        if report.branch is None:
            raise HubError(
                f"{report.repo_id}: not there, so there is nothing to ask to pull"
            ) from None
        report.exists, report.branch_exists = False, report.branch == MAIN
        return
    if report.private != info.private:
        report.private = bool(info.private)
        report.notes.append(
            f"the repository is {'private' if info.private else 'public'} and stays so"
        )
    report.parent = info.sha
    if report.branch not in (None, MAIN):
        branches = api.list_repo_refs(report.repo_id, repo_type=report.repo_type).branches
        heads = {ref.name: ref.target_commit for ref in branches}
        report.branch_exists = report.branch in heads
        report.parent = heads.get(report.branch, report.parent)


def _compare(api: HfApi, folder: Path, report: PushReport) -> list[FileChange]:
    changes = dict.fromkeys(repository_files(folder), "unchanged" if report.exists else "new")
    if report.exists:
        changes |= _differences(api, folder, report, report.parent)
    return [
        FileChange(name, change, 0 if change == "deleted" else (folder / name).stat().st_size)
        for name, change in sorted(changes.items())
    ]


def _differences(
    api: HfApi, folder: Path, report: PushReport, revision: str | None
) -> dict[str, str]:
    """Return what must become of files on the Hub, by their names, to be those of the folder."""
    there = api.verify_repo_checksums(
        report.repo_id, repo_type=report.repo_type, revision=revision, local_dir=folder
    )
    changes = {mismatch["path"]: "changed" for mismatch in there.mismatches}
    changes |= dict.fromkeys(there.extra_paths, "new")
    changes |= dict.fromkeys(there.missing_paths, "deleted")
    return {name: change for name, change in changes.items() if is_ours(name)}


def _choose_tag(api: HfApi, manifest: dict[str, Any], report: PushReport, tag: str | None) -> None:
    """Decide on a tag; one that is there never moves."""
    version = manifest["made_with"].get("lucaone-hf")
    report.tag = tag or (f"v{version}" if version and report.branch == MAIN else None)
    if report.tag is None or not report.exists:
        return
    tags = api.list_repo_refs(report.repo_id, repo_type=report.repo_type).tags
    commit = next((ref.target_commit for ref in tags if ref.name == report.tag), None)
    if commit is None or (commit == report.parent and not report.changed):
        return
    if tag is not None:
        raise HubError(f"{report.repo_id}: the tag {tag} is there already, for commit {commit}")
    report.notes.append(f"the tag {report.tag} stays at commit {commit}; --tag NAME gives another")
    report.tag = None


def _send(api: HfApi, folder: Path, report: PushReport, message: str) -> None:
    repo_id, repo_type = report.repo_id, report.repo_type
    with asking_the_hub(repo_id):
        if not report.exists:
            sdk = "gradio" if repo_type == "space" else None
            api.create_repo(repo_id, private=report.private, repo_type=repo_type, space_sdk=sdk)
            report.parent = api.repo_info(repo_id, repo_type=repo_type).sha
        if report.branch is not None and not report.branch_exists:
            api.create_branch(
                repo_id, branch=report.branch, revision=report.parent, repo_type=repo_type
            )
        report.commit = report.parent
        if report.changed:
            made = api.create_commit(
                repo_id,
                [
                    *(CommitOperationDelete(name) for name in report.names("deleted")),
                    *(CommitOperationAdd(name, folder / name) for name in report.names(*UPLOADED)),
                ],
                commit_message=message,
                repo_type=repo_type,
                revision=report.branch,
                create_pr=report.branch is None,
                parent_commit=report.parent,
            )
            report.commit, report.url = made.oid, made.pr_url or report.url
    with asking_the_hub(f"{repo_id}: commit {report.commit} is made, but"):
        _check_arrival(api, folder, report)
        if report.tag is not None:
            api.create_tag(
                repo_id, tag=report.tag, revision=report.commit, repo_type=repo_type, exist_ok=True
            )
        if report.collection is not None:
            api.add_collection_item(report.collection, repo_id, repo_type, exists_ok=True)


def _check_arrival(api: HfApi, folder: Path, report: PushReport) -> None:
    if wrong := _differences(api, folder, report, report.commit):
        raise HubError(
            f"{report.repo_id}: on the Hub this is not what was sent: {some_of(wrong)}, in commit "
            f"{report.commit}; the one before it was {report.parent}"
        )
