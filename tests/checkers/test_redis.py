"""The Redis family against a real server, and against sockets that only pretend."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from tests.checkers.beside import beside, tcp_server
from tests.checkers.redis_process import PASSWORD, redis_server
from tests.context import observe
from xnai_validate.errors import NotApplicable, Unmeasurable
from xnai_validate.kit import Target, Tls

Server = tuple[Target, redis.Redis]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with redis_server("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru") as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running[1].flushall()
    return running


def test_ping_tells_that_it_is_up_and_closed_to_strangers(server: Server) -> None:
    """All pings are answered, the times are there, and nobody comes in without the password."""
    seen = observe("redis.ping", server[0], count=5, window="100ms")
    facts = seen.facts
    assert seen.held, seen.findings
    assert (facts["sent"], facts["answered"], facts["lost"], facts["loading"]) == (5, 5, 0, False)
    assert 0 < facts["median_ms"] <= facts["max_ms"]
    assert facts["connect_ms"] > 0
    assert facts["open_without_password"] is False


@pytest.mark.parametrize("kind", ["redis.ping", "redis.info", "redis.roundtrip", "redis.pubsub"])
@pytest.mark.parametrize("password", ["wrong", None])
def test_a_wrong_or_missing_password_is_auth(server: Server, kind: str, password: str | None) -> None:
    """Without the right password the error is auth, in the server's own words, and leads the findings."""
    seen = observe(kind, replace(server[0], password=password))
    assert seen.facts["error"] == "auth"
    assert ("WRONGPASS" if password else "NOAUTH") in seen.facts["error_detail"]
    assert (seen.findings[0].fact, seen.findings[0].held) == ("error", False)
    assert PASSWORD not in json.dumps(seen.facts, default=str)


def test_a_server_without_a_password_is_open() -> None:
    """A server that asks nobody is told, and a password that it does not have is refused."""
    with redis_server(password=None) as (target, _):
        assert observe("redis.ping", target).facts["open_without_password"] is True
        with_one = observe("redis.ping", replace(target, password="rotated")).facts
        assert (with_one["error"], with_one["open_without_password"]) == ("auth", True)


def test_losses_are_counted_and_overcome() -> None:
    """A server that is silent on two connections loses two pings; those after them are answered, on a new one."""
    connections = 0

    async def waking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        silent = connections <= 2
        while await reader.read(1000):
            if not silent:
                writer.write(b"+PONG\r\n")

    with tcp_server(waking) as port:
        target = Target("redis", f"redis://127.0.0.1:{port}")
        facts = observe("redis.ping", target, count=6, timeout="1s", without_password=False).facts
    assert facts["lost"] >= 2
    assert facts["lost"] + facts["answered"] == 6
    assert facts["answered"] > 0
    assert facts["error"] == "timeout"


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


def test_sockets_that_are_no_redis() -> None:
    """Loading, an early end, another protocol, silence and nobody are told apart."""

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


def test_command_gives_the_reply_or_the_error(server: Server) -> None:
    """Replies of every type come as JSON; an error of the server is a fact of its own."""
    target, client = server
    client.set("name", "wert ü")
    client.rpush("list", "a", "b")
    assert observe("redis.command", target, command=["GET", "name"]).facts["reply"] == "wert ü"
    assert observe("redis.command", target, command=["LRANGE", "list", 0, -1]).facts["reply"] == ["a", "b"]
    assert observe("redis.command", target, command=["GET", "none"]).facts["reply"] is None
    wrong = observe("redis.command", target, command=["INCR", "list"])
    assert not wrong.held
    assert (wrong.facts["error"], wrong.facts["reply_error_code"]) == (None, "WRONGTYPE")
    other = observe("redis.command", target, command=["DBSIZE"], db=5).facts
    assert (other["reply"], other["total_ms"] > 0) == (0, True)
    few = observe("redis.command", target, command=["DBSIZE"], db=99).facts
    assert (few["error"], "out of range" in few["error_detail"]) == ("protocol", True)


def test_command_does_not_leak_into_other_checks(server: Server) -> None:
    """A command that changes its connection does so on one of its own."""
    target, client = server
    client.set("here", "1")
    assert observe("redis.command", target, command=["SELECT", 3]).facts["reply"] == "OK"
    assert observe("redis.key", target, key="here").facts["exists"] is True


