# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The encoder as one graph, for `torch.export` and ONNX, with any number and length of sequences.

In a graph nothing can depend on values: padding stays, `attention_mask` and `token_type_ids` are
inputs like `input_ids`, and a row holds three tokens at least, which is [CLS], a letter and [SEP].
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from .modeling_lucaone import LucaOneModel, LucaOnePreTrainedModel

POOLINGS = ("mean", "max", "cls")
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
DIMENSIONS = {0: torch.export.Dim("rows"), 1: torch.export.Dim("length", min=3)}
# How far a file may be from the model, as relative L2: the contract between ways of running the
# same thing in fp32, and that of half precision.
FP32_LIMIT, HALF_LIMIT = 2e-5, 1e-2


class _Graph(nn.Module):
    """The encoder with a fixed set of inputs and one output."""

    def __init__(self, model: LucaOneModel, pooling: str | None):
        super().__init__()
        self.model = model
        self.pooling = pooling

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Map (rows, length) to (rows, length, hidden_size), or pooled to (rows, hidden_size)."""
        hidden = self.model(input_ids, attention_mask, token_type_ids).last_hidden_state
        if self.pooling is None:
            return hidden
        # As LucaOnePooling, but row by row: sums by sequence number do not translate to ONNX.
        hidden, real = hidden.float(), attention_mask.bool()
        if self.pooling == "cls":
            chosen = real & (real.cumsum(dim=1) == 1)
        else:
            config = self.model.config
            chosen = real & (input_ids != config.bos_token_id) & (input_ids != config.sep_token_id)
        chosen = chosen[..., None]
        if self.pooling == "max":
            highest = hidden.masked_fill(~chosen, -torch.inf).amax(dim=1)
            return highest.masked_fill(highest == -torch.inf, 0.0)
        return hidden.masked_fill(~chosen, 0.0).sum(dim=1) / chosen.sum(dim=1).clamp(min=1)


def _proteins(lengths: tuple[int, ...], device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """Return a padded batch of proteins of so many tokens."""
    ids = torch.zeros(len(lengths), max(lengths), dtype=torch.long, device=device)
    for row, length in enumerate(lengths):
        ids[row, :length] = 10 + torch.arange(length, device=device) % 20
        ids[row, 0], ids[row, length - 1] = 2, 3
    mask = ids.ne(0).long()
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": mask.clone()}


@contextmanager
def _without_dropout(model: nn.Module) -> Iterator[None]:
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def export_program(
    model: LucaOnePreTrainedModel, pooling: str | None = None
) -> torch.export.ExportedProgram:
    """Export the encoder with `torch.export`; `torch.export.save` and `load` keep it.

    Example:
        >>> program = export_program(model)
        >>> inputs = tokenizer(["ACGT", "ACG"], seq_type="gene", padding=True, return_tensors="pt")
        >>> program.module()(**inputs).shape
        torch.Size([2, 6, 2560])

    Args:
        model: a LucaOne model; heads are left out.
        pooling: None for hidden states, `mean` or `max` over the residues, or `cls`.

    Returns:
        A program of `input_ids`, `attention_mask` and `token_type_ids`, (rows, length) int64.
        Hidden states are (rows, length, hidden_size) in the model's dtype, zeros where padding is;
        pooled they are (rows, hidden_size) in fp32.

    Raises:
        ValueError: an unknown pooling, or an attention back-end that cannot be exported.
    """
    if pooling is not None and pooling not in POOLINGS:
        raise ValueError(f"unknown pooling {pooling!r}; known are {', '.join(POOLINGS)}")
    backend = model.config._attn_implementation
    if backend not in ("sdpa", "eager"):
        raise ValueError(f"attn_implementation {backend!r} cannot be exported; load with 'sdpa'")
    with _without_dropout(model):
        return torch.export.export(
            _Graph(model.base_model, pooling).eval(),
            (),
            _proteins((9, 5), model.device),
            dynamic_shapes=dict.fromkeys(INPUTS, DIMENSIONS),
        )


def export_onnx(
    model: LucaOnePreTrainedModel,
    path: str | os.PathLike[str],
    pooling: str | None = None,
    verify: bool = True,
    **options: Any,
) -> None:
    """Write the encoder as ONNX, with inputs and shapes as of `export_program`.

    The weights lie in a second file beside `path`, with `.data` added to its name. The output is
    called `last_hidden_state`, or `sentence_embedding` where it is pooled.

    Args:
        model: a LucaOne model; heads are left out.
        path: file to write, such as `lucaone.onnx`.
        pooling: None for hidden states, `mean` or `max` over the residues, or `cls`.
        verify: run the file in ONNX Runtime on the CPU and compare it with the model, on batches of
            other shapes than the one it was exported with.
        options: for `torch.onnx.export`, such as `opset_version`.

    Raises:
        ImportError: `onnx`, `onnxscript` or, to verify, `onnxruntime` is missing.
        ValueError: see `export_program`; the weights are quantized; or the file does not run, or
            not as the model does.
    """
    for library in ("onnx", "onnxscript", *(["onnxruntime"] if verify else [])):
        if find_spec(library) is None:
            raise ImportError(f"{library} is missing: pip install 'lucaone-hf[onnx]'")
    if getattr(model.config, "quantization_config", None) is not None:
        raise ValueError("8-bit weights of torchao do not go into ONNX; export the model without")
    torch.onnx.export(
        export_program(model, pooling),
        f=path,
        dynamo=True,
        verbose=False,
        input_names=list(INPUTS),
        output_names=["last_hidden_state" if pooling is None else "sentence_embedding"],
        # Names the axes; once is enough, for all inputs share them.
        dynamic_shapes=dict.fromkeys(INPUTS) | {INPUTS[0]: DIMENSIONS},
        **options,
    )
    if verify:
        with _without_dropout(model):
            _verify(_Graph(model.base_model, pooling), path)


@torch.no_grad()
def _verify(graph: _Graph, path: str | os.PathLike[str]) -> None:
    """Compare a file with the model that it was made from.

    Raises:
        ValueError: it does not run, or gives other numbers.
    """
    import onnxruntime

    batches = [_proteins(lengths) for lengths in ((3,), (40,), (12, 31, 3))]
    try:
        session = onnxruntime.InferenceSession(os.fspath(path), providers=["CPUExecutionProvider"])
        arrays = [
            session.run(None, {name: batch[name].numpy() for name in INPUTS})[0]
            for batch in batches
        ]
    except Exception as error:  # its errors have no class in common
        reason = str(error).splitlines()[0]
        raise ValueError(f"{path}: ONNX Runtime does not run it: {reason}") from error
    limit = FP32_LIMIT if graph.model.dtype == torch.float32 else HALF_LIMIT
    for batch, array in zip(batches, arrays, strict=True):
        inputs = {name: batch[name].to(graph.model.device) for name in INPUTS}
        expected = graph(**inputs).cpu().float()
        away = (torch.from_numpy(array).float() - expected).norm() / expected.norm()
        if not away <= limit:
            shape = tuple(batch[INPUTS[0]].shape)
            raise ValueError(f"{path}: relative L2 {away:.1e} from the model on a batch of {shape}")


__all__ = ["export_onnx", "export_program"]
