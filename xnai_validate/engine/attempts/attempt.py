"""Measure and judge a check, with its retries: the one place of time limits and of exceptions of checkers.

What was not reached is not judged: a bound of this tool is not a failure of the stack.
"""

from __future__ import annotations

import asyncio
import errno
import resource
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from xnai_validate.engine.attempts.lateness import late_limits
from xnai_validate.engine.attempts.outcome import WITH_EXCHANGES, Outcome
from xnai_validate.errors import NotApplicable, ToolLate, XnaiError
from xnai_validate.kit import Context, ErrorKind, Facts
from xnai_validate.model.json import bounded
from xnai_validate.model.judging.fact_types import fact_attributes, fact_types
from xnai_validate.model.judging.findings import Finding, cut, judge, main_reason
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.exchange import recorder
from xnai_validate.model.results.status import Status
from xnai_validate.model.text import printable
from xnai_validate.model.trace_context import enter_check
from xnai_validate.plan import CompiledMeasurement, PlannedCheck, Until

REPEATS_WHEN_LATE = 1
"""Attempts besides those of `retry`, for a check with a time limit that this tool was too late to judge."""
MESSAGE_CAP = 300
KNOWN_BEFORE_A_BOUND = frozenset({"status", "http_version", "headers", "content_type", "truncated"})
"""Facts that are whole also where the rest of an answer was not read."""


AttemptListener = Callable[[int, Outcome], None]
"""Called after every attempt with its number, from 1, and its outcome."""


Once = Callable[[PlannedCheck, Context, float], Awaitable[Outcome]]
"""Measures and judges a check once, within seconds."""


async def attempt_here(check: PlannedCheck, ctx: Context, timeout_s: float) -> Outcome:
    """Measure and judge a check once, in this process."""
    return await attempt(check.measurement, ctx, timeout_s)


async def attempts(
    check: PlannedCheck, ctx: Context, on_attempt: AttemptListener, once: Once = attempt_here
) -> tuple[Outcome, int]:
    """The outcome of a check and the number of its attempts; if a check has `until` and `retry`, `until` counts."""
    enter_check(check.id)
    if check.until is not None:
        return await _until(check, check.until, ctx, on_attempt, once)
    return await _retry(check, ctx, on_attempt, once)


async def attempts_under(
    check: PlannedCheck, faults: AbstractAsyncContextManager[object], ctx: Context, on_attempt: AttemptListener
) -> tuple[Outcome, int]:
    """Call `attempts` while faults are in force; return the error as the outcome if they cannot be injected."""
    begun = ctx.clock.monotonic()
    count = 0

    def count_attempt(number: int, outcome: Outcome) -> None:
        """Note the number of the attempt and pass its outcome on."""
        nonlocal count
        count = number
        on_attempt(number, outcome)

    try:
        async with faults:
            return await attempts(check, ctx, count_attempt)
    except Exception as error:  # noqa: BLE001 (a fault may raise anything; it becomes an outcome)
        elapsed_ms = round((ctx.clock.monotonic() - begun) * 1000, 3)
        return replace(outcome_of_error(check.measurement, error), elapsed_ms=elapsed_ms), count


async def _retry(check: PlannedCheck, ctx: Context, on_attempt: AttemptListener, once: Once) -> tuple[Outcome, int]:
    """Attempt a check until it passes or its attempts are used up; return the last outcome and their number.

    An attempt that this tool was too late to judge is repeated, for its lateness passes; it makes no check flaky.
    """
    before = None
    number, late = 1, 0
    while True:
        outcome = await once(check, ctx, check.timeout_s)
        on_attempt(number, outcome)
        if outcome.final:
            break
        if outcome.tool_late and late < REPEATS_WHEN_LATE:
            late += 1
        elif number - late >= check.retry.attempts:
            break
        else:
            before = outcome.reason
        number += 1
        await ctx.clock.sleep(check.retry.delay_s)
    if before is not None and outcome.status.passed:
        why = f"passed at attempt {number}; before that: {before}"
        if outcome.reason:
            why += f"; now: {outcome.reason}"
        outcome = replace(outcome, status=Status.FLAKY, reason=why)
    return outcome, number


async def _until(
    check: PlannedCheck, until: Until, ctx: Context, on_attempt: AttemptListener, once: Once
) -> tuple[Outcome, int]:
    """Repeat until it holds; the attempt that is judged begins when the time is over, and is not cut short by it.

    On a slow host a single attempt may last from the beginning of the time to its end: what it saw first may be the
    state from before, which the stack had time to leave.
    """
    end = ctx.clock.monotonic() + until.within_s
    number = 0
    while True:
        number += 1
        is_last = ctx.clock.monotonic() >= end
        outcome = await once(check, ctx, check.timeout_s)
        on_attempt(number, outcome)
        if outcome.final:
            return outcome, number
        if is_last:
            return replace(outcome, reason=f"{outcome.reason}, still so after {until.within_s:g} s"), number
        await ctx.clock.sleep(max(0.0, min(until.every_s, end - ctx.clock.monotonic())))


