"""The trace context of a check."""

from __future__ import annotations

import asyncio

from xnai_validate.model.trace_context import TRACEPARENT, TRACEPARENTS, enter_check
from xnai_validate.wire.http.request import HttpRequest, prepare


def sent(**headers: str) -> dict[str, str]:
    """Return the headers of a request as it would be sent now."""
    pairs = tuple(headers.items())
    prepared = prepare(HttpRequest("http://127.0.0.1:8000/", headers=pairs))
    return {name.decode().lower(): value.decode() for name, value in prepared.headers}


async def in_check(check: str) -> str | None:
    """Enter a check; return the header of a request in a task that it makes."""
    enter_check(check)

    async def request() -> str | None:
        return sent().get("traceparent")

    return await asyncio.create_task(request())


async def both() -> list[str | None]:
    """Run two checks at the same time."""
    TRACEPARENTS.set(lambda check: f"00-{check}")
    return list(await asyncio.gather(in_check("a"), in_check("b")))


def test_each_check_has_its_own() -> None:
    """Checks at the same time do not mix, the tasks of a check have that of the check, and it ends with them."""
    assert asyncio.run(both()) == ["00-a", "00-b"]
    assert "traceparent" not in sent()


def test_the_header_of_a_check_goes_first() -> None:
    """A check that sends a `traceparent` itself, to see it come back, keeps it."""
    token = TRACEPARENT.set("00-ours")
    try:
        assert sent(Traceparent="00-of-the-check")["traceparent"] == "00-of-the-check"
        assert sent()["traceparent"] == "00-ours"
    finally:
        TRACEPARENT.reset(token)
