"""`xnai-validate demo`: the embedded stack, to look at or to run checks against."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated, cast

import typer

from xnai_validate.atomic_write import verify_writable
from xnai_validate.cli.embedded_stack import embedded_stack, require_demo_extra
from xnai_validate.cli.interrupts import interrupts
from xnai_validate.cli.running.options import Layout
from xnai_validate.cli.terminal import console
from xnai_validate.cli.terminal.command_help import Command, command_app
from xnai_validate.cli.terminal.page import new_page
from xnai_validate.errors import ConfigError, XnaiError
from xnai_validate.report.terminal.page import Span

app = command_app()
POLL_S = 0.5
"""Interval at which the stack's process is looked at."""


@app.command(cls=Command)
def demo(
    layout: Annotated[Layout, typer.Option(help="Interfaces of the embedded stack.")] = Layout.A,
    defect: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Start it with this defect (repeatable).")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the stack file here, and keep it up to date.")
    ] = None,
    list_defects: Annotated[bool, typer.Option("--list-defects", help="List the defects and exit.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but the stack file.")] = False,
) -> None:
    """Start the embedded stack, print its stack file as one line of JSON, and serve until Ctrl-C.

    Then, elsewhere: xnai-validate run phase4.1 --stack FILE
    """
    if list_defects:
        _list_defects()
    else:
        _serve(layout, tuple(defect or ()), state, quiet=quiet)


def _serve(layout: Layout, defects: tuple[str, ...], state: Path | None, *, quiet: bool) -> None:
    """Run the stack until a signal ends it. Raises XnaiError if it ends by itself."""
    if state is not None:
        try:
            verify_writable(state.absolute())
        except OSError as error:
            raise ConfigError(f"the stack file cannot be written to {state}: {error.strerror or error}") from None
    try:
        with interrupts(), embedded_stack(layout.value, defects, state_file=state, quiet=quiet) as stack:
            description = stack.description
            console.print_out(json.dumps(description) + "\n")
            if not quiet:
                sys.stderr.write(_parts(cast(dict[str, object], description["targets"])))
                usage = f"; use it with: run PROFILE --stack {state}" if state else ""
                console.print_notice(f"the stack runs until Ctrl-C{usage}")
            _wait(stack.pid)
    except KeyboardInterrupt:
        if not quiet:
            console.print_notice("the embedded stack has stopped")


def _wait(pid: int) -> None:
    """Wait for a signal. Raises XnaiError if the stack, a child process, ends first."""
    while True:
        # WNOWAIT leaves the child for `EmbeddedStack`, which started it and will reap it.
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is not None:
            raise XnaiError("the embedded stack has ended by itself")
        time.sleep(POLL_S)


def _parts(targets: dict[str, object]) -> str:
    """Return a table of the stack's targets with their pids and urls."""
    page = new_page(sys.stderr)
    rows: list[list[Span]] = []
    for name, target in targets.items():
        fields = target if isinstance(target, dict) else {}
        url, pid = fields.get("url"), fields.get("pid")
        rows.append([(name, "bold"), (f"pid {pid}" if pid else "", "dim"), (str(url) if url else "", "")])
    page.table(rows, indent=2)
    return str(page)


def _list_defects() -> None:
    """Print the catalogue of defects. Raises ConfigError if the extra `demo` is not installed."""
    require_demo_extra()
    from xnai_validate.demo.defects import CATALOGUE

    page = new_page(sys.stdout)
    rows: list[list[Span]] = [
        [(defect.name, "bold"), (defect.description + (f" (layout {defect.layout})" if defect.layout else ""), "")]
        for defect in sorted(CATALOGUE.values(), key=lambda defect: defect.name)
    ]
    page.table(rows)
    console.print_out(str(page))
