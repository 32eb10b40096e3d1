"""A stack as a compose file or manifests describe it, in one form for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Condition = Literal["started", "healthy", "completed"]
LOOPBACK = "127.0.0.1"


class FromEnvironment(str):
    """A text with references to environment variables, `${NAME}`, that are written as they stand."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a service, and where it is published on the host."""

    container: int
    published: int | None = None
    """The port on the host; None where it is not published, or at a random port."""
    address: str | None = None
    """The host's address that it is published on; None for all of them."""
    protocol: str = "tcp"

    @property
    def is_public(self) -> bool:
        """Whether other hosts can reach it."""
        return self.published is not None and (self.address in (None, "0.0.0.0", "::", ""))

    @property
    def host(self) -> str:
        """The address by which this host reaches it."""
        return LOOPBACK if self.address in (None, "0.0.0.0", "::", "", "localhost") else str(self.address)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable in the environment of a service."""

    value: str | None
    """Null where it is taken from the environment of the one who starts the service."""
    names: tuple[str, ...] = ()
    """The variables of the compose file's own environment that its value is made of."""
    source: str = ""
    """What holds its value, such as a Secret."""


@dataclass(frozen=True, slots=True)
class HealthCommand:
    """The command by which a container finds out about its own health."""

    words: tuple[str, ...]
    """The command and its arguments; of a shell command, the whole text as one word."""
    in_shell: bool = False
    names: tuple[str, ...] = ()
    """The variables of the compose file's environment that it was made of."""


@dataclass(frozen=True, slots=True)
class Probe:
    """An HTTP or TCP probe, as Kubernetes declares it."""

    port: int
    path: str | None = None
    """None: a connection is enough."""
    scheme: str = "http"


@dataclass(frozen=True, slots=True)
class Service:
    """One part of the stack."""

    name: str
    image: str | None = None
    container: str | None = None
    """The name of its container, where that is fixed."""
    ports: tuple[Port, ...] = ()
    random_ports: tuple[int, ...] = ()
    """Its ports that are published on the host at ports of the engine's choice."""
    network: str = ""
    """`host`, or `service:NAME`: the network that it has in place of one of its own."""
    environment: Mapping[str, Variable] = field(default_factory=dict)
    command: str = ""
    command_names: tuple[str, ...] = ()
    """The variables that its command is made of."""
    restart: str = ""
    """When the engine starts its container again, such as `always`; empty where the file does not set it: never."""
    health: HealthCommand | None = None
    probe: Probe | None = None
    health_is_off: bool = False
    """Whether the health check of its image is switched off."""
    needs: Mapping[str, Condition] = field(default_factory=dict)
    """The services that must be there before it."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Secret -> where it comes from: `environment NAME` or `file PATH`."""
    replicas: int = 1
    notes: tuple[str, ...] = ()
    """What could not be read of it, and why."""

    @property
    def image_name(self) -> str:
        """The image without its registry's tag and digest, such as `library/postgres`."""
        name = (self.image or "").partition("@")[0]
        head, slash, tail = name.rpartition("/")
        return f"{head}{slash}{tail.partition(':')[0]}".lower()


@dataclass(frozen=True, slots=True)
class Project:
    """A whole stack."""

    name: str
    services: tuple[Service, ...]
    sources: tuple[str, ...]
    """The files that it was read from."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Service -> why it is not a part of what runs."""
    notes: tuple[str, ...] = ()
    engine: Literal["compose", "kubernetes"] = "compose"
    env_files: tuple[str, ...] = ()
    """The files of variables that it was read with, which have the values of its passwords."""
