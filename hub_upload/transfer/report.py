# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a push does, or would do."""

from dataclasses import dataclass, field
from typing import Literal

UPLOADED = ("new", "changed")


@dataclass(frozen=True)
class FileChange:
    """What becomes of a file.

    Attributes:
        name: its path in the repository.
        change: `new`, `changed`, `unchanged` or `deleted`.
        size: bytes of the file in the folder, 0 for one that is deleted.
    """

    name: str
    change: str
    size: int = 0


@dataclass
class PushReport:
    """What is pushed, and to where; as text, a table for people.

    Attributes:
        repo_id: the repository.
        repo_type: `model` or `space`.
        url: address of the repository; of the pull request, once there is one.
        branch: the branch that is committed to; None for a new pull request.
        private: whether the repository is private, after the push.
        account: whose token is used.
        exists: whether the repository is there before the push.
        branch_exists: whether the branch is; always true of a pull request.
        parent: the commit that the push builds on; None if the repository is not there.
        files: what becomes of each file.
        tag: the name that the commit gets; None for none.
        collection: slug of the collection that the repository is put into; None for none.
        notes: what one should know, one sentence each.
        commit: the commit that holds the files; None of a dry run.
    """

    repo_id: str
    repo_type: Literal["model", "space"]
    url: str
    branch: str | None
    private: bool
    account: str = ""
    exists: bool = True
    branch_exists: bool = True
    parent: str | None = None
    files: list[FileChange] = field(default_factory=list)
    tag: str | None = None
    collection: str | None = None
    notes: list[str] = field(default_factory=list)
    commit: str | None = None

    def names(self, *changes: str) -> list[str]:
        """Return the names of the files with these changes."""
        return [file.name for file in self.files if file.change in changes]

    @property
    def changed(self) -> bool:
        """Whether the files on the Hub differ from those of the folder."""
        return any(file.change != "unchanged" for file in self.files)

    @property
    def upload_bytes(self) -> int:
        """Bytes of the new and the changed files."""
        return sum(file.size for file in self.files if file.change in UPLOADED)

    def __str__(self) -> str:
        done = self.commit is not None
        missing = "made now" if done else "to be made"
        about = [self.repo_type, "private" if self.private else "public"]
        about += [] if self.exists else [missing]
        target = "a new pull request" if self.branch is None else f"branch {self.branch}"
        uploads = self.names(*UPLOADED)
        rows = [
            ("repository", f"{self.repo_id} ({', '.join(about)})"),
            ("account", self.account),
            ("to", target if self.branch_exists else f"{target} ({missing})"),
            *((file.change, f"{file.size:>14,}  {file.name}") for file in self._shown(*UPLOADED)),
            *((file.change, f"{'':>14}  {file.name}") for file in self._shown("deleted")),
            ("unchanged", f"{len(self.names('unchanged'))} files"),
            (
                "uploaded" if done else "to upload",
                f"{len(uploads)} files, {self.upload_bytes:,} bytes",
            ),
            ("tag", self.tag or "none"),
            ("collection", self.collection or "none"),
            *(("note", note) for note in self.notes),
            ("commit", f"{self.commit} at {self.url}")
            if done
            else ("dry run", "nothing was sent; --yes does it"),
        ]
        return "\n".join(f"{name:<12}{text}" for name, text in rows)

    def _shown(self, *changes: str) -> list[FileChange]:
        return [file for change in changes for file in self.files if file.change == change]