async def attempt(measurement: CompiledMeasurement, ctx: Context, timeout_s: float) -> Outcome:
    """Measure once within `timeout_s` and judge; every exception of the checker becomes an outcome.

    Only the cancellation of the task itself is raised.
    """
    begun = ctx.clock.monotonic()
    with recorder() as exchanges:
        outcome = await outcome_of(measurement, _measure_in_time(measurement, ctx, timeout_s))
    elapsed_ms = round((ctx.clock.monotonic() - begun) * 1000, 3)
    kept = exchanges.exchanges() if outcome.status in WITH_EXCHANGES else ()
    return replace(outcome, elapsed_ms=elapsed_ms, exchanges=kept)


async def outcome_of(measurement: CompiledMeasurement, judged: Awaitable[Outcome]) -> Outcome:
    """Await an outcome; every exception instead of one becomes an outcome.

    Only the cancellation of the task itself is raised.
    """
    try:
        return await judged
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return _broken_checker(measurement, error)  # the checker leaked a cancellation of its own
    except Exception as error:  # noqa: BLE001 (a checker may raise anything; it becomes an outcome)
        return outcome_of_error(measurement, _first(error))


async def _measure_in_time(measurement: CompiledMeasurement, ctx: Context, timeout_s: float) -> Outcome:
    """Measure and judge once, within the time limit. Raises what the checker raises."""
    limit = asyncio.timeout(timeout_s)
    try:
        async with limit:
            return await _measure_and_judge(measurement, ctx)
    except TimeoutError:
        if limit.expired():
            return too_late(measurement, ctx.stage, timeout_s)
        raise


@dataclass(frozen=True, slots=True)
class Judgement:
    """The facts of a measurement, and the rules that could be judged."""

    values: Mapping[str, Any]
    """Fact name -> value."""
    findings: tuple[Finding, ...]
    not_reached: str | None
    """Why a rule could not be judged; None where all were."""
    tool_late: bool = False
    """Whether that is because this tool was itself late."""


async def measure(measurement: CompiledMeasurement, ctx: Context) -> Facts:
    """Measure once, after a login where the target has one. Raises whatever the checker raises."""
    checker = measurement.checker
    await ctx.log_in()
    begun_s = time.monotonic()
    facts = await checker.measure(measurement.params, ctx)
    if not isinstance(facts, checker.facts):
        raise TypeError(f"it returned {type(facts).__name__} instead of {checker.facts.__name__}")
    facts.note_span(begun_s, time.monotonic())
    return facts


def values_of(facts: Facts) -> dict[str, Any]:
    """Return fact name, as rules use it -> value."""
    return {fact: getattr(facts, attribute) for fact, attribute in fact_attributes(type(facts)).items()}


def judge_facts(rules: Sequence[Rule], facts: Facts, now_s: float) -> Judgement:
    """Judge facts by rules, at a time in seconds since the epoch.

    Not judged are rules about null facts of a measurement that names why they were not reached; where an answer was
    larger than this tool reads, rules that the unread rest may change; and broken time limits of a tool that was late,
    of which those that only warn are left out.
    """
    values = values_of(facts)
    if facts.why_incomplete is not None:
        return Judgement(values, (), facts.why_incomplete)
    findings = judge(rules, values, now_s)
    if all(finding.held for finding in findings):
        return Judgement(values, findings, None)
    late = late_limits(rules, findings, fact_types(type(facts)), values, facts.span)
    if late:
        in_time = tuple(finding for index, finding in enumerate(findings) if index not in late)
        judgement = _judged_findings(in_time, facts, values)
        required = [why for index, why in late.items() if rules[index].level == "expect"]
        return replace(judgement, not_reached=required[0], tool_late=True) if required else judgement
    return _judged_findings(findings, facts, values)


def _judged_findings(findings: tuple[Finding, ...], facts: Facts, values: Mapping[str, Any]) -> Judgement:
    """Return the findings without those about what was not reached."""
    if (why := facts.why_not_reached) is not None:
        known = {name for name, value in values.items() if value is not None}
        judged = tuple(finding for finding in findings if finding.held or _fact(finding) in known)
        return Judgement(values, judged, why if len(judged) < len(findings) else None)
    if values.get("error") == ErrorKind.TOO_LARGE:
        judged = tuple(finding for finding in findings if finding.held or _is_final(finding, values))
        return Judgement(values, judged, _describe_bound(values) if len(judged) < len(findings) else None)
    return Judgement(values, findings, None)


