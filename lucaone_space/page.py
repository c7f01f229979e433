# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The page: four tabs, each of which takes sequences and gives HTML."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio
import torch

from sequence_io import SAMPLE_FASTA, read_records

from .answers import Answers
from .inputs import SEQ_TYPES, Limits
from .models import PairModel, ShownModel
from .rendering import render
from .server import SESSIONS, App

# Visitors who wait for their turn; the model answers one after the other.
WAITING = 32
# What may stand behind a label in an id.
SEPARATORS = ("#", "|", "_", ".")
# Read in the browser, so that no file ever reaches the server.
FILE_PICKER = """
(text, result) => new Promise((resolve) => {
  const input = document.createElement("input");
  input.type = "file";
  input.oncancel = () => resolve([text, result]);
  input.onchange = async () => {
    const file = input.files[0];
    // A character takes four bytes at most.
    const read = file.size > 4 * LIMIT ? null : await file.text();
    resolve(read === null || read.length > LIMIT ? [text, TOO_LARGE] : [read, ""]);
  };
  input.click();
})
"""
# The records of the sample that the page offers for a start: a gene with its protein, longer ones.
PAIR = {"gene": "psbF_cds", "prot": "NP_051075.1"}
LONGER = {"gene": "cor6.6_mrna", "prot": "P62258"}
PLACEHOLDER = ">name\nletters"


def build_app(
    model: str | os.PathLike[str],
    pair_model: str | os.PathLike[str] | None = None,
    *,
    title: str = "LucaOne",
    limits: Limits | None = None,
    device: str | None = None,
) -> App:
    """Build the page of a model; `launch()` of what is returned serves it.

    Visitors share the models and nothing else: what they send is an argument of the function that
    answers, and is written nowhere.

    Args:
        model: folder or Hub repository of a LucaOne model.
        pair_model: the same of a `LucaOneForPairClassification` that says yes or no to a nucleic
            acid and a protein.
        title: heading of the page.
        limits: what a visitor may ask for at once.
        device: as of PyTorch; the GPU where there is one, if not given.

    Raises:
        ValueError: see `ShownModel` and `PairModel`.
    """
    limits = limits or Limits()
    shown = ShownModel(model, device)
    pairs = None if pair_model is None else PairModel(pair_model, device)
    answers = Answers(shown, pairs, limits)
    css = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    # A character takes four bytes at most, and a pair has two texts.
    app = App(title, css, largest_body=8 * limits.characters + 100_000)
    with app:
        gradio.HTML(render("header", title=title, model=shown, limits=limits, sessions=SESSIONS))
        with gradio.Tab("Masked letters"):
            _masked_tab(answers)
        with gradio.Tab("Annotation"):
            _annotation_tab(answers)
        with gradio.Tab("Map"):
            _map_tab(answers)
        with gradio.Tab("Pair"):
            _pair_tab(answers)
    app.queue(max_size=WAITING, api_open=False)
    return app


def _masked_tab(answers: Answers) -> None:
    if answers.shown.scorer is None:
        _no_tab("This model predicts no letters: it has no head that was trained to.")
        return
    text, pick, seq_type = *_text(answers.limits), _seq_type(answers.shown)
    position = gradio.Number(1, label="Position to hide, counted from 1")
    kind = answers.shown.seq_types[0]
    _finish(
        "Predict the letter",
        answers.masked,
        [text, seq_type, position],
        [(text, pick)],
        [_sample(PAIR[kind]), kind, 10],
        answers.limits,
    )


def _annotation_tab(answers: Answers) -> None:
    if answers.shown.annotator is None:
        _no_tab("This model annotates nothing: it has no heads that were trained to.")
        return
    text, pick, seq_type = *_text(answers.limits), _seq_type(answers.shown)
    threshold = gradio.Slider(0, 1, 0.5, step=0.05, label="Least probability of a label")
    kind = answers.shown.seq_types[-1]
    _finish(
        "Annotate",
        answers.annotation,
        [text, seq_type, threshold],
        [(text, pick)],
        [_sample(LONGER[kind]), kind, 0.5],
        answers.limits,
    )


