"""Experiments on real servers under real faults."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.checkers.redis_process import redis_server
from tests.context import call_checker, check_context, observe
from xnai_validate.checkers.experiment._watch import Bystanders, Look, Probe, Watch
from xnai_validate.engine.attempts.attempt import Judgement, judge_facts
from xnai_validate.engine.attempts.lateness import LATENESS, Lateness
from xnai_validate.kit import JsonObject, NotApplicable, Observed, Target, Unmeasurable

SERVER = """
import http.server, time
class Page(http.server.BaseHTTPRequestHandler):
    pause_s = 0
    failures = 0
    def do_GET(self):
        if self.path == "/tire":
            Page.pause_s, Page.failures = 0.6, 1
        time.sleep({"/slow": 0.3, "/tired": Page.pause_s}.get(self.path, 0))
        fails = self.path == "/falters" and Page.failures > 0
        Page.failures -= fails
        self.send_response(503 if fails else 200)
        self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@contextmanager
def page(name: str) -> Iterator[Target]:
    """A small web server, a process of its own."""
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE)
    assert process.stdout is not None
    port = int(process.stdout.readline())
    try:
        yield Target(name, f"http://127.0.0.1:{port}", pid=process.pid)
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


QUICK: dict[str, Any] = {"before": "0.1s", "hold": "0.8s", "every": "0.02s", "recover": "20s"}
WRITE: JsonObject = {"kind": "redis.roundtrip", "with": {"timeout": "2s"}}


def experiment(target: Target, *others: Target, **with_: Any) -> Any:
    """The facts of an experiment."""
    return observe("experiment.run", target, others=others, **{**QUICK, **with_})


def test_what_is_refused_is_seen_and_comes_back() -> None:
    """Writes are refused while the fault is active, at once detected, with the server's reason; then steady again."""
    with redis_server() as (target, client):
        seen = experiment(
            target,
            disturb=[{"fault": "redis.readonly"}],
            probe=WRITE,
            during=[{"kind": "redis.ping", "with": {}}],
        )
        assert client.config_get("min-replicas-to-write") == {"min-replicas-to-write": "0"}
    facts = seen.facts
    assert seen.held, seen.findings
    assert (facts["steady_after"], facts["unsteady_after"]) == (True, [])
    assert facts["requests_during"] == facts["requests_failed_during"] >= 3
    assert facts["failed_ratio_during"] == 1.0
    assert facts["error_kinds"] == ["protocol"]
    assert 0 <= facts["detected_ms"] < 5000
    assert 0 <= facts["recovered_ms"] < 10_000
    assert facts["outage_ms"] >= 700
    assert facts["during_failed"] == []
    assert facts["slowest_during_ms"] > 0


def test_what_waits_is_seen_as_a_time_out_and_others_are_not_touched() -> None:
    """A process that stands still times out; another that does not need it notices nothing, one that is it does."""
    with page("api") as api, page("docs") as docs:
        ask = {"kind": "http.request", "with": {"path": "/", "timeout": "300ms"}, "expect": {"status": 200}}
        seen = experiment(
            api,
            docs,
            disturb=[{"fault": "process.pause"}],
            probe=ask,
            bystanders={"docs": {**ask, "target": "docs"}, "mirror": {**ask, "target": "api"}},
            during=[{**ask, "expect": {"status": 200}}],
        )
    facts = seen.facts
    assert facts["error_kinds"] == ["timeout"]
    assert facts["blast_radius"] == ["mirror"]
    assert "timeout" in facts["blast_radius_detail"]
    assert len(facts["during_failed"]) == 1
    assert facts["during_failed"][0].startswith("http.request: ")
    assert facts["slowest_during_ms"] >= 250
    assert facts["steady_after"]
    assert not seen.held, "an expectation of `during` did not hold"


def test_what_notices_nothing_is_not_detected() -> None:
    """Where the probe does not need what is disturbed, all its requests hold."""
    with page("api") as api, page("docs") as docs:
        ask = {"kind": "http.request", "with": {"path": "/", "timeout": "1s"}, "expect": {"status": 200}}
        seen = experiment(api, docs, disturb=[{"fault": "process.pause", "target": "docs"}], probe=ask)
    facts = seen.facts
    assert seen.held
    assert facts["requests_during"] >= 3
    assert (facts["requests_failed_during"], facts["error_kinds"]) == (0, [])
    assert (facts["detected_ms"], facts["outage_ms"]) == (None, None)
    assert facts["recovered_ms"] is not None


