# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What the heads say, against the published numbers, known answers and other ways to run them."""

from itertools import groupby

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from embedding.annotation import annotator as annotations
from embedding.annotation.annotator import Annotator
from embedding.windows import plan_windows
from hub_upload import convert
from modeling_lucaone import LucaOneForPreTraining
from tests.helpers import (
    GOLDEN,
    GOLDEN_LIMIT,
    SAME_LIMIT,
    expected_values,
    relative_l2,
    tiny_config,
)
from tokenization import LucaOneTokenizerFast

CLASSES, SEVERAL, NUMBERS = (
    "single_label_classification",
    "multi_label_classification",
    "regression",
)
PROTEIN = "MKAAACCMGGGACA"


def task(level, seq_type, labels, problem_type):
    return {
        "level": level,
        "seq_type": seq_type,
        "num_labels": labels,
        "hidden_size": labels,
        "problem_type": problem_type,
        "weight": 1.0,
    }


def save(model, folder):
    model.save_pretrained(folder)
    LucaOneTokenizerFast().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=["", "-halfrope"])
def golden(request, tmp_path_factory):
    """The published numbers, and the converted checkpoint that they are of."""
    folder = tmp_path_factory.mktemp("golden") / "lucaone"
    convert(GOLDEN / f"original-tiny{request.param}", folder)
    return expected_values(request.param), Annotator(folder)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A converted checkpoint."""
    folder = tmp_path_factory.mktemp("tiny") / "lucaone"
    convert(GOLDEN / "original-tiny", folder)
    return Annotator(folder)


@pytest.fixture(scope="module")
def letter_model(tmp_path_factory):
    """A model whose labels are known: those of letter n of "ACG" are n, whatever stands around.

    Its blocks pass everything on, so that a head sees a letter alone; of each of its rows in the
    first matrix, the hidden state of one letter, only that letter gets a high product. Labels 0 and
    1 of a whole sequence are those of [CLS].
    """
    tasks = {
        "spot": task("span", "protein", 3, CLASSES),
        "tags": task("span", "prot", 3, SEVERAL),
        "base": task("span", "dna", 3, CLASSES),
        "kind": task("sequence", "prot", 3, CLASSES),
        "words": task("sequence", "prot", 3, SEVERAL),
        "heat": task("sequence", "prot", 3, NUMBERS),
    }
    names = {"spot": ["alanine", "", "glycine"], "base": ["CDS", "tRNA", "made up"]}
    model = LucaOneForPreTraining(
        tiny_config(hidden_size=40, pretraining_tasks=tasks, label_names=names)
    )
    tokenizer = LucaOneTokenizerFast()
    embeddings, encoder = model.lucaone.embeddings, model.lucaone.encoder
    with torch.no_grad():
        embeddings.embed_type.weight.zero_()
        embeddings.embed_tokens.weight.copy_(torch.eye(39, 40))
        for layer in encoder.layers:
            for linear in (layer.self_attn.out_proj, layer.fc2):
                linear.weight.zero_()
                linear.bias.zero_()
        for name, settings in tasks.items():
            seq_type = "gene" if settings["seq_type"] == "dna" else "prot"
            cls, *letters = tokenizer("ACG", seq_type=seq_type)["input_ids"][:4]
            ids = [cls, cls, letters[0]] if settings["level"] == "sequence" else letters
            head = model.annotation_heads[name]
            head.dense.weight.copy_(encoder.last_layer_norm(embeddings.embed_tokens.weight[ids]))
            head.dense.bias.fill_(-30.0)  # a row's product with itself is 40, with others -1
            head.out_proj.weight.copy_(torch.eye(3))
            head.out_proj.bias.fill_(-5.0 if settings["problem_type"] == SEVERAL else 0.0)
    return save(model, tmp_path_factory.mktemp("letters") / "letters")


def letters_of(ids, token_types):
    text = LucaOneTokenizerFast().decode(ids[ids != 0], skip_special_tokens=True)
    return text, "prot" if token_types[0] else "gene"


def spans_of(probabilities):
    """Runs of the same best label: (label, start, stop, mean probability), the slow way."""
    scores, labels = (values.tolist() for values in probabilities.max(-1))
    spans = []
    for label, run in groupby(range(len(labels)), key=lambda i: labels[i]):
        run = list(run)
        mean = sum(scores[i] for i in run) / len(run)
        spans.append((label, run[0], run[-1] + 1, pytest.approx(mean, rel=1e-5)))
    return spans


def as_tuples(labels):
    return [(label.id, label.start, label.stop, label.score) for label in labels]


def places(labels):
    return [(label.name, label.start, label.stop) for label in labels]


def everything(annotation):
    """All numbers in one tensor, with the places that must be the same exactly."""
    numbers = [torch.tensor([0.0])]
    where = []
    for kind in (annotation.labels, annotation.spans):
        for labels in kind.values():
            where += [(label.id, label.start, label.stop) for label in labels]
            numbers.append(torch.tensor([label.score for label in labels]))
    for parts in annotation.values.values():
        where += [(part.start, part.stop) for part in parts]
        numbers += [torch.from_numpy(part.values).flatten() for part in parts]
    return where, torch.cat(numbers)


@pytest.mark.parametrize("batch", ["mixed", "gene", "prot"])
def test_golden_numbers(golden, batch):
    expected, annotator = golden
    rows = zip(expected[f"{batch}.input_ids"], expected[f"{batch}.token_type_ids"], strict=True)
    texts, types = zip(*(letters_of(*row) for row in rows), strict=True)
    found = annotator.annotate(texts, types, threshold=0, top_k=100, keep_gaps=True)
    checked = set()
    for row, (text, annotation) in enumerate(zip(texts, found, strict=True)):
        assert annotation.length == len(text)

        def logits(name, row=row):
            checked.add(name)
            return expected[f"{batch}.logits.{name}"][row]

        for name, labels in annotation.labels.items():
            several = name == "prot_keyword"
            golden_row = logits(name).sigmoid() if several else logits(name).softmax(-1)
            scores = torch.tensor([score for _, score in sorted((x.id, x.score) for x in labels)])
            assert relative_l2(scores, golden_row) < GOLDEN_LIMIT
            assert [x.score for x in labels] == sorted(scores.tolist(), reverse=True)
        for name, spans in annotation.spans.items():
            letters = logits(name)[1 : len(text) + 1]
            assert as_tuples(spans) == spans_of(letters.softmax(-1))
        for name, (part,) in annotation.values.items():
            letters = logits(name)[1 : len(text) + 1]
            assert relative_l2(torch.from_numpy(part.values), letters) < GOLDEN_LIMIT
    assert checked == {task.name for task in annotator.tasks if task.seq_type in types}


def test_positions_of_spans(letter_model):
    annotator = Annotator(letter_model)
    spans = annotator.annotate(PROTEIN, "prot").spans
    assert places(spans["spot"]) == [
        ("alanine", 2, 5),
        ("spot:1", 5, 7),
        ("glycine", 8, 11),
        ("alanine", 11, 12),
        ("spot:1", 12, 13),
        ("alanine", 13, 14),
    ]
    for span in spans["spot"]:
        assert set(PROTEIN[span.start : span.stop]) == {"ACG"[span.id]}
        assert span.score > 0.99
    assert [x[1:] for x in places(spans["tags"])] == [x[1:] for x in places(spans["spot"])]
    whole = annotator.annotate("AAA", "prot").spans["spot"]
    assert places(whole) == [("alanine", 0, 3)]


def test_gaps_and_stops_do_not_count(letter_model):
    annotator = Annotator(letter_model, tasks=["base"])
    assert places(annotator.annotate("t-AA*", "rna").spans["base"]) == [("CDS", 1, 3)]
    kept = annotator.annotate("T-AA*", "rna", keep_gaps=True)
    assert places(kept.spans["base"]) == [("CDS", 2, 4)]


def test_min_length_and_threshold(letter_model):
    annotator = Annotator(letter_model, tasks=["spot"])

    def starts(**options):
        spans = annotator.annotate(PROTEIN, "prot", **options).spans["spot"]
        return [span.start for span in spans]

    assert starts(min_length=3) == [2, 8]
    assert starts(min_length=4) == []
    assert starts(threshold=1) == []
    # Letters of no label have three low probabilities, and one of them is the best.
    assert starts(threshold=0)[0] == 0


def test_a_multi_label_task_may_have_spans_that_overlap(letter_model, tmp_path):
    model = LucaOneForPreTraining.from_pretrained(letter_model)
    with torch.no_grad():
        head = model.annotation_heads["tags"].out_proj
        head.weight[1] = head.weight[0] + head.weight[1]  # label 1 holds of A and C
    annotator = Annotator(save(model, tmp_path / "model"), tasks=["tags"])
    spans = annotator.annotate("MAACCM", "prot").spans["tags"]
    assert places(spans) == [("tags:0", 1, 3), ("tags:1", 1, 5)]


def test_labels_of_the_whole_are_read_from_cls(letter_model):
    annotation = Annotator(letter_model).annotate(PROTEIN, "prot")
    kind = annotation.labels["kind"]
    assert {label.name for label in kind[:2]} == {"kind:0", "kind:1"}
    assert [label.score for label in kind] == pytest.approx([0.5, 0.5, 0.0], abs=1e-3)
    assert [(label.start, label.stop) for label in kind] == [(0, len(PROTEIN))] * 3
    assert {label.name for label in annotation.labels["words"]} == {"words:0", "words:1"}
    (heat,) = annotation.values["heat"]
    assert heat.values == pytest.approx([10, 10, 0], abs=0.1)
    windowed = Annotator(letter_model, tasks=["kind", "heat"]).annotate(PROTEIN, "prot", window=8)
    assert [(label.start, label.stop) for label in windowed.labels["kind"]] == [(0, 8)] * 3
    (heat,) = windowed.values["heat"]
    assert (heat.start, heat.stop) == (0, 8)


def test_windows_that_no_task_needs_are_not_read(letter_model):
    annotator = Annotator(letter_model, tasks=["kind", "base"])
    annotator.annotate(PROTEIN, "prot", window=8)
    assert annotator.runner.real_tokens == 10
    annotator.annotate("ACGT" * 4, "gene", window=8, overlap=0)
    assert annotator.runner.real_tokens == 30


def test_top_k(tiny):
    def count(**options):
        labels = tiny.annotate("MKTAYIAK", "prot", **options).labels
        return len(labels["prot_taxonomy"]), len(labels["prot_keyword"])

    keywords = tiny.annotate("MKTAYIAK", "prot", threshold=0).labels["prot_keyword"]
    above = sum(label.score >= 0.5 for label in keywords)
    assert 1 < above < len(keywords) == 10
    assert count() == (3, above)
    assert count(top_k=1) == (1, 1)
    assert count(top_k=1000) == (11, above)
    assert count(threshold=1) == (3, 0)


def test_a_task_runs_on_its_molecule_type_alone(tiny):
    gene, protein = tiny.annotate(["ACGT", "ACGT"], ["dna", "protein"])
    assert (gene.seq_type, protein.seq_type) == ("gene", "prot")
    assert set(gene.labels) == {"gene_taxonomy"}
    assert set(gene.spans) == {"gene_type"}
    assert not gene.values
    assert set(protein.labels) == {"prot_taxonomy", "prot_keyword"}
    assert set(protein.spans) == {"prot_homo", "prot_site", "prot_domain"}
    assert set(protein.values) == {"prot_structure"}


def test_chosen_tasks(letter_model):
    annotator = Annotator(letter_model, tasks=["kind", "base", "kind"])
    assert [task.name for task in annotator.tasks] == ["kind", "base"]
    assert set(annotator.model.annotation_heads) == {"kind", "base"}
    whole, part = Annotator(letter_model), annotator
    for text, seq_type in ((PROTEIN, "prot"), ("ACGTAA", "gene")):
        first, second = whole.annotate(text, seq_type), part.annotate(text, seq_type)
        for name, labels in {**second.labels, **second.spans}.items():
            assert labels == {**first.labels, **first.spans}[name]


TEXTS = ["MKTAYIAKQRQISFVKSHFSRQ", "MSKG", "ACGTTGCAAGGCT", "MKTLLILTAVVLLACDEFGHIKLMNPQRSTVWY"]
TYPES = ["prot", "prot", "gene", "prot"]


def test_alone_in_a_batch_and_in_one_window(tiny):
    options = {"threshold": 0, "top_k": 100}
    together = tiny.annotate(TEXTS, TYPES, **options)
    windowed = tiny.annotate(TEXTS, TYPES, window=max(map(len, TEXTS)), **options)
    for text, seq_type, *ways in zip(TEXTS, TYPES, together, windowed, strict=True):
        places, numbers = everything(tiny.annotate(text, seq_type, **options))
        for way in ways:
            assert everything(way)[0] == places
            assert relative_l2(everything(way)[1], numbers) < SAME_LIMIT


def test_heads_read_some_rows_at_a_time(tiny, monkeypatch):
    expected = [everything(x) for x in tiny.annotate(TEXTS, TYPES, threshold=0.1)]
    monkeypatch.setattr(annotations, "HEAD_ROWS", 5)
    found = [everything(x) for x in tiny.annotate(TEXTS, TYPES, threshold=0.1)]
    for (place, numbers), (other_place, other_numbers) in zip(expected, found, strict=True):
        assert place == other_place
        assert relative_l2(other_numbers, numbers) < SAME_LIMIT


@pytest.mark.parametrize(("window", "overlap"), [(12, None), (10, 9), (12, 0)])
def test_a_sequence_longer_than_the_window(tiny, window, overlap):
    text = TEXTS[3]
    windows = plan_windows(len(text), window, overlap)
    assert len(windows) > 2
    found = tiny.annotate(text, "prot", threshold=0, window=window, overlap=overlap)

    pieces = [tiny.annotate(text[w.start : w.stop], "prot", threshold=0) for w in windows]
    first = pieces[0].labels["prot_taxonomy"]
    assert as_tuples(found.labels["prot_taxonomy"]) == [
        (label.id, 0, window, pytest.approx(label.score, rel=1e-4)) for label in first
    ]
    parts = found.values["prot_structure"]
    assert [(part.start, part.stop) for part in parts] == [tuple(w[2:]) for w in windows]
    for part, w, piece in zip(parts, windows, pieces, strict=True):
        whole_window = piece.values["prot_structure"][0].values
        kept = whole_window[w.keep_start - w.start : w.keep_stop - w.start]
        assert relative_l2(torch.from_numpy(part.values), torch.from_numpy(kept)) < SAME_LIMIT

    for name, spans in found.spans.items():
        letters = []
        for w, piece in zip(windows, pieces, strict=True):
            labels = np.concatenate([[x.id] * (x.stop - x.start) for x in piece.spans[name]])
            letters += labels[w.keep_start - w.start : w.keep_stop - w.start].tolist()
        runs = [(label, len(list(run))) for label, run in groupby(letters)]
        assert [(span.id, span.stop - span.start) for span in spans] == runs
        assert [span.start for span in spans] == [0, *(span.stop for span in spans[:-1])]


def test_spans_run_across_windows(letter_model):
    annotator = Annotator(letter_model, tasks=["spot"])
    text = "M" * 5 + "A" * 30 + "M" * 3 + "G"
    expected = annotator.annotate(text, "prot").spans["spot"]
    assert places(expected) == [("alanine", 5, 35), ("glycine", 38, 39)]
    found = annotator.annotate(text, "prot", window=8).spans["spot"]
    assert places(found) == places(expected)
    assert [x.score for x in found] == pytest.approx([x.score for x in expected], rel=1e-5)


def test_the_default_type_of_the_tokenizer(letter_model, tmp_path):
    model = LucaOneForPreTraining.from_pretrained(letter_model)
    model.save_pretrained(tmp_path)
    LucaOneTokenizerFast(seq_type="prot").save_pretrained(tmp_path)
    assert Annotator(tmp_path).annotate("AAA").seq_type == "prot"
    with pytest.raises(ValueError, match="seq_type None"):
        Annotator(letter_model).annotate("AAA")


def test_progress_counts_letters(tiny):
    seen = []
    tiny.annotate(TEXTS, TYPES, window=12, progress=seen.append)
    assert sum(seen) == sum(map(len, TEXTS))


def test_none_at_all(tiny):
    assert tiny.annotate([], "prot") == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 1.5}, "threshold 1.5"),
        ({"threshold": float("nan")}, "threshold nan"),
        ({"top_k": 0}, "top_k 0"),
        ({"min_length": 0}, "min_length 0"),
        ({"window": 3}, "window of 3"),
        ({"seq_type": ["prot", "prot"]}, "2 molecule types for 1"),
        ({"seq_type": "lipid"}, "lipid"),
    ],
)
def test_bad_options(tiny, options, message):
    with pytest.raises(ValueError, match=message):
        tiny.annotate(["MKT"], **({"seq_type": "prot"} | options))


def test_bad_sequences(tiny):
    with pytest.raises(ValueError, match="record '1', position 2"):
        tiny.annotate(["MKT", "M[MASK]"], "prot")
    with pytest.raises(ValueError, match="empty"):
        tiny.annotate("", "prot")


def test_models_without_heads(tmp_path, letter_model):
    with pytest.raises(ValueError, match=r"hub-tiny: holds no annotation heads; .*convert"):
        Annotator(GOLDEN / "hub-tiny")
    with pytest.raises(
        ValueError, match=r"no annotation task 'spots'; it has base, heat, kind, spot"
    ):
        Annotator(letter_model, tasks=["spots"])
    with pytest.raises(ValueError, match="no task is asked for"):
        Annotator(letter_model, tasks=[])
    # A configuration that speaks of heads is not enough, nor are some of them.
    model = LucaOneForPreTraining.from_pretrained(letter_model)
    folder = save(model, tmp_path / "spoilt")
    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    del tensors["annotation_heads.kind.dense.bias"]
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"annotation_heads\.kind\.dense\.bias is missing"):
        Annotator(folder)
    tensors = {name: x for name, x in tensors.items() if not name.startswith("annotation")}
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(ValueError, match="holds no annotation heads"):
        Annotator(folder)
    weights.write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"spoilt: model\.safetensors cannot be read"):
        Annotator(folder)


def test_logits_that_are_not_finite_are_no_annotation(letter_model):
    annotator = Annotator(letter_model, tasks=["kind"])
    with torch.no_grad():
        annotator.model.annotation_heads["kind"].out_proj.bias.fill_(float("nan"))
    with pytest.raises(ValueError, match="kind: logits that are not finite"):
        annotator.annotate("MKT", "prot")
