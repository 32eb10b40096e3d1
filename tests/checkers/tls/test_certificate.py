"""`tls.certificate` against servers with good and bad certificates."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.certificates import Authority, authority
from tests.checkers.beside import tcp_server
from tests.context import observe
from tests.scripted import Line, ReceivedRequest, scripted
from xnai_validate.checkers.tls._x509 import covers
from xnai_validate.errors import NotApplicable, Unmeasurable
from xnai_validate.kit import Target, Tls


@pytest.fixture(name="ours")
def _ours(tmp_path: Path) -> Authority:
    return authority(tmp_path)


async def patient(request: ReceivedRequest, line: Line) -> bool:
    """Send nothing: the handshake is all."""
    return False


@contextmanager
def tls_server(context: ssl.SSLContext) -> Iterator[int]:
    """A TLS server that waits for its client to leave; gives its port."""
    with scripted(patient, context=context) as server:
        yield server.port


def test_a_good_certificate_is_verified_and_read(ours: Authority) -> None:
    """Authority, names, dates, key and session of a certificate that may be trusted - for rediss as for https."""
    with tls_server(ours.server("127.0.0.1", "redis.stack", days=20)) as port:
        target = Target("redis", f"rediss://127.0.0.1:{port}/0", tls=Tls(ca=ours.ca))
        seen = observe("tls.certificate", target, expect={"days_left": {"min": 7}})
    assert seen.held
    facts = seen.facts
    assert facts["verified"] is True
    assert facts["verify_error"] is None
    assert (facts["subject"], facts["issuer"]) == ("CN=a server", "CN=a test authority")
    assert facts["names"] == ["redis.stack", "127.0.0.1"]
    assert (facts["name_matches"], facts["self_signed"]) == (True, False)
    assert 19.9 < facts["days_left"] < 20
    assert facts["not_before"] < facts["not_after"]
    assert facts["not_after"].endswith("Z")
    assert (facts["protocol"], facts["key_type"], facts["key_bits"]) == ("TLSv1.3", "EC", 256)
    assert facts["handshake_ms"] > 0


def test_an_unknown_authority_is_not_trusted_but_read(ours: Authority) -> None:
    """The certificate is known although it does not verify; `verify: false` of the target changes no fact."""
    with tls_server(ours.server("127.0.0.1")) as port:
        url = f"https://127.0.0.1:{port}"
        seen = observe("tls.certificate", Target("api", url))
        lax = observe("tls.certificate", Target("api", url, tls=Tls(verify=False)))
    for outcome in (seen, lax):
        assert (outcome.facts["error"], outcome.facts["verified"], outcome.held) == (None, False, False)
        assert "issuer" in outcome.facts["verify_error"]
        assert (outcome.facts["names"], outcome.facts["name_matches"]) == (["127.0.0.1"], True)


def test_an_expired_certificate_has_no_days_left(ours: Authority) -> None:
    """Its end lies behind, and that is why it is not verified."""
    with tls_server(ours.server("127.0.0.1", days=-2)) as port:
        facts = observe("tls.certificate", Target("api", f"https://127.0.0.1:{port}", tls=Tls(ca=ours.ca))).facts
    assert (facts["verified"], facts["error"]) == (False, None)
    assert -2.1 < facts["days_left"] < -1.9
    assert "expired" in facts["verify_error"]


def test_a_certificate_for_another_name_does_not_match(ours: Authority) -> None:
    """The name that is asked for decides: the host, or the target's server name, or the param."""
    with tls_server(ours.server("*.xnai.stack")) as port:
        url = f"https://127.0.0.1:{port}"
        wrong = observe("tls.certificate", Target("api", url, tls=Tls(ca=ours.ca))).facts
        right = observe("tls.certificate", Target("api", url, tls=Tls(ca=ours.ca, server_name="api.xnai.stack"))).facts
        given = observe(
            "tls.certificate", Target("api", url, tls=Tls(ca=ours.ca)), server_name="x.api.xnai.stack"
        ).facts
    assert (wrong["verified"], wrong["name_matches"]) == (False, False)
    assert (right["verified"], right["name_matches"]) == (True, True)
    assert (given["verified"], given["name_matches"]) == (False, False)


def test_a_self_signed_certificate_is_named(ours: Authority) -> None:
    """Self-signed, and therefore not trusted."""
    with tls_server(ours.server("127.0.0.1", self_signed=True)) as port:
        facts = observe("tls.certificate", Target("api", f"https://127.0.0.1:{port}", tls=Tls(ca=ours.ca))).facts
    assert (facts["self_signed"], facts["verified"]) == (True, False)


def test_a_server_without_tls_is_an_error() -> None:
    """A plain server, a silent one and a closed port are distinguished, and nothing else is claimed."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"-ERR Protocol error\r\n")
        await writer.drain()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    with tcp_server(plain) as port:
        spoken = observe("tls.certificate", Target("redis", f"rediss://127.0.0.1:{port}")).facts
    with tcp_server(silent) as port:
        hushed = observe("tls.certificate", Target("redis", f"rediss://127.0.0.1:{port}"), timeout="0.3s").facts
    closed = observe("tls.certificate", Target("redis", f"rediss://127.0.0.1:{port}")).facts
    assert [facts["error"] for facts in (spoken, hushed, closed)] == ["tls", "timeout", "refused"]
    assert {spoken[name] for name in spoken if not name.startswith("error")} == {None}


def test_what_cannot_be_measured_is_reported(tmp_path: Path) -> None:
    """An authority that cannot be read is not a verdict on the server; a target without host is not applicable."""
    target = Target("api", "https://127.0.0.1:9", tls=Tls(ca=str(tmp_path / "none.pem")))
    with pytest.raises(Unmeasurable, match="authority"):
        observe("tls.certificate", target)
    with pytest.raises(NotApplicable):
        observe("tls.certificate", Target("worker", pid=1))


@pytest.mark.parametrize(
    ("pattern", "name", "covered"),
    [
        ("api.stack", "API.stack.", True),
        ("*.xnai.stack", "api.xnai.stack", True),
        ("*.xnai.stack", "a.api.xnai.stack", False),
        ("*.xnai.stack", "xnai.stack", False),
        ("*.stack", "api.stack", False),
        ("a*.xnai.stack", "api.xnai.stack", False),
        ("*.0.0.1", "127.0.0.1", False),
        ("::1", "0:0:0:0:0:0:0:1", True),
        ("api.stack", "::1", False),
    ],
)
def test_a_wildcard_is_one_whole_label(pattern: str, name: str, covered: bool) -> None:
    """RFC 9525: the left-most label only, never a part of it, never an address."""
    assert covers(pattern, name) is covered
