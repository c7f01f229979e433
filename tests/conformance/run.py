# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201
"""Run transformers' own common tests on our models and our tokenizer.

    python tests/conformance/run.py --transformers 5.23.0 --transformers 5.6.0 [-k EXPRESSION]

The tests are in transformers' source distribution, not in its wheel. For each version asked for
that is downloaded once with pip and its tests/ unpacked into .conformance/ at the root of the
repository; where another version of transformers is installed, this one and what it depends on go
into a folder there as well and take precedence (PyTorch stays as it is: transformers does not
depend on it). Then every `*_tester.py` beside this file runs against it, offline.

The exit status is 1 if a test fails, or is skipped for a reason that is not in known_skips.py.
"""

import argparse
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from known_skips import KNOWN_SKIPS

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
CACHE = REPOSITORY / ".conformance"

# What the common tests import or open and the source distribution leaves out.
STUBS = {
    # test_configuration_common loads the folder of the tests as a package.
    "__init__.py": "",
    "exporters/__init__.py": "",
    "exporters/test_export.py": "class ExportTesterMixin:\n    pass\n",
    "generation/__init__.py": "",
    "generation/test_utils.py": "class GenerationTesterMixin:\n    pass\n",
    "utils/__init__.py": "",
    # Fields of every configuration, with other values than the defaults.
    "utils/test_configuration_utils.py": """\
config_common_kwargs = {
    "architectures": ["LucaOneModel"],
    "output_hidden_states": True,
    "output_attentions": True,
    "return_dict": False,
    "dtype": "float16",
    "chunk_size_feed_forward": 5,
    "id2label": {0: "label"},
    "label2id": {"label": 0},
    "problem_type": "regression",
    "tie_word_embeddings": False,
    "pad_token_id": 7,
    "bos_token_id": 6,
    "eos_token_id": 8,
    "sep_token_id": 9,
    "tokenizer_class": "SomeTokenizer",
    "prefix": "prefix",
}
""",
    # The tokenizer tests open a sample text and, in the supported versions, never look at it.
    "fixtures/sample_text.txt": "MKTAYIAKQR QISFVKSHFS\n\nACGTTGCA UUGC\n",
}


def pip(*arguments: str) -> None:
    """Run pip of this interpreter.

    Raises:
        RuntimeError: pip failed; what it said is in the message.
    """
    command = [sys.executable, "-m", "pip", *arguments, "--disable-pip-version-check", "--quiet"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"pip {' '.join(arguments)} failed:\n{done.stdout}")


def fetch_tests(version: str) -> Path:
    """Return a folder with the tests of a version of transformers, fetched if need be.

    Raises:
        RuntimeError: the source distribution cannot be had, or has no common tests.
    """
    target = CACHE / f"tests-{version}"
    if not target.exists():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            print(f"fetching the tests of transformers {version}", flush=True)
            options = ["--no-deps", "--no-binary=transformers", f"--dest={scratch}"]
            pip("download", *options, f"transformers=={version}")
            root = Path(scratch) / f"transformers-{version}"
            with tarfile.open(f"{root}.tar.gz") as archive:
                prefix = f"transformers-{version}/tests/"
                members = [m for m in archive.getmembers() if m.name.startswith(prefix)]
                archive.extractall(scratch, members, filter="data")
            if not (root / "tests" / "test_modeling_common.py").is_file():
                raise RuntimeError(
                    f"the source distribution of transformers {version} has no common tests"
                )
            # Into its place in one step: an interrupted run leaves nothing half done.
            root.rename(target)
    for name, content in STUBS.items():
        stub = target / "tests" / name
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(content, encoding="utf-8")
    return target


def fetch_transformers(version: str) -> Path | None:
    """Return a folder with a version of transformers, or None if that one is installed."""
    if importlib.metadata.version("transformers") == version:
        return None
    target = CACHE / f"transformers-{version}"
    if not target.exists():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            print(f"installing transformers {version} into {target.name}", flush=True)
            packages = Path(scratch) / "packages"
            options = [f"--target={packages}", "--no-compile"]
            pip("install", *options, f"transformers=={version}")
            if (packages / "torch").exists():
                raise RuntimeError(f"transformers {version} brought its own PyTorch")
            packages.rename(target)
    return target


