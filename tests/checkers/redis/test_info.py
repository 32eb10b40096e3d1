"""`redis.info`."""

from __future__ import annotations

import pytest

from tests.checkers.redis.conftest import Server
from tests.checkers.redis_process import redis_server
from tests.context import observe


def test_info_has_state_and_limits(server: Server) -> None:
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
    """A replica is distinguished from a master, and its broken link is seen."""
    with redis_server("--replicaof", "127.0.0.1", "1") as (target, _):
        facts = observe("redis.info", target).facts
    assert (facts["role"], facts["master_link_up"]) == ("slave", False)
