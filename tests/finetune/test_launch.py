# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The launch configurations, and a sharded model, as far as both run without a GPU."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from accelerate.commands.config.config_args import load_config_from_file

import training_jobs
from modeling_lucaone import modeling_lucaone
from tests.helpers import REPOSITORY

FILES = sorted((Path(training_jobs.__file__).parent / "launch").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_accelerate_knows_every_key(file):
    read = load_config_from_file(str(file)).to_dict()
    for key, value in yaml.safe_load(file.read_text()).items():
        assert read[key] == value


def test_fsdp_wraps_a_class_that_there_is():
    (file,) = (file for file in FILES if file.stem == "fsdp2")
    settings = yaml.safe_load(file.read_text())["fsdp_config"]
    assert hasattr(modeling_lucaone, settings["fsdp_transformer_layer_cls_to_wrap"])


SHARDED = """
import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

from modeling_lucaone import LucaOneForSequenceClassification
from tests.helpers import random_batch, tiny_config

dist.init_process_group("gloo")
mesh = init_device_mesh("cpu", (2,))


def trained(shard):
    torch.manual_seed(0)
    model = LucaOneForSequenceClassification(tiny_config(num_labels=3))
    if shard:
        for layer in model.lucaone.encoder.layers:
            fully_shard(layer, mesh=mesh)
        fully_shard(model, mesh=mesh)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for step in range(3):
        batch = random_batch(lengths=(9, 17, 5), seed=step)
        loss = model(**batch, labels=torch.tensor([0, 1, 2])).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    tensors = {name: p.detach() for name, p in model.named_parameters()}
    return {name: p.full_tensor() if isinstance(p, DTensor) else p for name, p in tensors.items()}


plain, sharded = trained(False), trained(True)
assert plain.keys() == sharded.keys()
for name, tensor in plain.items():
    assert torch.allclose(tensor, sharded[name], rtol=1e-4, atol=1e-6), name
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_a_model_sharded_over_two_processes_trains_the_same(tmp_path):
    script = tmp_path / "sharded.py"
    script.write_text(SHARDED)
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run(
        [sys.executable, *launcher, str(script)],
        check=True,
        env={"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
    )
