# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Examples for the card of a repository: code, commands and sequences that run as they stand."""

import json
import shlex

from .facts import ModelFacts

# petN and psbM of the chloroplast of Arabidopsis thaliana (NC_000932) and their proteins, whole.
SEQUENCES = {
    "gene": (
        "ATGGATATAGTAAGTCTCGCATGGGCTGCTTTAATGGTAGTTTTTACATTTTCCCTCTCTCTCGTAGTGTGGGGAAGAAGTGGA"
        "CTCTAG",
        "ATGGAAGTAAATATTCTTGCATTTATTGCTACTGCACTCTTCATTCTCGTTCCTACTGCTTTTTTGCTTATAATTTACGTAAAA"
        "ACCGTTAGTCAAAATGATTAA",
    ),
    "prot": ("MDIVSLAWAALMVVFTFSLSLVVWGRSGL", "MEVNILAFIATALFILVPTAFLLIIYVKTVSQND"),
}
TITLES = {"gene": "petN of Arabidopsis", "prot": "PetN of Arabidopsis"}
_MASKED = 12  # place of the letter that is taken away
_FILES = {"gene": "genes.fasta", "prot": "proteins.fasta"}
_TRUST = ", trust_remote_code=True"
# Of the classifiers that transformers knows: Auto class and pipeline.
_CLASSIFIERS = {
    "LucaOneForSequenceClassification": (
        "AutoModelForSequenceClassification",
        "text-classification",
    ),
    "LucaOneForTokenClassification": ("AutoModelForTokenClassification", "token-classification"),
}


def masked(kind: str) -> str:
    """Return the sequence of a molecule type with one letter masked."""
    text = SEQUENCES[kind][0]
    return f"{text[:_MASKED]}[MASK]{text[_MASKED + 1 :]}"


def is_classifier(facts: ModelFacts) -> bool:
    """Return whether a model gives labels or numbers, for sequences, residues or pairs."""
    return facts.is_pair or facts.stored_class in _CLASSIFIERS


def binary_labels(facts: ModelFacts) -> tuple[str, str] | None:
    """Return the negative and the positive label of a classifier that says yes or no."""
    if facts.outputs != 1 or facts.problem != "multi_label_classification":
        return None
    *negative, positive = facts.labels
    return (negative[0] if negative else f"not {positive}"), positive


def stock_pipeline(facts: ModelFacts) -> str | None:
    """Return the pipeline of transformers that a model is for; pairs have none."""
    if facts.is_pair:
        return None
    if facts.stored_class in _CLASSIFIERS:
        return _CLASSIFIERS[facts.stored_class][1]
    return "fill-mask" if "AutoModelForMaskedLM" in facts.auto_map else "feature-extraction"


def loading(facts: ModelFacts, repository: str, base_model: str, ours: bool) -> str:
    """Return Python code that loads a model and applies it.

    Args:
        facts: of the model.
        repository: its id on the Hub, or its folder.
        base_model: likewise, of the model that an adapter belongs to.
        ours: whether this package is there; else the code of the repository is run.
    """
    options = "" if ours else _TRUST
    model_class, _ = _CLASSIFIERS.get(facts.stored_class, ("AutoModel", None))
    stock, lines = {"AutoTokenizer"}, ["import torch"]
    if facts.adapter:
        stock.add("AutoConfig")
        lines.append("from peft import PeftModel")
    if facts.adapter and not ours:
        # An Auto class would look for the code of this class in the base model.
        model_class = "model_class"
    elif facts.is_pair and ours:
        model_class = "AutoModelForPairClassification"
    else:
        stock.add(model_class)
    lines.append(f"from transformers import {', '.join(sorted(stock))}")
    if ours and facts.is_pair:
        lines += ["", f"from modeling_lucaone import {model_class}"]
    elif ours:
        lines += ["", "import modeling_lucaone  # registers the classes"]
    elif facts.adapter:
        module = "transformers.dynamic_module_utils"
        lines.append(f"from {module} import get_class_from_dynamic_module")
    lines += [
        "",
        f"repository = {json.dumps(repository)}",
        f"tokenizer = AutoTokenizer.from_pretrained(repository{options})",
    ]
    if facts.adapter:
        lines += [
            f"base_model = {json.dumps(base_model)}",
            f"config = AutoConfig.from_pretrained(repository{options})",
        ]
        if not ours:
            entry = json.dumps(f"heads.{facts.stored_class}")
            lines.append(f"model_class = get_class_from_dynamic_module({entry}, repository)")
        lines += [
            f"model = {model_class}.from_pretrained(base_model, config=config)",
            "model = PeftModel.from_pretrained(model, repository)",
        ]
    else:
        lines.append(f"model = {model_class}.from_pretrained(repository{options})")
    return "\n".join([*lines, "", *_applying(facts)])


