"""`python -m xnai_validate.demo`: run the embedded stack until it is told to end."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from xnai_validate.demo.defects import UnknownDefect, chosen
from xnai_validate.demo.processes.listeners import Listeners
from xnai_validate.demo.processes.parts import ALERTS, port_names
from xnai_validate.demo.processes.redis_server import RedisMissing, find_server
from xnai_validate.demo.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Start the stack, print its handover as one line of JSON, serve until SIGTERM, SIGINT or, on wish, end of stdin.

    Returns 0 after a stop in good order, 1 when the stack did not come up, 2 for a mistake in the arguments.
    """
    options = _parser().parse_args(arguments)
    try:
        defects = chosen(options.defect, options.layout)
        find_server()
    except (UnknownDefect, RedisMissing) as error:
        sys.stderr.write(f"{error}\n")
        return 2 if isinstance(error, UnknownDefect) else 1
    from xnai_validate.demo.processes.supervisor import NotReady, Supervisor

    run_dir = options.run_dir or Path(tempfile.mkdtemp(prefix="xnai-stack-"))
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    exposed = frozenset({"llm"} if "llm-exposed" in defects else ())
    listeners = Listeners(port_names(options.layout), exposed)
    settings = Settings(
        layout=options.layout,
        run_dir=run_dir.resolve(),
        ports=listeners.ports,
        redis_password=secrets.token_hex(16),  # without a dash: it stands on a command line
        vikunja_token="tk_" + secrets.token_hex(20),
        defects=defects,
        alert_webhook=f"http://127.0.0.1:{listeners.ports[ALERTS]}/alerts",
    )
    state_file = options.state.resolve() if options.state else None
    try:
        Supervisor(settings, listeners, until_eof=options.until_eof, state_file=state_file).run()
    except NotReady as error:
        sys.stderr.write(f"the embedded stack did not come up: {error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m xnai_validate.demo", description=main.__doc__)
    parser.add_argument("--layout", choices=("A", "B"), default="A", help="interfaces of the stack (default: A)")
    parser.add_argument("--defect", action="append", default=[], metavar="NAME", help="break it in this way")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep a copy of the handover there")
    parser.add_argument("--run-dir", type=Path, metavar="DIR", help="logs and certificates; removed at the end")
    parser.add_argument("--until-eof", action="store_true", help="also end when stdin does")
    return parser


if __name__ == "__main__":
    sys.exit(main())
