"""Trials: a check of the embedded stack, healthy or with one defect, by the checks that must catch it."""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
from collections.abc import Collection, Generator, Iterable, Mapping
from concurrent.futures import as_completed
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import cast

from xnai_validate.cli.proving.worker_pool import exit_worker, run_cancellable, worker_pool
from xnai_validate.config.compile.load import load_plan, plan_of_suites
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.document import SourceCache
from xnai_validate.demo.defects import CATALOGUE, Defect
from xnai_validate.demo.processes.stack import EmbeddedStack
from xnai_validate.demo.processes.supervision.launch import Launch, Template, launch_program
from xnai_validate.demo.settings import Layout
from xnai_validate.engine import Engine, new_run_id, signals
from xnai_validate.errors import XnaiError
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import ReportBuilder
from xnai_validate.model.results.status import Status
from xnai_validate.model.source_location import InvalidConfig
from xnai_validate.plan import Plan

BROKEN_NICE = 10
"""The nice value of broken stacks and their checks: healthy ones, which must meet their times, go before them."""
LAYOUTS: tuple[Layout, ...] = ("A", "B")
DISRUPTIVE = frozenset({"disruptive"})
"""The consent that trials give: the embedded stack may be disturbed."""
_SOURCES = SourceCache()
"""The parsed files: every trial loads the same profile."""
_VERIFIED: dict[str, frozenset[str]] = {}
"""Name of a profile that was loaded whole -> the ids of its checks."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One embedded stack, and the checks to run against it."""

    layout: Layout
    defect: str | None
    """None for the healthy stack."""
    only: tuple[str, ...] = ()
    """Full ids of checks; empty for all of the profile."""

    @property
    def name(self) -> str:
        """The name of the trial in the output."""
        return f"{self.defect or 'healthy'} ({self.layout})"


@dataclass(frozen=True, slots=True)
class TrialResult:
    """The results of the checks of a trial."""

    trial: Trial
    statuses: Mapping[str, Status]
    """Full id -> status."""
    reasons: Mapping[str, str]
    """Full id -> why it did not pass."""
    broke: str | None = None
    """Why the trial could not be run, if it could not."""
    again: bool = False
    """Whether this is the second try, after the first missed something."""

    def with_status(self, *statuses: Status) -> tuple[str, ...]:
        """Return the ids of the checks that have one of the statuses."""
        return tuple(sorted(id_ for id_, status in self.statuses.items() if status in statuses))

    @property
    def passed(self) -> tuple[str, ...]:
        """The checks that passed."""
        return self.with_status(Status.PASS)

    @property
    def killed(self) -> tuple[str, ...]:
        """The checks that failed."""
        return self.with_status(Status.FAIL)

    @property
    def survived(self) -> tuple[str, ...]:
        """The checks that are named for the defect and did not fail."""
        return tuple(id_ for id_ in self.trial.only if self.statuses.get(id_) is not Status.FAIL)

    @property
    def alarms(self) -> tuple[str, ...]:
        """The checks that neither passed nor were skipped."""
        return self.with_status(Status.FAIL, Status.ERROR, Status.WARN, Status.FLAKY)

    @property
    def missed(self) -> bool:
        """Whether a check that is named for the defect did not fail, or one raised an alarm without a defect."""
        if self.trial.defect is None:
            return bool(self.alarms or self.broke)
        return bool(self.survived or self.broke or not self.killed)

    def second_trials(self) -> list[Trial]:
        """Return the trials to make after a miss.

        On a healthy stack one, of the checks that raised an alarm. Of a defect one for each check that should have
        failed; the same trial again where it could not be run, or is of all checks.
        """
        if self.trial.defect is None and not self.broke:
            return [replace(self.trial, only=self.alarms)]
        if self.broke or not self.trial.only:
            return [self.trial]
        return [replace(self.trial, only=(id_,)) for id_ in self.survived]

    def with_second(self, second: TrialResult) -> TrialResult:
        """Return the result with that of a second trial of the same defect; others leave it as it is."""
        trial = second.trial
        if (trial.layout, trial.defect) != (self.trial.layout, self.trial.defect):
            return self
        if trial == self.trial:
            return replace(second, again=True)
        statuses = {**self.statuses, **{id_: second.statuses[id_] for id_ in trial.only if id_ in second.statuses}}
        reasons = {**self.reasons, **{id_: second.reasons.get(id_, "") for id_ in trial.only}}
        return replace(self, statuses=statuses, reasons=reasons, broke=self.broke or second.broke, again=True)


