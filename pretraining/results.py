# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a pre-training leaves: the model, its results, curves and card."""

import shutil
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, ModelCardData

from embedding.outputs import writing_folder
from training_jobs.results import save_model, save_results

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
        draw_curves(results["history"], folder / "curves.png")
        save_results(results, "pretrain", folder)
        (folder / "README.md").write_text(render_card(results), "utf-8")


def task_rows(results: Mapping[str, Any]) -> list[list[str]]:
    """Return a table, head first: of each task loss and accuracy, and those without a model."""
    head = ["task", "loss", "without a model", "accuracy", "without a model"]
    rows, scores = [head], (results["metrics"] or {}, results["baseline"] or {})
    for task in results["tasks"]:
        cells = [
            f"{one[key]:.4f}" if key in one else "-"
            for key in (f"{task}_loss", f"{task}_accuracy")
            for one in scores
        ]
        rows.append([task, *cells])
    return rows


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


def render_card(results: Mapping[str, Any]) -> str:
    """Return the text of README.md, made of the results alone."""
    recipe, data = results["recipe"], results["data"]
    rows = task_rows(results)
    table = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    counts = ", ".join(f"{count:,} {name}" for name, count in data["records"].items())
    letters = ", ".join(f"{count:,} of {name}" for name, count in data["letters"].items())
    skipped = sum(results["skipped"].values())
    begins = results["model"]["begins_with"]
    header = ModelCardData(library_name="transformers", tags=["biology", "lucaone"])
    lines = [
        f"# {recipe['name']}",
        recipe["about"],
        f"A LucaOne model of {results['model']['parameters']:,} parameters"
        + (f", which goes on from {begins}." if begins else ", trained from scratch."),
        "## Training",
        f"{results['steps']:,} updates of {recipe['batch_size']:,} records, learning rate "
        f"{recipe['learning_rate']:g}, {skipped:,} updates skipped. Records: {counts}; letters "
        f"looked at before the training: {letters}.",
        "![Losses](curves.png)",
        "## Evaluation",
        "Losses and accuracies on held-out records, beside those of saying always how frequent the "
        "labels are in training.",
        "\n".join(f"| {' | '.join(row)} |" for row in table),
        "## Use",
        "```python\nimport modeling_lucaone\nfrom transformers import AutoModel, AutoTokenizer\n\n"
        'tokenizer = AutoTokenizer.from_pretrained("THIS_FOLDER")\n'
        'model = AutoModel.from_pretrained("THIS_FOLDER")\n'
        'inputs = tokenizer("ACGT", seq_type="gene", return_tensors="pt")\n'
        "hidden = model(**inputs).last_hidden_state\n```",
    ]
    text = "\n\n".join(line for line in lines if line)
    return str(ModelCard(f"---\n{header.to_yaml()}\n---\n\n{text}\n"))
