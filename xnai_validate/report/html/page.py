"""The report as one HTML page: what is wrong first, everything that was measured behind it.

The template engine escapes every text, and the content security policy of the page forbids it to load or send anything,
whatever a server wrote into its answers.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import jinja2
from pydantic import JsonValue

from xnai_validate.model.json import JsonObject
from xnai_validate.model.judging.findings import cut, expected_text, got_text, value_text
from xnai_validate.model.results.exchange import last_request
from xnai_validate.model.results.report import CheckResult, RunReport
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.verdict import Exit
from xnai_validate.model.text import printable
from xnai_validate.model.units import format_ms
from xnai_validate.report.causes import PROBLEMS, cause_counts, has_many_failures, problems_of, skips_of
from xnai_validate.report.comparison_text import change_of, interval_of, number_of, sums, worst_first
from xnai_validate.report.evidence import evidence_lines
from xnai_validate.report.html.breakers import breaker_courses
from xnai_validate.report.html.changes import change_bar
from xnai_validate.report.html.figures import load_images
from xnai_validate.report.html.timeline import time_line
from xnai_validate.report.html.trend import trend_of
from xnai_validate.report.html.truth import truth_tables
from xnai_validate.report.html.waterfall import SLOW_MS, waterfall, waterfall_of
from xnai_validate.report.lists import counted, listed
from xnai_validate.report.loads import STREAM_QUANTILES, loads_of, percent_text, streams_of
from xnai_validate.report.verdict_text import verdict_reason, verdict_word
from xnai_validate.report.view import PastRun
from xnai_validate.report.words import broken_rules, expected_and_got, planned_text, promise_of, reason_of, waiver_of

FACT_CAP = 600
"""Characters of one fact; the JSON report has longer ones whole."""
FOLDED, BEGINNING = 160, 60
"""A fact of more characters is folded, and only its beginning is visible at once."""
IN_FULL = 2000
"""Checks whose facts are on the page; of later ones only those that did not pass."""
_TONES = {Exit.PASSED: "good", Exit.UNDECIDED: "odd", Exit.STOPPED: "odd", Exit.INTERRUPTED: "odd"}


def page_pieces(report: RunReport, trend: Sequence[PastRun] = ()) -> Iterator[str]:
    """Yield the page, piece by piece: the page of a long run is never in memory as a whole.

    `trend`: the last runs of the same profiles, the newest last.
    """
    skips = skips_of(report.checks)
    folder = Path(__file__).parent
    style, script = ((folder / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    yield from _template().generate(
        report=report,
        tone=_TONES.get(Exit(report.exit_code), "bad"),
        verdict=verdict_word(report.verdict),
        reason=verdict_reason(report, report.exit_code),
        sections=[(title, status, problems_of(report, status)) for status, title in PROBLEMS],
        many=has_many_failures(report.checks),
        fixes={check.id: _fix(check) for check in report.checks},
        skips=skips,
        blocked=report.summary.skip - sum(len(ids) for _, ids in skips),
        sums=sums(report.comparison) if report.comparison else "",
        compared=worst_first(report.comparison, every=True) if report.comparison else [],
        line=time_line(report),
        trend=trend_of(trend),
        breakers=list(breaker_courses(report)),
        truths=truth_tables(report.checks),
        categories=_categories(report.checks),
        loads=list(loads_of(report.checks)),
        readers={streams.check.id: streams for streams in streams_of(report.checks)},
        quantiles=STREAM_QUANTILES,
        targets=[(name, url) for name, url in report.run.targets.items() if url],
        full=_in_full(report.checks),
        slow_ms=SLOW_MS,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    """Return the compiled template: compiling takes ten times as long as filling it in."""
    return _environment().get_template("page.html")


def _environment() -> jinja2.Environment:
    """Return the environment of the templates: escaping, strict about unknown names, with our filters."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    # Control and bidirectional characters of the texts of a run become escapes.
    environment.finalize = lambda value: printable(value) if type(value) is str and not value.isprintable() else value
    environment.filters.update(
        ms=format_ms,
        planned=planned_text,
        shown=value_text,
        figure=number_of,
        change=change_of,
        interval=interval_of,
        expected=expected_text,
        listed=listed,
        counted=counted,
        broken_rules=broken_rules,
        evidence=evidence_lines,
        load_images=load_images,
        waterfall=waterfall,
        waterfall_of=waterfall_of,
        change_bar=change_bar,
        cause_counts=cause_counts,
        percent=percent_text,
        last_request=last_request,
        promise_of=promise_of,
        reason_of=reason_of,
        waiver_of=waiver_of,
        got=lambda finding, check: got_text(finding, check.facts),
        sentence=lambda finding, check: expected_and_got(finding, check.facts),
        facts=_facts,
        when=lambda at: at.replace("T", " ").partition(".")[0].removesuffix("Z") + " UTC",
    )
    return environment


def _fix(check: CheckResult) -> str:
    """What to do about a check that is broken; empty for any other, and without a remedy."""
    return " ".join((check.fix or "").split()) if check.status in (Status.FAIL, Status.WARN) else ""


def _facts(facts: JsonObject) -> list[tuple[str, str, str]]:
    """The facts that are known: the name, the value as text, cut, and of a long one the rest, which is folded."""
    texts = ((name, _text(value)) for name, value in facts.items() if value is not None)
    shown = ((name, cut(text, FACT_CAP)) for name, text in texts)
    return [
        (name, text[:BEGINNING], text[BEGINNING:]) if len(text) > FOLDED else (name, text, "") for name, text in shown
    ]


def _text(value: JsonValue) -> str:
    """Return a value as text: a text unchanged, anything else as JSON with rounded numbers."""
    return value if isinstance(value, str) else json.dumps(_rounded(value), ensure_ascii=False)


def _rounded(value: JsonValue) -> JsonValue:
    """A value with its numbers as people read them: four digits, and every digit of what is above a thousand."""
    if isinstance(value, float):
        return round(value, 1) if abs(value) >= 1000 else float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


def _categories(checks: Sequence[CheckResult]) -> list[tuple[str, list[CheckResult], dict[str, int]]]:
    """Category, its checks, and how many of them have each status."""
    categories: dict[str, list[CheckResult]] = {}
    for check in checks:
        categories.setdefault(check.category, []).append(check)
    return [(name, members, _count(members)) for name, members in categories.items()]


def _count(checks: Sequence[CheckResult]) -> dict[str, int]:
    """Return how many of the checks have each status."""
    counts = Counter(check.status for check in checks)
    return {status.value: counts[status] for status in Status}


def _in_full(checks: Sequence[CheckResult]) -> frozenset[str]:
    """The ids of the checks whose facts are shown."""
    return frozenset(
        check.id for number, check in enumerate(checks) if number < IN_FULL or check.status is not Status.PASS
    )


def _hash(text: str) -> str:
    """The source expression of an inline script or style in a content security policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
