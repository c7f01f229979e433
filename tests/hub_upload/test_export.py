# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Repositories made of every kind of model, and tried as a stranger would."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForPreTraining,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)

import lucaone_cli
from finetune.classifiers import find_classifier, load_classifier
from hub_upload import convert, export
from hub_upload.repository import exporting
from hub_upload.repository.card import CardFacts, render_card
from hub_upload.repository.facts import ModelFacts
from hub_upload.repository.manifest import MANIFEST, check_files, read_manifest
from hub_upload.repository.privacy import find_private
from hub_upload.repository.probe import REFERENCE
from hub_upload.repository.verification import Row, Verification
from modeling_lucaone import AutoModelForPairClassification, LucaOneForTokenClassification
from tests.finetune.helpers import make_model, write_pairs, write_proteins
from tests.finetune.trained_models import save
from tests.helpers import GOLDEN, REPOSITORY, SAME_LIMIT, relative_l2, tiny_config
from training_jobs.results import without_folders

CODE = {
    "configuration_lucaone.py",
    "modeling_lucaone.py",
    "packing.py",
    "pooling.py",
    "sentence_transformer.py",
    "tokenization_lucaone.py",
}
HEADS = {"heads.py", "head_encoder.py", "losses.py"}
STOCK_PAIR = "AutoModelForNextSentencePrediction"
# What loads each kind of repository beside AutoConfig, and the code it needs beyond the encoder's.
KINDS = {
    "encoder": ({"AutoModel": "LucaOneModel"}, set()),
    "hub": ({"AutoModel": "LucaOneModel", "AutoModelForMaskedLM": "LucaOneForMaskedLM"}, set()),
    "original": (
        {
            "AutoModel": "LucaOneModel",
            "AutoModelForMaskedLM": "LucaOneForMaskedLM",
            "AutoModelForPreTraining": "LucaOneForPreTraining",
        },
        HEADS,
    ),
    "classifier": (
        {
            "AutoModel": "LucaOneModel",
            "AutoModelForSequenceClassification": "LucaOneForSequenceClassification",
        },
        HEADS,
    ),
    "tokens": (
        {
            "AutoModel": "LucaOneModel",
            "AutoModelForTokenClassification": "LucaOneForTokenClassification",
        },
        HEADS,
    ),
    "pairs": (
        {
            "AutoModel": "LucaOneForPairClassification",
            STOCK_PAIR: "LucaOneForPairClassification",
        },
        HEADS | {"pipelines.py"},
    ),
}
SINGLE = "AutoModelForSequenceClassification"
KINDS["merged"] = KINDS["classifier"]
KINDS["kept"] = ({SINGLE: "LucaOneForSequenceClassification"}, HEADS)
KINDS["kept pairs"] = ({"AutoModel": "LucaOneForPairClassification"}, HEADS)
KEPT = ("kept", "kept pairs")
AUTO_CLASSES = {
    "encoder": AutoModel,
    "hub": AutoModelForMaskedLM,
    "original": AutoModelForPreTraining,
    "classifier": AutoModelForSequenceClassification,
    "tokens": AutoModelForTokenClassification,
    "pairs": AutoModelForPairClassification,
    "merged": AutoModelForSequenceClassification,
}
# Tries a repository where what torch and transformers do not need is not to be had.
ALONE = """
import importlib.metadata, json, re, sys
from importlib.machinery import PathFinder
from pathlib import Path

def name(text):
    return re.sub("[-_.]+", "-", re.match("[A-Za-z0-9_.-]+", text)[0]).lower()

needed, more = set(), ["torch", "transformers"]
while more:
    one = more.pop()
    if one not in needed:
        needed.add(one)
        try:
            lines = importlib.metadata.requires(one) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        more += [name(line) for line in lines if "extra ==" not in line]
top = importlib.metadata.packages_distributions()
hidden = {module for module, owners in top.items() if not needed & {name(o) for o in owners}}
assert {"peft", "datasets", "accelerate", "sentence_transformers"} <= hidden

find = PathFinder.find_spec
PathFinder.find_spec = lambda fullname, *more: (
    None if fullname.partition(".")[0] in hidden else find(fullname, *more)
)
from probe.__main__ import isolate, probe
print(json.dumps(probe(Path(sys.argv[1]), None, isolate())))
"""
NOT_TRIED = Verification((Row("all", "skipped", "left out"),))


