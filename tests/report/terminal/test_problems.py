"""What is wrong: root causes once, with what they blocked, and bounded."""

from __future__ import annotations

from tests.report.runs import CASES, Script, finding
from xnai_validate.model.json import JsonValue
from xnai_validate.model.results.report import Promise
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.report.terminal.report import report_text
from xnai_validate.report.view import View


def test_error_finding_stands_alone() -> None:
    """Without an answer only that is shown, with its detail; the rules that could not hold are not repeated."""
    text = report_text(build_report(CASES["failed"][1]()), View(120))
    gateway = text[text.index("The gateway answers") : text.index("The first token")]
    assert "refused (connection refused by 127.0.0.1:8080)" in gateway
    assert "status" not in gateway


def test_blocked_checks_are_folded_under_their_root() -> None:
    """What a failure blocked is named once, under it, and not among the skipped."""
    text = report_text(build_report(CASES["failed"][1]()), View(120))
    assert "blocks    services/gateway: ui-route, api-route, security-headers, request-id, not-found (5 checks)" in text
    assert text.count("ui-route") == 1
    assert "Skipped: 3" in text


def test_what_blocks_most_comes_first() -> None:
    """The failure that blocks others stands before one that blocks nothing, whatever their order in the profile."""
    script = Script("x", "x")
    script.check("a/s:alone", "Alone", Status.FAIL, reason="no")
    script.check("a/s:root", "Root", Status.FAIL, reason="no")
    script.check("a/s:leaf", "Leaf", Status.SKIP, reason="needs a/s:root, which failed", blocked_by="a/s:root")
    text = report_text(build_report(script.events()), View())
    assert text.index("Root") < text.index("Alone")


def test_one_silent_target_is_reported_once() -> None:
    """Checks of one target that got no answer for one reason read as one failure, unless every check is asked for."""
    script = Script("x", "x")
    for name in ("a", "b", "c", "d"):
        refused = (finding("error", "equals", None, "refused"), finding("status", "equals", 200, None))
        script.check(f"s/gateway:{name}", f"Title {name}", Status.FAIL, target="gateway", findings=refused)
    other = (finding("error", "equals", None, "refused"),)
    script.check("s/api:other", "Title other", Status.FAIL, findings=other)
    script.check("s/x:y", "Blocked", Status.SKIP, reason="needs s/gateway:c, which failed", blocked_by="s/gateway:c")
    text = report_text(build_report(script.events()), View())
    assert "Failed: 5" in text
    assert "alike     s/gateway: a, b, d (3 checks)" in text
    assert "blocks    s/x: y (1 check)" in text
    details = text[text.index("Failed: 5") :]
    assert [title for title in ("Title a", "Title b", "Title c", "Title d", "Title other") if title in details] == [
        "Title c",
        "Title other",
    ]
    assert "alike   " not in report_text(build_report(script.events()), View(detail="verbose"))


def test_one_reason_is_reported_once() -> None:
    """Checks of one target whose documents lack the same part, or that met the same fault of the server, are alike."""
    script = Script("x", "x")
    for name in ("a", "b", "c"):
        lacks = (
            finding("json $.error_code", "equals", name, None),
            finding("json $.error_code", "matches", "^x", None),
        )
        script.check(f"s/errors:{name}", f"Lacks {name}", Status.FAIL, target="api", findings=lacks)
        broke = (finding("total_ms", "max", 1, 2), finding("status", "equals", 200, 500))
        script.check(f"s/broke:{name}", f"Broke {name}", Status.FAIL, target="api", findings=broke)
        wrong = (finding("status", "equals", 200, 404),)
        script.check(f"s/wrong:{name}", f"Wrong {name}", Status.FAIL, target="api", findings=wrong)
    text = report_text(build_report(script.events()), View())
    assert "Failed: 9" in text
    assert "alike     s/errors: b, c (2 checks)" in text
    assert "alike     s/broke: b, c (2 checks)" in text
    details = text[text.index("Failed: 9") : text.index("Result ")]
    assert details.count("Wrong ") == 3
    assert details.count("json $.error_code") == 1


def test_of_many_failures_the_causes_come_first() -> None:
    """A report of more than a few failures begins with their causes, each once, with what it blocks; others do not."""
    text = report_text(build_report(CASES["tangled"][1]()), View(120))
    assert text.index("Causes: 4") < text.index("Failed: 6")
    first, second = (
        text.index("1. The api answers (1 alike, blocks 3 checks)"),
        text.index("2. The breaker opens after"),
    )
    assert first < text.index("api/query:answers") < second < text.index("breakers/cycle:opens")
    assert second < text.index("Failed: 6")
    assert "Causes" not in report_text(build_report(CASES["failed"][1]()), View(120))


def test_a_promise_broken_in_the_same_facts_is_reported_once() -> None:
    """Two checks that break one promise alike are one problem; another fact, value, promise or target is another."""
    script = Script("x", "x")
    declared, counted = (
        Promise(id=name, text="Kept.", source="a document") for name in ("api.declared", "api.counted")
    )

    def fails(name: str, fact: str, actual: JsonValue, promise: Promise, target: str = "api") -> None:
        findings = (finding(fact, "equals", [], actual),)
        script.check(f"s/p:{name}", f"Of {name}", Status.FAIL, target=target, findings=findings, promise=promise)

    fails("a", "nonconforming", ["GET /a"], declared)
    fails("b", "nonconforming", ["GET /b"], declared)
    fails("c", "untested", ["GET /c"], declared)
    fails("d", "nonconforming", ["GET /d"], counted)
    fails("e", "nonconforming", ["GET /e"], declared, "gateway")
    fails("f", "status", 401, counted)
    fails("g", "status", 404, counted)
    text = report_text(build_report(script.events()), View())
    assert "alike     s/p: b (1 check)" in text
    assert text.count("alike     ") == 1
    assert [name for name in "abcdefg" if f"Of {name}" in text] == list("acdefg")


def test_what_makes_a_stack_unfit_is_listed_first() -> None:
    """A check of preflight, and one that is tagged critical, come before those that block others."""
    script = Script("x", "x")
    script.check("a/s:root", "Root", Status.FAIL, reason="no")
    script.check("a/s:leaf", "Leaf", Status.SKIP, reason="needs a/s:root, which failed", blocked_by="a/s:root")
    script.check("a/s:first", "First", Status.FAIL, reason="no", tags=("preflight",))
    script.check("a/s:second", "Second", Status.FAIL, reason="no", tags=("critical",))
    text = report_text(build_report(script.events()), View())
    assert text.index("First") < text.index("Second") < text.index("Root")


def test_a_missing_library_is_reported_once() -> None:
    """Checks of any target that could not be measured for the same words are alike."""
    script = Script("x", "x")
    for name in ("api", "redis", "docs"):
        script.check(
            f"s/t:{name}", f"Of {name}", Status.ERROR, target=name, reason="k.x needs a library; pip install y"
        )
    text = report_text(build_report(script.events()), View())
    assert text.count("pip install y") == 1
    assert "alike     s/t: redis, docs (2 checks)" in text
    assert "Could not be measured: 3" in text


def test_many_problems_are_bounded() -> None:
    """Thousands of failures give a report that can still be read, with the count of what was left out."""
    script = Script("x", "x")
    for number_ in range(2000):
        script.check(f"a/s:c{number_}", f"Check {number_}", Status.FAIL, reason="status: expected 200, got 500")
    text = report_text(build_report(script.events()), View())
    assert len(text.splitlines()) < 1000
    assert "and 1700 more" in text
    assert "2000 checks failed" in text
