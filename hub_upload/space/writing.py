# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The page of `lucaone_space` as a Space: a folder that needs nothing but the package index."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import metadata, requires, version
from importlib.util import find_spec
from os import PathLike, fspath
from pathlib import Path

from huggingface_hub import SpaceCardData
from packaging.requirements import Requirement

from embedding.models import HUB_REPOSITORY, MODEL_FILES, find_model
from lucaone_space.models import find_pair_model

from ..files import check_destination, new_folder
from ..repository.code import LICENSE
from ..repository.manifest import write_manifest
from ..repository.privacy import find_private

DISTRIBUTION, EXTRA = "lucaone-hf", "space"
# Not on the package index, so the Space carries them.
PACKAGES = ("modeling_lucaone", "tokenization", "sequence_io", "embedding", "lucaone_space")
# Bytes of a model that is copied into a Space; a larger one has a repository of its own.
LARGEST_MODEL = 100_000_000
MODEL, PAIR_MODEL = "model", "pair_model"

APP = '''\
"""A page on which to try a LucaOne model."""

from pathlib import Path

from lucaone_space import build_app

HERE = Path(__file__).parent

build_app({model}, {pair_model}, title={title!r}).launch()
'''
README = """\
---
{card}
---

# {title}

A page on which to try {models}: hidden letters predicted, annotations of a sequence
letter by letter, a map of several sequences, and, with a model of pairs, yes or no to a DNA and a
protein.

Written by `lucaone hub space`. `python app.py` serves it, with what requirements.txt names. The
code is Apache-2.0 (LICENSE); a model has the licence of the place that it comes from.
"""


@dataclass(frozen=True)
class SpaceReport:
    """A Space that was written.

    Attributes:
        folder: where it is.
        files: number of its files.
        size: bytes of all of them.
        models: its models: names on the Hub, or folders in the Space.
    """

    folder: Path
    files: int
    size: int
    models: list[str]

    def __str__(self) -> str:
        size = f"{self.folder}: {self.files} files, {self.size:,} bytes"
        return f"{size}\nmodels: {', '.join(self.models)}"


def space(
    model: str | PathLike[str],
    dest: str | PathLike[str],
    *,
    pair_model: str | PathLike[str] | None = None,
    title: str | None = None,
) -> SpaceReport:
    """Write a Space, all or nothing.

    Args:
        model: a LucaOne model: a folder, which is copied into the Space, or a name on the Hub,
            which the Space fetches when it starts and nothing looks up now.
        dest: a folder that does not exist or is empty.
        pair_model: the same of a model that says yes or no to a nucleic acid and a protein.
        title: of the page; `LucaOne` where not given.

    Raises:
        ValueError: `dest` is taken; a folder without such a model, with a file that names a folder
            of this machine, or above `LARGEST_MODEL`; what is no name on the Hub; a title of
            several lines.
    """
    title = "LucaOne" if title is None else title
    if not title.strip() or len(title.splitlines()) > 1:
        raise ValueError(f"--title {title!r}: a title is one line")
    dest = check_destination(dest)
    given = {MODEL: fspath(model)} | (
        {} if pair_model is None else {PAIR_MODEL: fspath(pair_model)}
    )
    found = {role: _model_files(role, name) for role, name in given.items()}
    places = {
        role: f"{role}/{Path(name).resolve().name}" if found[role] else name
        for role, name in given.items()
    }
    with new_folder(dest) as folder:
        for role, files in found.items():
            for file in files:
                target = folder / places[role] / file.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
        if private := find_private(folder, [Path(given[role]) for role in found if found[role]]):
            raise ValueError(f"{private[0]}, which a Space would tell everybody")
        for package in PACKAGES:
            _copy_package(package, folder)
        _write_texts(folder, title, places, found)
        write_manifest(folder, "space", {"title": title, "models": list(places.values())})
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return SpaceReport(dest, len(sizes), sum(sizes), list(places.values()))


def _model_files(role: str, name: str) -> list[Path]:
    """Return the files of a folder that are to be copied; none for a name on the Hub."""
    if not Path(name).is_dir():
        if not HUB_REPOSITORY.fullmatch(name):
            raise ValueError(f"{name}: no folder here, and a Hub repository is called OWNER/NAME")
        return []
    source = (find_pair_model if role == PAIR_MODEL else find_model)(name)
    files = sorted(file for pattern in MODEL_FILES for file in source.folder.glob(pattern))
    if not any(file.suffix == ".safetensors" for file in files):
        raise ValueError(f"{name}: holds no weights (*.safetensors)")
    size = sum(file.stat().st_size for file in files)
    if size > LARGEST_MODEL:
        raise ValueError(
            f"{name}: has {size:,} bytes, and a Space carries {LARGEST_MODEL:,} at most; "
            "`lucaone hub push` it first and give its OWNER/NAME"
        )
    return files


def _copy_package(name: str, folder: Path) -> None:
    spec = find_spec(name)
    assert spec is not None and spec.origin is not None
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(spec.origin).parent, folder / name, ignore=ignored)


def _write_texts(
    folder: Path, title: str, places: dict[str, str], found: dict[str, list[Path]]
) -> None:
    arguments = {
        role: f"HERE / {place!r}" if found[role] else repr(place) for role, place in places.items()
    }
    app = APP.format(title=title, model=arguments[MODEL], pair_model=arguments.get(PAIR_MODEL))
    python = re.search(r"3\.\d+", metadata(DISTRIBUTION)["Requires-Python"])
    card = SpaceCardData(
        title=title,
        emoji="🧬",
        sdk="gradio",
        sdk_version=version("gradio"),
        python_version=python and python[0],
        app_file="app.py",
        models=[place for role, place in places.items() if not found[role]] or None,
        license="apache-2.0",
    )
    models = " and ".join(
        f"`{Path(place).name if found[role] else place}`" for role, place in places.items()
    )
    texts = {
        "app.py": app,
        "README.md": README.format(card=card.to_yaml(), title=title, models=models),
        "requirements.txt": "".join(f"{line}\n" for line in sorted(set(_requirements(EXTRA)))),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    spec = find_spec("hub_upload.repository")
    assert spec is not None and spec.origin is not None
    shutil.copyfile(Path(spec.origin).with_name(LICENSE), folder / "LICENSE")


def _requirements(extra: str) -> Iterator[str]:
    """Yield what this package needs with an extra, as its own metadata say it."""
    for line in requires(DISTRIBUTION) or []:
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        if requirement.name == DISTRIBUTION:
            for other in requirement.extras:
                yield from _requirements(other)
        else:
            requirement.marker = None
            yield str(requirement)
