# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The Hub's protocol as its client speaks it: a step for each kind of request."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from tests.hub_upload.hub_store import LARGE, File, Refusal, Repository

if TYPE_CHECKING:
    from tests.hub_upload.hub_server import HubServer

# The steps that change what the Hub holds, or ask to.
WRITING = {"create", "batch", "upload", "complete", "verify", "commit", "branch", "tag", "collect"}
REPO = r"/api/(?P<kind>models|spaces)/(?P<name>[^/]+/[^/]+)"
GIT = r"/(?:(?P<kind>spaces)/)?(?P<name>[^/]+/[^/]+)"
REV = r"(?P<revision>[^/]+)"
ROUTES = [
    ("GET", "whoami", r"/api/whoami-v2"),
    ("POST", "create", r"/api/repos/create"),
    ("POST", "validate", r"/api/validate-yaml"),
    ("GET", "collection", r"/api/collections/(?P<slug>.+)"),
    ("POST", "collect", r"/api/collections/(?P<slug>.+)/items"),
    ("GET", "info", rf"{REPO}(?:/revision/{REV})?"),
    ("GET", "refs", rf"{REPO}/refs"),
    ("GET", "tree", rf"{REPO}/tree/{REV}(?:/(?P<path>.+))?"),
    ("POST", "preupload", rf"{REPO}/preupload/{REV}"),
    ("POST", "commit", rf"{REPO}/commit/{REV}"),
    ("POST", "branch", rf"{REPO}/branch/{REV}"),
    ("POST", "tag", rf"{REPO}/tag/{REV}"),
    ("POST", "batch", rf"{GIT}\.git/info/lfs/objects/batch"),
    ("POST", "verify", rf"{GIT}\.git/info/lfs/objects/verify"),
    ("PUT", "upload", r"/objects/(?P<oid>[0-9a-f]{64})(?:/(?P<part>\d+))?"),
    ("POST", "complete", r"/objects/(?P<oid>[0-9a-f]{64})"),
    ("GET", "download", r"/objects/(?P<oid>[0-9a-f]{64})"),
    ("GET", "resolve", rf"{GIT}/resolve/{REV}/(?P<path>.+)"),
    ("HEAD", "resolve", rf"{GIT}/resolve/{REV}/(?P<path>.+)"),
]
FORBIDDEN = Refusal(403, "You do not have the right to write here")


@dataclass
class Request:
    """A request: what it asked for, the bytes that came with it, and whether a token did."""

    step: str
    method: str
    path: str
    size: int
    authorized: bool


