# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Dividing records into train, dev and test."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest

from .settings import SPLITS

InputKey = tuple[str, ...]


def input_key(sequences: Sequence[str], seq_types: Sequence[str]) -> InputKey:
    """Return what is equal for inputs that are the same to a model, or mirror images.

    U is T in nucleic acids. The two sides of a pair may stand either way round: a pair and its
    reverse tell each other's label, so they belong into one split.
    """
    sides = [
        (kind, text.replace("U", "T") if kind == "gene" else text)
        for kind, text in zip(seq_types, sequences, strict=True)
    ]
    return tuple(part for side in sorted(sides) for part in side)


def divide(
    inputs: Iterable[InputKey],
    classes: Iterable[int | None],
    shares: Mapping[str, float],
    seed: int,
) -> list[str]:
    """Divide records into splits; neither their order nor the process changes the result.

    Equal inputs get into one split. The distinct inputs of every class are divided by the shares,
    to within one input (largest remainders); a class of at least as many inputs as there are
    splits is in every split. Classes of fewer inputs are divided together, so that train has one
    of each before any has a second.

    Args:
        inputs: of each record, as of `input_key`.
        classes: of each record; all None for labels that are no classes. The lowest class counts
            for an input that has several.
        shares: of each split, of any sum; those of 0 get nothing.
        seed: what else decides which record goes where.

    Returns:
        The split of each record.
    """
    records = list(zip(inputs, classes, strict=True))
    class_of: dict[InputKey, int | None] = {}
    for key, label in records:
        known = class_of.setdefault(key, label)
        if label is not None and known is not None and label < known:
            class_of[key] = label
    members: dict[int | None, list[InputKey]] = defaultdict(list)
    for key, label in class_of.items():
        members[label].append(key)
    names = [name for name in SPLITS if shares.get(name)]
    split_of: dict[InputKey, str] = {}

    def mixed(key: InputKey) -> bytes:
        return hashlib.sha256("\0".join((str(seed), *key)).encode()).digest()

    strata = [sorted(keys, key=mixed) for keys in members.values()]
    few = [keys for keys in strata if len(keys) < len(names)]
    first_to_last = zip_longest(*(sorted(few, key=lambda keys: mixed(keys[0]))))
    rare = [key for keys in first_to_last for key in keys if key is not None]
    for keys in [keys for keys in strata if len(keys) >= len(names)] + [rare]:
        sizes = _sizes(len(keys), [shares[name] for name in names])
        placed = (name for name, size in zip(names, sizes, strict=True) for _ in range(size))
        split_of.update(zip(keys, placed, strict=True))
    return [split_of[key] for key, _ in records]


def _sizes(count: int, shares: Sequence[float]) -> list[int]:
    """Divide a number by largest remainders, with something for everyone where it suffices."""
    exact = [count * share / sum(shares) for share in shares]
    sizes = [int(value) for value in exact]
    remainders = sorted(range(len(shares)), key=lambda i: sizes[i] - exact[i])
    for i in remainders[: count - sum(sizes)]:
        sizes[i] += 1
    if count >= len(shares):
        for i, size in enumerate(sizes):
            if not size:
                sizes[sizes.index(max(sizes))] -= 1
                sizes[i] = 1
    return sizes
