"""The lists of the kinds of checks and of the faults."""

from __future__ import annotations

from xnai_validate.registry import CHECKERS, FAULTS
from xnai_validate.report.terminal.page import Page


def add_kinds(page: Page) -> None:
    """Add the kinds, each with the first line of its documentation."""
    page.table([[(kind, "bold"), (CHECKERS.get(kind).title, "")] for kind in CHECKERS.names()])


def add_faults(page: Page) -> None:
    """Add the faults, each with the first line of its documentation."""
    page.table([[(name, "bold"), (FAULTS.get(name).title, "")] for name in FAULTS.names()])
