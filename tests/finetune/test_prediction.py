# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`lucaone predict`: numbers as of the Auto classes one record at a time, and files kept whole."""

import io
import shutil
import sys

import numpy as np
import pandas
import pytest
import torch
from safetensors.torch import load_file, save_file

from embedding.runner import ModelRunner
from finetune import Predictor, finetune, predict_file, prediction, prediction_input
from finetune.predictor import Predictor as PredictorClass
from lucaone_cli import main
from modeling_lucaone import (
    AutoModelForPairClassification,
    LucaOneForSequenceClassification,
    LucaOneModel,
)
from tests.finetune.trained_models import (
    GENES,
    NAMES,
    PROBLEMS,
    PROTEINS,
    close,
    one_by_one,
    save,
    save_pair,
    save_single,
    write_fasta,
    write_pairs,
)
from tests.helpers import BF16_LIMIT, tiny_config
from tokenization import LucaOneTokenizerFast


@pytest.mark.parametrize("problem", PROBLEMS)
def test_each_problem_has_its_columns(tmp_path, fasta, problem):
    folder = save_single(tmp_path / "model", problem)
    output = tmp_path / "out.csv"
    summary = predict_file(fasta, output, folder)
    table = pandas.read_csv(output, keep_default_na=False)
    expected = one_by_one(folder, [PROTEINS], ["prot"])
    assert list(table["seq_id"]) == NAMES
    assert summary.records == 5
    assert str(summary).startswith(f"{output}: 5 sequences")
    labels = list(PROBLEMS[problem].get("id2label", {}).values())
    if problem == "regression":
        assert list(table.columns) == ["seq_id", "prediction"]
        assert close(table[["prediction"]], expected)
        return
    if problem == "binary":
        labels = ["no", *labels]
        expected = torch.cat([1 - expected, expected], 1)
    assert list(table.columns) == ["seq_id", "prediction", *(f"probability_{x}" for x in labels)]
    assert close(table.iloc[:, 2:], expected)
    if problem == "multi_label":
        chosen = [
            ";".join(x for x, p in zip(labels, row, strict=True) if p >= 0.5) for row in expected
        ]
    else:
        chosen = [labels[i] for i in expected.argmax(1)]
    assert list(table["prediction"]) == chosen
    assert len(set(chosen)) > 1  # else the weights of this test say nothing


@pytest.mark.parametrize("kind", ["homogeneous", "heterogeneous"])
@pytest.mark.parametrize("pooling", ["value_attention", "mean"])
def test_pairs(tmp_path, kind, pooling):
    folder = save_pair(tmp_path / "model", kind, classifier_pooling=pooling)
    first = GENES if kind == "heterogeneous" else PROTEINS[::-1]
    types = ["gene" if kind == "heterogeneous" else "prot", "prot"]
    source = write_pairs(tmp_path / "in.csv", first, PROTEINS)
    summary = predict_file(source, tmp_path / "out.parquet", folder)
    table = pandas.read_parquet(tmp_path / "out.parquet")
    assert list(table["seq_id_a"]) == [f"a{name}" for name in NAMES]
    assert list(table["seq_id_b"]) == NAMES
    expected = one_by_one(folder, [first, PROTEINS], types, AutoModelForPairClassification)
    assert close(table.iloc[:, 3:], expected)
    # Distinct sequences are read once; of one kind also those that are on both sides.
    sides = set(first) | set(PROTEINS) if kind == "homogeneous" else [*set(first), *set(PROTEINS)]
    assert summary.letters == sum(map(len, sides))
    assert "5 pairs" in str(summary)


def test_small_batches_and_the_small_encoder_in_front(tmp_path, fasta):
    fields = {
        "classifier_encoder_layers": 1,
        "classifier_encoder_size": 16,
        "classifier_encoder_heads": 2,
        "classifier_fc_size": 12,
        "pooling_zero_special_rows": True,
    }
    folder = save_single(tmp_path / "model", **fields)
    predict_file(fasta, tmp_path / "out.tsv", folder, tokens_per_batch=20)
    table = pandas.read_csv(tmp_path / "out.tsv", sep="\t")
    assert close(table.iloc[:, 2:], one_by_one(folder, [PROTEINS], ["prot"]))


