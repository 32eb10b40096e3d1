"""A page of text for a standard stream: as wide as the terminal, in colour where it is wanted."""

from __future__ import annotations

from typing import TextIO

from xnai_validate.cli.terminal import console
from xnai_validate.report.terminal.page import Page


def new_page(stream: TextIO, color: bool | None = None) -> Page:
    """Return an empty page for a stream; `color` overrides whether to colour it."""
    return Page(console.width(stream), console.wants_color(stream, color), console.shows_unicode(stream))
