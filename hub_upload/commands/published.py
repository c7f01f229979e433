# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The command `lucaone hub republish`."""

import argparse
from collections.abc import Callable
from typing import Any

from embedding.commands.options import check_usage, print_notes

from .checkpoints import DTYPES, SEQ_TYPE_HELP
from .repositories import LICENSE_HELP, REPO_ID_HELP, tell

MORE = """\
NAME is one of those in docs/checkpoints.md, such as lucaone-36m. The checkpoint is
converted strictly, compared with reference values where they are given, exported
and verified as by lucaone hub export. Without --reference the card says
"unverified".
"""


def run(options: dict[str, Any]) -> None:
    """Republish a checkpoint, and print what was tried."""
    from hub_upload.published.catalogue import find_checkpoint
    from hub_upload.published.republishing import republish
    from hub_upload.repository.exporting import check_options

    check_usage(find_checkpoint, {"name": options["name"]})
    check_usage(check_options, options)
    report = republish(**options, tell=tell)
    print(report)
    print_notes(report.notes)


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = add(
        "hub republish",
        run,
        "turn a published checkpoint into a Hub repository that works without this package",
        "lucaone hub republish lucaone-36m checkpoint-step36000000 lucaone-36m --labels label/",
        MORE,
    )
    parser.add_argument("name", metavar="NAME", help="which checkpoint it is")
    parser.add_argument("source", metavar="SOURCE", help="its folder")
    parser.add_argument("dest", metavar="DEST", help="folder to be made")
    parser.add_argument("--labels", metavar="DIR", help="folder with the published label files")
    parser.add_argument(
        "--logs",
        metavar="FILE",
        help="logs.txt of the training run, if it is not where it was published",
    )
    parser.add_argument(
        "--reference",
        metavar="FILE",
        help="safetensors with what the published code computed with this checkpoint: "
        "NAME.input_ids, NAME.attention_mask, NAME.token_type_ids and NAME.last_hidden_state, "
        "NAME.mlm_logits or NAME.logits.TASK",
    )
    parser.add_argument("--repo-id", metavar="OWNER/NAME", help=REPO_ID_HELP)
    parser.add_argument("--license", metavar="ID", help=LICENSE_HELP)
    parser.add_argument("--seq-type", metavar="TYPE", help=SEQ_TYPE_HELP)
    parser.add_argument(
        "--dtype", choices=DTYPES, help="precision to store weights in (default: as they are)"
    )
