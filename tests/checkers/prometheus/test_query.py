"""The value of an expression is judged; no sample is never taken for a value."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

import pytest

from tests.checkers.prometheus.recorded import prometheus
from tests.context import observe
from tests.ports import free_port
from xnai_validate.kit import NotApplicable, Target


@pytest.fixture(scope="module")
def server() -> Iterator[Target]:
    with prometheus() as target:
        yield target


def ask(target: Target, query: str, **how: Any) -> dict[str, Any]:
    """The facts of an expression."""
    return dict(observe("prometheus.query", target, query=query, **how).facts)


def test_values_of_all_result_types(server: Target) -> None:
    """A single value is `value`; of several the smallest and the largest; of a range the last ones."""
    one = ask(server, "sum(up)")
    assert (one["result_type"], one["samples"], one["value"], one["status"]) == ("vector", 1, 1, 200)
    both = ask(server, "up")
    assert (both["samples"], both["value"], both["min_value"], both["max_value"]) == (2, None, 0, 1)
    assert both["values"] == {
        'up{instance="127.0.0.1:19191",job="self"}': 1,
        'up{instance="127.0.0.1:19999",job="dead"}': 0,
    }
    assert ask(server, "up[3s]")["max_value"] == 1
    assert ask(server, "sum(up) / 0")["value"] == inf


def test_no_sample_never_passes(server: Target) -> None:
    """Neither an empty result nor NaN satisfies a rule about a value, nor the rule of the kind."""
    for query in ("nothing_here", "scalar(nothing_here)", '"text"'):
        assert not observe("prometheus.query", server, query=query).held, query
        assert not observe("prometheus.query", server, query=query, expect={"value": {"max": 9}}).held, query
    for rule in ({"min": 0}, {"max": 0}, 0, {"not": {"min": 1}}):
        assert not observe("prometheus.query", server, query="0 * sum(up) / 0", expect={"value": rule}).held
    assert observe("prometheus.query", server, query="nothing_here", expect={"samples": 0}).held
    assert not observe("prometheus.query", server, query="up", expect={"samples": 0}).held


def test_a_refusal_has_the_words_of_the_server(server: Target) -> None:
    """An expression that is wrong is not an error of the connection."""
    facts = ask(server, "sum(")
    assert (facts["error"], facts["status"], facts["samples"]) == (None, 400, None)
    assert facts["query_error"] == ('bad_data: invalid parameter "query": 1:5: parse error: unclosed left parenthesis')
    assert not observe("prometheus.query", server, query="sum(").held


@pytest.mark.parametrize(
    "body",
    [
        b"<html>login</html>",
        b"{}",
        b'{"status":"success"}',
        b'{"status":"success","data":{"resultType":"vector"}}',
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":["now"]}]}}',
        b'{"status":"success","data":{"resultType":"vector","result":[7]}}',
        b'{"status":"success","data":{"resultType":"scalar","result":[]}}',
        b'{"status":"success","data":{"resultType":"other","result":[]}}',
    ],
)
def test_what_is_no_answer_of_prometheus_is_a_protocol_error(body: bytes) -> None:
    """Another server, or an answer that is not as documented, gives no values."""
    with prometheus(body=body) as target:
        observed = observe("prometheus.query", target, query="up")
    assert (observed.facts["error"], observed.facts["samples"]) == ("protocol", None)
    assert not observed.held


def test_a_server_that_is_not_there() -> None:
    """The errors are those of HTTP; a target without a url is skipped."""
    assert ask(Target("prometheus", f"http://127.0.0.1:{free_port()}"), "up")["error"] == "refused"
    with pytest.raises(NotApplicable):
        ask(Target("prometheus", container="x"), "up")
