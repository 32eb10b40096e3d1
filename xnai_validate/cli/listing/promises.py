"""The list of promises and practices."""

from __future__ import annotations

from xnai_validate.config.catalogue import Catalogue
from xnai_validate.config.compile.promises import all_promises
from xnai_validate.report.lists import listed
from xnai_validate.report.terminal.page import Page


def add_promises(page: Page, known: Catalogue) -> None:
    """Add what checks hold a stack to, where it is promised, and the checks that verify it."""
    for promise in all_promises(known.options):
        checks = [check.id for check in known.checks if check.promise == promise.id]
        page.text(promise.id, style="bold", right="practice" if promise.practice else "")
        page.text(promise.text, indent=4)
        page.text(promise.source, indent=4, style="dim")
        page.text(listed(checks) if checks else f"no check: {promise.unchecked or 'none verifies it'}", indent=4)
