"""A run from the request to the exit code: load, settle the targets, run, report."""

from __future__ import annotations

import gc
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, cast

from xnai_validate import __version__
from xnai_validate.cli import console
from xnai_validate.cli.interrupts import Interrupts, interrupts
from xnai_validate.cli.loop import run_plan
from xnai_validate.cli.outputs import Outputs
from xnai_validate.cli.request import Request
from xnai_validate.cli.sinks import Sink, Sinks
from xnai_validate.cli.undoing import refuse_dirty, refuse_disturbed, tell_left
from xnai_validate.config import LoadOptions, load_plan
from xnai_validate.errors import ConfigError
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import ReportBuilder
from xnai_validate.model.results.verdict import with_broken_reporter
from xnai_validate.plan import Plan
from xnai_validate.report.view import View

if TYPE_CHECKING:
    from xnai_validate.cli.baselines import Baselines


def execute(request: Request) -> int:
    """Carry out a run and return its exit code. Raises XnaiError where it cannot begin."""
    gc.freeze()  # what was imported stays; only what the run makes is looked through
    gc.enable()
    if not request.dry_run:
        refuse_dirty()
    baselines = _baselines(request)
    with ExitStack() as stack:
        ending = stack.enter_context(interrupts())
        outputs = stack.enter_context(Outputs(() if request.dry_run else request.outputs))
        options = _options(request, *_handover(request, stack))
        plan = _selected(request, options)
        if request.dry_run:
            from xnai_validate.cli.dryrun import planned

            console.print_out(planned(plan, _view(request), demo=request.embedded is not None))
            return 0
        refuse_disturbed(plan)
        return _run(request, options, plan, outputs, ending, baselines)


def _handover(request: Request, stack: ExitStack) -> tuple[JsonObject | None, Path | None]:
    """The handover of the stack that is to be run against, and the file where it is kept up to date.

    None where there is none; starts the embedded stack.
    """
    if request.stack is not None:
        from xnai_validate.cli.handover import read_handover

        return read_handover(request.stack, request.wait_s or 0), request.stack
    if request.embedded is None or request.dry_run:
        return None, None
    from xnai_validate.cli.embedded import running

    embedded = stack.enter_context(running(request.embedded, quiet=request.detail == "quiet"))
    return cast(JsonObject, embedded.description), embedded.state_file


def _options(request: Request, handover: JsonObject | None, file: Path | None) -> LoadOptions:
    rerun = None
    if request.rerun:
        from xnai_validate.cli.rerun import failed_before

        rerun = failed_before(request.profiles)
    return LoadOptions(
        paths=request.paths,
        targets=request.targets,
        vars=request.vars,
        stack=handover,
        stack_file=file,
        only=request.only,
        tags=request.tags,
        skip_tags=request.skip_tags,
        rerun=rerun,
        allow=request.allow,
        allow_remote=request.allow_remote,
        wait_s=request.wait_s,
        concurrency=request.concurrency,
        deadline_s=request.deadline_s,
    )


def _selected(request: Request, options: LoadOptions) -> Plan:
    plan = load_plan(request.profiles, options)
    if not plan.checks:
        raise ConfigError(
            f"nothing is selected from {' '.join(request.profiles)}",
            hint="look at --only, --tag and --skip-tag; xnai-validate list shows the checks of a profile",
        )
    return plan


def _baselines(request: Request) -> Baselines | None:
    if request.baseline is None and request.record is None:
        return None
    from xnai_validate.cli.baselines import Baselines

    return Baselines(request.baseline, request.record)


def _run(
    request: Request,
    options: LoadOptions,
    plan: Plan,
    outputs: Outputs,
    ending: Interrupts,
    baselines: Baselines | None,
) -> int:
    sinks = Sinks(_sinks(request, outputs))
    try:
        builder = ReportBuilder()
        run_plan(plan, _drive(request, options, plan, sinks, builder, ending, baselines))
    except Exception as error:
        tell_left(error)
        raise
    finally:
        sinks.close()
    report = builder.build()
    if baselines is not None and baselines.record is not None:
        sinks.attempt("--record", lambda: _keep(baselines, report, quiet=request.detail == "quiet"))
    written = _written(outputs, sinks, report)
    ending.deaf = False
    if not request.format.streaming:
        view = _view(request, tuple(written), tuple(sinks.broken))
        sinks.attempt("stdout", lambda: console.print_all(request.format.pieces(report, view)))
    for broken in sinks.broken:
        console.say(f"a reporter broke: {broken}")
    return with_broken_reporter(report.exit_code) if sinks.broken else report.exit_code


