# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What the Hub of the tests holds: repositories of commits, their contents in files by hash."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub.utils.sha import git_hash

# What the Hub keeps apart from git, which it says in .gitattributes.
LARGE = (".safetensors", ".bin", ".pth", ".png", ".parquet")
ATTRIBUTES = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in LARGE)


class Refusal(Exception):
    """An answer that is an error, as the Hub words it."""

    def __init__(self, status: int, message: str, code: str = ""):
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


@dataclass(frozen=True)
class File:
    """A file of a commit: where its content is, and how git names it."""

    sha256: str
    size: int
    large: bool
    blob_id: str

    @property
    def etag(self) -> str:
        return self.sha256 if self.large else self.blob_id

    @property
    def lfs(self) -> dict[str, Any] | None:
        pointer = len(_pointer(self.sha256, self.size))
        return {"size": self.size, "pointerSize": pointer} if self.large else None


def _pointer(sha256: str, size: int) -> bytes:
    """The text that git holds in place of a large file."""
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
    )


@dataclass
class Repository:
    """A repository: its commits, and what refers to them."""

    name: str
    private: bool
    sdk: str | None = None
    gated: bool = False
    commits: dict[str, dict[str, File]] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def resolve(self, revision: str) -> str:
        """Return the commit of a branch, a tag, a pull request or a commit."""
        for ref in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            if ref in self.refs:
                return self.refs[ref]
        if revision not in self.commits:
            raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return revision

    def listed(self, prefix: str) -> list[dict[str, str]]:
        return [
            {"name": ref.removeprefix(prefix), "ref": ref, "targetCommit": commit}
            for ref, commit in self.refs.items()
            if ref.startswith(prefix)
        ]


class Store:
    """The repositories and collections of a Hub.

    Attributes:
        repositories: by kind (`models`, `spaces`) and name.
        collections: the items of each, by slug.
        objects: the folder of all contents; a file's name is the SHA-256 of its content.
    """

    def __init__(self, folder: Path):
        self.objects = folder / "objects"
        self.objects.mkdir(parents=True)
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.collections: dict[str, list[dict[str, str]]] = {}

    def find(self, name: str, kind: str = "models") -> Repository:
        """Return a repository, or refuse as the Hub does."""
        if (kind, name) not in self.repositories:
            raise Refusal(404, "Repository not found", "RepoNotFound")
        return self.repositories[kind, name]

    def create(
        self, name: str, kind: str = "models", private: bool = False, sdk: str | None = None
    ) -> Repository:
        """Make a repository, which on the Hub begins with a commit."""
        if (kind, name) in self.repositories:
            raise Refusal(409, "You already created this repo")
        repository = self.repositories[kind, name] = Repository(name, private, sdk)
        first = {".gitattributes": self.add(".gitattributes", ATTRIBUTES.encode())}
        repository.refs["refs/heads/main"] = self.record(repository, None, "initial commit", first)
        return repository

    def add(self, name: str, content: bytes) -> File:
        """Keep a content."""
        sha256 = hashlib.sha256(content).hexdigest()
        (self.objects / sha256).write_bytes(content)
        return self.describe(sha256, len(content), name.endswith(LARGE), content)

    def describe(self, sha256: str, size: int, large: bool, content: bytes = b"") -> File:
        blob = _pointer(sha256, size) if large else content
        return File(sha256, size, large, git_hash(blob))

    def record(
        self, repository: Repository, parent: str | None, message: str, files: Mapping[str, File]
    ) -> str:
        """Add a commit, to which nothing refers yet, and return its id."""
        content = [repository.name, parent, message, len(repository.commits), sorted(files)]
        commit = hashlib.sha1(json.dumps(content).encode()).hexdigest()
        repository.commits[commit] = dict(files)
        repository.messages[commit] = message
        return commit

    def commit(
        self,
        name: str,
        contents: Mapping[str, bytes],
        kind: str = "models",
        branch: str = "main",
        delete: Iterable[str] = (),
    ) -> str:
        """Commit past the protocol, as somebody else might have."""
        repository = self.find(name, kind)
        parent = repository.resolve(branch)
        files = dict(repository.commits[parent])
        files |= {path: self.add(path, content) for path, content in contents.items()}
        for path in delete:
            del files[path]
        commit = self.record(repository, parent, "by somebody else", files)
        repository.refs[f"refs/heads/{branch}"] = commit
        return commit

    def files(self, name: str, revision: str = "main", kind: str = "models") -> dict[str, bytes]:
        """Return the contents of a revision, all but what the Hub itself put there."""
        repository = self.find(name, kind)
        files = repository.commits[repository.resolve(revision)]
        return {
            path: (self.objects / file.sha256).read_bytes()
            for path, file in files.items()
            if path != ".gitattributes"
        }
