# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The model card of a repository: its numbers, its examples, and what it says after an edit."""

import json
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
from dataclasses import asdict, replace
from math import prod

import pytest
import torch
import yaml
from huggingface_hub import ModelCard, ModelCardData
from peft import LoraConfig, get_peft_model

import lucaone_cli
import lucaone_nano
from hub_upload.files import CheckpointError
from hub_upload.repository.card import CardFacts, check_card, render_card
from hub_upload.repository.code import TOKENIZER_AUTO_MAP, auto_map, copy_code, custom_pipelines
from hub_upload.repository.examples import SEQUENCES
from hub_upload.sentence_transformer_files import write_sentence_transformer_files
from modeling_lucaone import (
    LucaOneForPairClassification,
    LucaOneForPreTraining,
    LucaOneForSequenceClassification,
    LucaOneForTokenClassification,
)
from tests.finetune.test_card import RESULTS, changed
from tests.helpers import REPOSITORY, tiny_config
from tokenization import LucaOneTokenizerFast

NANO = json.loads((lucaone_nano.PATH / "results.json").read_text())
LOADED_BY = {
    "encoder": "AutoModel, AutoModelForMaskedLM, AutoModelForPreTraining",
    "classifier": "AutoModel, AutoModelForSequenceClassification",
    "tokens": "AutoModel, AutoModelForTokenClassification",
    "pair": "AutoModel",
    "adapter": "an adapter of peft on its base model",
}
KINDS = tuple(LOADED_BY)
LOCATIONS = {0: "membrane", 1: "cell wall", 2: "outside"}
PROTLOC = changed(
    task__name="ProtLoc", task__input="single", task__seq_types=["prot"], task__max_lengths=[5627]
) | {"command": "finetune"}


def write_repository(folder, model, seq_type=None, results=None, adapter=False):
    """Write what a card is rendered from."""
    model.save_pretrained(folder)
    LucaOneTokenizerFast(seq_type=seq_type).save_pretrained(folder)
    copy_code(type(model), folder)
    added = {"auto_map": auto_map(type(model), model.config, adapter=adapter)}
    if pipelines := custom_pipelines(type(model)):
        added["custom_pipelines"] = pipelines
    for name, fields in (
        ("config.json", added),
        ("tokenizer_config.json", {"auto_map": TOKENIZER_AUTO_MAP}),
    ):
        edit_json(folder / name, **fields)
    write_sentence_transformer_files(folder)
    if results is not None:
        (folder / "results.json").write_text(json.dumps(results))
    return folder


def edit_json(path, **fields):
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def classifier(seq_type="prot"):
    config = tiny_config(
        seq_types=[seq_type], id2label=LOCATIONS, problem_type="single_label_classification"
    )
    return LucaOneForSequenceClassification(config)


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    """Folders by what they hold."""
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("repositories")
    nano = LucaOneForPreTraining.from_pretrained(lucaone_nano.PATH)
    pair = tiny_config(
        pair_kind="heterogeneous",
        seq_types=["gene", "prot"],
        id2label={0: "encoded"},
        problem_type="multi_label_classification",
        label_names={"classifier": ["no", "encoded"]},
        max_residues=[2458, 618],
    )
    tokens = tiny_config(
        seq_types=["gene"], id2label=LOCATIONS, problem_type="single_label_classification"
    )
    results = RESULTS | {"command": "finetune"}
    folders = {
        "encoder": write_repository(root / "encoder", nano, results=NANO),
        "classifier": write_repository(root / "classifier", classifier(), "prot", PROTLOC),
        "tokens": write_repository(root / "tokens", LucaOneForTokenClassification(tokens)),
        "pair": write_repository(
            root / "pair", LucaOneForPairClassification(pair), results=results
        ),
        "adapter": write_repository(root / "adapter", classifier(), adapter=True),
    }
    # An adapter of the classifier, beside the configuration and the code.
    lora = LoraConfig(target_modules=["q_proj"], modules_to_save=["summary", "classifier"])
    get_peft_model(classifier(), lora).save_pretrained(
        folders["adapter"], save_embedding_layers=False
    )
    (folders["adapter"] / "model.safetensors").unlink()
    (folders["adapter"] / "modules.json").unlink()
    return folders


