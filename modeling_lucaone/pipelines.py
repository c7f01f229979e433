# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`pipeline("pair-classification")`, and residues under their own letters in token classification.

The other pipelines of transformers take LucaOne as it is.
"""

import inspect
import os
from collections.abc import Mapping
from typing import Any

from torch import Tensor
from transformers import TextClassificationPipeline, TokenClassificationPipeline
from transformers.dynamic_module_utils import custom_object_save

PAIR = {"text", "text_pair"}
PAIR_TYPES = {"seq_type", "seq_type_pair"}
# What `config.json` of a Hub repository that carries its code says of the task. The library only
# finds Auto classes of its own there, so the one for pairs of texts stands for ours: `auto_map`
# has to give it as "heads.LucaOneForPairClassification".
HUB_AUTO_CLASS = "AutoModelForNextSentencePrediction"
HUB_PIPELINES = {
    "pair-classification": {
        "impl": "pipelines.LucaOnePairClassificationPipeline",
        "pt": [HUB_AUTO_CLASS],
    }
}


class LucaOnePairClassificationPipeline(TextClassificationPipeline):
    """Classifies pairs of sequences, each of which the tokenizer reads by itself.

    A pair is a tuple or a list of two sequences, or `{"text": ..., "text_pair": ...}`, which may
    hold its own `seq_type` and `seq_type_pair`; several pairs come in a list, a data set or a
    generator. Results, `top_k` and `function_to_apply` are those of `text-classification`: the
    labels are `config.id2label`, and the scores follow `config.problem_type`.

    Example:
        >>> from transformers import pipeline
        >>> classifier = pipeline("pair-classification", model="pairs")
        >>> classifier(("ATGGCG", "MAKQRQ"), seq_type="gene", seq_type_pair="prot")
        {'label': 'encodes', 'score': 0.98}

    Calls, and `pipeline(...)` itself, also take:

    * `seq_type`, `seq_type_pair`: molecule types of the first and of the second sequences; the
      tokenizer's default if not given.
    * what else the tokenizer takes, such as `truncation` and `max_length`, for both sides.

    Raises:
        ValueError: a model that takes no pairs, something that is no pair, or a `seq_type` without
            `seq_type_pair`.
    """

    def check_model_type(self, supported_models: Any) -> None:
        """Check that the model takes pairs, instead of looking it up in a list of the library.

        Raises:
            ValueError: it does not.
        """
        # An adapter of peft wraps the model, and takes anything.
        model = getattr(self.model, "get_base_model", lambda: self.model)()
        if "input_ids_b" not in inspect.signature(model.forward).parameters:
            raise ValueError(f"pair-classification: {type(model).__name__} takes no pairs")

    def preprocess(self, inputs: Any, **options: Any) -> dict[str, Tensor]:
        """Tokenize both sides of a pair: every input of the model with `_a` and with `_b`."""
        if isinstance(inputs, (tuple, list)) and len(inputs) == 2:
            inputs = {"text": inputs[0], "text_pair": inputs[1]}
        if not isinstance(inputs, Mapping) or not PAIR <= inputs.keys() <= PAIR | PAIR_TYPES:
            raise ValueError(
                "pair-classification: a pair is a tuple of two sequences or a dictionary of 'text' "
                "and 'text_pair', which may name 'seq_type' and 'seq_type_pair'"
            )
        options |= inputs
        texts = [options.pop("text"), options.pop("text_pair")]
        types = [options.pop("seq_type", None), options.pop("seq_type_pair", None)]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("pair-classification: 'text' and 'text_pair' must be one string each")
        if types[0] is not None and types[1] is None:
            raise ValueError("pair-classification: seq_type is given, but no seq_type_pair")
        return {
            f"{name}_{side}": tensor
            for side, text, seq_type in zip("ab", texts, types, strict=True)
            for name, tensor in self.tokenizer(
                text, seq_type=seq_type, return_tensors="pt", **options
            ).items()
        }

    def save_pretrained(self, save_directory: str | os.PathLike[str], **kwargs: Any) -> None:
        """Save the model and the tokenizer, and this file if the configuration names it.

        The library would always name it, after which a folder loads with `trust_remote_code=True`
        only; where this package is installed it registers the task itself.
        """
        self.model.save_pretrained(save_directory, **kwargs)
        self.tokenizer.save_pretrained(save_directory, **kwargs)
        if getattr(self.model.config, "custom_pipelines", None):
            custom_object_save(self, save_directory)


class LucaOneTokenClassificationPipeline(TokenClassificationPipeline):
    """`token-classification` whose `word` is the letter of the text, with a molecule type per call.

    The library's own gives tokens of the vocabulary where nothing is aggregated, and those of
    nucleotides are the digits 1 to 5; it passes nothing on to the tokenizer.

    Example:
        >>> from transformers import pipeline
        >>> tagger = pipeline(
        ...     "token-classification",
        ...     model="sites",
        ...     pipeline_class=LucaOneTokenClassificationPipeline,
        ... )
        >>> [found["word"] for found in tagger("ACGU", seq_type="gene")]
        ['A', 'C', 'G', 'U']
    """

    def _sanitize_parameters(self, seq_type: str | None = None, **kwargs: Any) -> tuple[dict, ...]:
        preprocess, forward, postprocess = super()._sanitize_parameters(**kwargs)
        if seq_type is not None:
            preprocess.setdefault("tokenizer_params", {})["seq_type"] = seq_type
        return preprocess, forward, postprocess

    def gather_pre_entities(self, sentence: str, *args: Any, **kwargs: Any) -> list[dict[str, Any]]:
        """As the library, one entry per residue, but under the letter that stands in the text."""
        entities = super().gather_pre_entities(sentence, *args, **kwargs)
        return [entity | {"word": sentence[entity["start"] : entity["end"]]} for entity in entities]


__all__ = ["LucaOnePairClassificationPipeline", "LucaOneTokenClassificationPipeline"]
