"""The requests of a load on the wire, and the trace context that each of them carries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.checkers.streaming import WHOLE, plays
from tests.context import observe
from tests.scripted import ok, scripted
from xnai_validate.checkers.load._http.request_bytes import request_bytes, with_own_spans
from xnai_validate.kit import Target
from xnai_validate.model.trace_context import TRACEPARENT
from xnai_validate.wire.http.request import HttpRequest, prepare

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
CHECK = f"00-{TRACE_ID}-b7ad6b7169203331-01"


@pytest.fixture
def traced() -> Iterator[None]:
    """A run with a trace."""
    token = TRACEPARENT.set(CHECK)
    yield
    TRACEPARENT.reset(token)


def carried(kind: str, **with_: Any) -> list[str | None]:
    """The header `traceparent` of each of the 20 requests of a load."""
    with scripted(ok(b"hi") if kind == "load.http" else plays(*WHOLE)) as server:
        with_ = {"method": "POST", "json": {"q": "What?"}, "arrivals": {"rate": 40}, "for": "500ms", **with_}
        facts = observe(kind, Target("api", server.url()), **with_).facts
        assert facts["completed_count"] == len(server.requests) == 20
        return [request.headers.get("traceparent") for request in server.requests]


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("kind", ["load.http", "load.sse"])
@pytest.mark.parametrize("prompts", [{}, {"json": {"q": "{{prompt}}"}, "prompts": {"texts": ["a", "b"]}}])
def test_each_request_of_a_load_has_a_span_id_of_its_own(kind: str, prompts: dict[str, Any]) -> None:
    """All are of the trace of the run, none has the id of the check's span or of another request."""
    headers = carried(kind, **prompts)
    found = [re.fullmatch(rf"00-{TRACE_ID}-([0-9a-f]{{16}})-01", header or "") for header in headers]
    assert all(found), headers
    assert len({*headers, CHECK}) == 21


@pytest.mark.usefixtures("traced")
def test_a_header_of_the_check_stays() -> None:
    """A load that sends a `traceparent` itself sends that one."""
    own = CHECK.replace("b7", "c8")
    assert set(carried("load.http", headers={"Traceparent": own})) == {own}


def test_without_a_trace_no_request_changes() -> None:
    """The bytes are those of the request, made once."""
    prepared = prepare(HttpRequest("http://127.0.0.1:8000/"))
    assert with_own_spans(prepared, None) is None
    assert b"traceparent" not in request_bytes(prepared)
    assert set(carried("load.http")) == {None}
