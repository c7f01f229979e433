# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The command `lucaone demo`; see lucaone_cli.py."""

import argparse
import threading
from collections.abc import Callable
from typing import Any

MORE = """\
The page hides letters and predicts them, annotates a sequence, draws a map of
several, and says yes or no to a DNA and a protein. It is for this machine alone,
unless --host opens it to others; it sends nothing to anybody. Without --model it
shows the small models of this package, which know little.
"""
HIGHEST_PORT = 65_535


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the command of this room."""
    parser = add(
        "demo",
        run,
        "serve a page on which to try a model in the browser",
        "lucaone demo --model lucaone",
        MORE,
    )
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="folder of a LucaOne model, or its name on the Hugging Face Hub (OWNER/NAME)",
    )
    parser.add_argument(
        "--pair-model",
        metavar="MODEL",
        help="the same of a model of pairs: does a DNA belong to a protein, yes or no",
    )
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        help="address to listen at; 0.0.0.0 lets other machines in (default: 127.0.0.1)",
    )
    parser.add_argument(
        "--port",
        type="positive",
        metavar="N",
        help="port to listen at, 65535 at most (default: the first free one from 7860)",
    )
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ... (default: a GPU if there is one)")


def run(options: dict[str, Any]) -> None:
    """Serve the page until Ctrl-C."""
    host, port = options.pop("host", "127.0.0.1"), options.pop("port", None)
    if port is not None and port > HIGHEST_PORT:
        raise argparse.ArgumentError(None, f"--port {port}: a port is 1 to {HIGHEST_PORT}")
    try:
        from lucaone_space import build_app
    except ImportError as error:
        raise ImportError(f"{error}; pip install 'lucaone-hf[space]'") from None

    if "model" not in options:
        import lucaone_nano

        options["model"] = lucaone_nano.PATH
        options.setdefault("pair_model", lucaone_nano.PAIR)
    app = build_app(**options)
    try:
        app.launch(server_name=host, server_port=port, quiet=True, prevent_thread_lock=True)
    except OSError:  # Gradio's own message is of its own options
        ports = port or "7860 to 7959"
        raise OSError(f"--host {host}, --port {ports}: taken, or not of this machine") from None
    print(f"{app.local_url} (Ctrl-C ends it)", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print()
    finally:
        app.close(verbose=False)
