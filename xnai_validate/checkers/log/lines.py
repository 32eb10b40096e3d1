"""`log.lines`: which lines a file or a container has written since the run or the check began."""

from __future__ import annotations

import os
import time
from collections.abc import Hashable, Mapping
from typing import Annotated, Literal

from xnai_validate.checkers.log._file import BEGINNING, Place, newest, pieces, place_of, since
from xnai_validate.checkers.log._scan import Scan
from xnai_validate.kit import (
    AfterValidator,
    Argument,
    Context,
    Count,
    Duration,
    Facts,
    Field,
    Ge,
    Le,
    NotApplicable,
    Params,
    Size,
    SocketPath,
    StringConstraints,
    TargetName,
    Unmeasurable,
    Waits,
    checker,
    model_validator,
    verified_regex,
)
from xnai_validate.wire.containers.engine import EngineError, NoSuchContainer, container_engine, find_socket
from xnai_validate.wire.containers.log import read_log

Regex = Annotated[str, AfterValidator(verified_regex)]
LogError = Literal["missing", "no_container"]
EVERY_S = 0.2
"""Seconds between two looks at a log that is watched."""
ANSWER_S = 10.0
"""Seconds that the engine may take for a log."""
_BEGAN: Hashable = ("log", "run began")


class LinesParams(Params):
    """The log, and which of its lines count."""

    path: Annotated[Argument, StringConstraints(min_length=1)] | None = None
    """The log file, with `~` for the home directory; relative ones begin in the current directory."""
    in_: TargetName | None = Field(None, alias="in")
    """The target whose container's log is read, instead of a file."""
    socket: SocketPath | None = None
    """With `in`: the path of the container engine's socket; by default DOCKER_HOST, then the usual places."""
    since: Literal["run", "check", "start"] = "run"
    """What is read: what was written since the run began, since the check began, or all that is there."""
    watch: Duration = 0.0
    """How long to wait for more lines after the check has begun."""
    until_matches: Annotated[int, Ge(1)] | None = None
    """Ends the waiting once that many lines match."""
    match: Regex | None = None
    """The regular expression that a line must match somewhere to count; by default every line counts."""
    ignore: Regex | None = None
    """Lines that match this do not count."""
    keep: Annotated[int, Ge(1), Le(100)] = 10
    """How many of the last lines that match are kept as evidence."""
    read_cap: Annotated[Size, Ge(1), Le(1024**3)] = 16 * 1024**2
    """Bytes that are read at most, of a file the newest ones; with more, `complete` is false."""

    @model_validator(mode="after")
    def _verify_params(self) -> LinesParams:
        """Raise ValueError for params that do not go together."""
        if (self.path is None) == (self.in_ is None):
            raise ValueError("set either `path`, or `in` for the log of a target's container")
        if self.since == "check" and not self.watch:
            raise ValueError("`since: check` needs `watch`: how long lines are waited for")
        if self.until_matches is not None and not self.watch:
            raise ValueError("`until_matches` needs `watch`: how long lines are waited for")
        return self


class Lines(Facts):
    """The lines that were written in that time."""

    error: LogError | None = None
    """`missing` without such a file, `no_container` where the engine knows no such container."""
    lines: Count | None = None
    """How many lines were written."""
    matches: Count | None = None
    """How many of them count."""
    first_match: str | None = None
    """The first line that counts."""
    last_lines: list[str] | None = None
    """The last lines that count."""
    complete: bool | None = None
    """Whether all was read; false beyond `read_cap`, and where a rotated file was emptied or is not found any more."""
    rotated: bool | None = None
    """Of a file: whether it was renamed, replaced or emptied since the run or the check began."""


def _notes(params: LinesParams) -> Mapping[Hashable, object]:
    """The size of the file when the run begins, or the time."""
    if params.since != "run":
        return {}
    if params.path is None:
        return {_BEGAN: time.time()}
    path = os.path.expanduser(params.path)
    try:
        return {("log", path): place_of(path)}
    except Unmeasurable:
        return {}  # the check reports it


def _waits(params: LinesParams, inner: object) -> Waits:
    """Return how long the check takes."""
    return Waits(usual_s=max(0.05, params.watch), longest_s=params.watch + ANSWER_S)


