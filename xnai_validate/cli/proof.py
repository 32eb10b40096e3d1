"""Whether every check is able to fail: the embedded stack, broken on purpose, against the checks that must notice."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from xnai_validate.cli.crew import crew, leave, leave_if_told
from xnai_validate.config import LoadOptions, load_plan
from xnai_validate.demo.defects import CATALOGUE, Defect
from xnai_validate.demo.processes.stack import EmbeddedStack
from xnai_validate.demo.settings import Layout
from xnai_validate.errors import XnaiError
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import ReportBuilder
from xnai_validate.model.results.status import Status

LAYOUTS: tuple[Layout, ...] = ("A", "B")
DISRUPTIVE = frozenset({"disruptive"})
"""The embedded stack is ours: everything may be done to it."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One stack, and what is asked of it."""

    layout: Layout
    defect: str | None
    """None for the healthy stack."""
    only: tuple[str, ...] = ()
    """Full ids of checks; empty for all of the profile."""

    @property
    def name(self) -> str:
        """How the trial is called in the output."""
        return f"{self.defect or 'healthy'} ({self.layout})"


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a trial."""

    trial: Trial
    statuses: Mapping[str, Status]
    """Full id -> status."""
    reasons: Mapping[str, str]
    """Full id -> why it is not pass."""
    broke: str | None = None
    """Why the trial could not be made."""
    again: bool = False
    """Whether this was the second try, made by itself after one beside others had missed something."""

    def with_status(self, *wanted: Status) -> tuple[str, ...]:
        """The ids of the checks that have one of the statuses."""
        return tuple(sorted(id_ for id_, status in self.statuses.items() if status in wanted))

    @property
    def killed(self) -> tuple[str, ...]:
        """The checks that failed."""
        return self.with_status(Status.FAIL)

    @property
    def survived(self) -> tuple[str, ...]:
        """The checks that were named for the defect and did not fail."""
        return tuple(id_ for id_ in self.trial.only if self.statuses.get(id_) is not Status.FAIL)

    @property
    def missed(self) -> bool:
        """Whether the stack was broken and not all that had to notice did."""
        return self.trial.defect is not None and bool(self.survived or self.broke or not self.killed)


def healthy_trials(layouts: Iterable[Layout] = LAYOUTS) -> list[Trial]:
    """Every check on a healthy stack of each layout."""
    return [Trial(layout, None) for layout in layouts]


def defect_trials(defects: Iterable[Defect], *, full: bool) -> list[Trial]:
    """Each defect against the checks named for it, or against all."""
    return [Trial(one.layout or "A", one.name, () if full else one.checks) for one in defects if full or one.checks]


def carry_out(trials: Collection[Trial], profile: str, jobs: int) -> Generator[Tried, None, None]:
    """Make the trials, several at once, and yield what came of each as soon as it is known.

    Closed before its end, it lets the trials that are under way end their stacks, and begins no other.
    """
    with crew(jobs) as pool:
        running = [pool.submit(_carry_out, trial, profile) for trial in trials]
        for done in as_completed(running):
            yield done.result()


def _carry_out(trial: Trial, profile: str) -> Tried:
    leave_if_told()
    try:
        with (
            EmbeddedStack.start(layout=trial.layout, defects=(trial.defect,) if trial.defect else ()) as stack,
            # Trials run side by side, each with a stack of its own: what disturbs one is nothing to the others.
            tempfile.TemporaryDirectory(prefix="xnai-prove-") as state,
        ):
            options = LoadOptions(
                stack=cast(JsonObject, stack.description),
                stack_file=stack.state_file,
                only=trial.only,
                allow=DISRUPTIVE,
                strict=True,  # a check of a practice proves that it can fail as the others do
            )
            report = asyncio.run(_run(profile, options, Path(state)))
    except (RuntimeError, XnaiError) as error:
        return Tried(trial, {}, {}, broke=str(error))
    return Tried(
        trial,
        {check.id: check.status for check in report.checks},
        {check.id: check.reason for check in report.checks if check.reason},
    )


async def _run(profile: str, options: LoadOptions, state: Path) -> RunReport:
    from xnai_validate.engine import Engine, new_run_id, signals

    plan = load_plan([profile], options)
    engine = Engine(plan, run_id=new_run_id(0), version="prove", host={"pid": os.getpid()}, state=state)
    builder = ReportBuilder()
    async with signals(engine), engine.run() as events:
        async for event in events:
            builder.add(event)
    if engine.stopped == "interrupted":
        leave()
    return builder.build()


@dataclass(frozen=True, slots=True)
class Proof:
    """All trials together."""

    healthy: tuple[Tried, ...]
    broken: tuple[Tried, ...]
    unnamed: tuple[str, ...] = ()
    """Defects for which no check is named."""

    @property
    def killers(self) -> dict[str, list[str]]:
        """Full id of a check -> the defects under which it failed, for every check that passes on a healthy stack."""
        found: dict[str, list[str]] = {id_: [] for id_ in self.passing}
        for tried in self.broken:
            for id_ in tried.killed:
                if tried.trial.defect and id_ in found:
                    found[id_].append(tried.trial.defect)
        return found

    @property
    def passing(self) -> tuple[str, ...]:
        """The checks that pass on the healthy stack of a layout."""
        return tuple(sorted({id_ for tried in self.healthy for id_ in tried.with_status(Status.PASS)}))

    def complaints(self) -> Iterator[str]:
        """Everything that is not as it must be, a sentence each."""
        for tried in (*self.healthy, *self.broken):
            if tried.broke:
                yield f"{tried.trial.name}: the trial could not be made: {tried.broke}"
        for name in self.unnamed:
            yield f"{name}: no check is named that must catch it"
        for tried in self.healthy:
            for id_ in tried.with_status(Status.FAIL, Status.ERROR, Status.WARN, Status.FLAKY):
                yield f"{tried.trial.name}: {id_} is {tried.statuses[id_]}: {tried.reasons.get(id_, '')}"
        for id_ in sorted({id_ for tried in self.healthy for id_ in tried.statuses} - set(self.passing)):
            yield f"{id_} passes on no healthy stack"
        for tried in self.broken:
            for id_ in tried.survived:
                status = tried.statuses.get(id_)
                yield f"{tried.trial.name}: {id_} must fail, and is {status or 'unknown'}: {tried.reasons.get(id_, '')}"
            if not tried.killed and not tried.broke:
                yield f"{tried.trial.name}: no check fails"
        for id_, defects in self.killers.items():
            if not defects:
                yield f"{id_} fails under no defect"


def selected(names: Collection[str]) -> list[Defect]:
    """The defects of these names, or all."""
    return [defect for name, defect in CATALOGUE.items() if not names or name in names]
