"""`xnai-validate serve`: repeat a run and serve its health, its metrics and its report."""

from __future__ import annotations

import os

from xnai_validate.cli.running.environment import unknown_variables
from xnai_validate.cli.running.options import PREFIX
from xnai_validate.cli.serving.options import ServeOptions
from xnai_validate.cli.terminal.command_help import Command, command_app, takes
from xnai_validate.cli.terminal.console import print_notice
from xnai_validate.errors import ConfigError

app = command_app()


@app.command(
    cls=Command,
    epilog="For a first look: xnai-validate serve preflight --demo --every 30s",
    context_settings={"auto_envvar_prefix": PREFIX.rstrip("_")},
)
@takes(ServeOptions)
def serve(options: ServeOptions) -> int:
    """Repeat a run and serve /healthz, /metrics (Prometheus) and, at /, the latest report.

    Disruptive checks run only with --allow on the command line. A signal ends it with exit code 0.
    """
    try:
        from xnai_validate.cli.serving.served_runs import serve_runs
    except ImportError as error:
        raise ConfigError(
            f"serve needs the extra serve ({error.name} is not installed)", hint="pip install 'xnai-validate[serve]'"
        ) from None
    for sentence in unknown_variables(os.environ):
        print_notice(sentence)
    return serve_runs(options)
