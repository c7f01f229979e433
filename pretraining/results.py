# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a pre-training leaves: the model, its results and curves."""

import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from embedding.outputs import writing_folder
from training_jobs.results import save_model, save_results

from .card import CURVES, render_card, task_rows
from .training import Trained

LIBRARIES = ("lucaone-hf", "torch", "transformers", "accelerate", "numpy", "pyarrow")


def save_run(
    results: dict[str, Any], trained: Trained, tokenizer: Any, tensorboard: Path, output: Path
) -> None:
    """Write everything into a folder, which then takes the place of `output`.

    Args:
        results: what `results.json` is to hold.
        trained: the model.
        tokenizer: of the model.
        tensorboard: folder of what TensorBoard shows.
        output: the folder.

    Raises:
        ValueError: it cannot be written.
    """
    with writing_folder(output) as folder:
        save_model(trained.model, trained.state_dict, folder)
        tokenizer.save_pretrained(folder)
        if tensorboard.is_dir():
            shutil.copytree(tensorboard, folder / "tensorboard")
        results["versions"] = {name: version(name) for name in LIBRARIES}
        draw_curves(results["history"], folder / CURVES)
        results["figures"] = [CURVES]
        save_results(results, "pretrain", folder)
        (folder / "README.md").write_text(render_card(results), "utf-8")


def summary_table(results: Mapping[str, Any]) -> str:
    """Return the tasks as a table for a terminal, with a line that says what it is of."""
    if not results["metrics"]:
        loss = next((line["loss"] for line in reversed(results["history"]) if "loss" in line), None)
        last = "" if loss is None else f", last loss of the training {loss:.4f}"
        return f"{results['steps']:,} updates{last}; no evaluation (--eval DIR)"
    rows = task_rows(results)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    count = sum(results["data"]["eval_records"].values())
    return "\n".join([f"{results['steps']:,} updates, judged on {count:,} records", *lines])


def draw_curves(history: list[dict[str, Any]], path: Path) -> None:
    """Draw the losses over the updates, the total and each task's, as PNG.

    Args:
        history: `trainer.state.log_history`.
        path: the picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(key for line in history for key in line if key.endswith("_loss")))
    names = [
        "loss",
        *(name for name in names if not name.startswith(("eval_", "train_", "skipped"))),
    ]
    columns = 3
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(4 * columns, 2.6 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    for panel, name in zip(panels, names, strict=False):
        for key, style in ((name, "-"), (f"eval_{name}", "o-")):
            points = [(line["step"], line[key]) for line in history if key in line]
            if points:
                panel.plot(*zip(*points, strict=True), style, markersize=3, linewidth=1.2)
        panel.set_title(name.removesuffix("_loss"), fontsize=10)
    for panel in panels[len(names) :]:
        panel.set_axis_off()
    figure.supxlabel("updates")
    figure.savefig(path, dpi=120)
