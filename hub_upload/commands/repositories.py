# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The commands `lucaone hub export` and `lucaone hub verify`."""

import argparse
import sys
from collections.abc import Callable
from typing import Any

from embedding.commands.options import check_usage, print_notes

from .checkpoints import SEQ_TYPE_HELP

LICENSE_HELP = (
    "licence of the weights by the Hub's identifier, such as apache-2.0 or cc-by-4.0 (default: "
    "that of the card beside the model)"
)
REPO_ID_HELP = "name that it will have on the Hub, for the examples of the card"
EXPORT = """\
MODEL is a folder that lucaone convert, init, finetune or pretrain made, or the
adapter/ folder of a LoRA run. DEST gets the weights as safetensors, the code that
loads them without this package, the tokenizer, a model card made of what the files
and the training's results.json say, reference values and a manifest with the
SHA-256 of every file but the card. At the end it is tried as by lucaone hub verify; nothing is
left of it if anything fails.
"""
VERIFY = """\
In a process that has neither this package nor the network, every Auto class loads
the model with no tensor missing or left over, and gives the numbers that the source
model gave; the tokenizer gives the same ids, the pipelines run. The hashes of the
manifest and the claims of the card are compared with the files. The code in the
repository is run: verify only what you would load with trust_remote_code=True.
Exit status 1 if anything fails.
"""


def _export(options: dict[str, Any]) -> None:
    from hub_upload.repository.exporting import check_options, export

    check_usage(check_options, options)
    report = export(**options, tell=tell)
    print(report)
    print_notes(report.notes)


def tell(line: str) -> None:
    """Say what is being done, where somebody watches."""
    if sys.stderr.isatty():
        print(line, file=sys.stderr)


def _verify(options: dict[str, Any]) -> None:
    from hub_upload import verify

    verification = verify(**options)
    print(verification)
    if not verification.ok:
        count = len(verification.failed)
        checks = "1 check" if count == 1 else f"{count} checks"
        raise ValueError(f"{options['model']}: {checks} failed")


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the commands."""
    parser = add(
        "hub export",
        _export,
        "write a model as a Hub repository that works without this package",
        "lucaone hub export protloc protloc-hub --license apache-2.0",
        EXPORT,
    )
    parser.add_argument("model", metavar="MODEL", help="folder, or OWNER/NAME on the Hub")
    parser.add_argument("dest", metavar="DEST", help="folder to be made")
    parser.add_argument("--name", metavar="NAME", help="title of the card (default: that of DEST)")
    parser.add_argument("--repo-id", metavar="OWNER/NAME", help=REPO_ID_HELP)
    parser.add_argument("--license", metavar="ID", help=LICENSE_HELP)
    parser.add_argument("--seq-type", metavar="TYPE", help=SEQ_TYPE_HELP)
    parser.add_argument(
        "--adapter",
        choices=("merge", "keep"),
        help="of a LoRA adapter: merge it into its base model (default), or keep it apart",
    )
    parser.add_argument(
        "--base-model", metavar="MODEL", help="the model that an adapter is for, where it lies"
    )
    parser.add_argument(
        "--base-id",
        metavar="OWNER/NAME",
        help="name on the Hub of the model that this one was made from; a kept adapter needs it",
    )

    parser = add(
        "hub verify",
        _verify,
        "try a Hub repository as somebody without this package would",
        "lucaone hub verify protloc-hub",
        VERIFY,
    )
    parser.add_argument("model", metavar="DIR_OR_ID", help="folder, or OWNER/NAME on the Hub")
    parser.add_argument("--revision", metavar="REV", help="branch, tag or commit on the Hub")
    parser.add_argument(
        "--base-model", metavar="MODEL", help="folder of the model that a kept adapter is for"
    )
