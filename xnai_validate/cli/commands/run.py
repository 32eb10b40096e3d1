"""`xnai-validate run`: run the checks of profiles and report the results."""

from __future__ import annotations

import os

from xnai_validate.cli.running.environment import unknown_variables
from xnai_validate.cli.running.options import PREFIX, RunOptions
from xnai_validate.cli.terminal.command_help import Command, command_app, takes
from xnai_validate.cli.terminal.console import print_notice

app = command_app()


@app.command(
    cls=Command,
    epilog="For a first look: xnai-validate run preflight --demo",
    context_settings={"auto_envvar_prefix": PREFIX.rstrip("_")},
)
@takes(RunOptions)
def run(options: RunOptions) -> int:
    """Run the checks of profiles and report the results.

    An environment variable sets an option too: XNAI_VALIDATE_ and its name in capitals, e.g. XNAI_VALIDATE_FAIL_ON.
    """
    from xnai_validate.cli.running.session import execute  # not needed for the help and for completion

    for sentence in unknown_variables(os.environ):
        print_notice(sentence)
    return execute(options)
