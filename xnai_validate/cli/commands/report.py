"""`xnai-validate report`: render a stored run in any format."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from xnai_validate.cli.integration import integration_of_runs, show_integration
from xnai_validate.cli.option_values import parsed_by
from xnai_validate.cli.outputs import Outputs
from xnai_validate.cli.sharding.stored_run import StoredRun, stored_run
from xnai_validate.cli.sharding.times_file import write_shard_times
from xnai_validate.cli.terminal import console
from xnai_validate.cli.terminal.command_help import Command, command_app
from xnai_validate.errors import XnaiError
from xnai_validate.report.format_names import format_name
from xnai_validate.report.formats.jsonl import line
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View

app = command_app()


@app.command(cls=Command)
def report(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN",
            help="The id of a run, last (the default), or a file: journal (.jsonl) or JSON report. "
            "Several: the shards of one plan; or, with --integration, several runs.",
        ),
    ] = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME",
            parser=parsed_by(format_name),
            show_default=False,
            help="Format of the report on stdout, as in run --format (default: terminal).",
        ),
    ] = "terminal",
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Also write the report to this file, in the format of its extension (repeatable).",
        ),
    ] = None,
    shard_times: Annotated[
        Path | None,
        typer.Option(
            "--shard-times",
            metavar="FILE",
            help="Also write the durations of the checks to this file, for run --shard K/N --shard-times FILE.",
        ),
    ] = None,
    integration: Annotated[
        bool,
        typer.Option(
            "--integration",
            help="Compile the runs into one report: criteria, root causes by severity, readiness for the next phase. "
            "Formats: terminal, markdown, html, json.",
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show only failures and the verdict.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every check.")] = False,
    color: Annotated[bool | None, typer.Option("--color/--no-color", help="Colour (default: on a terminal).")] = None,
) -> None:
    """Render a stored run in any format. Exits 0 whatever the verdict of the run was.

    The shards of a plan (run --shard) make one report: name all of them. It exits as a run of the whole plan would, and
    2 if a shard is missing, given twice, or of another plan.
    """
    if quiet and verbose:
        raise typer.BadParameter("--quiet and --verbose exclude each other")
    names = runs or ["last"]
    if integration:
        show_integration(integration_of_runs(names), format_, output or (), color)
        return
    chosen = FORMATS.get(format_)
    run = stored_run(names)
    if chosen.streaming:
        run.events()  # raises ConfigError for a run without events, before a file is written
    _write_files(run, tuple(output or ()))
    if shard_times is not None:
        write_shard_times(shard_times, [run.report])
    if run.warning is not None:
        console.print_notice(run.warning)
    if chosen.streaming:
        console.print_all(map(line, run.events()))
        raise typer.Exit(run.exit_code)
    view = View(
        width=console.width(sys.stdout),
        color=console.wants_color(sys.stdout, color),
        unicode=console.shows_unicode(sys.stdout),
        detail="quiet" if quiet else "verbose" if verbose else "normal",
    )
    console.print_all(chosen.pieces(run.report, view))
    raise typer.Exit(run.exit_code)


def _write_files(run: StoredRun, names: tuple[str, ...]) -> None:
    """Write a stored run to files. Raises XnaiError if one cannot be written."""
    with Outputs(names) as outputs:
        for output in outputs.all:
            try:
                if output.format.streaming and output.file is not None:
                    output.file.writelines(map(line, run.events()))
                else:
                    output.write(run.report)
            except OSError as error:
                raise XnaiError(f"{output.path}: {error.strerror or error}") from None
