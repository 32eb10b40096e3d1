"""What `compare` does: read both sides, judge, print the table."""

from __future__ import annotations

import sys

from xnai_validate.baseline.comparing import compare
from xnai_validate.baseline.fingerprint import hindrances
from xnai_validate.cli import console
from xnai_validate.cli.stored import recorded_of
from xnai_validate.errors import ConfigError
from xnai_validate.model.json import indented
from xnai_validate.model.results.comparison import Comparison
from xnai_validate.model.results.verdict import decide


def compared(before: str, after: str, *, as_json: bool, color: bool | None) -> int:
    """Print how `after` differs from `before`; returns the exit code. Raises ConfigError where that makes no sense."""
    one, other = recorded_of(before), recorded_of(after)
    later = {run.id for run in other}
    apart = tuple(run for run in one if run.id not in later)
    if not apart:
        raise ConfigError(f"{before} and {after} are the same run")
    found = hindrances(apart[-1].fingerprint, other[-1].fingerprint)
    if found:
        raise ConfigError(
            f"{before} and {after} cannot be compared: {'; '.join(found)}",
            hint="compare runs of the same profile on the same host",
        )
    comparison = compare(before, apart, other)
    console.print_out(_json(comparison) if as_json else _table(comparison, color))
    worse = comparison.count("regression")
    return int(decide((), criteria_met=not worse, undecided=not comparison.conclusive))


def _json(comparison: Comparison) -> str:
    return indented(comparison) + "\n"


def _table(comparison: Comparison, color: bool | None) -> str:
    from xnai_validate.report.terminal.comparison import append_comparison
    from xnai_validate.report.terminal.page import Page

    out = sys.stdout
    page = Page(console.width(out), console.wants_color(out, color), console.shows_unicode(out))
    append_comparison(page, comparison, every=True)
    return str(page)
