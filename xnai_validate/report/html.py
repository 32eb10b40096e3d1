"""The report as one HTML page, complete in itself: what is wrong first, everything that was measured behind it.

Every text is escaped by the template engine, and the page forbids itself by its content security policy to load or send
anything, whatever a server wrote into its answers.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xnai_validate.model.json import JsonObject
from xnai_validate.model.judging.finding_text import cut, measured, shown, wanted
from xnai_validate.model.results.report import CheckResult, RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.verdict import Exit
from xnai_validate.model.text import printable
from xnai_validate.model.units import format_ms
from xnai_validate.report.causes import PROBLEMS, problems_of, skips_of
from xnai_validate.report.comparison import change_of, interval_of, number_of, sums, worst_first
from xnai_validate.report.ending import because
from xnai_validate.report.view import View
from xnai_validate.report.words import counted, in_words, listed, rest_of_sentence, said, told_of

if TYPE_CHECKING:
    import jinja2

FACT_CAP = 600
"""Characters of one fact; the JSON report has longer ones whole."""
IN_FULL = 2000
"""Checks whose facts are on the page; of later ones only the line that names them, unless they did not pass."""
_TONES = {Exit.PASSED: "good", Exit.UNDECIDED: "odd", Exit.STOPPED: "odd", Exit.INTERRUPTED: "odd"}


def render(report: RunReport, view: View) -> str:
    """The page as one text."""
    return "".join(pieces(report, view))


def pieces(report: RunReport, view: View) -> Iterator[str]:
    """The page of `render`, piece by piece: a long run's page does not stand in memory as a whole."""
    folder = Path(__file__).parent
    style, script = ((folder / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    template = _environment().from_string((folder / "page.html").read_text(encoding="utf-8"))
    yield from template.generate(
        report=report,
        tone=_TONES.get(Exit(report.exit_code), "bad"),
        because=because(report, report.exit_code),
        sections=[(title, status, problems_of(report.checks, status)) for status, title in PROBLEMS],
        skips=skips_of(report.checks),
        sums=sums(report.comparison) if report.comparison else "",
        figures=worst_first(report.comparison, every=True) if report.comparison else [],
        categories=_categories(report.checks),
        targets=[(name, url) for name, url in report.run.targets.items() if url],
        full=_in_full(report.checks),
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _environment() -> jinja2.Environment:
    import jinja2

    made = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    # Whatever comes from a run is shown with its control and bidirectional characters as escapes.
    made.finalize = lambda value: printable(value) if type(value) is str and not value.isprintable() else value
    made.filters.update(
        ms=format_ms,
        words=in_words,
        shown=shown,
        figure=number_of,
        change=change_of,
        interval=interval_of,
        wanted=wanted,
        listed=listed,
        counted=counted,
        told_of=told_of,
        said=said,
        measured=lambda finding, check: measured(finding, check.facts),
        rest=lambda finding, check: rest_of_sentence(finding, check.facts),
        facts=_facts,
        when=lambda at: at.replace("T", " ").partition(".")[0].removesuffix("Z") + " UTC",
    )
    return made


def _facts(facts: JsonObject) -> list[tuple[str, str]]:
    """Name -> value as text, cut."""
    return [(name, cut(_text(value), FACT_CAP)) for name, value in facts.items()]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _categories(checks: Sequence[CheckResult]) -> list[tuple[str, list[CheckResult], dict[str, int]]]:
    """Category -> its checks, and how many of them have each status."""
    found: dict[str, list[CheckResult]] = {}
    for check in checks:
        found.setdefault(check.category, []).append(check)
    return [
        (name, members, {status.value: sum(one.status is status for one in members) for status in Status})
        for name, members in found.items()
    ]


def _in_full(checks: Sequence[CheckResult]) -> frozenset[str]:
    """The ids of the checks whose facts are shown."""
    return frozenset(
        check.id for place, check in enumerate(checks) if place < IN_FULL or check.status is not Status.PASS
    )


def _hash(text: str) -> str:
    """What a content security policy names an inline script or style by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
