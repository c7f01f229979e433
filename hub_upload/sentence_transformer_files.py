# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The files by which `SentenceTransformer(folder)` finds our module, written without loading it."""

import json
import os
from pathlib import Path

MODULE, MODULE_CLASS = "sentence_transformer", "LucaOneSequenceEncoder"
CONFIG_FILE = "sentence_lucaone_config.json"
POOLINGS = ("mean", "max", "cls")


def write_sentence_transformer_files(
    folder: str | os.PathLike[str], pooling: str = "mean", max_seq_length: int | None = None
) -> None:
    """Add to the folder of a model what makes `SentenceTransformer(folder)` load it.

    That is `modules.json`, which names `LucaOneSequenceEncoder`, and the module's configuration.
    Where the folder carries its code, as a Hub repository may, the class there is named, else the
    one of this package.

    Args:
        folder: holds a LucaOne model and its tokenizer.
        pooling: `mean` or `max` over the residues, or `cls`.
        max_seq_length: tokens that longer sequences are cut to; None for no cutting.

    Raises:
        ValueError: an unknown pooling, or a folder without a model.
    """
    if pooling not in POOLINGS:
        raise ValueError(f"unknown pooling {pooling!r}; known are {', '.join(POOLINGS)}")
    folder = Path(folder)
    if not (folder / "config.json").is_file():
        raise ValueError(f"{folder}: holds no model, for it has no config.json")
    module = MODULE if (folder / f"{MODULE}.py").is_file() else f"modeling_lucaone.{MODULE}"
    files = {
        "modules.json": [{"idx": 0, "name": "0", "path": "", "type": f"{module}.{MODULE_CLASS}"}],
        CONFIG_FILE: {"pooling": pooling, "max_seq_length": max_seq_length},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
