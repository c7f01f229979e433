# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Files and entries that cannot be used: a job goes on without them, and tells so."""

import json

import pytest

from pretraining.data.findings import Finding

from .readers import (
    BreakingReader,
    LineReader,
    PreparedReader,
    make,
    named,
    records,
    report,
    write_lines,
)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_file_that_breaks_off_does_not_stop_the_job(tmp_path, processes):
    sources = [write_lines(tmp_path / f"{name}.jsonl", [named(name)]) for name in "abc"]
    write_lines(sources[1], [named("b1")], [named("b2")])
    summary = make(sources, tmp_path / "out", BreakingReader(sources[1]), processes=processes)
    assert [r.id for r in records(tmp_path / "out")] == ["a", "b1", "c"]
    reason = "the rest of the file cannot be read"
    assert report(tmp_path / "out") == [Finding("b.jsonl", "", "dropped", reason, "line 2: broken")]
    assert summary.findings["dropped"] == {reason: 1}
    with pytest.raises(ValueError, match=r"a\.jsonl: line 1: broken"):
        make(sources, tmp_path / "other", BreakingReader(sources[0], whole=0))
    assert not list(tmp_path.glob("other*"))


def test_an_entry_that_the_reader_stumbles_over_is_dropped(tmp_path):
    source = write_lines(tmp_path / "a.jsonl", [named("a")], [named("b")], [named("c")])
    source.write_text(source.read_text().replace("[{", "[null, {").replace("[null, ", "[", 1))
    with source.open("a") as file:
        file.write(json.dumps([named("d")]) + "\n")
    make([source], tmp_path / "out")
    assert [r.id for r in records(tmp_path / "out")] == ["a", "d"]
    rows = report(tmp_path / "out")
    assert [(row.status, row.reason) for row in rows] == [("dropped", "cannot be used")] * 2
    assert rows[0].detail.startswith("TypeError: ")
    assert "entry begins '[null, {" in rows[0].detail


def test_memory_that_is_used_up_ends_the_job(tmp_path, monkeypatch):
    def fill(self, entry, file):
        raise MemoryError

    monkeypatch.setattr(LineReader, "read", fill)
    with pytest.raises(MemoryError):
        make([write_lines(tmp_path / "a.jsonl", [named("a")])], tmp_path / "out")


def test_undecodable_letters_are_told(tmp_path):
    source = write_lines(tmp_path / "a.jsonl", [named("a")])
    line = json.dumps(
        [named("b", "MK", "prot", keywords=["M\ufffdller", "\ufffd"])], ensure_ascii=False
    )
    source.write_text(f"{source.read_text()}{line}\n", encoding="utf-8")
    make([source], tmp_path / "out")
    reason = "bytes that are not UTF-8 are read as U+FFFD"
    assert report(tmp_path / "out") == [Finding("a.jsonl", "b", "note", reason, "2")]


def test_readers_get_ready_once_the_job_has_begun(tmp_path):
    source = write_lines(tmp_path / "a.jsonl", [named("a")])
    reader = PreparedReader(tmp_path / "calls")
    finding = Finding("index", "x", "note", "prepared")
    with pytest.raises(ValueError, match="there is no entry in it"):
        make([write_lines(tmp_path / "empty.jsonl")], tmp_path / "out", reader)
    assert not reader.calls.exists()
    make([source], tmp_path / "out", reader)
    assert reader.calls.read_text() == "prepare\n"
    assert report(tmp_path / "out")[0] == finding
    with pytest.raises(ValueError, match="made with dev_fraction"):
        make([source], tmp_path / "out", reader, dev_fraction=0.5)
    assert reader.calls.read_text() == "prepare\n"
