# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The model card of a repository, rendered from its files, and checked against them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import requires
from pathlib import Path

from huggingface_hub import ModelCard, ModelCardData
from huggingface_hub.dataclasses import strict
from huggingface_hub.errors import StrictDataclassError
from packaging.requirements import Requirement

import finetune.card
import pretraining.card
from training_jobs.markdown import CITATION, TYPE_NAMES, code, escaped, paragraph, table

from ..files import CheckpointError, one_line, read_json
from ..sentence_transformer_files import CONFIG_FILE
from . import trainer_state
from .examples import (
    SEQUENCES,
    TITLES,
    binary_labels,
    commands,
    is_classifier,
    loading,
    masked,
    pipelines,
    stock_pipeline,
    vectors,
)
from .facts import ModelFacts
from .manifest import CARD, MANIFEST, read_manifest

RESULTS = "results.json"
_TEMPLATE = Path(__file__).with_name("model_card.md.jinja")
# By the command that wrote the results.
TRAININGS = {"finetune": finetune.card, "pretrain": pretraining.card}
_TAGS = {"gene": ("dna", "rna"), "prot": ("protein",)}
# Fields of the front matter that the files decide.
_DECIDED = (
    *("license", "library_name", "pipeline_tag", "mask_token"),
    *("base_model", "base_model_relation", "datasets", "metrics"),
)
# What a person may add to them, for the files of many a model do not say where it comes from.
_ADDED_BY_HAND = ("base_model", "base_model_relation", "datasets")
_CELLS = re.compile(r"(?<!\\)\|")


@strict
@dataclass(kw_only=True)
class CardFacts:
    """What a card says beside that which the files of the repository tell; types are checked.

    Attributes:
        name: title.
        license: the Hub's identifier of the licence of the weights; None if it is not stated.
        base_model: id on the Hub of the model that it began with.
        published: of a republished checkpoint, a sentence or two for each of `about`, `source`,
            `steps` (what the number in its name means) and `comparison` (with reference values).
        repository: id on the Hub, for the examples.
    """

    name: str
    license: str | None = None
    base_model: str | None = None
    published: dict[str, str] | None = None
    repository: str = "OWNER/NAME"

    @classmethod
    def read(cls, folder: Path) -> "CardFacts":
        """Read them from the manifest of a repository.

        Raises:
            ValueError: there is none, or it does not hold what a card was rendered from.
        """
        try:
            return cls(**read_manifest(folder)["card"])
        except (TypeError, StrictDataclassError) as error:
            raise ValueError(
                f"{folder / MANIFEST}: its card is not as export writes it ({one_line(error)})"
            ) from None


def render_card(folder: Path, card: CardFacts) -> str:
    """Return the text of README.md.

    Args:
        folder: the repository, with its other files; those of a training with `results.json`.
        card: what else the card says.

    Raises:
        CheckpointError: a file is missing or damaged.
    """
    facts = ModelFacts.read(folder)
    data, summary, sections = _of_training(folder)
    pooling = None
    if (folder / "modules.json").is_file():
        pooling = read_json(folder / CONFIG_FILE).get("pooling", "mean")
    _complete(data, facts, card, has_vectors=pooling is not None)
    made_from = data.get("base_model")
    rows, binary = facts.rows(), binary_labels(facts)
    packages = ["torch", "transformers"] + ["peft"] * facts.adapter
    place, base = card.repository, made_from or "BASE"
    rendered = ModelCard.from_template(
        data,
        template_path=str(_TEMPLATE),
        title=escaped(card.name),
        facts=facts,
        types=[TYPE_NAMES[kind] for kind in facts.input_types],
        is_classifier=is_classifier(facts),
        is_tagger=stock_pipeline(facts) == "token-classification",
        predicts=escaped(rows["predicts"]) if "predicts" in rows else None,
        binary=[code(label) for label in binary] if binary else None,
        is_annotator=any(not task.endswith("_mask") for task in facts.tasks),
        summary=summary,
        sections=sections,
        model=table(["", ""], list(rows.items())),
        published={key: paragraph(value) for key, value in (card.published or {}).items()},
        alone=loading(facts, place, base, ours=False),
        ours=loading(facts, place, base, ours=True),
        pipelines=None if facts.adapter else pipelines(facts, place),
        pooling=pooling,
        vectors=vectors(facts, place),
        commands=commands(facts, place, base),
        base=code(made_from) if made_from else None,
        weights_license=code(card.license) if card.license else None,
        code_files=", ".join(code(file.name) for file in sorted(folder.glob("*.py"))),
        installing=_installing(packages),
        installing_vectors=_installing(["sentence-transformers"]),
        citation=CITATION,
    )
    return f"{rendered}\n"


def _installing(packages: Iterable[str]) -> str:
    """Return the shell command that installs packages, in the versions that this one needs."""
    needed = {one.name: one.specifier for one in map(Requirement, requires("lucaone-hf") or ())}
    versions = {name: ",".join(sorted(map(str, needed[name]), reverse=True)) for name in packages}
    return "pip install " + " ".join(f'"{name}{version}"' for name, version in versions.items())


