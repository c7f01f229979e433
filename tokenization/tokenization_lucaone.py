# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The LucaOne tokenizer: one token per letter, 39 tokens for DNA, RNA and protein.

The letter A is adenine in a nucleic acid and alanine in a protein, so a sequence is read by its
molecule type: "gene" or "prot". Two readers are kept in step:

- a table look-up on bytes, which serves every ordinary call;
- a pipeline of the `tokenizers` library, which is what `tokenizer.json` holds and which serves
  what the look-up does not (offsets, overflowing windows, split words, added tokens) and the
  per-token objects of a `BatchEncoding`, made when they are first asked for.
"""

import copy
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from operator import add
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tokenizers import AddedToken, Encoding, Regex, Tokenizer, decoders, normalizers
from tokenizers.models import BPE
from tokenizers.processors import TemplateProcessing
from transformers.tokenization_utils_base import BatchEncoding, TruncationStrategy
from transformers.tokenization_utils_tokenizers import TokenizersBackend
from transformers.utils import PaddingStrategy

VOCAB_FILES_NAMES = {"vocab_file": "vocab.json", "tokenizer_file": "tokenizer.json"}
MODEL_INPUT_NAMES = ["input_ids", "token_type_ids", "attention_mask"]
SeqType = Literal["gene", "prot"]

# The order is the id. Nucleotides are written 1 to 5: A, T or U, C, G, and anything else.
SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
NUCLEOTIDES, RESIDUES = "12345", "LAGVSERTIDPKQNFYMHWCXBUZOJ.-*"
VOCABULARY = {
    token: index for index, token in enumerate((*SPECIAL_TOKENS, *NUCLEOTIDES, *RESIDUES))
}

SEQ_TYPES: dict[str, SeqType] = {
    "gene": "gene",
    "dna": "gene",
    "rna": "gene",
    "nucleic_acid": "gene",
    "prot": "prot",
    "protein": "prot",
}
CHOICES = '"gene" (or "dna", "rna", "nucleic_acid") or "prot" (or "protein")'
TOKEN_TYPE_IDS = {"gene": 0, "prot": 1}

# What stands for a letter that a protein cannot hold; it must not be in the vocabulary.
UNKNOWN = "?"


def normalize_seq_type(value: Any) -> SeqType:
    """Return the canonical name, "gene" or "prot", of a molecule type in any of its spellings.

    Case does not matter; "dna", "rna" and "nucleic_acid" mean "gene", "protein" means "prot".

    Raises:
        ValueError: `value` is not one of these.
    """
    try:
        return SEQ_TYPES[value.lower()]
    except (AttributeError, KeyError):
        raise ValueError(f"unknown seq_type {value!r}: choose {CHOICES}") from None


def _table(letters: str, tokens: str, otherwise: str) -> bytes:
    """Return the 256-byte table from a letter, in upper or lower case, to its token id."""
    ids = [VOCABULARY[otherwise]] * 256
    for letter, token in zip(letters, tokens, strict=True):
        ids[ord(letter)] = ids[ord(letter.lower())] = VOCABULARY[token]
    return bytes(ids)


TABLES = {"gene": _table("ATUCG", "12234", "5"), "prot": _table(RESIDUES, RESIDUES, "[UNK]")}
CLS, SEP = bytes([VOCABULARY["[CLS]"]]), bytes([VOCABULARY["[SEP]"]])
SPECIAL_BYTES = {token: bytes([VOCABULARY[token]]) for token in SPECIAL_TOKENS}
SPECIAL_PATTERN = re.compile(f"({'|'.join(map(re.escape, SPECIAL_TOKENS))})")
PLAIN_ADDED_TOKENS = {
    VOCABULARY[token]: AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS
}

# The same reading as normalizers. Every rule replaces one letter by one, so offsets hold. Digits
# go first, because the digits 1 to 5 are nucleotide tokens. Without a molecule type every letter
# is unknown: a bare `tokenizers.Tokenizer` must not take DNA for protein in silence.
NORMALIZERS = {
    "gene": normalizers.Sequence(
        [normalizers.Replace(Regex("[1-4]"), "5")]
        + [
            normalizers.Replace(Regex(letters), token)
            for letters, token in (("[Aa]", "1"), ("[TtUu]", "2"), ("[Cc]", "3"), ("[Gg]", "4"))
        ]
        + [normalizers.Replace(Regex("[^1-4]"), "5")]
    ),
    "prot": normalizers.Sequence(
        [normalizers.Replace(Regex("[1-5]"), UNKNOWN)]
        + [normalizers.Replace(letter.lower(), letter) for letter in RESIDUES if letter.isalpha()]
    ),
    None: normalizers.Replace(Regex(r"[\s\S]"), UNKNOWN),
}
# Options whose results only the library makes.
LIBRARY_OPTIONS = (
    "is_split_into_words",
    "return_offsets_mapping",
    "return_overflowing_tokens",
    "stride",
)
# Anchored, so that an added token with a digit in its name is left alone.
DECODER = decoders.Sequence(
    [
        decoders.Replace(Regex(f"^{token}$"), letter)
        for token, letter in zip(NUCLEOTIDES, "ATCGN", strict=True)
    ]
)


def _template(first: SeqType | None, second: SeqType | None = None) -> TemplateProcessing:
    """Return `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, token types those of the molecules."""
    a, b = (TOKEN_TYPE_IDS[seq_type] if seq_type else 0 for seq_type in (first, second))
    single = f"[CLS]:{a} $A:{a} [SEP]:{a}"
    return TemplateProcessing(
        single=single,
        pair=f"{single} $B:{b} [SEP]:{b}",
        special_tokens=[(token, VOCABULARY[token]) for token in ("[CLS]", "[SEP]")],
    )


def _check_vocabulary(source: str | PathLike[str] | Mapping[str, int]) -> None:
    """Raise a ValueError if a mapping, a `vocab.json` or a `tokenizer.json` is another one."""
    vocabulary, name = source, "the vocabulary given"
    if isinstance(source, (str, PathLike)):
        stored, name = json.loads(Path(source).read_text(encoding="utf-8")), str(source)
        vocabulary = stored["model"]["vocab"] if "model" in stored else stored
    if vocabulary != VOCABULARY:
        raise ValueError(f"{name} is not the LucaOne vocabulary of {len(VOCABULARY)} tokens")


def _letter_ids(text: str, seq_type: SeqType) -> bytes:
    """Return the token ids of a text, one byte each; special tokens in brackets are tokens."""
    table = TABLES[seq_type]
    if "[" not in text:
        return text.encode("ascii", "replace").translate(table)
    return b"".join(
        SPECIAL_BYTES.get(piece) or piece.encode("ascii", "replace").translate(table)
        for piece in SPECIAL_PATTERN.split(text)
    )


def _tensor(rows: Any, tensor_type: Any) -> Any:
    """Return rows of small integers, lists or bytes, as an int64 tensor in one conversion.

    Where that cannot be done (rows of different lengths, no rows, another kind of tensor) they
    come back as lists, for the library to convert or to raise its own error.
    """
    if tensor_type not in ("np", "pt") or len(set(map(len, rows))) != 1 or len(rows[0]) == 0:
        return [list(row) for row in rows]
    if isinstance(rows[0], bytes):
        array = np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1).astype(np.int64)
    else:
        array = np.array(rows, dtype=np.int64)
    if tensor_type == "np":
        return array
    import torch

    return torch.from_numpy(array)


class _TypedBackend:
    """A backend tokenizer for one call, which reads every sequence by its own molecule type.

    The library drives it as it would the `tokenizers.Tokenizer` that it copies; that one keeps
    its state, because `datasets` hashes a tokenizer to find what it has already computed.
    `types` holds one list for the first sequences, and one for the second if there are pairs.
    """

    def __init__(self, backend: Tokenizer, types: list[list[SeqType]]) -> None:
        self._backend: Any = copy.deepcopy(backend)
        self._types = types

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def encode_batch(
        self, batch: Sequence[Any], add_special_tokens: bool, is_pretokenized: bool
    ) -> list[Encoding]:
        """As `tokenizers.Tokenizer.encode_batch`: one `Encoding` per sequence or pair."""
        backend = self._backend
        truncation, padding = backend.truncation, backend.padding
        backend.no_truncation()
        backend.no_padding()
        # The library sets this option on the object that it sees, not on the copy.
        backend.encode_special_tokens = self.encode_special_tokens
        sides = [batch] if len(self._types) == 1 else zip(*batch, strict=True)
        encoded = [
            self._encode(sequences, types, is_pretokenized, truncation is not None)
            for sequences, types in zip(sides, self._types, strict=True)
        ]
        if truncation is not None:
            backend.enable_truncation(**truncation)
            for encoding in chain(*encoded[1:]):
                _forget_sequence_number(encoding)
        encodings = []
        for parts, types in zip(
            zip(*encoded, strict=True), zip(*self._types, strict=True), strict=True
        ):
            backend.post_processor = _template(*types)
            encodings.append(backend.post_process(*parts, add_special_tokens=add_special_tokens))
        if padding is not None:
            width = padding.pop("length") or max(map(len, encodings))
            multiple = padding.pop("pad_to_multiple_of") or 1
            for encoding in encodings:
                encoding.pad(-(-width // multiple) * multiple, **padding)
        return encodings

    def _encode(
        self,
        sequences: Sequence[Any],
        types: list[SeqType],
        is_pretokenized: bool,
        is_truncated: bool,
    ) -> list[Encoding]:
        encodings: dict[int, Encoding] = {}
        for seq_type in set(types):
            self._backend.normalizer = NORMALIZERS[seq_type]
            # Overflowing windows keep the token types that their letters have when they are cut.
            type_id = TOKEN_TYPE_IDS[seq_type]
            template = TemplateProcessing(single=f"$A:{type_id}") if is_truncated else None
            self._backend.post_processor = template
            rows = [row for row, other in enumerate(types) if other == seq_type]
            encoded = self._backend.encode_batch(
                [sequences[row] for row in rows],
                is_pretokenized=is_pretokenized,
                add_special_tokens=False,
            )
            encodings.update(zip(rows, encoded, strict=True))
        return [encodings[row] for row in range(len(types))]


def _forget_sequence_number(encoding: Encoding) -> None:
    """Undo that a template took a second sequence for a first one, which hides the real first."""
    state = json.loads(encoding.__getstate__())
    state["sequence_ranges"] = {}
    encoding.__setstate__(json.dumps(state).encode())


class LucaOneBatchEncoding(BatchEncoding):
    """A `BatchEncoding` whose per-token objects (`encodings`) are made when first asked for."""

    _made: Sequence[Encoding] | None

    # Without `by_library` it is a plain one: `Trainer` and others rebuild a batch by
    # `type(batch)({...})`.
    def __init__(
        self, *args: Any, by_library: Callable[[], BatchEncoding] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._by_library = by_library

    @property
    def _encodings(self) -> Sequence[Encoding] | None:
        if self._made is None and self._by_library is not None:
            self._made = self._by_library().encodings
        return self._made

    @_encodings.setter
    def _encodings(self, value: Sequence[Encoding] | None) -> None:
        self._made = value

    @property
    def is_fast(self) -> bool:
        """Whether per-token objects are to be had; asking does not make them."""
        return self._by_library is not None or self._made is not None

    # The library's own pair would make the per-token objects to pickle them.
    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


class LucaOneTokenizerFast(TokenizersBackend):
    r"""Tokenizer for nucleic acids and proteins, `[CLS] sequence [SEP]`, one token per letter.

    Letters are upper-cased. In a nucleic acid U is T and whatever is not A, C, G, T, U is N; in a
    protein the 26 letters and `.`, `-`, `*` are tokens and anything else is `[UNK]`. `[MASK]` and
    the other special tokens may stand in the text. Every call needs the molecule type of each
    sequence, unless a default is stored with the tokenizer:

    ```python
    >>> tokenizer = LucaOneTokenizerFast()
    >>> tokenizer("ACGU", seq_type="rna")["input_ids"]
    [2, 5, 7, 8, 6, 3]
    >>> tokenizer(["ACGT", "MKT"], seq_type=["gene", "prot"])["token_type_ids"]
    [[0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1]]
    ```

    Besides the library's arguments, calls (also `encode` and `tokenize`) take:

    - `seq_type`: "gene" (or "dna", "rna", "nucleic_acid") or "prot" (or "protein"), one for all
      sequences or a list with one for each; the stored default if not given.
    - `seq_type_pair`: the same for `text_pair`.

    They raise a `ValueError` if a molecule type is missing or unknown, if a list of them does not
    match the sequences, and if a pair comes with `seq_type` but no `seq_type_pair`.

    Args:
        seq_type: the default molecule type, stored by `save_pretrained`.
        vocab_file, vocab: a vocabulary to be checked against the one built in.
        unk_token, cls_token, sep_token, pad_token, mask_token: the special tokens.
        **kwargs: handed to the library.

    Raises:
        ValueError: `seq_type` is unknown, or a vocabulary given is not LucaOne's.
    """

    vocab_files_names = VOCAB_FILES_NAMES
    model_input_names = MODEL_INPUT_NAMES
    model = BPE
    _tokenizer: Any
    _seq_type: SeqType | None

    def __init__(
        self,
        seq_type: str | None = None,
        vocab_file: str | None = None,
        vocab: str | dict[str, int] | None = None,
        unk_token: str | AddedToken = "[UNK]",
        cls_token: str | AddedToken = "[CLS]",
        sep_token: str | AddedToken = "[SEP]",
        pad_token: str | AddedToken = "[PAD]",
        mask_token: str | AddedToken = "[MASK]",
        **kwargs: Any,
    ) -> None:
        for source in (vocab_file, vocab):
            if source is not None:
                _check_vocabulary(source)
        kwargs.pop("auto_map", None)  # names a file of the published layout, which we do not save
        self._tokenizer = Tokenizer(BPE(VOCABULARY, merges=[], unk_token="[UNK]"))
        super().__init__(
            seq_type=seq_type,
            unk_token=unk_token,
            cls_token=cls_token,
            sep_token=sep_token,
            pad_token=pad_token,
            mask_token=mask_token,
            **kwargs,
        )
        # A `tokenizer_object` or `tokenizer_file` takes the place of the backend built above.
        _check_vocabulary(self._tokenizer.get_vocab(with_added_tokens=False))
        self._tokenizer.decoder = DECODER
        self.seq_type = seq_type

    @classmethod
    def convert_to_native_format(
        cls, trust_remote_code: bool = False, **kwargs: Any
    ) -> dict[str, Any]:
        """Check what `from_pretrained` found; the backend itself is built in code.

        Raises:
            ValueError: a stored vocabulary is not LucaOne's.
        """
        for name in cls.vocab_files_names:
            if (path := kwargs.pop(name, None)) is not None:
                _check_vocabulary(path)
        return kwargs

    @property
    def seq_type(self) -> SeqType | None:
        """The default molecule type, "gene" or "prot", or None. Setting takes any spelling."""
        return self._seq_type

    @seq_type.setter
    def seq_type(self, value: str | None) -> None:
        self._seq_type = None if value is None else normalize_seq_type(value)
        self._tokenizer.normalizer = NORMALIZERS[self._seq_type]
        self._tokenizer.post_processor = _template(self._seq_type, self._seq_type)

    def _molecule_types(self, value: Any, count: int, argument: str) -> list[SeqType]:
        """Return one molecule type for each of `count` sequences."""
        if value is None:
            value = self.seq_type
        if value is None:
            raise ValueError(
                f"{argument} is missing: choose {CHOICES}, in the call or once for all with "
                'AutoTokenizer.from_pretrained(path, seq_type="prot")'
            )
        if isinstance(value, str) or not isinstance(value, Iterable):
            return [normalize_seq_type(value)] * count
        types = [normalize_seq_type(item) for item in value]
        if len(types) != count:
            raise ValueError(f"{argument} names {len(types)} molecule types for {count} sequences")
        return types

    def _encode_plus(
        self,
        text: Any,
        text_pair: Any = None,
        seq_type: Any = None,
        seq_type_pair: Any = None,
        **options: Any,
    ) -> BatchEncoding:
        is_split = options.get("is_split_into_words")
        is_list = isinstance(text, (list, tuple))
        holds_lists = is_list and len(text) > 0 and isinstance(text[0], (list, tuple))
        is_batch = holds_lists if is_split else is_list
        if holds_lists and text_pair is None and not is_split:
            if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in text):
                raise ValueError("a list of pairs holds something that is not a pair")
            text, text_pair = map(list, zip(*text, strict=True))
        if text_pair is None and seq_type_pair is not None:
            raise ValueError("seq_type_pair is given, but no text_pair")
        if text_pair is not None and seq_type is not None and seq_type_pair is None:
            raise ValueError(f"seq_type is given, but no seq_type_pair for text_pair: {CHOICES}")
        if not is_batch and not text_pair:
            text_pair = None  # as the library reads an empty second sequence
        sides = [side if is_batch else [side] for side in (text, text_pair) if side is not None]
        types = [
            self._molecule_types(value, len(side), argument)
            for side, value, argument in zip(
                sides, (seq_type, seq_type_pair), ("seq_type", "seq_type_pair"), strict=False
            )
        ]
        if not is_split and not all(isinstance(item, str) for side in sides for item in side):
            raise ValueError("text must be a string, a list of strings, or a list of pairs of them")
        # Copies, because the caller may change a list before the per-token objects are made.
        texts = (copy.copy(text), copy.copy(text_pair))
        by_library = partial(self._encode_by_library, *texts, types, options)
        if not self._can_look_up(sides, **options):
            return by_library()
        data = self._look_up(sides, types, **options)
        return_tensors = options.get("return_tensors")
        for name in data.keys() - {"length"}:
            if return_tensors is not None:
                data[name] = _tensor(data[name], return_tensors)
            elif not is_batch:
                data[name] = data[name][0]
        return LucaOneBatchEncoding(
            data, by_library=by_library, tensor_type=return_tensors, n_sequences=len(sides)
        )

    def _encode_by_library(
        self, text: Any, text_pair: Any, types: list[list[SeqType]], options: dict[str, Any]
    ) -> BatchEncoding:
        """Encode through the backend pipeline: on a shallow copy, which gets a copy of it."""
        other = copy.copy(self)
        other._tokenizer = _TypedBackend(self._tokenizer, types)
        return super(LucaOneTokenizerFast, other)._encode_plus(text, text_pair, **options)

    def _can_look_up(
        self,
        sides: list[Sequence[Any]],
        add_special_tokens: bool = True,
        truncation_strategy: TruncationStrategy = TruncationStrategy.DO_NOT_TRUNCATE,
        max_length: int | None = None,
        split_special_tokens: bool | None = None,
        **options: Any,
    ) -> bool:
        """Whether the look-up gives what the library would."""
        if split_special_tokens is None:
            split_special_tokens = self.split_special_tokens
        if split_special_tokens or any(map(options.get, LIBRARY_OPTIONS)):
            return False
        if truncation_strategy != TruncationStrategy.DO_NOT_TRUNCATE:
            # Pairs, and lengths that leave no room for a letter, have rules not repeated here.
            if len(sides) == 2 or truncation_strategy == TruncationStrategy.ONLY_SECOND:
                return False
            if max_length is None or max_length <= (2 if add_special_tokens else 0):
                return False
        return (
            all(isinstance(side, (list, tuple)) for side in sides)
            and len(set(map(len, sides))) == 1
            and self.added_tokens_decoder == PLAIN_ADDED_TOKENS
        )

    def _look_up(
        self,
        sides: list[Sequence[str]],
        types: list[list[SeqType]],
        add_special_tokens: bool = True,
        padding_strategy: PaddingStrategy = PaddingStrategy.DO_NOT_PAD,
        truncation_strategy: TruncationStrategy = TruncationStrategy.DO_NOT_TRUNCATE,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_special_tokens_mask: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        **_: Any,
    ) -> dict[str, Any]:
        """Return the features of a batch, each as rows of lists, or of bytes for a tensor."""
        cls, sep = (CLS, SEP) if add_special_tokens else (b"", b"")
        kept = slice(None)
        if truncation_strategy != TruncationStrategy.DO_NOT_TRUNCATE and max_length is not None:
            room = max_length - len(cls + sep)
            kept = slice(room) if self.truncation_side == "right" else slice(-room, None)
        wanted = {
            "token_type_ids": return_token_type_ids,
            "attention_mask": return_attention_mask,
            "special_tokens_mask": return_special_tokens_mask,
        }
        for name, is_wanted in wanted.items():
            if is_wanted is None:
                wanted[name] = name in self.model_input_names
        # `+` and `*` mean the same for a row of either kind.
        row: Any = list if return_tensors is None else bytes
        zero, one = row([0]), row([1])

        features: dict[str, Any] = {}
        for start, texts, seq_types in zip((cls, b""), sides, types, strict=False):
            parts = [
                start + _letter_ids(text, seq_type)[kept] + sep
                for text, seq_type in zip(texts, seq_types, strict=True)
            ]
            columns = {"input_ids": [row(part) for part in parts]}
            if wanted["token_type_ids"]:
                columns["token_type_ids"] = [
                    (one if seq_type == "prot" else zero) * len(part)
                    for part, seq_type in zip(parts, seq_types, strict=True)
                ]
            if wanted["attention_mask"]:
                columns["attention_mask"] = [one * len(part) for part in parts]
            if wanted["special_tokens_mask"]:
                columns["special_tokens_mask"] = [
                    one * len(start) + zero * (len(part) - len(start + sep)) + one * len(sep)
                    for part in parts
                ]
            for name, column in columns.items():
                before = features.get(name)
                features[name] = column if before is None else list(map(add, before, column))

        if padding_strategy != PaddingStrategy.DO_NOT_PAD:
            width = max(map(len, features["input_ids"]), default=0)
            if padding_strategy == PaddingStrategy.MAX_LENGTH and max_length is not None:
                width = max_length
            multiple = pad_to_multiple_of or 1
            width = -(-width // multiple) * multiple
            fills = {"input_ids": self.pad_token_id, "special_tokens_mask": 1}
            is_left = (padding_side or self.padding_side) == "left"
            for name, rows in features.items():
                fill = row([fills.get(name, 0)])
                pads = [fill * (width - len(ids)) for ids in rows]
                features[name] = list(map(add, pads, rows) if is_left else map(add, rows, pads))
        if return_length:
            features["length"] = [len(ids) for ids in features["input_ids"]]
        longest: Any = max(features["input_ids"], key=len, default=())
        self._eventual_warn_about_too_long_sequence(longest, max_length, verbose)
        return features

    def pad(
        self, encoded_inputs: Any, *args: Any, return_tensors: Any = None, **kwargs: Any
    ) -> BatchEncoding:
        """As the library's `pad`; from lists to tensors in one step for each feature."""
        batch = super().pad(encoded_inputs, *args, **kwargs)
        if return_tensors is None or not isinstance(batch, BatchEncoding):
            return batch
        for name in (*self.model_input_names, "special_tokens_mask"):
            rows = batch.get(name)
            if isinstance(rows, list) and rows and isinstance(rows[0], list):
                batch[name] = _tensor(rows, return_tensors)
        return batch.convert_to_tensors(return_tensors)


class LucaGPLMTokenizer(LucaOneTokenizerFast):
    """The same tokenizer under the class name that the published checkpoints give."""
