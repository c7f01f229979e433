# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A saved model to a repository that works for people who do not have this package."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from safetensors import safe_open

import modeling_lucaone
from embedding.hub import is_repo_id
from embedding.models import find_model, load_model, load_tokenizer
from finetune.classifiers import ADAPTER, ADAPTER_WEIGHTS, find_classifier, load_classifier
from modeling_lucaone import LucaOnePreTrainedModel
from tokenization import normalize_seq_type
from training_jobs.results import (
    LICENSE,
    MAX_SHARD_SIZE,
    share_weights,
    stated_license,
    without_folders,
)

from ..files import check_destination, new_folder, read_json, some_of
from ..sentence_transformer_files import write_sentence_transformer_files
from . import trainer_state
from .card import CARD, RESULTS, TRAININGS, CardFacts, render_card
from .code import TOKENIZER_AUTO_MAP, auto_map, copy_code, custom_pipelines
from .facts import input_types
from .manifest import write_manifest
from .privacy import find_private
from .reference import write_reference
from .verification import Verification, verify

CONFIG, TOKENIZER_CONFIG = "config.json", "tokenizer_config.json"


@dataclass(frozen=True)
class ExportReport:
    """A repository that was written.

    Attributes:
        folder: where it is.
        files: number of its files.
        size: bytes of all of them.
        verification: what was tried with it.
        notes: what whoever shares it should know, one sentence each.
    """

    folder: Path
    files: int
    size: int
    verification: Verification
    notes: list[str]

    def __str__(self) -> str:
        return f"{self.verification}\n{self.folder}: {self.files} files, {self.size:,} bytes"


@dataclass(frozen=True)
class _Exported:
    """A model to be shared, loaded, and where it was found.

    Attributes:
        model: with all its tensors; of an adapter merged with its base model.
        tokenizer: of the model.
        folder: where its files are.
        adapter: the folder of the adapter that is kept apart, if it is one.
        base: of such an adapter the folder of its base model.
        made_from: name of the model that it was made from, where known.
        hub_id: that name, if it is one on the Hub.
        license: of the weights, as the model's own card or its training states it.
    """

    model: LucaOnePreTrainedModel
    tokenizer: Any
    folder: Path
    adapter: Path | None
    base: Path | None
    made_from: str | None
    hub_id: str | None
    license: str | None


def export(
    model: str | PathLike[str],
    dest: str | PathLike[str],
    *,
    adapter: str = "merge",
    base_model: str | PathLike[str] | None = None,
    base_id: str | None = None,
    name: str | None = None,
    repo_id: str | None = None,
    license: str | None = None,
    seq_type: str | None = None,
    published: dict[str, str] | None = None,
    tell: Callable[[str], object] = lambda line: None,
) -> ExportReport:
    """Write a model as a repository of the Hub, and try it as a stranger would.

    The folder has the weights as safetensors, the code that loads them without this package, the
    tokenizer, reference values, a card made of facts, and a manifest. It is written whole, and
    only if `verify` finds nothing wrong with it.

    Args:
        model: a saved model of ours (any head) or a Hub repository; or the folder of an adapter of
            peft that `lucaone finetune` made.
        dest: folder to write; it must not exist or be empty.
        adapter: of an adapter, `merge` it into its base model, or `keep` it apart.
        base_model: the model that an adapter is for; the one that it names, if not given.
        base_id: OWNER/NAME on the Hub of the model that this one was made from; a kept adapter
            needs it.
        name: title of the card; the name of `dest` if not given.
        repo_id: OWNER/NAME that it will have on the Hub, for the examples of the card.
        license: the Hub's identifier of the licence of the weights; that of the model's own card,
            if not given.
        seq_type: default molecule type to store with the tokenizer.
        published: what the card says of a republished checkpoint.
        tell: called with a line when a step begins.

    Raises:
        ValueError: the model cannot be loaded strictly, an option does not fit it, the destination
            cannot be written, or the repository does not pass; one line.
        ImportError: the model is an adapter, and peft is not installed.
    """
    check_options(
        adapter=adapter, base_id=base_id, repo_id=repo_id, license=license, seq_type=seq_type
    )
    dest = check_destination(dest)
    tell(f"loading {model}")
    found = _load(model, base_model, adapter == "keep")
    if dest.is_relative_to(found.folder.resolve()):
        raise ValueError(f"{dest}: lies within the model that is exported")
    if seq_type is not None:
        _set_type(found, normalize_seq_type(seq_type))
    base_id = base_id or found.hub_id
    if found.adapter is not None and base_id is None:
        raise ValueError(
            f"{found.folder}: a kept adapter needs the name of its base model on the Hub; "
            "--base-id OWNER/NAME gives it"
        )
    card = CardFacts(
        name=name or dest.name,
        license=license or found.license,
        base_model=base_id,
        published=published,
        **({"repository": repo_id} if repo_id else {}),
    )
    notes, base = _notes(found, card), found.base
    with new_folder(dest) as folder:
        tell("writing")
        _write(found, folder, card, known=(dest.parent, Path.cwd()))
        del found  # its weights are not needed where those of the repository are loaded
        tell("verifying in a process of its own")
        verification = verify(folder, base_model=base)
        if not verification.ok:
            raise ValueError(f"{dest}: not written, for it does not pass: {verification.failed[0]}")
        sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()]
    return ExportReport(dest, len(sizes), sum(sizes), verification, notes)