@checker("log.lines", target=False, expect={"error": None, "complete": True}, notes=_notes, waits=_waits)
async def lines(params: LinesParams, ctx: Context) -> Lines:
    """Count the lines of a log that were written since the run or the check began.

    A file may be rotated meanwhile: a renamed one is read to its end where it is still there. The log of a container
    is read by its engine (Docker Engine API, ContainerLogs). Lines are text in UTF-8, of which the first 4 000 bytes
    are read. Usually the check comes `after` those whose traces it looks for::

        kind: log.lines
        after: [query-answers]
        with: {in: api, match: "ERROR|Traceback", ignore: "known-and-accepted"}
        expect: {matches: 0}

        kind: log.lines
        with: {path: /var/log/worker.log, since: check, watch: 30s, match: heartbeat, until_matches: 1}
        expect: {matches: {min: 1}}
    """
    if params.in_ is not None:
        return await _read_container(params, params.in_, ctx)
    path = os.path.expanduser(params.path or "")  # noqa: ASYNC240  # reads no file
    place = _place(params, path, ctx)
    end_s = ctx.clock.monotonic() + params.watch
    while True:
        is_last = ctx.clock.monotonic() >= end_s
        facts = _scan_file(params, path, place)
        if is_last or _has_enough(params, facts):
            return facts
        await ctx.clock.sleep(min(EVERY_S, max(0.0, end_s - ctx.clock.monotonic())))


def _place(params: LinesParams, path: str, ctx: Context) -> Place:
    """Where the reading begins."""
    if params.since == "start":
        return BEGINNING
    noted = ctx.noted(("log", path)) if params.since == "run" else None
    if isinstance(noted, Place):
        return noted
    # Outside of a run, or where the file could not be looked at when it began: what the check itself sees.
    return place_of(path)


def _has_enough(params: LinesParams, facts: Lines) -> bool:
    """Whether as many lines match as are waited for."""
    return params.until_matches is not None and (facts.matches or 0) >= params.until_matches


def _scan_file(params: LinesParams, path: str, place: Place) -> Lines:
    """Scan what was written to the file since `place`: the newest `read_cap` bytes at most."""
    written = since(path, place)
    if written is None:
        return Lines(error="missing")
    scan = Scan(params.match, params.ignore, params.keep)
    kept = newest(written.parts, params.read_cap)
    for part in kept:
        for piece in pieces(part):
            scan.feed(piece)
        scan.finish()
    return _facts_of(scan, written.complete and kept == written.parts, written.rotated)


async def _read_container(params: LinesParams, name: str, ctx: Context) -> Lines:
    """Read the log of a container, again until enough lines match or the time is over."""
    target = ctx.target_named(name)
    if target.container is None:
        raise NotApplicable(f"no container is known for target {target.name}")
    began = ctx.noted(_BEGAN) if params.since == "run" else None
    since_s = None if params.since == "start" else began if isinstance(began, float) else ctx.clock.time()
    end_s = ctx.clock.monotonic() + params.watch
    async with container_engine(find_socket(params.socket), ANSWER_S) as engine:
        while True:
            is_last = ctx.clock.monotonic() >= end_s
            scan = Scan(params.match, params.ignore, params.keep)
            try:
                complete = await read_log(engine, target.container, since_s, params.read_cap, ANSWER_S, scan.feed)
            except NoSuchContainer:
                return Lines(error="no_container")
            except EngineError as error:
                raise Unmeasurable(f"the container engine gives no log: {error}") from None
            scan.finish()
            facts = _facts_of(scan, complete, None)
            if is_last or _has_enough(params, facts):
                return facts
            wait_s = EVERY_S if params.until_matches is not None else params.watch
            await ctx.clock.sleep(min(wait_s, max(0.0, end_s - ctx.clock.monotonic())))


def _facts_of(scan: Scan, complete: bool, rotated: bool | None) -> Lines:
    """Return the facts of a scanned log."""
    return Lines(
        lines=scan.lines,
        matches=scan.matches,
        first_match=scan.first,
        last_lines=list(scan.last),
        complete=complete,
        rotated=rotated,
    )
