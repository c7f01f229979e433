# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What the annotation heads of a model say of sequences."""

from .annotator import Annotator
from .files import annotate_file
from .tasks import Annotation, Label, Values

__all__ = ["Annotation", "Annotator", "Label", "Values", "annotate_file"]
