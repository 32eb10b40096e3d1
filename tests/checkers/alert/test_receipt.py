"""alert.receipt against a stack that alerts rightly, and in every wrong way."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tests.checkers.alerting import KEY, alerting
from tests.checkers.redis_process import redis_server
from tests.context import check_context, observe
from tests.ports import free_port
from xnai_validate.checkers.alert._course import count_duplicates
from xnai_validate.checkers.alert._inbox import Inbox, Receipt
from xnai_validate.checkers.alert._notice import flat, posted
from xnai_validate.checkers.alert._webhook_receiver import BODY_CAP, Delivery, receiving
from xnai_validate.errors import NotApplicable, Unmeasurable
from xnai_validate.kit import JsonObject, Observed, Target
from xnai_validate.model.source_location import InvalidConfig

API = Target("api", "http://127.0.0.1:1")
Server = tuple[Target, redis.Redis]
EXPECTED: JsonObject = {"received": True, "resolved": True, "duplicates": 0, "in_order": True, "payload_faults": []}
"""What a whole check of an alert asks, besides what the kind does."""
REQUIRED = ("type", "service", "severity", "message", "timestamp")
BARE: dict[str, Any] = {"cause": [{"kind": "redis.ping", "target": "redis"}], "stream": {}}
TIMES = int(os.environ.get("XNAI_TEST_ALERTS", "50"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with redis_server() as running:
        yield running


def observed(
    server: Server,
    manner: str,
    *,
    webhook: bool = True,
    stream: bool = True,
    expect: JsonObject = EXPECTED,
    **more: Any,
) -> Observed:
    """One measurement of a stack that alerts in a manner."""
    address = f"127.0.0.1:{free_port()}" if webhook else None
    with alerting(server[1], address, manner) as (url, _):
        api = Target("api", url)
        with_: dict[str, Any] = {
            "cause": [{"kind": "http.request", "target": "api", "with": {"method": "POST", "path": "/break"}}],
            "cure": [{"kind": "http.request", "target": "api", "with": {"method": "POST", "path": "/mend"}}],
            "match": {"service": "llm"},
            "fire_within": "1s",
            "resolve_within": "1s",
            "settle": "150ms",
            **({"stream": {"target": "redis", "key": KEY}} if stream else {}),
            **({"webhook": address} if webhook else {}),
            **more,
        }
        return observe("alert.receipt", others=(api, server[0]), expect=expect, **with_)


def broken(seen: Observed) -> set[str]:
    """The facts whose rules do not hold."""
    return {finding.fact for finding in seen.findings if not finding.held}


def test_a_good_stack_is_acquitted(server: Server) -> None:
    """The alert comes on both channels, once, in order, with its parts, and is resolved."""
    seen = observed(server, "good")
    facts = seen.facts
    assert seen.held, seen.findings
    assert facts["types"] == {"status_change": 2}
    assert (facts["firing_count"], facts["resolved_count"], facts["duplicates"]) == (1, 1, 0)
    assert sorted(facts["order"]) == [
        "stream status_change firing",
        "stream status_change resolved",
        "webhook status_change firing",
        "webhook status_change resolved",
    ]
    assert 0 <= facts["delay_ms"] < 1000
    assert facts["payload_valid"]


@pytest.mark.parametrize(
    ("manner", "broken_rules"),
    [
        ("dropped", {"received"}),
        ("doubled", {"duplicates"}),
        ("late", {"received"}),
        ("never-resolved", {"resolved"}),
        ("stream-only", {"received"}),
        ("webhook-only", {"received"}),
        ("bare", {"payload_faults"}),
        ("ahead", {"payload_faults"}),
        ("not-json", {"received", "payload_faults"}),
    ],
)
def test_every_wrong_way_is_convicted_of_what_it_is(server: Server, manner: str, broken_rules: set[str]) -> None:
    """What is wrong shows in the fact that names it, and in no other."""
    assert broken(observed(server, manner)) == broken_rules


def test_good_news_before_bad_is_out_of_order(server: Server) -> None:
    """A stack that reports recovery before the failure has its alerts in the wrong order."""
    seen = observed(server, "reversed", webhook=False)
    assert not seen.facts["in_order"]
    assert not seen.facts["received"]


@pytest.mark.parametrize(
    ("manner", "settle", "reason"),
    [
        ("late", "3s", "the alert did not come within 1 s on every channel"),
        ("stream-only", "0s", "no alert came within 1 s on webhook"),
    ],
)
def test_the_reason_why_nothing_follows_an_alert(server: Server, manner: str, settle: str, reason: str) -> None:
    """An alert that came after the wait is reported as late, one that never came with its channel."""
    with pytest.raises(Unmeasurable, match=reason):
        observed(server, manner, expect={"resolved": True}, settle=settle)


def test_a_missed_channel_is_named(server: Server) -> None:
    """Which of the channels stayed silent can be read."""
    assert observed(server, "stream-only").facts["missed"] == ["webhook"]
    assert observed(server, "webhook-only").facts["missed"] == ["stream"]


@pytest.mark.parametrize("manner", ["alertmanager", "alertmanager-odd"])
def test_the_payload_of_alertmanager(server: Server, manner: str) -> None:
    """Alertmanager's groups are taken apart into alerts; labels can be matched; what is missing is named."""
    seen = observed(server, manner, stream=False, match={"alertname": "Llm*"})
    assert seen.facts["types"] == {"LlmDown": 2}
    assert (seen.facts["received"], seen.facts["resolved"]) == (True, True)
    assert seen.facts["payload_faults"] == ([] if manner == "alertmanager" else ["fingerprint is missing"])


