# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Batches under a budget of tokens, and what happens when a device runs out of memory."""

import numpy as np
import pytest
import torch

from embedding import Embedder, embed_file, read_embeddings
from embedding.embedder import SHORTEST_WINDOW
from embedding.runner import ModelRunner
from embedding.windows import plan_windows
from modeling_lucaone import LucaOneModel
from tests.helpers import GOLDEN, SAME_LIMIT, relative_l2

HUB = GOLDEN / "hub-tiny"
TEXTS = ["MKTAY" * n for n in (1, 9, 3, 3, 40, 2, 1, 5)]


def limit_memory(monkeypatch, tokens):
    """Let the encoder run out of memory above so many tokens; return the sizes of all attempts."""
    attempts = []
    forward = LucaOneModel.forward

    def limited(self, input_ids=None, **kwargs):
        attempts.append(input_ids.numel())
        if input_ids.numel() > tokens:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore")
        return forward(self, input_ids=input_ids, **kwargs)

    monkeypatch.setattr(LucaOneModel, "forward", limited)
    return attempts


def letters(count, seed=0):
    """Return a protein."""
    generator = torch.Generator().manual_seed(seed)
    picks = torch.randint(20, (count,), generator=generator).tolist()
    return "".join("ACDEFGHIKLMNPQRSTVWY"[pick] for pick in picks)


def distance(result, expected):
    return relative_l2(torch.as_tensor(result), torch.as_tensor(expected))


@pytest.fixture(scope="module")
def plain():
    return Embedder(HUB, device="cpu")


def test_batches_keep_to_the_budget_longest_first_and_results_to_the_order(plain):
    runner = ModelRunner(plain.model, plain.tokenizer, tokens_per_batch=60)
    sizes, done = [], []

    def apply(batch, numbers):
        sizes.append(batch.lengths)
        return [TEXTS[i] for i in numbers]

    assert runner.run(TEXTS, ["prot"] * len(TEXTS), apply, progress=done.append) == TEXTS
    lengths = [length for batch in sizes for length in batch]
    assert lengths == sorted(lengths, reverse=True)
    assert sizes[0] == [202]  # too long for the budget, so alone
    assert all(sum(batch) <= 60 for batch in sizes[1:])
    assert len(sizes) == 4  # 47, 27 + 17 and 17 + 12 + 7 + 7 tokens are three more
    assert sorted(number for batch in done for number in batch) == list(range(len(TEXTS)))
    assert runner.real_tokens == sum(lengths)
    assert runner.padded_tokens == sum(len(batch) * max(batch) for batch in sizes)


def test_the_budget_shrinks_to_what_fits_with_a_note_and_the_same_numbers(plain, monkeypatch):
    expected = plain.encode(TEXTS, "prot")
    attempts = limit_memory(monkeypatch, 210)
    embedder = Embedder(HUB, device="cpu")
    result = embedder.encode(TEXTS, "prot")
    assert distance(result, expected) <= SAME_LIMIT
    assert attempts[:2] == [336, 202]  # all at once, then under half of that
    assert embedder.notes == ["out of memory on cpu with 336 tokens per batch; went on with 168"]
    assert embedder.runner.tokens_per_batch == 168


@pytest.mark.parametrize("pooling", ["none", "mean", "max", "cls"])
def test_a_sequence_that_does_not_fit_alone_is_read_in_windows_and_named(
    plain, monkeypatch, pooling
):
    sequences = [letters(40), letters(1201), letters(600, seed=1)]
    expected = [plain.encode(text, "prot", pooling=pooling, window=600) for text in sequences]
    limit_memory(monkeypatch, 750)
    embedder = Embedder(HUB, device="cpu")
    result = embedder.encode(sequences, "prot", pooling=pooling)
    for row, one in zip(result, expected, strict=True):
        assert distance(row, one) <= SAME_LIMIT
    assert embedder.notes[-1] == (
        "sequence 1: 1,201 letters did not fit into the memory of cpu and were read in windows of "
        "600"
    )
    assert not any(note.startswith(("sequence 0", "sequence 2")) for note in embedder.notes)


@pytest.mark.parametrize("merge", ["centre", "published"])
def test_a_window_that_does_not_fit_gives_the_letters_that_it_was_to_give(
    plain, monkeypatch, merge
):
    sequence = letters(2000)
    expected = [
        plain.encode(sequence[start:stop], "prot", pooling="none", window=450)[
            keep_start - start : keep_stop - start
        ]
        for start, stop, keep_start, keep_stop in plan_windows(2000, 900, merge=merge)
    ]
    limit_memory(monkeypatch, 750)
    embedder = Embedder(HUB, device="cpu")
    result = embedder.encode(sequence, "prot", pooling="none", window=900, merge=merge)
    assert distance(result, np.concatenate(expected)) <= SAME_LIMIT


def test_a_piece_too_short_to_divide_is_an_error_that_names_it(plain, monkeypatch):
    limit_memory(monkeypatch, 100)
    sequence = letters(2 * SHORTEST_WINDOW - 1)
    with pytest.raises(torch.OutOfMemoryError) as error:
        Embedder(HUB, device="cpu").encode(["MKT", sequence], "prot")
    assert str(error.value) == "sequence 1: 511 letters do not fit into the memory of cpu"


def test_who_has_no_other_way_gets_an_error(plain, monkeypatch):
    limit_memory(monkeypatch, 10)
    runner = ModelRunner(plain.model, plain.tokenizer)
    with pytest.raises(torch.OutOfMemoryError, match="a text of 200 letters does not fit"):
        runner.run(TEXTS, ["prot"] * 8, lambda batch, _: plain.model(**batch.model_inputs()))


def test_a_file_is_finished_with_little_memory_and_its_output_says_how(tmp_path, monkeypatch):
    source = tmp_path / "in.fasta"
    source.write_text(f">long\n{letters(1200)}\n" + "".join(f">{i}\nMKTAY\n" for i in range(50)))

    def embed(name):
        summary = embed_file(source, tmp_path / name, HUB, "prot", device="cpu")
        return summary, read_embeddings(tmp_path / name)

    _, expected = embed("plenty.parquet")
    limit_memory(monkeypatch, 700)
    summary, result = embed("little.parquet")
    assert result.provenance["notes"] == summary.notes
    assert summary.notes == [
        "out of memory on cpu with 1,552 tokens per batch; went on with 776",
        "record 'long': 1,200 letters did not fit into the memory of cpu and were read in "
        "windows of 600",
    ]
    assert distance(result.vectors[1:], expected.vectors[1:]) <= SAME_LIMIT
    assert distance(result.vectors[0], expected.vectors[0]) <= 0.1  # other context, near the middle
