"""Checkers that do what a test scripts, and plans made of them."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.engine.clock import VirtualClock
from xnai_validate.engine import Engine, Memory
from xnai_validate.kit import MARK, Checker, Clock, Context, Facts, NotApplicable, Params, Target, Unmeasurable, checker
from xnai_validate.model.json import JsonValue
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.events import CheckFinished, Event
from xnai_validate.model.results.report import CheckInfo, CheckResult, RunReport, Source
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.plan import Candidate, CompiledMeasurement, Plan, PlannedCheck, PlannedTarget

CALM = Memory(host_percent=10.0, own_mib=40.0)


class Script(Params):
    """What a test wants of one check."""

    takes_s: float = 0.0
    answers: tuple[JsonValue, ...] = (200,)
    """One status an attempt, the last for all that follow; a text names what is raised."""
    text: str = ""


class Answer(Facts):
    """What the scripted service answered."""

    status: int
    text: str
    headers: dict[str, str]


class Stage:
    """Where scripted checkers write down what happened."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.tries: dict[str, int] = {}
        self.running: set[str] = set()
        self.most = 0
        self.seen: list[frozenset[str]] = []
        """What ran, each time something began."""
        self.cancelled: list[str] = []


class Interrupt(Exception):
    """An exception that no one expects."""


RAISED: Mapping[str, Callable[[str], BaseException]] = {
    "na": NotApplicable,
    "unmeasurable": lambda text: Unmeasurable(text, hint="look there"),
    "broken": Interrupt,
    "timeout": lambda text: TimeoutError(text),
    "no-files": lambda text: ExceptionGroup("streams", [OSError(errno.EMFILE, text)]),
    "cancelled": lambda text: asyncio.CancelledError(),
    "group": lambda text: ExceptionGroup("several", [ExceptionGroup("inner", [Unmeasurable(text)])]),
}


def scripted(stage: Stage, *, exclusive: bool = False) -> Checker:
    """A checker that follows its script and writes on `stage`."""

    @checker("script.play", exclusive=exclusive, target=False)
    async def play(params: Script, ctx: Context) -> Answer:
        """Do what the script has."""
        name = ctx.id  # type: ignore[attr-defined]
        tries = stage.tries[name] = stage.tries.get(name, 0) + 1
        stage.begun.append(name)
        stage.running.add(name)
        stage.most = max(stage.most, len(stage.running))
        stage.seen.append(frozenset(stage.running))
        try:
            await ctx.clock.sleep(params.takes_s)
        except asyncio.CancelledError:
            stage.cancelled.append(name)
            raise
        finally:
            stage.running.discard(name)
        stage.ended.append(name)
        answer = params.answers[min(tries, len(params.answers)) - 1]
        if isinstance(answer, str):
            raise RAISED[answer](params.text or "said so")
        assert isinstance(answer, int)
        return Answer(status=answer, text=params.text, headers={"authorization": params.text})

    return declared(play)


def declared(measure: object) -> Checker:
    """The Checker that the decorator left on a function."""
    found = getattr(measure, MARK)
    assert isinstance(found, Checker)
    return found


OK_RULE = Rule("status", "equals", 200)


def make(
    name: str,
    by: Checker,
    *,
    target: str | None = None,
    rules: Iterable[Rule] = (OK_RULE,),
    category: str = "tests",
    disruptive: bool = False,
    params: Params | None = None,
    script: Mapping[str, Any] | None = None,
    observations: Mapping[str, CompiledMeasurement] | None = None,
    **more: Any,
) -> PlannedCheck:
    """A check of a plan; `more` are fields of PlannedCheck."""
    info = CheckInfo(
        id=name,
        title=f"Check {name}",
        category=category,
        kind=by.kind,
        target=target,
        source=Source(file="checks/tests/made.yaml", line=1),
        disruptive=disruptive,
    )
    given = params if params is not None else by.params.model_validate(dict(script or {}))
    return PlannedCheck(info, CompiledMeasurement(by, given, tuple(rules), target, observations or {}), **more)


def plan_of(*checks: PlannedCheck, targets: Mapping[str, str] | None = None, **more: Any) -> Plan:
    """A plan; `targets` are name -> url, `more` are fields of Plan."""
    planned = {n: PlannedTarget(n, (Candidate(Target(n, url)),)) for n, url in (targets or {}).items()}
    return Plan("A test", ("made",), checks, planned, **more)


def engine_of(plan: Plan, state: Path, clock: Clock | None = None, **more: Any) -> Engine:
    """An engine on a virtual clock, with a calm memory, that writes below `state`."""
    given: dict[str, Any] = {"run_id": "20010909T014640-abcdef", "version": "0.0", "host": {}, "sample": lambda: CALM}
    return Engine(plan, clock=clock or VirtualClock(), state=state, **{**given, **more})


async def collect(engine: Engine, also: Callable[[Event], None] = lambda event: None) -> list[Event]:
    """All events of a run; `also` is called with each."""
    events: list[Event] = []
    async with engine.run() as stream:
        async for event in stream:
            events.append(event)
            also(event)
    return events


def finished(events: Iterable[Event]) -> dict[str, CheckFinished]:
    """Check id -> how it ended; a check that ends twice is an error."""
    found: dict[str, CheckFinished] = {}
    for event in events:
        if isinstance(event, CheckFinished):
            assert event.id not in found, f"{event.id} finished twice"
            found[event.id] = event
    return found


def statuses(events: Iterable[Event]) -> dict[str, Status]:
    """Check id -> status."""
    return {name: event.status for name, event in finished(events).items()}


def results(events: Iterable[Event]) -> tuple[RunReport, dict[str, CheckResult]]:
    """The report, and its checks by id."""
    report = build_report(events)
    return report, {check.id: check for check in report.checks}
