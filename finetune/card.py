# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The model card of a fine-tuning run, made of its results and of nothing else."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import yaml
from huggingface_hub import EvalResult, ModelCard, ModelCardData

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
TYPES = {"gene": "DNA or RNA", "prot": "protein"}
# Rows that a table has at most.
MOST_LABELS, MOST_GROUPS = 30, 50
CITATION = """\
@article{he2025lucaone,
  title = {Generalized biological foundation model with unified nucleic acid and protein language},
  author = {He, Y. and others},
  journal = {Nature Machine Intelligence},
  year = {2025},
  doi = {10.1038/s42256-025-01044-4}
}"""
# What begins with /, ~, . or .. and has folders in it; the last name is kept.
_PATH = re.compile(r"(?<![\w/<])(?:~|\.{1,2})?(?:/[^\s/:;,|'\"`()<>]+)+/?")
# Where a / is part of a label.
_LABELS = ("label_names", "label_counts", "labels")


def render_card(results: Mapping[str, Any]) -> str:
    """Return the text of README.md: the front matter of a Hugging Face model card, and the card.

    Folders are taken out of every path. What is missing in the results is missing in the card.

    Args:
        results: what `results.json` of a run holds: `task`, `mode`, `model`, `data`, `training`,
            `metrics`, `intervals`, `by_group`, `majority`, `versions`, `started`, `seconds`, and
            `figures`, names of pictures that lie beside the card.
    """
    results = _without_folders(results)
    task, model = results["task"], results.get("model") or {}
    if "name" in model and not model.get("revision"):
        model["name"] = re.sub(r"[^:]*/", "", model["name"])
    sections = [
        f"# {task['name']}",
        _summary(results),
        _section("Use", [_usage(task)]),
        _section("Results", _scores(results)),
        _section("Data", _data(results.get("data") or {}, task)),
        _section("Limits", _limits(results)),
        _section("Settings", [_settings(results)]),
        _section("Made from", [_provenance(results)]),
        _section("Licence and citation", [_licence(model), f"```bibtex\n{CITATION}\n```"]),
    ]
    text = "\n\n".join(section for section in sections if section)
    return str(ModelCard(f"---\n{_front_matter(results).to_yaml()}\n---\n\n{text}\n"))


def _front_matter(results: Mapping[str, Any]) -> ModelCardData:
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
        if _is_number(value)
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


def _summary(results: Mapping[str, Any]) -> str:
    task, model = results["task"], results.get("model") or {}
    what = "pairs of sequences" if task.get("input") == "pair" else "sequences"
    types = [TYPES[kind] for kind in task.get("seq_types") or () if kind in TYPES]
    if types:
        what += f" ({', '.join(types)})"
    lines = [
        task.get("about") or "",
        f"It takes {what} and predicts {PROBLEMS.get(task.get('problem'), 'labels')}.",
        f"Made from `{model['name']}` by `lucaone finetune`." if "name" in model else "",
        MODES.get(results.get("mode", ""), ""),
    ]
    if "trained_parameters" in model and "parameters" in model:
        lines.append(
            f"{model['trained_parameters']:,} of {model['parameters']:,} parameters were trained."
        )
    return "\n".join(_escaped(line) for line in lines if line)


