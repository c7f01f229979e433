# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The data set of the central dogma: does this genomic DNA encode this protein?

    from finetune.central_dogma import build_central_dogma

    print(build_central_dogma(["genome.gb.gz"], "central-dogma"))

Annotated genomes (GenBank flat files) become pairs of a gene's DNA and a protein. `locations.py`
cuts a gene out of its record, `genes.py` reads it by its genetic code or tells why not,
`selection.py` chooses isoforms and splits, `negatives.py` makes the pairs that do not belong
together, `builder.py` writes the folder.
"""

try:
    import Bio as _  # noqa: F401
except ImportError:
    raise ImportError(
        "the central dogma's data need Biopython; pip install 'lucaone-hf[finetune]'"
    ) from None

from .builder import Summary, build_central_dogma
from .settings import Settings

__all__ = ["Settings", "Summary", "build_central_dogma"]
