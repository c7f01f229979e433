# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Protein chains of PDB and mmCIF files."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from Bio.PDB import MMCIFParser, PDBParser

from sequence_io.alignment import align
from sequence_io.lines import read_lines
from sequence_io.structure_formats import read_pdb
from sequence_io.structures import (
    Reference,
    alphafold_name,
    parse_head,
    parse_structure,
    structure_form,
)

DATA = Path(__file__).parents[3] / "shared" / "data" / "pdb"
real = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real structures (../shared/data) are not beside the repository"
)
FILES = ("1A8O.pdb", "1A8O.cif", "2BEG.pdb")


def atom(number, residue="ALA", chain="A", x=None, name=" CA ", alt=" ", share=1.0, **more):
    record, insertion = more.get("record", "ATOM"), more.get("insertion", " ")
    x = number if x is None else x
    return (
        f"{record:6}{1:5} {name}{alt}{residue:>3} {chain}{number:4}{insertion}   "
        f"{x:8.3f}{0:8.3f}{0:8.3f}{share:6.2f}{0:6.2f}          {more.get('element', 'C'):>2}\n"
    )


def seqres(*residues, chain="A"):
    return f"SEQRES   1 {chain} {len(residues):4}  {' '.join(residues)}\n"


def chain_of(*lines):
    (chain,) = parse_structure("".join(lines).splitlines(keepends=True)).chains
    return chain


def located(chain):
    """Return where each residue is, by the x of its atom; the tests number atoms by it."""
    return [None if np.isnan(x) else round(float(x)) for x in chain.coordinates[:, 0]]


def test_the_numbers_of_residues_tell_the_gaps():
    """The letters alone would leave it open which of the alanines were not located."""
    chain = chain_of(
        seqres("GLY", "ALA", "ALA", "ALA", "ALA", "ALA", "LEU"),
        *(atom(10, "GLY"), atom(11), atom(14), atom(15), atom(16, "LEU")),
    )
    assert chain.sequence == "GAAAAAL"
    assert located(chain) == [10, 11, None, None, 14, 15, 16]


def test_without_agreeing_numbers_the_letters_are_aligned():
    residues = ["GLY", "LYS", "SER", "LEU", "GLY", "SER", "LYS"]
    numbers = (1, 2, 3, None, None, 100, 101)
    atoms = [atom(n, name) for n, name in zip(numbers, residues, strict=True) if n]
    assert located(chain_of(seqres(*residues), *atoms)) == list(numbers)


def test_another_residue_than_the_sequence_says_is_not_located():
    chain = chain_of(seqres("GLY", "LYS", "SER"), atom(1, "GLY"), atom(2, "ALA"), atom(3, "SER"))
    assert chain.sequence == "GKS"
    assert located(chain) == [1, None, 3]


def test_without_a_sequence_the_atoms_give_it():
    chain = chain_of(atom(5, "MSE", record="HETATM"), atom(6, "GLY"), atom(9, "XYZ"))
    assert (chain.sequence, located(chain)) == ("MGX", [5, 6, 9])


def test_insertions_are_residues():
    chain = chain_of(
        seqres("GLY", "LYS", "SER", "LEU", "GLY"),
        atom(1, "GLY"),
        *(atom(2, r, x=x, insertion=i) for r, x, i in (("LYS", 2, " "), ("SER", 3, "A"))),
        *(atom(3, "LEU", x=4), atom(4, "GLY", x=5)),
    )
    assert located(chain) == [1, 2, 3, 4, 5]