def finetune(folder, mode, data, base, *more):
    """Run the command; return the folder it made."""
    run = folder / "run"
    arguments = ["finetune", "--data", data, "--model", base, "--output", run, "--mode", mode]
    changes = [*more, "epochs=1", "batch_size=8", "fc_size=null", "hidden_size=8", "warmup_steps=1"]
    arguments += [part for change in changes for part in ("--set", change)]
    assert lucaone_cli.main([*map(str, arguments), "--device", "cpu"]) == 0
    return run


@pytest.fixture(scope="module")
def source(request, tmp_path_factory):
    """The folder of a model of some kind, and what export is told beside it."""
    kind, folder = request.param, tmp_path_factory.mktemp("source")
    base = make_model(folder / "base")
    if kind == "encoder":
        return kind, base, {}
    if kind in ("hub", "original"):
        convert(GOLDEN / f"{kind}-tiny", folder / "model")
        return kind, folder / "model", {}
    if kind == "tokens":
        torch.manual_seed(0)
        model = LucaOneForTokenClassification(tiny_config(num_labels=3, seq_types=["prot"]))
        return kind, save(model, folder / "model"), {}
    if kind.endswith("pairs"):
        data, more = write_pairs(folder / "pairs.csv"), ["input=pair"]
    else:
        data, more = write_proteins(folder / "proteins.csv"), []
    if kind in ("classifier", "pairs"):
        return kind, finetune(folder, "full", data, base, *more), {}
    run = finetune(folder, "lora", data, base, *more)
    options = {"base_model": base, "base_id": "someone/base"}
    return kind, run / "adapter", options | {"adapter": "keep" if kind in KEPT else "merge"}


@pytest.fixture(scope="module")
def exported(source, tmp_path_factory):
    """The repository made of it."""
    kind, folder, options = source
    dest = tmp_path_factory.mktemp("repositories") / "a-model"
    return kind, folder, export(folder, dest, license="apache-2.0", **options)


@pytest.fixture
def unverified(monkeypatch):
    """Leave out the process of its own."""
    monkeypatch.setattr(exporting, "verify", lambda folder, **_: NOT_TRIED)


def each_kind(*quick):
    """Every kind of model, of which only some in a quick run."""
    return pytest.mark.parametrize(
        "source",
        [pytest.param(kind, marks=() if kind in quick else pytest.mark.slow) for kind in KINDS],
        indirect=True,
    )


