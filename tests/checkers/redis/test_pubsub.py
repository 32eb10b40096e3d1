"""`redis.pubsub`."""

from __future__ import annotations

from tests.checkers.redis.conftest import Server
from tests.context import observe


def test_pubsub_passes_a_message(server: Server) -> None:
    """A message published on one connection comes on another."""
    seen = observe("redis.pubsub", server[0])
    assert seen.held, seen.findings
    assert seen.facts["receivers"] == 1
    assert seen.facts["delay_ms"] > 0
