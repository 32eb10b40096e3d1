"""What `demo` does: serve until a signal, and list the catalogue of defects."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Literal, cast

from xnai_validate.cli import console
from xnai_validate.cli.embedded import require_extra, running
from xnai_validate.cli.interrupts import interrupts
from xnai_validate.cli.request import Embedded
from xnai_validate.errors import ConfigError, XnaiError
from xnai_validate.report.terminal.page import Page, Span

WATCH_S = 0.5


def serve(layout: str, names: tuple[str, ...], state: Path | None, *, quiet: bool) -> None:
    """Run the stack until a signal that ends it, which is its good end. Raises XnaiError where it ends by itself."""
    if state is not None and not state.absolute().parent.is_dir():
        raise ConfigError(f"the handover cannot be written to {state}: there is no such folder")
    asked = Embedded(cast(Literal["A", "B"], layout), names)
    try:
        with interrupts(), running(asked, state_file=state, quiet=quiet) as stack:
            handover = stack.description
            console.print_out(json.dumps(handover) + "\n")
            if not quiet:
                sys.stderr.write(_parts(cast(dict[str, object], handover["targets"])))
                console.say("the stack runs until Ctrl-C" + (f"; run --stack {state} uses it" if state else ""))
            _wait(stack.pid)
    except KeyboardInterrupt:
        if not quiet:
            console.say("the embedded stack has stopped")


def _wait(pid: int) -> None:
    """Until a signal; raises XnaiError where the stack ends first. Its process is a child of this one."""
    import os
    import time

    while True:
        # WNOWAIT: whoever started the process still has to collect it.
        gone = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if gone is not None:
            raise XnaiError("the embedded stack has ended by itself")
        time.sleep(WATCH_S)


def _parts(targets: dict[str, object]) -> str:
    page = Page(console.width(sys.stderr), console.wants_color(sys.stderr, None), console.shows_unicode(sys.stderr))
    rows: list[list[Span]] = []
    for name, target in targets.items():
        known = target if isinstance(target, dict) else {}
        url, pid = known.get("url"), known.get("pid")
        rows.append([(name, "bold"), (f"pid {pid}" if pid else "", "dim"), (str(url) if url else "", "")])
    page.table(rows, indent=2)
    return str(page)


def defects() -> None:
    """Print the catalogue of defects."""
    require_extra()
    from xnai_validate.demo.defects import CATALOGUE

    out = sys.stdout
    page = Page(console.width(out), console.wants_color(out, None), console.shows_unicode(out))
    rows: list[list[Span]] = [
        [(one.name, "bold"), (one.description + (f" (layout {one.layout})" if one.layout else ""), "")]
        for one in sorted(CATALOGUE.values(), key=lambda one: one.name)
    ]
    page.table(rows)
    console.print_out(str(page))
