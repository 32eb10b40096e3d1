"""A check that is measured from workers, as a run of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import psutil

from tests.context import compiled
from tests.engine.plans import collect, engine_of, finished
from tests.scripted import Line, ReceivedRequest, ok
from xnai_validate.engine import Engine
from xnai_validate.engine.clock import SystemClock
from xnai_validate.kit import JsonObject, Target
from xnai_validate.model.results.events import CheckFinished
from xnai_validate.model.results.report import CheckInfo, Source
from xnai_validate.plan import ONCE, Candidate, Plan, PlannedCheck, PlannedTarget, Retry
from xnai_validate.workers.runner import workers_for

CHECK = "net/places:it"
Beside = Callable[[Engine], Coroutine[Any, Any, None]]
"""Something that is done while the run goes on."""


def plan_from(
    target: Target,
    *places: str,
    kind: str = "http.request",
    expect: JsonObject | None = None,
    timeout_s: float = 60.0,
    secrets: tuple[str, ...] = (),
    retry: Retry = ONCE,
    **with_: Any,
) -> Plan:
    """A plan of one check that is measured from these places."""
    measurement = compiled(kind, target.name, {target.name: target}, expect, with_)
    source = Source(file="checks/net/places.yaml", line=3)
    info = CheckInfo(id=CHECK, title="It", category="net", kind=kind, target=target.name, source=source)
    check = PlannedCheck(info, measurement, timeout_s=timeout_s, retry=retry, vantage=places)
    planned = {target.name: PlannedTarget(target.name, (Candidate(target),))}
    return Plan("A test", ("made",), (check,), planned, secrets=frozenset(secrets))


def run_from(
    url: str, plan: Plan, state: Path, *, allow_plain: bool = False, beside: Beside | None = None
) -> CheckFinished:
    """How the check of a plan ends, with the workers of a scheduler."""

    async def run() -> CheckFinished:
        async with workers_for(plan, url, allow_plain=allow_plain):
            engine = engine_of(plan, state, SystemClock())
            async with asyncio.TaskGroup() as group:
                if beside is not None:
                    group.create_task(beside(engine))
                events = await collect(engine)
            return finished(events)[CHECK]

    return asyncio.run(run())


def client_of(line: Line) -> int | None:
    """The id of the process that has opened a connection to a scripted server."""
    ends = (line.writer.get_extra_info("peername"), line.writer.get_extra_info("sockname"))
    found = (each.pid for each in psutil.net_connections("tcp4") if (each.laddr, each.raddr) == ends)
    return next(found, None)


def broken_for(pid: int) -> Callable[[ReceivedRequest, Line], Awaitable[bool]]:
    """A script that answers 503 to one process, and 200 to all others: what a proxy in one network may do."""
    good, bad = ok(b"{}"), ok(b"no route", status="503 Service Unavailable")

    async def answer(request: ReceivedRequest, line: Line) -> bool:
        found = await asyncio.to_thread(client_of, line)
        return await (bad if found == pid else good)(request, line)

    return answer
