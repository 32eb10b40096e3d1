"""The report for people, and what must hold of it in every view."""

from __future__ import annotations

import re

from rich.cells import cell_len

from tests.report.runs import CASES, disturbed
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.report.terminal.report import report_text
from xnai_validate.report.view import View

SGR = re.compile(r"\x1b\[[0-9;]*m")


def test_no_line_is_wider_than_the_view() -> None:
    """Text is wrapped to the width, whatever the server sent."""
    for _, make in CASES.values():
        for width in (40, 52, 60, 80, 120):
            lines = report_text(build_report(make()), View(width, detail="verbose")).splitlines()
            assert [line for line in lines if cell_len(line) > width] == []


def test_color_changes_nothing_but_color() -> None:
    """Without its colour codes a coloured report is the plain one, and no other escape sequence is in it."""
    for _, make in CASES.values():
        report = build_report(make())
        colored = SGR.sub("", report_text(report, View(80, color=True)))
        assert colored == report_text(report, View(80))
        assert "\x1b" not in colored


def test_ascii_view_is_ascii() -> None:
    """Where the place cannot show more than ASCII, nothing more is sent to it."""
    for _, make in CASES.values():
        assert report_text(build_report(make()), View(80, unicode=False, detail="verbose")).isascii()


def test_server_text_is_shown_not_interpreted() -> None:
    """Markup stays as it was sent; control, bidirectional and invalid characters appear as escapes."""
    text = report_text(build_report(CASES["hostile"][1]()), View(200))
    assert "[red]boo[/red]" in text
    assert r"\x1b[2J" in text
    assert r"\u202e" in text
    assert not set(text) & set("\x00\x07\x1b\x85\u202e\u2066\u2028\ufffe")


def test_what_was_injected_and_whether_it_is_reverted() -> None:
    """Each fault with its target and its proof; where that is missing, the verdict has the command that repairs it."""
    text = " ".join(report_text(build_report(disturbed(proven=False)), View(width=100)).split())
    assert "redis.pause redis reverted, verified" in text
    assert "host.memory the host reverted, not verified" in text
    assert "NOT REVERTED (exit 4): a fault may still be in force; revert it with: xnai-validate undo" in text
    assert "PASSED (exit 0)" in report_text(build_report(disturbed(proven=True)), View(width=100))