def test_numbers_of_residues_beyond_9999_are_read():
    """Between the last number of a form and the first of the next there is no gap."""
    numbers = ("9999", "A000", "A001", "ZZZZ", "a000", "a00z")
    atoms = [atom(0, "GLY").replace("A   0 ", f"A{number} ") for number in numbers]
    contents = read_pdb(atoms)
    last = 10_000 + 26 * 36**3
    expected = [9_999, 10_000, 10_001, last - 1, last, last + 35]
    assert [one.number for one in contents.atoms] == expected
    residues = ["GLY", "ALA", "ALA", "ALA", "LEU"]
    located_ones = [atom(0, "GLY", x=1).replace("A   0 ", "A9999 ")]
    located_ones += [atom(0, "ALA", x=2).replace("A   0 ", "AA001 ")]
    located_ones += [atom(0, "LEU", x=3).replace("A   0 ", "AA003 ")]
    assert located(chain_of(seqres(*residues), *located_ones)) == [1, None, 2, None, 3]


def test_of_alternatives_the_likeliest_is_taken():
    chain = chain_of(
        atom(1, "SER", x=1, alt="A", share=0.3),
        atom(1, "SER", x=2, alt="B", share=0.6),
        atom(2, "LEU", x=3, alt="A", share=0.5),
        atom(2, "LYS", x=4, alt="B", share=0.5),
    )
    assert (chain.sequence, located(chain)) == ("SL", [2, 3])


def test_only_the_protein_of_the_first_model_is_read():
    structure = parse_structure(
        "".join(
            (
                "MODEL        1\n",
                atom(1, "GLY"),
                atom(2, "CA", name="CA  ", record="HETATM", element="CA"),
                "TER       2      GLY A   1\n",
                atom(900, "SAM", record="HETATM"),
                atom(1, "DA", chain="B", name=" P  ", element="P"),
                "ENDMDL\nMODEL        2\n",
                atom(1, "GLY", x=77),
                atom(2, "LYS"),
                "ENDMDL\n",
            )
        ).splitlines(keepends=True)
    )
    assert [(chain.id, chain.sequence) for chain in structure.chains] == [("A", "G")]
    assert located(structure.chains[0]) == [1]
    assert structure.bare_chains == ("B",)
    assert structure.chain("") is structure.chain("A")
    with pytest.raises(ValueError, match="no C-alpha atoms of chain B"):
        structure.chain("B")


def test_what_a_file_says_of_itself():
    text = (
        "HEADER    PROTEIN                                 01-JAN-00   9XYZ              \n"
        "REMARK   2 RESOLUTION.    2.35 ANGSTROMS.\n"
        "DBREF  9XYZ A    1   100  UNP    P12345   X_HUMAN         11    110             \n"
        "DBREF  9XYZ A  101   120  UNP    P12345   X_HUMAN        121    140             \n"
        "DBREF  9XYZ B    1    10  PDB    9XYZ     9XYZ             1     10             \n"
        "DBREF1 9XYZ C    1    10  UNP                   A0A024B7W1_HUMAN\n"
        "DBREF2 9XYZ C     A0A024B7W1                    1001        1010\n"
    )
    head = parse_head(text.splitlines(keepends=True))
    assert (head.id, head.predicted, head.resolution) == ("9XYZ", False, 2.35)
    assert head.references == (Reference("A", "P12345", 120), Reference("C", "A0A024B7W1", 10))
    title = "TITLE     ALPHAFOLD MONOMER V2.0 PREDICTION FOR X (P12345)\n"
    assert parse_head([title]).predicted


def test_names_of_alphafold():
    assert alphafold_name("AF-P62330-F1-model_v4.cif.gz") == ("P62330", 1)
    assert alphafold_name("AF-A0A024B7W1-F12-model_v6.pdb") == ("A0A024B7W1", 12)
    assert alphafold_name("AF-Q13639-2-F1-model_v4.cif") == ("Q13639-2", 1)
    assert alphafold_name("1AF-model.pdb") is None
    assert alphafold_name("AF-P62330-F1-predicted_aligned_error_v4.json") is None


