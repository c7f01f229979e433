# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The pipelines of transformers on our models and our tokenizer."""

import pytest
import torch
from transformers import AutoTokenizer, pipeline

from modeling_lucaone import (
    LucaOneForMaskedLM,
    LucaOneForSequenceClassification,
    LucaOneForTokenClassification,
    LucaOneModel,
    LucaOneTokenClassificationPipeline,
)
from tests.helpers import GOLDEN, SAME_LIMIT, relative_l2, tiny_config
from tokenization import LucaOneTokenizerFast

HUB = str(GOLDEN / "hub-tiny")
PROTEINS = ["MKTAYI", "MKTAYIAKQRLLGFW"]


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(HUB)


@pytest.fixture(scope="module")
def protein_tokenizer():
    return AutoTokenizer.from_pretrained(HUB, seq_type="prot")


class TestFillMask:
    def test_proteins_by_the_stored_type(self, protein_tokenizer):
        fill = pipeline("fill-mask", model=HUB, tokenizer=protein_tokenizer)
        model = LucaOneForMaskedLM.from_pretrained(HUB)
        inputs = protein_tokenizer("MKT[MASK]YI", return_tensors="pt")
        with torch.no_grad():
            expected = model(**inputs).logits[0, 4].softmax(-1)
        found = fill("MKT[MASK]YI", top_k=39)
        assert [row["score"] for row in found] == pytest.approx(
            expected[[row["token"] for row in found]].tolist(), rel=1e-5
        )
        letters = [row for row in found if not row["token_str"].startswith("[")]
        assert len(letters) == 34
        assert all(row["sequence"] == f"MKT{row['token_str']}YI" for row in letters)

    def test_nucleic_acids_by_a_type_per_call(self, protein_tokenizer):
        fill = pipeline("fill-mask", model=HUB, tokenizer=protein_tokenizer)
        gene = {"seq_type": "gene"}
        # The vocabulary writes nucleotides 1 to 5; a target "A" would be alanine.
        found = fill("acg[MASK]UU", tokenizer_kwargs=gene, targets=list("12345"))
        assert sorted((row["token"], row["token_str"]) for row in found) == list(
            enumerate("ATCGN", start=5)
        )
        assert {row["sequence"] for row in found} == {f"ACG{letter}TT" for letter in "ATCGN"}
        as_protein = fill("ACG[MASK]UU", top_k=1)[0]
        as_gene = fill("ACG[MASK]UU", top_k=1, tokenizer_kwargs=gene)[0]
        assert as_protein["sequence"].startswith("ACG") and as_protein["sequence"].endswith("UU")
        assert as_gene["score"] != as_protein["score"]

    def test_a_type_for_all_calls(self, tokenizer):
        fill = pipeline(
            "fill-mask", model=HUB, tokenizer=tokenizer, tokenizer_kwargs={"seq_type": "gene"}
        )
        assert fill("ACG[MASK]U", targets=["2"])[0]["sequence"] == "ACGTT"

    def test_batches(self, protein_tokenizer):
        fill = pipeline("fill-mask", model=HUB, tokenizer=protein_tokenizer)
        texts = ["MKT[MASK]YI", "MK[MASK]AYIAKQRLLGFW", "[MASK]C"]
        for row, single in zip(fill(texts, batch_size=2), map(fill, texts), strict=True):
            assert [guess["sequence"] for guess in row] == [guess["sequence"] for guess in single]
            assert [guess["score"] for guess in row] == pytest.approx(
                [guess["score"] for guess in single], rel=1e-4
            )


def test_no_molecule_type_is_an_error(tokenizer):
    fill = pipeline("fill-mask", model=HUB, tokenizer=tokenizer)
    with pytest.raises(ValueError, match="seq_type is missing"):
        fill("MKT[MASK]YI")


class TestFeatureExtraction:
    @pytest.mark.parametrize("seq_type", ["gene", "prot"])
    def test_a_type_per_call(self, seq_type, tokenizer):
        extract = pipeline("feature-extraction", model=HUB, tokenizer=tokenizer)
        model = LucaOneModel.from_pretrained(HUB)
        with torch.no_grad():
            expected = model(**tokenizer("ACGGT", seq_type=seq_type, return_tensors="pt"))
        found = extract("ACGGT", tokenize_kwargs={"seq_type": seq_type}, return_tensors=True)
        assert relative_l2(found, expected.last_hidden_state) < SAME_LIMIT

    def test_the_stored_type_and_batches(self, protein_tokenizer):
        extract = pipeline("feature-extraction", model=HUB, tokenizer=protein_tokenizer)
        short, long = extract(PROTEINS, return_tensors=True, batch_size=2)
        # The library gives every row of a batch its length; past the end there are zeros.
        assert short.shape == long.shape == (1, 17, 64)
        assert not short[0, 8:].any()
        assert relative_l2(short[:, :8], extract(PROTEINS[0], return_tensors=True)) < SAME_LIMIT


