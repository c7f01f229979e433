# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Annotations as TSV, GFF3 and JSON lines.

Positions in the files count from 1 and ends are inclusive; they count letters of the sequence as it
was read, without what cleaning removed. `record` is the number of the sequence in the input, from
1, so that sequences with the same id stay apart.

* TSV: a row for each label and each span; the letters of a label are those that the model read for
  it. Tasks that give values are there when they are asked for by name, a row for each letter.
* GFF3: the spans. Strand is `+` for nucleic acids, which are read as they are written. The frame
  of a coding span is not known, but a feature of type CDS must have one (its phase); so it is a
  `CDS_region`. Where an id comes a second time its sequence is called ID.recordNUMBER; the ids
  therefore stay in memory.
* JSON lines: an object for each sequence with all labels, spans and values.
"""

import csv
import json
import os
import re
from pathlib import Path
from typing import Any, Protocol, TextIO
from urllib.parse import quote

from .tasks import Annotation, Label, Task

# Types of the Sequence Ontology for the labels of nucleic acids and the tasks of proteins; any
# other span is a region.
NUCLEIC_ACID_TYPES = {
    "CDS": "CDS_region",
    "intron": "intron",
    "misc_RNA": "transcript",
    "ncRNA": "ncRNA",
    "regulatory": "regulatory_region",
    "rRNA": "rRNA",
    "tmRNA": "tmRNA",
    "tRNA": "tRNA",
}
PROTEIN_TYPES = {"prot_domain": "polypeptide_domain"}
# What stands unescaped in a seqid of GFF3, letters and digits aside.
SEQID_SAFE = ".:^*$@!+_?-|"


class AnnotationWriter(Protocol):
    """Writes annotations to a stream.

    Attributes:
        holds: what the format can say, of `labels`, `spans` and `values`.
        unasked: what it says where no task is asked for by name.
    """

    holds: tuple[str, ...]
    unasked: tuple[str, ...]

    def __init__(self, stream: TextIO, tasks: list[Task]): ...

    def write(self, number: int, name: str, annotation: Annotation) -> None:
        """Write what is told of a sequence.

        Args:
            number: of the sequence in the input, from 1.
            name: its id.
            annotation: what is told of it.
        """


def _rounded(numbers: Any) -> Any:
    """Return a number, or all in lists of lists, with six digits."""
    if isinstance(numbers, list):
        return [_rounded(number) for number in numbers]
    return float(f"{numbers:.6g}")


def _escaped(text: str) -> str:
    """Return an attribute's value with what GFF3 reserves, and nothing else, percent-encoded."""
    return re.sub(r"[\x00-\x1f\x7f%;=&,]", lambda match: f"%{ord(match[0]):02X}", text)


class _TsvWriter(AnnotationWriter):
    holds = ("labels", "spans", "values")
    unasked = ("labels", "spans")

    def __init__(self, stream: TextIO, tasks: list[Task]):
        self.rows = csv.writer(stream, delimiter="\t", lineterminator="\n")
        names = [name for task in tasks if task.gives == "values" for name in task.label_names]
        self.value_columns = list(dict.fromkeys(names))
        columns = ("record", "id", "seq_type", "task", "label_id", "label", "start", "end", "score")
        self.rows.writerow([*columns, *self.value_columns])

    def write(self, number: int, name: str, annotation: Annotation) -> None:
        """Write the labels, the spans and the values of a sequence."""
        about: list[Any] = [number, name, annotation.seq_type]
        empty = [""] * len(self.value_columns)
        for task, labels in (*annotation.labels.items(), *annotation.spans.items()):
            for label in labels:
                place = [label.start + 1, label.stop, _rounded(label.score)]
                self.rows.writerow([*about, task, label.id, label.name, *place, *empty])
        for task, parts in annotation.values.items():
            for part in parts:
                rows = _rounded(part.values.reshape(-1, len(part.names)).tolist())
                per_letter = part.values.ndim == 2
                for position, row in enumerate(rows, start=part.start + 1):
                    end = position if per_letter else part.stop
                    found = dict(zip(part.names, row, strict=True))
                    numbers = [found.get(column, "") for column in self.value_columns]
                    self.rows.writerow([*about, task, "", "", position, end, "", *numbers])


