# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Structure files, PDB or mmCIF, to protein chains with C-alpha coordinates. Needs Biopython."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from Bio.Data.PDBData import protein_letters_3to1_extended

from .alignment import align
from .structure_formats import ATOM_RECORDS, Atom, Contents, Head, Reference, read_cif, read_pdb

__all__ = [
    "Chain",
    "Head",
    "Reference",
    "Structure",
    "alphafold_name",
    "parse_head",
    "parse_structure",
    "structure_form",
]

PDB_RECORDS = (
    "HEADER|OBSLTE|TITLE|SPLIT|CAVEAT|COMPND|SOURCE|KEYWDS|EXPDTA|AUTHOR|REVDAT|REMARK|DBREF"
    "|SEQRES|CRYST1|MODEL|ATOM|HETATM"
)
ALPHAFOLD = re.compile(r"AF-(\w+(?:-\d+)?)-F(\d+)\b.*\.(?:pdb|cif)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """One protein chain.

    Attributes:
        id: as the authors name it.
        sequence: of the molecule that was studied (SEQRES); where the file has none, of the
            residues that have a C-alpha atom. Modified residues have the letter of the residue
            that they are made of (MSE is M), unknown ones X.
        coordinates: (residues, 3) of the C-alpha atoms in angstrom, fp32; NaN where there is none,
            or where it is that of another residue than the sequence has there.
    """

    id: str
    sequence: str
    coordinates: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """One file: its first model.

    Attributes:
        head: what the file says of itself.
        chains: the protein chains.
        bare_chains: names of polymers without a C-alpha atom: nucleic acids, and proteins that
            were not located.
    """

    head: Head
    chains: tuple[Chain, ...]
    bare_chains: tuple[str, ...]

    def chain(self, name: str) -> Chain:
        """Return the chain of a name; the first for an empty one.

        Raises:
            ValueError: there is no such chain.
        """
        for chain in self.chains:
            if name in ("", chain.id):
                return chain
        raise ValueError(f"there are no C-alpha atoms of chain {name}")


def structure_form(text: str) -> str | None:
    """Tell by its beginning what a text is: `pdb`, `cif`, or None where it is no structure."""
    text = re.sub(r"\A(?:\s+|#.*\n)+", "", text.lstrip("\ufeff"))
    if re.match(r"data_\S*\s", text):
        return "cif"
    return "pdb" if re.match(rf"(?:{PDB_RECORDS})\b", text) else None


def alphafold_name(name: str) -> tuple[str, int] | None:
    """Take a name such as AF-P62330-F1-model_v4.cif.gz apart.

    Returns:
        The accession and the number of the piece: long proteins were predicted in several, which
        overlap. None for other names.
    """
    found = ALPHAFOLD.match(name)
    return (found[1].upper(), int(found[2])) if found else None


def parse_head(lines: Iterable[str]) -> Head:
    """Read what a file says of itself, which takes a small part of the time of the whole.

    Raises:
        ValueError: it cannot be read; the message does not name it.
    """
    return _parse(line for line in lines if not line.startswith(ATOM_RECORDS)).head


def parse_structure(lines: Iterable[str]) -> Structure:
    """Read a file.

    Raises:
        ValueError: it cannot be read, or there is no C-alpha atom in it; the message does not name
            the file.
    """
    contents = _parse(lines)
    atoms = defaultdict(list)
    for atom in contents.atoms:
        atoms[atom.chain].append(atom)
    if not atoms:
        raise ValueError("there is no C-alpha atom in it")
    chains = [_chain(name, own, contents.sequences.get(name, ())) for name, own in atoms.items()]
    bare = [name for name in contents.sequences if name not in atoms]
    return Structure(contents.head, tuple(chains), tuple(bare))


def _parse(lines: Iterable[str]) -> Contents:
    text = itertools.dropwhile(lambda line: line.startswith("#") or not line.strip(), lines)
    first = next(text, "")
    try:
        read = read_cif if first.startswith("data_") else read_pdb
        return read(itertools.chain([first], text))
    except MemoryError:
        raise
    # A damaged file makes the parsers stumble in many ways.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"cannot be read: {reason}") from error


def _letter(residue: str) -> str:
    return protein_letters_3to1_extended.get(residue, "X")


def _chain(name: str, atoms: Iterable[Atom], residues: Sequence[str]) -> Chain:
    """Put the atoms of a chain on its sequence; of several places of one, the likeliest counts."""
    likeliest: dict[tuple[int, str], Atom] = {}
    for atom in atoms:
        key = (atom.number, atom.insertion)
        if key not in likeliest or atom.occupancy > likeliest[key].occupancy:
            likeliest[key] = atom
    located = list(likeliest.values())
    letters = "".join(_letter(atom.residue) for atom in located)
    sequence = "".join(map(_letter, residues)) or letters
    coordinates = np.full((len(sequence), 3), np.nan, np.float32)
    for atom, letter, place in zip(
        located, letters, _places(located, letters, sequence), strict=True
    ):
        if 0 <= place < len(sequence) and sequence[place] == letter:
            coordinates[place] = atom.position
    return Chain(name, sequence, coordinates)


def _places(atoms: Sequence[Atom], letters: str, sequence: str) -> Sequence[int] | np.ndarray:
    """Find the places of residues in the sequence; -1 for none.

    Where the file does not tell, the numbers of the residues do: they give the lengths of the gaps
    between them. If not exactly one way agrees with all letters, letters alone have to do.
    """
    stated = [atom.place for atom in atoms if atom.place is not None]
    if len(stated) == len(atoms):
        return stated
    if letters == sequence:
        return range(len(sequence))
    offsets = [0]
    for before, atom in itertools.pairwise(atoms):
        # Residues that were inserted share a number.
        offsets.append(offsets[-1] + max(atom.number - before.number, 1))
    if offsets[-1] < len(sequence):
        pattern = ["."] * (offsets[-1] + 1)
        for offset, letter in zip(offsets, letters, strict=True):
            pattern[offset] = letter
        starts = [match.start() for match in re.finditer(f"(?={''.join(pattern)})", sequence)]
        if len(starts) == 1:
            return [starts[0] + offset for offset in offsets]
    return align(letters, sequence)
