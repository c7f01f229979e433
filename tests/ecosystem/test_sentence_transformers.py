# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`SentenceTransformer` on a folder of ours."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from transformers import AutoModel, AutoTokenizer

from embedding import Embedder
from hub_upload import write_sentence_transformer_files
from modeling_lucaone.sentence_transformer import LucaOneSequenceEncoder
from tests.helpers import GOLDEN, REPOSITORY, SAME_LIMIT

sentence_transformers = pytest.importorskip("sentence_transformers")

HUB = GOLDEN / "hub-tiny"
# As proteins and as nucleic acids, of different lengths and not in their order.
TEXTS = ["ACGTTG", "GGATNCATTGCAACGT", "ACG", "GATTACATTA"]
OPTIONS = {"trust_remote_code": True, "local_files_only": True, "device": "cpu"}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A model whose tokenizer reads proteins if nothing is said."""
    folder = tmp_path_factory.mktemp("model")
    AutoModel.from_pretrained(HUB).save_pretrained(folder)
    AutoTokenizer.from_pretrained(HUB, seq_type="prot").save_pretrained(folder)
    return folder


@pytest.fixture
def folder(source, tmp_path):
    return shutil.copytree(source, tmp_path / "model")


def load(folder, **options):
    return sentence_transformers.SentenceTransformer(str(folder), **(OPTIONS | options))


def distance(result, expected):
    return np.linalg.norm(result - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize("pooling", ["mean", "max", "cls"])
def test_vectors_are_those_of_the_embedder(pooling, folder):
    write_sentence_transformer_files(folder, pooling)
    model, embedder = load(folder), Embedder(folder, device="cpu")
    vectors = model.encode(TEXTS)
    assert vectors.shape == (4, 64) and vectors.dtype == np.float32
    expected = {t: embedder.encode(TEXTS, t, pooling=pooling) for t in ("prot", "gene")}
    assert distance(vectors, expected["prot"]) < SAME_LIMIT
    assert (
        distance(model.encode(TEXTS, batch_size=2, seq_type="dna"), expected["gene"]) < SAME_LIMIT
    )
    assert distance(model.encode(TEXTS[1]), expected["prot"][1]) < SAME_LIMIT
    assert distance(expected["gene"], expected["prot"]) > 1e-2


def test_saved_and_loaded(folder, tmp_path):
    write_sentence_transformer_files(folder, "max", max_seq_length=9)
    model = load(folder)
    model.save_pretrained(str(tmp_path / "again"))
    again = load(tmp_path / "again")
    assert np.array_equal(again.encode(TEXTS), model.encode(TEXTS))
    assert again[0].pooling == "max" and again.max_seq_length == 9


def test_what_the_library_offers(folder):
    write_sentence_transformer_files(folder)
    model = load(folder)
    assert model.get_embedding_dimension() == 64
    assert model.get_model_kwargs() == ["seq_type"]
    vectors = model.encode(TEXTS)
    similarity = model.similarity(vectors, vectors)
    assert similarity.shape == (4, 4)
    assert similarity.diagonal().tolist() == pytest.approx([1.0] * 4)
    assert np.array_equal(model.encode_query(TEXTS), model.encode_document(TEXTS))
    # One row per token, with [CLS] and [SEP], which the mean leaves out.
    tokens = model.encode(TEXTS, output_value="token_embeddings")
    assert [len(rows) for rows in tokens] == [len(text) + 2 for text in TEXTS]
    assert distance(tokens[1][1:-1].mean(0).numpy(), vectors[1]) < SAME_LIMIT


def test_longer_sequences_are_cut_only_where_asked(folder):
    write_sentence_transformer_files(folder)
    model = load(folder)
    assert model.max_seq_length is None
    long = "MKTAYIAKQR" * 500  # more than max_position_embeddings
    whole = model.encode(long)
    assert distance(whole, Embedder(folder, device="cpu").encode(long)) < SAME_LIMIT
    model.max_seq_length = 12
    assert distance(model.encode(long), model.encode(long[:10])) < SAME_LIMIT


def test_options_of_the_model_and_the_tokenizer(folder):
    write_sentence_transformer_files(folder)
    model = load(folder, model_kwargs={"dtype": "bfloat16"}, processor_kwargs={"seq_type": "gene"})
    vectors = model.encode(TEXTS)
    expected = Embedder(folder, device="cpu").encode(TEXTS, "gene")
    assert vectors.dtype == np.float32
    assert 1e-4 < distance(vectors, expected) < 1e-2
    with pytest.raises(ValueError, match="runs with backend 'torch', not 'onnx'"):
        load(folder, backend="onnx")


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        (TEXTS, {"seq_type": ["gene"] * 4}, "encode sorts its inputs"),
        (TEXTS, {"seq_type": "lipid"}, "unknown seq_type 'lipid'"),
        (TEXTS, {"prompt": "protein: "}, "letters of a prompt would be read as residues"),
        (["ACG", ""], {}, "no sequence of letters, or an empty one"),
        ([("ACG", "MKT")], {}, "no sequence of letters, or an empty one"),
        (TEXTS, {"sequence_type": "gene"}, "sequence_type"),
    ],
)
def test_wrong_calls(texts, options, message, folder):
    write_sentence_transformer_files(folder)
    with pytest.raises(ValueError, match=message):
        load(folder).encode(texts, **options)


def test_no_molecule_type_is_an_error(folder):
    AutoTokenizer.from_pretrained(HUB).save_pretrained(folder)
    write_sentence_transformer_files(folder)
    with pytest.raises(ValueError, match="seq_type is missing"):
        load(folder).encode(TEXTS)


class TestFiles:
    def test_the_class_is_that_of_the_package_or_of_the_repository(self, folder):
        def named():
            write_sentence_transformer_files(folder)
            return json.loads((folder / "modules.json").read_text())[0]["type"]

        name = LucaOneSequenceEncoder.__name__
        assert named() == f"modeling_lucaone.sentence_transformer.{name}"
        (folder / "sentence_transformer.py").touch()
        assert named() == f"sentence_transformer.{name}"

    def test_wrong_pooling_and_wrong_folder(self, folder, tmp_path):
        with pytest.raises(ValueError, match="unknown pooling 'median'; known are mean, max, cls"):
            write_sentence_transformer_files(folder, "median")
        with pytest.raises(ValueError, match="holds no model"):
            write_sentence_transformer_files(tmp_path)


def test_modules_of_the_library_can_do_it_too(folder, tmp_path):
    """Without `trust_remote_code`: weights 0 keep [CLS] and [SEP] out of the library's mean."""
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling, WordWeights

    encoder = Transformer(str(folder), max_seq_length=100_000)
    vocabulary = sorted(encoder.tokenizer.vocab, key=encoder.tokenizer.vocab.get)
    weights = WordWeights(vocabulary, {"[CLS]": 0.0, "[SEP]": 0.0})
    model = sentence_transformers.SentenceTransformer(modules=[encoder, weights, Pooling(64)])
    model.save_pretrained(str(tmp_path / "stock"))
    again = load(tmp_path / "stock", trust_remote_code=False)
    embedder = Embedder(folder, device="cpu")
    assert distance(again.encode(TEXTS), embedder.encode(TEXTS)) < SAME_LIMIT
    gene = again.encode(TEXTS, processing_kwargs={"text": {"seq_type": "gene"}})
    assert distance(gene, embedder.encode(TEXTS, "gene")) < SAME_LIMIT