def _usage(task: Mapping[str, Any]) -> str:
    pair = task.get("input") == "pair"
    types = [kind if kind in TYPES else "prot" for kind in task.get("seq_types") or ("prot",) * 2]
    command = "```sh\nlucaone predict INPUT.csv predictions.csv --model FOLDER\n```"
    if pair:
        code = f"""\
from transformers import AutoTokenizer, pipeline
from modeling_lucaone import AutoModelForPairClassification

model = AutoModelForPairClassification.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
classify = pipeline("pair-classification", model=model, tokenizer=tokenizer)
classify([(a, b)], seq_type="{types[0]}", seq_type_pair="{types[-1]}")"""
    else:
        code = f"""\
import modeling_lucaone                       # registers "lucaone" with the Auto classes
from transformers import AutoModelForSequenceClassification, AutoTokenizer

model = AutoModelForSequenceClassification.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
inputs = tokenizer(sequences, seq_type="{types[0]}", padding=True, return_tensors="pt")
logits = model(**inputs).logits"""
    return f"{command}\n\n```python\n{code}\n```"


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
            interval = f" [{_number(bounds[0])}, {_number(bounds[1])}]" if bounds else ""
            row.append(f"{_number(metrics[split].get(name))}{interval}")
        row += [_number(majority.get(name))] * bool(majority)
        row += [_number(published.get(name))] * bool(published)
        rows.append(row)
    parts = [_table(header, rows)] if rows else []
    if intervals:
        parts.append(
            f"In brackets: {LEVEL:.0%} percentile intervals of a bootstrap over the records, "
            f"{RESAMPLES:,} resamples."
        )
    groups = results.get("by_group") or {}
    largest = sorted(groups.items(), key=lambda item: -item[1].get("n", 0))
    if groups:
        names = list(dict.fromkeys(name for values in groups.values() for name in values))
        rows = [
            [group, *(_number(values.get(name)) for name in names)] for group, values in largest
        ]
        parts.append(_table(["group", *names], rows, MOST_GROUPS))
    for figure in results.get("figures") or ():
        title = PurePosixPath(figure).stem.replace("_", " ")
        parts.append(f"![{title}]({figure})")
    return parts


def _data(data: Mapping[str, Any], task: Mapping[str, Any]) -> list[str]:
    source = data.get("source") or ""
    if not _is_published(data, task):
        source = PurePosixPath(source).name
    parts = [f"Source: `{source}`"] if source else []
    splits = data.get("splits") or {}
    if splits:
        parts.append(_table(["split", "records"], [[key, f"{n:,}"] for key, n in splits.items()]))
    counts = data.get("label_counts") or {}
    labels = dict.fromkeys(map(str, data.get("label_names") or ()))
    if counts and labels:
        rows = [[label, *(f"{counts[s].get(label, 0):,}" for s in counts)] for label in labels]
        rows.sort(key=lambda row: -sum(counts[split].get(row[0], 0) for split in counts))
        parts.append(_table(["label", *counts], rows, MOST_LABELS))
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
    return parts


def _findings(findings: Iterable[Sequence[Any]]) -> str:
    rows = [[kind, where, _number(count), text] for _, kind, where, count, text in findings]
    return _table(["finding", "where", "count", ""], rows)


def _settings(results: Mapping[str, Any]) -> str:
    elsewhere = ("name", "about", "published", "labels")
    task = {key: value for key, value in results["task"].items() if key not in elsewhere}
    return _yaml({"mode": results.get("mode"), "task": task, "training": results.get("training")})


def _provenance(results: Mapping[str, Any]) -> str:
    files = (results.get("data") or {}).get("files")
    made = {key: results.get(key) for key in ("started", "model", "versions", "seconds")}
    return _yaml(made | {"sha256 of the data": files})


def _licence(model: Mapping[str, Any]) -> str:
    name = f"`{model['name']}`" if "name" in model else "the model that they were made from"
    return (
        f"The code, lucaone-hf, is Apache-2.0. The licence of the weights is that of {name}. "
        "Please cite LucaOne:"
    )


def _section(title: str, parts: Sequence[str]) -> str:
    return "\n\n".join([f"## {title}", *parts]) if parts else ""


def _yaml(values: Mapping[str, Any]) -> str:
    known = {key: value for key, value in values.items() if value}
    text = yaml.safe_dump(known, sort_keys=False, allow_unicode=True, width=100)
    return f"```yaml\n{text}```"


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]], most: int | None = None) -> str:
    lines = [header, ["---"] * len(header), *rows[:most]]
    text = "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)
    left_out = 0 if most is None else len(rows) - most
    return text + (f"\n\nand {left_out:,} more, with fewer records" if left_out > 0 else "")


def _escaped(text: str) -> str:
    """Return text that is no table, tag or new line in Markdown."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _number(value: Any) -> str:
    if not _is_number(value):
        return "\N{EN DASH}"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _without_folders(value: Any) -> Any:
    """Return the results without the folders of a machine in any text or key."""
    if isinstance(value, Mapping):
        return {
            _without_folders(key): item if key in _LABELS else _without_folders(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_folders(item) for item in value]
    if isinstance(value, str):
        return _PATH.sub(lambda path: PurePosixPath(path[0]).name, value)
    return value
