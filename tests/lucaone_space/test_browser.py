# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser, with real sequences."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.finetune.helpers import needs_data
from tests.lucaone_space import real_sequences
from tests.lucaone_space.visitors import (
    ANNOTATION,
    CHROMIUM,
    MAP,
    MASKED,
    PAIR,
    Visitor,
    chromium,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine"),
]
PHONE = {"width": 360, "height": 740}
# Does harm if the page takes it for HTML, or for a template of Gradio's.
HOSTILE = "<img/src=x/onerror=window.harm=1>${window.harm=2}{{harm}}<script>window.harm=3</script>"


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser, url):
    """Return what makes visitors; at the end nothing may have left the machine."""
    contexts, addresses, complaints = [], [], []

    def enter(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        context.on("request", lambda request: addresses.append(request.url))
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: line.type == "error" and complaints.append(line.text))
        return Visitor(page, url)

    yield enter
    for context in contexts:
        context.close()
    hosts = {urlsplit(one).netloc for one in addresses if not one.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(url).netloc}
    assert complaints == []


@needs_data
def test_masked_letters(visit):
    visitor = visit()
    visitor.open(MASKED)
    visitor.panel.get_by_label("Position to hide").fill("20")
    coding, _ = real_sequences.gene("rbcL")
    answer = visitor.ask(MASKED, coding, seq_type="DNA or RNA")
    assert "Position 20 of 1,440 in rbcL" in answer
    rows = visitor.result.locator("tbody tr")
    assert [row.split()[0] for row in sorted(rows.all_inner_texts())] == ["A", "C", "G", "N", "T/U"]
    letter = coding.split("\n")[1][19].replace("T", "T/U")
    assert visitor.result.locator("tr.actual th").inner_text() == letter


@needs_data
def test_annotation(visit):
    visitor = visit()
    _, protein = real_sequences.gene("psbA")
    visitor.open(ANNOTATION)
    visitor.panel.get_by_role("spinbutton").fill("0.3")
    answer = visitor.ask(ANNOTATION, protein, seq_type="protein")
    assert "psbA_protein, 353 letters" in answer
    for title in ("Domains", "Homologous superfamilies", "Sites", "Keywords", "Taxonomic order"):
        assert title in answer
    marks = visitor.result.locator(".sequence mark")
    colours = {
        (mark.get_attribute("class"), mark.evaluate("one => getComputedStyle(one).backgroundColor"))
        for mark in marks.all()[:200]
    }
    assert len(colours) == len({colour for _, colour in colours}) > 1
    visitor.result.locator("summary").last.click()
    assert re.search(r"\d+ to \d+", visitor.result.inner_text())


@needs_data
def test_map(visit):
    visitor = visit()
    visitor.open(MAP)
    visitor.panel.get_by_label("#", exact=True).check()
    text = real_sequences.domains(["CL0023", "CL0063"], each=5)
    answer = visitor.ask(MAP, text, seq_type="protein")
    assert "t-SNE of 10 embeddings" in answer and "CL0063 (5)" in answer
    point = visitor.result.locator(".point").first
    expect(point.locator(".tip")).to_be_hidden()
    point.hover()
    expect(point.locator(".tip")).to_have_text(re.compile("^CL0023#"))
    assert "to 200 sequences; here are 3" in visitor.ask(
        MAP, real_sequences.species(3), seq_type="DNA or RNA"
    )


@needs_data
def test_pair(visit):
    answer = visit().ask(PAIR, *real_sequences.gene("psbA"))
    assert re.search(r"^(Yes|No)$", answer, re.M) and re.search(r"encodes\s+\d+\.\d%", answer)
    assert "psbA (1,062 letters) and psbA_protein (353 letters)" in answer


@needs_data
def test_a_file_is_read_in_the_browser(visit, tmp_path):
    visitor = visit()
    visitor.open(MAP)
    (tmp_path / "proteins.fasta").write_text(real_sequences.domains(["CL0020"], each=6))
    (tmp_path / "large.fasta").write_text(">a\n" + "A" * 200_000)
    for name in ("proteins.fasta", "large.fasta"):
        with visitor.page.expect_file_chooser() as chooser:
            visitor.panel.get_by_role("button", name="Read a FASTA file").click()
        chooser.value.set_files(tmp_path / name)
        if name == "large.fasta":
            expect(visitor.result).to_have_text("The file has more than 200,000 characters.")
        expect(visitor.panel.locator("textarea")).to_have_value(re.compile(">CL0020#"))
    visitor.panel.get_by_label("protein", exact=True).check()
    visitor.send()
    expect(visitor.result.locator(".point")).to_have_count(6)