def test_lower_case_and_rna_are_the_same(tmp_path):
    folder = save_single(tmp_path / "model", seq_types=["gene"])
    source = tmp_path / "in.fasta"
    source.write_text(">a\nACGTACGT\n>b\nacguACGU\n")
    predict_file(source, tmp_path / "out.csv", folder)
    first, second = pandas.read_csv(tmp_path / "out.csv").iloc[:, 2:].to_numpy()
    assert first == pytest.approx(second, rel=1e-6)


def test_chunks_keep_the_order_and_are_read_as_they_come(tmp_path, fasta, single, monkeypatch):
    predict_file(fasta, tmp_path / "whole.csv", single)
    monkeypatch.setattr(prediction, "CHUNK_RECORDS", 2)
    sizes = []
    predict = PredictorClass.probabilities

    def counted(self, examples, progress=None):
        sizes.append(len(examples))
        return predict(self, examples, progress)

    monkeypatch.setattr(PredictorClass, "probabilities", counted)
    summary = predict_file(fasta, tmp_path / "chunks.csv", single)
    predict_file(fasta, tmp_path / "chunks.parquet", single)
    assert sizes == [2, 2, 1] * 2
    assert summary.letters == sum(map(len, PROTEINS))  # the two equal ones are in two chunks
    whole = pandas.read_csv(tmp_path / "whole.csv")
    for table in (
        pandas.read_csv(tmp_path / "chunks.csv"),
        pandas.read_parquet(tmp_path / "chunks.parquet"),
    ):
        pandas.testing.assert_frame_equal(table, whole, rtol=1e-5)


def test_long_sequences_are_cut_as_in_training(tmp_path, fasta):
    folder = save_single(tmp_path / "model", max_residues=[12])
    summary = predict_file(fasta, tmp_path / "out.csv", folder)
    table = pandas.read_csv(tmp_path / "out.csv")
    assert list(table["residues_used"]) == [12, 10, 12, 2, 10]
    expected = one_by_one(folder, [[text[:12] for text in PROTEINS]], ["prot"])
    assert close(table.filter(like="probability_"), expected)
    note = "2 of 5 sequences were cut to 12 residues, as in training: one, three"
    assert note in summary.notes
    assert close(Predictor(folder).predict(PROTEINS, seq_type="prot"), expected)


def test_each_side_of_a_pair_has_its_limit(tmp_path, pair_table):
    folder = save_pair(tmp_path / "model", "heterogeneous", max_residues=[15, 5])
    summary = predict_file(pair_table, tmp_path / "out.csv", folder)
    table = pandas.read_csv(tmp_path / "out.csv")
    assert list(table["residues_used_a"]) == [12, 15, 4, 12, 15]
    assert list(table["residues_used_b"]) == [5, 5, 5, 2, 5]
    sides = [[text[:15] for text in GENES], [text[:5] for text in PROTEINS]]
    expected = one_by_one(folder, sides, ["gene", "prot"], AutoModelForPairClassification)
    assert close(table.filter(like="probability_"), expected)
    assert [note for note in summary.notes if "were cut" in note] == [
        "1 of 5 sequences a were cut to 15 residues, as in training: atwo",
        "4 of 5 sequences b were cut to 5 residues, as in training: one, two, three, two",
    ]


def test_a_note_names_twenty(tmp_path):
    folder = save_single(tmp_path / "model", max_residues=[3])
    source = tmp_path / "in.fasta"
    source.write_text("".join(f">p{n}\nMKTW\n" for n in range(25)))
    (note,) = [
        one for one in predict_file(source, tmp_path / "o.csv", folder).notes if "cut" in one
    ]
    assert note.startswith("25 of 25")
    assert note.endswith("p18, p19, ...")