def run_session(version: str, options: Sequence[str]) -> dict[str, Any]:
    """Run the testers with a version of transformers.

    Returns:
        What session.py wrote: `transformers`, `status` and `events`.

    Raises:
        RuntimeError: the session ended before it wrote its report, or used another version.
    """
    tests = fetch_tests(version)
    packages = fetch_transformers(version)
    path = [tests, packages, REPOSITORY, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    report = CACHE / f"report-{version}.json"
    report.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(str(folder) for folder in path if folder),
            "HF_HOME": home,  # an empty one: what this machine has downloaded plays no part
            "HF_HUB_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "TOKENIZERS_PARALLELISM": "false",
            "RUN_SLOW": "1",
        }
        command = [sys.executable, str(HERE / "session.py"), str(report)]
        command += ["-c", str(HERE / "pytest.ini"), *options, str(HERE)]
        subprocess.run(command, env=environment, cwd=REPOSITORY, check=False)
    if not report.exists():
        raise RuntimeError(f"the session with transformers {version} ended without a report")
    result = json.loads(report.read_text(encoding="utf-8"))
    if result["transformers"] != version:
        raise RuntimeError(f"asked for transformers {version}, ran {result['transformers']}")
    return result


def known_skip(event: dict[str, str]) -> str | None:
    """Return why a skipped test is known to be skipped, or None if it is not."""
    for test, message, reason in KNOWN_SKIPS:
        if re.search(test, event["name"]) and re.search(message, event["detail"]):
            return reason
    return None


def summarize(version: str, result: dict[str, Any]) -> tuple[list[Any], bool]:
    """Print what was skipped and what is wrong with it.

    Returns:
        The row of the table, and whether the version passed.
    """
    events = result["events"]
    tests = Counter(event["outcome"] for event in events if event["kind"] == "test")
    subtests = Counter(event["outcome"] for event in events if event["kind"] == "subtest")
    skips = [event for event in events if event["outcome"] == "skipped"]
    reasons: Counter[str] = Counter()
    unknown = []
    for event in skips:
        reason = known_skip(event)
        if reason is None:
            unknown.append(event)
        else:
            reasons[reason] += 1
    print(f"\ntransformers {version}: known skips")
    for reason, count in reasons.most_common():
        print(f"  {count:4d}  {reason}")
    for event in unknown:
        print(f"  UNKNOWN SKIP  {event['name']}: {event['detail']}")
    failed = [event for event in events if event["outcome"] == "failed"]
    for event in failed:
        print(f"  FAILED  {event['name']}")
    row = [
        version,
        tests["passed"],
        tests["skipped"],
        len(failed),
        f"{subtests['passed']} passed, {subtests['skipped']} skipped",
        len(unknown),
    ]
    # pytest's own status also covers what no test reports, such as nothing being collected.
    return row, not (failed or unknown or result["status"])


def print_table(rows: list[list[Any]]) -> None:
    """Print the results, one line per version."""
    header = ["transformers", "passed", "skipped", "failed", "sub-tests", "unknown skips"]
    lines = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    print()
    for line in lines:
        print(" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def main() -> int:
    """Run all versions asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog="Further options go to pytest, after `--`.",
    )
    parser.add_argument(
        "--transformers",
        action="append",
        metavar="VERSION",
        dest="versions",
        help="version to test with; may be repeated (default: the installed one)",
    )
    parser.add_argument("-k", dest="expression", help="only tests that match, as in pytest")
    parser.add_argument("--clear", action="store_true", help="download everything anew")
    parser.add_argument("options", nargs="*", help="options of pytest")
    arguments = parser.parse_args()
    versions = arguments.versions or [importlib.metadata.version("transformers")]
    if arguments.clear:
        shutil.rmtree(CACHE, ignore_errors=True)
    options = [*arguments.options, "-q", "--tb=short", "-rfE"]
    if arguments.expression:
        options += ["-k", arguments.expression]
    rows, passed = [], True
    for version in versions:
        try:
            result = run_session(version, options)
        except RuntimeError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        row, good = summarize(version, result)
        rows.append(row)
        passed = passed and good
    print_table(rows)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
