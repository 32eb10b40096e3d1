"""Which process is behind a target, also after a supervisor has started it again with another pid."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import yaml

from xnai_validate.errors import NotApplicable, Unmeasurable
from xnai_validate.model.target import Target
from xnai_validate.wire.containers.engine import EngineError, NoSuchContainer, container_engine, find_socket
from xnai_validate.wire.containers.isolation import sees_host_processes

ENGINE_TIMEOUT_S = 5.0
_PORTS = {"http": 80, "https": 443, "redis": 6379, "rediss": 6379}
CLOCK_S = 1.0
"""How exactly the times of files and of processes are comparable."""
STATE_CAP = 1 << 20
"""Bytes of a stack file that are read at most."""


async def pid_of(target: Target, socket: str | None = None) -> int | None:
    """Return the pid of a target, else that of its container's main process; None if the container does not run.

    If a supervisor keeps a stack file up to date, the pid is read from it. A pid that no longer runs stands for the
    process that serves the target's port now: supervisors restart what was stopped. Raises NotApplicable if neither is
    known, or if the process cannot be seen from here, as from another machine or container; Unmeasurable if the
    container engine gives no usable answer.
    """
    if target.pid is not None:
        pid = kept_pid(target) or target.pid
        if _is_process_of(target, pid):
            return pid
        if not sees_host_processes():
            raise NotApplicable(
                f"process {pid} of target {target.name} cannot be seen from within this container",
                hint="run the container with --pid host",
            )
        return listener_of(target) or (None if psutil.pid_exists(pid) and not _is_zombie(pid) else pid)
    if target.container is None:
        raise NotApplicable(f"neither a pid nor a container is known for target {target.name}")
    async with container_engine(find_socket(socket), ENGINE_TIMEOUT_S) as engine:
        try:
            inspection = await engine.inspect(target.container)
        except NoSuchContainer:
            return None
        except EngineError as error:
            raise Unmeasurable(f"the container engine gives no pid of {target.container}: {error}") from None
    if not inspection.state.pid:
        return None
    if not is_of_container(inspection.state.pid, inspection.id):
        raise NotApplicable(
            f"the processes of container {target.container} cannot be seen from here",
            hint="run on the container's host, outside of any container",
        )
    return inspection.state.pid


def kept_pid(target: Target) -> int | None:
    """Return the pid of the target in its stack file as it is now; None without a file or an entry."""
    if target.state_file is None:
        return None
    with suppress(OSError, ValueError, KeyError, TypeError, yaml.YAMLError), Path(target.state_file).open("rb") as file:
        pid = _parsed(file.read(STATE_CAP))["targets"][target.name]["pid"]
        return pid if isinstance(pid, int) and pid > 0 else None
    return None


def _parsed(data: bytes) -> Any:
    """The content of a stack file, JSON or YAML."""
    try:
        return json.loads(data)
    except ValueError:
        return yaml.load(data, yaml.CSafeLoader)


def _is_process_of(target: Target, pid: int) -> bool:
    """Whether the pid is that of the target's process still: it runs, and it ran when the stack file was written.

    A pid is reused; a process that began later is another one.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        began_s = process.create_time()
    except psutil.Error:
        return False
    if target.state_file is None:
        return True
    with suppress(OSError):
        return began_s <= Path(target.state_file).stat().st_mtime + CLOCK_S
    return True


def _is_zombie(pid: int) -> bool:
    """Whether a process has ended and its parent has not fetched its exit code."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def listener_of(target: Target) -> int | None:
    """Return the pid of the process on this host that listens on the port of the target's url, if any.

    Of several, such as workers that share a socket, it is the oldest.
    """
    url = urlsplit(target.url or "")
    port = url.port or _PORTS.get(url.scheme)
    if port is None:
        return None
    listeners = [
        entry.pid
        for entry in psutil.net_connections("tcp")
        if entry.status == psutil.CONN_LISTEN and entry.laddr and entry.laddr.port == port and entry.pid is not None
    ]
    return min(listeners, default=None, key=_start_time)


def _start_time(pid: int) -> float:
    """Return when a process started, in seconds since 1970; infinity if it is gone."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return math.inf


def is_of_container(pid: int, container_id: str) -> bool:
    """Whether a pid that an engine reports is that process here: its control group then names the container."""
    try:
        return container_id in Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
