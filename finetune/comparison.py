# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""One task with several sources of features: the same splits and head, one table and picture.

While a comparison is under way, its finished rows lie in `OUTPUT.partial`, beside the checkpoints
of the row in training, and the same call goes on from there; `OUTPUT` appears when it is whole.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas
from accelerate import PartialState

from embedding.outputs import writing_folder
from training_jobs.hardware import Hardware
from training_jobs.jobs import Tell, resumable, silent
from training_jobs.settings import as_dictionary

from . import figures
from .comparison_rows import Bench, Row
from .comparison_sources import open_sources
from .jobs import check_libraries, origin_of, read_labelled
from .results import VERSIONS
from .task import Task, read_task

RESULTS = "comparison.json"


@dataclass(frozen=True)
class ComparisonSummary:
    """What a comparison came to; `str()` is its table.

    Attributes:
        output: folder of the table, the picture and all that is known.
        results: what `comparison.json` holds.
        notes: what a user should know.
        is_main_process: whether this process is to tell it, of those of `accelerate launch`.
    """

    output: Path
    results: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    is_main_process: bool = True

    def __str__(self) -> str:
        results = self.results
        split = results["judged"]
        frame = pandas.DataFrame(table(results), dtype=object).map(_shown)
        frame["name"] = frame["name"].str.ljust(frame["name"].str.len().max())
        return (
            f"{self.output}: {results['task']['name']}, {results['data']['splits'][split]:,} "
            f"records of {split}; low and high: 95% of {results['task']['metric']}\n"
            f"{frame.to_string(index=False)}"
        )


def compare(
    task: str | os.PathLike[str] | Task | None = None,
    *,
    backbones: Sequence[str],
    output: str | os.PathLike[str],
    data: str | os.PathLike[str] | None = None,
    changes: Iterable[str] = (),
    labels_file: str | os.PathLike[str] | None = None,
    features: str | os.PathLike[str] | None = None,
    trust_remote_code: bool = False,
    overwrite: bool = False,
    force: bool = False,
    tell: Tell = silent,
    **hardware: Any,
) -> ComparisonSummary:
    """Train the head of a task on the features of several encoders, one after the other.

    Features of all are computed before the first head is trained. Under `accelerate launch` every
    process calls this with the same arguments, see `finetune.finetune`.

    Args:
        task: name of a published task, a YAML file, or a `Task`; None for one of `changes` alone.
        backbones: names of encoders, see `finetune.comparison_sources.open_sources`.
        output: folder to be made.
        data: see `read_data`; those that the task names on the Hub, if not given.
        changes: of the task, `key=value` each.
        labels_file: table of labels, where `data` is FASTA.
        features: folder where features are kept for this and other runs; `features` beside the
            output if not given.
        trust_remote_code: run the code of a Hub repository or folder that is no LucaOne model.
        overwrite: replace another comparison, or its begun work.
        force: go on even if most sequences look like the other molecule type.
        tell: called with what a user wants to know on the way.
        hardware: as of `Hardware`.

    Raises:
        DataError: the data cannot be trained on; it carries the table of what was found.
        ValueError: anything else wrong with the task, an encoder, the options or the output.
        RuntimeError: the training failed, see `TaskTrainer`. What is done is kept.
        ImportError: a library of the extra `finetune` is missing.
    """
    where = Hardware(**hardware)
    where.check()
    check_libraries()
    task = task if isinstance(task, Task) else read_task(task, changes, data)
    output = Path(output)
    store = Path(features) if features is not None else output.parent / "features"
    processes = PartialState(cpu=where.kind == "cpu", timeout=timedelta(days=30))
    main, started = processes.is_main_process, datetime.now(UTC).isoformat(timespec="seconds")

    if not main:
        tell = silent
    sources = open_sources(
        backbones,
        task,
        dtype=where.dtype,
        device=where.device,
        tokens_per_batch=where.tokens_per_batch,
        trust_remote_code=trust_remote_code,
    )
    labelled = read_labelled(task, data, labels_file, tell, force)
    bench = Bench(task, labelled, store, where, tell)
    configs = {one.name: one.config(task, labelled) for one in sources if one.backbones}
    made_from = {
        "backbones": list(backbones),
        "dtype": where.dtype or "as stored",
        **as_dictionary(task),
        "metric": bench.metric,
        **{f"{name}_sha256": digest for name, digest in sorted(labelled.files.items())},
        **{
            f"{one.name}_sha256": "+".join(backbone.key for backbone in one.backbones)
            for one in sources
        },
    }
    with resumable(output, "row-*", made_from, overwrite, processes, _read) as job:
        if job.complete is not None:
            notes = [f"{output} is complete; nothing was done"]
            return ComparisonSummary(output, job.complete, notes, main)
        rows = bench.try_all(sources, configs, job.path, processes)
        if main:
            about = {"made_from": made_from, "started": started}
            _save(output, _results(bench, rows, origin_of(data or task.dataset or "")) | about)
            job.finished = True
        processes.wait_for_everyone()
        results = _read(output)
        return ComparisonSummary(output, results, results["notes"], main)


