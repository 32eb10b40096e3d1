"""The ports of a service in every form.

Source: Compose Specification, services: ports (short `[HOST:]CONTAINER[/PROTOCOL]`, long) and expose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from xnai_validate.importing.project import Port
from xnai_validate.model.json import JsonValue

RANGE_CAP = 256
"""Ports of one range."""
_SHORT = re.compile(
    r"(?:(?P<address>\[[0-9a-fA-F:.]+\]|[0-9a-fA-F:.]*?|[A-Za-z][\w.-]*):)?"
    r"(?:(?P<host>\d+(?:-\d+)?)?:)?(?P<container>\d+(?:-\d+)?)(?:/(?P<protocol>\w+))?"
)


def ports_of(published: JsonValue, exposed: JsonValue) -> tuple[tuple[Port, ...], tuple[str, ...]]:
    """The ports under `ports` and `expose`, and a sentence for each entry that cannot be read."""
    ports: list[Port] = []
    notes: list[str] = []
    for item in published if isinstance(published, list) else ():
        try:
            for port in _parse_long(item) if isinstance(item, dict) else _parse_short(str(item)):
                if port not in ports:
                    ports.append(port)
        except ValueError as error:
            notes.append(f"the port {item}: {error}")
    for item in exposed if isinstance(exposed, list) else ():
        try:
            for port in _parse_short(str(item)):
                if (port.container, port.protocol) not in {(each.container, each.protocol) for each in ports}:
                    ports.append(Port(port.container, protocol=port.protocol))
        except ValueError as error:
            notes.append(f"the exposed port {item}: {error}")
    return tuple(ports), tuple(notes)


def _parse_short(text: str) -> Iterator[Port]:
    """Parse the short form, `[IP:][HOST:]CONTAINER[/PROTOCOL]`. Raises ValueError."""
    text = text.strip().removeprefix(":")
    match = _SHORT.fullmatch(text)
    if match is None:
        raise ValueError("it is neither HOST:CONTAINER nor a port")
    address, host = match["address"], match["host"]
    if host is None and address and address.replace("-", "").isdecimal():  # HOST:CONTAINER without an address
        address, host = None, address
    containers, hosts = _parse_range(match["container"]), _parse_range(host) if host else None
    address = address.strip("[]") if address else None
    yield from _pair_ports(containers, hosts, address or None, (match["protocol"] or "tcp").lower())


def _parse_long(item: dict[str, JsonValue]) -> Iterator[Port]:
    """Parse the long form, a mapping. Raises ValueError."""
    published = item.get("published")
    hosts = _parse_range(str(published)) if published not in (None, "", "0", 0) else None
    address = item.get("host_ip")
    yield from _pair_ports(
        _parse_range(str(item.get("target"))),
        hosts,
        str(address) if address else None,
        str(item.get("protocol") or "tcp"),
    )


def _pair_ports(containers: range, hosts: range | None, address: str | None, protocol: str) -> Iterator[Port]:
    """Yield a port for each pair of container and host port. Raises ValueError for ranges of different lengths."""
    if hosts is None:
        yield from (Port(port, None, address, protocol) for port in containers)
    elif len(hosts) == len(containers):
        yield from (Port(port, host, address, protocol) for port, host in zip(containers, hosts, strict=True))
    elif len(containers) == 1:
        yield Port(containers[0], None, address, protocol)  # one of the range, at the engine's choice
    else:
        raise ValueError("the two ranges are of different lengths")


def _parse_range(text: str) -> range:
    """Parse a port or a range of ports. Raises ValueError."""
    first, _, last = text.partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()):
        raise ValueError(f"{text} is not a port")
    ports = range(int(first), int(last or first) + 1)
    if not ports or ports[0] < 1 or ports[-1] > 65535 or len(ports) > RANGE_CAP:
        raise ValueError(f"{text} is not a port between 1 and 65535, or a range of more than {RANGE_CAP}")
    return ports
