"""The text and the JSON of `history`: the courses of profiles and checks over their runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from xnai_validate.cli.listing.stored import run_row
from xnai_validate.cli.run_history import current_history
from xnai_validate.cli.terminal.console import print_out
from xnai_validate.cli.terminal.page import new_page
from xnai_validate.errors import ConfigError
from xnai_validate.history.course import CheckCourse, ProfileCourse, Trend, check_course, profile_course
from xnai_validate.history.database import History
from xnai_validate.history.records import ELAPSED, RunRecord
from xnai_validate.model.json import indented
from xnai_validate.model.results.status import Status
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.model.units import format_ms
from xnai_validate.report.lists import counted
from xnai_validate.report.terminal.page import Page, Span, Style

SHOWN_RUNS = 20
SHOWN_CHECKS = 15
BARS = "▁▂▃▄▅▆▇█"
_STYLES: dict[Status, Style] = {
    Status.PASS: "green",
    Status.FLAKY: "yellow",
    Status.WARN: "yellow",
    Status.FAIL: "bold red",
    Status.WAIVED: "dim",
    Status.ERROR: "bold yellow",
    Status.SKIP: "dim",
}


def print_courses(name: str | None, last: int, *, as_json: bool, color: bool) -> None:
    """Print the course of a check or a profile, or of every profile, over the newest `last` runs of each.

    Raises ConfigError for a name without a stored run.
    """
    page = new_page(sys.stdout, color)
    with current_history() as history:
        runs = history.runs()
        if name is None:
            courses = [profile_course(profile, own[:last]) for profile, own in _group_by_profile(runs).items()]
            if as_json:
                print_out(indented({"profiles": courses}) + "\n")
                return
            _add_profiles(page, courses)
        elif name in _group_by_profile(runs):
            profile = _profile(history, name, _group_by_profile(runs)[name][:last])
            if as_json:
                print_out(indented(profile) + "\n")
                return
            _add_profile(page, profile)
        else:
            check = _check(history, name, runs, last)
            if as_json:
                print_out(indented(check) + "\n")
                return
            _add_check(page, check)
    print_out(str(page))


def _group_by_profile(runs: Sequence[RunRecord]) -> dict[str, list[RunRecord]]:
    """Group runs by their profiles."""
    grouped: dict[str, list[RunRecord]] = {}
    for run in runs:
        grouped.setdefault(run.name, []).append(run)
    return grouped


def _check(history: History, name: str, runs: Sequence[RunRecord], last: int) -> CheckCourse:
    """Return the course of a check by its id, or the end of it after the colon. Raises ConfigError."""
    known = history.check_ids()
    matching = [known_id for known_id in known if known_id == name or known_id.endswith(f":{name}")]
    if len(matching) > 1:
        raise ConfigError(f'"{name}" may be one of several checks', hint=f"name one of {', '.join(matching)}")
    if not matching:
        hint = (
            did_you_mean(name, [*known, *_group_by_profile(runs)]) or "list what is stored with: xnai-validate history"
        )
        raise ConfigError(f'no stored run has a check or a profile "{name}"', hint=hint)
    results = history.results_of_check(matching[0])
    return check_course(matching[0], [run for run in runs if run.id in results][:last], results)


def _profile(history: History, name: str, runs: Sequence[RunRecord]) -> ProfileCourse:
    """Return the course of a profile with those of its checks."""
    results = {run.id: {result.check: result for result in history.results_of_run(run.id)} for run in runs}
    checks = dict.fromkeys(check for of_run in results.values() for check in of_run)
    courses = [
        check_course(check, runs, {run: of_run[check] for run, of_run in results.items() if check in of_run})
        for check in checks
    ]
    return profile_course(name, runs, courses)


def _add_profiles(page: Page, courses: Sequence[ProfileCourse]) -> None:
    """Add a table with a row for each profile."""
    if not courses:
        page.text("no run is stored yet")
        return
    head: list[Span] = [(text, "dim") for text in ("profile", "runs", "passed", "broken since", "last run")]
    rows = [head]
    for course in courses:
        last = f"{course.last.verdict}, {_format_minute(course.last.started_at)}"
        broken: Span = (course.broken_since or "", "red")
        rows.append(
            [
                (course.profile, "bold"),
                (str(course.runs), ""),
                (_format_percent(course.pass_rate), ""),
                broken,
                (last, ""),
            ]
        )
    page.table(rows, numeric=(1, 2))


def _add_profile(page: Page, course: ProfileCourse) -> None:
    """Add the history of one profile: its pass rate, broken or flaky checks, and runs."""
    page.text(
        f"{course.profile}: {counted(course.runs, 'run')}, {_format_percent(course.pass_rate)} passed", style="bold"
    )
    if course.broken_since is not None:
        page.text(f"broken since {course.broken_since}", style="red")
    _add_trend(page, course.trend)
    if course.checks:
        page.rule("Broken or flaky checks")
        for check in course.checks[:SHOWN_CHECKS]:
            page.text(f"{check.check}: {_summarize_check(check)}", indent=2, style="red" if check.broken_since else "")
        if len(course.checks) > SHOWN_CHECKS:
            page.text(f"and {len(course.checks) - SHOWN_CHECKS} more, in --json", indent=2, style="dim")
    page.rule("Runs")
    page.table([run_row(run) for run in course.entries[:SHOWN_RUNS]], indent=2)


def _summarize_check(check: CheckCourse) -> str:
    """Summarize the history of a check in one line."""
    parts = [f"{_format_percent(check.pass_rate)} passed", f"flakiness {_format_percent(check.flakiness)}"]
    if check.broken_since is not None:
        parts.append(f"broken since {check.broken_since}")
    return ", ".join(parts)


def _add_check(page: Page, course: CheckCourse) -> None:
    """Add the history of one check: its pass rate, flakiness, trend and runs."""
    page.text(f"{course.check}: {counted(course.runs, 'run')}", style="bold")
    judged = f"{course.passed} passed, {course.failed} failed, {course.not_judged} not judged"
    page.text(f"pass rate {_format_percent(course.pass_rate)} ({judged})", indent=2)
    changes = f"{course.flaky} flaky, {counted(course.changes, 'change')} between pass and fail"
    page.text(f"flakiness {_format_percent(course.flakiness)} ({changes})", indent=2)
    if course.broken_since is not None:
        passed = f"passed last in {course.last_passed}" if course.last_passed else "it has never passed"
        page.text(f"broken since {course.broken_since}; {passed}", indent=2, style="red")
    _add_trend(page, course.trend)
    page.rule("Runs")
    name = course.trend.figure if course.trend else ELAPSED
    rows: list[list[Span]] = []
    for entry in course.entries[:SHOWN_RUNS]:
        value = "" if entry.value is None else f"{name} {entry.value:.4g}"
        status: Span = (entry.status.value, _STYLES[entry.status])
        rows.append(
            [
                (entry.run, "bold"),
                (_format_minute(entry.started_at), "dim"),
                status,
                (value, ""),
                (entry.reason or "", ""),
            ]
        )
    page.table(rows, indent=2)


def _add_trend(page: Page, trend: Trend | None) -> None:
    """Add how the main figure has changed; nothing without a trend."""
    if trend is None:
        return
    older, newer = _format_figure(trend, trend.older), _format_figure(trend, trend.newer)
    figures = f"{older} in the older half, {newer} in the newer half"
    bars = f" {_bars(trend.values[-SHOWN_RUNS:])}" if page.unicode and len(trend.values) > 1 else ""
    page.text(f"{trend.figure} {trend.direction}: {figures}{bars}", indent=2)


def _format_figure(trend: Trend, value: float) -> str:
    """Format a figure, as a duration where its name ends in `_ms`."""
    return format_ms(value) if trend.figure.endswith("_ms") else f"{value:.4g}"


def _bars(values: Sequence[float]) -> str:
    """Return a bar for each value, the highest for the largest."""
    most = max(values)
    return "".join(BARS[round(value / most * (len(BARS) - 1)) if most > 0 and value > 0 else 0] for value in values)


def _format_percent(share: float | None) -> str:
    """Format a share as a percentage; an empty text for None."""
    return "" if share is None else f"{share:.0%}"


def _format_minute(started_at: str) -> str:
    """Format an instant to the minute, in UTC."""
    return f"{started_at[:16].replace('T', ' ')} UTC"
