"""The integration report in each format: terminal, markdown, html, json."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from xnai_validate.errors import ConfigError
from xnai_validate.model.json import indented, printable_json
from xnai_validate.report.integration.models import IntegrationReport
from xnai_validate.report.integration.sections import Section, sections_of, title_of
from xnai_validate.report.markdown_text import safe_text, table_text
from xnai_validate.report.terminal.page import Page, Span
from xnai_validate.report.view import View

_LABEL = 16
"""Columns of a label in the terminal."""


def render_integration(report: IntegrationReport, format_name: str, view: View) -> str:
    """Return the report in a format. Raises ConfigError for a format that it does not have."""
    render = _FORMATS.get(format_name)
    if render is None:
        raise ConfigError(
            f"the integration report cannot be written as {format_name}", hint=f"it can be {', '.join(_FORMATS)}"
        )
    return render(report, view)


def _json(report: IntegrationReport, view: View) -> str:
    document = indented(report).replace('"pass_": ', '"pass": ', 1)
    return printable_json(document.encode(errors="replace")).decode() + "\n"


def _markdown(report: IntegrationReport, view: View) -> str:
    parts = [f"# {safe_text(title_of(report))}\n"]
    for section in sections_of(report):
        parts.append(f"## {safe_text(section.title)}\n")
        parts += [f"{safe_text(text)}\n" for text in section.paragraphs]
        if section.items:
            parts.append("".join(f"- {safe_text(text)}\n" for text in section.items))
        if len(section.table) > 1:  # the first row is the header
            parts.append(table_text([[safe_text(cell) for cell in row] for row in section.table]))
        for entry in section.entries:
            lines = "".join(f"- {safe_text(label)}: {safe_text(text)}\n" for label, text in entry.lines)
            parts.append(f"### {safe_text(entry.title)}\n\n{lines}")
    return "\n".join(parts)


def _terminal(report: IntegrationReport, view: View) -> str:
    page = Page(view.width, view.color, view.unicode)
    page.text(title_of(report), style="bold")
    for section in sections_of(report):
        page.rule(section.title)
        _append(page, section)
    return str(page)


def _append(page: Page, section: Section) -> None:
    for text in section.paragraphs:
        page.text(text, indent=2)
    for text in section.items:
        page.text(text, indent=4, lead=("  -", ""))
    if len(section.table) > 1:  # the first row is the header
        rows: list[list[Span]] = [
            [(cell, "dim" if row is section.table[0] else "") for cell in row] for row in section.table
        ]
        page.table(rows, indent=2)
    for entry in section.entries:
        page.text(entry.title, indent=2, style="bold")
        for label, text in entry.lines:
            page.text(text, indent=_LABEL + 4, lead=(f"    {label[:_LABEL]}", "dim"))


def _html(report: IntegrationReport, view: View) -> str:
    from xnai_validate.report.integration.page import page_text  # the template engine, which no other format needs

    return page_text(report)


_FORMATS: Mapping[str, Callable[[IntegrationReport, View], str]] = {
    "terminal": _terminal,
    "markdown": _markdown,
    "html": _html,
    "json": _json,
}
