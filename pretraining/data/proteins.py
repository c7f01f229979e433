# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Proteins of UniProt, and of structure files, to a folder of labelled records.

    from pretraining.data.proteins import build_proteins

    print(build_proteins(["uniprot_sprot.dat.gz"], "proteins"))

Keywords and taxonomic order stand in the entries; spans come from InterPro's tables, coordinates
from structure files. What those say is put into an index, `OUTPUT.index`, which is there as long as
the job is not finished.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

try:
    import Bio as _  # noqa: F401
except ImportError:
    raise ImportError(
        "records of proteins need Biopython; pip install 'lucaone-hf[pretraining]'"
    ) from None

from sequence_io.records import file_error

from .building import BuildOptions, build
from .interpro import read_entry_tasks
from .protein_index import ProteinIndex
from .protein_records import ProteinReader
from .protein_sources import UNIPROT, IndexSources, digest, open_source, structure_files
from .summary import BuildSummary
from .taxonomy import orders_sha256, read_orders


@dataclass(frozen=True, kw_only=True)
class ProteinOptions:
    """What records of proteins are made of, and how.

    Attributes:
        interpro: InterPro's table of matches, `protein2ipr.dat`.
        interpro_entries: InterPro's table of entries, `entry.list`; the two belong together.
        taxonomy: table of taxon ids and orders; without it, the order is the fifth name of the
            lineage.
        structures: folder of structure files.
        structures_alone: make records of structures of other proteins than the entries too; they
            are all there is where no file of UniProt is given.
        max_length: longer proteins are cut into segments.
        min_coverage: share of a protein that must have coordinates in a structure, from 0 to 1: a
            peptide at high resolution shall not be preferred to the whole.
    """

    interpro: Path | None = None
    interpro_entries: Path | None = None
    taxonomy: Path | None = None
    structures: Path | None = None
    structures_alone: bool = False
    max_length: int = 1278
    min_coverage: float = 0.5

    def check(self) -> None:
        """Check what can be wrong whatever the files hold.

        Raises:
            ValueError: an option is wrong; the message names it.
        """
        if (self.interpro is None) != (self.interpro_entries is None):
            raise ValueError("--interpro and --interpro-entries: one does not go without the other")
        if self.max_length < 1:
            raise ValueError(f"--max-length {self.max_length}: must be at least 1")
        if not 0 <= self.min_coverage <= 1:
            raise ValueError(f"--min-coverage {self.min_coverage}: must be from 0 to 1")


def build_proteins(
    sources: Iterable[str | Path],
    output: str | Path,
    proteins: ProteinOptions | None = None,
    options: BuildOptions | None = None,
    tell: Callable[[str], object] = lambda note: None,
) -> BuildSummary:
    """Make a folder of labelled records of proteins.

    Args:
        sources: files of UniProt (flat text or XML) and structure files (PDB or mmCIF), plain or
            compressed. What they are is told by their content.
        output: the folder to write, see `building.build`.
        proteins: what belongs to proteins.
        options: what belongs to every folder of records.
        tell: gets a line about what is worth telling meanwhile.

    Raises:
        ValueError: an option is wrong; a file cannot be read or is of no known kind; and for all
            that `building.build` raises.
    """
    proteins, options = proteins or ProteinOptions(), options or BuildOptions()
    proteins.check()
    output = Path(output)
    uniprot, structures = _kinds(map(Path, sources))
    if proteins.structures:
        structures += structure_files(proteins.structures)
    for name in ("interpro", "taxonomy"):
        if not uniprot and (path := getattr(proteins, name)):
            raise ValueError(f"{path}: --{name} is of use to entries of UniProt, and none is given")
    if proteins.structures_alone and not structures:
        raise ValueError("--structures-alone: there is no structure")
    alone = proteins.structures_alone or not uniprot
    files = uniprot + structures * alone
    tasks = read_entry_tasks(proteins.interpro_entries) if proteins.interpro_entries else {}
    index = ProteinIndex(output.with_name(f"{output.name}.index"))
    joined = bool(uniprot and (proteins.interpro or structures))
    reader = ProteinReader(
        uniprot=frozenset(uniprot),
        index=index if joined else None,
        index_sources=IndexSources(
            uniprot=uniprot,
            interpro=proteins.interpro,
            tasks=tasks,
            structures=structures,
            alone=alone,
        ),
        tasks=tasks,
        orders=read_orders(proteins.taxonomy) if proteins.taxonomy else {},
        max_length=proteins.max_length,
        min_coverage=proteins.min_coverage,
    )
    settings = {
        "max_length": proteins.max_length,
        "min_coverage": proteins.min_coverage,
        "structures_alone": alone and bool(structures),
        "structures_sha256": digest(structures),
        "taxonomy_sha256": orders_sha256(proteins.taxonomy),
    }
    for name in ("interpro", "interpro_entries"):
        path = getattr(proteins, name)
        settings[f"{name}_sha256"] = digest([path]) if path else None
    summary = build(reader, settings, files, output, options, tell)
    index.path.unlink(missing_ok=True)
    return summary


def _kinds(paths: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Divide files into those of UniProt and those of structures.

    Raises:
        ValueError: one is neither.
    """
    uniprot: list[Path] = []
    structures: list[Path] = []
    for path in paths:
        form, _ = open_source(path)
        if form is None:
            raise file_error(
                path, "neither UniProt (flat text or XML) nor a structure (PDB, mmCIF)"
            )
        (uniprot if form in UNIPROT else structures).append(path)
    return uniprot, structures