def check_options(
    *,
    adapter: str = "merge",
    base_id: str | None = None,
    repo_id: str | None = None,
    license: str | None = None,
    seq_type: str | None = None,
    **_: Any,
) -> None:
    """Check the options of `export` that cannot be right, whatever the files hold.

    Raises:
        ValueError: one of them; one line that names it.
    """
    if adapter not in ("merge", "keep"):
        raise ValueError(f"unknown adapter {adapter!r}: choose merge or keep")
    for option, name in (("--base-id", base_id), ("--repo-id", repo_id)):
        if name is not None and not is_repo_id(name):
            raise ValueError(f"{option} {name!r} is not the OWNER/NAME of a model on the Hub")
    if license is not None and not LICENSE.fullmatch(license):
        raise ValueError(f"--license {license!r} is not an identifier of the Hub, as apache-2.0 is")
    if seq_type is not None:
        normalize_seq_type(seq_type)


def _load(
    model: str | PathLike[str], base_model: str | PathLike[str] | None, keep: bool
) -> _Exported:
    """Find and load a model strictly, nothing missing and nothing left over."""
    folder = _find_folder(model)
    if (folder / ADAPTER).is_file():
        classifier = find_classifier(folder, base_model)
        source = classifier.source
        network = load_classifier(classifier, dtype="auto")
        network.config.architectures = [classifier.model_class.__name__]
    elif base_model is not None or keep:
        raise ValueError(f"{model}: is no adapter ({ADAPTER}); options of adapters do not fit")
    else:
        source = find_model(folder)
        network = load_model(source, _stored_class(source), dtype="auto")
        _check_nothing_left(network, folder)
    is_kept = keep and (folder / ADAPTER).is_file()
    tokenizer = load_tokenizer(source)
    types: list[str] = network.config.seq_types or []
    if tokenizer.seq_type is None and len(types) == 1:
        tokenizer.seq_type = types[0]
    made_from = _read_results(folder).get("model") or {}
    return _Exported(
        model=network,
        tokenizer=tokenizer,
        folder=folder,
        adapter=folder if is_kept else None,
        base=source.folder if is_kept else None,
        made_from=made_from.get("name") or made_from.get("begins_with"),
        hub_id=made_from.get("name") if made_from.get("revision") else None,
        license=stated_license(folder) or made_from.get("license"),
    )


def _find_folder(model: str | PathLike[str]) -> Path:
    """Return the folder of a model; of one on the Hub with its card and pictures as well."""
    if Path(model).is_dir():
        return Path(model)
    found = find_model(model)
    more = snapshot_download(
        found.name, revision=found.revision, allow_patterns=["README.md", "*.png"]
    )
    return Path(more)


def _set_type(found: _Exported, seq_type: str) -> None:
    """Store a default molecule type with the tokenizer.

    Raises:
        ValueError: the model takes the other one.
    """
    taken = input_types(found.model.config)
    if seq_type not in taken:
        raise ValueError(f"--seq-type {seq_type}: the model takes {' and '.join(taken)}")
    found.tokenizer.seq_type = seq_type


