# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The model card of a fine-tuning run, made of its results and of nothing else."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
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

from .evaluation import LEVEL, RESAMPLES

MODES = {
    "frozen": "The head was trained on features of the frozen model.",
    "full": "All weights were trained.",
    "lora": "LoRA matrices in the blocks, and the head, were trained.",
}
PROBLEMS = {
    "binary": "two classes",
    "multi_class": "one of several classes per record",
    "multi_label": "several labels per record",
    "regression": "a number per record",
}
# What `evaluation.score` takes means over.
AVERAGES = {
    "binary": "f1 is that of the positive class.",
    "multi_class": "f1 and roc_auc are means over the classes, each against the rest.",
    "multi_label": "f1, roc_auc and pr_auc are means over the labels, f1_micro counts over all of "
    "them, and accuracy is the share of the records of which every label is right.",
}
# Rows that a table has at most.
MOST_LABELS, MOST_GROUPS = 30, 50


def render_card(results: Mapping[str, Any]) -> str:
    """Return the text of README.md: the front matter of a Hugging Face model card, and the card.

    Folders are taken out of every path. What is missing in the results is missing in the card.

    Args:
        results: what `results.json` of a run holds: `task`, `mode`, `model`, `data`, `training`,
            `metrics`, `intervals`, `by_group`, `majority`, `versions`, `started`, `seconds`,
            `figures`, names of pictures that lie beside the card, and `notes`, sentences.
    """
    results = _to_be_shown(results)
    parts = {
        "Use": _usage(results["task"]),
        **sections(results),
        "Licence and citation": licence((results.get("model") or {}).get("name")),
    }
    return card(metadata(results), results["task"]["name"], summary(results), parts)


def summary(results: Mapping[str, Any]) -> str:
    """Return, as Markdown, what a model is and what it was made from."""
    results = _to_be_shown(results)
    task, model = results["task"], results.get("model") or {}
    what = "pairs of sequences" if task.get("input") == "pair" else "sequences"
    types = [TYPE_NAMES[kind] for kind in task.get("seq_types") or () if kind in TYPE_NAMES]
    if types:
        what += f" ({', '.join(types)})"
    lines = [
        paragraph(task.get("about") or ""),
        f"It takes {what} and predicts {PROBLEMS.get(task.get('problem'), 'labels')}.",
        f"Made from {code(model['name'])} by `lucaone finetune`." if "name" in model else "",
        MODES.get(results.get("mode", ""), ""),
    ]
    if "trained_parameters" in model and "parameters" in model:
        lines.append(
            f"{model['trained_parameters']:,} of {model['parameters']:,} parameters were trained."
        )
    return "\n".join(line for line in lines if line)


def sections(results: Mapping[str, Any]) -> dict[str, str]:
    """Return the sections that tell of the training, as Markdown by their titles."""
    results = _to_be_shown(results)
    parts = {
        "Results": _scores(results),
        "Data": _data(results.get("data") or {}, results["task"]),
        "Limits": _limits(results),
        "Settings": [_settings(results)],
        "Made from": [_provenance(results)],
    }
    return {title: "\n\n".join(part) for title, part in parts.items() if part}


def metadata(results: Mapping[str, Any]) -> ModelCardData:
    """Return what the front matter says of the training."""
    results = _to_be_shown(results)
    task, model = results["task"], results.get("model") or {}
    hub_data = None
    if _is_published(results.get("data") or {}, task):
        hub_data = "/".join(task["dataset"].split("/")[:2])
    single = task.get("input") == "single"
    name = task["name"]
    evaluations = [
        EvalResult(
            task_type="text-classification" if single else "other",
            task_name=name,
            dataset_type=hub_data or name,
            dataset_name=name,
            dataset_split=split,
            metric_type=metric,
            metric_value=value,
        )
        for split, values in (results.get("metrics") or {}).items()
        for metric, value in values.items()
        if is_number(value)
    ]
    return ModelCardData(
        library_name="transformers",
        pipeline_tag="text-classification" if single else None,
        # Only a model of the Hub has a revision.
        base_model=model["name"] if model.get("revision") else None,
        datasets=hub_data,
        metrics=list(dict.fromkeys(result.metric_type for result in evaluations)) or None,
        tags=["lucaone", "biology"] + ["lora"] * (results.get("mode") == "lora"),
        model_name=name,
        eval_results=evaluations or None,
    )


def _is_published(data: Mapping[str, Any], task: Mapping[str, Any]) -> bool:
    """Return whether these are the data on the Hub that the task names."""
    return bool(task.get("dataset")) and data.get("source") == task["dataset"]