@pytest.mark.parametrize(("manner", "held"), [("good", True), ("gives-up", False)])
def test_a_receiver_that_is_down_at_first(server: Server, manner: str, held: bool) -> None:
    """A sender that tries again delivers, one that gives up has lost the alert."""
    seen = observed(server, manner, stream=False, refuse=1)
    assert seen.held == held
    assert seen.facts["refused_count"] == 1


def test_alerts_about_something_else_and_from_before_do_not_count(server: Server) -> None:
    """Only what fits is taken, and only what arose after the breach."""
    seen = observed(server, "good", webhook=False, match={"service": "vikunja"})
    assert not seen.facts["received"]
    assert seen.facts["unrelated_count"] == 2
    assert seen.facts["unrelated_services"] == ["llm"]
    assert observed(server, "good", webhook=False).facts["unrelated_services"] == []
    early = flat({"service": "llm", "new_status": "unhealthy", "timestamp": "2020-01-01T00:00:00Z"}, ())
    assert early.sent_at == 1577836800.0


def test_an_alert_that_names_a_service_which_is_well_is_false(server: Server) -> None:
    """It is one as long as it stands while the service is well; what is resolved, or not well, is not judged."""
    well = {"kind": "redis.ping", "target": "redis", "with": {"count": 1}}
    away = {"kind": "http.request", "target": "api", "with": {"path": "/health"}, "expect": {"status": 200}}
    about: dict[str, Any] = {
        "webhook": False,
        "match": {"service": "vikunja"},
        "fire_within": "100ms",
        "expect": {"received": False},
    }
    facts = observed(server, "good", bystanders={"llm": well}, **about).facts
    assert (facts["false_alerts"], facts["unjudged_alerts"]) == (["llm"], {})
    facts = observed(server, "good", bystanders={"llm": away}, **about).facts
    assert facts["false_alerts"] == []
    assert list(facts["unjudged_alerts"]) == ["llm"]
    assert observed(server, "good", bystanders={"redis": well}, **about).facts["false_alerts"] == []
    assert observed(server, "good", **about).facts["false_alerts"] is None


