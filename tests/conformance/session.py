# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""One pytest run of the conformance suite, with what became of each test written to a file.

Started by run.py, which prepares the suite: `session.py REPORT [pytest options]`.
"""

import json
import sys
from pathlib import Path

import pytest


class Recorder:
    """Collects the outcome of every test and sub-test."""

    def __init__(self) -> None:
        self.events: list[dict[str, str]] = []

    def _add(self, name: str, outcome: str, kind: str, detail: str = "") -> None:
        self.events.append({"name": name, "outcome": outcome, "kind": kind, "detail": detail})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        subtest = getattr(report, "context", None)
        name, kind = report.nodeid, "test"
        if subtest is not None:
            name, kind = f"{name} [{subtest.msg or ''} {dict(subtest.kwargs)}]", "subtest"
        if report.when == "call" or report.outcome != "passed":
            detail = ""
            if report.outcome == "skipped":
                # Where the test was skipped: (file, line, "Skipped: reason").
                detail = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
                detail = detail.removeprefix("Skipped: ")
                if hasattr(report, "wasxfail"):
                    detail = f"expected failure: {report.wasxfail}"
            self._add(name, report.outcome, kind, detail)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.outcome != "passed":
            self._add(report.nodeid, "failed", "collection")


def main() -> int:
    """Run pytest and write the report."""
    report, *options = sys.argv[1:]
    recorder = Recorder()
    status = pytest.main(options, plugins=[recorder])
    import transformers  # not earlier: pytest wants to see some of its dependencies first

    content = {
        "transformers": transformers.__version__,
        "status": int(status),
        "events": recorder.events,
    }
    Path(report).write_text(json.dumps(content, indent=1))
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