def selected(names: Collection[str]) -> list[Defect]:
    """Return the defects of these names; without names, all."""
    return [defect for name, defect in CATALOGUE.items() if not names or name in names]


def healthy_trials(layouts: Iterable[Layout] = LAYOUTS) -> list[Trial]:
    """Return the trials of every check on a healthy stack, one of each layout."""
    return [Trial(layout, None) for layout in layouts]


def defect_trials(defects: Iterable[Defect], *, full: bool) -> list[Trial]:
    """Return a trial of each defect, by the checks named for it; with `full`, by all checks."""
    return [
        Trial(defect.layout or "A", defect.name, () if full else defect.checks)
        for defect in defects
        if full or defect.checks
    ]


def run_trials(trials: Collection[Trial], profile: str, jobs: int) -> Generator[TrialResult, None, None]:
    """Run the trials, `jobs` at a time, and yield each result as it is known; healthy trials must be the first.

    Close the generator to stop early: the trials that are running then end, with their stacks, and no other begins.
    """
    # Before the workers are forked: each would import the kinds, build their models and parse the files by itself.
    with suppress(XnaiError):  # a profile may need the targets of a stack; trials report what is wrong with it
        plan = load_plan([profile], LoadOptions(without_environment=True), _SOURCES)
        _VERIFIED[profile] = frozenset(check.id for check in plan.checks)
    if any(trial.defect for trial in trials):
        _quick_launch()
    gc.freeze()
    with worker_pool(jobs) as pool:
        futures = [pool.submit(run_cancellable, _run_trial, trial, profile) for trial in trials]
        for future in as_completed(futures):
            yield future.result()


def _run_trial(trial: Trial, profile: str) -> TrialResult:
    """Run one trial, in a worker process."""
    if trial.defect is not None:  # for good: the healthy trials came first, so no later trial of this worker is one
        os.setpriority(os.PRIO_PROCESS, 0, BROKEN_NICE)
    try:
        with (
            _start_stack(trial) as stack,
            # A state folder of its own: a fault in one trial's stack must not stop the other trials.
            tempfile.TemporaryDirectory(prefix="xnai-prove-") as state,
        ):
            load = LoadOptions(
                stack=cast(JsonObject, stack.description),
                stack_file=stack.state_file,
                only=trial.only,
                allow=DISRUPTIVE,
                strict=True,  # a check of a practice must be able to fail as well
            )
            report = asyncio.run(_run_checks(profile, load, Path(state)))
    except (RuntimeError, XnaiError) as error:
        return TrialResult(trial, {}, {}, broke=str(error))
    return TrialResult(
        trial,
        {check.id: check.status for check in report.checks},
        {check.id: check.reason for check in report.checks if check.reason},
    )


def _start_stack(trial: Trial) -> EmbeddedStack:
    """Start the stack of a trial. A healthy one is started as for `run --demo`, a broken one as quickly as can be."""
    if trial.defect is None:
        return EmbeddedStack.start(trial.layout)
    return EmbeddedStack.start(trial.layout, (trial.defect,), launch=_quick_launch())


@cache
def _quick_launch() -> Launch:
    """What launches the broken stacks of all workers; it ends with them and this process."""
    if not Template.supported:
        return launch_program
    template = Template()
    os.setpriority(os.PRIO_PROCESS, template.pid, BROKEN_NICE)
    return template.launch


def _plan_trial(profile: str, load: LoadOptions) -> Plan:
    """Plan the checks of a trial: of a profile that was verified whole before, only their suites are read again."""
    if load.only and _VERIFIED.get(profile, frozenset()).issuperset(load.only):
        suites = tuple(dict.fromkeys(check_id.partition(":")[0] for check_id in load.only))
        with suppress(InvalidConfig):  # a suite that is made of a recipe has no file
            return plan_of_suites(suites, load, profile, _SOURCES, without=("criteria",))
    return load_plan([profile], load, _SOURCES)


async def _run_checks(profile: str, load: LoadOptions, state: Path) -> RunReport:
    """Run a profile and return its report. An interrupt ends this worker process."""
    # What a stack does not come back from must not keep the other checks named for it from catching it, too.
    plan = replace(_plan_trial(profile, load), steady=None)
    engine = Engine(plan, run_id=new_run_id(0), version="prove", host={"pid": os.getpid()}, state=state)
    builder = ReportBuilder()
    async with signals(engine), engine.run() as events:
        async for event in events:
            builder.add(event)
    if engine.stopped == "interrupted":
        exit_worker()
    return builder.build()
