# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The published checkpoints, and repositories made of them."""

import json
import shutil
import tomllib

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file, save_file

import lucaone_cli
from hub_upload.files import CheckpointError
from hub_upload.published import republishing
from hub_upload.published.catalogue import (
    CATALOGUE,
    find_checkpoint,
    label_file,
    read_catalogue,
)
from hub_upload.published.page import render_page
from hub_upload.published.republishing import compare, republish
from hub_upload.repository import exporting
from hub_upload.repository.verification import Row, Verification
from modeling_lucaone.configuration_lucaone import PUBLISHED_TASKS
from tests.helpers import GOLDEN, REPOSITORY

ORIGINAL, HUB = GOLDEN / "original-tiny", GOLDEN / "hub-tiny"
EXPECTED = ORIGINAL / "expected.safetensors"
NOT_TRIED = Verification((Row("all", "skipped", "left out"),))


@pytest.fixture
def catalogue(tmp_path):
    """A catalogue that lists the golden checkpoint as lucaone-36m."""
    fields = json.loads((ORIGINAL / "config.json").read_text())
    tasks = list(find_checkpoint("lucaone-36m").tasks)
    path = tmp_path / "checkpoints.toml"
    path.write_text(
        f"""
[shape]
blocks = 3
width = {fields["hidden_size"]}
heads = {fields["num_attention_heads"]}
[[checkpoint]]
name = "lucaone-36m"
about = "The golden one."
steps = 36_000_000
layouts = ["original"]
tasks = {json.dumps(tasks)}
[[checkpoint]]
name = "other"
about = "One with fewer tasks."
steps = 64
layouts = ["original", "hub"]
tasks = ["gene_mask"]
license = "mit"
license_source = "this test"
"""
    )
    return path


@pytest.fixture
def unverified(monkeypatch):
    """Leave out the process of its own, which the tests of export are about."""
    monkeypatch.setattr(exporting, "verify", lambda folder, **_: NOT_TRIED)


def card_of(folder):
    return ModelCard.load(folder / "README.md")


def test_the_catalogue_agrees_with_the_configuration():
    catalogue = read_catalogue()
    assert len(catalogue) == len(tomllib.loads(CATALOGUE.read_text())["checkpoint"]) == 7
    for entry in catalogue.values():
        assert set(entry.tasks) <= PUBLISHED_TASKS.keys()
        assert entry.updates * 32 == entry.steps and entry.records == entry.steps * 8
        assert set(entry.layouts) <= {"original", "hub"} and entry.layouts
        assert (entry.license is None) == (entry.license_source is None)
    assert set(catalogue["lucaone-36m"].tasks) == PUBLISHED_TASKS.keys()
    for name, seq_type in ("lucaone-gene-36.8m", "gene"), ("lucaone-prot-30m", "prot"):
        expected = {task for task, of in PUBLISHED_TASKS.items() if of["seq_type"] == seq_type}
        assert set(catalogue[name].tasks) == expected
    assert catalogue["lucaone-5.6m"].updates == 175_000
    assert catalogue["lucaone-5.6m"].records == 44_800_000


def test_label_files_are_those_that_were_published():
    folder = REPOSITORY.parent / "shared" / "data" / "labels"
    if not folder.is_dir():
        pytest.skip("the published label files (../shared/data) are not beside the repository")
    there = {path.name for path in folder.iterdir()}
    files = {label_file(task) for task in PUBLISHED_TASKS} - {None}
    assert len(files) == 8 and files <= there


def test_the_page_is_made_of_the_catalogue():
    assert (REPOSITORY / "docs" / "checkpoints.md").read_text() == render_page()


def test_a_damaged_catalogue(tmp_path):
    path = tmp_path / "checkpoints.toml"
    for text in "[[checkpoint]]\nname = 'a'", "[[", "[shape]\ndepth = 3\n[[checkpoint]]\n":
        path.write_text(text)
        with pytest.raises(ValueError, match=r"checkpoints\.toml: "):
            read_catalogue(path)


def test_compared_with_reference_values(tmp_path, catalogue, unverified):
    dest = tmp_path / "repository"
    report = republish("lucaone-36m", ORIGINAL, dest, reference=EXPECTED, catalogue=catalogue)
    assert report.folder == dest
    text = card_of(dest).text
    # Of four batches: hidden states, logits of the LM head, and those of the heads for their types.
    assert "Verified: 32 tensors" in text and "Unverified" not in text
    assert "36,000,000 steps" in text and "1,125,000 updates" in text
    assert card_of(dest).data.license is None and "--license" in report.notes[0]
    assert not list(tmp_path.glob(".*"))


