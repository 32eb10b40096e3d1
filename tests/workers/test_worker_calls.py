"""What a worker does with orders, called without a scheduler."""

from __future__ import annotations

import asyncio
import time

from tests.scripted import ok, scripted
from xnai_validate.kit import JsonObject, Target
from xnai_validate.workers import worker_calls
from xnai_validate.workers.orders import Order, order_target
from xnai_validate.workers.sealing import public_key


def order(nonce: str, run: str, url: str) -> bytes:
    """Return the order to send a short load."""
    target = asyncio.run(order_target(Target("api", url)))
    made = Order(nonce, run, "load.http", {"callers": 1, "for": "200ms"}, target, 0, 1, 60.0)
    return worker_calls.sealed(made, public_key())


def wait_for(nonce: str, *states: str) -> JsonObject:
    """Poll until a share is in one of the states, and return that answer."""
    until = time.monotonic() + 60
    while (answer := worker_calls.poll(nonce)).get("state") not in states:
        assert "refused" not in answer, answer
        assert time.monotonic() < until, answer
        time.sleep(0.02)
    return answer


def test_figures_stay_until_they_are_fetched() -> None:
    """A load of the same run that begins meanwhile does not take them away; one of another run is refused till then."""
    with scripted(ok(b"{}")) as server:
        assert worker_calls.prepare(order("first", "run", server.url())) == {}
        wait_for("first", "ready")
        assert "refused" in worker_calls.prepare(order("third", "other", server.url()))
        worker_calls.start("first", time.perf_counter(), 30.0)
        wait_for("first", "done")
        assert worker_calls.prepare(order("second", "run", server.url())) == {}
        assert wait_for("first", "done")["part"]
        assert worker_calls.prepare(order("second", "run", server.url())) == {"refused": "this load was sent before"}
        for nonce in ("first", "second"):
            asyncio.run(worker_calls.stop(nonce))
        until = time.monotonic() + 60
        while not all(run.has_ended for run in worker_calls.RUNS.values()):
            assert time.monotonic() < until
            time.sleep(0.02)
        assert "refused" in worker_calls.poll("first")
