# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A published checkpoint to a repository of ours: converted, compared, exported, verified."""

import tempfile
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from embedding.models import find_model, load_model
from modeling_lucaone import LucaOneForPreTraining
from training_jobs.results import stated_license

from ..checkpoints.conversion import convert
from ..checkpoints.model_files import model_class
from ..files import CheckpointError, check_destination
from ..repository.exporting import ExportReport, check_options, export
from .catalogue import CATALOGUE, PublishedCheckpoint, find_checkpoint

# The limit for two ways of computing the same in fp32, as relative L2.
LIMIT = 2e-5
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def republish(
    name: str,
    source: str | PathLike[str],
    dest: str | PathLike[str],
    *,
    labels: str | PathLike[str] | None = None,
    logs: str | PathLike[str] | None = None,
    reference: str | PathLike[str] | None = None,
    repo_id: str | None = None,
    license: str | None = None,
    seq_type: str | None = None,
    dtype: str | None = None,
    catalogue: Path = CATALOGUE,
    tell: Callable[[str], object] = lambda line: None,
) -> ExportReport:
    """Turn a published checkpoint into a repository that works without this package.

    Args:
        name: which one, such as `lucaone-36m`; see docs/checkpoints.md.
        source: its folder, in the original layout or in that of the Hub.
        dest: the repository to write; it must not exist or be empty.
        labels: folder with the published label files.
        logs: `logs.txt` of an original checkpoint, or its folder.
        reference: safetensors with values that the published code computed with this checkpoint:
            NAME.input_ids, NAME.token_type_ids, NAME.attention_mask, (rows, length), and at least
            one of NAME.last_hidden_state, NAME.mlm_logits, NAME.logits.TASK, for any NAME. Without
            it the card says "unverified".
        repo_id: OWNER/NAME that it will have on the Hub, for the examples of the card.
        license: of the weights, by the Hub's identifier; if not given that of the card in `source`,
            else what is known of the checkpoint.
        seq_type: default molecule type to store with the tokenizer.
        dtype: precision to store weights in; as they are, if not given.
        catalogue: the file that describes the published checkpoints.
        tell: called with a line when a step begins.

    Raises:
        ValueError: an unknown name, a checkpoint that is not the one of this name, values that
            differ from the reference, or what `convert` and `export` raise; one line.
    """
    entry = find_checkpoint(name, catalogue)
    check_options(repo_id=repo_id, license=license, seq_type=seq_type)
    dest = check_destination(dest)
    # Beside the destination, whose disk holds the model twice until the repository is whole.
    dest.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=dest.parent, prefix=f".{dest.name}.") as folder:
        model = Path(folder) / "model"
        tell(f"converting {source}")
        report = convert(source, model, labels=labels, logs=logs, seq_type=seq_type, dtype=dtype)
        _check_shape(entry, report.layout, model, source)
        compared = None
        if reference is not None:
            tell(f"comparing with {reference}")
            compared = compare(model, Path(reference))
        return export(
            model,
            dest,
            name=name,
            repo_id=repo_id,
            license=license or stated_license(Path(source)) or entry.license,
            published=_on_the_card(entry, report.layout, compared),
            tell=tell,
        )


def _check_shape(
    entry: PublishedCheckpoint, layout: str, model: Path, source: str | PathLike[str]
) -> None:
    """Check that a converted model is what its name says.

    Raises:
        CheckpointError: it is another one.
    """
    config = find_model(model).config
    found = {
        "layout": layout,
        "blocks": config.num_hidden_layers,
        "width": config.hidden_size,
        "heads": config.num_attention_heads,
        "tasks": set(config.pretraining_tasks or entry.tasks),
    }
    expected = {
        "layout": layout if layout in entry.layouts else " or ".join(entry.layouts),
        "blocks": entry.blocks,
        "width": entry.width,
        "heads": entry.heads,
        "tasks": set(entry.tasks),
    }
    for what, value in expected.items():
        if found[what] != value:
            here, there = (
                ", ".join(sorted(side)) if isinstance(side, set) else side
                for side in (found[what], value)
            )
            raise CheckpointError(
                f"{source}: this is not {entry.name}: its {what} {here}, not {there}"
            )


def compare(folder: Path, reference: Path) -> tuple[int, float]:
    """Compare what a model computes in fp32 with what the published code computed.

    Args:
        folder: the model.
        reference: the values, see `republish`.

    Returns:
        Number of tensors compared and the largest relative L2 difference, padding left out.

    Raises:
        ValueError: there is nothing to compare, or a difference is above 2e-5.
    """
    try:
        stored = load_file(reference)
    except Exception as error:  # a damaged file fails in any way
        raise ValueError(f"{reference}: cannot be read: {error}") from None
    source = find_model(folder)
    model = load_model(source, model_class(source.config), dtype=torch.float32)
    differences = {}
    for name in sorted(
        key.removesuffix(".input_ids") for key in stored if key.endswith(".input_ids")
    ):
        inputs = {key: stored[f"{name}.{key}"] for key in INPUTS if f"{name}.{key}" in stored}
        if len(inputs) < len(INPUTS):
            raise ValueError(f"{reference}: {name} has no {' or '.join(INPUTS[1:])}")
        for key, values in _outputs(model, inputs).items():
            if (expected := stored.get(f"{name}.{key}")) is not None:
                differences[f"{name}.{key}"] = _relative_l2(
                    values, expected, inputs["attention_mask"].bool()
                )
    if not differences:
        raise ValueError(
            f"{reference}: no values to compare (NAME.last_hidden_state, NAME.mlm_logits or "
            "NAME.logits.TASK, with NAME.input_ids)"
        )
    worst = max(differences, key=lambda key: differences[key])
    if not differences[worst] <= LIMIT:
        raise ValueError(
            f"{reference}: {worst} differs by {differences[worst]:.2g} (relative L2), "
            f"more than {LIMIT:g}"
        )
    return len(differences), differences[worst]


@torch.no_grad()
def _outputs(model: Any, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return everything that a model computes, under the names of a reference."""
    if isinstance(model, LucaOneForPreTraining):
        outputs = model(**inputs)
        hidden = outputs.last_hidden_state
        named = {f"logits.{task}": logits for task, logits in outputs.logits.items()}
    else:
        hidden, named = model.lucaone(**inputs).last_hidden_state, {}
    return named | {"last_hidden_state": hidden, "mlm_logits": model.lm_head(hidden)}


def _relative_l2(found: Tensor, expected: Tensor, real: Tensor) -> float:
    """Return |found - expected| / |expected| over the real tokens, infinite for other shapes."""
    if found.shape != expected.shape:
        return float("inf")
    if found.shape[:2] == real.shape:
        found, expected = found[real], expected[real]
    found, expected = found.double(), expected.double()
    return ((found - expected).norm() / expected.norm()).item()


def _on_the_card(
    entry: PublishedCheckpoint, layout: str, compared: tuple[int, float] | None
) -> dict[str, str]:
    source = f"the {'original' if layout == 'original' else 'Hub'} layout"
    if entry.hub and layout == "hub":
        source += f" ({entry.hub})"
    comparison = "Unverified: it was not compared with numbers that the published code computed."
    if compared is not None:
        comparison = (
            f"Verified: {compared[0]} tensors that the published code computed agree within "
            f"{compared[1]:.1e} (relative L2, fp32)."
        )
    return {
        "about": entry.about,
        "steps": entry.steps_in_words(),
        "source": source,
        "comparison": comparison,
    }
