# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Visitors of the page: one with a browser, one that speaks with the server directly."""

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium")
TABS = ("Masked letters", "Annotation", "Map", "Pair")
# The functions behind the tabs, in this order.
MASKED, ANNOTATION, MAP, PAIR = range(4)


def post(url: str, tab: int, values: list) -> httpx.Response:
    """Send values to the function behind a tab; `answer_to` waits for what it says."""
    functions = httpx.get(f"{url}config").json()["dependencies"]
    number = [one["id"] for one in functions if one["backend_fn"]][tab]
    body = {"data": values, "fn_index": number, "session_hash": uuid.uuid4().hex}
    return httpx.post(f"{url}gradio_api/queue/join", json=body)


def ask(url: str, tab: int, values: list) -> str | None:
    """Return what the function behind a tab gives; None where it gives an error."""
    response = post(url, tab, values)
    response.raise_for_status()
    session = json.loads(response.request.content)["session_hash"]
    address = f"{url}gradio_api/queue/data?session_hash={session}"
    with httpx.stream("GET", address, timeout=60) as stream:
        for line in stream.iter_lines():
            if line.startswith("data:"):
                message = json.loads(line.removeprefix("data:"))
                if message["msg"] == "process_completed":
                    return message["output"]["data"][0] if message["success"] else None
    raise AssertionError("the stream ended without an answer")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visitor:
    """Somebody with a page open.

    Args:
        page: a page of a browser.
        url: address of the server.
    """

    def __init__(self, page: Page, url: str):
        self.page = page
        page.goto(url)
        expect(page.get_by_role("tab", name=TABS[0])).to_be_visible(timeout=60_000)

    @property
    def panel(self) -> Locator:
        """What the open tab shows."""
        return self.page.locator("[role=tabpanel]:visible")

    @property
    def result(self) -> Locator:
        """The result in the open tab, or what was wrong."""
        return self.panel.locator(".result")

    def open(self, tab: int) -> None:
        """Open a tab."""
        self.page.get_by_role("tab", name=TABS[tab]).click()
        expect(self.panel.get_by_role("button", name="Example")).to_be_visible()

    def fill(self, *texts: str, seq_type: str | None = None) -> None:
        """Fill the boxes for letters, and say what they are."""
        for box, text in zip(self.panel.locator("textarea").all(), texts, strict=True):
            box.fill(text)
        if seq_type is not None:
            self.panel.get_by_label(seq_type, exact=True).check()

    def send(self) -> None:
        """Press the button that asks the model."""
        for old in self.result.all():
            old.evaluate("one => one.classList.add('old')")
        self.panel.locator("button.primary").click()

    def ask(self, tab: int, *texts: str, seq_type: str | None = None) -> str:
        """Fill a tab, send it, and return the text of the result."""
        self.open(tab)
        self.fill(*texts, seq_type=seq_type)
        self.send()
        return self.answer()

    def answer(self) -> str:
        """Wait for the result and return its text."""
        expect(self.panel.locator(".old")).to_have_count(0)
        expect(self.result).to_be_visible(timeout=60_000)
        return self.result.inner_text()
