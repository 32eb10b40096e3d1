"""The options of `run`. Each field of `RunOptions` is one argument or option of the command line.

An environment variable sets an option too: XNAI_VALIDATE_ and the option's name in capitals, with `_` for `-`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from xnai_validate.cli.option_values import (
    Assignment,
    StatusList,
    address,
    assignment,
    duration,
    http_url,
    parsed_by,
    statuses,
    variable,
    workers_url,
)
from xnai_validate.cli.terminal import completion
from xnai_validate.config.options import LoadOptions
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.status import Status
from xnai_validate.report.format_names import format_name
from xnai_validate.report.view import Detail
from xnai_validate.sharding.number import ShardNumber, shard_number

PREFIX = "XNAI_VALIDATE_"
"""What the environment variables of all options begin with."""
_STACK = partial(typer.Option, show_envvar=False, rich_help_panel="Stack")
_CHECKS = partial(typer.Option, show_envvar=False, rich_help_panel="Checks")
_EXECUTION = partial(typer.Option, show_envvar=False, rich_help_panel="Execution")
_REPORT = partial(typer.Option, show_envvar=False, rich_help_panel="Report")
_MESSAGES = partial(typer.Option, show_envvar=False, rich_help_panel="Messages")
_COMPARISON = partial(typer.Option, show_envvar=False, rich_help_panel="Comparison")


_WHOLE = {
    "--rerun": "each job has a history of its own; name the checks with --only",
    "--record": "a baseline is recorded by a run of the whole plan",
    "--baseline": "merge the shards, then compare: xnai-validate compare BASELINE merged.json",
}
"""Why an option is not for one shard of several."""


class Layout(StrEnum):
    """The interfaces that the embedded stack can offer."""

    A = "A"
    B = "B"


class Rerun(StrEnum):
    """The checks of an earlier run that can be run again."""

    FAILED = "failed"


class Consent(StrEnum):
    """What checks may do only if the user allows it."""

    DISRUPTIVE = "disruptive"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The command line of `run`. Raises a usage error of Typer for options that exclude or require one another."""

    profiles: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PROFILE",
            envvar=f"{PREFIX}PROFILE",
            show_envvar=False,
            autocompletion=completion.profiles,
            help="Names or files of profiles.",
        ),
    ] = None

    demo: Annotated[bool, _STACK("--demo", help="Start the embedded stack, run against it, stop it.")] = False
    layout: Annotated[Layout | None, _STACK(help="Interfaces of the embedded stack (default: A).")] = None
    defect: Annotated[
        list[str] | None, _STACK(metavar="NAME", help="Start the embedded stack with this defect (repeatable).")
    ] = None
    target: Annotated[
        list[Assignment] | None,
        _STACK(metavar="NAME=URL", parser=parsed_by(assignment), help="URL of a target (repeatable)."),
    ] = None
    stack: Annotated[Path | None, _STACK(metavar="FILE", help="Stack file of a running stack (JSON or YAML).")] = None
    var: Annotated[
        list[Assignment] | None,
        _STACK(metavar="KEY=VALUE", parser=parsed_by(variable), help="Set a variable of the profile (repeatable)."),
    ] = None
    env_file: Annotated[
        list[Path] | None,
        _STACK(metavar="FILE", help="Environment variables, NAME=value a line; those that are set stay (repeatable)."),
    ] = None
    listen: Annotated[
        str | None,
        _STACK(metavar="HOST:PORT", parser=parsed_by(address), help="Local address that the stack sends alerts to."),
    ] = None

    only: Annotated[
        list[str] | None, _CHECKS(metavar="GLOB", help="Only checks whose id matches, e.g. 'api/*' (repeatable).")
    ] = None
    tag: Annotated[list[str] | None, _CHECKS(metavar="TAG", help="Only checks with this tag (repeatable).")] = None
    skip_tag: Annotated[list[str] | None, _CHECKS(metavar="TAG", help="No checks with this tag (repeatable).")] = None
    rerun: Annotated[Rerun | None, _CHECKS(help="Only checks that failed in the last run of these profiles.")] = None
    resume: Annotated[
        str | None,
        _CHECKS(metavar="RUN", help="Finish an interrupted run (its id, or last): measure what it has not measured."),
    ] = None
    allow: Annotated[
        list[Consent] | None, _CHECKS(metavar="WHAT", help="Allow checks that are 'disruptive' (repeatable).")
    ] = None
    strict: Annotated[
        bool, _CHECKS("--strict", help="Fail, instead of warn, where a good practice is not followed.")
    ] = False
    allow_remote: Annotated[
        bool, _CHECKS("--allow-remote", help="Allow faults in targets outside loopback and private networks.")
    ] = False
    waivers: Annotated[
        Path | None,
        _CHECKS(metavar="FILE", help="Accepted failures (default: waivers.yaml beside each profile)."),
    ] = None
    long: Annotated[bool, _CHECKS("--long", help="Accept waivers that end more than a year from now.")] = False
    path: Annotated[
        list[Path] | None,
        _CHECKS(
            metavar="DIR",
            allow_from_autoenv=False,  # XNAI_VALIDATE_PATH is a list of folders, read by `config.search_path`
            help="Search this folder first for profiles and suites (repeatable; also XNAI_VALIDATE_PATH).",
        ),
    ] = None

    shard: Annotated[
        ShardNumber | None,
        _CHECKS(
            metavar="K/N",
            parser=parsed_by(shard_number),
            help="Only the K-th of N parts of the plan, for the jobs of a CI matrix; report merges their reports.",
        ),
    ] = None
    shard_times: Annotated[
        Path | None,
        _CHECKS(
            metavar="FILE", help="Durations by which --shard divides, the same file in every job (history writes it)."
        ),
    ] = None

    dry_run: Annotated[bool, _EXECUTION("--dry-run", help="Show what would run; send nothing.")] = False
    wait: Annotated[
        float | None,
        _EXECUTION(metavar="TIME", parser=parsed_by(duration), help="Longest wait for the stack to come up, e.g. 60s."),
    ] = None
    concurrency: Annotated[
        int | None,
        _EXECUTION("--concurrency", "-j", metavar="N", min=1, max=512, help="Maximum number of checks at a time."),
    ] = None
    deadline: Annotated[
        float | None,
        _EXECUTION(metavar="TIME", parser=parsed_by(duration), help="Stop the run after this time, e.g. 5m. Exits 5."),
    ] = None
    workers: Annotated[
        str | None,
        _EXECUTION(
            metavar="URL",
            parser=parsed_by(workers_url),
            help="Send loads, and measure checks that have 'from', by the workers of a Dask scheduler "
            "(tcp://HOST:8786, tls://HOST:8786), or by processes of this host (local:4).",
        ),
    ] = None
    allow_plain: Annotated[
        bool, _EXECUTION("--allow-plain", help="Allow secrets on connections to workers that are not encrypted.")
    ] = False
    fail_fast: Annotated[bool, _EXECUTION("--fail-fast", "-x", help="Stop at the first failure.")] = False
    fail_on: Annotated[
        list[StatusList] | None,
        _EXECUTION(
            metavar="STATUS", parser=parsed_by(statuses), help="Also fail on warn, flaky, skip, waived or error."
        ),
    ] = None

    fail_if_none: Annotated[
        bool | None,
        _EXECUTION(
            "--fail-if-none/--pass-if-none",
            help="Exit 3 where every check was skipped (default: where the environment has CI=true).",
        ),
    ] = None

    format: Annotated[
        str,
        _REPORT(
            metavar="NAME",
            parser=parsed_by(format_name),
            show_default=False,
            help="Format of the report on stdout: terminal (default), json, jsonl, junit, html, tap, markdown, "
            "github or prometheus.",
        ),
    ] = "terminal"
    output: Annotated[
        list[str] | None,
        _REPORT(
            "--output",
            "-o",
            metavar="FILE",
            help="Also write the report to this file, in the format of its extension: .json .jsonl .xml .html .md .tap "
            ".prom .txt; or FORMAT:FILE (repeatable).",
        ),
    ] = None
    quiet: Annotated[bool, _REPORT("--quiet", "-q", help="Show only failures and the verdict.")] = False
    verbose: Annotated[bool, _REPORT("--verbose", "-v", help="Show every check, and a line as each ends.")] = False
    color: Annotated[
        bool | None, _REPORT("--color/--no-color", help="Colour (default: on a terminal, unless NO_COLOR is set).")
    ] = None

    notify: Annotated[
        list[str] | None,
        _MESSAGES(
            metavar="URL",
            help="Send what broke or recovered since the run before, with the evidence, to this webhook or Apprise url "
            "(repeatable).",
        ),
    ] = None
    ping: Annotated[
        list[str] | None,
        _MESSAGES(
            metavar="URL",
            parser=parsed_by(http_url),
            help="Ping a dead man's switch at the start (URL/start) and the end (URL or URL/fail) of each run "
            "(repeatable).",
        ),
    ] = None
    otlp: Annotated[
        str | None,
        _MESSAGES(
            metavar="URL",
            parser=parsed_by(http_url),
            help="Send the run as a trace to this collector (OTLP over HTTP); its requests carry traceparent.",
        ),
    ] = None

    record: Annotated[str | None, _COMPARISON(metavar="NAME", help="Add the run to the baseline of this name.")] = None
    baseline: Annotated[
        str | None, _COMPARISON(metavar="NAME", help="Compare with this baseline or run; fail if worse.")
    ] = None

    def __post_init__(self) -> None:
        if self.quiet and self.verbose:
            raise typer.BadParameter("--quiet and --verbose exclude each other")
        if self.demo and self.stack is not None:
            raise typer.BadParameter("--demo and --stack exclude each other: each selects the stack")
        if self.layout and not self.demo:
            raise typer.BadParameter("--layout configures the embedded stack; add --demo")
        if not self.profiles and self.resume is None:
            raise typer.BadParameter("name a profile; the list: xnai-validate list", param_hint="PROFILE")
        for option, given in (("--demo", self.demo), ("--rerun", self.rerun), ("--dry-run", self.dry_run)):
            if given and self.resume is not None:
                raise typer.BadParameter(f"{option} and --resume exclude each other: resume the run on the same stack")
        if self.shard_times is not None and self.shard is None:
            raise typer.BadParameter("--shard-times is for --shard K/N")
        for option, refused in (("--rerun", self.rerun), ("--record", self.record), ("--baseline", self.baseline)):
            if refused and self.shard is not None:
                raise typer.BadParameter(f"{option} and --shard exclude each other: {_WHOLE[option]}")
        if self.defect and not self.demo:
            raise typer.BadParameter("--defect configures the embedded stack; add --demo")

    @property
    def detail(self) -> Detail:
        """How much the report shows."""
        return "quiet" if self.quiet else "verbose" if self.verbose else "normal"

    @property
    def failing(self) -> tuple[Status, ...]:
        """The statuses that fail the run."""
        more = [status for listed in self.fail_on or () for status in listed]
        return tuple(dict.fromkeys((Status.FAIL, *more)))

    @property
    def failing_if_none(self) -> bool:
        """Whether a run in which every check was skipped does not pass; by default in CI only."""
        in_ci = os.environ.get("CI", "").lower() in ("true", "1", "yes")
        return in_ci if self.fail_if_none is None else self.fail_if_none

    def load_options(
        self,
        stack: JsonObject | None = None,
        stack_file: Path | None = None,
        rerun: frozenset[str] | None = None,
    ) -> LoadOptions:
        """Return the part of the options that the loader of profiles takes.

        `stack` is the content of `stack_file`, if there is one; `rerun` are the ids of the checks to run again, if any.
        """
        return LoadOptions(
            paths=tuple(self.path or ()),
            targets=dict(self.target or ()),
            vars={**dict(self.var or ()), **({"alerts.listen": self.listen} if self.listen else {})},
            stack=stack,
            stack_file=stack_file,
            only=tuple(self.only or ()),
            tags=frozenset(self.tag or ()),
            skip_tags=frozenset(self.skip_tag or ()),
            rerun=rerun,
            allow=frozenset(self.allow or ()),
            strict=self.strict,
            allow_remote=self.allow_remote,
            wait_s=self.wait,
            workers=self.workers is not None,
            concurrency=self.concurrency,
            deadline_s=self.deadline,
            without_environment=self.dry_run,
            waivers=self.waivers,
            long_waivers=self.long,
        )
