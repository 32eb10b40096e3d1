"""The integration report in each format: terminal, markdown, html, json."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from xnai_validate.errors import ConfigError
from xnai_validate.model.json import indented, printable_json
from xnai_validate.report.integration.models import IntegrationReport
from xnai_validate.report.integration.section import Entry, Section, Tone, tone_of
from xnai_validate.report.integration.sections import sections_of, title_of
from xnai_validate.report.markdown_text import safe_text, table_text
from xnai_validate.report.terminal.page import Page, Span, Style
from xnai_validate.report.view import View

_LABEL = 14
"""Columns of a label in the terminal."""
_STYLES: Mapping[Tone, Style] = {"": "", "good": "green", "odd": "yellow", "bad": "bold red"}


def render_integration(report: IntegrationReport, format_name: str, view: View) -> str:
    """Return the report in a format. Raises ConfigError for a format that it does not have."""
    render = _FORMATS.get(format_name)
    if render is None:
        raise ConfigError(
            f"the integration report cannot be written as {format_name}", hint=f"it can be {', '.join(_FORMATS)}"
        )
    return render(report, view)


def _render_json(report: IntegrationReport, view: View) -> str:
    """Render the report as JSON."""
    document = indented(report).replace('"pass_": ', '"pass": ', 1)
    return printable_json(document.encode(errors="replace")).decode() + "\n"


def _render_markdown(report: IntegrationReport, view: View) -> str:
    """Render the report as Markdown."""
    parts = [f"# {safe_text(title_of(report))}\n"]
    for section in sections_of(report):
        parts.append(f"## {safe_text(section.title)}\n")
        parts += [f"{safe_text(text)}\n" for text in section.paragraphs]
        if section.items:
            parts.append("".join(f"- {safe_text(text)}\n" for text in section.items))
        if columns := section.columns:
            rows = [[safe_text(row[column]) for column in columns] for row in section.table]
            numeric = {place for place, column in enumerate(columns) if column in section.numeric}
            parts.append(table_text(rows, numeric=numeric))
        for entry in section.entries:
            lines = "".join(f"- {safe_text(label)}: {safe_text(text)}\n" for label, text in entry.lines)
            parts.append(f"### {safe_text(entry.title)}\n\n{lines}")
    return "\n".join(parts)


def _render_terminal(report: IntegrationReport, view: View) -> str:
    """Render the report for a terminal."""
    page = Page(view.width, view.color, view.unicode)
    level = report.readiness.level
    page.text(title_of(report), style="bold green" if level == "ready" else _STYLES[tone_of(level)])
    for section in sections_of(report):
        page.rule(section.title)
        _append_section(page, section)
    return str(page)


def _append_section(page: Page, section: Section) -> None:
    """Add a section to the page."""
    for text in section.paragraphs:
        page.text(text, indent=2)
    for text in section.items:
        page.text(text, indent=4, lead=("  -", ""))
    if section.columns:
        if section.paragraphs or section.items:
            page.blank()
        _append_table(page, section)
    for entry in section.entries:
        page.blank()
        _append_entry(page, entry)


def _append_table(page: Page, section: Section) -> None:
    """Append the table; on a page that is too narrow for it each row is a line, and its figures go below that."""
    head, *rows = ([row[column] for column in section.columns] for row in section.table)
    cells: list[list[Span]] = [[(cell, "dim") for cell in head]]
    cells += [[(cell, _STYLES[tone_of(cell)]) for cell in row] for row in rows]
    if page.has_room_for(cells, indent=2, gap=2):
        page.table(
            cells,
            numeric=[place for place, column in enumerate(section.columns) if column in section.numeric],
            indent=2,
        )
        return
    for first, *others in rows:
        page.text(first, indent=2)
        named = [f"{name} {cell}" for name, cell in zip(head[1:], others, strict=True) if cell]
        page.text(", ".join(named), indent=6, style="dim")


def _append_entry(page: Page, entry: Entry) -> None:
    """Add an entry of a section to the page."""
    style = _STYLES[tone_of(entry.severity)]
    page.text(entry.title, indent=2, style=style if style.startswith("bold") else "bold")
    before = ""
    for label, text in entry.lines:
        # A label that repeats is shown once: its texts are one block.
        page.text(text, indent=_LABEL + 6, lead=(f"    {'' if label == before else label[:_LABEL]}", "dim"))
        before = label


def _render_html(report: IntegrationReport, view: View) -> str:
    """Render the report as an HTML page."""
    from xnai_validate.report.integration.page import page_text  # the template engine, which no other format needs

    return page_text(report)


_FORMATS: Mapping[str, Callable[[IntegrationReport, View], str]] = {
    "terminal": _render_terminal,
    "markdown": _render_markdown,
    "html": _render_html,
    "json": _render_json,
}