def _of_training(folder: Path) -> tuple[ModelCardData, str, dict[str, str]]:
    """Return front matter, summary and sections of the training that left its results."""
    path, training = folder / RESULTS, None
    if path.is_file():
        results = read_json(path)
        training = TRAININGS.get(str(results.get("command")))
        if training is None:
            raise CheckpointError(f"{path}: not what lucaone finetune or lucaone pretrain writes")
    elif (folder / trainer_state.FILE).is_file():
        path, training = folder / trainer_state.FILE, trainer_state
        results = read_json(path)
    else:
        return ModelCardData(), "", {}
    try:
        return training.metadata(results), training.summary(results), training.sections(results)
    except Exception as error:  # a file that somebody changed fails in any way
        raise CheckpointError(
            f"{path}: damaged ({type(error).__name__}: {one_line(error)})"
        ) from None


def _complete(data: ModelCardData, facts: ModelFacts, card: CardFacts, has_vectors: bool) -> None:
    """Add to the front matter of a training what is known of the model."""
    data.library_name = "peft" if facts.adapter else "transformers"
    data.pipeline_tag = stock_pipeline(facts)
    data.license = card.license
    data.base_model = card.base_model or data.base_model
    if data.base_model:
        data["base_model_relation"] = "adapter" if facts.adapter else "finetune"
    tags = ["lucaone", "biology", *(tag for kind in facts.input_types for tag in _TAGS[kind])]
    tags += [*(data.tags or ()), *(["lora"] * facts.adapter)]
    data.tags = list(dict.fromkeys(tags + ["sentence-transformers"] * has_vectors))
    data.model_name = " ".join(card.name.split()) if data.eval_results else None
    if data.pipeline_tag == "fill-mask":
        data["mask_token"] = "[MASK]"
    kind = facts.default_type
    # Without a default the widget of the Hub could only fail, for it names no molecule type.
    if kind is not None and data.pipeline_tag not in (None, "feature-extraction"):
        text = masked(kind) if data.pipeline_tag == "fill-mask" else SEQUENCES[kind][0]
        data["widget"] = [{"text": text, "example_title": TITLES[kind]}]


def check_card(folder: Path, card: CardFacts) -> list[str]:
    """Compare a card with what the files of its repository say now.

    What counts are the fields of the front matter that the files decide, the metrics of its
    `model-index`, and the tables in sections that a card of ours has. All else may be edited, and
    data sets and a base model may be named where the files name none.

    Args:
        folder: the repository.
        card: what the card was rendered from.

    Returns:
        A line for each claim that the files contradict.

    Raises:
        CheckpointError: a file other than the card is missing or damaged.
    """
    expected = ModelCard(render_card(folder, card))
    try:
        found = ModelCard.load(folder / CARD)
        claims = Counter(_claims(found, expected))
    except Exception as error:  # a file that somebody changed fails in any way
        return [f"{CARD}: not a model card ({type(error).__name__}: {one_line(error)})"]
    known = Counter(_claims(expected, expected))
    right: dict[str, str] = dict((known - claims).keys())
    lines = []
    for what, value in claims - known:
        true = right.pop(what, None)
        if true is None and what in _ADDED_BY_HAND:
            continue
        instead = "which the files do not say" if true is None else f"but by the files {true}"
        lines.append(f"{CARD}: {what} is {value}, {instead}")
    return lines + [f"{CARD}: {what} is missing, by the files {right[what]}" for what in right]


def _claims(card: ModelCard, expected: ModelCard) -> Iterator[tuple[str, str]]:
    """Yield what a card says of a thing, for all that `expected` decides."""
    for field in _DECIDED:
        if (value := card.data.get(field)) is not None:
            yield field, repr(value)
    for tag in set(card.data.get("tags", [])) & set(expected.data.get("tags")):
        yield f"tag {tag}", "there"
    for one in card.data.get("eval_results", []):
        places = (one.task_type, one.dataset_type, one.dataset_config, one.dataset_split)
        where = ", ".join(str(place) for place in (one.task_name, *places) if place)
        yield f"{one.metric_type} of {where}", repr(one.metric_value)
    titles = {title for title, _ in _sections(expected.text)}
    for title, text in _sections(card.text):
        if title in titles:
            for name, *cells in _rows(text):
                yield f"{title}: {name or 'the head of the table'}", " | ".join(cells)


def _sections(text: str) -> list[tuple[str, str]]:
    """Return the sections of a card, title and text."""
    lines = "\n".join(text.splitlines())
    _, *parts = re.split(r"^## +(.+?) *$", lines, flags=re.MULTILINE)
    return list(zip(parts[::2], parts[1::2], strict=True))


def _rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of the rows of tables, but of those that only rule off."""
    for line in text.splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in _CELLS.split(line.strip())[1:-1]]
            if any(cell.strip(":-") for cell in cells):
                yield cells