def test_info_tells_state_and_limits(server: Server) -> None:
    """The fields of INFO come under their own names, with units."""
    target, client = server
    client.mset({"a": "1", "b": "2"})
    seen = observe("redis.info", target)
    facts = seen.facts
    assert seen.held
    info = client.info()  # Valkey also reports the version of Redis that it is compatible with
    assert facts["version"] == info.get("valkey_version", info["redis_version"])
    assert facts["server"] == ("valkey" if "valkey_version" in info else "redis")
    assert (facts["mode"], facts["role"], facts["tls"]) == ("standalone", "master", False)
    assert (facts["maxmemory_mib"], facts["maxmemory_policy"]) == (64, "allkeys-lru")
    assert 0 < facts["used_memory_mib"] < 64
    assert facts["memory_ratio"] == pytest.approx(facts["used_memory_mib"] / 64)
    assert (facts["keys"], facts["databases"]) == ({"0": 2}, 16)
    assert (facts["loading"], facts["rdb_last_save_ok"], facts["aof_enabled"]) == (False, True, False)
    assert facts["connected_clients"] >= 1
    assert 0 < facts["clients_ratio"] < 1
    assert facts["master_link_up"] is None


def test_info_of_a_replica_without_its_master(server: Server) -> None:
    """A replica is told from a master, and that its link is down."""
    with redis_server("--replicaof", "127.0.0.1", "1") as (target, _):
        facts = observe("redis.info", target).facts
    assert (facts["role"], facts["master_link_up"]) == ("slave", False)


def test_key_reads_every_type(server: Server) -> None:
    """Type, time to live and content are known for each type of Redis."""
    target, client = server
    state = {"state": "closed", "failure_count": 0}
    client.set("circuit_breaker:rag_api", json.dumps(state), ex=600)
    client.set("plain", "not json")
    client.rpush("list", "a", "b")
    client.hset("hash", mapping={"a": "1"})
    client.sadd("set", "x")
    client.zadd("zset", {"m": 1.5})
    client.xadd("stream", {"a": "1"})
    seen = observe("redis.key", target, key="circuit_breaker:rag_api", expect={"json": {"$.state": "closed"}})
    facts = seen.facts
    assert seen.held, seen.findings
    assert (facts["type"], facts["json"], facts["json_valid"], facts["expires"]) == ("string", state, True, True)
    assert 500 < facts["ttl_s"] <= 600
    assert (facts["length"], facts["text"]) == (len(json.dumps(state)), json.dumps(state))
    assert facts["size_bytes"] > facts["length"]
    plain = observe("redis.key", target, key="plain").facts
    assert (plain["json_valid"], plain["json"], plain["expires"], plain["ttl_s"]) == (False, None, False, None)
    found = {name: observe("redis.key", target, key=name).facts for name in ("list", "hash", "set", "zset", "stream")}
    assert {name: facts["type"] for name, facts in found.items()} == {name: name for name in found}
    assert {name: facts["json"] for name, facts in found.items()} == {
        "list": ["a", "b"], "hash": {"a": "1"}, "set": ["x"], "zset": {"m": 1.5}, "stream": None,
    }  # fmt: skip
    assert {name: facts["length"] for name, facts in found.items()} == {
        "list": 2, "hash": 1, "set": 1, "zset": 1, "stream": 1,
    }  # fmt: skip


def test_a_missing_key_fails_by_default(server: Server) -> None:
    """A key that is not there is measured, and fails unless that is expected."""
    missing = observe("redis.key", server[0], key="nothing")
    assert (missing.held, missing.facts["exists"], missing.facts["type"]) == (False, False, None)
    assert observe("redis.key", server[0], key="nothing", expect={"exists": False}).held


def test_keys_are_found_by_pattern(server: Server) -> None:
    """Types, times to live, contents and what is missing are told for all matches, and for them alone."""
    target, client = server
    for number in range(3):
        client.set(f"circuit_breaker:{number}", json.dumps({"state": "closed"}), ex=100 * (number + 1))
    client.set("circuit_breaker:bad", "{")
    client.rpush("circuit_breaker:list", "a")
    client.mset({f"other:{number}": "x" for number in range(2000)})
    facts = observe(
        "redis.keys", target, pattern="circuit_breaker:*", wanted=["circuit_breaker:0", "circuit_breaker:gone"]
    ).facts
    assert (facts["count"], facts["whole"]) == (5, True)
    assert facts["names"] == [f"circuit_breaker:{name}" for name in ("0", "1", "2", "bad", "list")]
    assert facts["missing"] == ["circuit_breaker:gone"]
    assert facts["types"] == {"string": 4, "list": 1}
    assert facts["without_ttl"] == ["circuit_breaker:bad", "circuit_breaker:list"]
    assert 50 < facts["min_ttl_s"] <= 100
    assert 250 < facts["max_ttl_s"] <= 300
    assert facts["invalid_json"] == ["circuit_breaker:bad"]
    assert facts["documents"] == {f"circuit_breaker:{number}": {"state": "closed"} for number in range(3)}
    few = observe("redis.keys", target, pattern="other:*", max_keys=50).facts
    assert (few["count"], few["whole"]) == (50, False)
    none = observe("redis.keys", target, pattern="nobody:*", wanted=["nobody:1"])
    assert (none.held, none.facts["count"], none.facts["missing"]) == (False, 0, ["nobody:1"])


