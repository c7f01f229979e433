# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""A labelled record as tokens, masked, with the labels of all tasks (facts 2.2 and 2.3)."""

import string
from collections.abc import Mapping
from typing import Any

import numpy as np

from modeling_lucaone.packing import IGNORE

from .corpus import UNKNOWN, Rows
from .data.records import CLASS_TASKS, KEYWORD_TASK, SPAN_TASKS, STRUCTURE_TASK
from .recipe import Recipe

MOLECULES = ("gene", "prot")  # in the order of the token types
LETTERS = {"gene": "ACGT", "prot": "ACDEFGHIKLMNPQRSTVWY"}


class ExampleMaker:
    """Makes the inputs and labels of records.

    Args:
        recipe: length, masking and treatment of keywords.
        tasks: as in a model's configuration.
        tokenizer: of the model.

    Attributes:
        tokens: for each molecule type the token id of each byte, (256,).
    """

    def __init__(self, recipe: Recipe, tasks: Mapping[str, Mapping[str, Any]], tokenizer: Any):
        self.recipe, self.tasks = recipe, tasks
        self.frame = tokenizer.cls_token_id, tokenizer.sep_token_id
        self.mask_id, self.vocabulary_size = tokenizer.mask_token_id, len(tokenizer)
        self.tokens = {name: np.zeros(256, dtype=np.int64) for name in MOLECULES}
        for name, table in self.tokens.items():
            letters = string.ascii_uppercase
            table[[ord(letter) for letter in letters]] = tokenizer(
                letters, seq_type=name, add_special_tokens=False
            )["input_ids"]
        self._replacements = {
            name: self.tokens[name][[ord(letter) for letter in letters]]
            for name, letters in LETTERS.items()
        }

    def size(self, letters: int) -> int:
        """Return the tokens of a record of so many letters."""
        return min(letters + 2, self.recipe.max_length)

    def __call__(self, rows: Rows, row: int, generator: np.random.Generator) -> dict[str, Any]:
        """Make an example of a record.

        Args:
            rows: where it is.
            row: which it is.
            generator: decides the mask.

        Returns:
            `input_ids` and `token_type_ids`, (length,), and `labels` of all tasks: (length,),
            (length, 3) of the structure, (num_labels,) of keywords, () of classes.
        """
        seq_type = rows.seq_type
        ids = self.tokens[seq_type][rows.letters(row)[: self.recipe.max_length - 2]]
        length = len(ids) + 2
        labels: dict[str, np.ndarray] = {}
        for task, settings in self.tasks.items():
            if task in CLASS_TASKS:
                known = rows.class_of(task, row)
                labels[task] = np.array(known if known != UNKNOWN else IGNORE)
            elif task == KEYWORD_TASK:
                labels[task] = self._keywords(rows.keywords(row), settings["num_labels"])
            elif task == STRUCTURE_TASK:
                labels[task] = np.full((length, 3), IGNORE, dtype=np.float32)
                if (coordinates := rows.coordinates(row)) is not None:
                    labels[task][1:-1] = scale(coordinates[: len(ids)])
            else:
                labels[task] = np.full(length, IGNORE)
                if task in SPAN_TASKS:
                    for start, end, label in rows.spans(task, row).tolist():
                        labels[task][1:-1][start : end + 1] = label
        if (mask_task := f"{seq_type}_mask") in self.tasks:
            ids, labels[mask_task][1:-1] = self._mask(ids, seq_type, generator)
        return {
            "input_ids": np.concatenate([self.frame[:1], ids, self.frame[1:]]),
            "token_type_ids": np.full(length, MOLECULES.index(seq_type)),
            "labels": labels,
        }

    def _keywords(self, present: np.ndarray, num_labels: int) -> np.ndarray:
        """Return zeros and ones, (num_labels,); a protein without keywords says nothing."""
        negatives = self.recipe.keyword_negatives and len(present)
        labels = np.full(num_labels, 0 if negatives else IGNORE, dtype=np.float32)
        labels[present] = 1
        return labels

    def _mask(
        self, ids: np.ndarray, seq_type: str, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mask letters, at least one.

        Returns:
            The letters as the model sees them, and what it has to say, (letters,) each.
        """
        recipe = self.recipe
        chosen = generator.random(len(ids)) < recipe.mask_probability
        if not chosen.any():
            chosen[generator.integers(len(ids))] = True
        kind = generator.random(len(ids))
        if recipe.random_letters == "molecule":
            others = generator.choice(self._replacements[seq_type], len(ids))
        else:
            others = generator.integers(self.vocabulary_size, size=len(ids))
        masked = chosen & (kind < recipe.mask_token_share)
        replaced = chosen & ~masked & (kind < recipe.mask_token_share + recipe.random_share)
        seen = np.where(masked, self.mask_id, np.where(replaced, others, ids))
        return seen, np.where(chosen, ids, IGNORE)


def scale(coordinates: np.ndarray) -> np.ndarray:
    """Scale each axis of a protein's coordinates to 0 to 1 over its known residues.

    Args:
        coordinates: (residues, 3), NaN where unknown.

    Returns:
        As many; -100 where unknown, 1 on an axis without spread.
    """
    known = ~np.isnan(coordinates).any(axis=1)
    scaled = np.full(coordinates.shape, IGNORE, dtype=np.float32)
    if known.any():
        values = coordinates[known].astype(np.float64)
        low, spread = values.min(axis=0), np.ptp(values, axis=0)
        flat = spread == 0
        scaled[known] = np.where(flat, 1.0, (values - low) / np.where(flat, 1.0, spread))
    return scaled
