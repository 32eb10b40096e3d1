"""`command.run`: one command, on this host or in a container, with its exit code and output."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.checkers.command._container import run_in_container
from xnai_validate.checkers.command._ended import Ended, RunError
from xnai_validate.checkers.command._process import run_here
from xnai_validate.kit import (
    Argument,
    Context,
    Count,
    Duration,
    Facts,
    Field,
    Ge,
    JsonValue,
    Le,
    Milliseconds,
    NotApplicable,
    Params,
    Size,
    SocketPath,
    StringConstraints,
    TargetName,
    checker,
    model_validator,
)
from xnai_validate.wire.content import json_text_of, text_of

OUTPUT_CAP = 64 * 1024


class Command(Params):
    """The command, and where it runs."""

    command: Annotated[Argument, Field(min_length=1)] | Annotated[list[Argument], Field(min_length=1, max_length=1_000)]
    """The program and its arguments: `[pg_isready, -h, db]`; with `shell: true` one text: `"df / | tail -1"`."""
    shell: bool = False
    """Whether `command` is a text for `sh -c`; without it no character has a special meaning."""
    in_: TargetName | None = Field(None, alias="in")
    """The target in whose container the command runs; by default it runs on this host."""
    socket: SocketPath | None = None
    """With `in`: the path of the container engine's socket; by default DOCKER_HOST, then the usual places."""
    user: str | None = None
    """With `in`: the user (or `user:group`) that runs it; by default that of the container."""
    cwd: Annotated[Argument, StringConstraints(min_length=1)] | None = None
    """The directory to run in; by default the current one, or the container's own."""
    env: dict[Argument, Argument] = Field(default_factory=dict)
    """Environment variables, besides those that are set already; values under secret names are masked in reports."""
    stdin: str | None = None
    """The text on its standard input, which is empty by default; not with `in`."""
    timeout: Duration = 10.0
    """How long it may take; then it and all the processes that it has started are killed."""
    output_cap: Annotated[Size, Ge(1), Le(16 * 1024 * 1024)] = OUTPUT_CAP
    """Bytes of stdout and of stderr that are kept, each; what follows is read and dropped."""

    @model_validator(mode="after")
    def _verify_params(self) -> Command:
        """Raise ValueError for params that do not go together."""
        if self.shell != isinstance(self.command, str):
            form = "one text" if self.shell else "a list: the program and its arguments, or `shell: true`"
            raise ValueError(f"command takes {form}")
        if self.in_ is None and (self.socket or self.user):
            raise ValueError("socket and user belong to `in: TARGET`")
        if self.in_ is not None and self.stdin is not None:
            raise ValueError("stdin cannot be sent into a container; pass the text in `env`")
        return self

    @property
    def argv(self) -> tuple[str, ...]:
        """The program and its arguments."""
        return ("/bin/sh", "-c", self.command) if isinstance(self.command, str) else tuple(self.command)


class CommandResult(Facts):
    """How the command ended, and its output."""

    error: RunError | None
    """Why it did not run to its end."""
    error_detail: str | None
    """The error in words."""
    exit_code: int | None
    """Its exit code; null if it did not end by itself."""
    signal: str | None
    """The signal that ended it, such as `SIGKILL`; in a container that is an exit code above 128 instead."""
    stdout: str | None
    """Its standard output as text, without the line ends at the end."""
    stderr: str | None
    """Its standard error, likewise."""
    json_: JsonValue = Field(alias="json")
    """The standard output as a JSON document; null where it is not JSON."""
    json_valid: bool | None
    """Whether the standard output is a JSON document."""
    json_detail: str | None
    """Why the output is not JSON, and how it begins."""
    lines: Count | None
    """The number of lines of the standard output that was kept."""
    truncated: bool | None
    """Whether stdout or stderr was larger than `output_cap`; their beginning is kept."""
    elapsed_ms: Milliseconds | None
    """From its start to its end."""


@checker("command.run", target=False, expect={"error": None, "exit_code": 0})
async def run(params: Command, ctx: Context) -> CommandResult:
    """Run a command and take its exit code and output.

    In a container it runs by the exec calls of the engine (Docker Engine API, ContainerExec and ExecStart), as `docker
    exec` does. On this host it runs in a process group of its own, which is killed as a whole when its time is over
    and also when it has ended: it leaves no process behind.

    A command needs no consent by `--allow`: unlike a fault it is not undone afterwards, and only its author knows what
    it does; most only read. A suite with commands is a program: run it as you would run a Makefile, and mark a check
    whose command changes the stack with `disruptive: true`. Then it runs alone, and only with `--allow disruptive`.

        kind: command.run
        with: {command: [pg_isready, --quiet], in: postgres, timeout: 3s}

        kind: command.run
        with: {command: "systemctl list-units --failed --output=json | head -c 10000", shell: true}
        expect: {json: {"$": {length: 0}}}
    """
    if params.in_ is None:
        ended = await run_here(
            params.argv, params.timeout, params.output_cap, cwd=params.cwd, env=params.env, stdin=params.stdin
        )
        return _facts_of(ended, params)
    target = ctx.target_named(params.in_)
    if target.container is None:
        raise NotApplicable(f"no container is known for target {target.name}")
    ended = await run_in_container(
        target.container,
        params.argv,
        params.timeout,
        params.output_cap,
        cwd=params.cwd,
        env=params.env,
        user=params.user,
        socket=params.socket,
    )
    return _facts_of(ended, params)


def _facts_of(ended: Ended, params: Command) -> CommandResult:
    """Return the facts of a command that has ended."""
    stdout = _decode_output(ended.stdout, params.output_cap)
    parsed = json_text_of(ended.stdout) if ended.stdout is not None else None
    return CommandResult(
        error=ended.error,
        error_detail=ended.error_detail,
        exit_code=ended.exit_code,
        signal=ended.signal,
        stdout=stdout,
        stderr=_decode_output(ended.stderr, params.output_cap),
        json=parsed.value if parsed else None,
        json_valid=parsed.is_json if parsed else None,
        json_detail=parsed.error if parsed else None,
        lines=len(stdout.splitlines()) if stdout is not None else None,
        truncated=ended.truncated,
        elapsed_ms=ended.elapsed_ms,
    )


def _decode_output(output: bytes | None, cap: int) -> str | None:
    """Decode output up to a cap, without the line break at its end."""
    return None if output is None else text_of(output, None, cap).rstrip("\r\n")
