"""`redis.maxmemory`."""

from __future__ import annotations

import pytest

from tests.checkers.redis_process import redis_server
from tests.faults.fault_control import fault_control


def test_without_memory_no_key_is_lost() -> None:
    """Writes are refused with OOM, reads are answered, and every key is there afterwards, though all may be evicted."""
    with redis_server("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru") as (target, client):
        client.mset({f"key:{number}": "x" * 10_000 for number in range(500)})
        with fault_control("redis.maxmemory", target) as control:
            undo, before = control.prepare()
            control.inject(undo)
            with pytest.raises(Exception, match=r"OOM|command not allowed"):
                client.set("another", "value")
            assert client.get("key:7") == "x" * 10_000
            assert control.revert(undo, before).proven
        assert client.dbsize() == 500
        assert client.info("stats")["evicted_keys"] == 0
        assert client.set("another", "value")
