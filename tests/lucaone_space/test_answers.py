# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The functions behind the tabs, without a server."""

import re

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

import lucaone_nano
from embedding import Annotator, Embedder
from embedding.annotation import Label
from embedding.mapping.options import MapOptions
from lucaone_space.answers import Answers
from lucaone_space.inputs import Limits
from lucaone_space.maps import MARGIN, draw_map
from lucaone_space.masked import predict_letter
from lucaone_space.models import PairModel, ShownModel
from lucaone_space.spans import lay_out
from sequence_io import SAMPLE_FASTA, SequenceRecord, read_records

SAMPLE = {record.id: record for record in read_records(SAMPLE_FASTA, seq_type="header")}
PROTEINS = [record for record in SAMPLE.values() if record.seq_type == "prot"]


def fasta(*records):
    return "".join(f">{record.id}\n{record.sequence}\n" for record in records)


@pytest.fixture(scope="module")
def shown():
    return ShownModel(lucaone_nano.PATH)


@pytest.fixture(scope="module")
def answers(shown, pair_folder):
    return Answers(shown, PairModel(pair_folder), Limits())


@pytest.mark.parametrize(
    ("name", "position", "actual", "letters"),
    [
        ("cor6.6_mrna", 14, "T", "ACGTN"),
        ("P62258", 1, "M", "ACDEFGHIKLMNPQRSTVWY"),
        ("P62258", 255, "Q", "ACDEFGHIKLMNPQRSTVWY"),
    ],
)
def test_masked_letters_are_those_of_the_model(shown, name, position, actual, letters):
    record = SAMPLE[name]
    found = predict_letter(shown.scorer, record, position)
    tokenizer = AutoTokenizer.from_pretrained(lucaone_nano.PATH, seq_type=record.seq_type)
    model = AutoModelForMaskedLM.from_pretrained(lucaone_nano.PATH)
    inputs = tokenizer(record.sequence, return_tensors="pt")
    inputs["input_ids"][0, position] = tokenizer.mask_token_id
    with torch.no_grad():
        expected = model(**inputs).logits[0, position].softmax(-1)
    # [CLS] comes before the letters.
    ids = {letter: tokenizer(letter)["input_ids"][1] for letter in letters}
    assert dict(found.letters) == pytest.approx(
        {letter: expected[number].item() for letter, number in ids.items()}, rel=1e-4
    )
    assert [p for _, p in found.letters] == sorted((p for _, p in found.letters), reverse=True)
    assert found.others == pytest.approx(1 - sum(p for _, p in found.letters))
    assert found.actual == actual
    assert len(found.before) == min(position - 1, 12)


def test_a_letter_that_is_none_of_the_twenty(shown):
    found = predict_letter(shown.scorer, SequenceRecord("a", "MKXTA", "prot"), 3)
    assert found.actual == "X" and len(found.letters) == 21
    found = predict_letter(shown.scorer, SequenceRecord("a", "ACRGT", "gene"), 3)
    assert found.actual == "N" and len(found.letters) == 5


@pytest.mark.parametrize("position", [None, 0, -1, 1.5, 6, 1e300, float("inf"), float("nan")])
def test_positions_that_are_not_there(answers, position):
    with pytest.raises(ValueError, match="the sequence has positions 1 to 5"):
        answers.masked("MKTAY", "prot", position)


def test_masked_letters_as_html(answers):
    page = answers.masked(fasta(SAMPLE["cor6.6_mrna"]), "gene", 14)
    assert '<mark class="masked">T/U</mark>' in page
    assert len(re.findall("<tr", page)) == 1 + 5
    assert len(re.findall('class="actual"', page)) == 1


def test_annotation_is_that_of_the_model(answers):
    record = SAMPLE["P62258"]
    page = answers.annotation(fasta(record), "prot", 0.3)
    expected = Annotator(lucaone_nano.PATH).annotate(record.sequence, "prot", threshold=0.3)
    rows = re.findall(r"<tr><th>(\S+)</th><td>(\d+) to (\d+)</td>", page)
    assert rows == [
        (span.name, str(span.start + 1), str(span.stop))
        for spans in expected.spans.values()
        for span in spans
    ]
    for labels in expected.labels.values():
        for label in labels:
            assert f'<td class="name">{label.name}</td>' in page
    for sequence in re.findall(r'<div class="sequence">(.*?)</div>', page, re.S):
        without_numbers = re.sub(r"<small>\d+</small>|<[^>]+>|\s", "", sequence)
        assert without_numbers == record.sequence


def test_overlapping_spans_show_the_likeliest():
    spans = [Label(0, "long", 0, 15, 0.6), Label(1, "short", 8, 12, 0.9)]
    view = lay_out("sites", "ACDEFGHIKLMNPQRST", spans)
    assert [number for number, _ in view.groups] == [1, 11]
    runs = [(run.letters, run.title.split(",")[0]) for _, group in view.groups for run in group]
    assert runs == [
        ("ACDEFGHI", "long"),
        ("KL", "short"),
        ("MN", "short"),
        ("PQR", "long"),
        ("ST", ""),
    ]
    assert view.hidden == 4 and view.spans == spans
    assert len({style for _, style in view.legend}) == 2


