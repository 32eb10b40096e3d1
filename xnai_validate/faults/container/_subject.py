"""The container that is disturbed, by its id at one engine, and what the engine says of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from xnai_validate.faults._reach import connects
from xnai_validate.kit import (
    Duration,
    FaultContext,
    Ge,
    Gone,
    Gt,
    JsonValue,
    Le,
    NotApplicable,
    Params,
    Undo,
    Unmeasurable,
)
from xnai_validate.wire.containers.answers import Inspection
from xnai_validate.wire.containers.engine import (
    Action,
    ContainerEngine,
    EngineError,
    NoSuchContainer,
    container_engine,
    find_socket,
)

CALL_S = 5.0
"""How long each answer of the engine may take, besides what it was told to wait itself."""
GRACE_CAP_S = 30
AGAIN_S = 0.1
"""Between two looks at a container that is to come back."""


class EngineParams(Params):
    """Which engine is asked."""

    socket: str | None = None
    """The path of the engine's socket; by default DOCKER_HOST, then the usual places of Docker and Podman."""


class EndParams(EngineParams):
    """How the container ends, and comes back."""

    grace: Annotated[int, Ge(0), Le(GRACE_CAP_S)] = 10
    """Whole seconds that its main process may take to end by itself, before it is killed."""
    within: Annotated[Duration, Gt(0), Le(60)] = 30.0
    """How long it may take until it runs again and takes connections at the target's url."""


class ContainerUndo(Undo):
    """Which container it was: the id, since another may be given the name meanwhile."""

    socket: str
    id: str
    within_s: float = 0.0

    @property
    def program(self) -> str:
        """The command that people use with this engine."""
        return "podman" if "podman" in self.socket else "docker"


async def container_of(params: EngineParams, ctx: FaultContext, within_s: float = 0.0) -> ContainerUndo:
    """The target's container, which runs and can be brought back.

    Raises NotApplicable where it is not known or does not run, Unmeasurable where somebody else has disturbed it, where
    it would be removed by its end, or where the engine gives no usable answer.
    """
    name = ctx.target.container
    if name is None:
        raise NotApplicable(f"no container is known for target {ctx.target.name}")
    undo = ContainerUndo(socket=_absolute(find_socket(params.socket)), id=name, within_s=within_s)
    async with asked(undo) as engine:
        try:
            seen = await engine.inspect(name)
        except NoSuchContainer:
            raise NotApplicable(f"{undo.program} knows no container {name}, that of {ctx.target.name}") from None
    refuse(seen, name)
    return undo.model_copy(update={"id": seen.id})


async def lasting_container_of(params: EndParams, ctx: FaultContext) -> ContainerUndo:
    """The same of one that is to end: it runs, and would still be there afterwards."""
    undo = await container_of(params, ctx, params.within)
    refuse_removal(await seen_now(undo), undo.id[:12])
    return undo


def _absolute(path: str) -> str:
    """It may be taken back by a process that runs in another folder."""
    return os.path.abspath(path)


def refuse(seen: Inspection, name: str) -> None:
    """Raise where a container is in no state to be disturbed."""
    status = status_of(seen)
    if status == "paused":
        raise Unmeasurable(f"container {name} is paused already", hint="unpause it first, if nobody needs it so")
    if status == "restarting":
        raise Unmeasurable(f"container {name} is being restarted again and again; its log tells why")
    if status != "running":
        raise NotApplicable(f"container {name} does not run ({status})")


def refuse_removal(seen: Inspection, name: str) -> None:
    """Raise where a container is removed as soon as it ends."""
    if seen.host_config is not None and seen.host_config.auto_remove:
        raise Unmeasurable(
            f"container {name} is removed when it ends (--rm), so it could not be brought back",
            hint="disturb it with container.pause, or make it without --rm",
        )


def status_of(seen: Inspection) -> str:
    """created, running, paused, restarting, removing, exited or dead, as both engines name them."""
    return seen.state.status or ("running" if seen.state.running else "exited")


@asynccontextmanager
async def asked(undo: ContainerUndo) -> AsyncIterator[ContainerEngine]:
    """The engine; what it fails to answer is told with its socket, but for an unknown container."""
    async with container_engine(undo.socket, CALL_S) as engine:
        try:
            yield engine
        except NoSuchContainer:
            raise
        except EngineError as error:
            raise Unmeasurable(
                f"the container engine gives no usable answer: {error.detail}",
                hint=f"does `{undo.program} ps` answer? The engine's own log tells more",
            ) from None


async def told(undo: ContainerUndo, action: Action, by_hand: str, grace_s: int | None = None) -> None:
    """Let the engine do something to the container.

    What it refuses is told with the command `by_hand`. Raises Gone where there is no such container any more.
    """
    async with container_engine(undo.socket, CALL_S) as engine:
        try:
            await engine.act(action, undo.id, grace_s=grace_s)
        except NoSuchContainer:
            raise Gone(f"the container {undo.id[:12]} was removed") from None
        except EngineError as error:
            command = f"{undo.program} {by_hand} {undo.id[:12]}"
            raise Unmeasurable(
                f"the container engine did not {action} {undo.id[:12]}: {error.detail}; by hand: {command}"
            ) from None


async def seen_now(undo: ContainerUndo) -> Inspection:
    """The container as it is now; raises Gone where it was removed."""
    async with asked(undo) as engine:
        try:
            return await engine.inspect(undo.id)
        except NoSuchContainer:
            raise Gone(f"the container {undo.id[:12]} was removed") from None


async def back_again(undo: ContainerUndo, ctx: FaultContext) -> None:
    """Start the container where it does not run, and wait until it takes connections.

    Its restart count is nobody's proof: the engine sets it to 0 when somebody starts a container.
    """
    end = ctx.clock.monotonic() + undo.within_s
    while True:
        status = status_of(await seen_now(undo))
        if status in ("exited", "created", "dead", "stopped"):
            await told(undo, "start", "start")
        elif status == "running" and await connects(ctx.target) is not False:
            return
        if ctx.clock.monotonic() >= end:
            raise Unmeasurable(f"{ctx.target.name} did not come back within {undo.within_s:g} s; it is {status}")
        await ctx.clock.sleep(AGAIN_S)


async def running_print(undo: ContainerUndo, ctx: FaultContext) -> JsonValue:
    """Whether it runs, is paused, and takes connections."""
    status = status_of(await seen_now(undo))
    return {"running": status == "running", "paused": status == "paused", "connects": await connects(ctx.target)}
