# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForPreTraining,
    AutoTokenizer,
)

from hub_upload import CheckpointError, convert
from modeling_lucaone import LucaOneForPreTraining

GOLDEN = Path(__file__).parents[1] / "golden"
VARIANTS = ("tiny", "tiny-halfrope")
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
HEADS = {
    "gene_type": 8,
    "prot_homo": 12,
    "prot_site": 9,
    "prot_domain": 14,
    "gene_taxonomy": 7,
    "prot_taxonomy": 11,
    "prot_keyword": 10,
    "prot_structure": 3,
}
TASKS = ["gene_mask", "prot_mask", *HEADS]
INV_FREQ = "lucaone.encoder.layers.{}.self_attn.rot_emb.inv_freq"


@pytest.fixture(scope="module", params=VARIANTS)
def variant(request):
    return request.param


@pytest.fixture(scope="module")
def converted(variant, tmp_path_factory):
    """The original layout, converted."""
    dest = tmp_path_factory.mktemp(variant) / "lucaone"
    convert(GOLDEN / f"original-{variant}", dest)
    return dest


@pytest.fixture(scope="module")
def pretraining(converted):
    return assert_loads_whole(AutoModelForPreTraining, converted)


@pytest.fixture
def original(tmp_path):
    """A copy of the original layout that a test may spoil."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("config.json", "pytorch.pth", "logs.txt"):
        shutil.copy(GOLDEN / "original-tiny" / name, source)
    return source


@pytest.fixture
def hub(tmp_path):
    """A copy of the Hub layout that a test may spoil."""
    return Path(shutil.copytree(GOLDEN / "hub-tiny", tmp_path / "source"))


def edited(text: str, fields: dict) -> str:
    """JSON text with fields changed, or taken out where the new value is None."""
    content = json.loads(text) | fields
    return json.dumps({name: value for name, value in content.items() if value is not None})


def edit_config(source: Path, **fields) -> None:
    file = source / "config.json"
    file.write_text(edited(file.read_text(), fields))


def edit_arguments(source: Path, **fields) -> None:
    first, rest = (source / "logs.txt").read_text().split("\n", 1)
    (source / "logs.txt").write_text(f"{edited(first, fields)}\n{rest}")


def edit_tensors(file: Path, change) -> None:
    tensors = dict(torch.load(file, weights_only=True))
    result = change(tensors)
    torch.save(tensors if result is None else result, file)


def arguments(source: Path) -> dict:
    return json.loads((source / "logs.txt").read_text().splitlines()[0])


def keep_tasks(source: Path, kept: list[str]) -> None:
    """Make of the ten-task checkpoint one that was trained on some of the tasks."""
    listed = arguments(source)["pretrain_tasks"]
    edit_arguments(
        source,
        pretrain_tasks={
            level: [task for task in tasks if task in kept] for level, tasks in listed.items()
        },
    )

    def heads(tensors):
        for old, task in enumerate(HEADS):
            new = [task for task in HEADS if task in kept]
            for module in ("hidden_layer_list", "classifier_list"):
                for kind in ("weight", "bias"):
                    tensor = tensors.pop(f"{module}.{old}.{kind}")
                    if task in kept:
                        tensors[f"{module}.{new.index(task)}.{kind}"] = tensor

    edit_tensors(source / "pytorch.pth", heads)


def relative_l2(actual: Tensor, expected: Tensor) -> float:
    return float((actual - expected).norm() / expected.norm())


def assert_close(actual: Tensor, expected: Tensor, mask: Tensor | None = None) -> None:
    if mask is not None:
        actual, expected = actual[mask.bool()], expected[mask.bool()]
    assert actual.shape == expected.shape
    assert relative_l2(actual, expected) <= 2e-6


def assert_loads_whole(auto_class, folder: Path, **options):
    model, info = auto_class.from_pretrained(folder, output_loading_info=True, **options)
    assert not info["missing_keys"]
    assert not info["mismatched_keys"]
    return model.eval(), info


# --- fidelity ---------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", ["mixed", "gene", "prot", "long"])
def test_golden_outputs(variant, pretraining, batch):
    expected = load_file(GOLDEN / f"original-{variant}" / "expected.safetensors")
    inputs = {name: expected[f"{batch}.{name}"] for name in INPUTS}
    mask = inputs["attention_mask"]
    model, info = pretraining
    assert not info["unexpected_keys"]
    with torch.no_grad():
        outputs = model(**inputs)
    assert_close(outputs.last_hidden_state, expected[f"{batch}.last_hidden_state"], mask)
    for task in ("gene_mask", "prot_mask"):
        assert_close(outputs.logits[task], expected[f"{batch}.mlm_logits"], mask)
    if batch == "long":
        return
    for task in HEADS:
        wanted = expected[f"{batch}.logits.{task}"]
        assert_close(outputs.logits[task], wanted, mask if wanted.dim() == 3 else None)


def test_golden_outputs_of_the_smaller_classes(variant, converted):
    expected = load_file(GOLDEN / f"original-{variant}" / "expected.safetensors")
    inputs = {name: expected[f"mixed.{name}"] for name in INPUTS}
    base, _ = assert_loads_whole(AutoModel, converted)
    masked_lm, _ = assert_loads_whole(AutoModelForMaskedLM, converted)
    with torch.no_grad():
        hidden, logits = base(**inputs).last_hidden_state, masked_lm(**inputs).logits
    assert_close(hidden, expected["mixed.last_hidden_state"], inputs["attention_mask"])
    assert_close(logits, expected["mixed.mlm_logits"], inputs["attention_mask"])


@pytest.mark.parametrize("batch", ["mixed", "gene", "prot"])
def test_golden_losses(variant, pretraining, batch):
    expected = load_file(GOLDEN / f"original-{variant}" / "expected.safetensors")
    inputs = {name: expected[f"{batch}.{name}"] for name in INPUTS}
    labels = {task: expected[f"{batch}.labels.{task}"] for task in TASKS}
    positives_only = expected[f"{batch}.labels.prot_keyword.positives_only"]
    model, _ = pretraining
    with torch.no_grad():
        outputs = model(**inputs, labels=labels)
        shipped = model(**inputs, labels={"prot_keyword": positives_only})
    assert outputs.losses.keys() == set(TASKS)
    for task in TASKS:
        torch.testing.assert_close(
            outputs.losses[task], expected[f"{batch}.loss.{task}"], rtol=1e-5, atol=1e-9
        )
    # The published total is that of the keyword labels that score absent keywords too.
    total = expected[f"{batch}.loss.total"]
    torch.testing.assert_close(outputs.loss, total, rtol=1e-5, atol=0.0)
    torch.testing.assert_close(
        shipped.losses["prot_keyword"],
        expected[f"{batch}.loss.prot_keyword.positives_only"],
        rtol=1e-5,
        atol=0.0,
    )


def test_equals_the_hub_layout_bit_for_bit(variant, converted, tmp_path):
    from_hub = AutoModelForMaskedLM.from_pretrained(GOLDEN / f"hub-{variant}").state_dict()
    report = convert(GOLDEN / f"hub-{variant}", tmp_path / "dest")
    assert (report.layout, report.blocks, report.tasks) == ("hub", 3, [])
    for folder in (converted, tmp_path / "dest"):
        model, info = assert_loads_whole(AutoModelForMaskedLM, folder)
        assert model.state_dict().keys() == from_hub.keys()
        for name, tensor in model.state_dict().items():
            assert torch.equal(tensor, from_hub[name]), name
    assert not info["unexpected_keys"]


def test_rotary_frequencies_are_the_stored_ones(variant, converted):
    stored = torch.load(GOLDEN / f"original-{variant}" / "pytorch.pth", weights_only=True)
    written = load_file(converted / "model.safetensors")
    for block in range(3):
        frequencies = written[INV_FREQ.format(block)]
        assert torch.equal(frequencies, stored[f"layers.{block}.self_attn.rot_emb.inv_freq"])


def test_report_and_configuration(converted, variant, tmp_path):
    report = convert(GOLDEN / f"original-{variant}", tmp_path / "dest")
    assert report.layout == "original"
    assert report.classes == ["LucaOneForPreTraining", "LucaOneForMaskedLM", "LucaOneModel"]
    assert report.tasks == TASKS
    assert report.blocks == 3
    assert report.notes == []
    model = AutoModelForPreTraining.from_pretrained(converted)
    assert report.parameters == sum(p.numel() for p in model.parameters())
    assert "169,819" in str(report)
    tasks = model.config.pretraining_tasks
    assert {task: tasks[task]["num_labels"] for task in HEADS} == HEADS
    assert tasks["prot_keyword"] == {
        "level": "sequence",
        "seq_type": "prot",
        "num_labels": 10,
        "hidden_size": 26,
        "problem_type": "multi_label_classification",
        "weight": 1.0,
    }
    assert tasks["gene_mask"]["hidden_size"] is None
    assert model.config.layer_norm_eps == 1e-5
    assert model.config.classifier_dropout == 0.0


def test_lm_head_is_tied_and_stored_once(converted):
    model = AutoModelForPreTraining.from_pretrained(converted)
    assert model.lm_head.decoder.weight is model.lucaone.embeddings.embed_tokens.weight
    assert "lm_head.decoder.weight" not in load_file(converted / "model.safetensors")


def test_a_converted_folder_converts_to_itself(converted, tmp_path):
    report = convert(converted, tmp_path / "dest", seq_type="dna")
    assert report.classes[0] == "LucaOneForPreTraining"
    again = convert(tmp_path / "dest", tmp_path / "again")
    assert AutoTokenizer.from_pretrained(tmp_path / "again").seq_type == "gene"
    assert again.parameters == report.parameters
    first, second = (load_file(f / "model.safetensors") for f in (converted, tmp_path / "again"))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


# --- variants of the files ----------------------------------------------------------------------


def test_prefix_of_several_gpus(original, tmp_path):
    edit_tensors(
        original / "pytorch.pth", lambda tensors: {f"module.{n}": t for n, t in tensors.items()}
    )
    report = convert(original, tmp_path / "dest")
    assert report.tasks == TASKS


def test_torch_format_without_zip(original, tmp_path):
    file = original / "pytorch.pth"
    tensors = torch.load(file, weights_only=True)
    torch.save(tensors, file, _use_new_zipfile_serialization=False)
    assert convert(original, tmp_path / "dest").blocks == 3


@pytest.mark.parametrize("gone", ["embed_tokens.weight", "lm_head.weight"])
def test_tied_matrix_stored_once(original, tmp_path, gone):
    stored = {}
    edit_tensors(original / "pytorch.pth", lambda tensors: stored.update(w=tensors.pop(gone)))
    convert(original, tmp_path / "dest")
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "dest")
    assert torch.equal(model.lm_head.decoder.weight, stored["w"])


def test_config_says_36_blocks(original, tmp_path):
    edit_config(original, num_hidden_layers=36, token_dropout=True)
    edit_config(original, classifier_dropout_prob=0.1)
    report = convert(original, tmp_path / "dest")
    assert report.blocks == 3
    blocks, *overruled = report.notes
    assert "36" in blocks and "3" in blocks
    assert [note.split()[2] for note in overruled] == ["token_dropout", "classifier_dropout_prob"]
    config = AutoConfig.from_pretrained(tmp_path / "dest")
    assert (config.num_hidden_layers, config.classifier_dropout) == (3, 0.0)


def test_mask_tasks_only(original, tmp_path):
    keep_tasks(original, ["gene_mask", "prot_mask"])
    report = convert(original, tmp_path / "dest")
    assert report.classes == ["LucaOneForMaskedLM", "LucaOneForPreTraining", "LucaOneModel"]
    assert report.tasks == ["gene_mask", "prot_mask"]
    config = AutoConfig.from_pretrained(tmp_path / "dest")
    assert config.architectures == ["LucaOneForMaskedLM"]
    for auto_class in (AutoModel, AutoModelForMaskedLM, AutoModelForPreTraining):
        assert_loads_whole(auto_class, tmp_path / "dest")
    assert AutoTokenizer.from_pretrained(tmp_path / "dest").seq_type is None


def test_one_molecule_type(original, tmp_path):
    tasks = [task for task in TASKS if task.startswith("prot_")]
    keep_tasks(original, tasks)
    report = convert(original, tmp_path / "dest")
    assert report.tasks == tasks
    assert any("prot" in note and "default" in note for note in report.notes)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "dest")
    assert tokenizer.seq_type == "prot"
    assert tokenizer("MKT")["token_type_ids"] == [1] * 5
    model = AutoModelForPreTraining.from_pretrained(tmp_path / "dest")
    stored = torch.load(original / "pytorch.pth", weights_only=True)
    head = model.annotation_heads["prot_keyword"]
    assert torch.equal(head.out_proj.weight, stored["classifier_list.4.weight"])


def test_seq_type_given(original, tmp_path):
    convert(original, tmp_path / "dest", seq_type="protein")
    assert AutoTokenizer.from_pretrained(tmp_path / "dest").seq_type == "prot"


def test_dtype(original, tmp_path):
    convert(original, tmp_path / "dest", dtype="bfloat16")
    stored = torch.load(original / "pytorch.pth", weights_only=True)
    model = AutoModelForPreTraining.from_pretrained(tmp_path / "dest")
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    frequencies = model.lucaone.encoder.layers[0].self_attn.rot_emb.inv_freq
    assert torch.equal(frequencies, stored["layers.0.self_attn.rot_emb.inv_freq"])


def test_hub_layout_in_shards(hub, tmp_path):
    tensors = load_file(hub / "model.safetensors")
    (hub / "model.safetensors").unlink()
    names = sorted(tensors)
    weight_map = {}
    for shard, part in enumerate((names[::2], names[1::2]), 1):
        file = f"model-0000{shard}-of-00002.safetensors"
        save_file({name: tensors[name] for name in part}, hub / file)
        weight_map |= dict.fromkeys(part, file)
    index = hub / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    convert(hub, tmp_path / "dest")
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "dest")
    assert all(torch.equal(tensor, tensors[name]) for name, tensor in model.state_dict().items())

    index.write_text(json.dumps({"weight_map": {**weight_map, "extra": file}}))
    with pytest.raises(CheckpointError, match=r"00002-of-00002\.safetensors: tensor extra is miss"):
        convert(hub, tmp_path / "again")
    index.write_text(
        json.dumps({"weight_map": {n: f for n, f in weight_map.items() if n != names[0]}})
    )
    with pytest.raises(CheckpointError, match=f"{names[0]} is not listed in model.safetensors.ind"):
        convert(hub, tmp_path / "again")
    index.write_text(json.dumps({"weight_map": {"a": "../model.safetensors"}}))
    with pytest.raises(CheckpointError, match=r"'\.\./model\.safetensors' is not a file name"):
        convert(hub, tmp_path / "again")
    index.write_text(json.dumps({"weight_map": weight_map}))
    (hub / file).unlink()
    with pytest.raises(CheckpointError, match=f"has no {file}"):
        convert(hub, tmp_path / "again")


# --- logs.txt -----------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["a/b/checkpoint-step5", "a/b", "a", "."])
def test_published_logs_tree(tmp_path, place):
    source = tmp_path / "llm" / "models" / "a" / "b" / "checkpoint-step5"
    source.mkdir(parents=True)
    for name in ("config.json", "pytorch.pth"):
        shutil.copy(GOLDEN / "original-tiny" / name, source)
    logs = tmp_path / "llm" / "logs" / place
    logs.mkdir(parents=True)
    shutil.copy(GOLDEN / "original-tiny" / "logs.txt", logs)
    assert convert(source, tmp_path / "dest").tasks == TASKS


def test_logs_given(original, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (original / "logs.txt").rename(elsewhere / "logs.txt")
    convert(original, tmp_path / "one", logs=elsewhere)
    convert(original, tmp_path / "two", logs=elsewhere / "logs.txt")


def test_logs_not_found(tmp_path):
    source = tmp_path / "models" / "a" / "checkpoint"
    source.mkdir(parents=True)
    for name in ("config.json", "pytorch.pth"):
        shutil.copy(GOLDEN / "original-tiny" / name, source)
    with pytest.raises(CheckpointError) as caught:
        convert(source, tmp_path / "dest")
    message = str(caught.value)
    assert str(source / "logs.txt") in message
    assert str(tmp_path / "logs" / "a" / "logs.txt") in message
    assert "--logs" in message


# --- labels -------------------------------------------------------------------------------------

LABEL_FILES = {
    "gene_type": "gene_type_span_level_label_v2.txt",
    "prot_structure": "prot_structure_structure_level_label_v2.txt",
    "prot_taxonomy": "prot_taxonomy_seq_level_label_v2.csv",
}


@pytest.fixture
def labels(tmp_path):
    folder = tmp_path / "labels"
    folder.mkdir()
    (folder / LABEL_FILES["gene_type"]).write_text("".join(f"type {i}\n" for i in range(8)))
    # The published file has no line end after its last line.
    (folder / LABEL_FILES["prot_structure"]).write_text("x\ny\nz")
    rows = ["label", '"order, first"', *(f"order {i}" for i in range(1, 11))]
    (folder / LABEL_FILES["prot_taxonomy"]).write_text("\r\n".join(rows) + "\r\n")
    (folder / "prot_binding_span_level_label_v2.txt").write_text("of no task here\n")
    return folder


def test_label_names(original, labels, tmp_path):
    report = convert(original, tmp_path / "dest", labels=labels)
    names = AutoConfig.from_pretrained(tmp_path / "dest").label_names
    assert names.keys() == LABEL_FILES.keys()
    assert names["gene_type"] == [f"type {i}" for i in range(8)]
    assert names["prot_structure"] == ["x", "y", "z"]
    assert names["prot_taxonomy"][:2] == ["order, first", "order 1"]
    without = [note.split()[-1] for note in report.notes]
    assert without == [task for task in HEADS if task not in LABEL_FILES]


def test_label_errors(original, hub_folder, labels, tmp_path):
    dest = tmp_path / "dest"
    (labels / LABEL_FILES["prot_structure"]).write_text("x\ny\n")
    with pytest.raises(CheckpointError, match=r"structure.*txt: 2 label.*prot_structure has 3"):
        convert(original, dest, labels=labels)
    (labels / LABEL_FILES["prot_structure"]).with_suffix(".csv").write_text("label\nx\ny\nz\n")
    with pytest.raises(CheckpointError, match=r"csv and .*txt both name prot_structure"):
        convert(original, dest, labels=labels)
    (labels / LABEL_FILES["prot_taxonomy"]).write_text("id,label\n0,a\n")
    (labels / LABEL_FILES["prot_structure"]).unlink()
    with pytest.raises(CheckpointError, match="line 2 has 2 columns"):
        convert(original, dest, labels=labels)
    with pytest.raises(CheckpointError, match="is not a folder of label names"):
        convert(original, dest, labels=tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match="has no file of label names"):
        convert(original, dest, labels=original)
    with pytest.raises(CheckpointError, match="no annotation heads"):
        convert(hub_folder, dest, labels=labels)
    assert not dest.exists()


@pytest.fixture
def hub_folder():
    return GOLDEN / "hub-tiny"


# --- what is refused ----------------------------------------------------------------------------


def tensors(change):
    return lambda source: edit_tensors(source / "pytorch.pth", change)


def config(**fields):
    return lambda source: edit_config(source, **fields)


def logs(**fields):
    return lambda source: edit_arguments(source, **fields)


def changed_argument(name: str, level: str, task: str, value):
    def change(source):
        content = arguments(source)[name]
        content[level][task] = value
        edit_arguments(source, **{name: content})

    return change


def first_line(text: str):
    return lambda source: (source / "logs.txt").write_text(text)


def other_frequencies(stored):
    stored["layers.1.self_attn.rot_emb.inv_freq"] = stored[
        "layers.0.self_attn.rot_emb.inv_freq"
    ].nextafter(torch.tensor(2.0))


class Payload:
    executed = False

    def __reduce__(self):
        return setattr, (Payload, "executed", True)


ORIGINAL_ERRORS = {
    "no config": (lambda source: (source / "config.json").unlink(), "has no config.json"),
    "broken config": (
        lambda source: (source / "config.json").write_text("{"),
        r"config\.json: not JSON",
    ),
    "list for a config": (
        lambda source: (source / "config.json").write_text("[]"),
        r"config\.json: not a JSON object",
    ),
    "another model": (config(model_type="bert"), r"config\.json: model_type is 'bert'"),
    "no model type": (config(model_type=None), r"config\.json: model_type is None"),
    "no weights": (lambda source: (source / "pytorch.pth").unlink(), r"has no pytorch\.pth"),
    "logs not JSON": (
        first_line("11/22 started\n{}"),
        r"logs\.txt: the first line is not",
    ),
    "logs empty": (first_line(""), r"logs\.txt: the first line is not"),
    "logs a list": (first_line("[1]\n"), r"logs\.txt: the first line is not"),
    "logs without tasks": (logs(pretrain_tasks=None), r"logs\.txt: .* have no 'pretrain_tasks'"),
    "logs without sizes": (logs(label_size={}), r"logs\.txt: .* have no 'token_level'"),
    "logs of another form": (logs(label_size=[1]), r"logs\.txt: .* not dictionaries of tasks"),
    "unknown level": (
        logs(pretrain_tasks={"pair_level": ["trans"]}),
        r"logs\.txt: unknown level 'pair_level'",
    ),
    "unknown loss": (
        changed_argument("loss_type", "span_level", "gene_type", "focal_loss"),
        r"logs\.txt: task 'gene_type' predicts 'multi_class' with loss 'focal_loss'",
    ),
    "tokens of another vocabulary": (
        changed_argument("label_size", "token_level", "prot_mask", 33),
        r"logs\.txt: task prot_mask has 33 labels, but config\.json says 39 tokens",
    ),
    "label size no number": (
        changed_argument("label_size", "span_level", "gene_type", "8"),
        r"logs\.txt: task 'gene_type' has a size of '8'",
    ),
    "task of no molecule": (
        logs(
            pretrain_tasks={"span_level": ["trans"]},
            output_mode={"span_level": {"trans": "multi_class"}},
            loss_type={"span_level": {"trans": "cce"}},
        ),
        r"logs\.txt: task 'trans' is neither of a gene nor of a protein",
    ),
    "label size of another run": (
        changed_argument("label_size", "seq_level", "prot_keyword", 1179),
        r"pytorch\.pth: tensor classifier_list\.6\.weight is \(10, 26\), .* \(1179, 26\)",
    ),
    "head size of another run": (
        changed_argument("classifier_size", "span_level", "prot_site", 1024),
        r"pytorch\.pth: tensor hidden_layer_list\.2\.weight is \(20, 64\), .* \(1024, 64\)",
    ),
    "tasks of another run": (
        logs(pretrain_tasks={"token_level": ["gene_mask"], "span_level": ["gene_type"]}),
        r"pytorch\.pth: tensor classifier_list\.1\.bias \(and 27 more\) has no place",
    ),
    "width": (
        config(hidden_size=128),
        r"pytorch\.pth: tensor embed_tokens\.weight is \(39, 64\), .* \(39, 128\)",
    ),
    "number of heads": (
        config(num_attention_heads=8),
        r"layers\.0\.self_attn\.rot_emb\.inv_freq is \(8,\), .* \(4,\)",
    ),
    "impossible config": (config(num_attention_heads=7), r"config\.json: .* 7 attention heads"),
    "ill-typed config": (config(hidden_size="wide"), r"config\.json: .*hidden_size"),
    "learned positions": (
        config(no_position_embeddings=False),
        r"config\.json: .*no_position_embeddings must be True",
    ),
    "missing tensor": (
        tensors(lambda stored: {n: t for n, t in stored.items() if n != "layers.1.fc1.bias"}),
        r"pytorch\.pth: tensor layers\.1\.fc1\.bias is missing",
    ),
    "missing block": (
        tensors(lambda stored: {n: t for n, t in stored.items() if "layers.1." not in n}),
        r"pytorch\.pth: there are no tensors layers\.1\.",
    ),
    "missing frequencies": (
        tensors(lambda stored: {n: t for n, t in stored.items() if "inv_freq" not in n}),
        r"pytorch\.pth: tensor layers\.0\.self_attn\.rot_emb\.inv_freq \(and 2 more\) is missing",
    ),
    "no blocks": (
        tensors(lambda stored: {n: t for n, t in stored.items() if "layers." not in n}),
        r"pytorch\.pth: there are no tensors layers\.0\.",
    ),
    "superfluous tensor": (
        tensors(lambda stored: stored.update({"contact_head.bias": torch.zeros(1)})),
        r"pytorch\.pth: tensor contact_head\.bias has no place in the model",
    ),
    "misshapen tensor": (
        tensors(lambda stored: stored.update({"lm_head.bias": torch.zeros(33)})),
        r"pytorch\.pth: tensor lm_head\.bias is \(33,\), .* \(39,\)",
    ),
    "tensor twice": (
        tensors(lambda stored: stored.update({"module.lm_head.bias": torch.zeros(39)})),
        r"pytorch\.pth: tensor lm_head\.bias is there twice",
    ),
    "untied LM head": (
        tensors(lambda stored: stored.update({"lm_head.weight": stored["lm_head.weight"] + 1})),
        r"pytorch\.pth: tensors lm_head\.weight and embed_tokens\.weight differ",
    ),
    "frequencies of a block": (
        tensors(other_frequencies),
        r"layers\.1\.self_attn\.rot_emb\.inv_freq differs from layers\.0",
    ),
    "mixed dtypes": (
        tensors(lambda stored: stored.update({"lm_head.bias": torch.zeros(39).half()})),
        r"pytorch\.pth: tensors of dtype torch\.float16 and torch\.float32",
    ),
    "training state": (
        tensors(lambda stored: {**stored, "epoch": 3}),
        r"pytorch\.pth: entry 'epoch' is no tensor",
    ),
    "not a dictionary": (tensors(lambda stored: [1]), r"pytorch\.pth: holds a list"),
    "pickled object": (
        tensors(lambda stored: {**stored, "x": Payload()}),
        r"pytorch\.pth: damaged, or it holds pickled objects",
    ),
    "cut off": (
        lambda source: (source / "pytorch.pth").write_bytes(
            (GOLDEN / "original-tiny" / "pytorch.pth").read_bytes()[:5000]
        ),
        r"pytorch\.pth: damaged",
    ),
}


@pytest.mark.parametrize("case", ORIGINAL_ERRORS)
def test_original_errors(original, tmp_path, case):
    spoil, message = ORIGINAL_ERRORS[case]
    spoil(original)
    with pytest.raises(CheckpointError, match=message) as caught:
        convert(original, tmp_path / "dest")
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
    assert not Payload.executed


HUB_ERRORS = {
    "missing": (lambda stored: stored.pop("lm_head.bias"), r"tensor lm_head\.bias is missing"),
    "superfluous": (
        lambda stored: stored.update({"classifier.weight": torch.zeros(2)}),
        r"tensor classifier\.weight has no place",
    ),
    "untied": (
        lambda stored: stored.update({"lm_head.decoder.weight": torch.zeros(39, 64)}),
        r"tensors lm_head\.decoder\.weight and lucaone\.embeddings\.embed_tokens\.weight differ",
    ),
}


@pytest.mark.parametrize("case", HUB_ERRORS)
def test_hub_errors(hub, tmp_path, case):
    change, message = HUB_ERRORS[case]
    stored = load_file(hub / "model.safetensors")
    stored = {name: tensor.clone() for name, tensor in stored.items()}
    change(stored)
    save_file(stored, hub / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"model\.safetensors: " + message):
        convert(hub, tmp_path / "dest")
    assert not (tmp_path / "dest").exists()


def test_hub_files(hub, tmp_path):
    with pytest.raises(CheckpointError, match="knows no --logs"):
        convert(hub, tmp_path / "dest", logs=tmp_path)
    (hub / "model.safetensors").write_bytes(b"nothing of the sort")
    with pytest.raises(CheckpointError, match=r"model\.safetensors: damaged"):
        convert(hub, tmp_path / "dest")
    (hub / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"has no model\.safetensors or pytorch_model\.bin"):
        convert(hub, tmp_path / "dest")
    with pytest.raises(CheckpointError, match="nowhere is not a folder"):
        convert(tmp_path / "nowhere", tmp_path / "dest")


def test_options(original, tmp_path):
    with pytest.raises(ValueError, match="'rRNA'"):
        convert(original, tmp_path / "dest", seq_type="rRNA")
    with pytest.raises(ValueError, match="unknown dtype 'int8': choose float32, bfloat16"):
        convert(original, tmp_path / "dest", dtype="int8")


# --- the destination ----------------------------------------------------------------------------


def test_destination(original, tmp_path):
    with pytest.raises(CheckpointError, match="is not empty"):
        convert(original, original)
    file = tmp_path / "file"
    file.write_text("kept")
    with pytest.raises(CheckpointError, match="is a file"):
        convert(original, file)
    assert file.read_text() == "kept"
    empty = tmp_path / "empty"
    empty.mkdir()
    convert(original, empty)
    convert(original, tmp_path / "new" / "below")
    assert {path.name for path in tmp_path.iterdir()} == {"source", "file", "empty", "new"}


@pytest.mark.parametrize("existed", [True, False])
def test_nothing_is_left_of_a_failure_while_writing(original, tmp_path, monkeypatch, existed):
    def fail(self, folder, **_):
        (Path(folder) / "model.safetensors").write_bytes(b"half")
        raise OSError("no space left on device")

    dest = tmp_path / "dest"
    if existed:
        dest.mkdir()
    monkeypatch.setattr(LucaOneForPreTraining, "save_pretrained", fail)
    with pytest.raises(OSError, match="no space"):
        convert(original, dest)
    assert {path.name for path in tmp_path.iterdir()} == {"source"} | (
        {"dest"} if existed else set()
    )
    assert not existed or not any(dest.iterdir())


def test_tensors_are_mapped_not_copied(original, tmp_path, monkeypatch):
    loaded = {}
    load = torch.load
    monkeypatch.setattr(torch, "load", lambda *a, **k: loaded.update(load(*a, **k)) or dict(loaded))
    pointers = {}

    def save(self, folder, **_):
        pointers.update({name: tensor.data_ptr() for name, tensor in self.state_dict().items()})
        self.config.save_pretrained(folder)

    monkeypatch.setattr(LucaOneForPreTraining, "save_pretrained", save)
    convert(original, tmp_path / "dest")
    assert pointers["lm_head.dense.weight"] == loaded["lm_head.dense.weight"].data_ptr()
    assert pointers["annotation_heads.prot_homo.dense.weight"] == (
        loaded["hidden_layer_list.1.weight"].data_ptr()
    )
