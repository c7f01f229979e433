# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`torch.export` programs and ONNX files of the encoder."""

import numpy as np
import pytest
import torch

from modeling_lucaone import LucaOneForMaskedLM, LucaOneModel, export
from modeling_lucaone.export import export_onnx, export_program
from modeling_lucaone.packing import SequenceBatch
from modeling_lucaone.pooling import LucaOnePooling
from tests.helpers import BF16_LIMIT, SAME_LIMIT, random_batch, relative_l2, tiny_config

# None of the shape with which models are exported; a single row, and the shortest there is.
SHAPES = [
    ((30, 12), (False, True)),
    ((8,), (True,)),
    ((3,), (False,)),
    ((3, 70, 5, 3), (1, 0, 1, 0)),
]


def make(dtype=torch.float32, **fields):
    torch.manual_seed(0)
    return LucaOneModel(tiny_config(**({"num_hidden_layers": 1} | fields))).to(dtype).eval()


def batches():
    for lengths, proteins in SHAPES:
        for left in (False, True):
            yield random_batch(lengths, proteins, left=left)


@torch.no_grad()
def expected_of(model, batch, pooling):
    if pooling is None:
        return model(**batch).last_hidden_state
    batch = SequenceBatch.from_inputs(model.config, **batch)
    hidden = model(**batch.model_inputs()).last_hidden_state.float()
    return LucaOnePooling(pooling, model.config.hidden_size)(hidden, batch)


@pytest.mark.parametrize("pooling", [None, "mean", "max", "cls"])
def test_a_saved_program_gives_the_same(pooling, tmp_path):
    model = make()
    torch.export.save(export_program(model, pooling), tmp_path / "lucaone.pt2")
    program = torch.export.load(tmp_path / "lucaone.pt2").module()
    for batch in batches():
        result = program(**batch)
        assert relative_l2(result, expected_of(model, batch, pooling)) < SAME_LIMIT
        if pooling is None:
            assert not result[batch["attention_mask"] == 0].any()


def test_half_precision_turns_in_fp32():
    model = make(torch.bfloat16)
    program = export_program(model)
    angles = [
        node.args[0].meta["val"].dtype
        for module in program.graph_module.modules()
        for node in module.graph.nodes
        if str(node.target) in ("aten.cos.default", "aten.sin.default")
    ]
    assert angles == [torch.float32, torch.float32]
    batch = random_batch((600, 20), (True, False))
    result, exact = program.module()(**batch), make()(**batch).last_hidden_state
    assert result.dtype == torch.bfloat16
    assert relative_l2(result.float(), exact) < BF16_LIMIT


def test_heads_and_training_are_left_alone():
    model = LucaOneForMaskedLM(tiny_config(num_hidden_layers=1, attention_dropout=0.5)).train()
    program = export_program(model)
    assert model.training
    batch = random_batch()
    expected = expected_of(model.lucaone.eval(), batch, None)
    assert relative_l2(program.module()(**batch), expected) < SAME_LIMIT


def test_what_cannot_be_exported(tmp_path, monkeypatch):
    model = make()
    with pytest.raises(ValueError, match="unknown pooling 'median'; known are mean, max, cls"):
        export_program(model, "median")
    model.set_attn_implementation("flex_attention")
    with pytest.raises(ValueError, match="'flex_attention' cannot be exported; load with 'sdpa'"):
        export_program(model)
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"onnx is missing: pip install 'lucaone-hf\[onnx\]'"):
        export_onnx(make(), tmp_path / "lucaone.onnx")


class TestOnnx:
    @pytest.fixture(autouse=True)
    def libraries(self):
        pytest.importorskip("onnxscript")
        self.runtime = pytest.importorskip("onnxruntime")

    def session(self, path):
        return self.runtime.InferenceSession(path, providers=["CPUExecutionProvider"])

    @pytest.mark.parametrize(
        "pooling",
        [None, "mean", *(pytest.param(name, marks=pytest.mark.slow) for name in ("max", "cls"))],
    )
    def test_onnx_runtime_gives_the_same(self, pooling, tmp_path):
        model = make()
        export_onnx(model, tmp_path / "lucaone.onnx", pooling)
        session = self.session(tmp_path / "lucaone.onnx")
        assert [(i.name, i.shape, i.type) for i in session.get_inputs()] == [
            (name, ["rows", "length"], "tensor(int64)") for name in export.INPUTS
        ]
        (output,) = session.get_outputs()
        name, shape = (
            ("last_hidden_state", ["rows", "length", 32])
            if pooling is None
            else (
                "sentence_embedding",
                ["rows", 32],
            )
        )
        assert (output.name, output.shape, output.type) == (name, shape, "tensor(float)")
        for batch in batches():
            inputs = {name: tensor.numpy() for name, tensor in batch.items()}
            (result,) = session.run(None, inputs)
            expected = expected_of(model, batch, pooling)
            assert relative_l2(torch.from_numpy(result), expected) < SAME_LIMIT
            if pooling is None:
                assert not result[inputs["attention_mask"] == 0].any()

    @pytest.mark.slow
    def test_eager_attention_and_other_opsets(self, tmp_path):
        model = make()
        model.set_attn_implementation("eager")
        export_onnx(model, tmp_path / "eager.onnx")
        export_onnx(make(), tmp_path / "opset23.onnx", opset_version=23)

    @pytest.mark.slow
    def test_half_precision(self, tmp_path):
        export_onnx(make(torch.float16), tmp_path / "half.onnx")
        (array,) = self.session(tmp_path / "half.onnx").run(
            None, {name: tensor.numpy() for name, tensor in random_batch().items()}
        )
        assert array.dtype == np.float16
        with pytest.raises(ValueError, match=r"bf16\.onnx: ONNX Runtime does not run it: .*\d"):
            export_onnx(make(torch.bfloat16), tmp_path / "bf16.onnx")

    def test_a_file_that_is_not_the_model(self, tmp_path):
        path = tmp_path / "lucaone.onnx"
        export_onnx(make(), path, verify=False)
        other = make()
        with torch.no_grad():
            other.encoder.layers[0].fc2.bias[0] += 1e-2
        with pytest.raises(ValueError, match=r"lucaone\.onnx: relative L2 .* a batch of \(1, 3\)"):
            export._verify(export._Graph(other, None), path)
