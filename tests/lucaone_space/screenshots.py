# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Takes the pictures of docs/space.md anew: `python -m tests.lucaone_space.screenshots`."""

import io

from PIL import Image

import lucaone_nano
from lucaone_space import build_app
from tests.helpers import REPOSITORY
from tests.lucaone_space.real_sequences import domains, gene
from tests.lucaone_space.visitors import ANNOTATION, MAP, MASKED, PAIR, Visitor, chromium

IMAGES = REPOSITORY / "docs" / "images"


def take_all(url: str) -> None:
    """Take a picture of each tab with an answer."""
    coding, protein = gene("psbA")
    with chromium() as browser:
        visitor = Visitor(browser.new_page(viewport={"width": 820, "height": 600}), url)

        def take(name: str) -> None:
            visitor.page.mouse.move(0, 0)
            visitor.page.locator("h1").click()  # takes the focus from the button
            for box in visitor.panel.locator("textarea").all():
                box.evaluate("one => one.scrollTo(0, 0)")
            picture = Image.open(io.BytesIO(visitor.page.screenshot(full_page=True)))
            picture.quantize(128).save(IMAGES / f"space-{name}.png", optimize=True)

        visitor.open(MASKED)
        visitor.panel.get_by_label("Position to hide").fill("200")
        visitor.ask(MASKED, protein, seq_type="protein")
        take("masked")
        visitor.open(ANNOTATION)
        visitor.panel.get_by_role("spinbutton").fill("0.35")
        visitor.ask(ANNOTATION, protein, seq_type="protein")
        take("annotation")
        visitor.open(MAP)
        visitor.panel.get_by_label("#", exact=True).check()
        visitor.ask(
            MAP, domains(["CL0023", "CL0020", "CL0123", "CL0193"], each=25), seq_type="protein"
        )
        take("map")
        visitor.ask(PAIR, coding, protein)
        take("pair")


if __name__ == "__main__":
    app = build_app(lucaone_nano.PATH, lucaone_nano.PATH / "pair")
    app.launch(server_name="127.0.0.1", quiet=True, prevent_thread_lock=True)
    try:
        take_all(app.local_url)
    finally:
        app.close(verbose=False)