def test_the_content_tells_the_form():
    assert structure_form("# a comment\n#\ndata_1A8O\n# \n") == "cif"
    assert structure_form("ATOM      1  N   MET A   1") == "pdb"
    assert structure_form("HEADER    VIRAL PROTEIN") == "pdb"
    assert structure_form("MODELLING of proteins") is None
    assert structure_form("ID   A   Reviewed;  1 AA.\n") is None
    assert structure_form("") is None


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("HEADER    NOTHING ELSE\n", "no C-alpha atom"),
        ("", "no C-alpha atom"),
        ("data_X\n_entry.id X\n", "no C-alpha atom"),
        (atom(1).replace("   1.000", "   1.0x0"), "cannot be read: could not convert"),
        ("data_X\n_entry.title 'no end\n", "cannot be read: Line ended"),
        (
            "data_X\nloop_\n_entity_poly_seq.entity_id\n_entity_poly_seq.num\n"
            "_entity_poly_seq.mon_id\n1 1 ALA\n1 2\n",
            "cannot be read: zip",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_told(text, wrong):
    with pytest.raises(ValueError, match=wrong) as error:
        parse_structure(text.splitlines(keepends=True))
    assert "\n" not in str(error.value)


def cif(atoms, more=""):
    names = "group_PDB type_symbol label_atom_id label_comp_id label_entity_id label_seq_id"
    names += " auth_asym_id occupancy Cartn_x Cartn_y Cartn_z pdbx_PDB_model_num"
    loop = "".join(f"_atom_site.{name}\n" for name in names.split())
    return f"data_X\n_entry.id X\n{more}loop_\n{loop}{atoms}".splitlines(keepends=True)


def test_mmcif_tells_the_place_of_each_residue():
    poly = (
        "loop_\n_entity_poly.entity_id\n_entity_poly.type\n_entity_poly.pdbx_strand_id\n"
        "1 polypeptide(L) A,B\n2 polyribonucleotide R\n"
        "loop_\n_entity_poly_seq.entity_id\n_entity_poly_seq.num\n_entity_poly_seq.mon_id\n"
        "1 1 ALA\n1 2 ALA\n1 2 SER\n1 3 MSE\n1 4 ALA\n2 1 A\n"
    )
    structure = parse_structure(
        cif(
            "ATOM C CA ALA 1 1 A . 1 0 0 1\nATOM C CA MSE 1 3 A 0.4 30 0 0 1\n"
            "ATOM C CA MSE 1 3 A 0.6 3 0 0 1\nHETATM CA CA CA 3 . A 1 9 0 0 1\n"
            "HETATM C CA GLY 4 . A 1 9 0 0 1\nATOM C CA ALA 1 4 B 1 4 0 0 1\n"
            "ATOM C CA ALA 1 1 A 1 99 0 0 2\n",
            poly,
        )
    )
    first, second = structure.chains
    assert (first.id, first.sequence, located(first)) == ("A", "AAMA", [1, None, 3, None])
    assert (second.id, second.sequence, located(second)) == ("B", "AAMA", [None, None, None, 4])
    assert structure.bare_chains == ("R",)


def test_mmcif_need_not_state_occupancies():
    lines = [line for line in cif("") if "occupancy" not in line]
    structure = parse_structure([*lines, "ATOM C CA ALA 1 1 A 5 0 0 1\n"])
    assert located(structure.chains[0]) == [5]


def test_references_of_unknown_extent_are_left_out():
    names = "ref_id pdbx_strand_id pdbx_db_accession db_align_beg db_align_end"
    more = "".join(f"_struct_ref_seq.{name}\n" for name in names.split())
    rows = "1 A P00001 1 20\n1 B P00001 ? 20\n1 C P00001 1 .\n2 D 9XYZ ? ?\n"
    refs = "loop_\n_struct_ref.id\n_struct_ref.db_name\n1 UNP\n2 PDB\n"
    structure = parse_structure(
        cif("ATOM C CA ALA 1 1 A 1 5 0 0 1\n", f"{refs}loop_\n{more}{rows}")
    )
    assert structure.head.references == (Reference("A", "P00001", 20),)
    assert located(structure.chains[0]) == [5]


def test_alignment_of_mutants_fragments_and_tags():
    protein = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEV"
    assert align(protein[5:20], protein).tolist() == list(range(5, 20))
    mutant = protein[3:20] + "W" + protein[21:40]
    assert align(mutant, protein).tolist() == list(range(3, 40))
    tagged = "HHHHHH" + protein[:15] + protein[30:50]
    places = align(tagged, protein).tolist()
    assert places == [-1] * 6 + list(range(15)) + list(range(30, 50))


def test_sequences_too_long_to_align_are_an_error():
    with pytest.raises(ValueError, match="too long to align: 30,000 with 30,000"):
        align("AC" * 15_000, "CD" * 15_000)


def test_the_package_is_there_without_biopython():
    code = "import sys; sys.modules['Bio'] = None; import sequence_io; print(sequence_io.__name__)"
    run = [sys.executable, "-c", code]
    root = Path(__file__).parents[2]
    assert subprocess.run(run, capture_output=True, cwd=root, text=True).stdout == "sequence_io\n"


def structure_of(name):
    return parse_structure(read_lines(DATA / name))


@real
@pytest.mark.parametrize("name", FILES)
def test_real_coordinates_are_those_of_biopython(name):
    parser = MMCIFParser(QUIET=True) if name.endswith("cif") else PDBParser(QUIET=True)
    model = parser.get_structure("", DATA / name)[0]
    chains = structure_of(name).chains
    assert [chain.id for chain in chains] == [chain.id for chain in model]
    for chain, expected in zip(chains, model, strict=True):
        positions = [residue["CA"].coord for residue in expected if "CA" in residue]
        found = chain.coordinates[np.isfinite(chain.coordinates[:, 0])]
        np.testing.assert_array_equal(found, positions)


@real
@pytest.mark.parametrize("name", ("1A8O.pdb", "2BEG.pdb"))
def test_real_coordinates_lie_on_residues_of_their_letter(name):
    from Bio.SeqUtils import seq1

    residue_at = {}
    for line in (DATA / name).read_text().splitlines():
        if line.startswith("ENDMDL"):
            break
        if line.startswith(("ATOM", "HETATM")) and line[12:16] == " CA ":
            place = tuple(np.float32(line[at : at + 8]) for at in (30, 38, 46))
            residue_at[place] = "M" if line[17:20] == "MSE" else seq1(line[17:20])
    count = 0
    for chain in structure_of(name).chains:
        for letter, position in zip(chain.sequence, chain.coordinates, strict=True):
            if not np.isnan(position[0]):
                assert residue_at[tuple(position)] == letter
                count += 1
    assert count == len(residue_at) == {"1A8O.pdb": 70, "2BEG.pdb": 130}[name]


@real
def test_real_files_of_both_formats_agree():
    pdb, cif = structure_of("1A8O.pdb"), structure_of("1A8O.cif")
    assert pdb.head == cif.head
    assert (pdb.head.id, pdb.head.resolution) == ("1A8O", 1.7)
    assert pdb.head.references == (Reference("A", "P12497", 69),)
    (one,), (other,) = pdb.chains, cif.chains
    assert one.sequence == other.sequence
    assert one.sequence.startswith("MDIRQGPKEPFRDYVDRFYKTLRAEQASQEVKNWMTETLL")
    np.testing.assert_array_equal(one.coordinates, other.coordinates)


@real
def test_real_nmr_structure_has_five_chains_of_its_first_model():
    structure = structure_of("2BEG.pdb")
    assert [chain.id for chain in structure.chains] == list("ABCDE")
    assert structure.head.resolution is None
    for chain in structure.chains:
        assert len(chain.sequence) == 42
        # REMARK 465: the first 16 residues were not located.
        assert np.flatnonzero(np.isfinite(chain.coordinates[:, 0])).tolist() == list(range(16, 42))
