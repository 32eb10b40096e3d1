"""What the container engine knows about the container of a target."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, get_args

from xnai_validate.kit import (
    Context,
    Count,
    Duration,
    ErrorKind,
    Facts,
    Mebibytes,
    NotApplicable,
    Params,
    Percent,
    Seconds,
    SocketPath,
    checker,
)
from xnai_validate.wire.containers.answers import Inspection, PortBinding, Stats
from xnai_validate.wire.containers.engine import (
    EngineError,
    NoSuchContainer,
    container_engine,
    find_socket,
)
from xnai_validate.wire.containers.log import record_last_lines

MIB = 2**20
HealthWord = Literal["healthy", "unhealthy", "starting", "none"]


class StateParams(Params):
    """How the container is asked about."""

    socket: SocketPath | None = None
    """The path of the engine's socket; by default DOCKER_HOST, then the usual places of Docker and Podman."""
    usage: bool = True
    """Whether to read the use of memory too, which is a second request."""
    timeout: Duration = 5.0
    """How long each answer of the engine may take."""


class ContainerState(Facts):
    """A container as its engine sees it; facts are null where the container or the engine does not give them."""

    error: ErrorKind | None = None
    """Why the engine gave no usable answer."""
    error_detail: str | None = None
    """The error in the words of the engine or the operating system."""
    found: bool | None = None
    """Whether the engine knows the container."""
    running: bool | None = None
    """Whether its main process runs (a paused one does)."""
    replicas_running: Count | None = None
    """How many containers of the service run, where the target names a service as `project/service`."""
    status: str | None = None
    """created, running, paused, restarting, removing, exited or dead."""
    health: HealthWord | None = None
    """The result of the container's own health check; `none` without one."""
    health_failures: Count | None = None
    """How many times in a row its health check failed."""
    restarts: Count | None = None
    """How often the engine restarted it."""
    oom_killed: bool | None = None
    """Whether the kernel killed it to free memory."""
    exit_code: int | None = None
    """Of the last end of the main process; 0 while it runs."""
    pid: Count | None = None
    """The main process, as the engine's host numbers it; null when it does not run."""
    started_at: str | None = None
    """ISO 8601."""
    uptime_s: Seconds | None = None
    """Since the last start, while it runs."""
    image: str | None = None
    """The image it was made from, by the name that was asked for."""
    memory_limit_mib: Mebibytes | None = None
    """The limit it was given; null means unlimited."""
    memory_mib: Mebibytes | None = None
    """In use, without page cache that can be dropped."""
    memory_percent: Percent | None = None
    """In use, of its limit (of the host's memory where it has none)."""
    pids: Count | None = None
    """Processes and threads in it."""
    usage_error: str | None = None
    """Why the engine gave no use of memory and no number of processes, in its words."""
    pids_limit: Count | None = None
    """The most it may have; null means unlimited."""
    networks: list[str] | None = None
    """Names, in order."""
    ports: dict[str, str] | None = None
    """Port in the container (`8000/tcp`) -> where it is published; empty text where it is not."""
    restart_policy: str | None = None
    """no, always, on-failure or unless-stopped."""
    user: str | None = None
    """The user configured for its main process; an empty text means the image's own, mostly root."""
    privileged: bool | None = None
    """Whether it has all rights on the host."""
    readonly: bool | None = None
    """Whether its root file system cannot be written to."""