@each_kind("pairs")
class TestEveryKind:
    def test_a_stranger_can_use_it(self, exported):
        """In a process that has neither this package nor the network."""
        kind, _, report = exported
        verification = report.verification
        assert verification.ok, str(verification)
        checks = {row.check: row for row in verification.rows}
        wanted = {*KINDS[kind][0], "AutoConfig", "AutoTokenizer"}
        if kind in KEPT:
            wanted = {"AutoConfig", "AutoTokenizer", "PeftModel"}
        assert wanted <= checks.keys()
        assert {name for name, row in checks.items() if row.status == "skipped"} <= {
            "SentenceTransformer"
        }

    @pytest.mark.slow
    def test_nothing_but_torch_and_transformers_is_needed(self, exported, tmp_path):
        kind, _, report = exported
        if kind in KEPT:
            pytest.skip("an adapter needs peft")
        (tmp_path / "probe").symlink_to(REPOSITORY / "hub_upload" / "repository" / "probe")
        command = [sys.executable, "-c", ALONE, str(report.folder)]
        settings = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ | settings, capture_output=True, text=True
        )
        rows = json.loads(done.stdout.splitlines()[-1])
        assert [row for row in rows if row["status"] == "failed"] == []
        assert {row["check"] for row in rows if row["status"] == "skipped"} == {
            "SentenceTransformer"
        }

    def test_what_it_says_of_its_classes(self, exported):
        kind, _, report = exported
        config = json.loads((report.folder / "config.json").read_text())
        classes = {name: value.rpartition(".")[2] for name, value in config["auto_map"].items()}
        assert classes == KINDS[kind][0] | {"AutoConfig": "LucaOneConfig"}
        assert ("custom_pipelines" in config) == (kind == "pairs")
        tokenizer = json.loads((report.folder / "tokenizer_config.json").read_text())
        assert tokenizer["auto_map"]["AutoTokenizer"] == [
            None,
            "tokenization_lucaone.LucaOneTokenizerFast",
        ]
        assert (report.folder / "modules.json").exists() == (kind not in KEPT)

    def test_it_has_the_code_it_needs_and_no_other(self, exported):
        kind, _, report = exported
        files = {path.name for path in report.folder.glob("*.py")}
        assert files == CODE | KINDS[kind][1]
        for name in files:
            head = (report.folder / name).read_text().splitlines()[:2]
            assert head[0].startswith("# Copyright") and "SPDX-License-Identifier" in head[1]
        license = (report.folder / "LICENSE-CODE").read_text()
        assert license == (REPOSITORY / "LICENSE").read_text()

    def test_its_manifest_lists_every_file_but_the_card(self, exported):
        _, _, report = exported
        files = {
            path.relative_to(report.folder).as_posix()
            for path in report.folder.rglob("*")
            if path.is_file()
        }
        manifest = read_manifest(report.folder)
        assert manifest["files"].keys() == files - {MANIFEST, "README.md"}
        assert check_files(report.folder) == []
        assert len({(report.folder / name).stat().st_mode for name in files}) == 1
        assert (report.files, report.size) == (
            len(files),
            sum((report.folder / name).stat().st_size for name in files),
        )

    def test_nothing_names_this_machine(self, exported, tmp_path_factory):
        _, folder, report = exported
        for path in report.folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                for name in (folder, report.folder, tmp_path_factory.getbasetemp()):
                    assert str(name).encode() not in content, path

    def test_with_this_package_no_code_of_it_is_run(self, exported):
        kind, folder, report = exported
        if kind in KEPT:
            pytest.skip("an adapter is loaded by finetune")
        inputs = AutoTokenizer.from_pretrained(report.folder)("MKTA", seq_type="prot")
        assert inputs["token_type_ids"] == [1] * 6
        auto_class = AUTO_CLASSES[kind]
        model = auto_class.from_pretrained(report.folder).state_dict()
        if kind == "merged":
            found = find_classifier(folder, folder.parent.parent / "base")
            expected = load_classifier(found).state_dict()
        else:
            expected = auto_class.from_pretrained(folder).state_dict()
        assert model.keys() == expected.keys()
        for name, tensor in expected.items():
            assert torch.equal(model[name], tensor), name

    def test_exported_anew_it_is_the_same(self, exported, source, tmp_path, unverified):
        _, _, report = exported
        _, folder, options = source
        again = export(folder, tmp_path / "a-model", license="apache-2.0", **options)
        for path in report.folder.rglob("*"):
            if path.is_file():
                name = path.relative_to(report.folder)
                assert path.read_bytes() == (again.folder / name).read_bytes(), name


@pytest.mark.parametrize("source", [pytest.param("kept", marks=pytest.mark.slow)], indirect=True)
def test_a_kept_adapter_names_its_base_model_on_the_hub(exported, source):
    _, folder, report = exported
    settings = json.loads((report.folder / "adapter_config.json").read_text())
    assert settings["base_model_name_or_path"] == "someone/base"
    assert not (report.folder / "model.safetensors").exists()
    facts = ModelFacts.read(report.folder)
    assert facts.adapter
    base = folder.parent.parent / "base"
    ours = load_classifier(find_classifier(report.folder, base))
    theirs = load_classifier(find_classifier(folder, base))
    inputs = AutoTokenizer.from_pretrained(base)("MKTAY", seq_type="prot", return_tensors="pt")
    assert relative_l2(ours(**inputs).logits, theirs(**inputs).logits) < SAME_LIMIT


def test_an_exported_model_is_exported_and_trained_on_like_any_other(tmp_path, unverified):
    model = make_model(tmp_path / "model")
    first = export(model, tmp_path / "first", license="mit", seq_type="protein")
    tokenizer = AutoTokenizer.from_pretrained(first.folder)
    assert tokenizer.seq_type == "prot"
    second = export(first.folder, tmp_path / "second", name="first").folder
    assert ModelCard.load(second / "README.md").data.license == "mit"
    for name in ("model.safetensors", "config.json", REFERENCE, "README.md"):
        assert (second / name).read_bytes() == (first.folder / name).read_bytes(), name
    trained = finetune(tmp_path, "full", write_proteins(tmp_path / "proteins.csv"), first.folder)
    assert "auto_map" not in json.loads((trained / "config.json").read_text())


def test_precision_and_shards(tmp_path, unverified, monkeypatch):
    monkeypatch.setattr(exporting, "MAX_SHARD_SIZE", "20KB")
    convert(GOLDEN / "hub-tiny", tmp_path / "half", dtype="bfloat16")
    report = export(tmp_path / "half", tmp_path / "repository")
    shards = list(report.folder.glob("model-*.safetensors"))
    assert len(shards) > 1
    facts = ModelFacts.read(report.folder)
    assert facts.dtypes == ("BF16",)
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "half", dtype="auto")
    assert facts.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert any("--license" in note for note in report.notes)


