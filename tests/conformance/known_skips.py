# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Skips of transformers' common tests that we cannot avoid.

A skip is known if its test matches the first pattern and what the test says the second one; the
third column says why it cannot be avoided. Any other skip fails the run.
"""

KNOWN_SKIPS: list[tuple[str, str, str]] = [
    # What the machine lacks.
    (
        r"modeling_tester",
        r"^test requires (accelerator|multiple accelerators|CUDA|MPS)",
        "needs a GPU",
    ),
    (
        r"_flash_attn_",
        r"^test requires (Flash Attention|the kernels library)",
        "needs a GPU and FlashAttention",
    ),
    (
        r"test_kernels_can_load_without_crashing",
        r"^test requires the kernels library",
        "needs a GPU and kernels from the Hub",
    ),
    (
        r"_with_deepspeed",
        r"^test requires deepspeed",
        "needs GPUs and DeepSpeed",
    ),
    # What LucaOne does not have, by its nature.
    (
        r"composite_models?$|test_internal_model_config_and_subconfig_are_same",
        r"composite|No subconfigs|does not support SDPA",
        "only for models composed of several models",
    ),
    (
        r"test_causal_lm_loss|test_encoder_decoder_loss",
        r"^No (decoder-only|sequence-to-sequence) language modeling head",
        "only for decoders",
    ),
    (
        r"test_eager_matches_batched_and_grouped|router_logits",
        r"grouped_mm|sparse experts|output_router_logits",
        "only for mixtures of experts",
    ),
    (
        r"test_sliding_window_mask",
        r"does not support sliding window",
        "only for attention in a sliding window",
    ),
    (
        r"test_resize_position_vector_embeddings",
        r"does not have position embeddings",
        "only for learned position embeddings; ours are rotations",
    ),
    (
        r"test_vision_axial_rope",
        r"no axial RoPE layer",
        "only for images",
    ),
    (
        r"test_model_rope_with_partial_rotation",
        r"does not have partial rope",
        "only for heads that are rotated in part; ours are rotated whole",
    ),
    (
        r"test_reverse_loading_mapping|test_can_load_from_already_mapped_keys",
        r"^No conversion found",
        "only for checkpoints whose tensors are renamed; ours keep the published names",
    ),
    # The tokenizer.
    (
        r"tokenization_tester.*test_alignment_methods",
        r"white space parts no words",
        "aligns words; a sequence has none",
    ),
    (
        r"tokenization_tester.*test_token_type_ids",
        r"token types are molecule types",
        "counts the sequences of a pair by token type; ours are molecule types",
    ),
    (
        r"tokenization_tester.*test_training_new_tokenizer",
        r"the vocabulary is fixed by the weights",
        "trains a vocabulary; ours is fixed by the weights",
    ),
    (
        r"tokenization_tester.*test_chat_template",
        r"doesn't accept chat templates",
        "only for chats",
    ),
]
