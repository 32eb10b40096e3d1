"""`redis.stream`."""

from __future__ import annotations

import time

import pytest

from tests.checkers.redis.conftest import Server
from tests.context import observe
from xnai_validate.kit import NotApplicable


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
    assert facts["overdue_groups"] == ["alert_handlers"], "an entry was delivered longer than no time ago"
    assert observe("redis.stream", target, key="xnai:alerts", job="60s").facts["overdue_groups"] == []
    assert 0 < facts["last_entry_age_s"] < 60


@pytest.mark.parametrize(
    ("since", "unread"), [("0", {"7.2": ["g"], "7.0": ["g"]}), ("$", {"7.2": ["g"], "7.0": []})], ids=["waits", "empty"]
)
def test_a_group_is_unread_where_a_reader_would_be_known(
    server: Server, since: str, unread: dict[str, list[str]]
) -> None:
    """A group without a consumer is unread if an entry waits, or if the server knows a consumer that got none yet."""
    target, client = server
    client.xadd("jobs", {"a": "1"})
    client.xgroup_create("jobs", "g", id=since)
    version = [int(part) for part in client.info("server")["redis_version"].split(".")]
    known = "7.2" if version >= [7, 2] else "7.0"
    assert observe("redis.stream", target, key="jobs").facts["unread_groups"] == unread[known]
    client.xgroup_createconsumer("jobs", "g", "one")
    assert observe("redis.stream", target, key="jobs").facts["unread_groups"] == []


def test_an_entry_that_is_claimed_again_and_again_is_overdue(server: Server) -> None:
    """A claim sets the idle time of an entry to 0: its number of deliveries shows that nobody gets done with it."""
    target, client = server
    entry = str(client.xadd("xnai:agent_bus", {"type": "task"}))
    client.xgroup_create("xnai:agent_bus", "agent_wavefront", id="0")
    client.xreadgroup("agent_wavefront", "one", {"xnai:agent_bus": ">"})
    for _ in range(3):
        client.xautoclaim("xnai:agent_bus", "agent_wavefront", "two", min_idle_time=0)

    def overdue(**limit: int) -> object:
        facts = observe("redis.stream", target, key="xnai:agent_bus", job="60s", **limit).facts
        assert facts["max_deliveries"] == 4
        return facts["overdue_groups"]

    assert overdue() == []
    assert overdue(deliveries=4) == []
    assert overdue(deliveries=3) == ["agent_wavefront"]
    client.xack("xnai:agent_bus", "agent_wavefront", entry)
    done = observe("redis.stream", target, key="xnai:agent_bus", job="60s", deliveries=3).facts
    assert (done["overdue_groups"], done["max_deliveries"]) == ([], None)


def test_a_stream_without_groups_or_of_another_type(server: Server) -> None:
    """No groups is nothing pending; a list is not a stream; an empty stream is a stream."""
    target, client = server
    entry = client.xadd("empty", {"a": "1"})
    client.xdel("empty", str(entry))
    client.rpush("list", "a")
    empty = observe("redis.stream", target, key="empty").facts
    assert (empty["exists"], empty["length"], empty["last_id"], empty["max_pending"]) == (True, 0, None, 0)
    other = observe("redis.stream", target, key="list").facts
    assert (other["exists"], other["type"], other["length"]) == (True, "list", None)
    assert not observe("redis.stream", target, key="nothing").held


def test_a_stream_that_does_not_exist_yet_can_be_skipped(server: Server) -> None:
    """Where nothing was written yet nothing is judged, if the check asks for that."""
    target, client = server
    with pytest.raises(NotApplicable, match="there is no stream nothing yet"):
        observe("redis.stream", target, key="nothing", skip_if_absent=True)
    client.xadd("something", {"a": "1"})
    assert observe("redis.stream", target, key="something", skip_if_absent=True).held