@pytest.fixture
def repository(repositories, tmp_path):
    """Copy a repository, with a card, for a test that spoils it; return it and the card's facts."""

    def copy(name, **fields):
        folder = shutil.copytree(repositories[name], tmp_path / name)
        card = CardFacts(**({"name": name} | fields))
        (folder / "README.md").write_text(render_card(folder, card), "utf-8")
        return folder, card

    return copy


def rows(text, title):
    """Return the cells of the tables of a section, in order."""
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)[1]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def tensors(folder):
    """Return dtype and shape of each tensor, from the header of the file, and its size."""
    (file,) = folder.glob("*model.safetensors")
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    return header, len(content)


@pytest.mark.parametrize(
    ("model_class", "auto_class"),
    [
        (LucaOneForSequenceClassification, "AutoModelForSequenceClassification"),
        (LucaOneForPairClassification, "AutoModel"),
    ],
)
def test_an_adapter_is_loaded_as_its_own_class_alone(model_class, auto_class):
    assert auto_map(model_class, tiny_config(), adapter=True) == {
        "AutoConfig": "configuration_lucaone.LucaOneConfig",
        auto_class: f"heads.{model_class.__name__}",
    }


# --- what stands in it ------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_the_numbers_of_the_model(repositories, name):
    folder = repositories[name]
    told = dict(rows(render_card(folder, CardFacts(name="x")), "Model")[2:])
    header, size = tensors(folder)
    config = json.loads((folder / "config.json").read_text())
    trained = {key: one for key, one in header.items() if not key.endswith("inv_freq")}
    count = sum(prod(one["shape"]) for one in trained.values())
    assert told["parameters"].split()[0] == f"{count:,}"
    assert told["stored as"] == f"F32, {size:,} bytes"
    assert told["class"] == config["architectures"][0]
    assert told["loads as"] == LOADED_BY[name]
    assert told["attention heads"] == str(config["num_attention_heads"])
    if name != "adapter":
        blocks = {
            found[1] for key in trained if (found := re.search(r"encoder\.layers\.(\d+)", key))
        }
        assert told["blocks"] == str(len(blocks))
        (embedding,) = (one for key, one in trained.items() if key.endswith("embed_tokens.weight"))
        assert [told["vocabulary"], told["width"]] == [
            f"{embedding['shape'][0]} tokens",
            str(embedding["shape"][1]),
        ]
    if name == "encoder":
        for task, labels in re.findall(r"(\w+) \(([\d,]+) labels\)", told["pre-training tasks"]):
            heads = [one["shape"][0] for key, one in trained.items() if f"{task}.out_proj.w" in key]
            assert heads in ([int(labels)], [])
            assert config["pretraining_tasks"][task]["num_labels"] == int(labels)
    if name == "pair":
        assert told["input"] == "DNA or RNA with protein"
        assert told["longest input in training"] == "2,458 and 618 letters"


def test_the_metrics_of_a_fine_tuned_model(repositories):
    card = ModelCard(render_card(repositories["pair"], CardFacts(name="Central dogma")))
    assert card.data.model_name == "Central dogma"
    found = {
        (one.dataset_split, one.metric_type): one.metric_value for one in card.data.eval_results
    }
    metrics = RESULTS["metrics"].items()
    assert found == {
        (split, name): value for split, of in metrics for name, value in of.items() if value
    }
    table = {name: cells for name, *cells in rows(card.text, "Results")}
    low, high = RESULTS["intervals"]["test"]["accuracy"]
    assert table["**accuracy**"][0] == f"{0.84123:.4f} [{low:.4f}, {high:.4f}]"
    assert table["Homo sapiens"] == ["0.8283", "0.7103", "1,806"]
    assert "40,000,000 of 1,800,000,000 parameters were trained" in card.text
    assert "learning_rate: 0.0002" in card.text and f"train.csv: {'ef' * 32}" in card.text
    assert "![learning curves](learning_curves.png)" in card.text


def test_the_metrics_of_a_pretrained_model(repositories):
    card = ModelCard(render_card(repositories["encoder"], CardFacts(name="nano")))
    found = {(one.task_name, one.metric_type): one.metric_value for one in card.data.eval_results}
    assert found == {
        (task, measure): NANO["metrics"][f"{task}_{measure}"]
        for task in NANO["tasks"]
        for measure in ("loss", "accuracy")
    }
    table = {name: cells for name, *cells in rows(card.text, "Results")}
    for task in NANO["tasks"]:
        assert table[task] == [
            f"{NANO[of][f'{task}_{measure}']:.4f}"
            for measure in ("loss", "accuracy")
            for of in ("metrics", "baseline")
        ]
    data = {name: cells for name, *cells in rows(card.text, "Data")}
    assert data["protein"] == ["37,968", "10,155,634", "500"]
    assert data["gene_type"][2:] == ["3", "36,067", "0.2"]
    assert "6,000 updates" in card.text and "learning_rate: 0.001" in card.text
    assert "first 1,278 letters" in card.text