def test_an_alert_that_is_resolved_soon_is_no_false_one(server: Server) -> None:
    """A monitor that missed one answer of a service and takes that back has done what it promises."""
    well = {"kind": "redis.ping", "target": "redis", "with": {"count": 1}}
    post: JsonObject = {"kind": "http.request", "target": "api"}
    facts = observed(
        server,
        "good",
        webhook=False,
        match={"service": "vikunja"},
        bystanders={"llm": well},
        cause=[{**post, "with": {"method": "POST", "path": path}} for path in ("/break", "/mend")],
        fire_within="100ms",
        expect={"received": False},
    ).facts
    assert (facts["unrelated_services"], facts["false_alerts"]) == (["llm"], [])


def test_other_services_are_observed_during_the_breach(server: Server) -> None:
    """Where alerts come only afterwards, nothing could be observed: that is refused."""
    well = {"kind": "redis.ping", "target": "redis", "with": {"count": 1}}
    with pytest.raises(InvalidConfig, match="bystanders are observed during the breach"):
        observed(server, "good", webhook=False, bystanders={"llm": well}, afterwards=True)


@pytest.mark.parametrize(
    ("text", "sent_at", "faults"),
    [
        ("2026-11-29T22:00:00+00:00", 1_795_989_600.0, ()),
        ("1795989600", 1_795_989_600.0, ()),
        ("1795989600.25", 1_795_989_600.25, ()),
        ("yesterday", None, ("timestamp is not a point in time: 'yesterday'",)),
    ],
)
def test_the_time_of_an_alert(text: str, sent_at: float | None, faults: tuple[str, ...]) -> None:
    """It is a time of ISO 8601, or seconds since the epoch, as the stack writes its other times."""
    notice = flat({"service": "llm", "timestamp": text}, ("service", "timestamp"))
    assert (notice.sent_at, notice.faults) == (sent_at, faults)


def test_params_that_do_not_fit_are_refused(server: Server) -> None:
    """Neither breach nor cause, no channel, or a cure without a cause is an error of the suite."""
    cause = [{"kind": "http.request"}]
    for wrong, message in (
        ({"stream": {}}, "what the alert is about"),
        ({"cause": cause}, "where the alert arrives"),
        ({"breach": {"fault": "process.pause"}, "cause": cause, "stream": {}}, "what the alert is about"),
        ({"breach": {"fault": "process.pause"}, "cure": cause, "stream": {}}, "ends what `cause` began"),
    ):
        with pytest.raises(InvalidConfig, match=message):
            observe("alert.receipt", API, **wrong)
    with pytest.raises(NotApplicable, match="--listen"):
        observe("alert.receipt", API, cause=cause, webhook="")
    with pytest.raises(Unmeasurable, match="not an address to listen on"):
        observe("alert.receipt", API, cause=cause, webhook="somewhere")


