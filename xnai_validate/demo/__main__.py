"""`python -m xnai_validate.demo`: run the embedded stack until a signal ends it."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from xnai_validate.demo import seams
from xnai_validate.demo.processes.listeners import Listeners
from xnai_validate.demo.processes.parts import ALERTS, port_names
from xnai_validate.demo.processes.redis_server import RedisMissing, find_server
from xnai_validate.demo.processes.supervision import child
from xnai_validate.demo.settings import Layout, Settings, Times


def main(arguments: list[str] | None = None) -> int:
    """Start the stack, print its stack file as one line of JSON, serve until a signal or the end of stdin.

    Returns 0 after an orderly stop, 1 when the stack did not come up, 2 for an error in the arguments.
    """
    options = _make_parser().parse_args(arguments)
    run_dir = options.run_dir or Path(tempfile.mkdtemp(prefix="xnai-stack-"))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(run_dir.resolve() / "metrics")  # read when the library is imported
    try:
        if options.defect:
            _activate(options.defect, options.layout)
        find_server()
    except (ValueError, RedisMissing) as error:
        sys.stderr.write(f"{error}\n")
        if not options.run_dir:
            run_dir.rmdir()
        return 1 if isinstance(error, RedisMissing) else 2
    from xnai_validate.demo.processes.supervision.supervisor import NotReady, Supervisor

    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    listeners = Listeners(port_names(options.layout))
    settings = Settings(
        layout=options.layout,
        run_dir=run_dir.resolve(),
        ports=listeners.ports,
        redis_password=secrets.token_hex(16),  # without a dash: it stands on a command line
        vikunja_token="tk_" + secrets.token_hex(20),
        times=Times.of_a_real_stack(options.scale) if options.scale else Times(),
        alert_webhook=f"http://127.0.0.1:{listeners.ports[ALERTS]}/alerts",
    )
    state_file = options.state.resolve() if options.state else None
    try:
        Supervisor(settings, listeners, until_eof=options.until_eof, state_file=state_file).run()
    except NotReady as failure:
        sys.stderr.write(f"the embedded stack did not come up: {failure}\n")
        return 1
    return 0


def _activate(names: Iterable[str], layout: Layout) -> None:
    """Put defects in force, in this process and all that it forks. Raises UnknownDefect, a ValueError."""
    child.preload()
    from xnai_validate.demo import defects  # imports every part of the stack: only for a stack that has defects

    seams.activate(defects.wrappers_of(defects.chosen(names, layout)))


def _make_parser() -> argparse.ArgumentParser:
    """Return the parser of the arguments."""
    parser = argparse.ArgumentParser(prog="python -m xnai_validate.demo", description=main.__doc__)
    parser.add_argument("--layout", choices=("A", "B"), default="A", help="interfaces of the stack (default: A)")
    parser.add_argument("--defect", action="append", default=[], metavar="NAME", help="break it in this way")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep a copy of the stack file there")
    parser.add_argument("--run-dir", type=Path, metavar="DIR", help="logs and certificates; removed at the end")
    parser.add_argument("--scale", type=float, metavar="N", help="the times of a real stack divided by N")
    parser.add_argument("--until-eof", action="store_true", help="also end when stdin does")
    return parser


if __name__ == "__main__":
    sys.exit(main())