@pytest.mark.slow
@pytest.mark.parametrize("with_code", [False, True])
def test_in_a_process_that_has_imported_nothing(with_code, folder, tmp_path):
    if with_code:
        for file in (REPOSITORY / "modeling_lucaone").glob("*.py"):
            if file.name != "__init__.py":
                shutil.copy(file, folder)
        shutil.copy(REPOSITORY / "tokenization" / "tokenization_lucaone.py", folder)
        tokenizer = json.loads((folder / "tokenizer_config.json").read_text())
        names = ("LucaGPLMTokenizer", "LucaOneTokenizerFast")
        tokenizer["auto_map"] = {"AutoTokenizer": [f"tokenization_lucaone.{n}" for n in names]}
        (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    write_sentence_transformer_files(folder)
    script = f"""
import sys
{"" if with_code else f"sys.path.insert(0, {str(REPOSITORY)!r})"}
from sentence_transformers import SentenceTransformer
model = SentenceTransformer({str(folder)!r}, **{OPTIONS!r})
print(model.encode({TEXTS!r}, seq_type="gene").tolist())
assert ("modeling_lucaone" in sys.modules) is {not with_code}
"""
    settings = {"HF_MODULES_CACHE": str(tmp_path / "modules"), "HF_HUB_OFFLINE": "1"}
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=True,
    )
    vectors = np.array(json.loads(result.stdout.splitlines()[-1]))
    assert distance(vectors, Embedder(folder, device="cpu").encode(TEXTS, "gene")) < SAME_LIMIT
