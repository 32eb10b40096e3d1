"""Failures that have one reason are one cause, with all that it blocks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report.runs import CASES, Script, finding
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.report import Cause, Promise
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.report.causes import problems_of


def causes(script: Script) -> dict[str, Cause]:
    """The causes of a run, by the check that stands for each."""
    return {cause.id: cause for cause in build_report(script.events()).causes}


def test_many_failures_have_few_causes() -> None:
    """What the gateway passes on is the API's; what was not measured because of a failure is blocked by it."""
    first, second, third, fourth = build_report(CASES["tangled"][1]()).causes
    assert (first.id, first.alike) == ("api/query:answers", ("services/gateway:question",))
    assert first.blocks == tuple(f"performance/load:{name}" for name in ("metrics", "load", "cascade"))
    assert (second.id, second.blocks) == ("breakers/cycle:opens", ("breakers/cycle:closes", "breakers/cycle:recovers"))
    assert (third.id, third.alike) == ("api/errors:empty", ("api/errors:long", "api/errors:no-json"))
    assert (fourth.id, fourth.status, fourth.alike, fourth.blocks) == (
        "recovery/outage:redis-paused",
        Status.ERROR,
        (),
        (),
    )


def test_one_promise_that_is_broken_in_two_ways_has_two_causes() -> None:
    """Only the same value of the same fact is the same; without a promise in common, a number is not evidence."""
    promise = Promise(id="a.b", text="T", source="S")
    script = Script("x", "x")
    for name, actual in (("a", 422), ("b", 404)):
        script.check(
            f"s/s:{name}", "T", Status.FAIL, findings=(finding("status", "equals", 400, actual),), promise=promise
        )
    for name in ("c", "d"):
        script.check(f"s/s:{name}", "T", Status.FAIL, findings=(finding("status", "equals", 400, 404),))
    assert list(causes(script)) == ["s/s:a", "s/s:b", "s/s:c", "s/s:d"]


def test_a_value_of_several_parts_is_one_cause_whatever_the_promise() -> None:
    """The same list of what does not conform, of one kind of check, is one defect that two promises name."""
    script = Script("x", "x")
    for name in ("takes-valid", "refuses-invalid"):
        found = (finding("nonconforming", "equals", [], ["POST /query: 400 is not declared"]),)
        promise = Promise(id=name, text="T", source="S")
        script.check(f"api/contract:{name}", "T", Status.FAIL, kind="http.contract", findings=found, promise=promise)
    (cause,) = causes(script).values()
    assert cause.alike == ("api/contract:refuses-invalid",)


def test_one_part_that_is_empty_everywhere_is_one_cause() -> None:
    """Answers without sources are one defect, whichever rule names them; an empty part of another target is another."""
    script = Script("x", "x")
    for name, target, broken in (
        (
            "canary",
            "api",
            (finding("json $.response", "contains", "three", "I"), finding("json $.sources", "length min", 1, 0)),
        ),
        ("cites", "api", (finding("json $.sources", "contains", "a.md", []),)),
        ("streamed", "api", (finding("sources", "length min", 1, 0),)),
        ("other", "docs", (finding("sources", "length min", 1, 0),)),
    ):
        script.check(f"s/s:{name}", "T", Status.FAIL, target=target, findings=broken)
    first, second = causes(script).values()
    assert (first.id, first.alike, second.id) == ("s/s:canary", ("s/s:cites", "s/s:streamed"), "s/s:other")


def test_an_error_names_what_it_shares() -> None:
    """Checks that could not be measured for the same words are one cause; a run that passed has none."""
    script = Script("x", "x")
    for name in ("a", "b"):
        script.check(f"s/s:{name}", "T", Status.ERROR, target=name, reason="k.x needs a library; pip install y")
    (cause,) = causes(script).values()
    assert (cause.status, cause.reason, cause.alike) == (Status.ERROR, "k.x needs a library; pip install y", ("s/s:b",))
    assert build_report(CASES["passed"][1]()).causes == ()


EVENT_LOOP = Promise(id="api.concurrency", text="T", source="S")