def test_thirty_labels_look_different():
    spans = [Label(i, f"label {i}", i, i + 1, 0.9) for i in range(32)]
    assert len({style for _, style in lay_out("sites", "A" * 32, spans).legend}) == 32


def test_map_is_the_projection_of_the_embeddings(shown):
    drawn = draw_map(shown.embedder, PROTEINS, 200)
    vectors = Embedder(lucaone_nano.PATH).encode([one.sequence for one in PROTEINS], "prot")
    expected = MapOptions().projection(len(PROTEINS)).make_panel("", vectors, None).points
    places = np.array([[point.left, -point.top] for point in drawn.points])
    spread, wanted = (np.ptp(points, axis=0) for points in (places, expected))
    assert spread.max() == pytest.approx(100 - 2 * MARGIN, abs=0.02)
    assert spread / spread.max() == pytest.approx(wanted / wanted.max(), abs=1e-3)
    assert np.corrcoef(places[:, 0], expected[:, 0])[0, 1] > 0.999
    assert np.corrcoef(places[:, 1], expected[:, 1])[0, 1] > 0.999
    assert [point.id for point in drawn.points] == [one.id for one in PROTEINS]


def test_map_is_coloured_by_a_piece_of_the_ids(shown):
    records = [
        SequenceRecord(name, one.sequence, "prot")
        for name, one in zip(("a#1", "b#1", "b#2", "c"), PROTEINS, strict=True)
    ]
    drawn = draw_map(shown.embedder, records, 200, "#")
    assert [(label, count) for label, count, *_ in drawn.legend] == [
        ("b", 2),
        ("a", 1),
        ("no label", 1),
    ]
    looks = {point.id: (point.colour, point.shape) for point in drawn.points}
    assert looks["b#1"] == looks["b#2"] and len(set(looks.values())) == 3
    assert draw_map(shown.embedder, records, 200).legend == []


def test_too_few_and_too_many_for_a_map(answers):
    with pytest.raises(ValueError, match=r"a map is of 4 to 200 sequences; here are 2$"):
        answers.map(fasta(*PROTEINS[:2]), "prot", "")
    with pytest.raises(ValueError, match=r"here is 1$"):
        answers.map(fasta(*PROTEINS[:1]), "prot", "")
    with pytest.raises(ValueError, match=r"here are 201$"):
        answers.map(">a\nMK\n" * 201, "prot", "")
    with pytest.raises(ValueError, match="all records have the same vector"):
        answers.map(">a\nMK\n" * 5, "prot", "")


def test_pair(answers):
    gene, protein = SAMPLE["psbF_cds"], SAMPLE["NP_051075.1"]
    page = answers.pair(fasta(gene), fasta(protein))
    probability = answers.pairs.probability(gene.sequence, protein.sequence)
    assert f"{probability:.1%}" in page
    assert ("Yes" if probability >= 0.5 else "No") in page
    assert "encodes" in page and "<small>" not in page


def test_pasted_letters_are_named_and_the_notes_of_the_model_follow(shown):
    pairs = PairModel(lucaone_nano.PAIR)
    page = Answers(shown, pairs, Limits()).pair("ATGAAA", "MK")
    assert "<b>DNA</b> (6 letters)" in page and "<b>protein</b> (2 letters)" in page
    assert pairs.notes and page.count('<p class="note">') == len(pairs.notes)
    assert "simulated genes and proteins alone" in page


def test_a_pair_is_cut_as_in_training(answers):
    long = SAMPLE["P62258"].sequence
    assert answers.pairs.probability("ACGT", long) == answers.pairs.probability("ACGT", long[:200])
    assert "P62258: the first 200 letters are read" in answers.pair("ACGT", fasta(SAMPLE["P62258"]))


def test_what_visitors_and_models_say_is_escaped(shown, answers):
    name = "<img/src=x/onerror=alert(1)>"
    records = [SequenceRecord(name, one.sequence, "prot") for one in PROTEINS]
    pages = [
        answers.masked(fasta(records[0]), "prot", 1),
        answers.annotation(fasta(records[0]), "prot", 0.5),
        answers.map(fasta(*records), "prot", "/"),
        answers.pair(fasta(records[0]).replace("M", "A"), fasta(records[0])),
    ]
    for page in pages:
        assert "&lt;img" in page and "<img" not in page
    task = shown.annotator.tasks[-1]
    labels = task.label_names[:]
    try:
        task.label_names[:] = [name] * len(labels)
        page = answers.annotation(fasta(PROTEINS[0]), "prot", 0.0)
    finally:
        task.label_names[:] = labels
    assert "&lt;img" in page and "<img" not in page
