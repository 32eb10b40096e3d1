"""`xnai-validate compare`: whether a later run is worse than an earlier one."""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from xnai_validate.baseline.comparing import compare as compare_runs
from xnai_validate.baseline.fingerprint import incompatibilities
from xnai_validate.cli.stored_runs import side_of
from xnai_validate.cli.terminal import console
from xnai_validate.cli.terminal.command_help import Command, command_app
from xnai_validate.cli.terminal.page import new_page
from xnai_validate.errors import ConfigError
from xnai_validate.history.verdicts import share_a_check, with_verdicts
from xnai_validate.model.json import indented
from xnai_validate.model.results.comparison import Comparison
from xnai_validate.model.results.verdict import Exit, decide
from xnai_validate.report.terminal.comparison import append_comparison
from xnai_validate.report.terminal.page import Style

app = command_app()
_RUN = "a baseline, a run's id, last, or a file: baseline, journal (.jsonl), JSON report."
_NO_FIGURES = "neither run has latencies of a load, or memory that a check judges"
_RESULTS = {
    Exit.PASSED: "the later run is not worse",
    Exit.FAILED: "the later run is worse",
    Exit.UNDECIDED: "no check fails that passed before, but no figure shows whether the later run is worse",
}
_STYLES: dict[Exit, Style] = {Exit.PASSED: "bold green", Exit.FAILED: "bold red", Exit.UNDECIDED: "bold yellow"}


class CompareFormat(StrEnum):
    """The formats of a comparison."""

    TERMINAL = "terminal"
    JSON = "json"


@app.command(cls=Command)
def compare(
    before: Annotated[str, typer.Argument(metavar="A", help=f"The earlier run: {_RUN}")],
    after: Annotated[str, typer.Argument(metavar="B", help=f"The later run: {_RUN}")],
    format_: Annotated[CompareFormat, typer.Option("--format", help="Output format.")] = CompareFormat.TERMINAL,
    color: Annotated[bool | None, typer.Option("--color/--no-color", help="Colour (default: on a terminal).")] = None,
) -> None:
    """Compare two runs or baselines. Exits 1 if B is worse, 3 if no figure can be compared.

    Of two runs, the checks with another verdict are listed, and those that only one of them has: B is worse if a check
    fails that passed in A. A figure is worse if its increase is statistically significant (at most 1 % false alarms
    over all figures) and at least 10 % of p50, 20 % of p99, or 5 % of resident memory. With a single run on either
    side only large changes can be detected; record several.
    """
    comparison = _compare(before, after)
    worse = comparison.count("regression") or any(verdict.is_worse for verdict in comparison.verdicts)
    code = decide((), criteria_met=not worse, undecided=not comparison.conclusive)
    if format_ is CompareFormat.JSON:
        console.print_out(indented(comparison) + "\n")
    else:
        page = new_page(sys.stdout, color)
        append_comparison(page, comparison, every=True)
        page.blank()
        page.text(f"{_RESULTS[code]} (exit {int(code)})", style=_STYLES[code])
        console.print_out(str(page))
    raise typer.Exit(int(code))


def _compare(before: str, after: str) -> Comparison:
    """Compare two groups of runs; raises ConfigError if they are the same or have nothing that can be compared."""
    earlier, later = side_of(before), side_of(after)
    ids_after = {run.id for run in later.runs}
    only_before = tuple(run for run in earlier.runs if run.id not in ids_after)
    if not only_before:
        raise ConfigError(f"{before} and {after} are the same run")
    reasons = incompatibilities(only_before[-1].fingerprint, later.runs[-1].fingerprint)
    if earlier.report is None or later.report is None or not share_a_check(earlier.report, later.report):
        if reasons:
            raise ConfigError(
                f"{before} and {after} cannot be compared: {'; '.join(reasons)}",
                hint="compare runs of the same profile on the same host",
            )
        return compare_runs(before, only_before, later.runs)
    if reasons:
        notes = (f"figures are not compared: {'; '.join(reasons)}",)
        figures = Comparison(baseline=before, runs=1, figures=(), notes=notes)
    else:
        figures = compare_runs(before, only_before, later.runs)
        if not figures.figures:
            figures = replace(figures, notes=(*figures.notes, _NO_FIGURES))
    return with_verdicts(figures, earlier.report, later.report)
