# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The pipelines of transformers and `SentenceTransformer`, on the first of the examples."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
import transformers

from .models import Repository
from .values import Failed, Skipped, compare


def pipeline_checks(repository: Repository) -> Iterator[tuple[str, Callable[[], str]]]:
    """Name what can be checked, in the order of the Auto classes."""
    if repository.is_adapter:
        return
    custom = repository.config.get("custom_pipelines") or ()
    for auto_class, task, check in (
        ("AutoModelForMaskedLM", "fill-mask", _fill_mask),
        ("AutoModel", "feature-extraction", _feature_extraction),
        ("AutoModelForSequenceClassification", "text-classification", _classification),
        ("AutoModelForTokenClassification", "token-classification", _token_classification),
    ):
        if auto_class in repository.auto_map and not custom:
            yield f"pipeline {task}", partial(check, repository, task)
    for task in custom:
        yield f"pipeline {task}", partial(_pair_classification, repository, task)
    if (repository.folder / "modules.json").is_file():
        yield "SentenceTransformer", partial(_sentence_transformer, repository)


def _pipeline(repository: Repository, task: str) -> Any:
    """Make a pipeline that reads the molecule type of the first example."""
    return transformers.pipeline(
        task,
        model=str(repository.folder),
        tokenizer=repository.tokenizer(seq_type=repository.reference.seq_types[0][0]),
        trust_remote_code=True,
        dtype=torch.float32,
        device="cpu",
    )


def _fill_mask(repository: Repository, task: str) -> str:
    """Predict the first letter; there is no reference, but probabilities add up to 1."""
    fill, text = _pipeline(repository, task), repository.reference.texts[0][0]
    found = fill(f"{fill.tokenizer.mask_token}{text[1:]}", top_k=len(fill.tokenizer))
    total = sum(row["score"] for row in found)
    if not abs(total - 1) < 1e-4:
        raise Failed(f"probabilities of a masked letter add up to {total}, not 1")
    return f"{found[0]['token_str']!r} at {found[0]['score']:.2f} for a masked {text[0]!r}"


def _feature_extraction(repository: Repository, task: str) -> str:
    """Compare the hidden states."""
    reference = repository.reference
    found = _pipeline(repository, task)(reference.texts[0][0], return_tensors=True)[0]
    worst = compare({"rows": found}, {"rows": reference.tokens_of(0)}, "one alone")
    return f"{tuple(found.shape)}, difference {worst:.1e}"


def _classification(repository: Repository, task: str) -> str:
    """Compare the logits."""
    classify, text = _pipeline(repository, task), repository.reference.texts[0][0]
    found = classify(text, top_k=None, function_to_apply="none")
    return _compare_labels(repository, found, classify.model.config)


def _pair_classification(repository: Repository, task: str) -> str:
    """Compare the logits of a pair."""
    first, second = (side[0] for side in repository.reference.texts)
    seq_type, seq_type_pair = (side[0] for side in repository.reference.seq_types)
    classify = _pipeline(repository, task)
    found = classify(
        (first, second),
        seq_type=seq_type,
        seq_type_pair=seq_type_pair,
        top_k=None,
        function_to_apply="none",
    )
    return _compare_labels(repository, found, classify.model.config)


def _compare_labels(repository: Repository, found: list[dict[str, Any]], config: Any) -> str:
    numbers = {label: number for number, label in config.id2label.items()}
    found = sorted(found, key=lambda row: numbers[row["label"]])
    logits = torch.tensor([row["score"] for row in found])
    reference = repository.reference
    expected = {"logits": reference.outputs[repository.stored_class]["logits"][0]}
    worst = compare({"logits": logits}, expected, "one alone", reference.logit_scale)
    return f"{len(found)} labels, difference {worst:.1e}"


def _token_classification(repository: Repository, task: str) -> str:
    """Compare the best probability at every letter."""
    text = repository.reference.texts[0][0]
    found = _pipeline(repository, task)(text, ignore_labels=[])
    scores = torch.tensor([row["score"] for row in found])
    logits = repository.reference.outputs[repository.stored_class]["logits"]
    expected = logits[1 : 1 + len(text)].softmax(-1).amax(-1)
    worst = compare({"scores": scores}, {"scores": expected}, "one alone")
    return f"{len(found)} letters, difference {worst:.1e}"


def _sentence_transformer(repository: Repository) -> str:
    """Compare vectors with means over the residues, [CLS] and [SEP] left out."""
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise Skipped("sentence_transformers is not installed") from None
    model = SentenceTransformer(
        str(repository.folder),
        trust_remote_code=True,
        local_files_only=True,
        device="cpu",
        model_kwargs={"dtype": torch.float32},
    )
    reference = repository.reference
    texts, types = reference.texts[0], reference.seq_types[0]
    rows = [row for row, seq_type in enumerate(types) if seq_type == types[0]]
    found = model.encode([texts[row] for row in rows], seq_type=types[0], convert_to_tensor=True)
    means = torch.stack([reference.tokens_of(row)[1:-1].mean(0) for row in rows])
    worst = compare({"vectors": found}, {"vectors": means}, "padded batch")
    return f"{tuple(found.shape)}, difference {worst:.1e}"
