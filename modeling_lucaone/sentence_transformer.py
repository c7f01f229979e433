# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""LucaOne as the one module of a `SentenceTransformer`.

The library's own pooling counts [CLS] and [SEP]; here the vectors are those of `LucaOnePooling`,
over residues.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from transformers import AutoTokenizer

from .modeling_lucaone import LucaOneModel
from .packing import SequenceBatch
from .pooling import LucaOnePooling

Module: Any = nn.Module
try:
    from sentence_transformers.base import modules
except ImportError:  # nobody to use the class, but the files can be written
    pass
else:
    Module = modules.InputModule

POOLINGS = ("mean", "max", "cls")
MODEL_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class LucaOneSequenceEncoder(Module):
    """Sequences to vectors in one step: tokenizer, encoder and pooling.

    Example:
        >>> from sentence_transformers import SentenceTransformer
        >>> model = SentenceTransformer("lucaone", trust_remote_code=True)
        >>> model.encode(["MKTAYIAK", "MSKGEELF"], seq_type="prot").shape
        (2, 2560)

    `encode` sorts what it is given, so that one `seq_type` serves a whole call; without it the
    tokenizer's default does.

    Args:
        model: the encoder.
        tokenizer: its tokenizer.
        pooling: `mean` or `max` over the residues, or `cls`.
        max_seq_length: tokens, [CLS] and [SEP] counted, that longer sequences are cut to; None for
            no cutting.

    Raises:
        ValueError: an unknown pooling.
    """

    config_file_name = "sentence_lucaone_config.json"
    config_keys = ["pooling", "max_seq_length"]
    forward_kwargs = {"seq_type"}
    save_in_root = True

    def __init__(
        self,
        model: LucaOneModel,
        tokenizer: Any,
        pooling: str = "mean",
        max_seq_length: int | None = None,
    ):
        super().__init__()
        _check_pooling(pooling)
        self.model = model
        self.tokenizer = tokenizer
        self.pooling = pooling
        self.max_seq_length = max_seq_length
        self.pool = LucaOnePooling(pooling, model.config.hidden_size)

    @classmethod
    def load(
        cls,
        model_name_or_path: str,
        subfolder: str = "",
        token: bool | str | None = None,
        cache_folder: str | None = None,
        revision: str | None = None,
        local_files_only: bool = False,
        trust_remote_code: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        processor_kwargs: dict[str, Any] | None = None,
        config_kwargs: dict[str, Any] | None = None,
        backend: str = "torch",
        **_: Any,
    ) -> "LucaOneSequenceEncoder":
        """Load the module, as `SentenceTransformer` does for every entry of `modules.json`.

        Args:
            model_name_or_path: folder or Hub repository.
            subfolder: where the module's own configuration lies.
            token: of the Hub.
            cache_folder: for downloads.
            revision: of the repository.
            local_files_only: ask the Hub for nothing.
            trust_remote_code: for a tokenizer whose code is in the repository.
            model_kwargs: for the model, such as `dtype`.
            processor_kwargs: for the tokenizer, such as `seq_type`.
            config_kwargs: fields of the configuration to set otherwise.
            backend: only `torch`.

        Raises:
            ValueError: another backend, or an unknown pooling.
        """
        if backend != "torch":
            raise ValueError(f"LucaOne runs with backend 'torch', not {backend!r}")
        source = {"token": token, "revision": revision, "local_files_only": local_files_only}
        module = cls.load_config(
            model_name_or_path, subfolder=subfolder, cache_folder=cache_folder, **source
        )
        source["cache_dir"] = cache_folder
        model = LucaOneModel.from_pretrained(
            model_name_or_path, **source, **(config_kwargs or {}), **(model_kwargs or {})
        )
        tokenizer = AutoTokenizer.from_pretrained(
            model_name_or_path,
            trust_remote_code=trust_remote_code,
            **source,
            **(processor_kwargs or {}),
        )
        return cls(model, tokenizer, **module)

    def save(self, output_path: str, *_: Any, **__: Any) -> None:
        """Save encoder, tokenizer and configuration; weights always as safetensors."""
        self.model.save_pretrained(output_path)
        self.tokenizer.save_pretrained(output_path)
        self.save_config(output_path)

    def get_embedding_dimension(self) -> int:
        """Return the width of the vectors."""
        return self.model.config.hidden_size

    def preprocess(
        self,
        inputs: Sequence[str],
        prompt: str | None = None,
        seq_type: str | None = None,
        max_length: int | None = None,
        task: str | None = None,
    ) -> dict[str, Tensor]:
        """Tokenize sequences into a padded batch.

        Args:
            inputs: letters of molecules.
            prompt: there is none for molecules.
            seq_type: `gene` or `prot` for all of them; the tokenizer's default if not given.
            max_length: in place of `max_seq_length`.
            task: of no meaning here; the library always names one.

        Raises:
            ValueError: a prompt, an empty sequence or something that is none, several molecule
                types, or none at all.
        """
        if prompt:
            raise ValueError(f"prompt {prompt!r}: letters of a prompt would be read as residues")
        if seq_type is not None and not isinstance(seq_type, str):
            raise ValueError(
                "seq_type: encode sorts its inputs, so give one molecule type and call it once "
                "for each"
            )
        if not all(isinstance(text, str) and text for text in inputs):
            raise ValueError("an input is no sequence of letters, or an empty one")
        limit = max_length or self.max_seq_length
        return dict(
            self.tokenizer(
                list(inputs),
                seq_type=seq_type,
                padding=True,
                truncation=limit is not None,
                max_length=limit,
                return_tensors="pt",
            )
        )

    def forward(self, features: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Encode and pool a batch.

        Args:
            features: `input_ids`, `attention_mask` and `token_type_ids`, (rows, length).

        Returns:
            The same with `sentence_embedding`, (rows, hidden_size) in fp32, and
            `token_embeddings`, (rows, length, hidden_size), which hold [CLS] and [SEP] too.
        """
        inputs = {name: features[name] for name in MODEL_INPUTS}
        batch = SequenceBatch.from_inputs(self.model.config, **inputs)
        hidden = self.model(**batch.model_inputs()).last_hidden_state
        return features | {
            "token_embeddings": batch.pad(hidden),
            "sentence_embedding": self.pool(hidden.float(), batch),
        }


def _check_pooling(pooling: str) -> None:
    if pooling not in POOLINGS:
        raise ValueError(f"unknown pooling {pooling!r}; known are {', '.join(POOLINGS)}")


__all__ = ["LucaOneSequenceEncoder"]
