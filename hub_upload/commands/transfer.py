# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The commands `lucaone hub push` and `lucaone hub pull`; see lucaone_cli.py."""

import argparse
from collections.abc import Callable
from typing import Any

from embedding.commands.options import check_usage

PUSH_MORE = """\
Without --yes nothing is sent: the table shows which files are new, changed or to be
deleted, how large they are, and where they would go. The repository then holds the
files of DIR and no others, by one commit: an upload that fails or is interrupted
leaves what is there as it was, and the same command goes on with it.

The files must be as manifest.json says. README.md may be edited, but what it says of
the model (its tables and the fields at its head) must agree with the files.

The token is that of `hf auth login`, or of the variable HF_TOKEN.
"""
PULL_MORE = """\
The revision is resolved to a commit, which is printed, and DEST appears when the
hashes of all files hold. Interrupted, the same command goes on.
"""


def _push(options: dict[str, Any]) -> None:
    from hub_upload.transfer.pushing import check_options, push

    check_usage(check_options, options)
    _run(push, options)


def _pull(options: dict[str, Any]) -> None:
    from embedding.hub import check_repo_id
    from hub_upload.transfer.pulling import pull

    check_usage(check_repo_id, {"repo_id": options["repo_id"]})
    _run(pull, options)


def _run(work: Callable[..., object], options: dict[str, Any]) -> None:
    try:
        print(work(**options))
    except KeyboardInterrupt:
        raise KeyboardInterrupt("interrupted; the same command goes on") from None


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the commands."""
    parser = add(
        "hub push",
        _push,
        "show what would be uploaded to the Hub, and upload it",
        "lucaone hub push repository someone/lucaone --yes",
        PUSH_MORE,
    )
    parser.add_argument(
        "folder", metavar="DIR", help="folder that lucaone hub export or space made"
    )
    parser.add_argument("repo_id", metavar="REPO_ID", help="repository on the Hub: OWNER/NAME")
    parser.add_argument("--yes", action="store_true", help="do it")
    parser.add_argument(
        "--public", action="store_true", help="make a new repository public (default: private)"
    )
    parser.add_argument(
        "--branch", metavar="NAME", help="branch to commit to, made if needed (default: main)"
    )
    parser.add_argument(
        "--pull-request", action="store_true", help="open a pull request instead of committing"
    )
    parser.add_argument(
        "--tag",
        metavar="NAME",
        help="name of this version, which no other commit may have (default on main: the version "
        "of this package that made DIR, as v0.1.0, where it is free)",
    )
    parser.add_argument(
        "--collection", metavar="SLUG", help="collection to put the repository into"
    )
    parser.add_argument("--message", metavar="TEXT", help="message of the commit")

    parser = add(
        "hub pull",
        _pull,
        "fetch a model from the Hub and check its hashes",
        "lucaone hub pull someone/lucaone lucaone --revision v0.1.0",
        PULL_MORE,
    )
    parser.add_argument("repo_id", metavar="REPO_ID", help="repository on the Hub: OWNER/NAME")
    parser.add_argument("dest", metavar="DEST", help="folder to be made")
    parser.add_argument("--revision", metavar="REV", help="branch, tag or commit (default: main)")