def test_molecule_types_are_stated_or_of_the_model(tmp_path, fasta, single):
    of_model = predict_file(fasta, tmp_path / "1.csv", single)
    assert "read as prot, which the model was trained on" in of_model.notes
    stated = predict_file(fasta, tmp_path / "2.csv", single, seq_type="protein")
    assert not any("trained" in note for note in stated.notes)
    source = tmp_path / "in.csv"
    table = pandas.DataFrame({"seq_id": NAMES, "seq": PROTEINS, "seq_type": "prot"})
    table.to_csv(source, index=False)
    assert predict_file(source, tmp_path / "3.csv", single).notes == []
    table.assign(seq_type=["prot"] * 4 + ["gene"]).to_csv(source, index=False)
    with pytest.raises(ValueError, match=r"in\.csv: record 'two': is read as gene, .* on prot"):
        predict_file(source, tmp_path / "4.csv", single)
    predict_file(source, tmp_path / "4.csv", single, force=True)
    given = pandas.read_csv(tmp_path / "4.csv")
    expected = one_by_one(single, [PROTEINS[4:]], ["gene"])
    assert close(given.iloc[4:, 2:], expected)
    folder = save_single(tmp_path / "silent", seq_types=None)
    with pytest.raises(ValueError, match="nothing tells the molecule type"):
        predict_file(fasta, tmp_path / "5.csv", folder)
    predict_file(fasta, tmp_path / "5.csv", folder, seq_type="prot")
    headers = tmp_path / "headers.fasta"
    headers.write_text(">p seq_type=prot\nMKTAYIAK\n>g seq_type=gene\nACGT\n")
    predict_file(headers, tmp_path / "6.csv", folder, seq_type="header")
    given = pandas.read_csv(tmp_path / "6.csv")
    both = [one_by_one(folder, [[x]], [k]) for x, k in (("MKTAYIAK", "prot"), ("ACGT", "gene"))]
    assert close(given.iloc[:, 2:], torch.cat(both))


def test_what_looks_like_the_other_type_is_questioned(tmp_path, single, pairs):
    dna = ["ACGTACGTTTGACCAGTACGATCG"] * 5
    source = write_fasta(tmp_path / "dna.fasta", dna)
    with pytest.raises(ValueError, match="look like nucleic acids"):
        predict_file(source, tmp_path / "out.csv", single)
    predict_file(source, tmp_path / "out.csv", single, force=True)
    swapped = write_pairs(tmp_path / "swapped.csv", [PROTEINS[0]] * 5, dna)
    with pytest.raises(ValueError, match="read as gene look"):
        predict_file(swapped, tmp_path / "pairs.csv", pairs)


def test_pairs_name_types_and_columns(tmp_path, pairs, pair_table):
    predict_file(pair_table, tmp_path / "1.csv", pairs)
    typed = write_pairs(
        tmp_path / "typed.tsv.csv", GENES, PROTEINS, seq_type_a="dna", seq_type_b="protein"
    )
    assert predict_file(typed, tmp_path / "2.csv", pairs).notes == []
    table = pandas.read_csv(pair_table)
    table.columns = ["g", "p", "dna", "aa"]
    table.to_csv(tmp_path / "named.tsv", index=False, sep="\t")
    predict_file(
        tmp_path / "named.tsv",
        tmp_path / "3.csv",
        pairs,
        seq_type="gene,prot",
        id_column="g,p",
        sequence_column="dna,aa",
    )
    texts = {(tmp_path / f"{n}.csv").read_text() for n in "123"}
    assert len(texts) == 1
    with pytest.raises(ValueError, match="--seq-type prot: the model takes pairs"):
        predict_file(pair_table, tmp_path / "4.csv", pairs, seq_type="prot")
    with pytest.raises(ValueError, match=r"record 'aone': is read as prot, .* on gene"):
        predict_file(pair_table, tmp_path / "4.csv", pairs, seq_type="prot,gene")


