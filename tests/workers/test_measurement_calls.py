"""What a worker does with the order to measure, called without a scheduler."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.scripted import Scripted, ok, scripted
from xnai_validate import registry
from xnai_validate.kit import Context, Facts, Params, Target, Unmeasurable
from xnai_validate.workers import measurement_calls, measurement_run
from xnai_validate.workers.measurement_run import plain_facts
from xnai_validate.workers.orders import MeasurementOrder, order_target
from xnai_validate.workers.sealing import public_key, seal

SESSION = "7f3a9c21d44e4b0aa91b6f5d2c8e"


def order(server: Scripted, nonce: str, **changed: Any) -> bytes:
    """Return the order to make one request."""
    target = asyncio.run(order_target(Target("api", server.url())))
    made = MeasurementOrder(nonce, "http.request", {"path": "/a"}, target, 30.0, 60.0, None, True)
    return measurement_calls.sealed(replace(made, **changed), public_key())


def answer(server: Scripted, nonce: str, **changed: Any) -> Any:
    """Give the order, wait for the end, and return the answer."""

    async def fetch() -> Any:
        while "answer" not in (found := await measurement_calls.fetch(nonce)):
            assert found == {}
        return json.loads(str(found["answer"]))

    assert measurement_calls.measure(order(server, nonce, **changed)) == {}
    return asyncio.run(fetch())


def test_an_order_is_executed_once() -> None:
    """Facts, span and trace context of the one execution; a second one of the same order is refused."""
    with scripted(ok(b"{}")) as server:
        parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        found = answer(server, "once", traceparent=parent)
        assert found["facts"]["status"] == 200
        assert found["span"][0] < found["span"][1]
        assert "refused" in measurement_calls.measure(order(server, "once"))
        assert [request.headers["traceparent"] for request in server.requests] == [parent]
    assert "refused" in asyncio.run(measurement_calls.fetch("once"))
    assert measurement_calls.measure(seal({"nonce": "other"}, public_key())) == {"refused": "it is of another version"}
    assert "sealed for another process" in str(measurement_calls.measure(b"\t" + bytes(63))["refused"])
    assert measurement_calls.RUNS == {}


def test_a_secret_that_a_server_sends_is_not_returned_unencrypted() -> None:
    """A value under a secret name is an error, unless the connections are encrypted or `--allow-plain` is given."""
    with scripted(ok(b"{}", f"Set-Cookie: session={SESSION}")) as server:
        refused = answer(server, "plain", secrets_may_return=False)
        allowed = answer(server, "private")
    assert SESSION not in json.dumps(refused)
    assert (refused["error"], "--allow-plain" in refused["hint"]) == ("Unmeasurable", True)
    assert SESSION in json.dumps(allowed)


def test_masked_secrets_stay_masked_after_a_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A measurement that runs into its time limit returns its stage and requests with the secrets in them masked.

    Over encrypted connections it returns them as they are, and names the secrets for the run to mask.
    """

    async def hang(params: Params, ctx: Context) -> Facts:
        ctx.mask(SESSION)
        ctx.progress(f"at {SESSION}")
        await asyncio.sleep(60)
        raise AssertionError

    checker = replace(registry.CHECKERS.get("http.request"), measure=hang)
    monkeypatch.setattr(registry.CHECKERS, "get", lambda kind: checker)
    with scripted(ok(b"{}")) as server:
        found = answer(server, "over", timeout_s=0.1, secrets_may_return=False)
        assert (found["stage"], "facts" in found, SESSION in json.dumps(found)) == ("at ***", False, False)
        allowed = answer(server, "over-tls", timeout_s=0.1)
        assert (allowed["stage"], allowed["secrets"]) == (f"at {SESSION}", [SESSION])


def test_an_answer_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger than a worker sends is an error with both sizes."""
    monkeypatch.setattr(measurement_run, "ANSWER_CAP", 1000)
    with scripted(ok(json.dumps(["x" * 2000]).encode(), "Content-Type: application/json")) as server:
        found = answer(server, "large")
    assert (found["error"], "1000 at most" in found["message"]) == ("Unmeasurable", True)


def test_a_kind_that_workers_do_not_measure_is_refused() -> None:
    """The worker itself refuses the order."""
    with scripted(ok(b"{}")) as server:
        found = answer(server, "kind", kind="command.run", params={"command": ["true"]})
    assert found["message"] == "command.run is not measured from workers"


def test_facts_arrive_as_they_are() -> None:
    """Facts survive the way through JSON, NaN too; facts that JSON would change are an error."""
    checker = registry.CHECKERS.get("prometheus.query")
    facts = checker.facts.model_validate({"value": float("nan"), "values": {"{}": float("inf")}})
    assert repr(checker.facts.model_validate(plain_facts(checker, facts))) == repr(facts)
    checker = registry.CHECKERS.get("redis.command")
    with pytest.raises(Unmeasurable, match=r"the facts of redis\.command cannot be sent by workers"):
        plain_facts(checker, checker.facts.model_construct(reply=b"x"))


def test_measurements_at_a_time_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker refuses more than it makes at a time, and takes the next once one is fetched or stopped."""
    monkeypatch.setattr(measurement_calls, "MOST", 1)
    with scripted(ok(b"{}")) as server:
        assert measurement_calls.measure(order(server, "first")) == {}
        assert "already" in str(measurement_calls.measure(order(server, "second"))["refused"])
        asyncio.run(measurement_calls.stop("first"))
        assert answer(server, "third")["facts"]["status"] == 200
