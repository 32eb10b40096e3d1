"""What a waiver makes of the outcome of its check: an accepted failure, or a failure whose waiver has expired."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from xnai_validate.engine.attempts.outcome import Outcome
from xnai_validate.model.results.events import Notice
from xnai_validate.model.results.report import CheckInfo
from xnai_validate.model.results.status import Status


def waived(outcome: Outcome, check: CheckInfo, failing: Collection[Status], emit: Callable[..., None]) -> Outcome:
    """Return the outcome of a check under its waiver, if it has one.

    An outcome that fails the run (`failing` holds the statuses that do) is waived until the last day of the waiver;
    after it the outcome stays, and its reason names the date. A notice reports a waiver that was not needed.
    """
    waiver = check.waiver
    if waiver is None or outcome.status in (Status.ERROR, Status.SKIP):
        return outcome  # what could not be measured may be another failure than the one that is accepted
    if outcome.status is not Status.FAIL and outcome.status not in failing:
        place = f"{waiver.source.file}:{waiver.source.line}"
        emit(Notice, level="info", text=f"{check.id} passed: its waiver is not needed ({place}, until {waiver.until})")
        return outcome
    before = outcome.reason or outcome.status.value
    if waiver.expired:
        text = f"{before}; its waiver expired on {waiver.until} ({waiver.owner}): {waiver.reason}"
        return replace(outcome, reason=text)
    text = f"waived until {waiver.until} ({waiver.owner}): {waiver.reason}; it failed: {before}"
    return replace(outcome, status=Status.WAIVED, reason=text)
