# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A repository of the Hub to a folder that is there whole or not at all."""

import glob
import shutil
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from huggingface_hub.hf_api import ModelInfo

from embedding.hub import SIGN_IN, HubError, asking_the_hub, check_repo_id

from ..files import check_destination, move_into_place, some_of
from ..repository.manifest import MANIFEST, PICKLES, check_files, is_inside, is_ours
from .pushing import MAIN


@dataclass
class PullReport:
    """What was fetched; as text, a few lines for people.

    Attributes:
        repo_id: the repository.
        revision: the branch, tag or commit that was asked for.
        commit: the commit that it stood for.
        dest: the folder.
        files: number of files.
        size: their bytes.
        notes: what one should know, one sentence each.
    """

    repo_id: str
    revision: str
    commit: str
    dest: Path
    files: int
    size: int
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rows = [
            ("repository", self.repo_id),
            ("revision", self.revision),
            ("commit", self.commit),
            ("folder", str(self.dest)),
            ("files", f"{self.files}, {self.size:,} bytes, hashes as on the Hub"),
            *(("note", note) for note in self.notes),
        ]
        return "\n".join(f"{name:<12}{text}" for name, text in rows)


def pull(repo_id: str, dest: str | PathLike[str], *, revision: str | None = None) -> PullReport:
    """Fetch a model repository.

    It is fetched into a hidden folder beside `dest`, which gets its name when all hashes hold.
    After an interruption this folder stays, and the next call goes on with it.

    Args:
        repo_id: the repository.
        dest: a folder that does not exist or is empty.
        revision: branch, tag or commit (default: main), which is resolved to a commit first.

    Raises:
        ValueError: `repo_id` cannot be the name of a repository, or there is something at `dest`.
        HubError: the Hub cannot be reached or refuses, or a file is not what the Hub or the
            manifest of the repository says.
    """
    check_repo_id(repo_id)
    path = check_destination(dest)
    staging = path.with_name(f".{path.name}.partial")
    api = HfApi()
    with asking_the_hub(repo_id if revision is None else f"{repo_id} at {revision}"):
        info = _find(api, repo_id, revision)
    commit, names = str(info.sha), [file.rfilename for file in info.siblings or []]
    if outside := [name for name in names if not is_inside(name)]:
        raise HubError(f"{repo_id}: a file would come to lie elsewhere: {some_of(outside)}")
    pickled = {name for name in names if name.endswith(PICKLES)}
    wanted = set(filter(is_ours, names)) - pickled
    _fetch(api, repo_id, commit, staging, wanted)
    notes = _check_manifest(repo_id, staging)
    if pickled:
        notes.append(f"not fetched, since what is pickled can run code: {some_of(pickled)}")
    report = PullReport(
        repo_id=repo_id,
        revision=revision or MAIN,
        commit=commit,
        dest=path,
        files=len(wanted),
        size=sum((staging / name).stat().st_size for name in wanted),
        notes=notes,
    )
    shutil.rmtree(staging / ".cache")
    move_into_place(staging, path)
    return report


def _find(api: HfApi, repo_id: str, revision: str | None) -> ModelInfo:
    try:
        return api.model_info(repo_id, revision=revision)
    except GatedRepoError:
        raise
    except RepositoryNotFoundError:
        if api.repo_exists(repo_id, repo_type="space"):
            raise HubError(
                f"{repo_id}: a Space, and no model that this token may see; only a model can be "
                f"pulled, and for a private one {SIGN_IN}"
            ) from None
        raise


def _fetch(api: HfApi, repo_id: str, commit: str, staging: Path, wanted: set[str]) -> None:
    """Fetch the wanted files and compare them with the hashes that the Hub states."""
    with asking_the_hub(f"{repo_id} at commit {commit}"):
        api.snapshot_download(
            repo_id,
            revision=commit,
            local_dir=staging,
            # Not that of the user: a file that is damaged there would come back every time.
            cache_dir=staging / ".cache",
            allow_patterns=[glob.escape(name) for name in wanted],
        )
        found = api.verify_repo_checksums(repo_id, revision=commit, local_dir=staging)
    wrong = {mismatch["path"] for mismatch in found.mismatches}
    for name in (*wrong, *found.extra_paths):  # extra ones are of another commit, interrupted
        (staging / name).unlink()
    wrong |= wanted.intersection(found.missing_paths)
    if wrong:
        raise HubError(
            f"{repo_id} at commit {commit}: did not arrive as on the Hub: {some_of(wrong)}; "
            "the same command fetches it again"
        )


def _check_manifest(repo_id: str, staging: Path) -> list[str]:
    try:
        faults = check_files(staging)
    except ValueError:  # there is none, or it is that of another program
        return [
            f"the repository has no {MANIFEST} of lucaone hub export: the files are compared with "
            "the Hub alone"
        ]
    if faults:
        shutil.rmtree(staging)
        raise HubError(f"{repo_id}: {MANIFEST} and the files disagree: {some_of(faults)}")
    return []
