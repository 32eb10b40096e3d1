"""`xnai-validate prove`: every check passes on the healthy embedded stack and fails under the defects that name it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from xnai_validate.cli.embedded_stack import require_demo_extra
from xnai_validate.cli.terminal import console
from xnai_validate.cli.terminal.command_help import Command, command_app
from xnai_validate.cli.terminal.page import new_page
from xnai_validate.model.results.verdict import Exit

app = command_app()


@app.command(cls=Command)
def prove(
    defect: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this defect (repeatable).")] = None,
    profile: Annotated[str, typer.Option(metavar="PROFILE", help="The profile whose checks are proven.")] = "phase4",
    full: Annotated[
        bool, typer.Option("--full", help="Run every defect against every check, not only those named for it.")
    ] = False,
    cover: Annotated[
        bool, typer.Option("--cover", help="Run as few defects as it takes for each check to fail under one.")
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
            help="Stacks at a time (also XNAI_VALIDATE_JOBS).",
        ),
    ] = 4,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the matrix to this file as JSON.")
    ] = None,
) -> None:
    """Run every defect of the embedded stack against the checks named for it, and print which checks caught it.

    With --cover it runs two thirds of them: as few as it takes for each check to fail and each topic to take part.

    Exits 1 if a defect is not caught, or if a check fails on the healthy stack or under no defect.
    """
    require_demo_extra()
    from xnai_validate.cli.proving.matrix import append_matrix, write_matrix
    from xnai_validate.cli.proving.proof import prove_defects

    proof = prove_defects(tuple(defect or ()), profile, full=full, covering=cover, jobs=jobs)
    if output is not None:
        write_matrix(output, proof)
    complaints = tuple(proof.complaints())
    page = new_page(sys.stdout)
    append_matrix(page, proof, complaints)
    console.print_out(str(page))
    raise typer.Exit(int(Exit.FAILED if complaints else Exit.PASSED))