def test_without_reference_values_the_card_says_so(tmp_path, catalogue, unverified):
    dest = tmp_path / "repository"
    republish("lucaone-36m", ORIGINAL, dest, license="cc-by-4.0", catalogue=catalogue)
    assert "Unverified" in card_of(dest).text
    assert card_of(dest).data.license == "cc-by-4.0"


def test_the_licence_beside_the_checkpoint_counts_before_the_catalogue(
    tmp_path, catalogue, unverified
):
    source = tmp_path / "source"
    shutil.copytree(HUB, source)
    for name, expected in ("known", "mit"), ("stated", "apache-2.0"):
        if name == "stated":
            (source / "README.md").write_text("---\nlicense: apache-2.0\n---\n# x\n")
        republish("other", source, tmp_path / name, catalogue=catalogue)
        assert card_of(tmp_path / name).data.license == expected


def test_values_that_differ(tmp_path, catalogue, unverified):
    stored = load_file(EXPECTED)
    stored["gene.logits.gene_type"] = stored["gene.logits.gene_type"] * 1.001
    save_file(stored, tmp_path / "wrong.safetensors")
    with pytest.raises(ValueError, match=r"wrong\.safetensors: gene\.logits\.gene_type differs"):
        republish(
            "lucaone-36m",
            ORIGINAL,
            tmp_path / "repository",
            reference=tmp_path / "wrong.safetensors",
            catalogue=catalogue,
        )
    assert not (tmp_path / "repository").exists() and not list(tmp_path.glob(".*"))


def test_references_that_say_nothing(tmp_path):
    path = tmp_path / "reference.safetensors"
    ids = torch.tensor([[2, 5, 6, 3]])
    whole = {"a.input_ids": ids, "a.attention_mask": ids**0, "a.token_type_ids": ids * 0}
    for tensors, message in [
        ({"x": ids}, "no values to compare"),
        (whole, "no values to compare"),
        ({"a.input_ids": ids}, "a has no attention_mask or token_type_ids"),
        (whole | {"a.last_hidden_state": torch.zeros(1, 4, 2)}, "last_hidden_state differs by inf"),
    ]:
        save_file(tensors, path)
        with pytest.raises(ValueError, match=message):
            compare(HUB, path)
    path.write_bytes(b"no tensors")
    with pytest.raises(ValueError, match="cannot be read"):
        compare(HUB, path)


def test_another_checkpoint_than_its_name_says(tmp_path, catalogue):
    dest = tmp_path / "repository"
    for name, source, message in [
        ("lucaone-36m", HUB, "its layout hub, not original"),
        ("other", ORIGINAL, "its tasks gene_mask, .*, not gene_mask$"),
    ]:
        with pytest.raises(CheckpointError, match=f"this is not {name}: {message}"):
            republish(name, source, dest, catalogue=catalogue)
    with pytest.raises(CheckpointError, match="this is not lucaone-36m: its blocks 3, not 20"):
        republish("lucaone-36m", ORIGINAL, dest)
    assert not dest.exists() and not list(tmp_path.glob(".*"))


def test_the_command(tmp_path, catalogue, unverified, monkeypatch, capsys):
    assert lucaone_cli.main(["hub", "republish", "lucaone-1m", "a", "b"]) == 2
    assert "unknown checkpoint 'lucaone-1m'; published are lucaone-5.6m" in capsys.readouterr().err
    arguments = ["hub", "republish", "lucaone-36m", str(ORIGINAL), str(tmp_path / "repository")]
    assert lucaone_cli.main(arguments) == 1  # it is not of the published size
    assert "its blocks 3, not 20" in capsys.readouterr().err
    monkeypatch.setattr(
        republishing, "find_checkpoint", lambda name, _: find_checkpoint(name, catalogue)
    )
    assert lucaone_cli.main([*arguments, "--dtype", "bfloat16", "--seq-type", "prot"]) == 0
    out, err = capsys.readouterr()
    assert str(tmp_path / "repository") in out and "note: " in err
    config = json.loads((tmp_path / "repository" / "tokenizer_config.json").read_text())
    assert config["seq_type"] == "prot"
