# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Any encoder of transformers as a source of features: ESM-2, DNABERT-2, ProtBert and others."""

import hashlib
import inspect
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import torch
from huggingface_hub import snapshot_download
from torch import Tensor
from tqdm.auto import tqdm
from transformers import AutoConfig, AutoModel, AutoTokenizer

from embedding.models import find_device
from embedding.parts import as_saved
from embedding.runner import TOKENS_PER_BATCH

from .base import Backbone, Rows, TypedSequence
from .files import PART_BYTES, save_features

# Letters of a part at most; a kill loses a part.
PART_LETTERS = 131_072
# A tokenizer that knows fewer of these letters than half does not read the molecule type. WordPiece
# by default reads no word beyond 100 letters.
PROBES = {"gene": 8 * "ACGTTGCAAGCTTCCGAATGC", "prot": 8 * "MKTAYIAKQRQISFVDPGHWECNL"}
MOLECULES = {"gene": "nucleic acids", "prot": "proteins"}
# What a model has beside its encoder and checkpoints may lack.
BESIDE = ("pooler", "contact_head", "position_ids")
# What stands in a tokenizer's settings where it has no limit.
NO_LIMIT = 10**9


class Tokens(NamedTuple):
    """A sequence in the tokens of an encoder.

    Attributes:
        ids: of all tokens.
        special: 1 for those that stand for no letters.
    """

    ids: list[int]
    special: list[int]


