"""The list of promises and practices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from importlib.util import find_spec

from xnai_validate.config.catalogue import Catalogue
from xnai_validate.config.compile.promises import all_promises
from xnai_validate.report.lists import listed
from xnai_validate.report.terminal.page import Page

_DEFECTS_SHOWN = 12


def add_promises(page: Page, known: Catalogue) -> None:
    """Add what checks hold a stack to, where it is promised, the checks that verify it, and the defects they catch.

    The defects are those of the embedded stack, which `xnai-validate prove` runs; without its extra they are left out.
    """
    defects = _defects_by_check()
    for promise in all_promises(known.options):
        checks = [check.id for check in known.checks if check.promise == promise.id]
        page.text(promise.id, style="bold", right="practice" if promise.practice else "")
        page.text(promise.text, indent=4)
        page.text(promise.source, indent=4, style="dim")
        page.text(listed(checks) if checks else f"no check: {promise.unchecked or 'none verifies it'}", indent=4)
        proven = sorted({name for check in checks for name in defects.get(check, ())})
        if proven:
            rest = len(proven) - _DEFECTS_SHOWN
            names = ", ".join(proven[:_DEFECTS_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
            page.text(f"proven by the defects: {names}", indent=4, style="dim")


def _defects_by_check() -> Mapping[str, list[str]]:
    """Full id of a check -> the defects of the embedded stack that it must catch."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    if find_spec("fastapi") is not None:
        from xnai_validate.demo.defects import CATALOGUE  # imports the embedded stack

        for defect in CATALOGUE.values():
            for check_id in defect.checks:
                found[check_id].append(defect.name)
    return found
