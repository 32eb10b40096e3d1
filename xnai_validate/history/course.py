"""The course of a check or a profile over its runs: pass rate, flakiness, trend, and the run where it broke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from xnai_validate.history.records import RUNNING, ResultRecord, RunRecord
from xnai_validate.model.results.status import Status

LEAST_FOR_TREND = 4
"""Values that a trend needs at least."""
TREND_RATIO = 1.1
"""The newer half counts as higher or lower than the older half from this ratio of their medians."""
_FAILED = (Status.FAIL, Status.WAIVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """How a figure developed over the runs that have it."""

    figure: str
    """Its name, with its unit."""
    values: tuple[float, ...]
    """Oldest first."""
    older: float
    """The median of the older half of the values."""
    newer: float
    """The median of the newer half."""
    direction: str
    """`rising`, `falling`, `steady`, or `too few runs`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRun:
    """A check in one run."""

    run: str
    started_at: str
    status: Status
    elapsed_ms: float
    value: float | None
    """Its main figure."""
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCourse:
    """A check over its runs."""

    check: str
    runs: int
    """In how many runs it was planned."""
    passed: int
    """Runs in which it passed, `flaky` and `warn` included."""
    failed: int
    """Runs in which it failed, `waived` included."""
    not_judged: int
    """Runs in which it was skipped or could not be measured."""
    pass_rate: float | None
    """`passed` / (`passed` + `failed`); null if it was never judged."""
    flaky: int
    """Runs in which it passed only at a later attempt."""
    changes: int
    """Pairs of consecutive judged runs of which one passed and the other failed."""
    flakiness: float | None
    """(`flaky` + `changes`) / judged runs, at most 1; null if it was never judged."""
    broken_since: str | None
    """The first run of the failures up to now; null if it passed when it was last judged."""
    last_passed: str | None
    """The last run in which it passed."""
    trend: Trend | None
    entries: tuple[CheckRun, ...]
    """Newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileCourse:
    """The runs of one profile, or of several that were run together."""

    profile: str
    runs: int
    passed: int
    """Runs with exit code 0."""
    pass_rate: float | None
    """`passed` / runs that reached their end; null if none did."""
    broken_since: str | None
    """The first run of the failures up to now; null if the last run that reached its end passed."""
    trend: Trend | None
    """Of the duration."""
    last: RunRecord
    checks: tuple[CheckCourse, ...] = ()
    """The checks that are broken or flaky, those that are broken first."""
    entries: tuple[RunRecord, ...] = ()
    """Newest first."""


def check_course(check: str, runs: Sequence[RunRecord], results: Mapping[str, ResultRecord]) -> CheckCourse:
    """Return the course of a check; `runs` are newest first, `results` are run id -> its result."""
    entries = [(run, results[run.id]) for run in runs if run.id in results and run.verdict != RUNNING]
    judged = [(run.id, result.status) for run, result in reversed(entries) if result.status in _JUDGED]
    passed = sum(status.passed for _, status in judged)
    flaky = sum(status is Status.FLAKY for _, status in judged)
    changes = sum(before.passed != after.passed for (_, before), (_, after) in pairwise(judged))
    return CheckCourse(
        check=check,
        runs=len(entries),
        passed=passed,
        failed=len(judged) - passed,
        not_judged=len(entries) - len(judged),
        pass_rate=round(passed / len(judged), 4) if judged else None,
        flaky=flaky,
        changes=changes,
        flakiness=round(min(1.0, (flaky + changes) / len(judged)), 4) if judged else None,
        broken_since=_broken_since([(run, status.passed) for run, status in judged]),
        last_passed=next((run for run, status in reversed(judged) if status.passed), None),
        trend=_trend_of_check([result for _, result in reversed(entries)]),
        entries=tuple(
            CheckRun(
                run=run.id,
                started_at=run.started_at,
                status=result.status,
                elapsed_ms=result.elapsed_ms,
                value=result.value,
                reason=result.reason,
            )
            for run, result in entries
        ),
    )


_JUDGED = frozenset({*_FAILED, *(status for status in Status if status.passed)})


def profile_course(profile: str, runs: Sequence[RunRecord], checks: Sequence[CheckCourse] = ()) -> ProfileCourse:
    """Return the course of a profile; `runs` are its runs, newest first, at least one."""
    ended = [run for run in reversed(runs) if run.verdict != RUNNING and run.stopped in (None, "fail-fast")]
    passed = sum(run.exit_code == 0 for run in ended)
    notable = [course for course in checks if course.broken_since is not None or course.flakiness]
    notable.sort(key=lambda course: (course.broken_since is None, -(course.flakiness or 0), course.check))
    durations = [run.elapsed_ms for run in ended if run.stopped is None]
    return ProfileCourse(
        profile=profile,
        runs=len(runs),
        passed=passed,
        pass_rate=round(passed / len(ended), 4) if ended else None,
        broken_since=_broken_since([(run.id, run.exit_code == 0) for run in ended]),
        trend=trend_of("elapsed_ms", durations),
        last=runs[0],
        checks=tuple(notable),
        entries=tuple(runs),
    )


def _broken_since(outcomes: Sequence[tuple[str, bool]]) -> str | None:
    """Return the run that began the failures up to now; `outcomes` are (run id, passed), oldest first."""
    first = None
    for run, passed in reversed(outcomes):
        if passed:
            break
        first = run
    return first


def _trend_of_check(results: Sequence[ResultRecord]) -> Trend | None:
    """Return the trend of the main figure that the newest result has; other figures are not mixed with it."""
    newest = next((result.figure for result in reversed(results) if result.figure is not None), None)
    if newest is None:
        return None
    return trend_of(
        newest, [result.value for result in results if result.figure == newest and result.value is not None]
    )


def trend_of(figure: str, values: Sequence[float]) -> Trend | None:
    """Return the trend of values, oldest first; None without values."""
    if not values:
        return None
    half = (len(values) + 1) // 2
    older, newer = median(values[:half]), median(values[-half:])
    if len(values) < LEAST_FOR_TREND:
        direction = "too few runs"
    elif newer > older * TREND_RATIO:
        direction = "rising"
    elif newer * TREND_RATIO < older:
        direction = "falling"
    else:
        direction = "steady"
    return Trend(figure=figure, values=tuple(values), older=older, newer=newer, direction=direction)