def _map_tab(answers: Answers) -> None:
    text, pick, seq_type = *_text(answers.limits, "Sequences"), _seq_type(answers.shown)
    choices = [("one colour", ""), *((one, one) for one in SEPARATORS)]
    colour = gradio.Radio(choices, value="", label="Colour by what stands in the ids before")
    kind = answers.shown.seq_types[-1]
    ids = (record.id for record in _sample_records() if record.seq_type == kind)
    _finish(
        "Draw the map",
        answers.map,
        [text, seq_type, colour],
        [(text, pick)],
        ["".join(map(_sample, ids)), kind, ""],
        answers.limits,
    )


def _pair_tab(answers: Answers) -> None:
    if answers.pairs is None:
        _no_tab(
            "A model of pairs says whether a DNA or RNA and a protein belong together; this page "
            "has none. Who starts it can name one: lucaone demo --pair-model MODEL, or "
            "build_app(MODEL, pair_model=MODEL)."
        )
        return
    gradio.HTML(render("about_pairs", model=answers.pairs))
    gene, protein = (_text(answers.limits, label) for label in ("DNA or RNA", "Protein"))
    _finish(
        "Judge the pair",
        answers.pair,
        [gene[0], protein[0]],
        [gene, protein],
        list(map(_sample, PAIR.values())),
        answers.limits,
    )


def _no_tab(reason: str) -> None:
    gradio.HTML(render("problem", message=reason))


def _text(limits: Limits, label: str = "Sequence") -> tuple[gradio.Textbox, gradio.Button]:
    """Add a box for letters, and what fills it from a file."""
    box = gradio.Textbox(
        label=label,
        placeholder=PLACEHOLDER,
        lines=5,
        max_lines=10,
        max_length=limits.characters,
        autoscroll=False,
        elem_classes="letters",
    )
    return box, gradio.Button("Read a FASTA file", size="sm", elem_classes="pick")


def _seq_type(shown: ShownModel) -> gradio.Radio:
    choices = [(SEQ_TYPES[kind], kind) for kind in shown.seq_types]
    return gradio.Radio(choices, value=None, label="The letters are")


def _finish(
    verb: str,
    answer: Callable[..., str],
    inputs: Sequence[Any],
    texts: Sequence[tuple[gradio.Textbox, gradio.Button]],
    example: list[Any],
    limits: Limits,
) -> None:
    """Add the buttons and the place of the result, and connect them."""
    with gradio.Row():
        run = gradio.Button(verb, variant="primary")
        fill = gradio.Button("Example")
    result = gradio.HTML()
    too_large = f"The file has more than {limits.characters:,} characters."
    picker = FILE_PICKER.replace("LIMIT", str(limits.characters)).replace(
        "TOO_LARGE", json.dumps(render("problem", message=too_large))
    )
    for box, pick in texts:
        pick.click(None, [box, result], [box, result], js=picker, api_visibility="private")
    fill.click(
        None, None, list(inputs), js=f"() => {json.dumps(example)}", api_visibility="private"
    )
    # An answer never stands beside another question.
    emptied = run.click(None, None, result, js="() => ''", api_visibility="private")
    emptied.then(
        _with_problems(answer),
        list(inputs),
        result,
        concurrency_id="model",
        concurrency_limit=1,
        api_visibility="private",
    )


def _with_problems(answer: Callable[..., str]) -> Callable[..., str]:
    """Let what is wrong with the input be the result."""

    def run(*values: Any) -> str:
        try:
            return answer(*values)
        except (ValueError, MemoryError, torch.OutOfMemoryError) as error:
            return render("problem", message=str(error) or "out of memory")

    return run


def _sample_records() -> list[Any]:
    return list(read_records(SAMPLE_FASTA, seq_type="header"))


def _sample(name: str) -> str:
    """Return a record of the sample as FASTA."""
    record = next(one for one in _sample_records() if one.id == name)
    return f">{record.id}\n{record.sequence}\n"