@checker("container.state", expect={"error": None, "found": True, "running": True})
async def state(params: StateParams, ctx: Context) -> ContainerState:
    """Ask Docker or Podman about the target's container: state, health, restarts, limits, memory, networks.

    Source: the Docker Engine API, which Podman serves too, on a Unix socket. A container that the engine does not know
    is `found: false`; where no engine is found the check is skipped.

        kind: container.state
        target: redis
        expect: {health: healthy, restarts: 0, oom_killed: false, memory_percent: {max: 90}}
    """
    name = ctx.target.container
    if name is None:
        raise NotApplicable(f"no container is known for target {ctx.target.name}")
    async with container_engine(find_socket(params.socket), params.timeout) as engine:
        try:
            listed = await engine.of_service(name) if "/" in name else None
            seen = await engine.inspect(name)
        except NoSuchContainer:
            return ContainerState(found=False)
        except EngineError as error:
            return ContainerState(error=error.kind, error_detail=error.detail[:500])
        stats, usage_error = None, None
        try:
            stats = await engine.stats(name) if params.usage and seen.state.running else None
        except NoSuchContainer:
            return ContainerState(found=False)
        except EngineError as error:
            # A rootless engine without delegated control groups cannot report them; all else is known.
            usage_error = error.detail[:500]
        if _has_trouble(seen):
            await record_last_lines(engine, name, params.timeout)
    replicas = sum(each.state == "running" for each in listed) if listed is not None else None
    return _facts_of(seen, stats, usage_error, ctx.clock.time(), replicas)


def _has_trouble(seen: Inspection) -> bool:
    """Whether the container does not run undisturbed: its log is likely to explain why."""
    health = seen.state.health or seen.state.healthcheck
    is_healthy = _health(health.status if health else None) in ("healthy", "none")
    return not (seen.state.running and is_healthy) or bool(seen.restart_count or seen.state.oom_killed)


def _facts_of(
    seen: Inspection, stats: Stats | None, usage_error: str | None, now_s: float, replicas: int | None
) -> ContainerState:
    """Return the facts of an inspected container."""
    main, host = seen.state, seen.host_config
    net = seen.network_settings
    started = _parse_instant(main.started_at)
    health = main.health or main.healthcheck
    limit, pids_limit = host and host.memory, host and host.pids_limit
    memory = stats.memory if stats else None
    used = memory.working_set if memory else None
    return ContainerState(
        found=True,
        running=main.running,
        replicas_running=replicas,
        status=main.status,
        health=_health(health.status if health else None),
        health_failures=health.failing_streak if health else None,
        restarts=seen.restart_count,
        oom_killed=main.oom_killed,
        usage_error=usage_error,
        exit_code=main.exit_code,
        pid=main.pid or None,
        started_at=started.isoformat() if started else None,
        uptime_s=max(0.0, now_s - started.timestamp()) if started and main.running else None,
        image=seen.config.image if seen.config else None,
        memory_limit_mib=limit / MIB if limit else None,
        memory_mib=used / MIB if used is not None else None,
        memory_percent=100 * used / memory.limit if memory and memory.limit and used is not None else None,
        pids=stats.pids.current if stats and stats.pids else None,
        pids_limit=pids_limit if pids_limit and pids_limit > 0 else None,
        networks=sorted(net.networks) if net and net.networks is not None else None,
        ports={port: _format_bindings(where) for port, where in net.ports.items()}
        if net and net.ports is not None
        else None,
        restart_policy=(host.restart_policy.name or "no") if host and host.restart_policy else None,
        user=seen.config.user if seen.config else None,
        privileged=host.privileged if host else None,
        readonly=host.readonly if host else None,
    )


def _health(status: str | None) -> HealthWord:
    """For a container without a health check Podman has an empty text, Docker nothing or `none`."""
    known: dict[str | None, HealthWord] = {word: word for word in get_args(HealthWord)}
    return known.get(status, "none")


def _parse_instant(text: str | None) -> datetime | None:
    """Parse an instant in ISO 8601, in UTC without a zone; None for the year 1, by which engines mean never."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC) if moment.year > 1 else None


def _format_bindings(bindings: list[PortBinding] | None) -> str:
    """List the addresses and ports of the host at which a port is published."""
    places = [
        f"{_bracket_ipv6(binding.host_ip or '0.0.0.0')}:{binding.host_port}"
        for binding in bindings or ()
        if binding.host_port
    ]
    return ", ".join(places)


def _bracket_ipv6(address: str) -> str:
    """Return an address as it stands before a port: IPv6 in brackets."""
    return f"[{address}]" if ":" in address else address
