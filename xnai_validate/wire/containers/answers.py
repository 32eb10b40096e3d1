"""What a container engine answers about a container: the parts of it that are read here.

Source: Docker Engine API, answers of ContainerInspect and ContainerStats; Podman's "compat" API gives the same names.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from xnai_validate.model.frozen_model import FrozenModel


class Part(FrozenModel, extra="ignore"):
    """A part of an answer: fields that are not needed here are passed over, absent and null ones take the default."""


class Health(Part):
    """The result of the container's own health check."""

    status: str | None = Field(None, alias="Status")
    failing_streak: int | None = Field(None, alias="FailingStreak")


class State(Part):
    """The state of a container's main process."""

    status: str | None = Field(None, alias="Status")
    running: bool | None = Field(None, alias="Running")
    oom_killed: bool | None = Field(None, alias="OOMKilled")
    exit_code: int | None = Field(None, alias="ExitCode")
    pid: int | None = Field(None, alias="Pid")
    started_at: str | None = Field(None, alias="StartedAt")
    health: Health | None = Field(None, alias="Health")
    healthcheck: Health | None = Field(None, alias="Healthcheck")
    """The name that Podman before 4 gave it."""


class Config(Part):
    """What the container was made from."""

    image: str | None = Field(None, alias="Image")
    user: str | None = Field(None, alias="User")
    tty: bool | None = Field(None, alias="Tty")
    """Whether its main process has a terminal; then its output is not framed."""


class RestartPolicy(Part):
    """What the engine does when the main process ends."""

    name: str | None = Field(None, alias="Name")


class HostConfig(Part):
    """The limits and rights that the container was given."""

    memory: int | None = Field(None, alias="Memory")
    pids_limit: int | None = Field(None, alias="PidsLimit")
    privileged: bool | None = Field(None, alias="Privileged")
    readonly: bool | None = Field(None, alias="ReadonlyRootfs")
    restart_policy: RestartPolicy | None = Field(None, alias="RestartPolicy")
    auto_remove: bool | None = Field(None, alias="AutoRemove")
    """Whether the engine removes it when it ends."""


class PortBinding(Part):
    """Where a port of the container is published."""

    host_ip: str | None = Field(None, alias="HostIp")
    host_port: str | None = Field(None, alias="HostPort")


class NetworkSettings(Part):
    """The networks the container is in, and its ports."""

    networks: Mapping[str, object] | None = Field(None, alias="Networks")
    ports: Mapping[str, list[PortBinding] | None] | None = Field(None, alias="Ports")


class Inspection(Part):
    """What the engine knows about a container."""

    id: str = Field(alias="Id")
    state: State = Field(alias="State")
    restart_count: int | None = Field(None, alias="RestartCount")
    config: Config | None = Field(None, alias="Config")
    host_config: HostConfig | None = Field(None, alias="HostConfig")
    network_settings: NetworkSettings | None = Field(None, alias="NetworkSettings")


class MemoryStats(Part):
    """Bytes in use, the limit in force, and the counters of the control group."""

    usage: int | None = None
    limit: int | None = None
    stats: Mapping[str, object] | None = None

    @property
    def working_set(self) -> int | None:
        """Bytes in use without page cache that can be dropped, as `docker stats` counts them."""
        if self.usage is None:
            return None
        for name in ("total_inactive_file", "inactive_file"):  # control groups v1, v2
            cache = (self.stats or {}).get(name)
            if isinstance(cache, int) and cache < self.usage:
                return self.usage - cache
        return self.usage


class PidsStats(Part):
    """How many processes and threads the container has."""

    current: int | None = None


class Stats(Part):
    """One reading of a running container's use of resources."""

    memory: MemoryStats | None = Field(None, alias="memory_stats")
    pids: PidsStats | None = Field(None, alias="pids_stats")


class Listed(Part):
    """A container in the list of an engine."""

    id: str = Field(alias="Id")
    state: str | None = Field(None, alias="State")
    labels: Mapping[str, str] = Field(default_factory=dict, alias="Labels")

    @property
    def number(self) -> int:
        """The number of the container among those of its service."""
        text = self.labels.get("com.docker.compose.container-number", "")
        return int(text) if text.isdecimal() else 0


class ListedContainers(Part):
    """The answer of ContainerList, which is a list, under a name."""

    containers: tuple[Listed, ...]
