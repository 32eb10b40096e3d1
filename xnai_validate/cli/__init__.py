"""The command line."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command that `sys.argv` names and exit with its code."""
    _open_streams()
    try:
        _command(sys.argv[1:])
    except KeyboardInterrupt:
        _let_nothing_interrupt()
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    except OSError as error:
        # Only what is written before a command begins, or instead of one, comes to here.
        from xnai_validate.cli.guard import unwritten

        sys.exit(unwritten(error))
    finally:
        _let_nothing_interrupt()
        gc.freeze()  # the interpreter would look through all there is for garbage before it lets go of all there is


def _let_nothing_interrupt() -> None:
    """All is said; a Ctrl-C from here on would only show how an interpreter ends."""
    while True:
        try:
            if "signal" in sys.modules:  # else nothing was done that could be interrupted
                import signal

                signal.signal(signal.SIGINT, signal.SIG_IGN)
            return
        except KeyboardInterrupt:
            continue


def _open_streams() -> None:
    """Let standard streams that were closed lead nowhere, so that no file or socket takes their place."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _command(arguments: list[str]) -> None:
    if arguments in (["--version"], ["-V"]):
        # Asked by scripts, and answered before anything heavy is imported.
        from xnai_validate import __version__

        sys.stdout.write(f"xnai-validate {__version__}\n")
        sys.stdout.flush()
        return
    if arguments in (["--help"], ["-h"]) and _is_wide():
        with open(os.path.join(os.path.dirname(__file__), "help.txt"), encoding="utf-8") as text:
            sys.stdout.write(text.read())
        sys.stdout.flush()
        return
    gc.set_threshold(50_000, 20, 100)  # nothing that is imported is garbage, and looking for some takes long
    if arguments[:1] == ["run"]:
        from xnai_validate.cli.quick import parsed

        values = parsed(arguments[1:], os.environ)
        if values is not None:
            from xnai_validate.cli.guard import guarded
            from xnai_validate.cli.measuring import carry_out

            sys.exit(guarded(lambda: carry_out(values)))
    from xnai_validate.cli.app import app

    app(prog_name="xnai-validate")


def _is_wide() -> bool:
    """Whether the help has the width of `help.txt`, which Typer has made of it; it is narrower in a narrow terminal."""
    if os.environ.get("COLUMNS"):
        return False
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns >= 80
    except (OSError, ValueError):
        return True  # no terminal: 80 columns
