# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Gradio's server with what this page does not need closed.

Gradio's own server takes uploads, fetches addresses that a visitor names as a file, to any
component, and has routes for recordings, proxies and editing. The page needs none of it: it takes
text and numbers and gives HTML.
"""

import re
from collections.abc import MutableMapping
from typing import Any

import gradio
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocketClose

# The page, what it consists of, its queue, and whether its visitor is still there.
ROUTES = re.compile(
    r"/(|config|theme\.css|manifest\.json|favicon\.ico|robots\.txt"
    r"|(assets|static|svelte)/.*"
    r"|gradio_api/(queue/(join|data)|heartbeat/\w+|startup-events|cancel|reset|info|theme\.css))"
)
# The browser is to speak with nobody else. Gradio itself needs scripts and styles within the page.
POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; "
    "base-uri 'self'; form-action 'none'"
)
# Visitors whose last inputs and answers Gradio keeps in memory.
SESSIONS = 100
THEME = gradio.themes.Default(
    font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
)

Scope = MutableMapping[str, Any]


class ClosedRoutes:
    """ASGI middleware that answers `ROUTES` alone and cuts off bodies above a limit."""

    def __init__(self, app: Any, largest_body: int):
        self.app, self.largest_body = app, largest_body

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await WebSocketClose()(scope, receive, send)
            return
        if not ROUTES.fullmatch(scope["path"]):
            await PlainTextResponse("not found", 404)(scope, receive, send)
            return
        left = self.largest_body

        async def receive_some() -> Any:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            return message if left >= 0 else {"type": "http.disconnect"}

        async def send_with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"content-security-policy", POLICY.encode()))
            await send(message)

        await self.app(scope, receive_some, send_with_policy)


class App(gradio.Blocks):
    """Blocks that take text, numbers and choices, and nothing that names a file.

    Args:
        title: of the page.
        css: of the page.
        largest_body: bytes of a request at most.
    """

    def __init__(self, title: str, css: str, largest_body: int):
        super().__init__(title=title, analytics_enabled=False)
        self._css, self._largest_body = css, largest_body

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], *args: Any, **options: Any
    ) -> Any:
        """Refuse what could name a file, before Gradio looks for it or fetches it.

        Raises:
            gradio.Error: an input is neither text nor a number.
        """
        if not all(value is None or isinstance(value, (str, int, float)) for value in inputs):
            raise gradio.Error("text, numbers and choices are taken, nothing else")
        return await super().preprocess_data(block_fn, inputs, *args, **options)

    def launch(self, *args: Any, **options: Any) -> Any:
        """Serve the page; arguments and result as of `gradio.Blocks.launch`.

        Nothing goes to anybody but the visitor: no link through others, no fonts and scripts from
        elsewhere, no files of this machine. Middleware in `app_kwargs` comes behind `ClosedRoutes`.
        """
        app_kwargs = dict(options.pop("app_kwargs", None) or {})
        closed = Middleware(ClosedRoutes, largest_body=self._largest_body)
        ours: dict[str, Any] = {
            "share": False,
            "ssr_mode": False,
            "enable_monitoring": False,
            "run_history": False,
            "footer_links": [],
            "state_session_capacity": SESSIONS,
            "theme": THEME,
            "head": f"<style>{self._css}</style>",  # Gradio rewrites what it takes as css
        }
        app_kwargs |= {
            "middleware": [closed, *app_kwargs.get("middleware", ())],
            "docs_url": None,
            "redoc_url": None,
        }
        return super().launch(*args, **(ours | options), app_kwargs=app_kwargs)
