# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What model cards are made of: Markdown that no name can break, and what all of them say."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import yaml
from huggingface_hub import ModelCard, ModelCardData

TYPE_NAMES = {"gene": "DNA or RNA", "prot": "protein"}
CITATION = """\
Please cite LucaOne:

```bibtex
@article{he2025lucaone,
  title = {Generalized biological foundation model with unified nucleic acid and protein language},
  author = {He, Y. and others},
  journal = {Nature Machine Intelligence},
  year = {2025},
  doi = {10.1038/s42256-025-01044-4}
}
```"""

# What would end a cell, begin a tag or code, or make a link of the brackets in front of it.
_SPECIAL = re.compile(r"[\\|`]|(?<=\])\(")
# What makes a heading, a list, a quotation, a rule or a fence of a line that begins with it.
_BLOCK = re.compile(r"^(?=[#>=~*_+\[-])")


def card(data: ModelCardData, title: str, about: str, parts: Mapping[str, str]) -> str:
    """Return the text of README.md: front matter, title, what the model is, and sections.

    Args:
        data: the front matter.
        title: any text.
        about: Markdown.
        parts: Markdown by the title of its section; empty ones are left out.
    """
    sections = [f"# {escaped(title)}", about]
    sections += [f"## {name}\n\n{text}" for name, text in parts.items() if text]
    body = "\n\n".join(section for section in sections if section)
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n\n{body}\n"))


def escaped(text: str) -> str:
    """Return text that is no cell, tag, link, code or new line in Markdown."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.split())).replace("<", "&lt;")


def paragraph(text: str) -> str:
    """Return text that is nothing but a paragraph of Markdown."""
    return _BLOCK.sub(r"\\", escaped(text))


def code(text: str) -> str:
    """Return text as code within a line."""
    return f"`{' '.join(text.replace('`', ' ').split())}`"


def table(header: Sequence[str], rows: Sequence[Sequence[Any]], most: int | None = None) -> str:
    """Return a table.

    Args:
        header: names of the columns.
        rows: cells, of which any text is escaped.
        most: rows that are shown; how many are left out is said.
    """
    lines = [header, ["---"] * len(header), *rows[:most]]
    text = "\n".join(f"| {' | '.join(map(escaped, line))} |" for line in lines)
    left_out = 0 if most is None else len(rows) - most
    return text + (f"\n\nand {left_out:,} more, with fewer records" if left_out > 0 else "")


def is_number(value: Any) -> bool:
    """Return whether this is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)


def number(value: Any) -> str:
    """Return a number with separators or four decimals, and a dash for what is none."""
    if not is_number(value):
        return "\N{EN DASH}"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def yaml_block(values: Mapping[str, Any]) -> str:
    """Return as a block of YAML what has a value."""
    text = yaml.safe_dump(_given(values), sort_keys=False, allow_unicode=True, width=100)
    fence = max(["``", *re.findall("`+", text)], key=len) + "`"
    return f"{fence}yaml\n{text}{fence}"


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has a value, zero and false among it, at any depth."""
    inner = {
        key: _given(value) if isinstance(value, Mapping) else value for key, value in values.items()
    }
    return {key: value for key, value in inner.items() if value not in (None, "", {}, [], ())}


def python_block(auto_class: str, seq_type: str, result: str) -> str:
    """Return code that applies the model in `folder` to `sequences`.

    Args:
        auto_class: name of the Auto class.
        seq_type: molecule type of the sequences.
        result: field of the output.
    """
    return f"""\
```python
import modeling_lucaone                       # registers "lucaone" with the Auto classes
from transformers import {auto_class}, AutoTokenizer

model = {auto_class}.from_pretrained(folder)
tokenizer = AutoTokenizer.from_pretrained(folder)
inputs = tokenizer(sequences, seq_type="{seq_type}", padding=True, return_tensors="pt")
{result} = model(**inputs).{result}
```"""


def licence(made_from: str | None) -> str:
    """Return what a training knows of licences, and the citation.

    Args:
        made_from: name of the model that it began with.
    """
    of_weights = f"that of {code(made_from)}" if made_from else "not stated here"
    return (
        "The code, lucaone-hf, is Apache-2.0. The licence of the weights is "
        f"{of_weights}.\n\n{CITATION}"
    )


def pictures(names: Iterable[str]) -> list[str]:
    """Return pictures that lie beside the card, each under its name."""
    return [
        f"![{escaped(PurePosixPath(name).stem.replace('_', ' '))}]({quote(name)})" for name in names
    ]
