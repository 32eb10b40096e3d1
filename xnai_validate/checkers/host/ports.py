"""Which process listens on a port of this machine."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from xnai_validate.kit import Context, Facts, Field, Ge, Le, NotApplicable, Params, Unmeasurable, checker
from xnai_validate.wire.containers.isolation import in_image

Port = Annotated[int, Ge(1), Le(65535)]


class PortsParams(Params):
    """The ports that are looked for."""

    ports: list[Port] = Field(default_factory=list)
    """TCP ports; by default that of the target's url."""


class Ports(Facts):
    """The ports that were looked for, as keys of text."""

    listening: list[int]
    """Those that some process listens on."""
    free: list[int]
    """Those on which no process listens."""
    beyond_loopback: list[int]
    """Those that are reached from other machines too, as far as no packet filter forbids it."""
    addresses: dict[str, list[str]]
    """Port -> the addresses that are listened on."""
    pids: dict[str, int]
    """Port -> the process that listens; left out where its user's rights would be needed to know."""
    names: dict[str, str]
    """Port -> the name of that process's program."""


@checker("host.ports", expect={"free": []}, target=False)
async def measure_ports(params: PortsParams, ctx: Context) -> Ports:
    """List the ports of this machine on which processes listen, which processes, and from where they can be reached.

    Source: the kernel's table of TCP sockets, through psutil.

        kind: host.ports
        with: {ports: [6379]}
        expect: {listening: [6379], beyond_loopback: []}
    """
    import psutil

    ports = list(dict.fromkeys(params.ports or ([ctx.target.port] if ctx.target.port else [])))
    if not ports:
        raise NotApplicable(f"no port is known for target {ctx.target.name}")
    try:
        table = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        raise Unmeasurable("no permission to list the sockets of this machine", hint="run as root") from None
    addresses: dict[int, set[str]] = {port: set() for port in ports}
    pids: dict[int, int] = {}
    for connection in table:
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port in addresses:
            addresses[connection.laddr.port].add(connection.laddr.ip)
            if connection.pid is not None:
                pids[connection.laddr.port] = connection.pid
    names: dict[str, str] = {}
    for port, pid in pids.items():
        try:
            names[str(port)] = psutil.Process(pid).name()
        except psutil.Error:
            continue  # ended since it was listed
    free = [port for port in ports if not addresses[port]]
    if free and in_image():
        raise NotApplicable(
            f"port {free[0]} is not one of this container's network", hint="run the container with --network host"
        )
    return Ports(
        listening=[port for port in ports if addresses[port]],
        free=free,
        beyond_loopback=[port for port in ports if any(not _is_loopback(address) for address in addresses[port])],
        addresses={str(port): sorted(where) for port, where in addresses.items() if where},
        pids={str(port): pid for port, pid in sorted(pids.items())},
        names=names,
    )


def _is_loopback(address: str) -> bool:
    """Whether an address is one of loopback, also as IPv4 mapped to IPv6."""
    plain = ip_address(address.partition("%")[0])
    mapped = getattr(plain, "ipv4_mapped", None)
    return (mapped or plain).is_loopback