def _notes(found: _Exported, card: CardFacts) -> list[str]:
    """Return what whoever shares a model should know."""
    notes = []
    if card.license is None:
        notes.append("the card states no licence of the weights; --license gives it")
    if found.made_from is not None and card.base_model is None:
        notes.append(
            f"the card does not link the model it was made from ({found.made_from}); "
            "--base-id gives its name on the Hub"
        )
    if (found.folder / "README.md").is_file():
        notes.append("the text of the README.md beside the model is not taken over")
    return notes


def _stored_class(source: Any) -> type[LucaOnePreTrainedModel]:
    names = source.config.architectures or ()
    for name in names:
        if name.startswith("LucaOne") and name in modeling_lucaone.__all__:
            return getattr(modeling_lucaone, name)
    raise ValueError(f"{source.place}: config.json names no class of ours ({', '.join(names)})")


def _check_nothing_left(model: LucaOnePreTrainedModel, folder: Path) -> None:
    own = model.state_dict().keys()
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, "pt") as stored:
            left = [name for name in stored.keys() if name not in own]  # noqa: SIM118
        if left:
            raise ValueError(
                f"{file}: tensor {some_of(left)} does not belong to {type(model).__name__}"
            )


def _write(found: _Exported, folder: Path, card: CardFacts, known: Sequence[Path]) -> None:
    """Write all files of a repository.

    Raises:
        ValueError: one of them names a folder of this machine, those `known` above all.
    """
    _write_model(found, folder, card.base_model)
    _write_results(found.folder, folder)
    write_reference(found.model, found.tokenizer, folder)
    (folder / CARD).write_text(render_card(folder, card), "utf-8")
    share_weights(folder)
    if private := find_private(folder, [found.folder.parent, *known]):
        raise ValueError(f"not written, for {some_of(private)}")
    write_manifest(folder, "model" if found.adapter is None else "adapter", asdict(card))


def _write_model(found: _Exported, folder: Path, base_id: str | None) -> None:
    stored = type(found.model)
    if found.adapter is None:
        found.model.save_pretrained(folder, max_shard_size=MAX_SHARD_SIZE)
    else:
        found.model.config.save_pretrained(folder)
        settings = read_json(found.adapter / ADAPTER)
        settings |= {"base_model_name_or_path": base_id, "revision": None}
        _write_json(folder / ADAPTER, settings)
        shutil.copyfile(found.adapter / ADAPTER_WEIGHTS, folder / ADAPTER_WEIGHTS)
    found.tokenizer.save_pretrained(folder)
    kept = found.adapter is not None
    copy_code(stored, folder, adapter=kept)
    fields = {"auto_map": auto_map(stored, found.model.config, adapter=kept)}
    if pipelines := custom_pipelines(stored, adapter=kept):
        fields["custom_pipelines"] = pipelines
    for file, added in ((CONFIG, fields), (TOKENIZER_CONFIG, {"auto_map": TOKENIZER_AUTO_MAP})):
        _write_json(folder / file, read_json(folder / file) | added)
    if found.adapter is None:
        write_sentence_transformer_files(folder)


def _places(folder: Path) -> list[Path]:
    """Return where the results of a model's training may lie."""
    # `lucaone finetune` puts an adapter into a folder of its output.
    return [folder, folder.parent] if folder.name == "adapter" else [folder]


def _read_results(folder: Path) -> dict[str, Any]:
    """Return the results of the training that made a model, if they are there."""
    for place in _places(folder):
        if (place / RESULTS).is_file():
            results = read_json(place / RESULTS)
            if results.get("command") in TRAININGS:  # else a file of somebody's own
                return without_folders(results)
    return {}


def _write_results(source: Path, folder: Path) -> None:
    """Copy the results of the training, and the pictures that they name and that are there."""
    results, state = _read_results(source), source / trainer_state.FILE
    if not results:
        if state.is_file():
            shared = trainer_state.shareable(without_folders(read_json(state)))
            _write_json(folder / state.name, shared)
        return
    named = [name for name in results.get("figures") or () if Path(name).name == name]
    results["figures"] = []
    for name in named:
        for place in _places(source):
            if (place / name).is_file():
                shutil.copyfile(place / name, folder / name)
                results["figures"].append(name)
                break
    _write_json(folder / RESULTS, results)


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
