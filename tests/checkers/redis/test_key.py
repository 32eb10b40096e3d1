"""`redis.key`."""

from __future__ import annotations

import json

import pytest

from tests.checkers.redis.conftest import Server
from tests.context import observe
from xnai_validate.kit import NotApplicable


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
    with pytest.raises(NotApplicable, match="there is no key nothing yet"):
        observe("redis.key", server[0], key="nothing", skip_if_absent=True)
