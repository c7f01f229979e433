# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The model card of a pre-training, made of its results and of nothing else."""

from collections.abc import Mapping
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from training_jobs.markdown import (
    TYPE_NAMES,
    card,
    code,
    is_number,
    licence,
    number,
    paragraph,
    pictures,
    python_block,
    table,
    yaml_block,
)
from training_jobs.results import without_folders

CURVES = "curves.png"
MEASURES = ("loss", "accuracy")


def render_card(results: Mapping[str, Any]) -> str:
    """Return the text of README.md: the front matter of a Hugging Face model card, and the card.

    Args:
        results: what `results.json` of a run holds. Where it does not name its `figures`, the
            curves lie beside the card.
    """
    kind = next(iter(results["data"]["records"]))
    parts = {
        "Use": python_block("AutoModel", kind, "last_hidden_state"),
        **sections(results),
        "Licence and citation": licence(without_folders(results["model"]["begins_with"])),
    }
    return card(metadata(results), results["recipe"]["name"], summary(results), parts)


def summary(results: Mapping[str, Any]) -> str:
    """Return, as Markdown, what a model is and what it was made from."""
    model = without_folders(results["model"])
    begins = model["begins_with"]
    started = f"goes on from {code(begins)}" if begins else "began with random weights"
    lines = [
        paragraph(results["recipe"].get("about") or ""),
        f"A LucaOne model of {model['parameters']:,} parameters. Its training, `lucaone pretrain`, "
        f"{started} and made {results['steps']:,} updates.",
    ]
    return "\n".join(line for line in lines if line)


def sections(results: Mapping[str, Any]) -> dict[str, str]:
    """Return the sections that tell of the training, as Markdown by their titles."""
    results = without_folders(results)
    parts = {
        "Results": _scores(results),
        "Data": _data(results),
        "Limits": _limits(results),
        "Settings": [_settings(results)],
        "Made from": [_provenance(results)],
    }
    return {title: "\n\n".join(part) for title, part in parts.items() if part}


def metadata(results: Mapping[str, Any]) -> ModelCardData:
    """Return what the front matter says of the training."""
    name, tasks, metrics = results["recipe"]["name"], results["tasks"], results["metrics"] or {}
    evaluations = [
        EvalResult(
            task_type="fill-mask" if _is_mask(task) else "other",
            task_name=task,
            dataset_type=name,
            dataset_name="held-out records of the training",
            dataset_config=task,
            metric_type=measure,
            metric_value=metrics[f"{task}_{measure}"],
        )
        for task in tasks
        for measure in MEASURES
        if is_number(metrics.get(f"{task}_{measure}"))
    ]
    return ModelCardData(
        library_name="transformers",
        pipeline_tag="fill-mask" if any(map(_is_mask, tasks)) else None,
        metrics=list(dict.fromkeys(result.metric_type for result in evaluations)) or None,
        tags=["lucaone", "biology"],
        model_name=name,
        eval_results=evaluations or None,
    )


def task_rows(results: Mapping[str, Any]) -> list[list[str]]:
    """Return a table, head first: of each task loss and accuracy, and those without a model."""
    head = ["task", "loss", "without a model", "accuracy", "without a model"]
    rows, scores = [head], (results["metrics"] or {}, results["baseline"] or {})
    for task in results["tasks"]:
        cells = [
            f"{one[key]:.4f}" if is_number(one.get(key)) else "-"
            for key in (f"{task}_{measure}" for measure in MEASURES)
            for one in scores
        ]
        rows.append([task, *cells])
    return rows


def _is_mask(task: str) -> bool:
    return task.endswith("_mask")


def _scores(results: Mapping[str, Any]) -> list[str]:
    figures = pictures(results.get("figures", [CURVES]))
    metrics, data = results["metrics"], results["data"]
    if not metrics:
        return ["The model was not judged on held-out records.", *figures]
    head, *rows = task_rows(results)
    count = sum(data["eval_records"].values())
    parts = [
        f"On {count:,} held-out records, beside what a model would get that only knows how "
        "frequent the labels are in training:",
        table(head, rows),
    ]
    perplexities = [
        f"{number(metrics[key])} for {TYPE_NAMES[kind]}"
        for kind in data["records"]
        if (key := f"{kind}_perplexity") in metrics
    ]
    if perplexities:
        parts.append(f"Perplexity of masked letters: {', '.join(perplexities)}.")
    return parts + figures


def _data(results: Mapping[str, Any]) -> list[str]:
    data = results["data"]
    columns = [data[key] for key in ("records", "letters", "eval_records")]
    kinds = [
        [TYPE_NAMES[kind], *(number(column.get(kind)) for column in columns)]
        for kind in data["records"]
    ]
    tasks = [
        [
            task,
            settings["level"],
            TYPE_NAMES[settings["seq_type"]],
            number(settings["num_labels"]),
            number(data["labelled"].get(task)),
            f"{settings['weight']:g}",
        ]
        for task, settings in results["tasks"].items()
    ]
    return [
        table(["molecule", "records", "letters", "held-out records"], kinds),
        "Records and letters are those that were looked through before the training.",
        table(["task", "level", "molecule", "labels", "records with a label", "weight"], tasks),
    ]


def _limits(results: Mapping[str, Any]) -> list[str]:
    longest, skipped = results["recipe"]["max_length"] - 2, sum(results["skipped"].values())
    parts = [f"The training read the first {longest:,} letters of a record."]
    if skipped:
        parts.append(f"Updates that were left out, for their loss or gradient: {skipped:,}.")
    return [*parts, *(paragraph(note) for note in results["notes"])]


def _settings(results: Mapping[str, Any]) -> str:
    elsewhere = ("name", "about")
    recipe = {key: value for key, value in results["recipe"].items() if key not in elsewhere}
    return yaml_block({"updates": results["steps"], "recipe": recipe})


def _provenance(results: Mapping[str, Any]) -> str:
    made = {key: results.get(key) for key in ("started", "seconds", "processes", "versions")}
    digests = {key: value for key, value in results["made_from"].items() if key.endswith("sha256")}
    return yaml_block(made | {"sha256": digests})
