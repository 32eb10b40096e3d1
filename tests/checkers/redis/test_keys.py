"""`redis.keys`."""

from __future__ import annotations

import json

import redis

from tests.checkers.redis.conftest import Server
from tests.checkers.redis_process import redis_cluster
from tests.context import observe


def test_keys_are_found_by_pattern(server: Server) -> None:
    """Types, times to live, contents and what is missing are reported for all matches, and for them alone."""
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


def test_keys_of_a_cluster_are_found_on_every_master() -> None:
    """All keys count wherever they are, and the look is whole; with a master that is gone the error names it."""
    with redis_cluster() as nodes:
        names = [f"user:{number}" for number in range(12)]
        held = {name: next(client for _, client in nodes if takes(client, name)) for name in names}
        assert len(set(map(id, held.values()))) == 3, "the keys are not spread"
        for at, _ in nodes:
            facts = observe("redis.keys", at, pattern="user:*", wanted=names).facts
            assert (facts["count"], facts["whole"], facts["missing"]) == (12, True, [])
            assert facts["documents"] == {name: {"name": name} for name in names}
        few = observe("redis.keys", nodes[0][0], pattern="user:*", max_keys=5).facts
        assert (few["count"], few["whole"]) == (5, False)
        nodes[2][1].shutdown(nosave=True)
        gone = observe("redis.keys", nodes[0][0], pattern="user:*", wanted=names).facts
        assert gone["error"] == "refused"
        assert f"127.0.0.1:{nodes[2][0].port} of the cluster" in gone["error_detail"]


def takes(client: redis.Redis, name: str) -> bool:
    """Whether a node has the slot of a key, which then is written."""
    try:
        client.set(name, json.dumps({"name": name}), ex=600)
    except redis.ResponseError:
        return False
    return True
