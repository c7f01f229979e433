# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A Hub on the loopback address, for the real client: tokens, Git LFS, commits, downloads, faults.

Two servers, as there: the Hub itself, and a storage for large files under a name of its own, to
which a client has no reason to send its token. `HubServer.connect` points the `huggingface_hub` of
this process to it; a new process takes `HubServer.environment`. Xet is not offered.
"""

import json
import random
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import close_session, constants

from hub_upload.repository.card import CardFacts, render_card
from hub_upload.repository.manifest import CARD, write_manifest
from tests.hub_upload.hub_protocol import Handler, Request
from tests.hub_upload.hub_store import Store


class HubServer:
    """The server, what it holds, what it was asked, and what is to go wrong.

    Attributes:
        url: its address.
        token: one that may write, as `someone`; `read_token` may not.
        root: the folder with all its files.
        store: repositories and collections.
        requests: all requests so far.
        part_size: large files of more bytes are uploaded in parts of this size.
        fail: the status that a step of `ROUTES` answers with, by its name.
        before: what is called before a step, by its name.
        cut: the bytes of a body after which the connection breaks, of `upload` and `download`.
        corrupt: the steps that change a byte: `upload`, `commit` and `download`.
    """

    token, read_token = "hf_" + "w" * 34, "hf_" + "r" * 34

    def __init__(self, root: Path):
        self.root = root
        self.store = Store(root)
        self.requests: list[Request] = []
        self.part_size: int | None = None
        self.fail: dict[str, int] = {}
        self.before: dict[str, Callable[[], object]] = {}
        self.cut: dict[str, int] = {}
        self.corrupt: set[str] = set()
        self.servers = [
            ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, self)) for _ in range(2)
        ]
        # Two names, for the client tells by them to whom its token belongs.
        self.url, self.storage_url = (
            f"http://{name}:{server.server_address[1]}"
            for name, server in zip(("127.0.0.1", "localhost"), self.servers, strict=True)
        )

    def steps(self, *names: str) -> list[Request]:
        """Return the requests of these steps."""
        return [request for request in self.requests if request.step in names]

    def environment(self, home: Path, token: str | None = None) -> dict[str, str]:
        """Return the variables that point a new process to this server."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_OFFLINE": "0",
            "HF_TOKEN": self.token if token is None else token,
        }

    def connect(self, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
        """Point this process, which has read its variables already, to this server."""
        monkeypatch.setenv("HF_TOKEN", self.token)
        template = self.url + "/{repo_id}/resolve/{revision}/{filename}"
        for name, value in {
            "ENDPOINT": self.url,
            "HUGGINGFACE_CO_URL_TEMPLATE": template,
            "HF_HOME": str(home),
            "HF_HUB_CACHE": str(home / "hub"),
            "HF_TOKEN_PATH": str(home / "token"),
            "HF_HUB_DISABLE_XET": True,
            "HF_HUB_OFFLINE": False,
        }.items():
            monkeypatch.setattr(constants, name, value)


@contextmanager
def serve(folder: Path) -> Iterator[HubServer]:
    """Run a Hub that keeps its files in a new folder."""
    hub = HubServer(folder)
    threads = [threading.Thread(target=server.serve_forever, args=[0.01]) for server in hub.servers]
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        for server, thread in zip(hub.servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()
        close_session()  # the client keeps connections open


def write_repository(
    folder: Path, kind: str = "model", license: str | None = "apache-2.0", **contents: bytes
) -> Path:
    """Write a folder as `lucaone hub export` does: its card holds, but no model would load."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "config.json": b'{"model_type": "lucaone"}\n',
        "model.safetensors": weights(0),
        "tokenizer_config.json": b"{}\n",
        "pictures/curves.png": random.Random(1).randbytes(20_000),
    }
    for name, content in (files | contents).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    card = CardFacts(name="A model", license=license)
    if kind == "space":
        (folder / CARD).write_text("---\nlicense: apache-2.0\n---\n# A page\n", "utf-8")
    else:
        (folder / CARD).write_text(render_card(folder, card), "utf-8")
    write_manifest(folder, kind, {} if kind == "space" else asdict(card))
    return folder


def weights(seed: int) -> bytes:
    """Return 300,000 bytes of a safetensors file with a tensor of random numbers."""
    size = 300_000 - 8 - 80
    tensor = {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}
    header = json.dumps({"weight": tensor}).ljust(80).encode()
    return struct.pack("<Q", len(header)) + header + random.Random(seed).randbytes(size)


def contents(folder: Path) -> dict[str, bytes]:
    """Return what the files below a folder hold, by their names."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
