"""Ports of compose files, in every form."""

from __future__ import annotations

import pytest

from xnai_validate.importing.compose.ports import ports_of
from xnai_validate.importing.project import Port
from xnai_validate.model.json import JsonValue


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("3000", [Port(3000)]),
        (3000, [Port(3000)]),
        ("3000-3001", [Port(3000), Port(3001)]),
        ("8000:80", [Port(80, 8000)]),
        ("9090-9091:80-81", [Port(80, 9090), Port(81, 9091)]),
        ("127.0.0.1:8001:81", [Port(81, 8001, "127.0.0.1")]),
        ("127.0.0.1::81", [Port(81, None, "127.0.0.1")]),
        ("[::1]:8001:81", [Port(81, 8001, "::1")]),
        ("6060:6060/udp", [Port(6060, 6060, None, "udp")]),
        (":2283:2283", [Port(2283, 2283)]),
        ("8000-8010:80", [Port(80)]),
        ({"target": 80, "published": "8080", "protocol": "tcp", "mode": "host"}, [Port(80, 8080)]),
        ({"target": 80, "host_ip": "127.0.0.1", "published": 8080}, [Port(80, 8080, "127.0.0.1")]),
        ({"target": 80}, [Port(80)]),
    ],
)
def test_every_form_is_read(entry: JsonValue, expected: list[Port]) -> None:
    """A range of hosts for one container has no known port."""
    assert ports_of([entry], None) == (tuple(expected), ())


def test_a_port_may_be_published_several_times() -> None:
    """At each of the host's ports that lead to it; the same entry twice is one."""
    ports, _ = ports_of(["80:80", "3000:80", "80:80"], ["80"])
    assert ports == (Port(80, 80), Port(80, 3000))


def test_exposed_ports_are_not_published() -> None:
    """A port that is published too is listed once."""
    assert ports_of(["8080:80"], ["80", "9000-9001/tcp"]) == ((Port(80, 8080), Port(9000), Port(9001)), ())


@pytest.mark.parametrize("entry", ["web", "0:80", "70000", "1-9999:80", "80-70:80-70", "1-2:1-3", {"target": "x"}])
def test_what_is_no_port_is_a_note(entry: JsonValue) -> None:
    """The other ports are read all the same."""
    ports, notes = ports_of([entry, "1:1"], None)
    assert ports[-1] == Port(1, 1)
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("port", "is_public", "host"),
    [
        (Port(80, 8080), True, "127.0.0.1"),
        (Port(80, 8080, "0.0.0.0"), True, "127.0.0.1"),
        (Port(80, 8080, "127.0.0.1"), False, "127.0.0.1"),
        (Port(80, 8080, "10.0.0.5"), False, "10.0.0.5"),
        (Port(80), False, "127.0.0.1"),
    ],
)
def test_where_a_port_is_reached(port: Port, is_public: bool, host: str) -> None:
    """Without an address it is on all of them, and this host reaches it on loopback."""
    assert (port.is_public, port.host) == (is_public, host)