def test_where_it_is_not_steady_nothing_is_disturbed() -> None:
    """Neither the probe nor another part may fail beforehand: an error names it, and no fault is even prepared."""
    with redis_server() as (target, client), page("docs") as docs:
        bad = {"kind": "http.request", "target": "docs", "with": {"path": "/"}, "expect": {"status": 404}}
        common: dict[str, Any] = {"disturb": [{"fault": "redis.maxmemory"}], "steady_within": "0.3s"}
        client.config_set("maxmemory", "100mb")
        client.config_resetstat()
        with pytest.raises(Unmeasurable, match=r"not steady within 0.3 s .* http.request docs: status expected 404"):
            experiment(target, docs, probe=bad, **common)
        with pytest.raises(Unmeasurable, match=r"judged: mirror \(http.request docs: status expected 404, got 200\)"):
            experiment(target, docs, probe=WRITE, bystanders={"mirror": bad}, **common)
        assert "cmdstat_config|set" not in client.info("commandstats")


def test_a_stack_that_is_still_recovering_is_waited_for() -> None:
    """What becomes steady within `steady_within` is disturbed and judged as if it had been steady at once."""
    with redis_server() as (target, client):
        client.set("busy", "yes", px=600)
        seen = experiment(
            target,
            disturb=[{"fault": "redis.readonly"}],
            probe={"kind": "redis.key", "with": {"key": "busy"}, "expect": {"exists": False}},
            steady_within="10s",
        )
    assert seen.held, seen.findings
    assert seen.facts["requests_during"] >= 3


def test_what_does_not_come_back_in_time() -> None:
    """The fault is reverted, but the stack is not steady within `recover`: the reason is what does not hold."""
    with redis_server() as (target, client):
        # The probe holds only before the key is written, for which the time of the fault is used.
        probe = {"kind": "redis.key", "with": {"key": "spoiled"}, "expect": {"exists": False}}
        write = {"kind": "redis.command", "with": {"command": ["SET", "spoiled", "yes"]}}
        seen = experiment(
            target, disturb=[{"fault": "redis.kill_clients"}], probe=probe, during=[write], recover="0.3s", hold="0.2s"
        )
        assert client.get("spoiled") == "yes"
    facts = seen.facts
    assert not seen.held
    assert (facts["recovered_ms"], facts["outage_ms"], facts["steady_after"]) == (None, None, False)
    assert len(facts["unsteady_after"]) == 1
    assert "exists" in facts["unsteady_after"][0]
    assert facts["steady_after_detail"] == facts["unsteady_after"][0]
    assert facts["error_kinds"] == ["exists"]


def test_several_faults_at_once() -> None:
    """All are active together, and all are reverted."""
    with redis_server() as (target, client), page("docs") as docs:
        before = client.config_get("m*")
        ask = {"kind": "http.request", "target": "docs", "with": {"path": "/", "timeout": "300ms"}}
        seen = experiment(
            target,
            docs,
            disturb=[{"fault": "redis.readonly"}, {"fault": "process.pause", "target": "docs"}],
            probe=WRITE,
            bystanders={"docs": {**ask, "expect": {"status": 200}}},
        )
        assert client.config_get("m*") == before
    assert seen.held
    assert seen.facts["blast_radius"] == ["docs"]
    assert seen.facts["error_kinds"] == ["protocol"]


def test_what_cannot_be_disturbed_is_reported() -> None:
    """The fault's own reason, not a group of exceptions; a check that is too short for its fault is refused with it."""
    with page("api") as api:
        ask = {"kind": "http.request", "with": {"path": "/"}, "expect": {"status": 200}}
        far = Target("far")
        with pytest.raises(NotApplicable, match="target far is not configured"):
            experiment(api, far, disturb=[{"fault": "process.pause", "target": "far"}], probe=ask)
        with pytest.raises(Unmeasurable, match="take 40"):
            experiment(api, disturb=[{"fault": "process.pause"}], probe=ask, before="10s", hold="30s")


