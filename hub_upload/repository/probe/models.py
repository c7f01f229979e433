# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Configuration, tokenizer and models of a repository, loaded strictly and compared."""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import safe_open
from transformers.dynamic_module_utils import get_class_from_dynamic_module

from .values import ENCODER, REFERENCE, Failed, Reference, Skipped, alone, answers, compare, encode

# What peft puts before the name of every tensor.
_PREFIX = "base_model.model."
_OPTIONS = {
    "dtype": torch.float32,
    "use_safetensors": True,
    "output_loading_info": True,
    "ignore_mismatched_sizes": True,  # so that they are reported like the others
}


class Repository:
    """A folder, and the checks that can be made with it.

    Args:
        folder: the repository.
        base: folder of the base model, for a repository that holds an adapter.
    """

    def __init__(self, folder: Path, base: Path | None = None):
        self.folder, self.base = folder, base
        self.config = json.loads((folder / "config.json").read_text("utf-8"))
        self.auto_map = {
            name: reference.rpartition(".")[2]
            for name, reference in self.config.get("auto_map", {}).items()
        }
        self.stored_class = self.config["architectures"][0]
        self.is_adapter = (folder / "adapter_config.json").is_file()

    @cached_property
    def reference(self) -> Reference:
        """What the source model says."""
        if not (self.folder / REFERENCE).is_file():
            raise Failed(f"{REFERENCE} is missing, so there is nothing to compare with")
        return Reference.read(self.folder)

    @cached_property
    def stored(self) -> set[str]:
        """Names of the tensors in the files of weights."""
        names: set[str] = set()
        for file in self.folder.glob("*.safetensors"):
            with safe_open(file, "pt") as tensors:
                names.update(tensors.keys())
        return names

    def checks(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Name what can be checked, in the order in which people would do it."""
        yield "AutoConfig", self.check_config
        yield "AutoTokenizer", self.check_tokenizer
        if self.is_adapter:
            yield "PeftModel", partial(self.check_model, self.stored_class, self.load_adapter)
            return
        for name, model_class in self.auto_map.items():
            if name != "AutoConfig":
                yield name, partial(self.check_model, model_class, partial(self.load, name))

    def configuration(self) -> Any:
        """Load the configuration."""
        return transformers.AutoConfig.from_pretrained(self.folder, trust_remote_code=True)

    def check_config(self) -> str:
        """Compare the configuration with the source model's."""
        config = self.configuration()
        for name, value in self.reference.config.items():
            if (found := getattr(config, name)) != value:
                raise Failed(f"{name} is {found}, not {value}")
        return type(config).__name__

    def tokenizer(self, **options: Any) -> Any:
        """Load the tokenizer."""
        return transformers.AutoTokenizer.from_pretrained(
            self.folder, trust_remote_code=True, **options
        )

    def check_tokenizer(self) -> str:
        """Compare its ids, of a padded batch and of single sequences, with those stored."""
        tokenizer, reference = self.tokenizer(), self.reference
        rows = range(len(reference.texts[0]))
        found = [(reference.inputs, encode(tokenizer, reference.texts, reference.seq_types))]
        for row in rows:
            sides = (
                [side[row : row + 1] for side in part]
                for part in (reference.texts, reference.seq_types)
            )
            found.append((alone(reference.inputs, row), encode(tokenizer, *sides)))
        for expected, result in found:
            for name, tensor in expected.items():
                if not torch.equal(result[name], tensor):
                    raise Failed(f"{name} {result[name].tolist()}, not {tensor.tolist()}")
        if tokenizer.seq_type is None:
            try:
                tokenizer("ACGT")
            except ValueError:
                return "same ids; refuses a sequence without a molecule type"
            raise Failed("reads a sequence without a molecule type, instead of refusing it")
        return f"same ids; reads {tokenizer.seq_type} where nothing is said"

    def check_model(self, model_class: str, load: Callable[[], Any]) -> str:
        """Load a class strictly, and compare its outputs, for a padded batch and one row alone."""
        expected = self.reference.outputs[model_class]
        model = load()
        inputs = self.reference.inputs_of(model_class)
        scale = 0.0 if model_class == ENCODER else self.reference.logit_scale
        padded = compare(answers(model, inputs), expected, "padded batch", scale)
        last = answers(model, alone(inputs, -1))
        single = {name: rows[-len(last[name]) :] for name, rows in expected.items()}
        worst = max(padded, compare(last, single, "one alone", scale))
        return f"{model_class}, largest difference {worst:.1e}"

    def load(self, auto_class: str) -> Any:
        """Load the class that an Auto class stands for, in fp32.

        Raises:
            Failed: a tensor is missing, superfluous or misshapen.
            Skipped: this version of transformers does not know the Auto class.
        """
        auto = getattr(transformers, auto_class, None)
        if auto is None:
            raise Skipped(f"transformers {transformers.__version__} does not know {auto_class}")
        model, report = auto.from_pretrained(self.folder, trust_remote_code=True, **_OPTIONS)
        missing, superfluous = set(report["missing_keys"]), set(report["unexpected_keys"])
        if self.auto_map[auto_class] == self.stored_class:
            # transformers 5.23 takes what the encoder ignores for what the whole model ignores.
            superfluous |= self.stored - model.state_dict().keys()
        _check_tensors(missing, superfluous, report["mismatched_keys"])
        return model.eval()

    def load_adapter(self) -> Any:
        """Load the base model as the class that the adapter is for, and put the adapter on it.

        Raises:
            Failed: a tensor is missing, superfluous or misshapen.
            Skipped: the base model is not given.
        """
        if self.base is None:
            raise Skipped("there is no base model to put the adapter on")
        from peft import PeftModel, get_peft_model_state_dict

        # As the card says it. An Auto class would look for the code in the base model.
        config = self.configuration()
        model_class = get_class_from_dynamic_module(f"heads.{self.stored_class}", str(self.folder))
        model, report = model_class.from_pretrained(self.base, config=config, **_OPTIONS)
        stored = {name.removeprefix(_PREFIX) for name in self.stored}
        missing = set(report["missing_keys"]) - stored
        _check_tensors(missing, set(report["unexpected_keys"]), report["mismatched_keys"])
        model = PeftModel.from_pretrained(model, self.folder, torch_device="cpu")
        expected = get_peft_model_state_dict(model, save_embedding_layers=False)
        own = {name.removeprefix(_PREFIX) for name in expected}
        _check_tensors(own - stored, stored - own, set())
        return model.eval()


def _check_tensors(
    missing: set[str], superfluous: set[str], misshapen: Iterable[tuple[str, Any, Any]]
) -> None:
    for name in sorted(missing):
        raise Failed(f"tensor {name} is missing")
    for name in sorted(superfluous):
        raise Failed(f"tensor {name} has no place in the model")
    for name, found, wanted in sorted(misshapen):
        raise Failed(f"tensor {name} is {tuple(found)}, not {tuple(wanted)}")