class _JsonWriter(AnnotationWriter):
    holds = ("labels", "spans", "values")
    unasked = holds

    def __init__(self, stream: TextIO, tasks: list[Task]):
        self.stream = stream

    def write(self, number: int, name: str, annotation: Annotation) -> None:
        """Write the object of a sequence."""
        content: dict[str, Any] = {"record": number, "id": name}
        content |= {"seq_type": annotation.seq_type, "length": annotation.length}
        for kind in ("labels", "spans"):
            found: dict[str, list[Label]] = getattr(annotation, kind)
            content[kind] = {
                task: [
                    {
                        "label": label.name,
                        "label_id": label.id,
                        "start": label.start + 1,
                        "end": label.stop,
                        "score": _rounded(label.score),
                    }
                    for label in labels
                ]
                for task, labels in found.items()
            }
        content["values"] = {
            task: [
                {
                    "start": part.start + 1,
                    "end": part.stop,
                    "names": part.names,
                    "values": _rounded(part.values.tolist()),
                }
                for part in parts
            ]
            for task, parts in annotation.values.items()
        }
        self.stream.write(json.dumps(content, ensure_ascii=False) + "\n")


class _GffWriter(AnnotationWriter):
    holds = ("spans",)
    unasked = holds

    def __init__(self, stream: TextIO, tasks: list[Task]):
        self.stream = stream
        self.seqids: set[str] = set()
        stream.write("##gff-version 3\n")
        stream.write("# score: mean probability of the label; there is no label for nothing\n")

    def write(self, number: int, name: str, annotation: Annotation) -> None:
        """Write the spans of a sequence, in the order of their starts."""
        seqid = name
        while seqid in self.seqids:
            seqid = f"{seqid}.record{number}"
        self.seqids.add(seqid)
        seqid = quote(seqid, safe=SEQID_SAFE).replace("~", "%7E")
        self.stream.write(f"##sequence-region {seqid} 1 {annotation.length}\n")
        spans = [(span, task) for task, spans in annotation.spans.items() for span in spans]
        spans.sort(key=lambda item: (item[0].start, -item[0].stop))
        for count, (span, task) in enumerate(spans, start=1):
            if annotation.seq_type == "gene":
                feature, strand = NUCLEIC_ACID_TYPES.get(span.name, "region"), "+"
            else:
                feature, strand = PROTEIN_TYPES.get(task, "polypeptide_region"), "."
            attributes = {
                "ID": f"record{number}.span{count}",
                "Name": span.name,
                "task": task,
                "label_id": span.id,
                "record": number,
            }
            columns = (
                seqid,
                "LucaOne",
                feature,
                span.start + 1,
                span.stop,
                f"{span.score:.6g}",
                strand,
                ".",
                ";".join(f"{key}={_escaped(str(value))}" for key, value in attributes.items()),
            )
            self.stream.write("\t".join(map(str, columns)) + "\n")


_WRITERS: dict[str, type[AnnotationWriter]] = {
    ".tsv": _TsvWriter,
    ".gff3": _GffWriter,
    ".gff": _GffWriter,
    ".jsonl": _JsonWriter,
}


def find_writer(output: str | os.PathLike[str]) -> type[AnnotationWriter]:
    """Return the writer for a file by its suffix; `-`, standard output, is TSV.

    Raises:
        ValueError: a suffix without a format.
    """
    suffix = ".tsv" if os.fspath(output) == "-" else Path(output).suffix.lower()
    if suffix not in _WRITERS:
        raise ValueError(f"{output}: unknown output format; known are {' '.join(_WRITERS)}")
    return _WRITERS[suffix]
