# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""Results as HTML. Whatever a visitor or a model says is escaped, by Jinja and not by hand."""

from functools import cache
from typing import Any

import jinja2


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, **values: Any) -> str:
    """Fill in `templates/TEMPLATE.html.jinja`."""
    return _templates().get_template(f"{template}.html.jinja").render(values)
