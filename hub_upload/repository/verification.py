# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A repository tried as its readers will: its files, its card, and its code in a clean process."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from huggingface_hub import snapshot_download

from embedding.hub import asking_the_hub, check_repo_id
from embedding.models import find_model
from finetune.classifiers import ADAPTER

from ..files import one_line, read_json, some_of
from . import probe
from .card import CardFacts, check_card
from .manifest import PICKLES, check_files, read_manifest
from .privacy import find_private

# Seconds for all that is tried in a process of its own. The published models, of 1.8 billion
# parameters, are read in minutes even from a slow disk; what takes longer hangs.
_TIME_LIMIT = 1800
# Settings that would let the process find what a stranger does not have; a token among them.
_LIBRARY_SETTINGS = ("HF_", "HUGGING", "SENTENCE_TRANSFORMERS_", "TRANSFORMERS_")


@dataclass(frozen=True)
class Row:
    """One check.

    Attributes:
        check: what was looked at.
        status: `ok`, `failed` or `skipped`.
        detail: what was found, and of a failure what was expected.
    """

    check: str
    status: str
    detail: str

    def __str__(self) -> str:
        return f"{self.check}: {self.detail}"


@dataclass(frozen=True)
class Verification:
    """What came of trying a repository; as text, a table with a line for each check.

    Attributes:
        rows: the checks, in their order.
    """

    rows: tuple[Row, ...]

    @property
    def failed(self) -> tuple[Row, ...]:
        """The checks that failed."""
        return tuple(row for row in self.rows if row.status == "failed")

    @property
    def ok(self) -> bool:
        """Whether none failed."""
        return not self.failed

    def __str__(self) -> str:
        width = max(len(row.check) for row in self.rows)
        return "\n".join(f"{row.status:8} {row.check:{width}}  {row.detail}" for row in self.rows)


def verify(
    model: str | os.PathLike[str],
    *,
    revision: str | None = None,
    base_model: str | os.PathLike[str] | None = None,
) -> Verification:
    """Try a repository: hashes, card, privacy, and loading it without this package or a network.

    **The code in the repository is run**, in a process that has the rights of the caller.

    Args:
        model: folder of a repository, or OWNER/NAME on the Hub, which is fetched first.
        revision: branch, tag or commit of a Hub repository.
        base_model: folder or OWNER/NAME of the model that a kept adapter is for; the one that it
            names, if not given.

    Raises:
        ValueError: this is no repository that `lucaone hub export` wrote, it cannot be fetched, or
            an option does not fit it; one line.
    """
    folder = _find(os.fspath(model), revision)
    try:
        kind = read_manifest(folder)["kind"]
    except ValueError as error:  # of a Hub repository it names the folder of the cache
        raise ValueError(str(error).replace(str(folder), os.fspath(model))) from None
    if kind == "space":
        raise ValueError(f"{model}: a Space; only the repository of a model can be verified")
    if kind == "model" and base_model is not None:
        raise ValueError(f"{model}: is no adapter, so it has no base model")
    rows = [
        _check("manifest", lambda: check_files(folder), "every file as listed"),
        _check("card", lambda: check_card(folder, CardFacts.read(folder)), "as the files say"),
        _check("privacy", lambda: find_private(folder), "names no folder or token of a person"),
        _check("pickles", lambda: _pickles(folder), "no file could run code when it is read"),
    ]
    base = None
    if kind == "adapter":
        try:
            base = _find_base(folder, base_model)
            rows.append(Row("base model", "ok", str(base)))
        except ValueError as error:
            rows.append(Row("base model", "failed", one_line(error)))
    return Verification((*rows, *_in_clean_process(folder, base)))


def _find(name: str, revision: str | None) -> Path:
    folder = Path(name)
    if folder.is_dir():
        if revision is not None:
            raise ValueError(f"{name}: a folder has no revision {revision!r}; that is for the Hub")
        return folder.resolve()
    if name.count("/") != 1:  # the Hub would be asked for anything, also for a misspelt folder
        raise ValueError(
            f"{name}: there is no such folder, and a Hub repository is called OWNER/NAME"
        )
    check_repo_id(name)
    with asking_the_hub(f"{name} (no folder here, so looked for on the Hub)"):
        return Path(snapshot_download(name, revision=revision))


def _find_base(folder: Path, base_model: str | os.PathLike[str] | None) -> Path:
    settings = read_json(folder / ADAPTER)
    name = base_model or settings.get("base_model_name_or_path")
    if not name:
        raise ValueError(f"{ADAPTER} names no base model; --base-model names it")
    revision = None if base_model else settings.get("revision")
    return find_model(name, revision).folder.resolve()


def _check(name: str, find: Callable[[], list[str]], fine: str) -> Row:
    """Look for what is wrong, one line each; the row names one and how many more there are."""
    try:
        wrong = find()
    except Exception as error:  # a damaged file fails in any way
        return Row(name, "failed", one_line(error))
    return Row(name, "failed", some_of(wrong)) if wrong else Row(name, "ok", fine)


def _pickles(folder: Path) -> list[str]:
    """Find files that a careless reader would unpickle, by their names and by their content."""
    return [
        f"{file.relative_to(folder).as_posix()}: pickled, so that reading it can run code"
        for file in folder.rglob("*")
        if file.is_file() and (file.suffix in PICKLES or _is_pickled(file))
    ]


def _is_pickled(file: Path) -> bool:
    with file.open("rb") as stream:
        start = stream.read(2)
    if start == b"PK" and zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            return any(name.endswith("data.pkl") for name in archive.namelist())
    return start[:1] == b"\x80" and start[1:] in (b"\2", b"\3", b"\4", b"\5")


def _in_clean_process(folder: Path, base: Path | None) -> list[Row]:
    """Run `probe` where neither this package, nor a cache, nor the network can help."""
    with TemporaryDirectory() as work:
        # Under a plain name, as on the Hub: the library makes names of modules of it.
        Path(work, "repository").symlink_to(folder, target_is_directory=True)
        # Beside no other file of ours: `code.py`, for one, would hide that of Python.
        Path(work, "probe").symlink_to(Path(probe.__file__).parent, target_is_directory=True)
        command = [sys.executable, "-P", "-m", "probe", "repository"]
        try:
            result = subprocess.run(
                [*command, "--base", str(base)] if base else command,
                cwd=work,
                env=_environment(Path(work)),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_TIME_LIMIT,
            )
        except subprocess.TimeoutExpired:
            return [Row("clean process", "failed", f"did not end within {_TIME_LIMIT} seconds")]
    try:
        return [Row(**row) for row in json.loads(result.stdout)]
    except (ValueError, TypeError):
        said = result.stderr.strip().splitlines() or ["nothing was said"]
        status = f"ended with status {result.returncode} and no result ({said[-1].strip()})"
        return [Row("clean process", "failed", status)]


def _environment(work: Path) -> dict[str, str]:
    """Return the environment of this process without what a stranger does not have.

    Args:
        work: an empty folder but for the package `probe`.
    """
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(_LIBRARY_SETTINGS)
    }
    paths = [Path(entry) for entry in kept.get("PYTHONPATH", "").split(os.pathsep) if entry]
    others = [path.absolute() for path in paths if not (path / "modeling_lucaone").is_dir()]
    return kept | {
        "PYTHONPATH": os.pathsep.join(map(str, (work, *others))),
        "HF_HOME": str(work / "home"),
        "HF_HUB_OFFLINE": "1",
    }