def _fact(finding: Finding) -> str:
    """The name of the fact, without the path in it."""
    return finding.fact.partition(" $")[0].partition(".")[0]


def _is_final(finding: Finding, values: Mapping[str, Any]) -> bool:
    """Whether a finding stays as it is whatever the unread rest of an answer holds: sizes and counts only grow."""
    fact = _fact(finding)
    is_known = fact in KNOWN_BEFORE_A_BOUND or finding.rule in ("max", "length max")
    return is_known and values.get(fact) is not None


def _describe_bound(values: Mapping[str, Any]) -> str:
    """Describe which bound of this tool the answer exceeded."""
    detail = values.get("error_detail") or "the answer is larger than this tool reads"
    return f"a bound of this tool was reached: {printable(str(detail))}"


async def _measure_and_judge(measurement: CompiledMeasurement, ctx: Context) -> Outcome:
    """Measure once and judge the facts by the rules."""
    facts = await measure(measurement, ctx)
    return judged_outcome(measurement, facts, ctx.clock.time())


def judged_outcome(measurement: CompiledMeasurement, facts: Facts, now_s: float) -> Outcome:
    """Return the outcome of facts that were measured, judged at a time in seconds since the epoch."""
    judgement = judge_facts(measurement.rules, facts, now_s)
    levels = {finding.level for finding in judgement.findings if not finding.held}
    status = Status.FAIL if "expect" in levels else Status.WARN if "warn" in levels else Status.PASS
    reason = main_reason(judgement.findings, judgement.values)
    if judgement.not_reached is not None and status is not Status.FAIL:
        status, reason = Status.ERROR, cut(printable(judgement.not_reached), 2 * MESSAGE_CAP)
    types = measurement.checker.types
    kept = {
        name: value if value is None or type(value) is bool or types[name].whole else bounded(value)
        for name, value in judgement.values.items()
    }
    late = judgement.tool_late and status is Status.ERROR
    return Outcome(status, reason, judgement.findings, kept, tool_late=late)


def too_late(measurement: CompiledMeasurement, stage: str, timeout_s: float) -> Outcome:
    """The outcome of a measurement that the time limit of its check ended.

    One request that takes too long is a failure of the stack. A measurement of many steps has time limits of its own
    for what it asks of the stack: that they add up to more than the check has is not known of the stack.
    """
    if not measurement.is_composed:
        return Outcome(Status.FAIL, f"no result within {timeout_s:.3g} s")
    at = f" (it was at: {printable(stage)})" if stage else ""
    reason = f"not at its end within {timeout_s:.3g} s, the time limit of the check{at}; give it a longer `timeout`"
    return Outcome(Status.ERROR, reason)


def outcome_of_error(measurement: CompiledMeasurement, error: BaseException) -> Outcome:
    """Return the outcome for an exception: skipped, error, or a broken checker."""
    if isinstance(error, NotApplicable):
        return Outcome(Status.SKIP, _format_error(error))
    if isinstance(error, XnaiError):
        return Outcome(Status.ERROR, _format_error(error), tool_late=isinstance(error, ToolLate))
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return Outcome(Status.ERROR, _describe_descriptor_limit())
    return _broken_checker(measurement, error)


def _describe_descriptor_limit() -> str:
    """Describe the limit of open files and how to raise it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    more = f"raise it with ulimit -n {hard}" if soft < hard else "begin fewer connections at once (-j, or its params)"
    return f"not judged: this process may open {soft} files, connections included, and needs more; {more}"


def _format_error(error: XnaiError) -> str:
    """Format the message and hint of an error, printable and within a length."""
    text = cut(printable(error.message), 2 * MESSAGE_CAP)
    return f"{text}; {printable(error.hint)}" if error.hint else text


def _broken_checker(measurement: CompiledMeasurement, error: BaseException) -> Outcome:
    """Return the outcome for an exception that no checker may raise, with its type and place."""
    text = cut(printable(str(error)), MESSAGE_CAP)
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return Outcome(Status.ERROR, f"the checker {measurement.checker.kind} broke: {what} ({_where(error)})", broken=True)


def _first(error: BaseException) -> BaseException:
    """The first exception of a group that is not a group itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _where(error: BaseException) -> str:
    """`folder/file.py:line` of the innermost frame."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "place unknown"
    return f"{'/'.join(PurePath(trace.tb_frame.f_code.co_filename).parts[-2:])}:{trace.tb_lineno}"
