# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What is worth knowing of data that can be read: warnings and notes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from sequence_io import SequenceRecord, survey
from sequence_io.survey import OTHERS

from .examples import Example, Label
from .findings import EXAMPLES, Findings
from .settings import DataSettings, Problem
from .splits import InputKey, input_key

# Residues beyond which other commands read windows; training and prediction read all at once.
LONG_SEQUENCE = 16_384
# A split with fewer records tells next to nothing of a model.
FEW_RECORDS = 20
LARGEST_LABELS = 12


@dataclass
class Cuts:
    """What a length limit takes from one side.

    Attributes:
        limit: residues.
        sequences: sequences seen.
        residues: their residues.
        longest: residues of the longest.
        cut: sequences that were cut.
        lost: residues that this took.
        long: sequences of more than `LONG_SEQUENCE` residues that stay whole.
    """

    limit: int
    sequences: int = 0
    residues: int = 0
    longest: int = 0
    cut: int = 0
    lost: int = 0
    long: int = 0

    def cut_off(self, sequence: str) -> str:
        """Return what the limit leaves of a sequence."""
        beyond = max(0, len(sequence) - self.limit)
        self.sequences += 1
        self.residues += len(sequence)
        self.longest = max(self.longest, len(sequence))
        self.cut += beyond > 0
        self.lost += beyond
        self.long += len(sequence) - beyond > LONG_SEQUENCE
        return sequence[: self.limit]


def side_names(settings: DataSettings) -> list[str]:
    """Return what the table of findings calls the sides."""
    return ["sequences" + side.replace("_", " ") for side in settings.sides]


def check_cuts(cuts: Sequence[Cuts], settings: DataSettings, findings: Findings) -> None:
    """Warn of sequences that were cut."""
    for where, side in zip(side_names(settings), cuts, strict=True):
        if side.cut:
            text = (
                f"of {side.sequences:,} sequences are cut to {side.limit:,} residues; "
                f"{side.lost:,} of {side.residues:,} residues are lost, "
                f"the longest sequence has {side.longest:,}"
            )
            findings.add("warning", "length limit", where, text, count=side.cut)
        if side.long:
            text = (
                f"of {side.sequences:,} sequences have more than {LONG_SEQUENCE:,} residues "
                f"(longest {side.longest:,}) and are read whole, which takes long; --set "
                f"max_lengths=[{', '.join(['N'] * len(settings.sides))}] cuts them"
            )
            findings.add("warning", "long sequences", where, text, count=side.long)


def check_molecules(
    splits: Mapping[str, list[Example]], settings: DataSettings, findings: Findings
) -> None:
    """Warn of sequences that look like the other molecule type; each distinct one counts once."""
    for index, where in enumerate(side_names(settings)):
        distinct = {
            (example.sequences[index], example.seq_types[index]): example.ids[index]
            for examples in splits.values()
            for example in examples
        }
        records = (SequenceRecord(name, *of) for of, name in distinct.items())
        for kind, votes in survey(records).votes.items():
            if votes.records_against:
                text = (
                    f"of {votes.records:,} distinct sequences read as {kind} "
                    f"look like {OTHERS[kind]}"
                )
                examples = tuple(map(repr, votes.examples))
                most = 2 * votes.records_against > votes.records and not settings.force
                if most:  # the line of an error has room for one thing
                    text = f"{votes.records_against:,} {text}, as {examples[0]}; --force goes on"
                findings.add(
                    "error" if most else "warning",
                    f"molecule type {kind}",
                    where,
                    text,
                    count=votes.records_against,
                    examples=() if most else examples,
                )