def test_a_moment_is_taken_for_what_it_is() -> None:
    """The time of detection is from when the faults are active, that of recovery from the beginning of the undo."""
    watch = Watch(steady=2)
    watch.take(Probe(0.0, 0.1, "early", "x"))
    watch.injecting_at = 1.0
    watch.take(Probe(1.0, 1.1, None, None))
    watch.take(Probe(1.1, 1.2, "while injected", "reset"))
    watch.in_force_at = 2.0
    watch.take(Probe(1.9, 2.5, None, None))
    watch.take(Probe(2.5, 3.0, "seen", "timeout"))
    watch.reverted_at = 4.0
    watch.take(Probe(3.9, 4.5, "in flight", "timeout"))
    for begun, why in ((5, None), (6, "again"), (7, None), (8, None)):
        assert not watch.is_steady
        watch.take(Probe(begun, begun + 0.5, why, "late" if why else None))
    assert watch.is_steady
    assert (watch.count, watch.failed, watch.kinds) == (3, 3, {"reset", "timeout"})
    assert (watch.first_failed, watch.steady_since) == (1.2, 7.5)


def test_what_held_before_must_hold_again_and_the_rest_is_left_out() -> None:
    """A part that is broken at rest is named and not judged; one that does not come back is what is unsteady."""
    with redis_server() as (target, client):
        client.set("kept", "1", ex=600)
        again = {
            "writes": WRITE,
            "kept": {"kind": "redis.key", "with": {"key": "kept"}, "expect": {"ttl_s": {"min": 60}}},
            "absent": {"kind": "redis.key", "with": {"key": "absent"}},
            "elsewhere": {"kind": "redis.key", "with": {"key": "elsewhere", "skip_if_absent": True}},
        }
        seen = experiment(target, disturb=[{"fault": "redis.readonly"}], probe=WRITE, again=again)
        assert (seen.facts["left_out"], seen.facts["steady_after"]) == (["absent"], True)
        assert "exists expected true, got false" in str(seen.facts["left_out_detail"])
        client.expire("kept", 64)
        quick = {**QUICK, "recover": "0.5s", "hold": "5s"}
        seen = observe(
            "experiment.run", target, **quick, disturb=[{"fault": "redis.readonly"}], probe=WRITE, again=again
        )
        assert (seen.facts["unsteady_after"], seen.facts["steady_after"]) == (["kept"], False)


def test_an_experiment_of_which_nothing_could_come_back_does_not_begin() -> None:
    """Where nothing of `again` holds at rest, nothing is disturbed, and the error names why."""
    with redis_server() as (target, _):
        again = {"absent": {"kind": "redis.key", "with": {"key": "absent"}}}
        with pytest.raises(
            Unmeasurable, match=r"nothing that must hold again holds .* absent \(.*exists expected true"
        ):
            experiment(target, disturb=[{"fault": "redis.readonly"}], probe=WRITE, again=again)


def test_a_time_limit_under_a_fault_is_not_judged_where_this_tool_was_late() -> None:
    """What the lateness of the tool explains is an error with its reason; any other failure stays a failure."""
    late = Lateness()
    late.add(0.0, math.inf)
    token = LATENESS.set(late)
    quick = {"kind": "http.request", "with": {"path": "/"}, "expect": {"status": 200, "total_ms": {"max": 0.0001}}}
    wrong = {"kind": "http.request", "with": {"path": "/"}, "expect": {"status": 404}}
    ask = {"kind": "http.request", "with": {"path": "/"}, "expect": {"status": 200}}
    try:
        with page("api") as api, page("docs") as docs:
            disturb: list[JsonObject] = [{"fault": "process.pause", "target": "docs"}]
            with pytest.raises(Unmeasurable, match="could not be judged: the tool itself was late"):
                experiment(api, docs, disturb=disturb, probe=ask, during=[quick])
            seen = experiment(api, docs, disturb=disturb, probe=ask, during=[quick, wrong])
    finally:
        LATENESS.reset(token)
    assert not seen.held
    assert len(seen.facts["during_failed"]) == 1


def late_look(**again: JsonObject) -> Observed:
    """The facts of an experiment whose time limit for `docs` cannot be judged afterwards: this tool is late."""
    late = Lateness()
    late.add(0.0, math.inf)
    token = LATENESS.set(late)
    ask: JsonObject = {"kind": "http.request", "with": {"path": "/"}, "expect": {"status": 200}}
    tire: JsonObject = {"kind": "http.request", "target": "docs", "with": {"path": "/tire"}}
    quick: JsonObject = {
        "kind": "http.request",
        "target": "docs",
        "with": {"path": "/tired"},
        "expect": {"total_ms": {"max": 500}},
    }
    try:
        with page("api") as api, page("docs") as docs, page("ui") as ui:
            return observe(
                "experiment.run",
                api,
                others=(docs, ui),
                **{**QUICK, "recover": "0s"},
                disturb=[{"fault": "process.pause", "target": "ui"}],
                probe=ask,
                during=[tire],
                again={"docs": quick, **again},
            )
    finally:
        LATENESS.reset(token)