def test_one_promise_of_which_limits_are_broken_is_one_cause() -> None:
    """Checks of one target that break limits of one promise have one cause, whatever they measure."""
    script = Script("x", "x")
    for name, broken, target in (
        ("ratio", finding("ratio", "min", 1.5, 1.0), "api"),
        ("health", finding("busy_ms", "max", 200, 634.4), "api"),
        ("gateway", finding("busy_ms", "max", 200, 800.1), "gateway"),
        ("missing", finding("moved", "min", 1, None), "api"),
    ):
        script.check(f"s/s:{name}", "T", Status.FAIL, target=target, findings=(broken,), promise=EVENT_LOOP)
    found = causes(script)
    assert found["s/s:ratio"].alike == ("s/s:health",)
    assert list(found) == ["s/s:ratio", "s/s:gateway", "s/s:missing"]


def test_one_promise_that_is_broken_under_one_fault_is_one_cause() -> None:
    """A silent Redis shows in answers and in the parts that it takes with it; another fault is another cause."""
    promise = Promise(id="cascade.contained", text="T", source="S")
    script = Script("x", "x")
    for name, broken, faults in (
        ("redis-silent", finding("status", "equals", 200, 504), ("process.pause redis",)),
        ("redis", finding("blast_radius", "equals", [], ["health"]), ("process.pause redis", "process.pause llm")),
        ("redis-full", finding("status", "equals", 200, 500), ("redis.maxmemory redis",)),
    ):
        script.check(f"s/s:{name}", "T", Status.FAIL, findings=(broken,), promise=promise, faults=faults)
    found = causes(script)
    assert found["s/s:redis-silent"].alike == ("s/s:redis",)
    assert list(found) == ["s/s:redis-silent", "s/s:redis-full"]


def test_what_an_empty_part_lacks_is_the_cause_of_the_empty_part() -> None:
    """Answers without sources miss each document, which is one defect; one that has sources misses one for another."""
    script = Script("x", "x")
    empty, missing = finding("sources", "length min", 1, 0), finding("missing_sources", "equals", [], ["a.md"])
    script.check("s/s:few", "T", Status.FAIL, findings=(empty,), facts={"sources": []})
    script.check("s/s:cited", "T", Status.FAIL, findings=(missing,), facts={"sources": []})
    missing = finding("missing_sources", "equals", [], ["c.md"])
    script.check("s/s:other", "T", Status.FAIL, findings=(missing,), facts={"sources": ["b.md"]})
    found = causes(script)
    assert (found["s/s:few"].alike, list(found)) == (("s/s:cited",), ["s/s:few", "s/s:other"])


def test_an_error_that_names_what_a_failure_missed_follows_it() -> None:
    """A breaker that keeps no key in Redis is the cause of all that could not be measured without the key."""
    key = "circuit_breaker:rag_api"
    script = Script("x", "x")
    script.check(
        "s/s:kept", "T", Status.FAIL, findings=(finding("missing", "equals", [], [key]),), facts={"missing": [key]}
    )
    script.check("s/s:cycle", "T", Status.ERROR, reason=f"the breaker rag_api keeps no state at {key}")
    (cause,) = causes(script).values()
    assert (cause.id, cause.blocks) == ("s/s:kept", ("s/s:cycle",))


def responses(script: Script, **exchanges: tuple[str, str, str]) -> list[str]:
    """The causes of checks that fail by the status of their responses: name -> url, status line and body."""
    for name, (url, response, body) in exchanges.items():
        broken = finding("status", "equals", 200, int(response[:3]))
        exchange = Exchange(protocol="http", request=f"GET {url}", response=response, response_body=body)
        target = url.partition("//")[2].partition("/")[0]
        script.check(f"s/s:{name}", "T", Status.FAIL, target=target, findings=(broken,), exchanges=(exchange,))
    return [cause.id for cause in build_report(script.events()).causes]


def test_one_response_to_one_path_is_one_cause_on_whatever_target() -> None:
    """A page that is broken is broken behind the gateway too; another path, body or status may have another reason."""
    broken = "500 Internal Server Error"
    assert responses(
        Script("x", "x"),
        page=("http://ui/", broken, "Internal Server Error"),
        routed=("http://gateway/", broken, "Internal Server Error"),
        other_path=("http://docs/search", broken, "Internal Server Error"),
        other_body=("http://docs/", broken, "No index"),
        not_found=("http://vikunja/", "404 Not Found", "?"),
        not_found_either=("http://voice/", "404 Not Found", "?"),
    ) == [f"s/s:{name}" for name in ("page", "other_path", "other_body", "not_found", "not_found_either")]


