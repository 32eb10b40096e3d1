"""The page of text: wrapped between words, within its width, and plain whatever the text is."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from xnai_validate.model.text import printable
from xnai_validate.report.terminal.page import Page

WORDS = st.lists(st.text("abcdefghijklmnop-/:.", min_size=1, max_size=18), min_size=1, max_size=40).map(" ".join)


@settings(deadline=None)
@given(st.text(max_size=300), st.integers(40, 120))
def test_a_paragraph_keeps_every_character_within_the_width(text: str, width: int) -> None:
    """Wrapping loses nothing but spaces, and no line is too wide, whatever a server sent."""
    assume(not text.strip() or cell_len(printable(text)))  # rich leaves out what takes no room at all
    page = Page(width)
    page.text(text)
    assert "".join(str(page).split()) == "".join(printable(text).split())
    assert all(cell_len(line) <= width for line in str(page).split("\n"))


@settings(deadline=None)
@given(WORDS, WORDS, st.integers(40, 120))
def test_no_word_is_broken_that_fits_into_a_line(first: str, last: str, width: int) -> None:
    """In paragraphs and in tables of any width, lines end between words."""
    page = Page(width)
    page.text(first, indent=7, lead=("FAIL", "bold red"), right="12 ms")
    page.table([[(first.split()[0], ""), (last, "")]], indent=2)
    assert sorted(str(page).split()) == sorted(["FAIL", *first.split(), "12", "ms", first.split()[0], *last.split()])
    assert all(len(line) <= width for line in str(page).split("\n"))


@pytest.mark.parametrize("text", ["[red]x[/red]", ":warning: x", "[link=http://x]y[/link]", "https://x.example/[a]"])
def test_markup_is_text(text: str) -> None:
    """What would be markup, an emoji or a link for rich is printed as it is, in every place of a page."""
    page = Page(100, color=True)
    page.text(text, lead=(text, ""), indent=60)
    page.rule(text)
    page.table([[(text, ""), (text, "")]])
    page.line(text)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(page))
    assert plain.count(text) == 6
    assert "\x1b" not in plain


def test_a_table_has_columns_and_its_last_cell_is_wrapped() -> None:
    """Numbers are aligned to the right, the last column is wrapped under itself, and no line ends in spaces."""
    page = Page(40)
    page.table(
        [[("a", ""), ("1", ""), ("one two three four five six seven", "")], [("bcd", ""), ("10", ""), ("x", "")]],
        numeric=(1,),
    )
    assert str(page) == "a     1  one two three four five six\n         seven\nbcd  10  x\n"


def test_a_table_without_room_is_stacked() -> None:
    """Where the other columns leave no room for the last one, it goes below them instead of beyond the edge."""
    page = Page(40)
    page.table([[("services/gateway:security-headers", "bold"), ("Every answer has the headers", "")]], indent=2)
    assert str(page) == "  services/gateway:security-headers\n      Every answer has the headers\n"


def test_headings_are_whole() -> None:
    """A heading has a line up to the edge; one that leaves no room for it is not cut."""
    page = Page(40, unicode=False)
    page.rule("Failed: 2")
    page.rule("A heading that takes much more than one line of the page")
    assert str(page) == (
        "Failed: 2 ------------------------------\n\nA heading that takes much more than one\nline of the page\n"
    )


def test_ascii_is_ascii() -> None:
    """Where the place cannot show more than ASCII, other characters are escapes."""
    page = Page(40, unicode=False)
    page.text("日本 ü")
    assert str(page) == "\\u65e5\\u672c \\xfc\n"


def test_a_line_of_an_example_goes_on_deeper() -> None:
    """The indentation of an example is kept, and YAML stays valid where one of its lines is longer than the page."""
    page = Page(40)
    page.line("    with: {method: POST, path: /stream, json: {query: 'What is it?'}}")
    assert str(page) == "    with: {method: POST, path: /stream,\n      json: {query: 'What is it?'}}\n"


def test_blank_lines_are_single() -> None:
    """Never two in a row, and never at the top."""
    page = Page(40)
    page.blank()
    page.text("a")
    page.blank()
    page.blank()
    page.text("b")
    assert str(page) == "a\n\nb\n"


def test_a_word_longer_than_a_line_is_broken_after_a_separator() -> None:
    """JSON without spaces and long urls stay readable; no character is lost, and no name is torn."""
    body = ",".join(f'"field_{number}":"value_{number}"' for number in range(12))
    page = Page(60)
    page.text(f"see {{{body}}} now", indent=7, lead=("body", ""))
    lines = str(page).splitlines()
    assert all(len(line) <= 60 for line in lines)
    assert all(line.endswith((",", "now", "see")) for line in lines)
    assert "".join(line[7:] for line in lines).replace("see", "").replace("now", "").replace(" ", "") == f"{{{body}}}"
