# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Sources of features by the names under which a comparison is asked for them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from modeling_lucaone import LucaOneConfig

from .data import TaskData
from .features import Backbone, open_backbone
from .features.backbones import RANDOM
from .features.lucaone import LucaOneBackbone
from .frozen import feature_rows
from .networks import network_config, new_head
from .task import Task

KMERS = re.compile(r"kmer(?::([1-9]\d*))?")


@dataclass(frozen=True)
class Source:
    """Where the features of a row come from.

    Attributes:
        given: as it was asked for.
        name: in the table.
        backbones: one for all sides of a record, or one for each; none for k-mers.
        k: letters of a k-mer, if asked for.
    """

    given: str
    name: str
    backbones: tuple[Backbone, ...] = ()
    k: int | None = None

    def config(self, task: Task, data: TaskData) -> LucaOneConfig:
        """Return the configuration of the head that is trained on these features.

        Raises:
            ValueError: the head does not take them; one line that names the source.
        """
        own = [one.source.config for one in self.backbones if isinstance(one, LucaOneBackbone)]
        config = network_config(task, data, own[0] if own else LucaOneConfig())
        sides = 1 if task.input == "single" else 2
        widths = [one.width for one in self.backbones] * (sides // len(self.backbones))
        try:
            new_head(config, widths, task.seed)
        except ValueError as error:
            raise ValueError(f"{self.given}: {error}") from error
        return config


def open_sources(names: Sequence[str], task: Task, **options: Any) -> list[Source]:
    """Find encoders; their weights are loaded when features are computed.

    Args:
        names: as `open_backbone` takes them; of a pair `A+B`, one for each side; `kmer` or `kmer:K`
            for k-mers.
        task: for the rows that its head reads, and whether records are pairs.
        options: of `open_backbone`.

    Raises:
        ValueError: there is no such source, or a name is there twice; one line that names it.
    """
    sources = []
    for given in names:
        if names.count(given) > 1:
            raise ValueError(f"backbones: {given} is there twice")
        if match := KMERS.fullmatch(given):
            sources.append(Source(given, given, k=int(match[1]) if match[1] else None))
            continue
        sides = _sides(given)
        if len(sides) == 2 and task.input == "single":
            raise ValueError(f"{given}: two encoders, but a record of this task is one sequence")
        if any(map(KMERS.fullmatch, sides)):
            raise ValueError(f"{given}: k-mers are those of both sides, as kmer or kmer:K")
        rows = feature_rows(task)
        backbones = tuple(open_backbone(side, rows=rows, **options) for side in sides)
        name = "+".join(backbone.name for backbone in backbones)
        sources.append(Source(given, name, backbones))
    seen: Counter[str] = Counter()
    for number, source in enumerate(sources):
        seen[source.name] += 1
        if seen[source.name] > 1:
            sources[number] = replace(source, name=f"{source.name} ({seen[source.name]})")
    return sources


def _sides(given: str) -> list[str]:
    """Divide `A+B`; the name of a folder may have a + in it.

    Raises:
        ValueError: there are more than two.
    """

    def whole(name: str) -> bool:
        return "+" not in name or Path(name.removeprefix(RANDOM)).is_dir()

    if whole(given):
        return [given]
    words = given.split("+")
    for cut in range(1, len(words)):
        sides = ["+".join(words[:cut]), "+".join(words[cut:])]
        if all(map(whole, sides)):
            return sides
    raise ValueError(f"{given}: neither a folder nor two encoders with + between")