def test_an_experiment_that_a_failure_keeps_from_beginning_follows_it() -> None:
    """The stack is not steady because of what a check of the same kind and target fails with; another target is not."""
    script = Script("x", "x")
    script.check("s/s:page", "T", Status.FAIL, target="ui", findings=(finding("status", "equals", 200, 500),))
    why = "not steady within 54 s before the experiment: {0} (http.request {0}: status expected 200, got 500)"
    script.check("s/s:model", "T", Status.ERROR, target=None, reason=why.format("ui"))
    script.check("s/s:redis", "T", Status.ERROR, target=None, reason=why.format("docs"))
    found = causes(script)
    assert (found["s/s:page"].blocks, list(found)) == (("s/s:model",), ["s/s:page", "s/s:redis"])


def test_an_experiment_follows_the_failure_whose_response_it_gets() -> None:
    """The look before the experiment names the part, not the target; its request and the response are the same."""
    script = Script("x", "x")
    page = Exchange(protocol="http", request="GET http://ui/", response="500 Internal Server Error", response_body="?")
    broken = (finding("status", "equals", 200, 500),)
    script.check("s/s:page", "T", Status.FAIL, target="ui", findings=broken, exchanges=(page,))
    routed = replace(page, request="GET http://gateway/")
    why = "not steady within 60 s before the experiment: it: http.request: status expected 200, got 500"
    script.check("s/s:gateway", "T", Status.ERROR, target="gateway", reason=why, exchanges=(routed,))
    other = replace(routed, response_body="!")
    script.check("s/s:other", "T", Status.ERROR, target="gateway", reason=why + " again", exchanges=(other,))
    found = causes(script)
    assert (found["s/s:page"].blocks, list(found)) == (("s/s:gateway",), ["s/s:page", "s/s:other"])


def test_messages_that_come_twice_are_one_cause_whatever_counts_them() -> None:
    """Twice as many recoveries as allowed are not too many recoveries, where every message comes twice."""
    promises = {name: Promise(id=name, text="T", source="S") for name in ("alerts", "recovery")}
    script = Script("x", "x")
    for name, promise, broken, repeated in (
        ("once", "alerts", finding("duplicates", "equals", 0, 5), 5),
        ("ends", "recovery", finding("types.recovery_action", "max", 2, 4), 5),
        ("too-many", "recovery", finding("types.recovery_action", "max", 2, 4), 0),
        ("missing", "recovery", finding("types.recovery", "min", 1, 0), 5),
    ):
        facts: JsonObject = {"duplicates": repeated}
        script.check(
            f"s/s:{name}", "T", Status.FAIL, kind="alert.receipt", findings=(broken,), facts=facts,
            promise=replace(promises[promise], id=f"{promise}.{name}"),
        )  # fmt: skip
    found = causes(script)
    assert (found["s/s:once"].alike, list(found)) == (("s/s:ends",), ["s/s:once", "s/s:too-many", "s/s:missing"])


def test_one_promise_that_breaks_the_same_step_is_one_cause() -> None:
    """The values of a failed step differ, the step and its fact do not; another step may have another reason."""
    promise = Promise(id="api.audit", text="T", source="S")
    script = Script("x", "x")
    for name, step in (
        ("query", 'find: redis.stream redis: last_entry $.txn_id expected "req_1", got "a"'),
        ("left", 'find: redis.stream redis: last_entry $.txn_id expected "req_2", got "a"'),
        ("asked", "ask: http.request api: status expected 200, got 500"),
    ):
        broken = finding("failed_steps", "equals", [], [step])
        script.check(f"s/s:{name}", "T", Status.FAIL, kind=f"k.{name}", findings=(broken,), promise=promise)
    found = causes(script)
    assert (found["s/s:query"].alike, list(found)) == (("s/s:left",), ["s/s:query", "s/s:asked"])