class Handler(BaseHTTPRequestHandler):
    """Answers one connection; each step of `ROUTES` is a method."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece; in two, the second waits 40 ms for a confirmation

    def __init__(self, hub: "HubServer", *arguments: Any):
        self.hub = hub
        self.store = hub.store
        super().__init__(*arguments)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def _dispatch(self) -> None:
        path, _, query = self.path.partition("?")
        routes = (
            (step, re.fullmatch(pattern, path))
            for method, step, pattern in ROUTES
            if method == self.command
        )
        step, match = next((route for route in routes if route[1]), ("unknown", None))
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        request = Request(step, self.command, path, 0, bool(token))
        self.hub.requests.append(request)
        self.body = b""
        self.query = {key: values[0] for key, values in parse_qs(query).items()}
        try:
            self._read_body(request)
            self.role = self._role(token)
            self.hub.before.get(step, lambda: None)()
            if match is None:
                raise Refusal(404, f"{self.command} {path} is not part of this server")
            if step in self.hub.fail:
                raise Refusal(self.hub.fail[step], f"{step} fails")
            parts = {key: unquote(value) for key, value in match.groupdict().items() if value}
            if step in ("batch", "verify", "resolve"):
                parts.setdefault("kind", "models")
            getattr(self, f"_{step}")(**parts)
        except Refusal as refusal:
            headers = {"X-Error-Code": refusal.code} if refusal.code else {}
            headers["X-Error-Message"] = refusal.message
            self._json({"error": refusal.message}, refusal.status, headers)

    do_GET = do_HEAD = do_POST = do_PUT = _dispatch

    def _read_body(self, request: Request) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.body = self.rfile.read(min(length, self.hub.cut.get(request.step, length)))
        request.size = len(self.body)
        if request.size < length:  # cut off, by us or by a client that was killed
            raise ConnectionAbortedError

    def _role(self, token: str) -> str | None:
        roles = {"": None, self.hub.token: "write", self.hub.read_token: "read"}
        if token not in roles:
            raise Refusal(401, "Invalid credentials in Authorization header")
        return roles[token]

    def _repository(self, kind: str, name: str, write: bool = False) -> Repository:
        try:
            repository = self.store.find(name, kind)
            if repository.private and self.role is None:
                raise Refusal(404, "Repository not found", "RepoNotFound")
        except Refusal as refusal:
            # The Hub does not tell strangers what is there.
            refusal.status = 401 if self.role is None else 404
            raise
        if write and self.role != "write":
            raise FORBIDDEN
        return repository

    def _json(self, content: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._answer(json.dumps(content).encode(), status, headers)

    def _answer(
        self, body: bytes, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _whoami(self) -> None:
        if self.role is None:
            raise Refusal(401, "Invalid username or password.")
        token = {"displayName": "test", "role": self.role}
        self._json({"type": "user", "name": "someone", "auth": {"accessToken": token}})

    def _validate(self) -> None:
        self._json({"errors": [], "warnings": []})

    def _create(self) -> None:
        if self.role != "write":
            raise FORBIDDEN
        asked = json.loads(self.body)
        name = f"{asked.get('organization') or 'someone'}/{asked['name']}"
        kind = f"{asked.get('type', 'model')}s"
        private = asked.get("private", asked.get("visibility") == "private")
        self.store.create(name, kind, private, asked.get("sdk"))
        self._json({"url": self._page(kind, name)})

    def _page(self, kind: str, name: str) -> str:
        return f"{self.hub.url}/{'spaces/' if kind == 'spaces' else ''}{name}"

    def _info(self, kind: str, name: str, revision: str = "main") -> None:
        repository = self._repository(kind, name)
        commit = repository.resolve(revision)
        siblings = [{"rfilename": path} for path in repository.commits[commit]]
        self._json(
            {
                "id": name,
                "sha": commit,
                "private": repository.private,
                "gated": repository.gated,
                "siblings": siblings,
                "sdk": repository.sdk,
            }
        )

    def _refs(self, kind: str, name: str) -> None:
        repository = self._repository(kind, name)
        prefixes = {"branches": "refs/heads/", "tags": "refs/tags/", "pullRequests": "refs/pr/"}
        listed = {key: repository.listed(prefix) for key, prefix in prefixes.items()}
        self._json({"converts": [], **listed})

    def _tree(self, kind: str, name: str, revision: str, path: str = "") -> None:
        repository = self._repository(kind, name)
        prefix = f"{path}/" if path else ""
        entries = [
            {
                "type": "file",
                "path": file_path,
                "oid": file.blob_id,
                "size": file.size,
                **({"lfs": {"oid": file.sha256, **file.lfs}} if file.lfs else {}),
            }
            for file_path, file in repository.commits[repository.resolve(revision)].items()
            if file_path.startswith(prefix)
        ]
        if path and not entries:
            raise Refusal(404, f"{path} does not exist", "EntryNotFound")
        self._json(entries)

    def _preupload(self, kind: str, name: str, revision: str) -> None:
        repository = self._repository(kind, name, write=True)
        files = repository.commits[repository.resolve(revision)]
        answers = []
        for asked in json.loads(self.body)["files"]:
            path = asked["path"]
            mode = "lfs" if path.endswith(LARGE) else "regular"
            answer = {"path": path, "uploadMode": mode, "shouldIgnore": False}
            answers.append(answer | ({"oid": files[path].etag} if path in files else {}))
        self._json({"files": answers})

    def _batch(self, kind: str, name: str) -> None:
        self._repository(kind, name, write=True)
        verify = {"href": f"{self._page(kind, name)}.git/info/lfs/objects/verify"}
        objects = []
        for asked in json.loads(self.body)["objects"]:
            answer = {"oid": asked["oid"], "size": asked["size"]}
            if not (self.store.objects / asked["oid"]).exists():
                upload = self._upload_action(**answer)
                answer["actions"] = {"upload": upload, "verify": verify}
            objects.append(answer)
        self._json({"objects": objects, "transfer": "basic"})

    def _upload_action(self, oid: str, size: int) -> dict[str, Any]:
        href = f"{self.hub.storage_url}/objects/{oid}"
        part = self.hub.part_size
        if part is None or size <= part:
            return {"href": href}
        parts = {str(i + 1): f"{href}/{i + 1}" for i in range(-(-size // part))}
        return {"href": href, "header": {"chunk_size": str(part), **parts}}

    def _upload(self, oid: str, part: str | None = None) -> None:
        content = _with_another_byte(self.body) if "upload" in self.hub.corrupt else self.body
        (self.store.objects / (oid if part is None else f"{oid}.{part}")).write_bytes(content)
        self._answer(b"", headers={"ETag": f'"{len(content)}"'})

    def _complete(self, oid: str) -> None:
        parts = [
            self.store.objects / f"{oid}.{part['partNumber']}"
            for part in json.loads(self.body)["parts"]
        ]
        (self.store.objects / oid).write_bytes(b"".join(part.read_bytes() for part in parts))
        self._json({})

    def _verify(self, kind: str, name: str) -> None:
        self._repository(kind, name, write=True)
        oid = json.loads(self.body)["oid"]
        file = self.store.objects / oid
        if hashlib.sha256(file.read_bytes()).hexdigest() != oid:
            file.unlink()
            raise Refusal(422, f"The content of {oid} has another SHA-256")
        self._json({})

    def _commit(self, kind: str, name: str, revision: str) -> None:
        repository = self._repository(kind, name, write=True)
        head = repository.resolve(revision)
        lines = [json.loads(line) for line in self.body.splitlines()]
        header = lines[0]["value"]
        parent = header.get("parentCommit", head)
        pull_request = "create_pr" in self.query
        if parent != head and not pull_request:
            raise Refusal(412, "A commit has happened since. Please refresh and try again.")
        files = dict(repository.commits[parent])
        for line in lines[1:]:
            self._apply(files, line["key"], line["value"])
        commit = self.store.record(repository, parent, header["summary"], files)
        answer = {"commitUrl": f"{self._page(kind, name)}/commit/{commit}", "commitOid": commit}
        if pull_request:
            number = len(repository.listed("refs/pr/")) + 1
            repository.refs[f"refs/pr/{number}"] = commit
            answer["pullRequestUrl"] = f"{self._page(kind, name)}/discussions/{number}"
        else:
            repository.refs[f"refs/heads/{revision}"] = commit
        self._json(answer)

    def _apply(self, files: dict[str, File], key: str, value: dict[str, Any]) -> None:
        path = value["path"]
        if key == "deletedFile":
            if path not in files:
                raise Refusal(404, f"{path}: a file with this name doesn't exist", "EntryNotFound")
            del files[path]
        elif key == "lfsFile":
            if not (self.store.objects / value["oid"]).exists():
                raise Refusal(400, f"{path} points to a large file that was not uploaded")
            files[path] = self.store.describe(value["oid"], value["size"], large=True)
        else:
            content = base64.b64decode(value["content"])
            spoilt = "commit" in self.hub.corrupt and path == "config.json"
            files[path] = self.store.add(path, _with_another_byte(content) if spoilt else content)

    def _branch(self, kind: str, name: str, revision: str) -> None:
        start = json.loads(self.body).get("startingPoint", "main")
        self._refer(self._repository(kind, name, write=True), f"refs/heads/{revision}", start)

    def _tag(self, kind: str, name: str, revision: str) -> None:
        tag = json.loads(self.body)["tag"]
        self._refer(self._repository(kind, name, write=True), f"refs/tags/{tag}", revision)

    def _refer(self, repository: Repository, ref: str, revision: str) -> None:
        if ref in repository.refs:
            raise Refusal(409, f"{ref} exists already")
        repository.refs[ref] = repository.resolve(revision)
        self._json({})

    def _collection(self, slug: str) -> None:
        if slug not in self.store.collections:
            raise Refusal(404, "Collection not found")
        items = [
            {"_id": item["id"], "position": 0, **item} for item in self.store.collections[slug]
        ]
        about = {"slug": slug, "title": slug, "owner": {"name": "someone"}, "items": items}
        state = {"position": 0, "private": False, "theme": "blue", "upvotes": 0}
        self._json({**about, **state, "lastUpdated": "2026-01-01T00:00:00.000Z"})

    def _collect(self, slug: str) -> None:
        if self.role != "write":
            raise FORBIDDEN
        item = json.loads(self.body)["item"]
        if item in self.store.collections[slug]:
            raise Refusal(409, "This item is in the collection already")
        self.store.collections[slug].append(item)
        self._collection(slug)

    def _resolve(self, kind: str, name: str, revision: str, path: str) -> None:
        repository = self._repository(kind, name)
        if repository.gated:
            raise Refusal(403, "You are not in the authorized list.", "GatedRepo")
        commit = repository.resolve(revision)
        if path not in repository.commits[commit]:
            raise Refusal(404, f"{path} not found", "EntryNotFound")
        file = repository.commits[commit][path]
        headers = {"X-Repo-Commit": commit, "ETag": f'"{file.etag}"'}
        if file.large:
            headers |= {"X-Linked-Etag": f'"{file.etag}"', "X-Linked-Size": str(file.size)}
            headers["Location"] = f"{self.hub.storage_url}/objects/{file.sha256}"
            self._answer(b"", 302, headers)
        else:
            self._send_content((self.store.objects / file.sha256).read_bytes(), headers)

    def _download(self, oid: str) -> None:
        self._send_content((self.store.objects / oid).read_bytes(), {})

    def _send_content(self, content: bytes, headers: dict[str, str]) -> None:
        if "download" in self.hub.corrupt:
            content = _with_another_byte(content)
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        part, status = content[start:], 200
        headers["Accept-Ranges"] = "bytes"
        if "Range" in self.headers:
            status = 206
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        cut = self.hub.cut.get("download", len(part))
        self._answer(part[:cut], status, headers | {"Content-Length": str(len(part))})
        if cut < len(part):
            raise ConnectionAbortedError


def _with_another_byte(content: bytes) -> bytes:
    """Change the last byte, as a bad disk might."""
    return content[:-1] + bytes([content[-1] ^ 1])
