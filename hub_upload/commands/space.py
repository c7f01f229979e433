# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The command `lucaone hub space`."""

import argparse
from collections.abc import Callable
from typing import Any

from embedding.commands.options import check_usage, print_notes

MORE = """\
DEST gets the page that lucaone demo serves, the code that it needs, the model, and
what the Hub wants to know of a Space. A folder of at most 100 MB is copied; a larger
model is pushed first (lucaone hub push) and given by its name on the Hub, which the
Space fetches when it starts, with a token among its secrets if that is private.
lucaone hub push DEST OWNER/NAME uploads the Space.
"""


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = add(
        "hub space",
        run,
        "write a Space, a page on the Hub on which to try a model",
        "lucaone hub space someone/lucaone space --pair-model pairs",
        MORE,
    )
    parser.add_argument("model", metavar="MODEL", help="folder, or OWNER/NAME on the Hub")
    parser.add_argument("dest", metavar="DEST", help="folder to be made")
    parser.add_argument(
        "--pair-model",
        metavar="MODEL",
        help="a model of pairs: does a DNA belong to a protein, yes or no; without one that tab "
        "is empty",
    )
    parser.add_argument("--title", metavar="TEXT", help="of the page (default: LucaOne)")


def run(options: dict[str, Any]) -> None:
    """Write the Space and say where it is."""
    from hub_upload.spaces.writing import check_title, space

    check_usage(check_title, {"title": options.get("title")})
    report = space(**options)
    print(report)
    print_notes(report.notes)