@pytest.mark.parametrize(
    ("name", "pipeline_tag", "tags", "others"),
    [
        ("encoder", "fill-mask", {"dna", "rna", "protein"}, {"mask_token": "[MASK]"}),
        ("classifier", "text-classification", {"protein"}, {}),
        ("tokens", "token-classification", {"dna", "rna"}, {}),
        ("pair", None, {"dna", "rna", "protein"}, {}),
        ("adapter", "text-classification", {"protein", "lora"}, {"library_name": "peft"}),
    ],
)
def test_the_front_matter(repositories, name, pipeline_tag, tags, others):
    facts = CardFacts(name="x", license="cc-by-4.0", base_model="someone/lucaone")
    text = render_card(repositories[name], facts)
    data = ModelCard(text).data
    assert isinstance(data, ModelCardData)
    assert data.to_dict() == yaml.safe_load(text.split("---")[1])
    assert data.pipeline_tag == pipeline_tag and data.license == "cc-by-4.0"
    vectors = {"sentence-transformers"} - (
        {"sentence-transformers"} if name == "adapter" else set()
    )
    assert set(data.tags) == {"lucaone", "biology"} | tags | vectors
    relation = "adapter" if name == "adapter" else "finetune"
    assert (data.base_model, data["base_model_relation"]) == ("someone/lucaone", relation)
    expected = {"library_name": "transformers", "mask_token": None} | others
    assert {key: data.get(key) for key in expected} == expected


def test_the_widget_has_an_example_only_where_it_could_read_it(repository):
    assert (
        "widget" not in ModelCard(render_card(repository("encoder")[0], CardFacts(name="x"))).data
    )
    folder, facts = repository("classifier")
    (example,) = ModelCard(render_card(folder, facts)).data["widget"]
    assert example["text"] == SEQUENCES["prot"][0]
    folder = folder.parent / "encoder"
    edit_json(folder / "tokenizer_config.json", seq_type="gene")
    (example,) = ModelCard(render_card(folder, facts)).data["widget"]
    assert example["text"].count("[MASK]") == 1
    assert set(example["text"].replace("[MASK]", "")) == set("ACGT")


def test_the_pooling_is_that_of_the_folder(repository):
    folder, card = repository("classifier")
    assert "pooled by `mean`" in render_card(folder, card)
    write_sentence_transformer_files(folder, pooling="max")
    assert "pooled by `max`" in render_card(folder, card)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("classifier", "A LucaOne model for protein. It predicts one of 3 labels."),
        ("tokens", "A LucaOne model for DNA or RNA. It predicts one of 3 labels, for each letter."),
        ("pair", "DNA or RNA with protein. It predicts yes or no: encoded or no."),
        ("encoder", "A LucaOne encoder for DNA or RNA and protein."),
    ],
)
def test_the_first_line_says_what_it_is_for(repositories, name, first):
    text = ModelCard(render_card(repositories[name], CardFacts(name="x"))).text
    assert first in text.strip().splitlines()[2]


def test_what_the_score_of_a_binary_pipeline_is(repositories):
    said = "always answers with the label `encoded`"
    assert said in render_card(repositories["pair"], CardFacts(name="x"))
    assert "always answers" not in render_card(repositories["classifier"], CardFacts(name="x"))


def test_what_has_to_be_installed(repositories):
    needed = {"torch", "transformers"}
    for name, more in (("tokens", set()), ("adapter", {"peft"})):
        text = render_card(repositories[name], CardFacts(name="x"))
        pip, install, *packages = shlex.split(re.search("```sh\n(.*)\n", text)[1])
        assert [pip, install] == ["pip", "install"]
        assert {re.match(r"[\w-]+", one)[0] for one in packages} == needed | more
        assert "transformers>=5.6,<6" in packages
        for_vectors = 'pip install "sentence-transformers>=6"'
        assert (for_vectors in text) == (name == "tokens")