def test_a_model_of_the_trainer_of_transformers(tmp_path, unverified):
    """Its state is all that is known of the training; the folders in it are not for others."""
    model = make_model(tmp_path / "model")
    state = {
        "best_model_checkpoint": str(tmp_path / "runs" / "checkpoint-20"),
        "global_step": 1_200,
        "epoch": 2.5,
        "num_train_epochs": 3,
        "train_batch_size": 16,
        "log_history": [
            {"step": 600, "epoch": 1.0, "loss": 0.9},
            {"step": 600, "epoch": 1.0, "eval_loss": 0.8, "eval_accuracy": 0.5},
            {"step": 1_200, "eval_loss": 0.7, "eval_accuracy": 0.625, "eval_runtime": 3.0},
        ],
    }
    (model / "trainer_state.json").write_text(json.dumps(state))
    (model / "results.json").write_text('{"mine": 1}')
    folder = export(model, tmp_path / "repository").folder
    assert not (folder / "results.json").exists()
    text = ModelCard.load(folder / "README.md").text
    for said in "1,200 updates", "2.5000 epochs", "| accuracy | 0.6250 |", "epochs: 3":
        assert said in text
    assert "0.8" not in text and "runtime" not in text and "checkpoint-20" not in text
    (folder / "trainer_state.json").write_text("{}")
    with pytest.raises(ValueError, match=r"trainer_state\.json: damaged \(KeyError"):
        render_card(folder, CardFacts(name="x"))


def damaged(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def test_models_that_are_not_whole(tmp_path, unverified):
    model = make_model(tmp_path / "model")
    name = "encoder.layers.0.fc1.weight"
    for change, message in [
        (lambda tensors: tensors.pop(name), f"tensor {name} is missing"),
        (lambda tensors: tensors.update(extra=torch.ones(1)), "tensor extra does not belong to"),
        (lambda tensors: tensors.update({name: torch.ones(2, 2)}), f"tensor {name} is"),
    ]:
        broken = tmp_path / "broken"
        shutil.copytree(model, broken)
        damaged(broken, change)
        with pytest.raises(ValueError, match=message):
            export(broken, tmp_path / "repository")
        shutil.rmtree(broken)
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"architectures": ["BertModel"]}))
    with pytest.raises(ValueError, match=r"names no class of ours \(BertModel\)"):
        export(model, tmp_path / "repository")
    assert {path.name for path in tmp_path.iterdir()} == {"model"}


def test_options_that_do_not_fit(tmp_path, unverified):
    model = make_model(tmp_path / "model")
    dest = tmp_path / "repository"
    for options, message in [
        ({"adapter": "melt"}, "unknown adapter 'melt'"),
        ({"adapter": "keep"}, "is no adapter"),
        ({"base_model": "base"}, "is no adapter"),
        ({"base_id": "base"}, "--base-id 'base' is not the OWNER/NAME"),
        ({"repo_id": "a/b/c"}, "--repo-id 'a/b/c' is not the OWNER/NAME"),
        ({"license": "Apache 2.0 <b>"}, "--license 'Apache 2.0 <b>' is not an identifier"),
        ({"seq_type": "lipid"}, "lipid"),
    ]:
        with pytest.raises(ValueError, match=message):
            export(model, dest, **options)
    with pytest.raises(ValueError, match="there is no such folder"):
        export(tmp_path / "nothing", dest)
    with pytest.raises(ValueError, match="lies within the model"):
        export(model, model / "repository")
    dest.mkdir()
    (dest / "file").touch()
    with pytest.raises(ValueError, match="is not empty"):
        export(model, dest)
    assert [path.name for path in dest.iterdir()] == ["file"]


def test_a_default_type_that_the_model_does_not_take(tmp_path, unverified):
    torch.manual_seed(0)
    model = LucaOneForTokenClassification(tiny_config(num_labels=3, seq_types=["prot"]))
    folder = save(model, tmp_path / "model")
    with pytest.raises(ValueError, match="--seq-type gene: the model takes prot"):
        export(folder, tmp_path / "repository", seq_type="dna")


