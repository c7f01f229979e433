# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone pretrain`: labelled records and a recipe to a model."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embedding.commands.options import check_usage, print_notes
from training_jobs.options import add_device, add_hardware

RECIPES = sorted(path.stem for path in (Path(__file__).parent.parent / "recipes").glob("*.yaml"))

MORE = f"""\
RECIPE is one of these or a YAML file in their form:
  {", ".join(RECIPES)}

DIR holds Parquet shards of labelled records, as `lucaone data gene`, `data protein`
and `data convert-records` make them. They are looked through first, and what is
found is shown. Interrupted at any moment, the same command goes on from the last
checkpoint, in the middle of an epoch too; SIGTERM and Ctrl-C save one and stop.
OUTPUT holds the model, results.json, curves, what TensorBoard shows, and the text
of a model card. To use several GPUs, or several nodes:
  accelerate launch -m pretraining RECIPE --train DIR --eval DIR --output OUTPUT
"""


def add_to(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = add(
        "pretrain",
        run,
        "train a model on labelled records: masked letters and annotations",
        "lucaone pretrain small --train records/train --eval records/dev --output model",
        MORE,
    )
    parser.add_argument("recipe", metavar="RECIPE", help="see above")
    parser.add_argument(
        "--train",
        dest="train_data",
        nargs="+",
        required=True,
        metavar="DIR",
        help="folders of training records",
    )
    parser.add_argument(
        "--eval",
        dest="eval_data",
        nargs="+",
        metavar="DIR",
        help="folders of records that the model is judged on",
    )
    parser.add_argument("--output", required=True, metavar="OUTPUT", help="folder to be made")
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="go on with the LucaOne model in this folder, or of this name on the Hugging Face Hub "
        "(default: a new one, as the recipe says)",
    )
    parser.add_argument(
        "--revision", metavar="NAME", help="branch, tag or commit of a model on the Hub"
    )
    parser.add_argument(
        "--labels",
        metavar="DIR",
        help="folder of label vocabularies (default: labels in or beside the folders of records)",
    )
    parser.add_argument(
        "--set",
        dest="changes",
        action="append",
        metavar="KEY=VALUE",
        help="change a key of the recipe, as steps=500 or tasks.gene_type.weight=1; may be given "
        "several times",
    )
    add_device(parser, "float32")
    add_hardware(parser, "between those of the recipe")
    parser.add_argument(
        "--workers",
        type="count",
        metavar="N",
        help="processes that read records; does not change the result (default: 0, the training "
        "process itself)",
    )
    parser.add_argument(
        "--compile", dest="compile_model", action="store_true", help="use torch.compile"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what another run left")


def run(options: dict[str, Any]) -> None:
    """Train, and print how well the model does each task.

    Raises:
        argparse.ArgumentError: an option cannot be right, whatever the files hold.
        ValueError: anything else that `pretrain` raises.
    """
    from transformers.utils.logging import disable_progress_bar

    from pretraining.recipe import read_recipe
    from pretraining.runs import pretrain
    from training_jobs.hardware import check_hardware

    disable_progress_bar()  # one for every file of a checkpoint; the training has its own
    recipe, changes = options.pop("recipe"), options.pop("changes", [])
    check_usage(read_recipe, {"source": recipe, "changes": changes})
    check_usage(check_hardware, options)
    summary = pretrain(recipe, changes=changes, tell=_tell, **options)
    if summary.is_main_process:
        print_notes(summary.notes)
        print(summary)


def _tell(text: str) -> None:
    print(text, file=sys.stderr)