def _keep(baselines: Baselines, report: RunReport, *, quiet: bool) -> None:
    said = baselines.keep(report)
    if not quiet:
        console.say(said)


def _written(outputs: Outputs, sinks: Sinks, report: RunReport) -> list[str]:
    """Write all files; returns the names of those that are complete."""
    written: list[str] = []
    for output in outputs.all:
        name = os.path.relpath(output.path)
        name = name if not name.startswith("../..") else str(output.path)
        if output.format.streaming:
            if not any(one.startswith(f"{output.path}:") for one in sinks.broken):
                written.append(name)
        elif sinks.attempt(str(output.path), lambda output=output: output.write(report)):  # type: ignore[misc]
            written.append(name)
    return written


async def _drive(
    request: Request,
    options: LoadOptions,
    plan: Plan,
    sinks: Sinks,
    builder: ReportBuilder,
    ending: Interrupts,
    baselines: Baselines | None,
) -> None:
    """Run the plan; every event to every sink, and to the report.

    Leaves `ending` deaf, for what was seen is then written down.
    The report is not what it returns, for asyncio's runner makes a text of the result of a task that has one.
    """
    from xnai_validate.engine import Engine, SystemClock, new_run_id, settle_targets, signals

    if any(len(one.candidates) > 1 and one.choice is None for one in plan.targets.values()):
        choices = await settle_targets(plan, SystemClock(), request.wait_s)
        plan = load_plan(request.profiles, _with_choices(options, choices))
    host = _host()
    if baselines is not None:
        baselines.verify(plan, __version__, host)
    engine = Engine(
        plan,
        run_id=new_run_id(time.time()),
        version=__version__,
        fail_fast=request.fail_fast,
        fail_on=request.fail_on,
        host=host,
        on_progress=sinks.progress,
        compare=baselines.compare if baselines is not None and baselines.against is not None else None,
    )
    async with signals(engine), engine.run() as events:
        async for event in events:
            sinks.take(event)
            builder.add(event)
        ending.deaf = True


def _with_choices(options: LoadOptions, choices: object) -> LoadOptions:
    from dataclasses import replace

    return replace(options, choices=choices)  # type: ignore[arg-type]


def _host() -> JsonObject:
    """Where the run takes place, as far as a reader of the report may need it."""
    system = os.uname()
    return {
        "name": system.nodename,
        "system": f"{system.sysname} {system.release} {system.machine}",
        "python": sys.version.partition(" ")[0],
        "cpus": os.cpu_count(),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
    }


def _sinks(request: Request, outputs: Outputs) -> tuple[Sink, ...]:
    from xnai_validate.cli.reporters import JsonLineSink, LineSink, LiveSink

    sinks: list[Sink] = [
        JsonLineSink(str(one.path), one.file.write, one.file)
        for one in outputs.all
        if one.file and one.format.streaming
    ]
    lines_on_stdout = request.format.streaming and sys.stdout.isatty()
    if request.format.streaming:
        sinks.append(JsonLineSink("stdout", console.print_out))
    if request.detail == "quiet" or lines_on_stdout:
        return tuple(sinks)
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        sinks.append(LiveSink(console.wants_color(sys.stderr, request.color)))
    elif request.detail == "verbose":
        sinks.append(LineSink())
    return tuple(sinks)


def _view(request: Request, written: tuple[str, ...] = (), broken: tuple[str, ...] = ()) -> View:
    out = sys.stdout
    return View(
        width=console.width(out),
        color=console.wants_color(out, request.color),
        unicode=console.shows_unicode(out),
        detail=request.detail,
        written=written,
        broken=broken,
    )
