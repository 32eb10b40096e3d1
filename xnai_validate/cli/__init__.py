"""The command line."""

from __future__ import annotations

import signal
import sys

from xnai_validate import __version__
from xnai_validate.cli.terminal.standard_streams import open_standard_streams


def main() -> None:
    """Run the command that `sys.argv` names and exit with its code."""
    open_standard_streams()
    try:
        try:
            _run_command(sys.argv[1:])
        finally:  # within the other try: an interrupt may still come before it is ignored
            _ignore_ctrl_c()
    except KeyboardInterrupt:
        _ignore_ctrl_c()
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    except OSError as error:
        # Raised here only while the version or a help text is written; commands handle their own errors.
        from xnai_validate.cli.terminal.error_exit import exit_for_unwritable_stdout

        sys.exit(exit_for_unwritable_stdout(error))


def _run_command(arguments: list[str]) -> None:
    """Run a command of the application; `--version` is answered before Typer is imported."""
    if arguments in (["--version"], ["-V"]):
        # Scripts ask for it: answer before Typer is imported.
        sys.stdout.write(f"xnai-validate {__version__}\n")
        sys.stdout.flush()
        return
    from xnai_validate.cli.app import app

    app(prog_name="xnai-validate")


def _ignore_ctrl_c() -> None:
    """Ignore SIGINT from here on: the output is complete, and a late Ctrl-C would only print a traceback."""
    while True:
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            return
        except KeyboardInterrupt:
            continue
