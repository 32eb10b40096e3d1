"""`xnai-validate prove`: shows that every check passes on a healthy stack and fails on one that is broken for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    defect: Annotated[
        list[str] | None, typer.Option("--defect", metavar="NAME", help="Only this defect (repeatable).")
    ] = None,
    profile: Annotated[str, typer.Option("--profile", metavar="PROFILE", help="Whose checks are proven.")] = "phase4",
    full: Annotated[
        bool, typer.Option("--full", help="Every defect against every check, not only those named for it.")
    ] = False,
    jobs: Annotated[
        int,
        typer.Option(
            "--jobs",
            "-j",
            metavar="N",
            min=1,
            max=16,
            envvar="XNAI_VALIDATE_JOBS",
            show_envvar=False,
            help="Broken stacks at a time (also XNAI_VALIDATE_JOBS).",
        ),
    ] = 4,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the matrix there as JSON.")
    ] = None,
) -> None:
    """Run every defect of the embedded stack against the checks that must catch it, and print the matrix."""
    from xnai_validate.cli.embedded import require_extra

    require_extra()
    from xnai_validate.cli.matrix import prove

    raise typer.Exit(prove(tuple(defect or ()), profile, full=full, jobs=jobs, output=output))
