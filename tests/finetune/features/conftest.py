# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Encoders with random weights and their tokenizers, made in a moment."""

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    EsmConfig,
    EsmModel,
    EsmTokenizer,
    PreTrainedTokenizerFast,
)

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWYX"


@pytest.fixture
def tiny_bert(tmp_path):
    """A function that makes a BERT; its tokens are whole words, or their continued letters."""

    def make(
        tokens=tuple(AMINO_ACIDS),
        continued=True,
        name="bert",
        positions=512,
        limit=None,
        words_of=10_000,
    ):
        folder = tmp_path / name
        words = [*SPECIAL, *tokens, *(f"##{token}" for token in tokens if continued)]
        vocabulary = {word: number for number, word in enumerate(words)}
        tokenizer = Tokenizer(
            models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=words_of)
        )
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        PreTrainedTokenizerFast(
            tokenizer_object=tokenizer,
            **{f"{token[1:-1].lower()}_token": token for token in SPECIAL},
            **({} if limit is None else {"model_max_length": limit}),
        ).save_pretrained(folder)
        torch.manual_seed(0)
        config = BertConfig(vocab_size=len(words), max_position_embeddings=positions, **SMALL)
        BertModel(config).save_pretrained(folder)
        return folder

    return make


@pytest.fixture
def tiny_esm(tmp_path):
    """A function that makes an ESM-2 with the published kind of tokenizer."""

    def make(name="esm", tokens=tuple(AMINO_ACIDS), positions=34, kind="rotary"):
        folder = tmp_path / name
        folder.mkdir()
        words = ["<cls>", "<pad>", "<eos>", "<unk>", *tokens, "<mask>"]
        (folder / "vocab.txt").write_text("\n".join(words))
        EsmTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
        torch.manual_seed(0)
        config = EsmConfig(
            vocab_size=len(words),
            pad_token_id=1,
            mask_token_id=len(words) - 1,
            position_embedding_type=kind,
            max_position_embeddings=positions,
            **SMALL,
        )
        EsmModel(config).save_pretrained(folder)
        return folder

    return make
