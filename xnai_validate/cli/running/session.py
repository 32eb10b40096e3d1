"""A run from its options to its exit code: open the stack, load the plan, settle the targets, run, report."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from xnai_validate import __version__
from xnai_validate.cli.integration import integration_of_phases, show_integration
from xnai_validate.cli.interrupts import Interrupts, interrupts
from xnai_validate.cli.notifying.announcer import Announcer
from xnai_validate.cli.outputs import Outputs
from xnai_validate.cli.run_history import remember
from xnai_validate.cli.running.dry_run import describe_plan
from xnai_validate.cli.running.earlier_runs.baselines import Baselines
from xnai_validate.cli.running.earlier_runs.rerun import failed_before
from xnai_validate.cli.running.earlier_runs.resume import nonce_of, refuse_other_plan, resumable, with_notice_of
from xnai_validate.cli.running.earlier_runs.times import describe_expected, with_expected_time
from xnai_validate.cli.running.environment import add_env_files
from xnai_validate.cli.running.event_loop import run_in_loop
from xnai_validate.cli.running.faults_in_force import (
    refuse_disturbed_targets,
    refuse_left_faults,
    refuse_own_faults,
)
from xnai_validate.cli.running.host import host_facts
from xnai_validate.cli.running.loads_sent import loads_sent
from xnai_validate.cli.running.options import RunOptions
from xnai_validate.cli.running.reporters import live_sinks
from xnai_validate.cli.running.sinks import Sinks
from xnai_validate.cli.running.stack import Stack, open_stack, urls_now
from xnai_validate.cli.running.targets import await_targets, load_selected, read_ahead, settle
from xnai_validate.cli.running.trace_sink import trace_sink
from xnai_validate.cli.sharding.shard_plan import with_shard
from xnai_validate.cli.terminal import console
from xnai_validate.config.integration import integration_of
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.document import SourceCache
from xnai_validate.engine import Engine, new_run_id, signals
from xnai_validate.engine.events.earlier_part import NOT_RESUMED, Resumed
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import ReportBuilder
from xnai_validate.model.results.verdict import with_broken_reporter
from xnai_validate.plan import Plan
from xnai_validate.report.format import Format
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View


def execute(options: RunOptions) -> int:
    """Execute a run and return its exit code. Raises XnaiError if it cannot begin."""
    add_env_files(options.env_file or ())
    format_ = FORMATS.get(options.format)
    compiled = integration_of(options.profiles or (), options.load_options())
    if compiled is not None:
        integration = integration_of_phases(compiled)
        show_integration(integration, options.format, options.output or (), options.color)
        return integration.exit_code
    if not options.dry_run:
        refuse_left_faults()
    resumed = None if options.resume is None else resumable(options.resume)
    if resumed is not None and not options.profiles:
        options = replace(options, profiles=list(resumed.started.run.profiles))
    profiles = tuple(options.profiles or ())
    baselines = Baselines(options.baseline, options.record)
    with ExitStack() as exits:
        handler = exits.enter_context(interrupts())
        outputs = exits.enter_context(Outputs(() if options.dry_run else tuple(options.output or ())))
        # Of thousands of checks the files take as much memory as the plan, so they are kept only to be read ahead.
        cache = SourceCache() if options.demo else None
        stack = exits.enter_context(open_stack(options, lambda: read_ahead(profiles, options.load_options(), cache)))
        if options.dry_run:
            plan = load_selected(profiles, _load_options(options, stack), cache)
            plan = with_shard(plan, options, stack.description)
            console.print_out(describe_plan(with_expected_time(plan), _make_view(options), demo=options.demo))
            return 0
        announcer = exits.enter_context(Announcer(options))
        plan, taken_over = prepared_plan(options, stack, cache, nonce=nonce_of(resumed)), NOT_RESUMED
        if resumed is not None:
            refuse_other_plan(resumed, plan, options)
            taken_over = resumed.resumed(plan)
            plan = with_notice_of(plan, taken_over)
        return Run(options, format_, plan, outputs, baselines, handler, announcer, taken_over).execute()


def prepared_plan(
    options: RunOptions,
    stack: Stack,
    cache: SourceCache | None = None,
    *,
    forecast: bool = True,
    nonce: str | None = None,
) -> Plan:
    """Load the plan of a run and wait for its targets; with `forecast`, print how long it takes. Raises XnaiError.

    `nonce` is the `run.nonce` of the run that this one finishes, if it does.
    """
    profiles, load = tuple(options.profiles or ()), _load_options(options, stack)
    if nonce is not None:
        load = replace(load, nonce=nonce)
    plan = load_selected(profiles, load, cache)
    refuse_disturbed_targets(plan)
    plan = await_targets(settle(plan, profiles, load), profiles, load)
    plan = with_expected_time(with_shard(plan, options, load.stack))
    if forecast and not measured_from_workers(options, plan):
        print_expected(options, plan)
    return plan


def measured_from_workers(options: RunOptions, plan: Plan) -> bool:
    """Whether how long the run takes depends on how many workers are connected, which is known once it begins."""
    return options.workers is not None and any(check.vantage for check in plan.checks if check.skip is None)


def print_expected(options: RunOptions, plan: Plan) -> None:
    """Print how long the run takes, unless it is one of seconds."""
    if not options.quiet and (sentence := describe_expected(plan)):
        console.print_notice(sentence)


def _load_options(options: RunOptions, stack: Stack) -> LoadOptions:
    """Return the options for loading the plan, with the checks to repeat for `--rerun`."""
    rerun = failed_before(tuple(options.profiles or ())) if options.rerun else None
    return options.load_options(stack.description, stack.file, rerun)


@dataclass(slots=True)
class Run:
    """One run of a plan, its reports included."""

    options: RunOptions
    format: Format
    """The format of the report on stdout."""
    plan: Plan
    outputs: Outputs
    baselines: Baselines
    handler: Interrupts
    announcer: Announcer
    resumed: Resumed = NOT_RESUMED
    """What an interrupted run has measured of the plan."""
    forecast: bool = True
    """Whether to print how long it takes where only the run itself knows that, because workers measure."""
    sinks: Sinks = field(init=False)
    report_builder: ReportBuilder = field(init=False, default_factory=ReportBuilder)
    journal_path: Path | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        traces = () if self.options.otlp is None else (trace_sink(self.options.otlp),)
        self.sinks = Sinks((*live_sinks(self.options, self.format, self.outputs), *traces))

    def execute(self) -> int:
        """Run the checks, write the reports, return the exit code."""
        report = self.measure()
        if self.baselines.record is not None:
            self.sinks.attempt("--record", lambda: self._add_to_baseline(report))
        files = self.write_files(report)
        self.handler.ignored = False
        if not self.format.streaming:
            self.sinks.attempt("stdout", lambda: self._print_report(report, files))
        self.conclude(report)
        return with_broken_reporter(report.exit_code) if self.sinks.broken else report.exit_code

    def measure(self) -> RunReport:
        """Run the checks and return the report; signals are ignored from the end of the checks on."""
        self.announcer.begin(self.plan)
        try:
            run_in_loop(self.plan, self._run_checks())
        except Exception as error:
            refuse_own_faults(error)
            raise
        finally:
            self.sinks.close()
        report = self.report_builder.build()
        self.announcer.end(report)
        return report

    async def _run_checks(self) -> None:
        """Run the engine; pass every event to the sinks and to the report builder.

        Signals are ignored afterwards, until the files are written. Returns None on purpose: asyncio.run would format
        the whole report.
        """
        host = host_facts()
        self.baselines.verify(self.plan, __version__, host)
        async with loads_sent(self.options, self.plan) as places:
            if places:
                self.plan = with_expected_time(self.plan, places)
                if self.forecast:
                    print_expected(self.options, self.plan)
            engine = self._engine(host)
            async with signals(engine), engine.run() as events:
                async for event in events:
                    self.sinks.take(event)
                    self.report_builder.add(event)
                self.handler.ignored = True
        self.journal_path = engine.journal_path

    def _engine(self, host: JsonObject) -> Engine:
        """Return the engine that executes the plan."""
        return Engine(
            self.plan,
            run_id=new_run_id(time.time()),
            version=__version__,
            fail_fast=self.options.fail_fast,
            fail_on=self.options.failing,
            # Of one shard all checks may be skipped; the merged report judges that.
            fail_if_none=self.options.failing_if_none and self.plan.shard is None,
            host=host,
            on_progress=self.sinks.progress,
            compare=self.baselines.compare if self.baselines.against is not None else None,
            urls_of=urls_now,
            resumed=self.resumed,
        )

    def _add_to_baseline(self, report: RunReport) -> None:
        """Add the run to its baseline and print what became of it."""
        sentence = self.baselines.add(report)
        if not self.options.quiet:
            console.print_notice(sentence)

    def conclude(self, report: RunReport) -> None:
        """Add the run to the history; print a notice for each reporter that broke."""
        if (why := remember(report, self.journal_path)) is not None:
            console.print_notice(f"the run is not in the history: {why}")
        for broken in self.sinks.broken:
            console.print_notice(f"a reporter broke: {broken}")

    def write_files(self, report: RunReport) -> tuple[str, ...]:
        """Write all report files; return the names of those that are complete."""
        written: list[str] = []
        for output in self.outputs.all:
            relative = os.path.relpath(output.path)
            name = str(output.path) if relative.startswith("../..") else relative
            if output.format.streaming:  # written by its sink, event by event
                if not any(broken.startswith(f"{output.path}:") for broken in self.sinks.broken):
                    written.append(name)
            elif self.sinks.attempt(str(output.path), lambda output=output: output.write(report)):  # type: ignore[misc]
                written.append(name)
        return tuple(written)

    def _print_report(self, report: RunReport, files: tuple[str, ...]) -> None:
        """Print the report in the chosen format."""
        view = _make_view(self.options, files, tuple(self.sinks.broken))
        console.print_all(self.format.pieces(report, view))


def _make_view(options: RunOptions, written: tuple[str, ...] = (), broken: tuple[str, ...] = ()) -> View:
    """Return how the report is to look on this terminal."""
    return View(
        width=console.width(sys.stdout),
        color=console.wants_color(sys.stdout, options.color),
        unicode=console.shows_unicode(sys.stdout),
        detail=options.detail,
        written=written,
        broken=broken,
    )
