"""The integration report of earlier runs: of named ones, or of the newest run of each phase of a profile."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from xnai_validate.cli.outputs import FILE_VIEW, Outputs
from xnai_validate.cli.run_history import current_history
from xnai_validate.cli.stored_runs import report_of
from xnai_validate.cli.terminal import console
from xnai_validate.config.files.profile import IntegrationEntry
from xnai_validate.config.integration import integration_of
from xnai_validate.config.options import LoadOptions
from xnai_validate.errors import ConfigError, XnaiError
from xnai_validate.history.records import RUNNING, RunRecord
from xnai_validate.model.results.report import RunReport
from xnai_validate.report.integration.compilation import compile_integration
from xnai_validate.report.integration.models import IntegrationReport, Scope
from xnai_validate.report.integration.rendering import render_integration
from xnai_validate.report.view import View

PLAN = "phase4.5"
"""The profile whose knowledge gaps a report of named runs lists."""


def integration_of_runs(names: Sequence[str]) -> IntegrationReport:
    """Compile named runs. Raises ConfigError if one cannot be read."""
    entry = integration_of((PLAN,), LoadOptions(without_environment=True))
    return compile_integration([report_of(name) for name in names], Scope(gaps=entry.gaps if entry else {}))


def integration_of_phases(entry: IntegrationEntry) -> IntegrationReport:
    """Compile the newest run of each phase of a profile; phases without a run are listed as missing."""
    with current_history() as history:
        runs = history.runs()
    scope = Scope(phases=entry.phases, gaps=entry.gaps)
    reports: dict[str, RunReport] = {}
    missing: list[str] = []
    for phase in entry.phases:
        report = next(_whole_runs(runs, (phase, *entry.whole)), None)
        if report is None:
            missing.append(f"{phase} has not run whole and to its end: xnai-validate run {phase}")
        else:
            reports[report.run.id] = report
    return compile_integration(tuple(reports.values()), replace(scope, missing=tuple(missing)))


def _whole_runs(runs: Sequence[RunRecord], profiles: Sequence[str]) -> Iterator[RunReport]:
    """Yield the reports of the runs of one of these profiles that reached their end, the newest first.

    Runs without a journal are left out, and those of a part of the profile: what they left out may have failed.
    """
    for run in runs:
        if run.verdict == RUNNING or run.stopped is not None or set(profiles).isdisjoint(run.profiles):
            continue
        with suppress(ConfigError):
            report = report_of(run.id)
            if not report.run.narrowed:
                yield report


def show_integration(report: IntegrationReport, format_name: str, files: Sequence[str], color: bool | None) -> None:
    """Print the report, and write it to files. Raises ConfigError for a format that it does not have, XnaiError."""
    view = View(
        width=console.width(sys.stdout),
        color=console.wants_color(sys.stdout, color),
        unicode=console.shows_unicode(sys.stdout),
    )
    text = render_integration(report, format_name, view)
    with Outputs(tuple(files)) as outputs:
        written = [(output, render_integration(report, output.format.name, FILE_VIEW)) for output in outputs.all]
        for output, content in written:
            try:
                output.write_texts((content,))
            except OSError as error:
                raise XnaiError(f"{output.path}: {error.strerror or error}") from None
    console.print_out(text)
