"""Run a command in a container, by the exec calls of its engine."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from time import perf_counter

from xnai_validate.checkers.command._ended import Ended, RunError
from xnai_validate.kit import Unmeasurable, process_id
from xnai_validate.wire.containers.engine import (
    ContainerEngine,
    EngineError,
    NoSuchContainer,
    NotRunning,
    container_engine,
    find_socket,
)
from xnai_validate.wire.containers.exec import ExecOutput, create_exec, inspect_exec, start_exec
from xnai_validate.wire.containers.processes import is_of_container

CALL_TIMEOUT_S = 5.0
"""Seconds for each call of the engine that does not wait for the command."""
END_S = 2.0
"""Seconds after the end of its output within which a command is to end."""
_NEVER_BEGAN = (b"OCI runtime exec failed", b"OCI runtime error")
"""How the output of a command begins that the engine could not start, where it reports that as output."""


async def run_in_container(
    container: str,
    argv: Sequence[str],
    timeout_s: float,
    output_cap: int,
    *,
    cwd: str | None,
    env: Mapping[str, str],
    user: str | None,
    socket: str | None,
) -> Ended:
    """Run a command in a container; raises Unmeasurable where the engine gives no usable answer.

    Engines have no call that ends a command. What is not at its end after `timeout_s` is killed where its processes
    are visible from here, as for root on the container's host; else the detail of the error reports that it may go on.
    """
    async with container_engine(find_socket(socket), CALL_TIMEOUT_S) as engine:
        output = ExecOutput(output_cap)
        try:
            id_ = await create_exec(engine, container, argv, cwd=cwd, env=env, user=user)
            started = perf_counter()
            try:
                async with asyncio.timeout(timeout_s):
                    await start_exec(engine, id_, output)
            except TimeoutError:
                return _read_exit(output, started, RunError.TIMEOUT, await _kill(engine, id_, timeout_s))
            except EngineError as error:
                if isinstance(error, NoSuchContainer | NotRunning) or not _is_no_program(error.detail):
                    raise
                return Ended(RunError.NOT_FOUND, error.detail)
            code = await _exit_code(engine, id_)
        except NoSuchContainer:
            return Ended(RunError.NO_CONTAINER, f"the engine knows no container {container}")
        except NotRunning as error:
            return Ended(RunError.NOT_RUNNING, error.detail)
        except EngineError as error:
            raise Unmeasurable(f"the container engine did not run the command: {error}") from None
    if code in (126, 127) and bytes(output.stdout).startswith(_NEVER_BEGAN):
        why = RunError.NOT_FOUND if code == 127 else RunError.NOT_EXECUTABLE
        return Ended(why, bytes(output.stdout).decode("utf-8", "replace").strip()[:500])
    return _read_exit(output, started, exit_code=code)


def _read_exit(
    output: ExecOutput,
    started: float,
    error: RunError | None = None,
    detail: str | None = None,
    exit_code: int | None = None,
) -> Ended:
    """Return how a command in a container ended, with the output that came."""
    return Ended(
        error=error,
        error_detail=detail,
        exit_code=exit_code,
        stdout=bytes(output.stdout),
        stderr=bytes(output.stderr),
        truncated=output.truncated,
        elapsed_ms=(perf_counter() - started) * 1000,
    )


async def _exit_code(engine: ContainerEngine, id_: str) -> int:
    """The exit code, once there is one: the output may end a moment before the command does."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + END_S
    while True:
        state = await inspect_exec(engine, id_)
        if state.exit_code is not None and not state.running:
            return state.exit_code
        if loop.time() > until_s:
            raise Unmeasurable("the command has closed its output and goes on; its exit code is not known")
        await asyncio.sleep(0.05)


async def _kill(engine: ContainerEngine, id_: str, timeout_s: float) -> str:
    """Kill the command with its descendants where they are visible; return what happened, in words."""
    detail = f"not at its end after {timeout_s:g} s"
    with suppress(EngineError, PermissionError):
        state = await inspect_exec(engine, id_)
        if not state.running:
            return detail
        process = process_id(state.pid) if state.pid else None
        if process is not None and state.container_id and is_of_container(process.pid, state.container_id):
            for each in reversed(process.tree()):
                each.send(signal.SIGKILL)
            return f"{detail}; it was killed"
    return f"{detail}; it may still run in the container, whose processes cannot be seen from here"


def _is_no_program(detail: str) -> bool:
    """Whether an engine refused because the container has no such program; Docker and Podman word it so."""
    return "executable file" in detail and "not found" in detail
