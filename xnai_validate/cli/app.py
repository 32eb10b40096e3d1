"""The application: the list of commands, and the exit code of an error in any of them."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from xnai_validate import __version__
from xnai_validate.model.suggestions import did_you_mean

COMMANDS = {
    "run": "Run the checks of profiles and report the results.",
    "init": "Write a profile and suites for a stack, or a stack file.",
    "list": "List profiles, suites, checks, promises, kinds, faults, runs.",
    "explain": "Explain a kind of check, a family, a fault or a check.",
    "lint": "Verify profiles and suites; report every error.",
    "report": "Render a stored run in any format.",
    "compare": "Compare two runs or baselines; exit 1 if the second is worse.",
    "history": "Show pass rates, flakiness and trends over the stored runs.",
    "watch": "Repeat a run and show what changes.",
    "serve": "Repeat a run; serve its health, metrics and report.",
    "undo": "Revert faults that a killed run has left in force.",
    "schema": "Print the JSON Schema of a file, the report or the events.",
    "demo": "Start the embedded stack, healthy or with defects.",
    "prove": "Prove that every defect is caught by the checks named for it.",
}
"""Name of a command -> its line in the help. The command itself is `commands/<name>.py`."""


class Commands(TyperGroup):
    """The group of all commands. A command is imported only to run it, to complete it or to show its help."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # Typer's context, not click's
        """Return the names of the commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> TyperCommand | None:  # type: ignore[override]
        """Return a command; an unknown name is a usage error, or None while the shell completes words."""
        if cmd_name not in COMMANDS:
            if not ctx.resilient_parsing:
                ctx.fail(f'unknown command "{cmd_name}"; {did_you_mean(cmd_name, COMMANDS)}')
            return None
        module = import_module(f"xnai_validate.cli.commands.{cmd_name}")
        command = cast(TyperCommand, typer.main.get_command(module.app))
        command.name = cmd_name
        return command

    def shell_complete(self, ctx: typer.Context, incomplete: str) -> list[Any]:  # type: ignore[override]
        """Return the names of commands and the options that begin with `incomplete`, without importing the commands."""
        listed = [TyperCommand(name, help=line) for name, line in COMMANDS.items()]
        group = TyperGroup(name=self.name, commands=listed, params=self.params)
        return group.shell_complete(typer.Context(group), incomplete)

    def format_commands(self, ctx: typer.Context, formatter: typer.Context) -> None:  # type: ignore[override]
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):  # type: ignore[attr-defined]  # a HelpFormatter, whose module is private
            formatter.write_dl(list(COMMANDS.items()))  # type: ignore[attr-defined]

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command; an error becomes a message on stderr and an exit code."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except BaseException as error:
            # Imported here, for the help needs neither the models nor the options of `run`.
            from xnai_validate.cli.terminal.error_exit import report_error

            code = report_error(error)
            if code is None:
                from xnai_validate.cli.running.environment import explain_usage_error

                explain_usage_error(error)
                raise
            raise typer.Exit(code) from None


app = typer.Typer(
    name="xnai-validate",
    cls=Commands,
    help="Validate that the parts of a RAG stack work together.",
    epilog="Exit codes: 0 passed, 1 failed, 2 error in the command line or a profile, 3 undecided, "
    "4 a fault may not have been reverted, 5 stopped by a limit, 130 interrupted.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(requested: bool) -> None:
    """Print the version and exit, if that is requested."""
    if requested:
        sys.stdout.write(f"xnai-validate {__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Validate that the parts of a RAG stack work together."""
