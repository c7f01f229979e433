# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The page of `lucaone_space` as a Space: a folder that needs nothing but the package index."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import metadata, requires, version
from importlib.util import find_spec
from os import PathLike, fspath
from pathlib import Path

from huggingface_hub import SpaceCardData
from packaging.requirements import Requirement

from embedding.hub import is_repo_id
from embedding.models import ModelSource, find_model
from finetune.classifiers import ADAPTER
from lucaone_space.models import RESULTS, PairModel, ShownModel, find_notes, find_pair_model
from training_jobs.results import stated_license, without_folders

from ..files import check_destination, new_folder, some_of
from ..repository.code import LICENSE
from ..repository.manifest import write_manifest
from ..repository.privacy import find_private

DISTRIBUTION, EXTRA = "lucaone-hf", "space"
# Not on the package index, so the Space carries them.
PACKAGES = ("modeling_lucaone", "tokenization", "sequence_io", "embedding", "lucaone_space")
# What they need beside the page, for training and for work on many files.
NOT_FOR_THE_PAGE = ("accelerate", "datasets", "evaluate")
# What the page reads of a model, and its card. `RESULTS` is written anew, with the notes alone.
MODEL_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "model*.safetensors",
    "model.safetensors.index.json",
    "README.md",
)
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
letter by letter, a map of several sequences, and, with a model of pairs, whether a DNA and a
protein belong together: yes or no.

{about}
Written by `lucaone hub space`. `python app.py` serves it, with what requirements.txt names. The
code is Apache-2.0 (LICENSE).
"""
CODE_LICENSE = "apache-2.0"


@dataclass(frozen=True)
class SpaceReport:
    """A Space that was written.

    Attributes:
        folder: where it is.
        files: number of its files.
        size: bytes of all of them.
        models: its models: names on the Hub, or folders in the Space.
        notes: what whoever shares it should know, one sentence each.
    """

    folder: Path
    files: int
    size: int
    models: list[str]
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        size = f"{self.folder}: {self.files} files, {self.size:,} bytes"
        return f"{size}\nmodels: {', '.join(self.models)}"


@dataclass(frozen=True)
class _Model:
    """A model of the page.

    Attributes:
        place: its name on the Hub, or its folder in the Space.
        source: of a folder that is copied.
        files: those that are copied.
    """

    place: str
    source: ModelSource | None = None
    files: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """What README.md calls it."""
        return self.source.name if self.source else self.place

    @property
    def license(self) -> str | None:
        """What its own card states, where it is copied."""
        return stated_license(self.source.folder) if self.source else None

    def copy_to(self, folder: Path) -> None:
        """Copy its files into a Space."""
        if self.source is None:
            return
        own = folder / self.place
        own.mkdir(parents=True)
        for file in self.files:
            shutil.copyfile(file, own / file.name)
        if notes := find_notes(self.source):
            text = json.dumps({"notes": without_folders(notes)}, indent=1, ensure_ascii=False)
            (own / RESULTS).write_text(text + "\n", "utf-8")

    def about(self) -> str:
        """Say in Markdown where it is from, what its licence is, and what to know about it."""
        if self.source is None:
            return f"`{self.name}` is fetched from the Hub, where its licence stands.\n"
        stated = self.license or "not stated"
        if not self.license and any(file.name == "README.md" for file in self.files):
            stated = f"not told by one identifier; {self.place}/README.md may say more"
        lines = [f"`{self.name}` is in {self.place}. Its licence: {stated}."]
        return "\n\n".join(lines + without_folders(find_notes(self.source))) + "\n"


def check_title(title: str | None = None) -> None:
    """Check the title of a page.

    Raises:
        ValueError: it is empty, or of several lines.
    """
    if title is not None and (not title.strip() or len(title.splitlines()) > 1):
        raise ValueError(f"--title {title!r}: a title is one line")


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
        ValueError: `dest` is taken; a folder without such a model, or of one that cannot be loaded,
            or of an adapter, or above `LARGEST_MODEL`; a text of the Space names a folder of this
            machine; what is no name on the Hub; a title of several lines.
        ImportError: Gradio is not installed, whose version stands in the Space.
    """
    if find_spec("gradio") is None:
        raise ImportError("a Space needs gradio; pip install 'lucaone-hf[space]'")
    check_title(title)
    title = "LucaOne" if title is None else title
    dest = check_destination(dest)
    models = {MODEL: _find(MODEL, fspath(model))}
    if pair_model is not None:
        models[PAIR_MODEL] = _find(PAIR_MODEL, fspath(pair_model))
    with new_folder(dest) as folder:
        for one in models.values():
            one.copy_to(folder)
        for package in PACKAGES:
            _copy_package(package, folder)
        _write_texts(folder, title, models)
        known = [one.source.folder.parent for one in models.values() if one.source]
        if private := find_private(folder, [*known, dest.parent, Path.cwd()]):
            raise ValueError(f"{some_of(private)}, which a Space would tell everybody")
        places = [one.place for one in models.values()]
        write_manifest(folder, "space", {"title": title, "models": places})
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    notes = [
        f"{one.place} was not looked up; if it is private, the Space needs a token that may read "
        "it, as a secret called HF_TOKEN in its settings"
        for one in models.values()
        if one.source is None
    ]
    return SpaceReport(dest, len(sizes), sum(sizes), places, notes)


