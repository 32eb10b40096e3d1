"""The container that a fault disturbs: found by name, then known by its id at one engine."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from xnai_validate.kit import FaultContext, Gone, NotApplicable, Params, SocketPath, Undo, Unmeasurable
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
"""How long each answer of the engine may take, in addition to the time that the engine is to wait itself."""


class EngineParams(Params):
    """The engine to use."""

    socket: SocketPath | None = None
    """The path of the engine's socket; by default DOCKER_HOST, then the usual places of Docker and Podman."""


class ContainerUndo(Undo):
    """The container by its id, since another container may get the same name meanwhile."""

    socket: str
    id: str
    within_s: float = 0.0

    @property
    def program(self) -> str:
        """The command that people use with this engine."""
        return "podman" if "podman" in self.socket else "docker"

    @property
    def short_id(self) -> str:
        """The id as `docker ps` shows it."""
        return self.id[:12]


async def running_container(params: EngineParams, ctx: FaultContext, within_s: float = 0.0) -> ContainerUndo:
    """Return the target's container, which runs.

    Raises NotApplicable if it is not known or does not run; Unmeasurable if it is paused or restarts again and again,
    or if the engine gives no usable answer.
    """
    name = ctx.target.container
    if name is None:
        raise NotApplicable(f"no container is known for target {ctx.target.name}")
    undo = ContainerUndo(socket=_absolute(find_socket(params.socket)), id=name, within_s=within_s)
    async with engine_of(undo) as engine:
        try:
            inspection = await engine.inspect(name)
        except NoSuchContainer:
            raise NotApplicable(f"{undo.program} knows no container {name}, that of {ctx.target.name}") from None
    _require_running(inspection, name)
    return undo.model_copy(update={"id": inspection.id})


def _absolute(path: str) -> str:
    """The path from the root: the fault may be reverted by a process that runs in another folder."""
    return os.path.abspath(path)


def _require_running(inspection: Inspection, name: str) -> None:
    """Raise Unmeasurable or NotApplicable unless the container runs."""
    status = status_of(inspection)
    if status == "paused":
        raise Unmeasurable(f"container {name} is paused already", hint="unpause it first, if that is not on purpose")
    if status == "restarting":
        raise Unmeasurable(f"container {name} is being restarted again and again; see its log for the cause")
    if status != "running":
        raise NotApplicable(f"container {name} does not run ({status})")


def status_of(inspection: Inspection) -> str:
    """Return created, running, paused, restarting, removing, exited or dead, as both engines name them."""
    return inspection.state.status or ("running" if inspection.state.running else "exited")


@asynccontextmanager
async def engine_of(undo: ContainerUndo) -> AsyncIterator[ContainerEngine]:
    """Open a client of the engine. Raises Unmeasurable for its errors, but NoSuchContainer as it is."""
    async with container_engine(undo.socket, CALL_S) as engine:
        try:
            yield engine
        except NoSuchContainer:
            raise
        except EngineError as error:
            raise Unmeasurable(
                f"the container engine gives no usable answer: {error.detail}",
                hint=f"does `{undo.program} ps` answer? The engine's own log has the details",
            ) from None


async def act(undo: ContainerUndo, action: Action, grace_s: int | None = None) -> None:
    """Let the engine perform an action on the container.

    Raises Unmeasurable with the command that does it by hand if the engine refuses, Gone if the container is removed.
    """
    async with container_engine(undo.socket, CALL_S) as engine:
        try:
            await engine.act(action, undo.id, grace_s=grace_s)
        except NoSuchContainer:
            raise _gone_error(undo) from None
        except EngineError as error:
            command = f"{undo.program} {action} {undo.short_id}"
            raise Unmeasurable(
                f"the container engine did not {action} {undo.short_id}: {error.detail}; by hand: {command}"
            ) from None


async def inspect(undo: ContainerUndo) -> Inspection:
    """Return the container's present state; raises Gone if it is removed."""
    async with engine_of(undo) as engine:
        try:
            return await engine.inspect(undo.id)
        except NoSuchContainer:
            raise _gone_error(undo) from None


def _gone_error(undo: ContainerUndo) -> Gone:
    """Return the error for a container that was removed."""
    return Gone(f"the container {undo.short_id} was removed")