def _usage(task: Mapping[str, Any]) -> str:
    pair = task.get("input") == "pair"
    types = [
        kind if kind in TYPE_NAMES else "prot" for kind in task.get("seq_types") or ("prot",) * 2
    ]
    command = "```sh\nlucaone predict INPUT.csv predictions.csv --model FOLDER\n```\n\n"
    if not pair:
        return command + python_block("AutoModelForSequenceClassification", types[0], "logits")
    return f"""\
{command}```python
from transformers import AutoTokenizer, pipeline
from modeling_lucaone import AutoModelForPairClassification

model = AutoModelForPairClassification.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
classify = pipeline("pair-classification", model=model, tokenizer=tokenizer)
classify([(a, b)], seq_type="{types[0]}", seq_type_pair="{types[-1]}")
```"""


def _scores(results: Mapping[str, Any]) -> list[str]:
    task, metrics = results["task"], results.get("metrics") or {}
    published, majority = task.get("published") or {}, results.get("majority") or {}
    intervals = results.get("intervals") or {}
    splits = [split for split in ("test", "dev") if split in metrics]
    splits += [split for split in metrics if split not in splits]
    published_of = f"published ({published['model']})" if "model" in published else "published"
    header = ["metric", *splits]
    header += ["majority class or mean"] * bool(majority) + [published_of] * bool(published)
    rows = []
    for name in dict.fromkeys(name for values in metrics.values() for name in values):
        row = [f"**{name}**" if name == task.get("metric") else name]
        for split in splits:
            bounds = (intervals.get(split) or {}).get(name)
            interval = f" [{number(bounds[0])}, {number(bounds[1])}]" if bounds else ""
            row.append(f"{number(metrics[split].get(name))}{interval}")
        row += [number(majority.get(name))] * bool(majority)
        row += [number(published.get(name))] * bool(published)
        rows.append(row)
    parts = [table(header, rows)] if rows else []
    if rows and task.get("problem") in AVERAGES:
        parts.append(AVERAGES[task["problem"]])
    if intervals:
        parts.append(
            f"In brackets: {LEVEL:.0%} percentile intervals of a bootstrap over the records, "
            f"{RESAMPLES:,} resamples."
        )
    groups = results.get("by_group") or {}
    largest = sorted(groups.items(), key=lambda item: -item[1].get("n", 0))
    if groups:
        names = list(dict.fromkeys(name for values in groups.values() for name in values))
        rows = [[group, *(number(values.get(name)) for name in names)] for group, values in largest]
        parts.append(table(["group", *names], rows, MOST_GROUPS))
    return parts + pictures(results.get("figures") or ())


def _data(data: Mapping[str, Any], task: Mapping[str, Any]) -> list[str]:
    source = data.get("source") or ""
    if not _is_published(data, task):
        source = PurePosixPath(source).name
    parts = [f"Source: {code(source)}"] if source else []
    splits = data.get("splits") or {}
    if splits:
        parts.append(table(["split", "records"], [[key, f"{n:,}"] for key, n in splits.items()]))
    counts = data.get("label_counts") or {}
    labels = dict.fromkeys(map(str, data.get("label_names") or ()))
    if counts and labels:
        rows = [[label, *(f"{counts[s].get(label, 0):,}" for s in counts)] for label in labels]
        rows.sort(key=lambda row: -sum(counts[split].get(row[0], 0) for split in counts))
        parts.append(table(["label", *counts], rows, MOST_LABELS))
    notes = [finding for finding in data.get("findings") or () if finding[0] == "note"]
    return parts + ([_findings(notes)] if notes else [])


def _limits(results: Mapping[str, Any]) -> list[str]:
    parts = []
    lengths = results["task"].get("max_lengths")
    if lengths:
        limit = " and ".join(f"{length:,}" for length in lengths)
        of = "the two sequences" if len(lengths) > 1 else "a sequence"
        parts.append(f"Residues beyond the first {limit} of {of} are cut.")
    findings = (results.get("data") or {}).get("findings") or ()
    grave = [finding for finding in findings if finding[0] != "note"]
    if grave:
        parts += ["What was found in the data:", _findings(grave)]
    return parts + [paragraph(note) for note in results.get("notes") or ()]


def _findings(findings: Iterable[Sequence[Any]]) -> str:
    rows = [[kind, where, number(count), text] for _, kind, where, count, text in findings]
    return table(["finding", "where", "count", ""], rows)


def _settings(results: Mapping[str, Any]) -> str:
    elsewhere = ("name", "about", "published", "labels")
    task = {key: value for key, value in results["task"].items() if key not in elsewhere}
    return yaml_block(
        {"mode": results.get("mode"), "task": task, "training": results.get("training")}
    )


def _provenance(results: Mapping[str, Any]) -> str:
    files = (results.get("data") or {}).get("files")
    made = {key: results.get(key) for key in ("started", "model", "versions", "seconds")}
    return yaml_block(made | {"sha256 of the data": files})


def _to_be_shown(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return results without folders; a model that is not from the Hub has its last name only."""
    shown: dict[str, Any] = without_folders(results)
    model = shown.get("model") or {}
    if "name" in model and not model.get("revision"):
        model["name"] = re.sub(r"[^:]*/", "", model["name"])
    return shown
