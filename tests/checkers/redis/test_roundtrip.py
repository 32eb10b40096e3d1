"""`redis.roundtrip`."""

from __future__ import annotations

import pytest

from tests.checkers.redis.conftest import Server
from tests.checkers.redis_process import redis_cluster, redis_server
from tests.context import observe
from xnai_validate.kit import Target
from xnai_validate.model.source_location import InvalidConfig


def test_roundtrip_leaves_nothing_behind(server: Server) -> None:
    """Written, read, expiring and deleted; afterwards the database is as before."""
    target, client = server
    seen = observe("redis.roundtrip", target, size="4KiB", db=2)
    assert seen.held, seen.findings
    assert seen.facts["written"] is True
    assert seen.facts["total_ms"] > 0
    assert client.info("keyspace") == {}


def test_roundtrip_gives_the_reason_of_a_refused_write() -> None:
    """A full server and a read-only replica refuse in their own words."""
    with redis_server("--maxmemory", "1", "--maxmemory-policy", "noeviction") as (target, _):
        full = observe("redis.roundtrip", target).facts
    assert (full["error"], full["error_detail"][:4]) == ("protocol", "OOM ")
    with redis_server("--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "yes") as (target, _):
        replica = observe("redis.roundtrip", target).facts
    assert (replica["error"], replica["error_detail"][:8]) == ("protocol", "READONLY")


def test_a_short_ttl_is_refused() -> None:
    """A time to live under a second is an error of the suite."""
    with pytest.raises(InvalidConfig, match="at least a second"):
        observe("redis.roundtrip", Target("redis", "redis://127.0.0.1:1"), ttl="500ms")


def test_roundtrips_on_a_cluster_reach_the_node_of_their_key() -> None:
    """The random key of each round trip is written, read and deleted on whichever node serves it."""
    with redis_cluster() as nodes:
        at = nodes[0][0]
        assert [observe("redis.roundtrip", at).held for _ in range(8)] == [True] * 8
        assert [client.dbsize() for _, client in nodes] == [0, 0, 0]
        writes = [client.info("commandstats").get("cmdstat_set", {}).get("calls", 0) for _, client in nodes]
    assert sum(1 for count in writes if count) >= 2, "all keys fell on one node"