def test_what_this_tool_was_too_late_to_judge_is_not_taken_for_recovered() -> None:
    """A part whose time limit cannot be judged after the fault is an error with its name, neither steady nor failed."""
    with pytest.raises(Unmeasurable, match=r"docs \(.*could not be judged: the tool itself was late"):
        late_look()


def test_what_does_not_hold_at_the_last_look_is_not_looked_at_again() -> None:
    """It fails the check, though another part could not be judged: looked at again, it had more time than allowed."""
    falters: JsonObject = {
        "kind": "http.request",
        "target": "docs",
        "with": {"path": "/falters"},
        "expect": {"status": 200},
    }
    seen = late_look(mirror=falters)
    assert (seen.held, seen.facts["unsteady_after"], seen.facts["steady_after"]) == (False, ["mirror"], False)


def test_a_bystander_counts_as_unjudged_while_no_look_could_be_judged() -> None:
    """One look that holds or fails is enough to know it; where there is none, its last reason is kept."""
    bystanders = Bystanders()
    bystanders.take({"docs", "ui"}, Look({}, {"docs": "late", "ui": "late"}))
    bystanders.take({"docs", "ui"}, Look({"ui": "status 500"}, {"docs": "late again"}))
    assert (bystanders.failed, bystanders.unjudged) == ({"ui": "status 500"}, {"docs": "late again"})
    bystanders.take({"docs", "ui"}, Look({}, {"ui": "late"}))
    assert (bystanders.failed, bystanders.unjudged) == ({"ui": "status 500"}, {})


def test_where_the_only_probe_hangs_for_as_long_as_the_fault_is_held_none_is_judged() -> None:
    """No probe failed, but none was made either: a rule about them is an error that names how long the one took."""
    ask: JsonObject = {"kind": "http.request", "with": {"path": "/slow", "timeout": "30s"}, "expect": {"status": 200}}
    with page("api") as api:
        context = check_context(
            "experiment.run",
            api,
            disturb=[{"fault": "process.pause"}],
            probe=ask,
            **{**QUICK, "every": "1ms"},
            expect={"requests_failed_during": 0},
        )

        async def run() -> Judgement:
            async with context as ctx:
                while True:
                    # A probe is nearly always under way when the fault comes; where it just was not, once more.
                    facts = await call_checker(ctx)
                    if facts.requests_during == 0:  # type: ignore[attr-defined]
                        return judge_facts(ctx.measurement.rules, facts, ctx.clock.time())

        judgement = asyncio.run(run())
    assert judgement.not_reached is not None
    assert "the one that was under way when they began took " in judgement.not_reached
    assert all(finding.held for finding in judgement.findings)
    assert (judgement.values["requests_failed_during"], judgement.values["steady_after"]) == (None, True)
    assert judgement.values["slowest_during_ms"] >= 700, "it went on for as long as the fault was held"


def test_a_bystander_that_hangs_for_longer_than_the_fault_is_held_is_seen() -> None:
    """The look at it is not cut short when the fault was held: it fails by its own time limit, and is named."""
    hanging: JsonObject = {"kind": "http.request", "target": "docs", "with": {"path": "/", "timeout": "0.3s"}}
    with redis_server() as (target, _), page("docs") as docs:
        seen = experiment(
            target,
            docs,
            disturb=[{"fault": "process.pause", "target": "docs"}],
            probe=WRITE,
            bystanders={"docs": hanging},
            hold="50ms",
            expect={"blast_radius": []},
        )
    assert [(finding.fact, finding.actual) for finding in seen.findings if not finding.held] == [
        ("blast_radius", ["docs"])
    ]


def test_a_probe_that_began_before_the_end_of_the_recovery_time_is_not_judged() -> None:
    """A probe takes 0.3 s and the stack has 0.1 s: the one under way then has seen the time before."""
    ask: JsonObject = {"kind": "http.request", "with": {"path": "/slow", "timeout": "30s"}, "expect": {"status": 200}}
    with page("api") as api:
        seen = experiment(api, disturb=[{"fault": "process.pause"}], probe=ask, steady=1, recover="0.1s", hold="0.1s")
    assert seen.facts["steady_after"], seen.facts["steady_after_detail"]