def test_licences_are_stated_or_said_not_to_be(repositories):
    folder = repositories["tokens"]
    text = render_card(folder, CardFacts(name="x"))
    assert "licence of the weights is not stated by who exported" in text
    assert ModelCard(text).data.license is None
    text = render_card(folder, CardFacts(name="x", license="mit", base_model="a/b"))
    assert "licence of the weights is `mit`. They were made from `a/b`" in text
    assert "10.1038/s42256-025-01044-4" in text and "Apache-2.0" in text


def test_without_results_nothing_is_claimed(repositories):
    text = render_card(repositories["tokens"], CardFacts(name="x"))
    assert "do not tell how it was trained" in text
    assert "## Results" not in text and "None" not in text and "model-index" not in text
    assert "metrics" not in yaml.safe_load(text.split("---")[1])


def test_a_republished_checkpoint(repositories):
    published = {
        "about": "Ten tasks.",
        "source": "the original layout",
        "steps": "17,600,000 steps are 550,000 updates.",
        "comparison": "Unverified: nothing was compared.",
    }
    text = render_card(repositories["encoder"], CardFacts(name="x", published=published))
    for said in published.values():
        assert said in text


# --- names that would break it ----------------------------------------------------------------

HOSTILE = (
    "x | y\\| <script>alert(1)</script> ![p](http://e.vil/p.png) `c` \n---\nlicense: mit\n## Model"
)


def test_names_do_no_harm(repository):
    folder, _ = repository("pair")
    results = changed(
        task__name=HOSTILE,
        task__about=f"# {HOSTILE}",
        task__metric=HOSTILE,
        model__name=HOSTILE,
        data__label_names=[HOSTILE, "b"],
        data__label_counts={HOSTILE: {HOSTILE: 1, "b": 2}},
        data__source=HOSTILE,
        by_group={HOSTILE: {HOSTILE: 1.0, "n": 2}},
        training={"label_separator": "```\n```\n# no code any more"},
        figures=["](http://e.vil) ![.png"],
    )
    results["metrics"]["test"][HOSTILE] = 0.5
    (folder / "results.json").write_text(json.dumps(results | {"command": "finetune"}))
    published = dict.fromkeys(("about", "source", "steps", "comparison"), HOSTILE)
    card = CardFacts(
        name=f"# {HOSTILE}", base_model=HOSTILE, published=published, repository=HOSTILE
    )
    text = render_card(folder, card)
    parsed = ModelCard(text)
    assert parsed.data.license is None and parsed.data.base_model == HOSTILE
    assert {one.task_name for one in parsed.data.eval_results} == {HOSTILE}

    prose = re.sub(r"^(`{3,})\w*\n.*?^\1\n", "", parsed.text, flags=re.DOTALL | re.MULTILINE)
    assert "no code any more" in parsed.text and "no code any more" not in prose
    spans = re.compile(r"(?<![\\`])`[^`\n]*`")  # code within a line shows what stands there
    plain = spans.sub("", prose)
    assert "<script" not in plain and "](http" not in plain
    expected = [
        *("Model", "The published checkpoint", "Use", "Results", "Data", "Limits", "Settings"),
        *("Made from", "Licence and citation"),
    ]
    assert re.findall(r"^## (.*)$", prose, re.MULTILINE) == expected
    assert len(re.findall(r"^# ", prose, re.MULTILINE)) == 1
    assert not re.search(r"^(---|===)", prose, re.MULTILINE)
    for block in re.findall(r"(?:^\|.*\n)+", prose, re.MULTILINE):
        # As GitHub reads a row: a backslash takes the meaning from what follows it.
        cells = {len(re.findall(r"(?:\\.|[^|\\])+", line)) for line in block.splitlines()}
        assert len(cells) == 1, block
    (folder / "README.md").write_text(text, "utf-8")
    assert check_card(folder, card) == []
    for snippet in re.findall(r"```python\n(.*?)```", parsed.text, re.DOTALL):
        compile(snippet, "snippet", "exec")


# --- compared with the files ------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_a_card_holds(repository, name):
    folder, card = repository(name, license="mit", base_model="a/b")
    assert check_card(folder, card) == []
    # As the manifest keeps it.
    assert check_card(folder, CardFacts(**json.loads(json.dumps(asdict(card))))) == []