@pytest.mark.parametrize(
    ("front_matter", "expected"),
    [
        ("license: cc-by-nc-4.0", "cc-by-nc-4.0"),
        ("license: [mit, apache-2.0]", None),
        ("license: 3", None),
        ("license: other\nlicense_name: mine", None),
        ("license: [", None),
    ],
)
def test_the_licence_of_a_model_on_the_hub(
    tmp_path, unverified, monkeypatch, front_matter, expected
):
    """It stands in the card there, which the commands that only compute do not fetch."""
    there = make_model(tmp_path / "there")
    (there / "README.md").write_text(f"---\n{front_matter}\n---\n# Mine\n")
    fetched = []

    def fetch(name, revision=None, allow_patterns=()):
        fetched.extend(allow_patterns)
        here = tmp_path / "cache" / "commit"
        for pattern in allow_patterns:
            for file in there.glob(pattern):
                here.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, here / file.name)
        return str(here)

    monkeypatch.setattr("embedding.models.snapshot_download", fetch)
    monkeypatch.setattr(exporting, "snapshot_download", fetch)
    report = export("someone/model", tmp_path / "repository")
    assert ModelCard.load(report.folder / "README.md").data.license == expected
    assert any("--license" in note for note in report.notes) == (expected is None)
    assert "README.md" in fetched and "*.bin" not in fetched


def test_a_trained_model_has_the_licence_of_its_base_and_keeps_its_notes(tmp_path, unverified):
    base = make_model(tmp_path / "base")
    (base / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n")
    run = finetune(tmp_path, "full", write_proteins(tmp_path / "proteins.csv"), base)
    results = json.loads((run / "results.json").read_text())
    assert results["model"]["license"] == "cc-by-4.0"
    results["notes"] = ["It knows nothing of fungi."]
    (run / "results.json").write_text(json.dumps(results))
    report = export(run, tmp_path / "repository")
    card = ModelCard.load(report.folder / "README.md")
    assert card.data.license == "cc-by-4.0"
    assert "It knows nothing of fungi." in card.text
    assert any("--base-id" in note and "base" in note for note in report.notes)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see /home/jane/x.csv", True),
        (r"see C:\\Users\\jane\\x", True),
        ("see /data/project/x", True),
        ("made in /data/project.", True),
        ("see /data/projects", False),
        ("https://host/data/project-2", False),
        ("token hf_" + "a" * 34, True),
    ],
)
def test_what_must_not_leave_the_machine(tmp_path, text, found):
    (tmp_path / "README.md").write_text(text)
    lines = find_private(tmp_path, [Path("/data/project"), Path("/data")])
    assert bool(lines) == found
    assert "a" * 34 not in "".join(lines)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/Users/Jane Doe/secret stuff/x.csv", "x.csv"),
        ("file:///home/jane/x.csv", "x.csv"),
        (r"C:\Users\jane\x.csv", "x.csv"),
        (r"\\server\jane\x.csv", "x.csv"),
        ("read /home/jane/x.csv anew", "read x.csv anew"),
        ("someone/model", "someone/model"),
        ("https://example.org/a", "https://example.org/a"),
    ],
)
def test_results_lose_the_folders_of_a_machine(value, expected):
    assert without_folders({"a": [value]}) == {"a": [expected]}


def test_results_that_name_a_folder_of_this_machine(tmp_path, unverified):
    model = make_model(tmp_path / "model")
    results = json.loads((REPOSITORY / "lucaone_nano" / "results.json").read_text())
    results["recipe"]["about"] = "made by hf_" + "a" * 34
    (model / "results.json").write_text(json.dumps(results))
    with pytest.raises(ValueError, match="holds an access token"):
        export(model, tmp_path / "repository")
    assert {path.name for path in tmp_path.iterdir()} == {"model"}


def test_a_repository_that_does_not_pass_is_not_left(tmp_path, monkeypatch):
    model = make_model(tmp_path / "model")
    found = Verification((Row("AutoModel", "failed", "differs by 0.1"),))
    monkeypatch.setattr(exporting, "verify", lambda folder, **_: found)
    with pytest.raises(ValueError, match=r"not written, for it does not pass: .*differs by 0\.1"):
        export(model, tmp_path / "repository")
    assert {path.name for path in tmp_path.iterdir()} == {"model"}


def test_the_commands(tmp_path, capsys, unverified):
    model, dest = make_model(tmp_path / "model"), tmp_path / "repository"
    assert lucaone_cli.main(["hub", "export", str(model), str(dest), "--base-id", "base"]) == 2
    assert "--base-id 'base'" in capsys.readouterr().err
    assert lucaone_cli.main(["hub", "export", str(model), str(dest)]) == 0
    out, err = capsys.readouterr()
    assert out.endswith(" bytes\n") and err.startswith("note: ")
    assert lucaone_cli.main(["hub", "export", str(model), str(dest)]) == 1
    assert "is not empty" in capsys.readouterr().err
