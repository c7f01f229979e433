# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""2,000 sequences of 100 to 1,200 letters against the published tokenizer."""

import random
from typing import Any

import numpy as np

from tokenization import LucaOneTokenizerFast

from .common import AMINO_ACIDS, import_port, seconds

REPEATS = 5


def measure() -> dict[str, Any]:
    """Time lists and padded tensors; the port's only working way is one call per sequence."""
    source = random.Random(0)
    published = import_port().tokenization.LucaGPLMTokenizer()
    ours = LucaOneTokenizerFast()
    report: dict[str, Any] = {"sequences": 2000, "letters": "100 to 1200"}
    print(f"  {'':18}{'port ms':>9}{'ours ms':>9}{'times':>7}")
    for seq_type, letters in {"prot": AMINO_ACIDS, "gene": "ACGT"}.items():
        texts = ["".join(source.choices(letters, k=source.randint(100, 1200))) for _ in range(2000)]

        def port_lists(texts: list[str] = texts, seq_type: str = seq_type) -> list[Any]:
            return [published(text, seq_type=seq_type) for text in texts]

        def port_tensors() -> Any:
            return published.pad(port_lists(), return_tensors="pt")

        def our_lists(texts: list[str] = texts, seq_type: str = seq_type) -> Any:
            return ours(texts, seq_type=seq_type)

        def our_tensors(texts: list[str] = texts, seq_type: str = seq_type) -> Any:
            return ours(texts, seq_type=seq_type, padding=True, return_tensors="pt")

        theirs, mine = port_lists(), our_lists()
        assert all(
            list(np.ravel(a["input_ids"])) == b
            for a, b in zip(theirs, mine["input_ids"], strict=True)
        )
        del theirs, mine
        report[seq_type] = {}
        for kind, sides in {
            "lists": (port_lists, our_lists),
            "tensors": (port_tensors, our_tensors),
        }.items():
            times = [[seconds(side) for side in sides] for _ in range(REPEATS)]
            port, own = (min(column) for column in zip(*times, strict=True))
            report[seq_type][kind] = {"port": port, "ours": own, "times_port": port / own}
            print(
                f"  {seq_type + ' ' + kind:18}{port * 1e3:>9.0f}{own * 1e3:>9.1f}{port / own:>7.1f}"
            )
    return report