def _applying(facts: ModelFacts) -> list[str]:
    types = facts.input_types
    if facts.is_pair:
        return [
            *_pair(facts),
            f'a = tokenizer(first, seq_type="{types[0]}", return_tensors="pt")',
            f'b = tokenizer(second, seq_type="{types[1]}", return_tensors="pt")',
            'inputs = {f"{name}_a": tensor for name, tensor in a.items()}',
            'inputs |= {f"{name}_b": tensor for name, tensor in b.items()}',
            "with torch.no_grad():",
            "    logits = model(**inputs).logits",
            *_reading(facts),
        ]
    result = "logits" if is_classifier(facts) else "last_hidden_state"
    named = json.dumps(types[0] if len(types) == 1 else types)
    return [
        f"sequences = {json.dumps([SEQUENCES[kind][0] for kind in types])}",
        f'inputs = tokenizer(sequences, seq_type={named}, padding=True, return_tensors="pt")',
        "with torch.no_grad():",
        f"    {result} = model(**inputs).{result}",
        *(_reading(facts) if is_classifier(facts) else ()),
    ]


def _reading(facts: ModelFacts) -> list[str]:
    """Return how the logits of a classifier become numbers or labels."""
    logits, lines = "logits", []
    if stock_pipeline(facts) == "token-classification":
        logits = "letters"
        lines = [
            "# Of the first sequence, without [CLS] and [SEP].",
            'letters = logits[0, inputs["attention_mask"][0].bool()][1:-1]',
        ]
    if facts.problem == "regression":
        return [*lines, f"numbers = {logits}.tolist()"]
    if names := binary_labels(facts):
        negative, positive = map(json.dumps, names)
        return [
            *lines,
            f"probabilities = {logits}.sigmoid()[:, 0].tolist()  # of {positive}",
            f"labels = [{positive} if one >= 0.5 else {negative} for one in probabilities]",
        ]
    if facts.problem == "multi_label_classification":
        return [
            *lines,
            f"probabilities = {logits}.sigmoid()",
            "id2label = model.config.id2label",
            "labels = [",
            "    [id2label[number] for number, one in enumerate(row) if one >= 0.5]",
            "    for row in probabilities.tolist()",
            "]",
        ]
    return [
        *lines,
        f"probabilities = {logits}.softmax(-1)",
        "best = probabilities.argmax(-1).tolist()",
        "labels = [model.config.id2label[number] for number in best]",
    ]


def _pair(facts: ModelFacts) -> list[str]:
    first, second = facts.input_types
    texts = SEQUENCES[first][0], SEQUENCES[second][int(first == second)]
    return [f'first = "{texts[0]}"', f'second = "{texts[1]}"']


def pipelines(facts: ModelFacts, repository: str) -> str:
    """Return Python code that makes pipelines of a model, and calls them.

    Args:
        facts: of the model, which is no adapter.
        repository: its id on the Hub, or its folder.
    """
    kind, task = facts.input_types[-1], stock_pipeline(facts)
    text, load = f'"{SEQUENCES[kind][0]}"', f"model=repository{_TRUST}"
    lines = ["from transformers import pipeline", "", f"repository = {json.dumps(repository)}"]
    if task is None:
        lines += [
            *_pair(facts),
            f'classify = pipeline("pair-classification", {load})',
            f'classify([(first, second)], seq_type="{facts.input_types[0]}", '
            f'seq_type_pair="{kind}")',
        ]
    elif task == "text-classification":
        lines += [
            f'classify = pipeline("{task}", {load})',
            f'classify({text}, seq_type="{kind}")',
        ]
    elif task == "token-classification":
        lines[0] = "from transformers import AutoTokenizer, pipeline"
        lines += [
            f'tokenizer = AutoTokenizer.from_pretrained(repository, seq_type="{kind}"{_TRUST})',
            f'tag = pipeline("{task}", tokenizer=tokenizer, {load})',
            f"tag({text})",
        ]
    else:
        if task == "fill-mask":
            lines += [
                f'fill = pipeline("{task}", {load})',
                f'fill("{masked(kind)}", tokenizer_kwargs={{"seq_type": "{kind}"}})',
            ]
        lines += [
            f'extract = pipeline("feature-extraction", {load})',
            f'extract({text}, tokenize_kwargs={{"seq_type": "{kind}"}})',
        ]
    return "\n".join(lines)


def vectors(facts: ModelFacts, repository: str) -> str:
    """Return Python code that makes a vector of each sequence by Sentence Transformers."""
    kind = facts.input_types[-1]
    return "\n".join(
        [
            "from sentence_transformers import SentenceTransformer",
            "",
            f"encoder = SentenceTransformer({json.dumps(repository)}{_TRUST})",
            f'vectors = encoder.encode(["{SEQUENCES[kind][0]}"], seq_type="{kind}")',
        ]
    )


def commands(facts: ModelFacts, repository: str, base_model: str) -> str:
    """Return what the command line of this package does with a model."""
    kind, place = facts.input_types[-1], shlex.quote(repository)
    file = _FILES[kind]
    if facts.is_pair or stock_pipeline(facts) == "text-classification":
        file = "pairs.csv" if facts.is_pair else file
        base = f" --base-model {shlex.quote(base_model)}" if facts.adapter else ""
        return f"lucaone predict {file} predictions.csv --model {place}{base}"
    options = f"--model {place} --seq-type {kind}"
    lines = [f"lucaone embed {file} vectors.h5 {options}"]
    if stock_pipeline(facts) == "fill-mask":
        lines.append(f"lucaone score {file} effects.csv {options}")
    if any(task.startswith(kind) and not task.endswith("_mask") for task in facts.tasks):
        lines.append(f"lucaone annotate {file} annotations.tsv {options}")
    return "\n".join(lines)
