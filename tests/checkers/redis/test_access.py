"""How every kind of the family reaches a server: password, url, TLS, and servers that are not Redis."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.checkers.beside import beside, tcp_server
from tests.checkers.redis.conftest import Server
from tests.checkers.redis_process import PASSWORD, redis_server
from tests.context import observe
from xnai_validate.errors import NotApplicable, Unmeasurable
from xnai_validate.kit import Target, Tls


@pytest.mark.parametrize("kind", ["redis.ping", "redis.info", "redis.roundtrip", "redis.pubsub"])
@pytest.mark.parametrize("password", ["wrong", None])
def test_a_wrong_or_missing_password_is_auth(server: Server, kind: str, password: str | None) -> None:
    """Without the right password the error is auth, in the server's own words, and leads the findings."""
    seen = observe(kind, replace(server[0], password=password))
    assert seen.facts["error"] == "auth"
    assert ("WRONGPASS" if password else "NOAUTH") in seen.facts["error_detail"]
    assert (seen.findings[0].fact, seen.findings[0].held) == ("error", False)
    assert PASSWORD not in json.dumps(seen.facts, default=str)


def test_url_password_and_missing_url() -> None:
    """A password in the url serves too; no url is not applicable, another scheme cannot be measured."""
    with redis_server() as (target, _):
        url = f"redis://:{PASSWORD}@127.0.0.1:{target.port}"
        assert observe("redis.ping", Target("redis", url)).held
        assert observe("redis.ping", Target("redis", url.replace("//:", "//default:"))).held
    with pytest.raises(NotApplicable):
        observe("redis.ping", Target("redis"))
    with pytest.raises(Unmeasurable):
        observe("redis.ping", Target("redis", "http://127.0.0.1:1"))


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that is its own authority, and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "redis of tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


def test_rediss_is_redis_over_tls(server: Server, tmp_path: Path) -> None:
    """With the authority of the target every kind works; without it the error is tls; plain TCP gets nowhere."""
    cert, key = certificate(tmp_path)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", server[0].port)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(pump(reader, inner_writer))
                tasks.create_task(pump(inner_reader, writer))
        except* OSError:
            pass
        finally:
            writer.close()
            inner_writer.close()

    @asynccontextmanager
    async def terminator() -> AsyncIterator[int]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        async with await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context) as listening:
            yield listening.sockets[0].getsockname()[1]

    with beside(terminator) as port:
        trusted = Target("redis", f"rediss://127.0.0.1:{port}/0", password=PASSWORD, tls=Tls(ca=str(cert)))
        assert observe("redis.info", trusted).facts["tls"] is True
        assert observe("redis.roundtrip", trusted).held
        assert observe("redis.ping", replace(trusted, tls=Tls(verify=False))).held
        assert observe("redis.ping", replace(trusted, tls=Tls())).facts["error"] == "tls"
        plain = observe("redis.ping", replace(trusted, url=f"redis://127.0.0.1:{port}/0")).facts
        assert plain["error"] in ("reset", "protocol")


def test_servers_that_are_not_redis_are_distinguished() -> None:
    """Loading, an early end, another protocol, silence and no server are distinguished."""

    async def loading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            writer.write(b"-LOADING Redis is loading the dataset in memory\r\n")

    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)

    async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    found = {}
    for talk in (loading, early, http, mute):
        with tcp_server(talk) as port:
            target = Target("redis", f"redis://127.0.0.1:{port}")
            found[talk.__name__] = observe("redis.ping", target, timeout="300ms" if talk is mute else "10s").facts
    found["gone"] = observe("redis.ping", target).facts
    assert {name: facts["error"] for name, facts in found.items()} == {
        "loading": "protocol", "early": "reset", "http": "protocol", "mute": "timeout", "gone": "refused",
    }  # fmt: skip
    assert {name: facts["loading"] for name, facts in found.items() if facts["loading"] is not None} == {
        "loading": True
    }


def test_kinds_that_read_never_write(server: Server) -> None:
    """Whatever the reading kinds send is not a write command, by the server's own table."""
    target, client = server
    client.set("a", "1")
    client.xadd("s", {"a": "1"})
    client.xgroup_create("s", "g", id="0")
    client.xreadgroup("g", "c", {"s": ">"})
    client.config_resetstat()
    observe("redis.ping", target)
    observe("redis.info", target)
    observe("redis.key", target, key="a")
    observe("redis.keys", target, pattern="*")
    observe("redis.stream", target, key="s")
    sent = {name.removeprefix("cmdstat_").partition("|")[0] for name in client.info("commandstats")}
    table = client.command()
    assert {"ping", "info", "type", "scan", "xinfo"} <= sent
    assert [name for name in sorted(sent) if "write" in table[name]["flags"]] == []


def test_a_server_that_hangs_in_the_middle_is_a_time_out(server: Server) -> None:
    """A command that blocks ends at the time limit of the check, and its connection is gone."""
    target, client = server
    started = time.monotonic()
    facts = observe("redis.command", target, command=["BLPOP", "never", 0], timeout="300ms").facts
    assert facts["error"] == "timeout"
    assert time.monotonic() - started < 10
    deadline = time.monotonic() + 10
    while client.info("clients")["blocked_clients"] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert client.info("clients")["blocked_clients"] == 0
