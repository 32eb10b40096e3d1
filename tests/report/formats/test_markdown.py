"""Markdown, read back by a parser that others wrote."""

from __future__ import annotations

from hypothesis import given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.report.hostile_text import ANY_TEXT, report_with
from tests.report.runs import CASES, Script
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.model.text import printable
from xnai_validate.report.formats import markdown
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View

FAILED = build_report(CASES["failed"][1]())


def made(report: RunReport) -> str:
    """Return the report in this format."""
    return FORMATS.get("markdown").text(report, View())


def inline(tokens: list[Token]) -> list[Token]:
    """All tokens of a document, those within paragraphs too."""
    return [inner for token in tokens for inner in (token, *(token.children or ()))]


def test_markdown_names_every_problem_and_criterion() -> None:
    """Each failed check has its id, its measured values and its fix; tables are tables."""
    text = made(FAILED)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    shown = [token.content for token in inline(tokens) if token.type == "code_inline"]
    for check in FAILED.checks:
        assert (check.id in shown) == (check.status in (Status.FAIL, Status.ERROR, Status.WARN, Status.FLAKY))
    assert "2604.31" in shown
    assert sum(token.type == "table_open" for token in tokens) == 2
    assert "5 checks" in text
    assert "**no**" in text


@settings(deadline=None, max_examples=200)
@given(ANY_TEXT)
def test_no_text_becomes_markup(text: str) -> None:
    """No text from a server makes a link, an image, HTML, a heading, a list or a table of its own."""
    tokens = inline(MarkdownIt("gfm-like", {"linkify": False}).parse(made(report_with(text))))
    plain = inline(
        MarkdownIt("gfm-like", {"linkify": False}).parse(made(report_with("x" if printable(text).strip() else text)))
    )
    kinds = [token.type for token in tokens if token.type not in ("text", "text_special", "html_inline", "softbreak")]
    expected = [token.type for token in plain if token.type not in ("text", "text_special", "html_inline", "softbreak")]
    assert kinds == expected
    assert all(token.content == "<!-- -->" for token in tokens if token.type == "html_inline")


def test_markdown_of_many_problems_is_short_enough_for_a_comment() -> None:
    """A run in which everything fails still fits into a comment, with the count of what was left out."""
    script = Script("Many", "many")
    for number in range(900):
        script.check(f"a/b:c{number}", "Title " * 20, Status.FAIL, reason="because " * 20)
    text = made(build_report(script.events()))
    assert len(text) < 65_536
    assert "more problems, which the JSON report has" in text
    assert len(text) > markdown.MOST / 2
