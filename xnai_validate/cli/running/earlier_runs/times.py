"""The durations of an earlier run, for the expected duration of this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from xnai_validate.durations import Forecast
from xnai_validate.engine import journals, read_journal, state_dir
from xnai_validate.errors import XnaiError
from xnai_validate.model.results.events import CheckFinished, CheckStarted, RunStarted
from xnai_validate.model.units import about
from xnai_validate.plan import NOTHING, QUICK_S, Plan

LOOKED_AT = 10
"""Stored runs that are looked at, the newest first."""
WORTH_NAMING_S = 5.0
"""A run that takes less needs no forecast."""


def with_expected_time(plan: Plan, places: Mapping[str, Sequence[str]] = NOTHING) -> Plan:
    """Return the plan with its expected duration.

    A check that the last run of the same profiles had with the same times is expected to take as long as it took there.
    `places`: full id -> the addresses of the workers that measure the check, which make some measurements at a time.
    """
    expected = Forecast(plan.checks, plan.limits, steady=plan.steady, places=places).expected()
    known_s = _read_durations(plan.profiles, expected.by_params)
    limits = plan.limits
    if known_s or places:
        expected = Forecast(plan.checks, plan.limits, known_s, plan.steady, places).expected()
        if not limits.deadline_is_given:
            limits = replace(limits, deadline_s=max(limits.deadline_s, expected.deadline_s))
    return replace(plan, expected=expected, limits=limits)


def describe_expected(plan: Plan) -> str | None:
    """How long the run takes, in words; None for one of seconds."""
    if plan.expected.usual_s < WORTH_NAMING_S:
        return None
    return f"about {about(plan.expected.usual_s)}; stopped after {about(plan.limits.deadline_s)} at the latest"


def _read_durations(profiles: tuple[str, ...], usual_s: Mapping[str, float]) -> dict[str, float]:
    """Return the durations of the checks in the last run of the same profiles, if there is such a run."""
    for path in reversed(journals(state_dir())[-LOOKED_AT:]):
        try:
            durations = _durations_of(path, profiles, usual_s)
        except (XnaiError, ValueError):
            continue  # an unreadable journal has nothing to go by
        if durations:
            return durations
    return {}


def _durations_of(path: Path, profiles: tuple[str, ...], usual_s: Mapping[str, float]) -> dict[str, float]:
    """Full id -> seconds from start to end, of each check that had the same times and was measured."""
    events = read_journal(path)
    first = next(events, None)
    if not isinstance(first, RunStarted) or first.run.profiles != profiles or not first.usual_s:
        return {}
    started: dict[str, float] = {}
    durations: dict[str, float] = {}
    for event in events:
        if isinstance(event, CheckStarted):
            started[event.id] = event.at
        elif isinstance(event, CheckFinished) and event.id in started and event.status.passed:
            now_s = usual_s.get(event.id, 0.0)
            then_s = first.usual_s.get(event.id, 0.0)  # left out for quick checks
            if abs(then_s - now_s) < 0.01 or max(then_s, now_s) < QUICK_S:
                durations[event.id] = event.at - started[event.id]
    return durations
