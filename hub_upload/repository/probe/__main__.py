# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`python -m probe FOLDER [--base DIR]` prints one JSON list: a row for each check."""

import argparse
import importlib.abc
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .models import Repository
from .pipelines import pipeline_checks
from .values import Failed, Skipped

# What the process must do without.
OURS = (
    "embedding",
    "finetune",
    "hub_upload",
    "lucaone_cli",
    "lucaone_nano",
    "lucaone_space",
    "modeling_lucaone",
    "pretraining",
    "sequence_io",
    "tokenization",
    "training_jobs",
)
_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")


class _WithoutOurs(importlib.abc.MetaPathFinder):
    """Hides this package, whose top-level names a repository's flat code must not need."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        if fullname.partition(".")[0] in OURS:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def isolate() -> list[str]:
    """Hide this package and cut the network off, for the rest of the process.

    Returns:
        What the network was asked for; grows with every attempt, all of which fail.
    """
    sys.meta_path.insert(0, _WithoutOurs())
    attempts: list[str] = []

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _NETWORK:
            address = arguments[-1] if event != "socket.getaddrinfo" else arguments[:2]
            attempts.append(f"{event} {address}")
            raise PermissionError(f"{event} {address}: a repository must load without the network")

    sys.addaudithook(refuse)
    return attempts


def _row(name: str, check: Callable[[], str]) -> dict[str, str]:
    """Make a check; whatever fails is a row, never the end of the others."""
    try:
        status, detail = "ok", check()
    except Skipped as reason:
        status, detail = "skipped", str(reason)
    except Failed as reason:
        status, detail = "failed", str(reason)
    except (Exception, SystemExit) as error:  # a stranger's code fails in any way
        lines = [line.strip() for line in str(error).splitlines()]
        status, detail = "failed", f"{type(error).__name__}: {next(filter(None, lines), '')}"
    return {"check": name, "status": status, "detail": detail}


def probe(folder: Path, base: Path | None, attempts: list[str]) -> list[dict[str, str]]:
    """Make all checks.

    Args:
        folder: the repository.
        base: folder of the base model of an adapter.
        attempts: of `isolate`.

    Returns:
        A row for each: `check`, `status` (`ok`, `failed`, `skipped`) and `detail`.
    """

    def network() -> str:
        if attempts:
            raise Failed(f"{attempts[0]} was tried; a repository must load without the network")
        return "not asked for"

    checks: list[tuple[str, Callable[[], str]]] = []

    def plan() -> str:
        repository = Repository(folder, base)
        checks.extend((*repository.checks(), *pipeline_checks(repository)))
        return f"{len(checks)} checks to make"

    planned = _row("config.json", plan)
    rows = [_row(name, check) for name, check in checks]
    return [planned, *rows, _row("network", network)]


def main() -> None:
    """Run as a script; whatever the code under test prints goes to stderr."""
    parser = argparse.ArgumentParser("probe", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--base", type=Path)
    options = parser.parse_args()
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    rows = probe(options.folder, options.base, isolate())
    with report:
        json.dump(rows, report)


if __name__ == "__main__":
    main()
