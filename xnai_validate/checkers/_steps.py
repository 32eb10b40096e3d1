"""Perform observations in order or at once, and report which of them did not hold; for checkers made of others."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from xnai_validate.kit import Context, Observation, Observed, XnaiError

AT_ONCE = 200
"""At most this many observations are under way together."""
FAILED_CAP = 20
"""At most this many failures are described; all are counted."""
TEXT_CAP = 300


@dataclass(frozen=True, slots=True)
class Steps:
    """What came of a sequence of observations."""

    count: int
    failed: tuple[str, ...]
    """The first failures in words: `http.request api: status expected 200, got 500`."""
    failed_count: int
    elapsed_ms: float


async def perform(ctx: Context, steps: Sequence[Observation], *, times: int, together: bool) -> Steps:
    """Perform `steps` in order, `times` over; with `together`, all of them at once.

    Raises the XnaiError of the first that could not be measured; those that are under way then are finished
    first.
    """
    begun = time.perf_counter()
    queue = [step for _ in range(times) for step in steps]
    if together:
        seen = await observe_all(ctx, queue)
    else:
        seen = [await ctx.observe(step) for step in queue]
    elapsed_ms = (time.perf_counter() - begun) * 1000
    failures = [text for step, result in zip(queue, seen, strict=True) if (text := failure(step, result)) is not None]
    return Steps(len(queue), tuple(failures[:FAILED_CAP]), len(failures), elapsed_ms)


async def observe_all(ctx: Context, observations: Sequence[Observation]) -> list[Observed]:
    """Make the observations at once; return them in the given order. Raises the first XnaiError among them."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def observe(step: Observation) -> Observed | XnaiError:
        """Perform one observation when it is its turn; an error is returned, not raised."""
        async with gate:
            try:
                return await ctx.observe(step)
            except XnaiError as error:
                return error  # raised within a TaskGroup it would end the others and come out in a group

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(observe(step)) for step in observations]
    results = [task.result() for task in tasks]
    for result in results:
        if isinstance(result, XnaiError):
            raise result
    return [result for result in results if isinstance(result, Observed)]


def failure(step: Observation, seen: Observed) -> str | None:
    """The rules of an observation that do not hold, in words; None where all hold."""
    broken = [
        f"{finding.fact} expected {_format_expected(finding.rule, finding.expected)}, got {json.dumps(finding.actual)}"
        for finding in seen.findings
        if not finding.held
    ]
    if not broken:
        return None
    name = f"{step.kind} {step.target}" if step.target else step.kind
    return f"{name}: {'; '.join(broken)}"[:TEXT_CAP]


def _format_expected(rule: str, expected: object) -> str:
    """Format an expected value with its operator."""
    return f"{'' if rule == 'equals' else rule + ' '}{json.dumps(expected)}"