def table(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of `comparison.csv`, of what `comparison.json` holds.

    The scores are those of the test split (of dev where there is none); `low` and `high` hold 95%
    of the main metric, see `finetune.evaluation.intervals`.
    """
    split, metric = results["judged"], results["task"]["metric"]
    others = [name for name in results["rows"][0]["metrics"][split] if name != metric]
    rows = []
    for row in results["rows"]:
        scores = row["metrics"][split]
        low, high = row["intervals"].get(split, {}).get(metric, (None, None))
        rows.append(
            {
                "name": row["name"],
                "kind": row["kind"],
                metric: scores.get(metric),
                "low": low,
                "high": high,
                **{name: scores.get(name) for name in others},
                "width": "+".join(map(str, row["width"])) or None,
                "sequences": row["sequences"].get("distinct"),
                "steps": row["steps"],
                "seconds": round(sum(row["seconds"].values())) if row["seconds"] else None,
            }
        )
    return rows


def _results(bench: Bench, rows: list[Row], origin: str) -> dict[str, Any]:
    """Return what `comparison.json` holds of a comparison."""
    task, data = bench.task, bench.data
    notes = [f"{row.name}: {note}" for row in rows for note in row.notes]
    rows = [*rows, bench.majority()]
    if published := bench.published():
        rows.append(published)
        if origin != task.dataset:
            notes.append(f"the published score is that of {task.dataset}, the data are {origin}")
    return {
        "task": as_dictionary(task) | {"problem": data.problem, "metric": bench.metric},
        "data": {
            "source": origin,
            "files": data.files,
            "splits": {name: len(examples) for name, examples in data.splits.items()},
        },
        "judged": data.judged[0],
        "rows": list(map(asdict, rows)),
        "notes": notes,
        "versions": {name: version(name) for name in (*VERSIONS, "scikit-learn")},
    }


def _save(output: Path, results: dict[str, Any]) -> None:
    """Write table, picture and all that is known.

    Raises:
        ValueError: it cannot be written.
    """
    metric, split = results["task"]["metric"], results["judged"]
    rows = table(results)
    known = {row["kind"]: row[metric] for row in rows}
    bars = [
        {"name": row["name"], "value": row[metric], "low": row["low"], "high": row["high"]}
        for row in rows
        if row["kind"] in ("features", "k-mers")
    ]
    with writing_folder(output) as folder:
        pandas.DataFrame(rows, dtype=object).to_csv(folder / "comparison.csv", index=False)
        (folder / RESULTS).write_text(json.dumps(results, indent=1), "utf-8")
        figures.comparison(
            bars,
            folder / "comparison.png",
            f"{metric} ({split})",
            known.get("published"),
            known["majority"],
        )


def _read(output: Path) -> dict[str, Any]:
    """Read a comparison.

    Raises:
        ValueError: the folder is none of a comparison.
    """
    try:
        return dict(json.loads((output / RESULTS).read_text("utf-8")))
    except (OSError, ValueError):
        raise ValueError(
            f"{output}: is there already and no result of `lucaone finetune compare`"
        ) from None


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


def _silent(_: str) -> None:
    """Leave what is going on to the main process."""
