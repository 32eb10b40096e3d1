"""The integration report in each format."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from lxml import html as lxml_html

from tests.report import runs
from tests.report.formats.test_hostile_text import CONTROL, TEXTS, markdown_text, with_text_everywhere
from tests.report.hostile_text import report_with
from xnai_validate.errors import ConfigError
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.report.integration.compilation import compile_integration
from xnai_validate.report.integration.models import Scope
from xnai_validate.report.integration.rendering import render_integration
from xnai_validate.report.view import View

HEADINGS = (
    "Executive summary",
    "Root causes",
    "Readiness for the next phase",
    "Success criteria",
    "Categories",
    "Knowledge gaps",
    "Loads",
    "Baselines and regressions",
    "Faults injected",
    "Skipped",
    "Known failures",
    "Environment",
)


@pytest.mark.parametrize("name", ["terminal", "markdown", "html"])
def test_every_section_is_there_in_order(name: str) -> None:
    """A reader finds the same sections in every format, with the causes and their recommendation."""
    text = render_integration(compile_integration([build_report(runs.failed())], Scope()), name, View(width=100))
    places = [text.index(heading) for heading in HEADINGS]
    assert places == sorted(places) or name == "html"  # the page lists the headings first
    assert "recommendation" in text
    assert "not ready" in text


@pytest.mark.parametrize("name", ["terminal", "markdown", "html", "json"])
def test_hostile_text_stays_text(name: str) -> None:
    """No markup and no control character of a server reaches the reader."""
    hostile = "<script>alert(1)</script>\x1b[2J\x00\u202e |`*"
    text = render_integration(compile_integration([report_with(hostile)], Scope()), name, View(width=100))
    assert not any(char in text for char in "\x1b\x00\u202e")
    if name != "json" and name != "terminal":
        assert "<script>" not in text.replace("\\<script\\>", "")


@pytest.mark.parametrize("name", ["terminal", "markdown", "html", "json"])
def test_hostile_text_in_every_field_breaks_no_format(name: str) -> None:
    """In each field of two runs: independent parsers accept what is written, and no control character is in it."""
    for text in TEXTS.values():
        reports = [with_text_everywhere(build_report(make()), text) for make in (runs.failed, runs.compared)]
        written = render_integration(compile_integration(reports, Scope(gaps={text: text})), name, View(width=100))
        assert CONTROL.search(written) is None
        if name == "json":
            json.loads(written)
        elif name == "markdown":
            markdown_text(written)
        elif name == "html":
            root = lxml_html.document_fromstring(written)
            assert root.xpath("//script | //@src | //link | //iframe | //form | //base | //@onerror") == []
            links = root.xpath("//@href")
            assert isinstance(links, list)
            assert all(str(link).startswith("#") for link in links)


def test_the_page_is_one_file_without_scripts() -> None:
    """It loads nothing, has a rule for print, and its elements are closed."""
    page = render_integration(compile_integration([build_report(runs.failed())], Scope()), "html", View(width=100))
    assert "default-src 'none'" in page
    assert "@media print" in page
    open_tags: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag != "script"
            assert not {"src", "onclick"} & {name for name, _ in attrs}
            if tag not in ("meta",):
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Reader().feed(page)
    assert open_tags == []


def test_json_keeps_the_names_of_the_report() -> None:
    """The summary has `pass`, as the report of a run has."""
    document = json.loads(
        render_integration(compile_integration([build_report(runs.passed())], Scope()), "json", View(width=100))
    )
    assert document["format"] == "xnai-validate/integration/1"
    assert document["summary"]["pass"] == 3


def test_other_formats_are_refused() -> None:
    """The message names the formats that there are."""
    report = compile_integration([build_report(runs.passed())], Scope())
    with pytest.raises(ConfigError, match="cannot be written as junit"):
        render_integration(report, "junit", View(width=100))
