"""The public Python API: run profiles from a program and get the report.

from xnai_validate.api import run

report = run("phase4.1", targets={"api": "http://127.0.0.1:8000"})
print(report.verdict, [check.id for check in report.checks if check.status == "fail"])
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypedDict, Unpack, cast

from xnai_validate import __version__
from xnai_validate.cli.embedded_stack import embedded_stack
from xnai_validate.cli.running.faults_in_force import refuse_disturbed_targets, refuse_left_faults
from xnai_validate.cli.running.host import host_facts
from xnai_validate.cli.running.stack import read_stack_file
from xnai_validate.config.compile.load import load_plan
from xnai_validate.config.options import LoadOptions
from xnai_validate.engine import Engine, SystemClock, new_run_id, settle_targets, wait_for_targets
from xnai_validate.errors import ConfigError, NotUndone, XnaiError
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.events import Event
from xnai_validate.model.results.report import CheckResult, RunReport
from xnai_validate.model.results.report_builder import ReportBuilder
from xnai_validate.model.results.status import Status
from xnai_validate.plan import Plan

__all__ = ["CheckResult", "ConfigError", "Event", "NotUndone", "Options", "RunReport", "Status", "XnaiError"]
__all__ += ["plan", "run", "run_async"]


class Options(TypedDict, total=False):
    """The options of a run, as those of `xnai-validate run`; all may be left out."""

    targets: Mapping[str, str]
    """Target name -> url."""
    stack: Path | Mapping[str, object]
    """A stack file, or the description of a running stack."""
    demo: bool
    """Whether the embedded stack is started for the run."""
    layout: Literal["A", "B"]
    """The interfaces of the embedded stack."""
    vars: Mapping[str, str]
    """Dotted name of a var -> value, read as a YAML scalar."""
    paths: Iterable[Path]
    """Folders that are searched first for profiles and suites."""
    only: Iterable[str]
    """Globs on full ids of checks."""
    ids: Iterable[str]
    """Full ids of checks, and no others but those that these need."""
    tags: Iterable[str]
    skip_tags: Iterable[str]
    allow: Iterable[Literal["disruptive"]]
    allow_remote: bool
    strict: bool
    waivers: Path
    concurrency: int
    wait_s: float
    """Seconds to wait for targets that do not accept connections yet."""
    deadline_s: float
    fail_fast: bool
    fail_on: Iterable[Status]
    """The statuses that fail the run besides `fail`."""
    fail_if_none: bool
    """Whether a run in which every check is skipped is undecided."""
    environ: Mapping[str, str]
    """The environment variables of profiles and suites; by default those of this process."""
    on_event: Callable[[Event], None]
    """Called with each event as it happens."""


def run(*profiles: str, **options: Unpack[Options]) -> RunReport:
    """Run the checks of profiles and return the report, whatever its verdict.

    Raises ConfigError for errors in profiles, suites or options, NotUndone if a fault of an earlier run may still be in
    force, XnaiError if the run cannot begin, RuntimeError inside an event loop (await `run_async` there). On Ctrl-C the
    run ends in good order before KeyboardInterrupt is raised: faults are reverted, sessions are logged out.
    """
    if _in_event_loop():
        raise RuntimeError("run() cannot be called inside an event loop; await run_async() there")
    return asyncio.run(run_async(*profiles, **options))


def _in_event_loop() -> bool:
    """Whether an event loop runs. Separate, so that its RuntimeError does not become the context of later errors."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def run_async(*profiles: str, **options: Unpack[Options]) -> RunReport:
    """Run profiles as `run` does, in the event loop of the program; a cancellation ends the run in good order."""
    refuse_left_faults()
    with ExitStack() as exits:
        options = _with_stack(options, exits)
        load = _load_options(options)
        planned = _load_selected(profiles, load)
        choices = await settle_targets(planned, SystemClock(), load.wait_s)
        if choices:
            planned = _load_selected(profiles, replace(load, choices=choices))
        refuse_disturbed_targets(planned)
        if load.wait_s is not None:
            waited = await wait_for_targets(planned, SystemClock(), load.wait_s)
            planned = replace(planned, notices=(*planned.notices, *waited.sentences))
        return await _run_plan(planned, options)


def plan(*profiles: str, **options: Unpack[Options]) -> Plan:
    """Return the plan of a run without running it: its checks, in order, and why some would be skipped.

    Variables of the environment that are not set are not errors here. Raises ConfigError.
    """
    return _load_selected(profiles, replace(_load_options(options), without_environment=True))


async def _run_plan(planned: Plan, options: Options) -> RunReport:
    """Run a plan and return its report."""
    engine = Engine(
        planned,
        run_id=new_run_id(time.time()),
        version=__version__,
        fail_fast=options.get("fail_fast", False),
        fail_on=tuple(dict.fromkeys((Status.FAIL, *options.get("fail_on", ())))),
        fail_if_none=options.get("fail_if_none", False),
        host=host_facts(),
    )
    on_event = options.get("on_event")
    builder = ReportBuilder()
    async with engine.run() as events:
        async for event in events:
            builder.add(event)
            if on_event is not None:
                on_event(event)
    return builder.build()


def _with_stack(options: Options, exits: ExitStack) -> Options:
    """Start the embedded stack if `demo` is set, and return the options with its stack file. `exits` stops it."""
    if not options.get("demo"):
        return options
    if "stack" in options:
        raise ConfigError("demo and stack exclude each other: each selects the stack")
    started = exits.enter_context(embedded_stack(options.get("layout", "A"), (), quiet=True))
    return {**options, "stack": started.state_file}


def _load_options(options: Options) -> LoadOptions:
    """Return the options of loading among the options of the API."""
    stack = options.get("stack")
    ids = options.get("ids")
    environ = options.get("environ")
    return LoadOptions(
        paths=tuple(options.get("paths", ())),
        targets=dict(options.get("targets", {})),
        vars=dict(options.get("vars", {})),
        stack=read_stack_file(stack) if isinstance(stack, Path) else cast(JsonObject | None, stack),
        stack_file=stack if isinstance(stack, Path) else None,
        only=tuple(options.get("only", ())),
        tags=frozenset(options.get("tags", ())),
        skip_tags=frozenset(options.get("skip_tags", ())),
        rerun=None if ids is None else frozenset(ids),
        allow=frozenset(options.get("allow", ())),
        strict=options.get("strict", False),
        allow_remote=options.get("allow_remote", False),
        wait_s=options.get("wait_s"),
        concurrency=options.get("concurrency"),
        deadline_s=options.get("deadline_s"),
        waivers=options.get("waivers"),
        environ=os.environ if environ is None else environ,
    )


def _load_selected(profiles: tuple[str, ...], load: LoadOptions) -> Plan:
    """Return the plan of the profiles. Raises ConfigError if no check is selected."""
    planned = load_plan(profiles, load)
    if not planned.checks:
        raise ConfigError(f"no check of {' '.join(profiles) or 'no profile'} is selected")
    return planned
