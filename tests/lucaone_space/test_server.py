# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What the server gives to somebody who speaks with it directly, and what not."""

import asyncio
import socket

import gradio
import httpx
import pytest
from starlette.middleware import Middleware

from lucaone_space import build_app
from lucaone_space.inputs import Limits
from lucaone_space.server import ClosedRoutes
from tests.helpers import GOLDEN, REPOSITORY
from tests.lucaone_space.visitors import ANNOTATION, MAP, MASKED, PAIR, ask, post

SECRET = "what no visitor may read"
LETTERS = "MKTAYIAKQRQISFVK"


@pytest.fixture
def secret(tmp_path, monkeypatch):
    """Return a file with a secret, in the working directory of the server."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_text(SECRET)
    return tmp_path / "secret.txt"


def test_the_functions_answer(url):
    assert "actual letter" in ask(url, MASKED, [LETTERS, "prot", 3])
    assert "Taxonomic order" in ask(url, ANNOTATION, [LETTERS, "prot", 0.5])
    assert "a map is of 4 to 200 sequences" in ask(url, MAP, [LETTERS, "prot", ""])
    assert "encodes" in ask(url, PAIR, ["ATGAAA", "MK"])


@pytest.mark.parametrize(
    "route",
    [
        "gradio_api/file={path}",
        "gradio_api/file=secret.txt",
        "gradio_api/file=../../../../../..{path}",
        "gradio_api/file%3D{path}",
        "gradio_api/file/secret.txt",
        "file={path}",
        "file/{path}",
        "static/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{path}",
        "assets/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{path}",
        "svelte/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2f..{path}",
        "static/{path}",
        "gradio_api/proxy=https://huggingface.co/",
        "gradio_api/custom_component/0/server/component/{path}",
        "gradio_api/stream/a/b/0/playlist-file",
        "gradio_api/openapi.json",
        "openapi.json",
        "docs",
        "monitoring",
        "gradio_api/vibe-code",
        "gradio_api/deep_link",
    ],
)
def test_closed_routes(url, secret, route):
    # The address goes out as it stands here, with its dots and percent signs.
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    target = "/" + route.format(path=secret)
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        request = f"GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    assert answer.split()[1] in (b"403", b"404")
    assert SECRET.encode() not in answer


@pytest.mark.parametrize("kind", ["websocket", "another"])
def test_only_http_is_spoken(kind):
    reached, sent = [], []

    async def inner(*_):
        reached.append(kind)

    async def send(message):
        sent.append(message["type"])

    closed = ClosedRoutes(inner, largest_body=10)
    asyncio.run(closed({"type": kind, "path": "/"}, None, send))
    assert reached == [] and sent == ["websocket.close"]


def test_middleware_of_others_leaves_the_routes_closed():
    seen = []

    class Seen:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            if scope["type"] == "http":
                seen.append(scope["path"])
            await self.app(scope, receive, send)

    app = build_app(GOLDEN / "hub-tiny")
    given = {"middleware": [Middleware(Seen)], "docs_url": "/robots.txt"}
    app.launch(
        server_name="127.0.0.1", quiet=True, prevent_thread_lock=True, app_kwargs=given.copy()
    )
    try:
        assert httpx.post(f"{app.local_url}gradio_api/upload").status_code == 404
        assert httpx.get(f"{app.local_url}config").status_code == 200
        assert "swagger" not in httpx.get(f"{app.local_url}robots.txt").text
    finally:
        app.close(verbose=False)
    assert "/config" in seen and "/gradio_api/upload" not in seen


@pytest.mark.parametrize(
    "route", ["upload", "process_recording", "component_server", "run/predict", "call/predict"]
)
def test_nothing_can_be_uploaded(url, route):
    response = httpx.post(f"{url}gradio_api/{route}", files={"files": ("a.fasta", b">a\nMK\n")})
    assert response.status_code == 404


@pytest.mark.parametrize("key", ["path", "url"])
def test_a_file_in_place_of_text(url, secret, monkeypatch, key):
    """Gradio would look for it, or fetch it, whatever the component is."""
    fetched = []

    async def fetch(address, *_, **__):
        fetched.append(address)
        raise OSError("no network in tests")

    monkeypatch.setattr(gradio.processing_utils, "async_ssrf_protected_download", fetch)
    for place in (str(secret), "secret.txt", "http://127.0.0.1:1/a", "https://huggingface.co/a"):
        file = {"path": "", "meta": {"_type": "gradio.FileData"}, "orig_name": "a.fasta"}
        for value in (file | {key: place}, [file | {key: place}], {"a": file | {key: place}}):
            assert ask(url, MASKED, [value, "prot", 3]) is None
    assert fetched == []


@pytest.mark.parametrize("scheme", ["", "file://", "/gradio_api/file="])
def test_a_path_in_the_text_is_text(url, secret, scheme):
    answer = ask(url, MASKED, [f"{scheme}{secret}", "prot", 3])
    assert "is not a letter A to Z" in answer and SECRET not in answer


def test_wrong_values_are_errors_without_details(url):
    assert "the sequence has positions 1 to 16; give one" in ask(
        url, MASKED, [LETTERS, "prot", None]
    )
    for position in (0, 1.5):
        said = ask(url, MASKED, [LETTERS, "prot", position])
        assert f"positions 1 to 16, not {position}" in said
    assert "the text is empty" in ask(url, MASKED, [None, "prot", 3])
    for values in ([LETTERS, "column:id", 3], [LETTERS, "prot", "first"], [LETTERS, "prot"]):
        assert ask(url, MASKED, values) is None


def test_a_body_that_is_too_large_is_cut_off(url):
    limit = 8 * Limits().characters + 100_000
    assert post(url, MASKED, ["A" * limit, "prot", 3]).status_code == 400
    assert "actual letter" in ask(url, MASKED, [LETTERS, "prot", 3])
    assert "200,001 characters; the limit is 200,000" in ask(
        url, MASKED, ["A" * 200_001, "gene", 1]
    )


def test_the_page_tells_nothing_of_the_machine(url):
    for route in ("", "config", "gradio_api/info", "manifest.json", "theme.css"):
        response = httpx.get(f"{url}{route}")
        assert response.status_code == 200
        assert str(REPOSITORY) not in response.text
        assert "default-src 'self'" in response.headers["content-security-policy"]
    assert httpx.get(f"{url}gradio_api/info").json() == {
        "named_endpoints": {},
        "unnamed_endpoints": {},
    }


def test_limits_can_be_set(pair_folder):
    limits = Limits(letters=10, sequences=5, characters=50)
    app = build_app(GOLDEN / "hub-tiny", pair_folder, limits=limits, title="A <title>")
    app.launch(server_name="127.0.0.1", quiet=True, prevent_thread_lock=True)
    try:
        assert "the limit is 10" in ask(app.local_url, MASKED, ["A" * 11, "gene", 1])
        assert "the limit is 50" in ask(app.local_url, MASKED, ["A" * 51, "gene", 1])
        config = httpx.get(f"{app.local_url}config").text
        assert "10 letters per sequence" in config and "A &lt;title&gt;" in config
    finally:
        app.close(verbose=False)