def _find(role: str, name: str) -> _Model:
    if not Path(name).is_dir():
        if not is_repo_id(name):
            raise ValueError(f"{name}: no folder here, and a Hub repository is called OWNER/NAME")
        return _Model(name)
    if (Path(name) / ADAPTER).is_file():
        raise ValueError(
            f"{name}: an adapter without its base model; `lucaone hub export` it merged"
        )
    source = (find_pair_model if role == PAIR_MODEL else find_model)(name)
    files = sorted(file for pattern in MODEL_FILES for file in source.folder.glob(pattern))
    if not any(file.suffix == ".safetensors" for file in files):
        raise ValueError(f"{name}: holds no weights (model*.safetensors)")
    size = sum(file.stat().st_size for file in files)
    if size > LARGEST_MODEL:
        raise ValueError(
            f"{name}: has {size:,} bytes, and a Space carries {LARGEST_MODEL:,} at most; "
            "`lucaone hub push` it first and give its OWNER/NAME"
        )
    # What the page cannot open is told now, and not to its visitors.
    (PairModel if role == PAIR_MODEL else ShownModel)(source.folder, "cpu")
    return _Model(f"{role}/{source.name}", source, tuple(files))


def _copy_package(name: str, folder: Path) -> None:
    spec = find_spec(name)
    assert spec is not None and spec.origin is not None
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(spec.origin).parent, folder / name, ignore=ignored)


def _write_texts(folder: Path, title: str, models: dict[str, _Model]) -> None:
    arguments = {
        role: f"HERE / {one.place!r}" if one.source else repr(one.place)
        for role, one in models.items()
    }
    app = APP.format(title=title, model=arguments[MODEL], pair_model=arguments.get(PAIR_MODEL))
    python = re.search(r"3\.\d+", metadata(DISTRIBUTION)["Requires-Python"])
    # The code may go under the licence of a model, but no model under that of the code.
    licenses = {one.license for one in models.values() if one.source} or {CODE_LICENSE}
    about = "\n".join(one.about() for one in models.values())
    if len(licenses) > 1 or None in licenses:
        about += "\nSo no one licence can be stated for the whole Space.\n"
    card = SpaceCardData(
        title=title,
        emoji="🧬",
        sdk="gradio",
        sdk_version=version("gradio"),
        python_version=python and python[0],
        app_file="app.py",
        models=[one.place for one in models.values() if one.source is None] or None,
        license=licenses.pop() if len(licenses) == 1 else None,
    )
    names = " and ".join(f"`{one.name}`" for one in models.values())
    readme = README.format(card=card.to_yaml(), title=title, models=names, about=about)
    texts = {
        "app.py": app,
        "README.md": readme,
        "requirements.txt": "".join(f"{line}\n" for line in sorted(set(_requirements(EXTRA)))),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    spec = find_spec("hub_upload.repository")
    assert spec is not None and spec.origin is not None
    shutil.copyfile(Path(spec.origin).with_name(LICENSE), folder / "LICENSE")


def _requirements(extra: str) -> Iterator[str]:
    """Yield what the page needs of this package with an extra, as its own metadata say it."""
    for line in requires(DISTRIBUTION) or []:
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        if requirement.name == DISTRIBUTION:
            for other in requirement.extras:
                yield from _requirements(other)
        elif requirement.name not in NOT_FOR_THE_PAGE:
            requirement.marker = None
            yield str(requirement)
