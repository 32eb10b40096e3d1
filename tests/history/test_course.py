"""The course of checks and profiles over their runs."""

from __future__ import annotations

import pytest

from tests.history.reports import report_of_run
from xnai_validate.history.course import CheckCourse, check_course, profile_course, trend_of
from xnai_validate.history.records import result_records, run_record
from xnai_validate.model.results.status import Status

CHECK = "api/a:up"


def course_of(*statuses: Status) -> CheckCourse:
    """Return the course of a check with these statuses, oldest first."""
    reports = [report_of_run(number, {CHECK: status}) for number, status in enumerate(statuses)]
    runs = [run_record(report) for report in reversed(reports)]
    return check_course(CHECK, runs, {report.run.id: next(result_records(report)) for report in reports})


@pytest.mark.parametrize(
    ("letters", "pass_rate", "flakiness", "broken_since"),
    [
        ("pppp", 1.0, 0.0, None),
        ("ppff", 0.5, 0.25, "run-0002"),
        ("pfpf", 0.5, 0.75, "run-0003"),
        ("ppfp", 0.75, 0.5, None),
        ("ff", 0.0, 0.0, "run-0000"),
        ("pyp", 1.0, 0.3333, None),
        ("pses", 1.0, 0.0, None),
        ("pfse", 0.5, 0.5, "run-0001"),
        ("se", None, None, None),
        ("wx", 0.5, 0.5, "run-0001"),
    ],
)
def test_rates_and_the_run_that_broke(
    letters: str, pass_rate: float | None, flakiness: float | None, broken_since: str | None
) -> None:
    """Skips and errors count neither way; a check is broken since the first of the failures up to now."""
    by_letter = {"p": Status.PASS, "f": Status.FAIL, "y": Status.FLAKY, "s": Status.SKIP, "e": Status.ERROR}
    by_letter |= {"w": Status.WARN, "x": Status.WAIVED}
    course = course_of(*(by_letter[letter] for letter in letters))
    assert (course.pass_rate, course.flakiness, course.broken_since) == (pass_rate, flakiness, broken_since)
    assert course.runs == len(letters) == course.passed + course.failed + course.not_judged


def test_entries_are_newest_first() -> None:
    """Each run of a check is listed with its status, figure and reason."""
    newest, oldest = course_of(Status.PASS, Status.FAIL).entries
    assert (newest.run, newest.status, newest.reason) == ("run-0001", Status.FAIL, "it was fail")
    assert (oldest.run, oldest.value) == ("run-0000", 10.0)


@pytest.mark.parametrize(
    ("values", "direction"),
    [
        ((10, 10, 10), "too few runs"),
        ((10, 11, 10, 10.5), "steady"),
        ((10, 10, 12, 13), "rising"),
        ((13, 12, 10, 10), "falling"),
        ((0, 0, 0, 0), "steady"),
        ((10, 10, 900, 10, 10, 10), "steady"),
    ],
)
def test_trends(values: tuple[float, ...], direction: str) -> None:
    """A trend is a change of the median by a tenth between the halves; a single outlier is not a trend."""
    trend = trend_of("total_ms", values)
    assert trend is not None
    assert trend.direction == direction


def test_a_profile_lists_what_is_broken_first() -> None:
    """A run that was killed counts in no rate; broken checks come before flaky ones, steady ones are left out."""
    rows = [("ppp", True), ("pff", True), ("fff", False), ("pfp", True)]
    statuses = {"p": Status.PASS, "f": Status.FAIL}
    reports = [
        report_of_run(number, {f"api/a:{name}": statuses[row[name]] for name in range(3)}, ended=ended)
        for number, (row, ended) in enumerate(rows)
    ]
    runs = [run_record(report) for report in reversed(reports)]
    results = {report.run.id: list(result_records(report)) for report in reports}
    courses = [
        check_course(f"api/a:{name}", runs, {run: of_run[name] for run, of_run in results.items()}) for name in range(3)
    ]
    course = profile_course("good", runs, courses)
    assert (course.runs, course.passed, course.pass_rate) == (4, 1, 0.3333)
    assert course.broken_since == "run-0001"
    assert [check.check for check in course.checks] == ["api/a:1", "api/a:0", "api/a:2"]