def test_streams_and_their_groups(server: Server) -> None:
    """Length, ends, groups, pending entries and lag of a stream are known."""
    target, client = server
    ids = [client.xadd("xnai:alerts", {"n": str(number), "text": "ü"}) for number in range(5)]
    client.xgroup_create("xnai:alerts", "alert_handlers", id="0")
    client.xgroup_create("xnai:alerts", "idle", id="$")
    client.xreadgroup("alert_handlers", "one", {"xnai:alerts": ">"}, count=3)
    client.xack("xnai:alerts", "alert_handlers", str(ids[0]))
    time.sleep(0.05)
    facts = observe("redis.stream", target, key="xnai:alerts", tail=2).facts
    assert (facts["length"], facts["first_id"], facts["last_id"]) == (5, ids[0], ids[4])
    assert facts["last_entry"] == {"n": "4", "text": "ü"}
    assert [entry["id"] for entry in facts["entries"]] == ids[3:]
    assert facts["group_names"] == ["alert_handlers", "idle"]
    assert (facts["pending"], facts["max_pending"]) == ({"alert_handlers": 2, "idle": 0}, 2)
    assert (facts["lag"], facts["max_lag"]) == ({"alert_handlers": 2, "idle": 0}, 2)
    assert facts["consumers"] == {"alert_handlers": 1, "idle": 0}
    assert facts["groups"]["alert_handlers"]["last_delivered_id"] == ids[2]
    assert 50 <= facts["oldest_pending_ms"] < 60_000
    assert 0 < facts["last_entry_age_s"] < 60


def test_a_stream_without_groups_or_of_another_type(server: Server) -> None:
    """No groups is nothing pending; a list is no stream; an empty stream is a stream."""
    target, client = server
    entry = client.xadd("empty", {"a": "1"})
    client.xdel("empty", str(entry))
    client.rpush("list", "a")
    empty = observe("redis.stream", target, key="empty").facts
    assert (empty["exists"], empty["length"], empty["last_id"], empty["max_pending"]) == (True, 0, None, 0)
    other = observe("redis.stream", target, key="list").facts
    assert (other["exists"], other["type"], other["length"]) == (True, "list", None)
    assert not observe("redis.stream", target, key="nothing").held


def test_reading_kinds_never_write(server: Server) -> None:
    """Whatever the reading kinds send is no write command, by the server's own table."""
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


def test_roundtrip_leaves_nothing_behind(server: Server) -> None:
    """Written, read, expiring and deleted; afterwards the database is as before."""
    target, client = server
    seen = observe("redis.roundtrip", target, size="4KiB", db=2)
    assert seen.held, seen.findings
    assert seen.facts["written"] is True
    assert seen.facts["total_ms"] > 0
    assert client.info("keyspace") == {}


def test_roundtrip_tells_why_nothing_is_kept() -> None:
    """A full server and a read-only replica refuse in their own words."""
    with redis_server("--maxmemory", "1", "--maxmemory-policy", "noeviction") as (target, _):
        full = observe("redis.roundtrip", target).facts
    assert (full["error"], full["error_detail"][:4]) == ("protocol", "OOM ")
    with redis_server("--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "yes") as (target, _):
        replica = observe("redis.roundtrip", target).facts
    assert (replica["error"], replica["error_detail"][:8]) == ("protocol", "READONLY")


def test_a_short_ttl_is_refused() -> None:
    """A time to live under a second is a mistake of the profile."""
    with pytest.raises(ValidationError, match="a second at least"):
        observe("redis.roundtrip", Target("redis", "redis://127.0.0.1:1"), ttl="500ms")


def test_pubsub_passes_a_message(server: Server) -> None:
    """A message published on one connection comes on another."""
    seen = observe("redis.pubsub", server[0])
    assert seen.held, seen.findings
    assert seen.facts["receivers"] == 1
    assert seen.facts["delay_ms"] > 0


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