def test_what_people_may_edit(repository):
    folder, card = repository("pair")
    path = folder / "README.md"
    text = path.read_text("utf-8").replace(
        "## Limits", "## Our own\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n## Limits"
    )
    text = text.replace("- lucaone\n", "- lucaone\n- influenza\n").replace("seq_type", "SEQ_TYPE")
    text = text.replace("library_name:", "language: en\nlibrary_name:")
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert check_card(folder, card) == []


def test_what_people_may_add_where_the_files_do_not_say(repository):
    folder, card = repository("tokens")
    path = folder / "README.md"
    own = "base_model: someone/lucaone\nbase_model_relation: finetune\ndatasets:\n- a/b\n"
    path.write_text(path.read_text("utf-8").replace("library_name:", f"{own}library_name:"))
    assert check_card(folder, card) == []
    lines = check_card(folder, replace(card, base_model="someone/else"))
    assert lines == ["README.md: base_model is 'someone/lucaone', but by the files 'someone/else'"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("| blocks | 2 |", "| blocks | 20 |", "Model: blocks is 20, but by the files 2"),
        ("| blocks | 2 |\n", "", "Model: blocks is missing, by the files 2"),
        ("| blocks | 2 |\n", "| blocks | 2 |\n" * 2, "blocks is 2, which the files do not say"),
        ("| blocks | 2 |", "| blocks | 2 |\n| awards | 3 |", "awards is 3, which the files do not"),
        ("value: 0.84123", "value: 0.94123", "is 0.94123, but by the files 0.84123"),
        ("split: dev", "split: train", "which the files do not say"),
        ("0.8412 [", "0.9412 [", "Results: **accuracy** is 0.9412 [0.8311"),
        ("license: mit", "license: cc0-1.0", "license is 'cc0-1.0', but by the files 'mit'"),
        ("license: mit\n", "", "license is missing, by the files 'mit'"),
        (
            "license: mit",
            "license: mit\npipeline_tag: fill-mask",
            "pipeline_tag is 'fill-mask', wh",
        ),
        ("- lucaone\n", "", "tag lucaone is missing"),
    ],
)
def test_claims_that_the_files_contradict(repository, old, new, message):
    folder, card = repository("pair", license="mit")
    path = folder / "README.md"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    lines = check_card(folder, card)
    assert any(message in line for line in lines), lines
    assert all(line.startswith("README.md: ") and "\n" not in line for line in lines)


def test_files_that_changed_behind_the_card(repository):
    folder, card = repository("pair")
    results = json.loads((folder / "results.json").read_text())
    results["metrics"]["test"]["f1"] = 0.74
    (folder / "results.json").write_text(json.dumps(results))
    edit_json(folder / "config.json", num_attention_heads=8)
    lines = check_card(folder, card)
    assert any("attention heads is 4, but by the files 8" in line for line in lines)
    assert any("f1" in line and "0.73, but by the files 0.74" in line for line in lines)
    assert len(lines) == 3  # the number of heads, f1 in the front matter, f1 in the table


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no card at all\n## Model\n| blocks | 1 |\n",
        b"---\nlicense: [mit\n---\n",
        b"---\n- a\n---\n",
        b"---\nmodel-index: 3\n---\n",
        b"---\ntags: 3\n---\n",
        b"---\n1: 2\n---\n",
        b"\xff\xfe",
        None,
    ],
)
def test_what_is_no_card_gives_lines(repository, content):
    folder, card = repository("classifier")
    if content is None:
        (folder / "README.md").unlink()
    else:
        (folder / "README.md").write_bytes(content)
    lines = check_card(folder, card)
    assert lines and all(line.startswith("README.md: ") and "\n" not in line for line in lines)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "results.json: not JSON"),
        ('{"command": "compare"}', "results.json: not what lucaone finetune"),
        ('{"command": "finetune"}', r"results.json: damaged \(KeyError: 'task'\)"),
        ('{"command": "pretrain", "recipe": 3}', r"results.json: damaged \(TypeError"),
    ],
)
def test_results_that_are_none(repository, content, message):
    folder, card = repository("classifier")
    (folder / "results.json").write_text(content)
    with pytest.raises(CheckpointError, match=message) as error:
        render_card(folder, card)
    assert "\n" not in str(error.value)


# --- the examples run -------------------------------------------------------------------------

