"""What `report` does: fold a stored run again, and render it as the live run was."""

from __future__ import annotations

import sys

from xnai_validate.cli import console
from xnai_validate.cli.outputs import Outputs
from xnai_validate.cli.stored import events_of, report_of
from xnai_validate.errors import ConfigError, XnaiError
from xnai_validate.model.results.verdict import Exit
from xnai_validate.report.formats.jsonl import line
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View


def retell(
    run: str, format_name: str, files: tuple[str, ...], *, quiet: bool, verbose: bool, color: bool | None
) -> int:
    """Render a stored run to stdout and to files; returns the exit code. Raises ConfigError where there is none."""
    if quiet and verbose:
        raise ConfigError("--quiet and --verbose exclude each other")
    chosen = FORMATS.get(format_name)
    report = report_of(run)
    if chosen.streaming:
        events_of(run)  # raises where there are none, before a file is touched
    out = sys.stdout
    with Outputs(files) as outputs:
        for output in outputs.all:
            try:
                if output.format.streaming and output.file is not None:
                    output.file.writelines(map(line, events_of(run)))
                else:
                    output.write(report)
            except OSError as error:
                raise XnaiError(f"{output.path}: {error.strerror or error}") from None
    if chosen.streaming:
        console.print_all(map(line, events_of(run)))
        return int(Exit.PASSED)
    view = View(
        width=console.width(out),
        color=console.wants_color(out, color),
        unicode=console.shows_unicode(out),
        detail="quiet" if quiet else "verbose" if verbose else "normal",
    )
    console.print_all(chosen.pieces(report, view))
    return int(Exit.PASSED)
