# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A repository of the Hub to a folder that is there whole or not at all."""

import shutil
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.utils import filter_repo_objects

from ..files import check_destination
from ..repository.manifest import MANIFEST, check_files
from .errors import HubError, asking_the_hub, check_repo_id
from .pushing import HUB_FILES, MAIN

NOT_FETCHED = [*HUB_FILES, "*.bin", "*.pt", "*.pth", "*.pkl"]  # the others are pickled


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
        info = api.model_info(repo_id, revision=revision)
    commit, names = str(info.sha), [file.rfilename for file in info.siblings or []]
    wanted = set(filter_repo_objects(names, ignore_patterns=NOT_FETCHED))
    _fetch(api, repo_id, commit, staging, wanted)
    notes = _check_manifest(repo_id, staging)
    if left := sorted(set(names) - wanted - set(HUB_FILES)):
        notes.append(f"not fetched, since what is pickled can run code: {', '.join(left)}")
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
    if path.is_dir():
        path.rmdir()
    staging.rename(path)
    return report


def _fetch(api: HfApi, repo_id: str, commit: str, staging: Path, wanted: set[str]) -> None:
    """Fetch the wanted files and compare them with the hashes that the Hub states."""
    with asking_the_hub(f"{repo_id} at commit {commit}"):
        api.snapshot_download(
            repo_id,
            revision=commit,
            local_dir=staging,
            # Not that of the user: a file that is damaged there would come back every time.
            cache_dir=staging / ".cache",
            ignore_patterns=NOT_FETCHED,
        )
        found = api.verify_repo_checksums(repo_id, revision=commit, local_dir=staging)
    wrong = {mismatch["path"] for mismatch in found.mismatches}
    for name in (*wrong, *found.extra_paths):  # extra ones are of another commit, interrupted
        (staging / name).unlink()
    wrong |= wanted.intersection(found.missing_paths)
    if wrong:
        raise HubError(
            f"{repo_id} at commit {commit}: {min(wrong)} did not arrive as it is on the Hub; "
            "the same command fetches it again"
        )


def _check_manifest(repo_id: str, staging: Path) -> list[str]:
    if not (staging / MANIFEST).is_file():
        return [f"the repository has no {MANIFEST}: the files are compared with the Hub alone"]
    try:
        faults = check_files(staging)
    except ValueError:
        faults = ["it is not one of this package"]
    if faults:
        shutil.rmtree(staging)
        raise HubError(f"{repo_id}: {MANIFEST} and the files disagree: {faults[0]}")
    return []
