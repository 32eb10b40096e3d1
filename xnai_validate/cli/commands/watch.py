"""`xnai-validate watch`: repeat a run and show what changes."""

from __future__ import annotations

import os

from xnai_validate.cli.repeating.options import RepeatedOptions
from xnai_validate.cli.running.environment import unknown_variables
from xnai_validate.cli.running.options import PREFIX
from xnai_validate.cli.terminal.command_help import Command, command_app, takes
from xnai_validate.cli.terminal.console import print_notice

app = command_app()


@app.command(
    cls=Command,
    epilog="For a first look: xnai-validate watch preflight --demo --every 10s",
    context_settings={"auto_envvar_prefix": PREFIX.rstrip("_")},
)
@takes(RepeatedOptions)
def watch(options: RepeatedOptions) -> int:
    """Repeat a run and show what changes: the verdict, what broke, what recovered. Quiet where nothing changes.

    Ctrl-C ends it with the exit code of the last run. Disruptive checks run only with --allow on the command line.
    """
    from xnai_validate.cli.repeating.repeated_runs import RepeatedRuns  # not needed for the help and for completion
    from xnai_validate.cli.repeating.shown_changes import ShownChanges

    for sentence in unknown_variables(os.environ):
        print_notice(sentence)
    return RepeatedRuns(options, ShownChanges(options)).repeat()