class HubEncoder(Backbone):
    """An encoder and its tokenizer from a folder or the Hub; a row for each of its tokens.

    Special tokens have no row. What is longer than the encoder's positions is cut.

    Args:
        name: folder, or OWNER/NAME.
        rows: see `Backbone`.
        dtype: of the computation; float32 where not given.
        device: as of PyTorch; the GPU where there is one, if not given.
        tokens_per_batch: padded tokens that go through the encoder at once; a longer sequence goes
            alone. By the device where not given; less after the device ran out of memory.
        revision: branch, tag or commit of a Hub repository.
        trust_remote_code: run the code of the repository.

    Raises:
        ValueError: it cannot be found, or is no encoder; one line that names it.
    """

    def __init__(
        self,
        name: str,
        rows: Rows,
        dtype: str | None = None,
        device: str | None = None,
        tokens_per_batch: int | None = None,
        revision: str | None = None,
        trust_remote_code: bool = False,
    ):
        self.rows, self.device, self._dtype = rows, device, dtype or "float32"
        self._tokens_per_batch, self._trust = tokens_per_batch, trust_remote_code
        self.place, self._folder = name, Path(name)
        self.name = self._folder.resolve().name if self._folder.is_dir() else name
        with self._named():
            if not self._folder.is_dir():
                self._folder = _download(name, revision, trust_remote_code)
            config = AutoConfig.from_pretrained(self._folder, trust_remote_code=self._trust)
        if config.is_encoder_decoder or getattr(config, "hidden_size", None) is None:
            raise ValueError(f"{name}: a model of type {config.model_type!r} is no encoder")
        self.width = config.hidden_size

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Let whatever fails be an error of one line that names the encoder."""
        try:
            yield
        except Exception as error:  # files, and code of others, fail in any way
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ValueError(f"{self.place}: {reason}") from error

    @cached_property
    def _files_sha256(self) -> str:
        """A hash of names and contents of all that the encoder is made of."""
        weights = sorted(self._folder.glob("*.safetensors")) or sorted(self._folder.glob("*.bin"))
        if not weights:
            raise ValueError(f"{self.place}: holds no weights (*.safetensors or *.bin)")
        patterns = ["*.json", "*.txt", "*.model", *(["*.py"] if self._trust else [])]
        digest = hashlib.sha256()
        for file in [*weights, *sorted(file for p in patterns for file in self._folder.glob(p))]:
            with file.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
            digest.update(f"{content} {file.name}\n".encode())
        return digest.hexdigest()

    def made_from(self) -> dict[str, Any]:
        """Return the hash of the encoder's files and the precision of the computation."""
        return {"files_sha256": self._files_sha256, "dtype": self._dtype}

    def write(self, sequences: Sequence[TypedSequence], folder: Path, processes: Any) -> list[str]:
        """See `Backbone.write`."""
        run = _Run(self, self._load())
        letters = sum(len(sequence.text) for sequence in sequences)
        part: list[TypedSequence] = []
        size, most = 0, min(PART_LETTERS, PART_BYTES // (4 * self.width))
        with tqdm(
            desc=f"embedding with {self.name}",
            total=letters,
            unit=" letters",
            unit_scale=True,
            disable=None,
            delay=2,
        ) as bar:
            for number, sequence in enumerate(sequences, start=1):
                part.append(sequence)
                size += len(sequence.text)
                if number < len(sequences) and size + len(sequences[number].text) <= most:
                    continue
                digests = [sequence.digest for sequence in part]
                save_features(folder, digests, run.features(part), self.rows != "residues")
                bar.update(size)
                part, size = [], 0
        return run.notes(len(sequences))

    def _load(self) -> tuple[Any, Any]:
        """Load the model strictly, and the tokenizer."""
        device = find_device(self.device)
        with self._named():
            model, report = AutoModel.from_pretrained(
                self._folder,
                dtype=getattr(torch, self._dtype),
                trust_remote_code=self._trust,
                output_loading_info=True,
            )
            tokenizer = AutoTokenizer.from_pretrained(self._folder, trust_remote_code=self._trust)
        for key in sorted(report["missing_keys"]):
            if not any(name in key for name in BESIDE):
                raise ValueError(f"{self.place}: tensor {key} is missing")
        if "attention_mask" not in inspect.signature(model.forward).parameters:
            raise ValueError(
                f"{self.place}: takes no attention_mask, so sequences cannot be padded"
            )
        return model.eval().to(device), tokenizer


class _Run:
    """An encoder at work."""

    def __init__(self, backbone: HubEncoder, loaded: tuple[Any, Any]):
        self.backbone = backbone
        self.model, self.tokenizer = loaded
        self.device = self.model.device
        self.budget = backbone._tokens_per_batch or TOKENS_PER_BATCH.get(self.device.type, 4_096)
        self.longest = _longest(self.model, self.tokenizer)
        self.spellings: dict[str, tuple[str, str]] = {}
        self.cut = self.unread = 0
        self.memory_notes: list[str] = []

    def notes(self, sequences: int) -> list[str]:
        """Return what a user should know."""
        notes, name = list(self.memory_notes), self.backbone.name
        if self.cut:
            notes.append(
                f"{self.cut:,} of {sequences:,} sequences are longer than the {self.longest:,} "
                f"tokens that {name} reads, and were cut"
            )
        if self.unread:
            notes.append(
                f"{self.unread:,} of {sequences:,} sequences are nothing but unknown tokens to "
                f"{name}"
            )
        return notes

    def features(self, sequences: Sequence[TypedSequence]) -> list[Tensor]:
        """Return the rows of each sequence, (rows, width) fp32 on the CPU."""
        tokens = [self.tokenize(sequence) for sequence in sequences]
        results: dict[int, Tensor] = {}
        order = sorted(range(len(tokens)), key=lambda i: -len(tokens[i].ids))
        while order:
            longest = len(tokens[order[0]].ids)
            batch = order[: max(1, self.budget // longest)]
            rows = self.run([tokens[i] for i in batch])
            if rows is not None:
                results.update(zip(batch, rows, strict=True))
                order = order[len(batch) :]
            elif len(batch) == 1:
                raise ValueError(
                    f"{self.backbone.place}: a sequence of {longest:,} tokens does not fit into "
                    f"the memory of {self.device}, not even alone"
                )
            else:
                self.budget = longest * len(batch) // 2
                self.memory_notes.append(
                    f"out of memory on {self.device} with {longest * len(batch):,} tokens per "
                    f"batch; went on with {self.budget:,}"
                )
        return [
            as_saved(results[i], torch.float32, f"{sequence.text[:20]}...")
            for i, sequence in enumerate(sequences)
        ]

    def tokenize(self, sequence: TypedSequence) -> Tokens:
        """Return the tokens of a sequence, cut to what the encoder reads."""
        if sequence.seq_type not in self.spellings:
            self.spellings[sequence.seq_type] = self._spelling(sequence.seq_type)
        thymine, space = self.spellings[sequence.seq_type]
        text = space.join(sequence.letters.replace("T", thymine))
        tokens = _encode(self.tokenizer, text)
        if self.longest is not None and len(tokens.ids) > self.longest:
            self.cut += 1
            tokens = _encode(self.tokenizer, text, truncation=True, max_length=self.longest)
        if all(tokens.special):
            raise ValueError(f"{self.backbone.place}: gives sequence {text[:20]!r} no token")
        self.unread += not self._read(tokens)
        return tokens

    def _spelling(self, seq_type: str) -> tuple[str, str]:
        """Return the letter for T, and what stands between two letters.

        Raises:
            ValueError: the tokenizer knows few of the letters, in words or one by one.
        """
        known = self.tokenizer.get_vocab().keys()
        uracil = seq_type == "gene" and known & {"U", "u"} and not known & {"T", "t"}
        thymine = "U" if uracil else "T"
        probe = PROBES[seq_type].replace("T", thymine)
        for space in ("", " "):
            read = self._read(_encode(self.tokenizer, space.join(probe)))
            names = self.tokenizer.convert_ids_to_tokens(read)
            if 2 * len(re.sub("[^A-Za-z]", "", "".join(names))) >= len(probe):
                return thymine, space
        raise ValueError(
            f"{self.backbone.place}: its tokenizer does not know most letters of "
            f"{MOLECULES[seq_type]} ({seq_type})"
        )

    def _read(self, tokens: Tokens) -> list[int]:
        """Return the ids that stand for letters which the tokenizer knows."""
        unknown = self.tokenizer.unk_token_id
        return [i for i, special in zip(*tokens, strict=True) if not special and i != unknown]

    @torch.inference_mode()
    def run(self, batch: list[Tokens]) -> list[Tensor] | None:
        """Return the rows of a padded batch, or None if it does not fit into memory."""
        lengths = torch.tensor([len(tokens.ids) for tokens in batch])
        ids = torch.nn.utils.rnn.pad_sequence(
            [torch.tensor(tokens.ids) for tokens in batch],
            batch_first=True,
            padding_value=self.tokenizer.pad_token_id or 0,
        )
        mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
        try:
            hidden = self.model(input_ids=ids.to(self.device), attention_mask=mask.to(self.device))[
                0
            ]
            return [
                self.pool(rows[: len(tokens.ids)], tokens).float().cpu()
                for rows, tokens in zip(hidden, batch, strict=True)
            ]
        except torch.OutOfMemoryError:
            pass
        # Here the error, and with it what the failed pass held, is gone.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return None

    def pool(self, rows: Tensor, tokens: Tokens) -> Tensor:
        """Return what is asked for of the rows of a sequence, (rows, width)."""
        if self.backbone.rows == "cls":
            if tokens.ids[0] != self.tokenizer.cls_token_id:
                raise ValueError(f"{self.backbone.place}: no sequence of it begins with [CLS]")
            return rows[:1]
        rows = rows[torch.tensor(tokens.special, device=rows.device) == 0]
        if self.backbone.rows == "mean":
            return rows.float().mean(0, keepdim=True)
        return rows.amax(0, keepdim=True) if self.backbone.rows == "max" else rows


def _download(name: str, revision: str | None, trust_remote_code: bool) -> Path:
    """Fetch an encoder from the Hub: its weights as safetensors where there are such."""
    patterns = ["*.json", "*.txt", "*.model", *(["*.py"] if trust_remote_code else [])]

    def fetch(weights: str) -> Path:
        allowed = [*patterns, weights]
        return Path(snapshot_download(name, revision=revision, allow_patterns=allowed))

    folder = fetch("*.safetensors")
    return folder if list(folder.glob("*.safetensors")) else fetch("*.bin")


def _encode(tokenizer: Any, text: str, **options: Any) -> Tokens:
    encoded = tokenizer(text, return_special_tokens_mask=True, verbose=False, **options)
    return Tokens(encoded["input_ids"], encoded["special_tokens_mask"])


def _longest(model: Any, tokenizer: Any) -> int | None:
    """Return how many tokens, special ones counted, an encoder reads; None without a limit."""
    limits = [tokenizer.model_max_length]
    if (positions := getattr(model.config, "max_position_embeddings", None)) is not None:
        limits.append(positions)
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            # Where there is a row for padding, positions are counted from behind it.
            before = 0 if module.padding_idx is None else module.padding_idx + 1
            limits.append(module.num_embeddings - before)
    longest = min((limit for limit in limits if 0 < limit < NO_LIMIT), default=None)
    return None if longest is None else int(longest)