def test_gaps_go_and_are_counted(tmp_path, single, pairs):
    source = write_fasta(tmp_path / "in.fasta", [f"{p[:1]}--{p[1:]}*" for p in PROTEINS])
    summary = predict_file(source, tmp_path / "out.csv", single)
    assert any("in 5 of 5 records" in note for note in summary.notes)
    assert close(
        pandas.read_csv(tmp_path / "out.csv").iloc[:, 2:],
        one_by_one(single, [PROTEINS], ["prot"]),
    )
    source = write_pairs(tmp_path / "in.csv", GENES, [f"{p}*" for p in PROTEINS])
    summary = predict_file(source, tmp_path / "pairs.csv", pairs)
    assert any("in 5 of 10 records" in note for note in summary.notes)


def test_python(tmp_path, single, pairs):
    predictor = Predictor(single)
    assert (predictor.problem, predictor.label_names) == ("multi_class", ("A b", "c,d", "e"))
    expected = one_by_one(single, [PROTEINS], ["prot"])
    assert close(predictor.predict(PROTEINS), expected)
    assert close(predictor.predict(iter(PROTEINS), seq_type=["prot"] * 5), expected)
    assert close(predictor.predict(PROTEINS[0]), expected[:1])
    assert predictor.predict([]).shape == (0, 3)
    of_pairs = Predictor(pairs, tokens_per_batch=16)
    given = list(zip(GENES, PROTEINS, strict=True))
    expected = one_by_one(
        pairs, [GENES, PROTEINS], ["gene", "prot"], AutoModelForPairClassification
    )
    assert close(of_pairs.predict(given), expected)
    assert close(of_pairs.predict(given, seq_type=(["gene"] * 5, "prot")), expected)
    with pytest.raises(ValueError, match=r"sequence 0 \(from 0\): the model takes pairs"):
        of_pairs.predict(PROTEINS)
    with pytest.raises(ValueError, match="a pair has two molecule types"):
        of_pairs.predict(given, seq_type="prot")
    with pytest.raises(ValueError, match="record '1'"):
        predictor.predict(["MK", "M1"])
    with pytest.raises(ValueError, match="no seq_type is given"):
        Predictor(save_single(tmp_path / "silent", seq_types=None)).predict(["MK"])


def test_labels_without_names_and_without_a_problem_type(tmp_path, fasta):
    unnamed = {"label_names": None, "id2label": {0: "LABEL_0"}}
    folder = save_single(tmp_path / "binary", "binary", **unnamed)
    assert Predictor(folder).label_names == ("not LABEL_0", "LABEL_0")
    folder = save_single(tmp_path / "open", problem_type=None)
    summary = predict_file(fasta, tmp_path / "out.csv", folder)
    assert any("no problem_type; every output is taken for a class" in x for x in summary.notes)
    total = pandas.read_csv(tmp_path / "out.csv").iloc[:, 2:].sum(axis=1)
    assert list(total) == pytest.approx([1] * 5)
    folder = save_single(tmp_path / "two", "regression", num_labels=2, id2label={0: "u", 1: "v"})
    predict_file(fasta, tmp_path / "two.csv", folder)
    table = pandas.read_csv(tmp_path / "two.csv")
    assert list(table.columns) == ["seq_id", "prediction_u", "prediction_v"]
    assert close(table.iloc[:, 1:], one_by_one(folder, [PROTEINS], ["prot"]))


def test_dtype(tmp_path, single):
    expected = one_by_one(single, [PROTEINS], ["prot"])
    assert Predictor(single).model.dtype == torch.float32
    half = Predictor(single, dtype="bfloat16")
    assert half.model.dtype == torch.bfloat16
    assert close(half.predict(PROTEINS), expected, 3 * BF16_LIMIT)
    LucaOneForSequenceClassification.from_pretrained(single, dtype=torch.bfloat16).save_pretrained(
        tmp_path / "half"
    )
    LucaOneTokenizerFast().save_pretrained(tmp_path / "half")
    assert Predictor(tmp_path / "half").model.dtype == torch.bfloat16