def test_a_port_that_is_taken_is_named(server: Server) -> None:
    """Where somebody else listens, nothing can be received, and the message names the address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "{}:{}".format(*taken.getsockname())
        with pytest.raises(Unmeasurable, match=address):
            observe("alert.receipt", API, cause=[{"kind": "http.request"}], webhook=address)


@pytest.mark.prove
def test_fifty_of_fifty(server: Server) -> None:
    """Dropped, doubled, late and never resolved alerts are convicted, good ones acquitted, every time."""
    for _ in range(TIMES):
        for manner in ("dropped", "doubled", "late", "never-resolved"):
            assert broken(observed(server, manner))
        assert observed(server, "good", fire_within="5s", resolve_within="5s").held


def test_what_is_posted_is_read_without_trust() -> None:
    """Whatever a body holds, it becomes notices with their faults; none of it raises."""
    for body in (
        b"",
        b"[]",
        b"null",
        b'{"alerts": []}',
        b'{"alerts": [1, {"labels": 3}]}',
        b"\xff",
        b'{"a": {"b": 1}}',
    ):
        assert any(notice.faults for notice in posted(body, REQUIRED))
    (good,) = posted(
        b'{"type":"t","service":"s","severity":"x","message":"m","timestamp":"2026-11-25T00:00:00Z"}', REQUIRED
    )
    assert not good.faults


async def deliver(request: bytes, taken: list[Delivery]) -> bytes:
    """Send the bytes to a receiver; returns the beginning of what it answers."""

    def take(delivery: Delivery) -> int:
        taken.append(delivery)
        return 200

    async with receiving("127.0.0.1", 0, take) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(4096), 5)
        writer.close()
        return answer


def test_a_compressed_delivery_is_read_or_refused() -> None:
    """gzip is undone within the bound; a coding that is not known, or a body that is not gzip, is refused with 415."""
    taken: list[Delivery] = []

    def post(body: bytes, coding: str) -> bytes:
        head = f"POST /a HTTP/1.1\r\nHost: x\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n"
        return asyncio.run(deliver(head.encode() + body, taken))

    alert = b'{"status": "firing"}'
    assert b" 200" in post(gzip.compress(alert), "gzip")
    assert [delivery.body for delivery in taken] == [alert]
    refused = post(alert, "compress")
    assert b" 415" in refused
    assert b"accept-encoding: gzip" in refused.lower()
    assert b" 415" in post(b"no gzip at all", "gzip")
    assert b" 413" in post(gzip.compress(b"x" * (BODY_CAP + 1)), "gzip")
    assert len(taken) == 1


def test_the_receiver_bounds_what_it_takes() -> None:
    """A body beyond the cap is refused with 413, other methods with 405; several deliveries come on one connection."""
    taken: list[Delivery] = []

    async def talk(request: bytes) -> bytes:
        return await deliver(request, taken)

    small = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"
    assert b" 200" in asyncio.run(talk(small))
    assert asyncio.run(talk(small + small)).count(b"HTTP/1.1 200") >= 1
    assert len(taken) >= 2
    assert b" 405" in asyncio.run(talk(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
    large = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (BODY_CAP + 1) + b"x" * (BODY_CAP + 1)
    assert b" 413" in asyncio.run(talk(large))
    assert asyncio.run(talk(b"\x00\x01nonsense\r\n\r\n")) == b""


def test_an_alert_of_the_last_moment_is_read_when_the_time_is_over(server: Server) -> None:
    """What is in the stream by then has arrived in time, though the look before had ended when it came."""

    async def scene() -> bool:
        async with check_context("alert.receipt", others=(server[0],), **BARE) as ctx:
            inbox = Inbox(ctx, (), 0)
            async with inbox.stream(server[0], KEY):
                waiting = asyncio.create_task(inbox.wait(lambda: len(inbox.receipts) > 0, 0.0))
                server[1].xadd(KEY, {"service": "llm", "new_status": "unhealthy"})
                return await waiting

    assert asyncio.run(scene())


def test_a_service_that_is_lost_twice_is_no_duplicate() -> None:
    """The same words come again after its recovery: on a busy host a monitor may lose it for one of its checks."""
    lost, back = (flat({"service": "llm", "new_status": status}, ()) for status in ("unhealthy", "healthy"))
    for notices, duplicates in (([lost, back, lost, back], 0), ([lost, lost, back, back], 2), ([lost, back, back], 1)):
        receipts = [Receipt("stream", notice, 0.0) for notice in notices]
        assert count_duplicates({"stream": receipts}) == duplicates


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_delivery_in_chunks_is_read(method: str) -> None:
    """As some senders post: in chunks, and only after the receiver has asked them to go on."""
    taken: list[Delivery] = []

    def take(delivery: Delivery) -> int:
        taken.append(delivery)
        return 200

    async def send() -> None:
        async with receiving("127.0.0.1", 0, take) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head.encode() + b'5\r\n{"a":\r\n4\r\n 12}\r\n0\r\n\r\n')
            await asyncio.wait_for(reader.readuntil(b"HTTP/1.1 200"), 30)
            writer.close()

    head = f"{method} /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    asyncio.run(send())
    (delivery,) = taken
    assert json.loads(delivery.body) == {"a": 12}
