"""`xnai-validate history`: how checks and profiles fared over their runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from xnai_validate.cli.listing.courses import print_courses
from xnai_validate.cli.sharding.times_file import reports_of_profile, write_shard_times
from xnai_validate.cli.terminal import console
from xnai_validate.cli.terminal.command_help import Command, command_app

app = command_app()


@app.command(cls=Command)
def history(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="The id of a check, or a profile (default: every profile)."),
    ] = None,
    last: Annotated[int, typer.Option("--last", metavar="N", min=1, help="Use only the newest N runs.")] = 50,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    shard_times: Annotated[
        Path | None,
        typer.Option(
            "--shard-times",
            metavar="FILE",
            help="Write the durations of the profile's checks to this file, for run --shard K/N --shard-times FILE.",
        ),
    ] = None,
    color: Annotated[bool | None, typer.Option("--color/--no-color", help="Colour (default: on a terminal).")] = None,
) -> None:
    """Show pass rate, flakiness, trend, and the run in which a check or profile broke.

    Exits 0 whatever the verdicts were, 2 if no run of that name is stored.
    """
    if shard_times is not None:
        write_shard_times(shard_times, reports_of_profile(name, last))
        return
    print_courses(name, last, as_json=json, color=console.wants_color(sys.stdout, color))
