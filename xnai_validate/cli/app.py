"""The application: its commands, and what becomes of an error in any of them."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from typer.core import TyperGroup

from xnai_validate import __version__
from xnai_validate.cli import compare, demo, explain, init, lint, prove, report, run, schema, undo
from xnai_validate.cli import list as list_
from xnai_validate.cli.command import Command
from xnai_validate.cli.guard import code_of
from xnai_validate.cli.options import in_environment


class Commands(TyperGroup):
    """The group of all commands; errors that leave a command end here."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # typer's own context, not click's
        """Run the command; whatever it raises becomes a message and an exit code."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except BaseException as error:
            code = code_of(error)
            if code is None:
                _reword(error)
                raise
            raise typer.Exit(code) from None


def _reword(error: BaseException) -> None:
    """Say in a mistake of the command line how to go on, and what the environment adds, which is easily forgotten."""
    said = getattr(error, "message", None)
    if not isinstance(said, str):
        return
    said = said.removeprefix("Value error, ")
    if getattr(getattr(error, "param", None), "name", None) == "profiles" and not said:
        said = "All profiles: xnai-validate list"
    given = in_environment(os.environ)
    error.message = f"{said} ({given})" if given else said  # type: ignore[attr-defined]


app = typer.Typer(
    name="xnai-validate",
    cls=Commands,
    help="Tells whether a RAG stack works together.",
    epilog="Exit codes: 0 passed, 1 failed, 2 a mistake in the command or a profile, 3 undecided, "
    "4 a fault may not be undone, 5 stopped by a limit, 130 interrupted.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"xnai-validate {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Tells whether a RAG stack works together."""


_FIRST = "For a first look: xnai-validate run preflight --demo"

app.command("run", cls=Command, epilog=_FIRST)(run.command)
for _name, _command, _short in (
    ("init", init.command, "Find a stack on this host and write it down for run --stack."),
    ("list", list_.command, "List profiles, suites, checks, kinds, faults, runs, baselines."),
    ("explain", explain.command, "Explain a kind of check, a family, a fault, or one check."),
    ("lint", lint.command, "Tell every mistake of profiles and suites, with file and line."),
    ("report", report.command, "Tell a stored run again, in any format."),
    ("compare", compare.command, "Hold one run or baseline against another: is B worse?"),
    ("undo", undo.command, "Take back the faults that a killed run has left in force."),
    ("schema", schema.command, "Print the JSON Schema of suites, profiles, reports or events."),
    ("demo", demo.command, "Start the embedded stack, healthy or broken on purpose."),
    ("prove", prove.command, "Run every defect of the embedded stack against its checks."),
):
    app.command(_name, cls=Command, short_help=_short)(_command)