def check_inputs(splits: Mapping[str, list[Example]], findings: Findings) -> None:
    """Warn of identical inputs in two splits, and of those with different labels."""
    labels: dict[InputKey, Label | None] = {}
    torn: dict[InputKey, str] = {}
    inputs: dict[str, set[InputKey]] = {}
    for split, examples in splits.items():
        keys = [input_key(example.sequences, example.seq_types) for example in examples]
        for earlier, known in inputs.items():
            leaked = [
                ", ".join(example.ids)
                for key, example in zip(keys, examples, strict=True)
                if key in known
            ]
            if leaked:
                findings.add(
                    "warning",
                    f"also in {earlier}",
                    split,
                    f"of {len(examples):,} records have an input that is also in {earlier}",
                    count=len(leaked),
                    examples=_quoted(leaked),
                )
        inputs[split] = set(keys)
        for key, example in zip(keys, examples, strict=True):
            if labels.setdefault(key, example.label) != example.label:
                torn.setdefault(key, ", ".join(example.ids))
    if torn:
        findings.add(
            "warning",
            "different labels",
            "all",
            "inputs, or pairs the other way round, have records of different labels",
            count=len(torn),
            examples=_quoted(list(torn.values())),
        )


def check_labels(
    splits: Mapping[str, list[Example]],
    problem: Problem,
    names: Sequence[str],
    findings: Findings,
) -> None:
    """Warn of labels too rare to learn, and note how often each occurs, or the range of values."""
    for split, examples in splits.items():
        values = [example.label for example in examples]
        if problem == "regression" and values:
            numbers = sorted(value for value in values if isinstance(value, float))
            text = f"values {numbers[0]:g} to {numbers[-1]:g}, median {median(numbers):g}"
            findings.add("note", "labels", split, text, count=len(values))
    if problem == "regression":
        return
    counts = {split: _label_counts(examples) for split, examples in splits.items()}
    total = sum(counts.values(), Counter[int]())
    once = [names[label] for label, count in sorted(total.items()) if count == 1]
    if once:
        text = "labels occur once in all"
        findings.add("warning", "rare labels", "all", text, count=len(once), examples=_quoted(once))
    for split in ("dev", "test"):
        unseen = [names[label] for label in sorted(counts[split].keys() - counts["train"].keys())]
        if unseen:
            findings.add(
                "warning",
                "unseen labels",
                split,
                "labels do not occur in train",
                count=len(unseen),
                examples=_quoted(unseen),
            )
    empty = [", ".join(e.ids) for of in splits.values() for e in of if e.label == (0,) * len(names)]
    if empty and problem == "multi_label":
        text = "records have none of the labels"
        findings.add("warning", "no labels", "all", text, count=len(empty), examples=_quoted(empty))
    for split, of_split in counts.items():
        if of_split:
            largest = sorted(of_split.items(), key=lambda item: (-item[1], item[0]))
            listed = ", ".join(f"{names[label]} {n:,}" for label, n in largest[:LARGEST_LABELS])
            more = ", ..." if len(largest) > LARGEST_LABELS else ""
            text = f"of {len(names):,} labels occur; records of each: {listed}{more}"
            findings.add("note", "labels", split, text, count=len(of_split))


def note_sizes(
    splits: Mapping[str, list[Example]], settings: DataSettings, findings: Findings
) -> None:
    """Note records, distinct sequences and lengths of every split; warn of very few records."""
    for split, examples in splits.items():
        texts = []
        for index, where in enumerate(side_names(settings)):
            lengths = [len(example.sequences[index]) for example in examples]
            if lengths:
                distinct = len({example.sequences[index] for example in examples})
                texts.append(
                    f"{distinct:,} distinct {where}, residues: median {median(lengths):,g}, "
                    f"longest {max(lengths):,}"
                )
        text = "records" + "".join(f"; {text}" for text in texts)
        few = split != "train" and 0 < len(examples) < FEW_RECORDS
        text += "; too few to judge a model by" * few
        findings.add("warning" if few else "note", "size", split, text, count=len(examples))


def _label_counts(examples: Iterable[Example]) -> Counter[int]:
    counts: Counter[int] = Counter()
    for example in examples:
        if isinstance(example.label, tuple):
            counts.update(number for number, flag in enumerate(example.label) if flag)
        elif isinstance(example.label, int):
            counts[example.label] += 1
    return counts


def _quoted(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(repr, names[:EXAMPLES]))
