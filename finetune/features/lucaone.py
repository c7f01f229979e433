# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""LucaOne as a source of features: `embed_file` computes them, which shares out and saves work."""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from embedding import embed_file
from embedding.embedder import finish, join_pieces
from embedding.models import ModelSource, load_tokenizer
from embedding.outputs import replace_durably, writing
from embedding.parts import PartFolder
from embedding.settings import Settings
from modeling_lucaone import LucaOneModel

from .base import Backbone, Rows, TypedSequence
from .files import PART_BYTES, FeatureFile, feature_files, next_file, save_features

# Where `embed_file` writes; what it has finished gets the name of a part.
WORK = "work.safetensors"
SEED = 0


class LucaOneBackbone(Backbone):
    """A LucaOne model; the rows of residues are those of the last hidden state.

    Args:
        source: the model.
        rows: see `Backbone`.
        dtype: of the computation; as stored where not given.
        device: as of PyTorch; the GPU where there is one, if not given.
        tokens_per_batch: see `embedding.runner.ModelRunner`.
    """

    shared = True

    def __init__(
        self,
        source: ModelSource,
        rows: Rows,
        dtype: str | None = None,
        device: str | None = None,
        tokens_per_batch: int | None = None,
    ):
        self.source, self.rows, self.device = source, rows, device
        self.name, self.width = source.name, source.config.hidden_size
        self._tokens_per_batch = tokens_per_batch
        self._settings = Settings(
            "header", pooling="none" if rows == "residues" else rows, dtype=dtype, keep_gaps=True
        )

    def made_from(self) -> dict[str, Any]:
        """Return the hashes of the model and the options of `embed_file`."""
        return {**self.source.fingerprint(), **self._settings.decisive()}

    def write(self, sequences: Sequence[TypedSequence], folder: Path, processes: Any) -> list[str]:
        """See `Backbone.write`."""
        return self._embed(self.source.folder, sequences, folder, processes)

    def _embed(
        self, model: Path, sequences: Sequence[TypedSequence], folder: Path, processes: Any
    ) -> list[str]:
        fasta = folder / "work.fasta"
        if processes.is_main_process:
            with writing(fasta), fasta.open("w") as file:
                for sequence in sequences:
                    header = f">{sequence.digest} seq_type={sequence.seq_type}"
                    file.write(f"{header}\n{sequence.letters}\n")
        summary = embed_file(
            fasta,
            folder / WORK,
            model,
            "header",
            device=self.device,
            tokens_per_batch=self._tokens_per_batch,
            force=True,  # whoever read the sequences has questioned their type
            pooling=self._settings.pooling,
            dtype=self._settings.dtype,
            keep_gaps=True,
        )
        if processes.is_main_process:
            _adopt(folder)
            fasta.unlink()
        return summary.notes

    def recover(self, folder: Path) -> None:
        """Keep the sequences that a killed `embed_file` had finished."""
        _adopt(folder)
        work = PartFolder(folder / WORK)
        if not work.path.exists():
            return
        known = {
            digest
            for path in feature_files(folder)
            for digest in FeatureFile(path, self.width).digests
        }
        digests: list[str] = []
        rows: list[Tensor] = []

        def save() -> None:
            if digests:
                save_features(folder, digests, rows, self.rows != "residues")
                digests.clear()
                rows.clear()

        for digest, matrix in _finished(work, self._settings.pooling):
            if digest not in known:
                digests.append(digest)
                rows.append(matrix.view(-1, self.width))
            if sum(matrix.nbytes for matrix in rows) >= PART_BYTES:
                save()
        save()
        shutil.rmtree(work.path, ignore_errors=True)


def _adopt(folder: Path) -> None:
    """Give the files that `embed_file` has finished their names in a store."""
    for path in sorted(folder.glob(f"{Path(WORK).stem}*.safetensors")):
        with writing(path):
            replace_durably(path, next_file(folder))
    (folder / f"{WORK}.index.json").unlink(missing_ok=True)


def _finished(work: PartFolder, pooling: str) -> Iterator[tuple[str, Tensor]]:
    """Read the parts of an unfinished job; yield id and features of the records that are whole."""
    pieces: dict[str, list[Tensor]] = {}
    letters: dict[str, int] = {}
    for path in sorted(work.path.glob("part-*.safetensors")):
        number = int(path.stem.removeprefix("part-"))
        if not work.has(number):
            continue
        rows, infos = work.read(number)
        each = rows.split([info.kept for info in infos]) if pooling == "none" else rows.unbind()
        for info, piece in zip(infos, each, strict=True):
            pieces.setdefault(info.id, []).append(piece)
            letters[info.id] = letters.get(info.id, 0) + info.kept
            if letters[info.id] == info.embedded:
                whole = join_pieces(pooling, pieces.pop(info.id))
                # Of its own: the part's memory is let go, and no two matrices share theirs.
                yield info.id, finish(pooling, whole, info.embedded).float().clone()


class RandomLucaOne(LucaOneBackbone):
    """A model of the same configuration with fresh weights, which are kept beside its features."""

    def __init__(self, source: ModelSource, *arguments: Any):
        super().__init__(source, *arguments)
        self.name = f"random:{source.name}"

    def made_from(self) -> dict[str, Any]:
        """Return the hash of the configuration, the seed and the options of `embed_file`."""
        config = hashlib.sha256((self.source.folder / "config.json").read_bytes()).hexdigest()
        return {"config_sha256": config, "seed": SEED, **self._settings.decisive()}

    def write(self, sequences: Sequence[TypedSequence], folder: Path, processes: Any) -> list[str]:
        """See `Backbone.write`."""
        model = folder / "model"
        if processes.is_main_process and not model.exists():
            begun = folder / "model.begun"
            with torch.random.fork_rng(devices=[]), writing(model):
                torch.manual_seed(SEED)
                LucaOneModel(self.source.config).save_pretrained(begun)
                load_tokenizer(self.source).save_pretrained(begun)
                begun.replace(model)
        processes.wait_for_everyone()
        return self._embed(model, sequences, folder, processes)