def test_numbers_that_are_not_finite_name_the_record(tmp_path, fasta, single):
    folder = shutil.copytree(single, tmp_path / "nan")
    tensors = load_file(folder / "model.safetensors")
    tensors["classifier.out_proj.bias"] = torch.full((3,), torch.inf)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match="record 'one': a prediction that is no finite number"):
        predict_file(fasta, tmp_path / "out.csv", folder)
    assert not list(tmp_path.glob("*out.csv*"))


def test_lack_of_memory_shrinks_batches_or_names_the_record(tmp_path, fasta, single, monkeypatch):
    expected = one_by_one(single, [PROTEINS], ["prot"])
    forward = LucaOneModel.forward
    fits = 26

    def small_device(self, input_ids, **inputs):
        if input_ids.numel() > fits:
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, input_ids, **inputs)

    monkeypatch.setattr(LucaOneModel, "forward", small_device)
    summary = predict_file(fasta, tmp_path / "out.csv", single)
    assert close(pandas.read_csv(tmp_path / "out.csv").iloc[:, 2:], expected)
    assert any("out of memory" in note for note in summary.notes)
    fits = 20
    with pytest.raises(RuntimeError, match="record 'one': 22 letters do not fit into the memory"):
        predict_file(fasta, tmp_path / "out.csv", single, overwrite=True)


def command(capsys, *arguments):
    status = main(["predict", *map(str, arguments)])
    streams = capsys.readouterr()
    return status, streams.out, streams.err


def test_command_line(tmp_path, capsys, monkeypatch, fasta, single):
    output = tmp_path / "out.csv"
    status, out, err = command(capsys, fasta, output, "--model", single)
    assert (status, out) == (0, f"{output}: 5 sequences; the model read 49 letters\n")
    assert err == "note: read as prot, which the model was trained on\n"
    before = output.read_bytes()

    class Stdin:
        buffer = io.BytesIO(fasta.read_bytes())

    monkeypatch.setattr(sys, "stdin", Stdin)
    piped = tmp_path / "piped.csv"
    assert command(capsys, "-", piped, "--model", single)[0] == 0
    assert piped.read_bytes() == before

    status, out, err = command(capsys, fasta, output, "--model", single)
    assert (status, out) == (1, "")
    assert err == f"lucaone: error: {output}: is there already; --overwrite replaces it\n"
    assert command(capsys, fasta, output, "--model", single, "--overwrite")[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "out.csv",
        "piped.csv",
        "proteins.fasta",
    ]


