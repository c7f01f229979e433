# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What the page is asked, answered in HTML; one method for each tab."""

from .inputs import SEQ_TYPES, Limits, read_one, read_sequences
from .maps import draw_map
from .masked import predict_letter
from .models import PairModel, ShownModel
from .rendering import render
from .spans import lay_out, task_title

# Labels in a legend; a table has all.
LEGEND = 40


class Answers:
    """The answers of a model; every method raises a ValueError of one line for bad input.

    Args:
        shown: the model.
        pairs: a model of pairs, if there is one.
        limits: what may be asked for at once.
    """

    def __init__(self, shown: ShownModel, pairs: PairModel | None, limits: Limits):
        self.shown, self.pairs, self.limits = shown, pairs, limits

    def masked(self, text: str | None, seq_type: str | None, position: float | None) -> str:
        """Show what could stand at a position of a sequence.

        Args:
            text: FASTA, or letters.
            seq_type: `gene` or `prot`.
            position: counted from 1.
        """
        assert self.shown.scorer is not None
        read = read_one(text, seq_type, self.limits)
        record = read.records[0]
        found = predict_letter(self.shown.scorer, record, position)
        return render(
            "masked",
            found=found,
            id=record.id,
            length=len(record.sequence),
            names={"T": "T/U"} if seq_type == "gene" else {},
            notes=read.notes,
        )

    def annotation(self, text: str | None, seq_type: str | None, threshold: float) -> str:
        """Show what the annotation heads say of a sequence.

        Args:
            text: FASTA, or letters.
            seq_type: `gene` or `prot`.
            threshold: least probability, see `Annotator.annotate`.
        """
        assert self.shown.annotator is not None
        read = read_one(text, seq_type, self.limits)
        record = read.records[0]
        found = self.shown.annotator.annotate(record.sequence, seq_type, threshold=threshold)
        notes = [
            f"{task_title(task)}: numbers for each letter, which `lucaone annotate` writes"
            for task in found.values
        ]
        if not (found.spans or found.labels or found.values):
            notes.append(f"the model has no annotation task for {SEQ_TYPES[str(seq_type)]}")
        return render(
            "annotation",
            id=record.id,
            length=len(record.sequence),
            views=[lay_out(task, record.sequence, spans) for task, spans in found.spans.items()],
            labels=[(task_title(task), labels) for task, labels in found.labels.items()],
            threshold=threshold,
            most=LEGEND,
            notes=read.notes + notes,
        )

    def map(self, text: str | None, seq_type: str | None, separator: str | None) -> str:
        """Show several sequences on a plane.

        Args:
            text: FASTA.
            seq_type: `gene` or `prot`.
            separator: see `draw_map`.
        """
        read = read_sequences(text, seq_type, self.limits)
        drawn = draw_map(self.shown.embedder, read.records, self.limits.sequences, separator or "")
        return render("map", drawn=drawn, notes=read.notes)

    def pair(self, gene_text: str | None, protein_text: str | None) -> str:
        """Show what the model of pairs says of a nucleic acid and a protein.

        Args:
            gene_text: FASTA, or letters.
            protein_text: the same.
        """
        assert self.pairs is not None
        gene = read_one(gene_text, "gene", self.limits, "the DNA or RNA", "DNA")
        protein = read_one(protein_text, "prot", self.limits, "the protein", "protein")
        records = [gene.records[0], protein.records[0]]
        notes = [
            f"{record.id}: the first {limit:,} letters are read, as in training"
            for record, limit in zip(records, self.pairs.max_residues, strict=True)
            if limit is not None and len(record.sequence) > limit
        ]
        return render(
            "pair",
            records=records,
            label=self.pairs.label,
            probability=self.pairs.probability(*(record.sequence for record in records)),
            model=self.pairs,
            notes=gene.notes + protein.notes + notes,
        )
