"""Names in ASCII, by IDNA 2008, for every kind that looks one up or compares one."""

from __future__ import annotations

import socket

import pytest

from tests.context import observe
from xnai_validate.checkers.tls._x509 import covers
from xnai_validate.kit import Target
from xnai_validate.wire.net.names import ascii_host, tls_name


@pytest.mark.parametrize(
    ("name", "in_ascii"),
    [
        ("straße.example", "xn--strae-oqa.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("my_service", "my_service"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("fe80::1%eth0", "fe80::1%eth0"),
    ],
)
def test_a_name_in_ascii(name: str, in_ascii: str) -> None:
    """IDNA 2008 keeps what IDNA 2003 replaces: a sharp s is not ss."""
    assert ascii_host(name) == in_ascii


@pytest.mark.parametrize("kind", ["tcp.connect", "dns.resolve", "http.request"])
def test_every_kind_looks_the_same_name_up(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of the target as DNS has it."""
    looked_up: list[object] = []

    def look_up(host: object, *_: object, **__: object) -> list[object]:
        looked_up.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert observe(kind, Target("api", "http://straße.example")).facts["error"] == "dns"
    assert looked_up == ["xn--strae-oqa.example"]


@pytest.mark.parametrize("name", ["", ".app", "a..b", "a" * 64, "x." * 130, "a b", "-a"])
def test_what_tls_cannot_ask_for_is_no_name(name: str) -> None:
    """An error of the profile, not of the server."""
    with pytest.raises(ValueError, match="is not a host name"):
        tls_name(name)


def test_names_of_certificates_are_compared_in_ascii() -> None:
    """Without the dot at the end, in any letters."""
    assert covers("xn--bcher-kva.example", "bücher.example")
    assert covers("*.bücher.example", "www.xn--bcher-kva.example.")
    assert not covers("strasse.example", "straße.example")
