# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The matrices of the blocks in 8 bits, by torchao, in the way of `from_pretrained`."""

from importlib.util import find_spec

from transformers import TorchAoConfig

# Every module beside the encoder that holds linear layers; their matrices stay as they are.
HEADS = ("lm_head", "annotation_heads", "summary", "summaries", "classifier")


def int8_config(activations: bool = False) -> TorchAoConfig:
    """Return what lets `from_pretrained` keep the blocks' matrices in 8 bits.

    Every row of a matrix has its own scale. Embeddings, norms, biases, rotary frequencies and heads
    stay in the dtype of the model. `save_pretrained` keeps the 8 bits, and the folder loads without
    this configuration.

    Example:
        >>> from transformers import AutoModel
        >>> model = AutoModel.from_pretrained(
        ...     "lucaone", dtype="bfloat16", quantization_config=int8_config()
        ... )

    Args:
        activations: multiply in 8 bits too, with one scale per token, found as it runs; otherwise
            products are those of the model's dtype.

    Raises:
        ImportError: torchao is missing.
    """
    if find_spec("torchao") is None:
        raise ImportError("torchao is missing: pip install 'lucaone-hf[quantization]'")
    from torchao.quantization import Int8DynamicActivationInt8WeightConfig, Int8WeightOnlyConfig

    kind = Int8DynamicActivationInt8WeightConfig if activations else Int8WeightOnlyConfig
    # By default it changes how torch.compile works in the whole process.
    scheme = kind(set_inductor_config=False)
    return TorchAoConfig(scheme, modules_to_not_convert=list(HEADS))


__all__ = ["int8_config"]