def test_a_count_that_stands_still_joins_a_search_that_finds_no_entry() -> None:
    """A trail that is not written shows in a count and in searches; counts alone may stand still for many reasons."""
    promise = Promise(id="api.audit", text="T", source="S")
    script = Script("x", "x")
    step = "find: redis.stream redis: entries $[?@.txn_id == '%s'] expected length min 1, got 0"
    for name, found in (
        ("trail", finding("moved.entries", "equals", 2, 0.0)),
        ("transaction", finding("failed_steps", "equals", [], [step % "a"])),
        ("left", finding("failed_steps", "equals", [], [step % "b"])),
        ("wrong", finding("failed_steps", "equals", [], ["ask: http.request: status expected 200, got 404"])),
    ):
        script.check(f"rag/accounting:{name}", "T", Status.FAIL, findings=(found,), promise=promise)
    counters = Promise(id="api.metrics", text="T", source="S")
    for name in ("queries", "errors"):
        found = finding(f"moved.{name}", "equals", 2, 0.0)
        script.check(f"rag/counters:{name}", "T", Status.FAIL, findings=(found,), promise=counters)
    assert {name: cause.alike for name, cause in causes(script).items()} == {
        "rag/accounting:trail": ("rag/accounting:transaction", "rag/accounting:left"),
        "rag/accounting:wrong": (),
        "rag/counters:queries": (),
        "rag/counters:errors": (),
    }


def test_a_warning_with_the_reason_of_a_failure_is_reported_under_it() -> None:
    """Answers without sources fail where sources are promised; what rests on these warns for the same reason."""
    script = Script("x", "x")
    empty = finding("json $.sources", "length min", 1, 0)
    script.check("api/query:canary", "T", Status.FAIL, target="api", findings=(empty,))
    for name, fact, sources in (("supported", 0.2, []), ("other", 0.2, ["a.md"])):
        low = finding("support_ratio", "min", 0.6, fact, level="warn")
        facts: JsonObject = {"sources": list(sources), "support_ratio": fact}
        script.check(f"rag/grounding:{name}", "T", Status.WARN, target="api", findings=(low,), facts=facts)
    bare = finding("json $.sources", "length min", 1, 0, level="warn")
    script.check("rag/injection:question", "T", Status.WARN, target="api", findings=(bare,))
    headers = finding("headers.cache-control", "matches", "no-cache", None, level="warn")
    script.check("streaming/stream:headers", "T", Status.WARN, target="api", findings=(headers,), facts={"sources": []})
    report = build_report(script.events())
    assert {cause.id: cause.alike for cause in report.causes} == {
        "api/query:canary": ("rag/grounding:supported", "rag/injection:question")
    }
    (failure,) = problems_of(report, Status.FAIL)
    assert failure.count == 1
    assert [problem.check.id for problem in problems_of(report, Status.WARN)] == [
        "rag/grounding:other",
        "streaming/stream:headers",
    ]
    assert len(problems_of(report, Status.WARN, fold=False)) == 4


def test_what_is_missing_in_one_document_is_one_cause_through_the_gateway_too() -> None:
    """The same answer in every word lacks the same part, whoever brought it; another document is another cause."""
    script = Script("x", "x")
    for name, target, body in (
        ("through", "gateway", '{"motd": ""}'),
        ("direct", "vikunja", '{"motd": ""}'),
        ("other", "docs", '{"motd": "x"}'),
    ):
        answer = Exchange(protocol="http", request=f"GET http://{target}/info", response="200 OK", response_body=body)
        rule, expected = ("not", None) if target == "gateway" else ("matches", "^1")
        broken = finding("json $.version", rule, expected, None)
        script.check(f"s/s:{name}", "T", Status.FAIL, target=target, findings=(broken,), exchanges=(answer,))
    assert {cause: found.alike for cause, found in causes(script).items()} == {
        "s/s:direct": ("s/s:through",),
        "s/s:other": (),
    }


@pytest.mark.parametrize(
    ("answers", "merged"),
    [
        ((("vikunja", "/info", "{}"), ("docs", "/info", "{}")), False),
        ((("api", "/health", "{}"), ("gateway", "/api/v1/health", "{}")), True),
        ((("llm", "/health", '{"status": "ok"}'), ("worker", "/ready", '{"status": "ok"}')), False),
        ((("a", "[/info", '{"status": "ok"}'), ("b", "[/info", '{"status": "ok"}')), True),
    ],
)
def test_like_documents_of_unrelated_services_are_causes_of_their_own(
    answers: tuple[tuple[str, str, str], ...], merged: bool
) -> None:
    """An empty object, or a few common words, is no evidence that two services gave one answer."""
    script = Script("x", "x")
    for target, path, body in answers:
        answer = Exchange(protocol="http", request=f"GET http://{target}{path}", response="200 OK", response_body=body)
        broken = finding("json $.version", "matches", "^1", None)
        script.check(f"s/s:{target}", "T", Status.FAIL, target=target, findings=(broken,), exchanges=(answer,))
    assert len(causes(script)) == (1 if merged else 2)
