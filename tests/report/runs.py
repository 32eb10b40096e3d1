"""Runs written by hand, as events: what the golden reports are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.judging.rules import Level, Rule
from xnai_validate.model.results import events as ev
from xnai_validate.model.results.comparison import Compared, Comparison
from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.report import CheckInfo, Criterion, Promise, RunInfo, Source, Waiver
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.vantage import VantageResult, describe_vantage

START = 1_795_366_992.0  # 2026-11-22 17:03:12 UTC
TARGETS = {
    "api": "http://127.0.0.1:8000",
    "gateway": "http://127.0.0.1:8080",
    "redis": "redis://127.0.0.1:6379/0",
    "vikunja": None,
}


class Script:
    """Writes the events of one run, numbered and dated."""

    def __init__(self, title: str, profile: str, criteria: tuple[Criterion, ...] = (), fail_on: Status = Status.FAIL):
        self.run = RunInfo(
            id="20261122T170312-ab12cd",
            title=title,
            profiles=(profile,),
            started_at=START,
            host={"name": "foundation"},
            fail_on=(fail_on,),
            version="0.1.0",
        )
        self.criteria = criteria
        self.infos: list[CheckInfo] = []
        self.not_undone: tuple[str, ...] = ()
        self.later: list[Callable[[int], ev.Event]] = []

    def check(
        self,
        check_id: str,
        title: str,
        status: Status | None = Status.PASS,
        *,
        kind: str = "http.request",
        target: str | None = "api",
        reason: str | None = None,
        blocked_by: str | None = None,
        findings: tuple[Finding, ...] = (),
        facts: JsonObject | None = None,
        attempts: int | None = None,
        ms: float = 12.0,
        fix: str | None = None,
        promise: Promise | None = None,
        tags: tuple[str, ...] = (),
        waiver: Waiver | None = None,
        faults: tuple[str, ...] = (),
        exchanges: tuple[Exchange, ...] = (),
        vantage: tuple[VantageResult, ...] = (),
    ) -> None:
        """Add a check and, unless its status is None (not reached), how it ended."""
        place = Source(file=f"checks/{check_id.partition(':')[0]}.yaml", line=7 + len(self.infos))
        category = check_id.partition("/")[0]
        self.infos.append(
            CheckInfo(
                id=check_id,
                title=title,
                category=category,
                kind=kind,
                target=target,
                fix=fix,
                source=place,
                promise=promise,
                tags=tags,
                waiver=waiver,
                faults=faults,
            )
        )
        if status is None:
            return
        attempts_made = (0 if status is Status.SKIP else 1) if attempts is None else attempts

        def finished(seq: int, status: Status = status) -> ev.Event:
            return ev.CheckFinished(
                seq=seq,
                at=START + seq / 10,
                id=check_id,
                status=status,
                reason=reason,
                blocked_by=blocked_by,
                findings=findings,
                facts=facts or {},
                attempts=attempts_made,
                elapsed_ms=ms if attempts_made else 0.0,
                exchanges=exchanges,
                vantage=vantage,
            )

        if attempts_made:
            self.later.append(lambda seq: ev.CheckStarted(seq=seq, at=START + seq / 10, id=check_id))
        self.later.append(finished)

    def notice(self, text: str) -> None:
        """Add a warning."""
        self.later.append(lambda seq: ev.Notice(seq=seq, at=START + seq / 10, level="warning", text=text))

    def fault(self, name: str, target: str | None, *, proven: bool, check: str | None = None) -> None:
        """Add a fault that a check injected, and whether its revert is proven."""
        undo = f"{self.run.id}.{len(self.later)}"

        def injected(seq: int) -> ev.Event:
            at = START + seq / 10
            return ev.FaultInjected(seq=seq, at=at, fault=name, target=target, undo=undo, check=check)

        self.later.append(injected)
        self.later.append(lambda seq: ev.FaultReverted(seq=seq, at=START + seq / 10, undo=undo, proven=proven))
        if not proven:
            self.not_undone = (*self.not_undone, undo)

    def events(self, ms: float = 4321.0, stopped: ev.Stopped | None = None) -> list[ev.Event]:
        """All events of the run, from its start to its end."""
        found: list[ev.Event] = [
            ev.RunStarted(seq=1, at=START, run=self.run, checks=tuple(self.infos), criteria=self.criteria)
        ]
        for name, url in TARGETS.items():
            found.append(ev.TargetResolved(seq=len(found) + 1, at=START, target=name, url=url, tried=1, answered=True))
        for make in self.later:
            found.append(make(len(found) + 1))
        end = ev.RunFinished(
            seq=len(found) + 1, at=START + ms / 1000, elapsed_ms=ms, stopped=stopped, not_undone=self.not_undone
        )
        return [*found, end]


def finding(
    fact: str, rule: str, expected: JsonValue, actual: JsonValue, *, held: bool = False, level: Level = "expect"
) -> Finding:
    """One rule, judged; not held by default."""
    return Finding(fact, rule, expected, actual, held, level)


def at_least(scope: str, count: int) -> Criterion:
    """A criterion on the number of checks that passed."""
    return Criterion(scope=scope, rule=Rule("passed", "min", count))


def disturbed(*, proven: bool) -> list[ev.Event]:
    """A check passed under two faults, of which the second may still be active."""
    script = Script("Phase 4.3 - failure modes", "phase4.3")
    script.check("recovery/redis:paused", "The API answers while Redis waits", ms=2100.0)
    script.fault("redis.pause", "redis", proven=True)
    script.fault("host.memory", None, proven=proven)
    return script.events(stopped=None if proven else "not-undone")


def passed() -> list[ev.Event]:
    """Everything passes."""
    script = Script("Preflight", "preflight", (at_least("services", 2),))
    script.check("services/redis:ping", "Redis answers PING", kind="redis.ping", target="redis", ms=0.8)
    script.check("services/api:health", "The API says that it is healthy")
    script.check("api/query:answers", "A question is answered", ms=412.0)
    return script.events(ms=640.0)


def failed() -> list[ev.Event]:
    """One root cause that blocks others, a slow stream, skips, a warning, a flaky check, unmet criteria."""
    no_errors = Criterion(scope="total", rule=Rule("errors", "max", 0))
    criteria = (at_least("services", 2), at_least("streaming", 5), no_errors)
    script = Script("Phase 4.1 - service integration", "phase4.1", criteria)
    script.check("services/redis:ping", "Redis answers PING", kind="redis.ping", target="redis", ms=0.8)
    script.check("services/api:health", "The API says that it is healthy")
    script.check(
        "services/gateway:up",
        "The gateway answers",
        Status.FAIL,
        target="gateway",
        reason="error: refused",
        findings=(
            finding("status", "equals", 200, None),
            finding("error", "equals", None, "refused"),
            finding("total_ms", "max", 400, None),
        ),
        facts={"error": "refused", "error_detail": "connection refused by 127.0.0.1:8080"},
        ms=1.2,
        fix="Is the container xnai_caddy running? See `docker logs xnai_caddy`: a Caddyfile with a mistake ends it.",
    )
    for name in ("ui-route", "api-route", "security-headers", "request-id", "not-found"):
        script.check(
            f"services/gateway:{name}",
            f"The gateway does its part: {name}",
            Status.SKIP,
            target="gateway",
            reason="needs services/gateway:up, which failed",
            blocked_by="services/gateway:up",
        )
    script.check(
        "streaming/stream:first-token",
        "The first token arrives within its budget, also when several people ask at the same time",
        Status.FAIL,
        kind="sse.stream",
        reason="first_event_ms: expected at most 2000, got 2604.31",
        findings=(
            finding("status", "equals", 200, 200, held=True),
            finding("first_event_ms", "max", 2000, 2604.31),
            finding("event_types", "contains", ["token", "done"], ["sources", "token", "error"]),
            finding("headers.x-accel-buffering", "equals", "no", None),
        ),
        ms=2711.0,
        attempts=2,
        promise=Promise(
            id="streaming.first-token",
            text="The first token arrives within two seconds.",
            source="Phase 4 plan, section 4.1",
        ),
        fix="Is the proxy buffering? See X-Accel-Buffering.",
        exchanges=(
            Exchange(
                protocol="http",
                request="POST http://127.0.0.1:8000/stream",
                request_headers={
                    "X-User-DID": "did:key:z6Mk",
                    "Authorization": "***",
                    "Content-Type": "application/json",
                },
                request_body='{"query": "What does the stack\'s gateway do?", "max_tokens": 64}',
                request_bytes=66,
                response="200 OK",
                response_headers={"content-type": "text/event-stream", "server": "uvicorn"},
                response_body='data: {"type": "sources", "sources": ["gateway.md"]}\n\n',
                response_end='data: {"type": "error", "content": "circuit_open"}\n\n',
                response_bytes=4_210,
                elapsed_ms=2_711.4,
            ),
        ),
    )
    script.check("streaming/stream:framing", "Every frame is terminated", ms=812.0)
    script.check(
        "streaming/stream:gaps",
        "Tokens come without long gaps",
        Status.WARN,
        kind="sse.stream",
        reason="max_gap_ms: expected at most 1000, got 1204",
        findings=(finding("max_gap_ms", "max", 1000, 1204, level="warn"),),
        ms=1904.0,
    )
    script.check(
        "api/query:answers",
        "A question is answered",
        Status.FLAKY,
        reason="passed at attempt 2; before that: status: expected 200, got 503",
        attempts=2,
        ms=210.0,
    )
    script.check(
        "api/query:openapi",
        "Answers conform to the schemas that the API declares",
        Status.ERROR,
        kind="http.openapi",
        reason="openapi-spec-validator is not installed; pip install 'xnai-validate[openapi]'",
        ms=0.3,
    )
    for name in ("info", "token", "tasks"):
        reason = "target vikunja is not configured"
        script.check(f"vikunja/api:{name}", f"Vikunja: {name}", Status.SKIP, target="vikunja", reason=reason)
    script.notice("the profile phase4.1 is that of the current directory, not the bundled one")
    return script.events(ms=6_210.0)


def from_places() -> list[ev.Event]:
    """Checks from several places: one passes, one fails at one of them, one was not measured at one."""
    script = Script("Networks", "networks")
    broken = (finding("status", "equals", 200, 502),)
    up = VantageResult(name="edge", status=Status.PASS, facts={"status": 200}, elapsed_ms=4.0)
    down = VantageResult(
        name="inside",
        status=Status.FAIL,
        reason="status: expected 200, got 502",
        findings=broken,
        facts={"status": 502},
        elapsed_ms=9.0,
    )
    lost = VantageResult(
        name="inside", status=Status.ERROR, reason="worker inside (tcp://10.0.0.7:41233) has not answered for 5 s"
    )
    script.check(
        "services/api:health", "The API is reached from both networks", vantage=(up, replace(up, name="inside"))
    )
    script.check(
        "services/gateway:health",
        "The gateway is reached from both networks",
        Status.FAIL,
        target="gateway",
        reason=describe_vantage((up, down)),
        findings=broken,
        facts={"status": 502},
        vantage=(up, down),
    )
    script.check(
        "services/redis:open",
        "Redis is reached from both networks",
        Status.ERROR,
        kind="tcp.connect",
        target="redis",
        reason=describe_vantage((up, lost)),
        vantage=(up, lost),
    )
    return script.events(ms=5_200.0)


def tangled() -> list[ev.Event]:
    """Many checks that fail for few causes: one blocks others, one is seen twice, one leaves others unmeasured."""
    script = Script("Phase 4.1 - service integration", "phase4.1")
    broken = (finding("status", "equals", 200, 503),)
    for target, check_id in (("gateway", "services/gateway:question"), ("api", "api/query:answers")):
        reason = "status: expected 200, got 503"
        script.check(check_id, f"The {target} answers", Status.FAIL, target=target, reason=reason, findings=broken)
    for name in ("metrics", "load", "cascade"):
        script.check(
            f"performance/load:{name}",
            f"Blocked: {name}",
            Status.SKIP,
            reason="needs api/query:answers, which failed",
            blocked_by="api/query:answers",
        )
    detail = "3 calls failed (3 x timeout) in 90 s, and none was refused"
    script.check(
        "breakers/cycle:opens",
        "The breaker opens after as many failures as promised",
        Status.FAIL,
        kind="breaker.cycle",
        reason=f"opened: expected true, got false ({detail})",
        findings=(finding("opened", "equals", True, False),),
        facts={"opened": False, "opened_detail": detail},
    )
    for name in ("closes", "recovers"):
        reason = f"the breaker rag_api did not open: {detail}"
        script.check(f"breakers/cycle:{name}", f"The breaker {name}", Status.ERROR, kind="breaker.cycle", reason=reason)
    promise = Promise(id="api.errors.status", text="A request that is not valid gets 400.", source="the API's document")
    for name in ("empty", "long", "no-json"):
        script.check(
            f"api/errors:{name}",
            f"Invalid input is refused: {name}",
            Status.FAIL,
            reason="status: expected 400, got 422",
            findings=(finding("status", "equals", 400, 422),),
            promise=promise,
        )
    reason = "not steady within 60 s before the experiment, so nothing was disturbed or judged: redis is down"
    script.check("recovery/outage:redis-paused", "The API returns to Redis", Status.ERROR, reason=reason)
    return script.events(ms=92_000.0)


def hostile() -> list[ev.Event]:
    """A server that sends markup, escape sequences, bidirectional overrides and NUL."""
    script = Script("Hostile [bold]text[/bold]", "hostile")
    nasty = "[red]boo[/red] \x1b[2J\x1b]0;owned\x07 \u202egnp.exe\u2066 \x00 \x85 \u2028 \ufffe ]]> <a&b> 日本語"
    script.check(
        "errors/envelope:clean",
        "Titles are data too: [link=x]click[/link] \x1b[31m",
        Status.FAIL,
        reason=f'message: expected "ok", got {nasty}',
        findings=(finding("json $.message", "equals", "ok", nasty), finding("text", "not contains", "[red]", nasty)),
        fix="Look at [/] what \x07 it sends.",
        exchanges=(
            Exchange(
                protocol="http",
                request=f"GET http://127.0.0.1:8000/{nasty}",
                request_headers={"X-A": nasty},
                request_body=nasty,
                response=f"200 {nasty}",
                response_headers={"content-type": nasty},
                response_body=f"{nasty}\n{nasty}",
                failure=nasty,
                options={"--cacert": nasty},
            ),
        ),
    )
    script.check("errors/envelope:odd", "A reason with markup", Status.SKIP, reason=f"because {nasty}")
    script.notice(nasty)
    return script.events()


def deadline() -> list[ev.Event]:
    """Stopped by the deadline before it came to all checks."""
    script = Script("Phase 4.3 - failure modes", "phase4.3")
    script.check("breakers/load:opens", "The breaker opens at its threshold", ms=48_000.0)
    script.check("breakers/load:closes", "The breaker closes after three successes", None)
    script.check("recovery/api:restarts", "A killed API comes back", None, target=None, kind="process.state")
    return script.events(ms=300_012.0, stopped="deadline")


def interrupted() -> list[ev.Event]:
    """Ctrl-C before anything was finished."""
    script = Script("Preflight", "preflight")
    script.check("services/redis:ping", "Redis answers PING", None)
    return script.events(ms=80.0, stopped="interrupted")


def undecided() -> list[ev.Event]:
    """Nothing failed, one check could not be measured."""
    script = Script("Preflight", "preflight")
    script.check("services/api:health", "The API says that it is healthy")
    script.check(
        "environment/host:pressure",
        "The host is not under memory pressure",
        Status.ERROR,
        target=None,
        kind="host.resources",
        reason="/proc/pressure/memory cannot be read: Permission denied",
    )
    return script.events(ms=80.0)


def wished() -> list[ev.Event]:
    """Nothing failed, but flaky checks are failures by wish."""
    script = Script("Preflight", "preflight", fail_on=Status.FLAKY)
    script.check("services/api:health", "The API says that it is healthy", Status.FLAKY, attempts=3)
    return script.events(ms=80.0)


def compared() -> list[ev.Event]:
    """All checks passed, and the run is worse than its baseline."""
    script = Script("Phase 4.2 - query flow", "phase4.2")
    script.check("performance/load:query", "Questions are answered under load", kind="load.http", ms=10_012.0)
    load, memory = "performance/load:query", "resources/stack:api-memory"
    figures = (
        Compared(check=load, figure="p50_ms", before=68.21, after=81.44, ratio=1.194, low=1.121, high=1.272,
                 band=0.1, change="regression"),
        Compared(check=load, figure="p99_ms", before=93.4, after=99.1, ratio=1.061, low=0.71, high=1.585, band=0.2,
                 change="cannot tell", reason="anything from -29% to +58% is possible"),
        Compared(check="performance/load:health", figure="p99_ms", band=0.2, change="cannot tell",
                 reason="the later run: 120 requests are too few: 500 are needed"),
        Compared(check=memory, figure="tree_rss_mib", before=158.3, after=131.0, ratio=0.8275, low=0.79, high=0.867,
                 band=0.05, change="improvement"),
        Compared(check="performance/load:health", figure="p50_ms", before=1.62, after=1.63, ratio=1.0062, low=0.97,
                 high=1.043, band=0.1, change="same"),
    )  # fmt: skip
    found = Comparison(baseline="main", runs=3, figures=figures, notes=("version of api: 1.2 before, 1.3 now",))
    script.later.append(lambda seq: ev.BaselineCompared(seq=seq, at=START + seq / 10, comparison=found))
    return script.events(ms=11_240.0)


def waived() -> list[ev.Event]:
    """A failure that a waiver accepts, what it blocks, and a success criterion that counts it."""
    script = Script("Preflight", "preflight", (at_least("services", 3),))
    script.check("services/api:health", "The API says that it is healthy")
    waiver = Waiver(
        check="services/ui:*",
        reason="the UI moves to another host; see OPS-41",
        until="2027-01-31",
        owner="ops",
        source=Source(file="profiles/waivers.yaml", line=3),
    )
    script.check(
        "services/ui:page",
        "The UI has a page",
        Status.WAIVED,
        target="gateway",
        reason=f"waived until {waiver.until} (ops): {waiver.reason}; it failed: status: expected 200, got 503",
        findings=(finding("status", "equals", 200, 503),),
        promise=Promise(id="services.ui", text="The UI answers.", source="docker-compose.yml"),
        waiver=waiver,
    )
    reason = "needs services/ui:page, which failed (waived)"
    script.check("services/ui:socket", "The UI has a socket", Status.SKIP, reason=reason, blocked_by="services/ui:page")
    return script.events(ms=640.0)


def expired() -> list[ev.Event]:
    """A failure whose waiver has expired."""
    script = Script("Preflight", "preflight")
    waiver = Waiver(
        check="services/api:*",
        reason="known since the move",
        until="2026-11-01",
        owner="ops",
        source=Source(file="profiles/waivers.yaml", line=3),
        expired=True,
    )
    script.check(
        "services/api:health",
        "The API says that it is healthy",
        Status.FAIL,
        reason="status: expected 200, got 503; its waiver expired on 2026-11-01 (ops): known since the move",
        findings=(finding("status", "equals", 200, 503),),
        waiver=waiver,
    )
    return script.events(ms=640.0)


CASES: dict[str, tuple[int, Callable[[], list[ev.Event]]]] = {
    "passed": (0, passed),
    "failed": (1, failed),
    "tangled": (1, tangled),
    "wished": (1, wished),
    "undecided": (3, undecided),
    "deadline": (5, deadline),
    "interrupted": (130, interrupted),
    "hostile": (1, hostile),
    "compared": (1, compared),
    "waived": (0, waived),
    "expired": (1, expired),
    "places": (1, from_places),
}
"""Name -> the exit code that the run must have, and its events."""
