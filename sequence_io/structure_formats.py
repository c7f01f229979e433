# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""PDB and mmCIF files to their C-alpha atoms; `structures.py` makes chains of them.

Bio.PDB takes mmCIF apart. Its objects for every atom of every model are not made: the C-alpha atoms
of the first model are a tenth of a file or less.
"""

import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from Bio.PDB.MMCIF2Dict import MMCIF2Dict

ATOM_RECORDS = ("ATOM", "HETATM")
UNKNOWN = ("?", ".")


class Reference(NamedTuple):
    """What a file says of a chain: so many residues of it are of this entry of UniProt."""

    chain: str
    accession: str
    residues: int


@dataclass(slots=True)
class Head:
    """What a file says of itself.

    Attributes:
        id: of the entry; empty where the file has none.
        predicted: by AlphaFold.
        resolution: in angstrom; None where there is none, as by NMR.
        references: to UniProt.
    """

    id: str = ""
    predicted: bool = False
    resolution: float | None = None
    references: tuple[Reference, ...] = ()


class Atom(NamedTuple):
    """A C-alpha atom of the first model.

    `number` and `insertion` name its residue, `residue` has three letters. `place` is that of the
    residue in the sequence of the chain, from 0; None where the file does not tell.
    """

    chain: str
    number: int
    insertion: str
    residue: str
    place: int | None
    occupancy: float
    position: tuple[float, float, float]


@dataclass(slots=True)
class Contents:
    """A file: `sequences` has the names of the residues of each polymer, as they were studied.

    A polymer of which nothing but atoms is known has an empty one.
    """

    head: Head = field(default_factory=Head)
    sequences: dict[str, list[str]] = field(default_factory=dict)
    atoms: list[Atom] = field(default_factory=list)


def read_pdb(lines: Iterable[str]) -> Contents:
    """Read a PDB file up to the end of its first model.

    Raises:
        ValueError: there is no number where there should be one.
    """
    contents = Contents()
    head, sequences = contents.head, contents.sequences
    references = []
    ended: set[str] = set()
    database, chain = "", " "
    for line in lines:
        record = line[:6].rstrip()
        if record in ATOM_RECORDS:
            chain, name, element = line[21], line[12:16], line[76:78].strip()
            if record == "ATOM":
                sequences.setdefault(chain, [])
            # The name of calcium stands one column further left.
            is_alpha = element == "C" and name.strip() == "CA" if element else name == " CA "
            if is_alpha and chain not in ended:
                contents.atoms.append(_pdb_atom(line))
        elif record == "TER":  # ligands and waters follow
            ended.add(line[21] if line[21:22].strip() else chain)
        elif record == "ENDMDL":
            break
        elif record == "SEQRES":
            sequences.setdefault(line[11], []).extend(line[19:70].split())
        elif record == "HEADER":
            head.id = line[62:66].strip()
        elif record == "TITLE":
            head.predicted |= "ALPHAFOLD" in line and "PREDICTION" in line
        elif record == "REMARK" and (found := re.match(r"REMARK   2 RESOLUTION\. +([\d.]+)", line)):
            head.resolution = float(found[1])
        elif record == "DBREF" and line[26:32].strip() == "UNP":
            references.append((line[12], line[33:41].strip(), line[55:60], line[62:67]))
        elif record == "DBREF1":  # where names or numbers are long, there are two lines
            database = line[26:32].strip()
        elif record == "DBREF2" and database == "UNP":
            references.append((line[12], line[18:40].strip(), line[45:55], line[57:67]))
    head.references = _add_up(references)
    return contents


def _pdb_atom(line: str) -> Atom:
    return Atom(
        chain=line[21],
        number=_residue_number(line[22:26].strip()),
        insertion=line[26].strip(),
        residue=line[17:20].strip(),
        place=None,
        occupancy=float(line[54:60].strip() or 1),
        position=(float(line[30:38]), float(line[38:46]), float(line[46:54])),
    )


def _residue_number(text: str) -> int:
    """Read a number of four characters: behind 9999 come A000 to ZZZZ, then a000 (hybrid-36)."""
    if not text[:1].isalpha():
        return int(text)
    first, number = ("A000", 10_000) if text[0].isupper() else ("a000", 10_000 + 26 * 36**3)
    return int(text, 36) - int(first, 36) + number


def _add_up(rows: Iterable[tuple[str, ...]]) -> tuple[Reference, ...]:
    """Make references of chain, accession, first and last residue; a chain may be in pieces."""
    residues: dict[tuple[str, str], int] = defaultdict(int)
    for chain, accession, first, last in rows:
        residues[chain, accession] += int(last) - int(first) + 1
    return tuple(Reference(*key, number) for key, number in residues.items())


class _Tables:
    """The categories of an mmCIF file."""

    def __init__(self, lines: Iterable[str]):
        # Of the atoms, a line each in all archives, only those that may be C-alpha are taken apart.
        used = (line for line in lines if not line.startswith(ATOM_RECORDS) or "CA" in line)
        self.columns = MMCIF2Dict(io.StringIO("".join(used)))

    def rows(self, category: str, *names: str) -> Iterator[tuple[str, ...]]:
        """Go through the rows of a category; there are none if it has not all these columns."""
        columns = [self.columns.get(f"_{category}.{name}") for name in names]
        if all(columns):
            yield from zip(*columns, strict=True)

    def first(self, category: str, name: str) -> str:
        """Return the first value that is known; empty if there is none."""
        return next((row[0] for row in self.rows(category, name) if row[0] not in UNKNOWN), "")


def read_cif(lines: Iterable[str]) -> Contents:
    """Read an mmCIF file.

    Raises:
        ValueError: it is damaged. Biopython's parser raises other errors as well.
    """
    tables, contents = _Tables(lines), Contents()
    head, sequences = contents.head, contents.sequences
    head.id = tables.first("entry", "id")
    head.predicted = head.id.upper().startswith("AF-")
    resolutions = (
        tables.first("refine", "ls_d_res_high"),
        tables.first("em_3d_reconstruction", "resolution"),
    )
    head.resolution = next((float(value) for value in resolutions if value), None)
    uniprot = {row[0] for row in tables.rows("struct_ref", "id", "db_name") if row[1] == "UNP"}
    names = ("ref_id", "pdbx_strand_id", "pdbx_db_accession", "db_align_beg", "db_align_end")
    head.references = _add_up(
        row[1:]
        for row in tables.rows("struct_ref_seq", *names)
        if row[0] in uniprot and not set(row) & set(UNKNOWN)
    )
    entities: dict[str, dict[int, str]] = defaultdict(dict)
    for entity, number, name in tables.rows("entity_poly_seq", "entity_id", "num", "mon_id"):
        entities[entity].setdefault(int(number), name)  # several were found at one place
    for entity, chains in tables.rows("entity_poly", "entity_id", "pdbx_strand_id"):
        for chain in chains.split(","):
            sequences[chain.strip()] = list(entities[entity].values())
    for entity, atom in _cif_atoms(tables):
        sequences.setdefault(atom.chain, list(entities[entity].values()))
        contents.atoms.append(atom)
    return contents


def _cif_atoms(tables: _Tables) -> Iterator[tuple[str, Atom]]:
    """Go through the C-alpha atoms of the first model, each with its entity."""
    names = "type_symbol label_atom_id label_comp_id label_entity_id label_seq_id occupancy"
    names += " auth_asym_id pdbx_PDB_model_num Cartn_x Cartn_y Cartn_z"
    number_of_atoms = len(tables.columns.get("_atom_site.type_symbol", ()))
    tables.columns.setdefault("_atom_site.occupancy", ["?"] * number_of_atoms)
    model = None
    for (
        element,
        name,
        residue,
        entity,
        number,
        occupancy,
        chain,
        of_model,
        *position,
    ) in tables.rows("atom_site", *names.split()):
        model = model or of_model
        # What has no number is no part of a polymer.
        if (element, name, of_model) != ("C", "CA", model) or number in UNKNOWN:
            continue
        x, y, z = map(float, position)
        share = 1.0 if occupancy in UNKNOWN else float(occupancy)
        yield entity, Atom(chain, int(number), "", residue, int(number) - 1, share, (x, y, z))