@pytest.mark.parametrize("tab", [MASKED, ANNOTATION, MAP, PAIR])
def test_examples(visit, tab):
    visitor = visit()
    visitor.open(tab)
    visitor.panel.get_by_role("button", name="Example").click()
    expect(visitor.panel.locator("textarea").first).to_have_value(re.compile("^>"))
    visitor.send()
    assert visitor.answer()
    expect(visitor.result).not_to_have_class(re.compile("problem"))


def test_bad_input(visit):
    visitor = visit()
    assert "the text is empty" in visitor.ask(MASKED, "")
    assert "say whether the letters are DNA or RNA or protein" in visitor.ask(ANNOTATION, "MKTAY")
    visitor.fill(">a\nMKT\n>b\nMK7", seq_type="protein")
    visitor.send()
    expect(visitor.result).to_contain_text("record 'b' (line 3), position 3: '7' is not a letter")
    assert visitor.result.get_attribute("role") == "alert"
    assert "the protein is empty" in visitor.ask(PAIR, "ACGT", "")


def test_a_phone_needs_no_scrolling_sideways(visit):
    visitor = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    for tab in (MASKED, ANNOTATION, MAP, PAIR):
        visitor.open(tab)
        visitor.panel.get_by_role("button", name="Example").click()
        visitor.send()
        visitor.answer()
        width = visitor.page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"]
    long = "W" * 150
    for tab, texts in {
        ANNOTATION: [f">{long}\n{long}"],
        PAIR: [f">{long}\nACGT", f">{long}\nMK"],
    }.items():
        visitor.ask(tab, *texts, seq_type="protein" if tab == ANNOTATION else None)
        expect(visitor.result).to_contain_text(long)
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    visitor.open(MAP)
    point = visitor.result.locator(".point").first
    point.tap()
    expect(point.locator(".tip")).to_be_visible()


def test_two_visitors_at_once(visit):
    visitors = {"first": visit(), "second": visit()}
    for name, visitor in visitors.items():
        visitor.open(ANNOTATION)
        visitor.fill(f">{name}\n" + "MKTAYIAKQR" * 150, seq_type="protein")
    for visitor in visitors.values():
        visitor.send()
    for name, visitor in visitors.items():
        assert f"{name}, 1,500 letters" in visitor.answer()
    again = visit()
    again.open(ANNOTATION)
    assert again.panel.locator("textarea").input_value() == ""
    expect(again.result).to_have_count(0)


def test_what_a_visitor_sends_is_no_code(visit):
    visitor = visit()
    sequences = ["MKTAYIAK", "MSKGEELF", "MDIRQGPK", "MTIDRTYP"]
    record = f">{HOSTILE}\n{sequences[0]}\n"
    visitor.open(MASKED)
    visitor.panel.get_by_label("Position to hide").fill("1")
    several = "".join(f">{HOSTILE}\n{sequence}\n" for sequence in sequences)
    for tab, texts in {
        MASKED: [record],
        ANNOTATION: [record],
        MAP: [several],
        PAIR: [f">{HOSTILE}\nACGT\n", record],
    }.items():
        visitor.ask(tab, *texts, seq_type=None if tab == PAIR else "protein")
        assert HOSTILE in visitor.result.text_content()
        assert visitor.result.locator("img, script").count() == 0
    visitor.ask(ANNOTATION, f">{HOSTILE}\n{HOSTILE}", seq_type="protein")
    expect(visitor.result).to_contain_text("is not a letter A to Z")
    assert visitor.page.evaluate("window.harm") is None


def test_dark_mode_is_legible(visit):
    visitor = visit(color_scheme="dark")
    visitor.open(ANNOTATION)
    visitor.panel.get_by_role("button", name="Example").click()
    visitor.send()
    visitor.answer()
    black, light = "rgb(0, 0, 0)", re.compile(r"rgb\(2\d\d, 2\d\d, 2\d\d\)")
    expect(visitor.result.locator("mark").first).to_have_css("color", black)
    expect(visitor.result.locator("h3").first).to_have_css("color", light)
