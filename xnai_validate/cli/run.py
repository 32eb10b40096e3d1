"""`xnai-validate run`: measure, judge, report."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class LayoutName(StrEnum):
    """Which interfaces the embedded stack speaks."""

    A = "A"
    B = "B"


class Rerun(StrEnum):
    """What of the last run to run again."""

    FAILED = "failed"


def _env(name: str) -> str:
    return f"XNAI_VALIDATE_{name}"


def command(
    profiles: Annotated[
        list[str],
        typer.Argument(
            metavar="PROFILE", help="Names of profiles, or files.", envvar=_env("PROFILE"), show_envvar=False
        ),
    ],
    demo: Annotated[
        bool,
        typer.Option(
            "--demo", envvar=_env("DEMO"), show_envvar=False, help="Start the embedded stack, run against it, stop it."
        ),
    ] = False,
    layout: Annotated[
        LayoutName | None,
        typer.Option(envvar=_env("LAYOUT"), show_envvar=False, help="Interfaces of the embedded stack (default: A)."),
    ] = None,
    defect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            envvar=_env("DEFECT"),
            show_envvar=False,
            help="Break the embedded stack in this way (repeatable).",
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=URL", envvar=_env("TARGET"), show_envvar=False, help="Where a target is (repeatable)."
        ),
    ] = None,
    stack: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar=_env("STACK"),
            show_envvar=False,
            help="The handover of a running stack (JSON or YAML).",
        ),
    ] = None,
    var: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE", envvar=_env("VAR"), show_envvar=False, help="A var of the profile (repeatable)."
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TAG", envvar=_env("TAG"), show_envvar=False, help="Only checks with this tag (repeatable)."
        ),
    ] = None,
    skip_tag: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TAG", envvar=_env("SKIP_TAG"), show_envvar=False, help="No checks with this tag (repeatable)."
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB",
            envvar=_env("ONLY"),
            show_envvar=False,
            help="Only checks whose id fits, such as 'api/*' (repeatable).",
        ),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT", envvar=_env("ALLOW"), show_envvar=False, help="Allow 'disruptive' checks (repeatable)."
        ),
    ] = None,
    wait: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            envvar=_env("WAIT"),
            show_envvar=False,
            help="Retry preconditions until the stack is up: 60s.",
        ),
    ] = None,
    fail_fast: Annotated[
        bool,
        typer.Option(
            "--fail-fast", "-x", envvar=_env("FAIL_FAST"), show_envvar=False, help="End at the first failure."
        ),
    ] = False,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STATUS", envvar=_env("FAIL_ON"), show_envvar=False, help="Also fail on warn, flaky, skip or error."
        ),
    ] = None,
    rerun: Annotated[
        Rerun | None,
        typer.Option(
            envvar=_env("RERUN"), show_envvar=False, help="Only what failed in the last run of the same profiles."
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", envvar=_env("DRY_RUN"), show_envvar=False, help="Show what would run; touch nothing."
        ),
    ] = False,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            envvar=_env("OUTPUT"),
            show_envvar=False,
            help="Also write the report there; .json, .jsonl, .xml (JUnit) or .txt (repeatable).",
        ),
    ] = None,
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="NAME",
            envvar=_env("FORMAT"),
            show_envvar=False,
            help="What stdout gets: terminal, json, jsonl or junit.",
        ),
    ] = "terminal",
    concurrency: Annotated[
        int | None,
        typer.Option(
            "--concurrency", "-j", min=1, max=512, envvar=_env("CONCURRENCY"), show_envvar=False, help="Checks at once."
        ),
    ] = None,
    deadline: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            envvar=_env("DEADLINE"),
            show_envvar=False,
            help="End the run after this time: 5m. It then exits 5.",
        ),
    ] = None,
    path: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR", help="Search profiles and suites here first (repeatable; also XNAI_VALIDATE_PATH)."
        ),
    ] = None,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", envvar=_env("QUIET"), show_envvar=False, help="Only what is wrong, and the verdict."
        ),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", envvar=_env("VERBOSE"), show_envvar=False, help="Every check; a line each as it ends."
        ),
    ] = False,
    color: Annotated[
        bool | None,
        typer.Option(
            "--color/--no-color",
            envvar=_env("COLOR"),
            show_envvar=False,
            help="Colour (default: on a terminal; see NO_COLOR).",
        ),
    ] = None,
) -> None:
    """Run the checks of profiles and report what was found.

    Every option can be set by the environment: XNAI_VALIDATE_ and its name in capitals, such as XNAI_VALIDATE_FAIL_ON.
    """  # fmt: skip
    from xnai_validate.cli.request import Request
    from xnai_validate.cli.session import execute

    request = Request.parse(
        profiles=profiles,
        demo=demo,
        layout=layout.value if layout else None,
        defects=defect or [],
        targets=target or [],
        stack=stack,
        vars_=var or [],
        tags=tag or [],
        skip_tags=skip_tag or [],
        only=only or [],
        allow=allow or [],
        wait=wait,
        fail_fast=fail_fast,
        fail_on=fail_on or [],
        rerun=rerun is not None,
        dry_run=dry_run,
        outputs=output or [],
        format_=format_,
        concurrency=concurrency,
        deadline=deadline,
        paths=path or [],
        quiet=quiet,
        verbose=verbose,
        color=color,
    )
    code = execute(request)
    raise typer.Exit(code)
