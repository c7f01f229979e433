# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What a card says of a model that the Trainer of transformers made, without our commands.

`trainer_state.json` knows updates, epochs and the losses and metrics that were logged; data and
most settings it does not know, and the card then says nothing of them.
"""

from collections.abc import Mapping
from typing import Any

from huggingface_hub import ModelCardData

from training_jobs.markdown import number, table, yaml_block

FILE = "trainer_state.json"
# Of a Trainer that evaluates: how long it took, which is no result.
_TIMES = ("_runtime", "_per_second")
# What the state knows of the settings, and how we call it.
_SETTINGS = {
    "num_train_epochs": "epochs",
    "max_steps": "updates planned",
    "train_batch_size": "batch size of a process",
}


def shareable(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state without what it knows of folders and of callbacks."""
    left_out = ("best_model_checkpoint", "stateful_callbacks", "trial_name", "trial_params")
    return {key: value for key, value in state.items() if key not in left_out}


def metadata(state: Mapping[str, Any]) -> ModelCardData:
    """Return no front matter: results of data without a name are none for a `model-index`."""
    return ModelCardData()


def summary(state: Mapping[str, Any]) -> str:
    """Return what is known of the training, in a sentence."""
    return (
        f"The Trainer of transformers made {state['global_step']:,} updates "
        f"({number(float(state['epoch'] or 0))} epochs) of it."
    )


def sections(state: Mapping[str, Any]) -> dict[str, str]:
    """Return the last evaluation and the settings, as Markdown by the titles of their sections."""
    found = {}
    for line in state["log_history"]:
        scores = {key: value for key, value in line.items() if key.startswith("eval_")}
        if scores:
            found = {key: value for key, value in scores.items() if not key.endswith(_TIMES)}
    parts = {}
    if found:
        rows = [[key.removeprefix("eval_"), number(value)] for key, value in found.items()]
        parts["Results"] = (
            "The last evaluation that the Trainer logged, on data that it does not name.\n\n"
            + table(["metric", "value"], rows)
        )
    settings = {ours: state[theirs] for theirs, ours in _SETTINGS.items() if state.get(theirs)}
    if settings:
        parts["Settings"] = yaml_block(settings)
    return parts
