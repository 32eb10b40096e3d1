"""Redis Cluster: commands reach the node that serves their key, and every master is known."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import pytest
import redis
from redis.crc import key_slot

from tests.checkers.beside import tcp_server
from tests.checkers.redis_process import cluster, redis_cluster, redis_server
from tests.wire.redis.scripted import PONG, Server, target, with_connection
from xnai_validate.kit import ErrorKind, Target
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.cluster import Node, masters, redirected
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import RedisRefusal, Reply

Nodes = list[tuple[Target, redis.Redis]]
KEYS = [f"key:{number}" for number in range(30)]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with redis_cluster() as found:
        yield found


def test_redirections_are_read_as_the_specification_writes_them() -> None:
    """MOVED and ASK name slot and node; without a host it is the one that answered; anything else stays an error."""
    texts = ["MOVED 1 10.0.0.2:6379", "ASK 1 ::1:6380", "MOVED 1 :7000", "MOVED to nowhere", "MOVED", "ERR MOVED 1 h:1"]
    replies: list[Reply] = [b"OK", *map(RedisRefusal, texts), RedisRefusal("MOVED 2 10.0.0.2:6379")]
    assert redirected(replies, "10.0.0.1") == {
        (Node("10.0.0.2", 6379), False): [1, 7],
        (Node("::1", 6380), True): [2],
        (Node("10.0.0.1", 7000), False): [3],
    }


def test_slots_name_the_masters() -> None:
    """The first node of each range is its master; ranges that do not cover every slot, and nonsense, are not whole."""
    first: Reply = [0, 8191, [b"10.0.0.2", 1, b"id"], [b"10.0.0.9", 9, b"id"]]
    second: Reply = [8192, 16383, [b"", 2, b"id"]]
    assert masters([first, second], "h") == ([Node("10.0.0.2", 1), Node("h", 2)], True)
    assert masters([first], "h") == ([Node("10.0.0.2", 1)], False)
    assert masters([[b"x"], 5, [0, 16383, []], None], "h") == ([], False)
    assert masters(RedisRefusal("ERR no"), "h") == ([], False)


def test_keys_are_found_on_whatever_node(nodes: Nodes) -> None:
    """Through one connection every key is written and read, each command of a pipeline with its own reply."""

    async def use(connection: RedisConnection) -> None:
        for key in KEYS[:10]:
            assert await connection.command("SET", key, f"of {key}") == b"OK"
        await connection.pipeline([("SET", key, f"of {key}") for key in KEYS])
        replies = await connection.pipeline([("GET", key) for key in KEYS])
        assert replies == [f"of {key}".encode() for key in KEYS]

    for at, _ in nodes:
        with_connection(at, use)
    assert sum(client.dbsize() for _, client in nodes) == len(KEYS)


def test_a_migrating_slot_is_followed_with_asking(nodes: Nodes) -> None:
    """While a slot moves, a key that is not at its old node any more is asked for at the new one (ASK)."""
    moving = "moving:key"
    slot = key_slot(moving.encode())
    ids = [cluster(client, "MYID") for _, client in nodes]
    old = slot // 5462
    new = (old + 1) % 3
    cluster(nodes[new][1], "SETSLOT", slot, "IMPORTING", ids[old])
    cluster(nodes[old][1], "SETSLOT", slot, "MIGRATING", ids[new])
    try:

        async def use(connection: RedisConnection) -> object:
            await connection.command("SET", moving, "there")
            return await connection.pipeline([("GET", moving), ("PING",), ("GET", moving)])

        assert with_connection(nodes[old][0], use) == [b"there", b"PONG", b"there"]
        assert nodes[old][1].dbsize() + nodes[new][1].dbsize() > 0
    finally:
        for _, client in nodes:
            cluster(client, "SETSLOT", slot, "STABLE")


def masters_of(at: Target) -> tuple[list[int], bool]:
    async def use(connection: RedisConnection) -> tuple[list[int], bool]:
        found, whole = await connection.masters()
        return [master.address.port for master in found], whole

    return with_connection(at, use)


def test_the_masters_of_a_cluster_and_of_a_single_server(nodes: Nodes) -> None:
    """A cluster has three, a server by itself is its own and whole; one that may not be asked is not whole."""
    ports = [at.port for at, _ in nodes]
    assert masters_of(nodes[1][0]) == (ports, True)
    with redis_server() as (single, _):
        assert masters_of(single) == ([single.port], True)
    nodes[0][1].acl_setuser("limited", enabled=True, passwords=["+word"], keys=["*"], commands=["+@all", "-cluster"])
    limited = replace(nodes[0][0], url=f"redis://limited@127.0.0.1:{ports[0]}", password="word")
    assert masters_of(limited) == ([ports[0]], False)


def failing(at: Target, use: Callable[[RedisConnection], Awaitable[object]]) -> WireError:
    with pytest.raises(WireError) as raised:
        with_connection(at, use)
    return raised.value


def test_a_node_that_does_not_answer_is_named() -> None:
    """Where the node that has the key cannot be reached, the error names it, and that it is of the cluster."""
    with tcp_server(Server(b"-MOVED 1 127.0.0.1:1\r\n")) as port:
        failure = failing(target(port), lambda connection: connection.command("GET", "a"))
    assert (failure.kind, "127.0.0.1:1 of the cluster" in failure.detail) == (ErrorKind.REFUSED, True)


def test_redirections_without_end_are_an_error() -> None:
    """Nodes that send a command to each other for ever are left after a few times, with the server's own words."""
    tries = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        while await reader.read(4096):
            tries += 1
            writer.write(b"-MOVED 1 127.0.0.1:%d\r\n" % writer.get_extra_info("sockname")[1])

    with tcp_server(talk) as port:
        failure = failing(target(port), lambda connection: connection.command("GET", "a"))
    assert failure.detail.startswith("MOVED 1 ")
    assert tries <= 10


def test_other_nodes_are_left_with_the_connection(nodes: Nodes) -> None:
    """Closing the connection closes those to other nodes, too."""
    client = nodes[0][1]
    before = [int(each.info("clients")["connected_clients"]) for _, each in nodes]

    async def use(connection: RedisConnection) -> None:
        await connection.pipeline([("GET", key) for key in KEYS])
        assert [int(each.info("clients")["connected_clients"]) for _, each in nodes] == [n + 1 for n in before]

    with_connection(nodes[0][0], use)
    for number, (_, each) in enumerate(nodes):
        for _ in range(100):
            if int(each.info("clients")["connected_clients"]) == before[number]:
                break
            asyncio.run(asyncio.sleep(0.02))
        else:
            raise AssertionError("a connection was left open")
    assert client.ping()


def test_a_server_that_is_no_cluster_is_queried_once() -> None:
    """MOVED stays the exception: a plain reply costs no further command."""
    server = Server(PONG)
    with tcp_server(server) as port:
        assert with_connection(target(port), lambda connection: connection.command("PING")) == b"PONG"
    assert len(server.came) == 1