# Runs snippets where this package is not to be found.
RUNNER = """
import json, sys

for name in ("modeling_lucaone", "tokenization", "embedding", "finetune", "hub_upload"):
    sys.modules[name] = None
for name, snippets in json.load(sys.stdin).items():
    for snippet in snippets:
        exec(snippet, found := {})
        if "logits" in found:
            print(name, list(found["logits"].shape), found["labels"])
        if "last_hidden_state" in found:
            print(name, list(found["last_hidden_state"].shape))
        if "vectors" in found:
            print(name, list(found["vectors"].shape))
"""


def snippets(repositories, name, title):
    """Return the Python code below a title, with folders in place of names on the Hub."""
    folder = repositories[name]
    base = str(repositories["classifier"]) if name == "adapter" else None
    text = render_card(folder, CardFacts(name=name, repository=str(folder), base_model=base))
    part = text.split(f"### With {title}\n")[1].split("\n## ")[0].split("\n### ")[0]
    return re.findall(r"```python\n(.*?)```", part, re.DOTALL)


@pytest.mark.slow
def test_the_code_runs_without_this_package(repositories, tmp_path):
    code = {name: snippets(repositories, name, "transformers alone") for name in KINDS[:-1]}
    code["adapter"] = snippets(repositories, "adapter", "transformers and peft")
    assert [len(code[name]) for name in KINDS] == [3, 3, 3, 3, 1]
    environment = {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", RUNNER],
        input=json.dumps(code),
        env=os.environ | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    length = len(SEQUENCES["gene"][0])
    longest = length + 2
    found = [line.partition("] [") for line in done.stdout.splitlines()]
    labels = [rest.rstrip("]").split(", ") for _, _, rest in found if rest]
    assert [len(one) for one in labels] == [1, length, 1, 1]
    assert {label for one in labels for label in one} <= {
        repr(label) for label in (*LOCATIONS.values(), "encoded", "no")
    }
    assert [shape.rstrip("]") + "]" for shape, _, _ in found] == [
        f"encoder [2, {longest}, 128]",
        "encoder [1, 128]",
        "classifier [1, 3]",
        "classifier [1, 32]",
        f"tokens [1, {longest}, 3]",
        "tokens [1, 32]",
        "pair [1, 1]",
        "pair [1, 32]",
        "adapter [1, 3]",
    ]


@pytest.mark.parametrize("name", KINDS)
def test_the_code_runs_with_this_package(repositories, name):
    (code,) = snippets(repositories, name, "lucaone-hf")
    found = {}
    exec(code, found)
    assert type(found["model"]).__module__.partition(".")[0] in ("modeling_lucaone", "peft")
    shape = (found.get("logits") if name != "encoder" else found["last_hidden_state"]).shape
    assert shape[0] == (2 if name == "encoder" else 1)


@pytest.mark.parametrize("problem", ["regression", "multi_label_classification"])
def test_the_code_reads_the_logits_by_the_problem(problem, repository):
    folder, _ = repository("classifier")
    edit_json(folder / "config.json", problem_type=problem)
    (code,) = snippets({"classifier": folder}, "classifier", "lucaone-hf")
    exec(code, found := {})
    (logits,) = found["logits"].tolist()
    if problem == "regression":
        assert found["numbers"] == [logits] and "labels" not in found
    else:
        above = [LOCATIONS[number] for number, logit in enumerate(logits) if logit >= 0]
        assert found["labels"] == [above]


@pytest.mark.parametrize("name", KINDS[:-1])  # an adapter has no base model here
def test_the_commands_run(repositories, name, tmp_path, monkeypatch):
    folder = repositories[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "proteins.fasta").write_text(f">PetN\n{SEQUENCES['prot'][0]}\n")
    (tmp_path / "genes.fasta").write_text(f">petN\n{SEQUENCES['gene'][0]}\n")
    columns = "seq_id_a,seq_id_b,seq_a,seq_b"
    (tmp_path / "pairs.csv").write_text(
        f"{columns}\npetN,PetN,{SEQUENCES['gene'][0]},{SEQUENCES['prot'][0]}\n"
    )
    text = render_card(folder, CardFacts(name=name, repository=str(folder)))
    _, lines = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    for line in lines.splitlines():
        command, *arguments = shlex.split(line)
        assert command == "lucaone"
        assert lucaone_cli.main(arguments) == 0, line
        assert (tmp_path / arguments[2]).stat().st_size


def test_nothing_of_this_machine_is_in_a_card(repositories):
    for folder in repositories.values():
        text = render_card(folder, CardFacts(name="x", base_model="a/b"))
        assert str(folder.parent) not in text and str(REPOSITORY) not in text