@pytest.mark.parametrize(
    ("changed", "status", "problem"),
    [
        ({"output": "out.txt"}, 2, "unknown output format"),
        ({"--seq-type": "lipid"}, 2, "lipid"),
        ({"--device": "nonsense"}, 2, "device nonsense"),
        ({"source": "nothing.fasta"}, 1, "nothing.fasta: cannot be read"),
        ({"source": "nothing.csv"}, 1, "nothing.csv: cannot be read"),
        ({"--model": "nowhere"}, 1, "nowhere: there is no such folder"),
        ({"--base-model": "nowhere"}, 1, "is no adapter"),
        ({"--id-column": "missing", "source": "in.csv"}, 1, "in.csv: no column 'missing'"),
        ({"source": "bad.fasta"}, 1, "bad.fasta: record 'q' (line 3), position 2: '1'"),
        ({"output": "no/folder/out.csv"}, 1, "cannot be written"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(
    tmp_path, capsys, monkeypatch, fasta, single, changed, status, problem
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.fasta").write_text(">p\nMK\n>q\nM1K\n")
    (tmp_path / "in.csv").write_text("seq_id,seq\np,MK\n")
    before = sorted(tmp_path.iterdir())
    given = {"source": fasta, "output": "out.csv", "--model": single} | changed
    options = [x for name, value in given.items() if name[0] == "-" for x in (name, value)]
    found, out, err = command(capsys, given["source"], given["output"], *options)
    assert (found, out) == (status, "")
    assert err.startswith("lucaone: error: ")
    assert problem in err
    assert err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_nothing_is_loaded_before_the_input_was_looked_through(tmp_path, single, monkeypatch):
    source = tmp_path / "in.fasta"
    source.write_text(">p\nMK\n>q\n\n")
    monkeypatch.setattr(PredictorClass, "__init__", lambda *_, **__: pytest.fail("was loaded"))
    with pytest.raises(ValueError, match="record 'q'"):
        predict_file(source, tmp_path / "out.csv", single)


@pytest.mark.parametrize(
    ("mode", "kind"), [("frozen", "single"), ("lora", "single"), ("frozen", "pair")]
)
def test_a_finetuned_model_gives_its_own_predictions(tmp_path, mode, kind):
    """From training to prediction: the probabilities of predictions.csv again."""
    base = save(LucaOneModel(tiny_config()), tmp_path / "base")
    generator = np.random.default_rng(0)
    letters = ["".join(generator.choice(list("ACDEFGHIKLMNPQRSTVWY"), 15)) for _ in range(60)]
    labels = [("red", "green", "blue")[n % 3] for n in range(30)]
    if kind == "single":
        table = {"seq_id": [f"p{n}" for n in range(30)], "seq": letters[:30], "label": labels}
        changes = ["max_lengths=[12]", "seq_types=[prot]"]
    else:
        table = {
            "seq_id_a": [f"a{n}" for n in range(30)],
            "seq_id_b": [f"b{n}" for n in range(30)],
            "seq_a": letters[:30],
            "seq_b": letters[30:],
            "label": labels,
        }
        changes = ["input=pair", "seq_types=[prot, prot]", "max_lengths=[12, 10]"]
    data = tmp_path / "data.csv"
    pandas.DataFrame(table).to_csv(data, index=False)
    changes += [
        "epochs=1",
        "dropout=0.0",
        "learning_rate=0.01",
        "split={train: 1, dev: 1, test: 1}",
    ]
    output = tmp_path / "run"
    finetune(model=base, output=output, data=data, mode=mode, changes=changes)
    predict_file(data, tmp_path / "out.csv", output)
    ids = [name for name in table if name.startswith("seq_id")]
    expected = pandas.read_csv(output / "predictions.csv").query("split == 'test'").set_index(ids)
    found = pandas.read_csv(tmp_path / "out.csv").set_index(ids).loc[expected.index]
    columns = [name for name in expected.columns if name.startswith("probability_")]
    assert len(columns) == 3
    assert len(expected) >= 9
    assert np.abs(found[columns] - expected[columns]).to_numpy().max() < 1e-4
    assert list(found["prediction"]) == list(expected["prediction"])
    if mode == "lora":  # its adapter, once it has the configuration of the run
        adapter = output / "adapter"
        shutil.copy(output / "config.json", adapter)
        merged = torch.tensor(Predictor(output).predict(PROTEINS))
        assert close(Predictor(adapter, base_model=base).predict(PROTEINS), merged)


def test_the_runner_is_what_batches(single, monkeypatch):
    """Batches hold the distinct sequences only, under the budget of tokens."""
    sizes = []
    pack = ModelRunner._pack

    def packed(self, texts, types):
        sizes.append([len(text) + 2 for text in texts])
        return pack(self, texts, types)

    monkeypatch.setattr(ModelRunner, "_pack", packed)
    Predictor(single, tokens_per_batch=30).predict(PROTEINS)
    assert sorted(size for batch in sizes for size in batch) == [4, 12, 17, 24]
    assert all(sum(batch) <= 30 for batch in sizes)


def test_what_takes_long_is_told_before_the_model_loads(tmp_path, single, monkeypatch):
    monkeypatch.setattr(prediction_input, "LONG_SEQUENCE", 20)
    monkeypatch.setattr(prediction, "Predictor", lambda *_, **__: told.append("loaded"))
    told = []
    with pytest.raises(AttributeError):
        predict_file(
            write_fasta(tmp_path / "x.fasta", [*PROTEINS[1:], "M" * 21]),
            tmp_path / "out.csv",
            single,
            seq_type="prot",
            device="cpu",
            tell=told.append,
        )
    assert told[-1] == "loaded"
    assert told[0].startswith("1 sequences of more than 20 residues are read whole")