class TestTextClassification:
    @pytest.fixture
    def classify(self, tokenizer):
        torch.manual_seed(0)
        model = LucaOneForSequenceClassification(tiny_config(num_labels=3))
        return pipeline("text-classification", model=model, tokenizer=tokenizer)

    def test_a_type_per_call(self, classify, tokenizer):
        with torch.no_grad():
            logits = classify.model(
                **tokenizer("ACGT", seq_type="gene", return_tensors="pt")
            ).logits
        found = classify("ACGT", seq_type="gene", top_k=None)
        assert {row["label"]: row["score"] for row in found} == pytest.approx(
            {f"LABEL_{i}": score for i, score in enumerate(logits[0].softmax(-1).tolist())}
        )

    def test_a_type_per_sequence_and_batches(self, classify):
        records = [{"text": "ACGT", "seq_type": "gene"}, {"text": PROTEINS[1], "seq_type": "prot"}]
        for row, record in zip(classify(records, batch_size=2), records, strict=True):
            single = classify(record["text"], seq_type=record["seq_type"])[0]
            assert row["label"] == single["label"]
            assert row["score"] == pytest.approx(single["score"], rel=1e-5)


class TestTokenClassification:
    @pytest.fixture
    def model(self):
        torch.manual_seed(0)
        labels = {0: "helix", 1: "strand", 2: "coil"}
        return LucaOneForTokenClassification(tiny_config(id2label=labels)).eval()

    def test_every_residue_has_its_letter_and_its_place(self, model, protein_tokenizer):
        tag = pipeline("token-classification", model=model, tokenizer=protein_tokenizer)
        text = "mkTAYI*?1"
        with torch.no_grad():
            scores = model(**protein_tokenizer(text, return_tensors="pt")).logits[0].softmax(-1)
        found = tag(text)
        assert [(row["start"], row["end"]) for row in found] == [(i, i + 1) for i in range(9)]
        assert [row["word"] for row in found] == list("MKTAYI*?1")
        for row in found:
            best = scores[row["index"]].argmax().item()
            assert row["entity"] == model.config.id2label[best]
            assert row["score"] == pytest.approx(scores[row["index"], best].item(), rel=1e-5)

    @pytest.mark.parametrize("pipeline_class", [None, LucaOneTokenClassificationPipeline])
    def test_batches(self, pipeline_class, model, protein_tokenizer):
        tag = pipeline(
            "token-classification",
            model=model,
            tokenizer=protein_tokenizer,
            pipeline_class=pipeline_class,
        )
        for row, single in zip(tag(PROTEINS, batch_size=2), map(tag, PROTEINS), strict=True):
            assert [(x["entity"], x["start"], x["word"]) for x in row] == [
                (x["entity"], x["start"], x["word"]) for x in single
            ]
            assert [x["score"] for x in row] == pytest.approx(
                [x["score"] for x in single], rel=1e-5
            )

    def test_nucleotides_have_letters_where_they_are_grouped(self, model):
        tag = pipeline(
            "token-classification",
            model=model,
            tokenizer=LucaOneTokenizerFast(seq_type="gene"),
            aggregation_strategy="simple",
        )
        text = "ACGTNNACGGAT"
        groups = tag(text)
        assert all(group["word"] == text[group["start"] : group["end"]] for group in groups)
        assert "".join(group["word"] for group in groups) == text

    def test_our_class_takes_a_type_and_gives_the_letters_of_the_text(self, model, tokenizer):
        tag = pipeline(
            "token-classification",
            model=model,
            tokenizer=tokenizer,
            pipeline_class=LucaOneTokenClassificationPipeline,
        )
        gene, protein = (tag("acgU", seq_type=seq_type) for seq_type in ("gene", "prot"))
        assert [row["word"] for row in gene] == list("acgU")
        assert [row["score"] for row in gene] != [row["score"] for row in protein]
        library = pipeline(
            "token-classification", model=model, tokenizer=LucaOneTokenizerFast(seq_type="gene")
        )
        assert [row["score"] for row in gene] == [row["score"] for row in library("acgU")]
        with pytest.raises(ValueError, match="seq_type is missing"):
            tag("acgU")
